"""Steps of Adam with a penalty and with a decay, and projections: held against the library."""

import numpy as np
import pytest

from reglib.constraints import MaxNorm
from reglib.layers import Parameter
from reglib.optimizers import AdamW
from reglib.textbook import adam_l2_step, adamw_step, max_norm_project, non_negative_fit


def test_a_step_of_adam_goes_down_the_gradient_of_the_penalized_loss(rng):
    w, grad, moments = rng.standard_normal((3, 2)), rng.standard_normal((3, 2)), np.zeros((3, 2))
    penalized = adam_l2_step(w, grad, moments, moments, 1, lr=0.1, lam=0.7)
    by_hand = adam_l2_step(w, grad + 0.7 * w, moments, moments, 1, lr=0.1, lam=0)
    for got, wanted in zip(penalized, by_hand, strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("lam", [0.0, 0.3])
def test_steps_of_adamw_are_those_of_the_librarys_optimizer(rng, lam):
    tiny = 1e-300  # the library adds its epsilon elsewhere, so both are left without one
    parameter = Parameter(rng.standard_normal(5), dtype="float64")
    optimizer = AdamW(0.05, weight_decay=lam, epsilon=tiny)
    w, m, v = parameter.value.copy(), np.zeros(5), np.zeros(5)
    for t in range(1, 20):
        grad = rng.standard_normal(5)
        optimizer.apply([grad], [parameter])
        w, m, v = adamw_step(w, grad, m, v, t, lr=0.05, lam=lam, eps=tiny)
    np.testing.assert_allclose(w, parameter.value, rtol=1e-12)


def test_the_decay_of_adamw_is_the_same_share_whatever_the_gradients_scale(rng):
    grad, w, zeros = rng.standard_normal(4), rng.standard_normal(4), np.zeros(4)
    lost = [
        adamw_step(w, scale * grad, zeros, zeros, 1, lr=0.1, lam=0)[0]
        - adamw_step(w, scale * grad, zeros, zeros, 1, lr=0.1, lam=0.5)[0]
        for scale in (0.01, 100)
    ]
    np.testing.assert_allclose(lost, [0.05 * w, 0.05 * w])


@pytest.mark.parametrize("axis", [0, 1, -1, (0, 1)])
def test_max_norm_projects_on_the_nearest_weights_within_the_limit(rng, axis):
    W = 2 * rng.standard_normal((3, 4, 5))
    projected = max_norm_project(W, 1.5, axis)
    norms = np.sqrt(np.sum(projected**2, axis=axis))
    assert np.all(norms <= 1.5 + 1e-12)
    np.testing.assert_array_equal(max_norm_project(W, 1e3, axis), W)
    for _ in range(20):
        inside = max_norm_project(projected + 0.1 * rng.standard_normal(W.shape), 1.5, axis)
        assert np.sum((inside - W) ** 2) >= np.sum((projected - W) ** 2)


def test_max_norm_agrees_with_the_librarys_constraint(rng):
    W = rng.standard_normal((6, 3))
    W[:, 1] = 0
    np.testing.assert_allclose(max_norm_project(W, 1.2, 0), MaxNorm(1.2)(W), rtol=1e-6)


def test_a_non_negative_fit_ends_where_no_allowed_move_lowers_the_cost(rng):
    X = rng.standard_normal((40, 5)) + rng.standard_normal((40, 1))
    y = X @ np.array([2.0, -1, 1, -3, 0]) + 0.1 * rng.standard_normal(40)
    w = non_negative_fit(X, y, 0.1, 5000)
    gradient = X.T @ (X @ w - y) / 40
    assert 0 < np.sum(w == 0) < 5
    np.testing.assert_allclose(gradient[w > 0], 0, atol=1e-9)
    assert np.all(gradient[w == 0] >= 0)
