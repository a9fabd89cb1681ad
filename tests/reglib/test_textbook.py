"""The textbook's functions: formulas, gradients under frozen masks, any depth, bad input."""

import subprocess
import sys

import numpy as np
import pytest

from reglib import textbook
from reglib.textbook import (
    adjust_contrast,
    augmented_set,
    backward_propagation,
    backward_propagation_with_dropout,
    backward_propagation_with_regularization,
    compute_cost,
    compute_cost_with_regularization,
    dropout_backward,
    dropout_forward,
    elastic_net_penalty,
    evaluation_cost,
    fit_with_early_stopping,
    forward_propagation,
    forward_propagation_with_dropout,
    gradient_descent_shrinkage,
    horizontal_flip,
    initialize_parameters,
    is_frozen,
    l1_penalty,
    l2_penalty,
    label_safe,
    lasso_fit,
    map_lambda,
    mc_dropout_predict,
    penalized_step,
    proximal_step,
    random_crop,
    relu,
    ridge_closed_form,
    rotate,
    shift,
    sigmoid,
    soft_threshold,
    stop_epoch,
    update_parameters,
    zoom,
)

WIDTHS = ([3, 1], [3, 4, 1], [2, 5, 3, 1], [4, 6, 5, 3, 2])
PENALTIES = ("l2", "l1", "l1l2")


@pytest.fixture(params=WIDTHS, ids=str)
def network(request, rng):
    """X, Y and parameters of a network with no unit near the kink of ReLU."""
    widths = request.param
    parameters = initialize_parameters(widths, rng)
    for name, value in parameters.items():
        if name.startswith("b"):
            value += rng.uniform(0.05, 0.3, value.shape)
    X = rng.standard_normal((widths[0], 7))
    Y = rng.integers(0, 2, (widths[-1], 7))
    return X, Y, parameters


def central_differences(cost, parameters, eps=1e-6):
    gradients = {}
    for name, value in parameters.items():
        gradient = np.zeros_like(value)
        for index in np.ndindex(value.shape):
            costs = []
            for sign in (1, -1):
                moved = {key: array.copy() for key, array in parameters.items()}
                moved[name][index] += sign * eps
                costs.append(cost(moved))
            gradient[index] = (costs[0] - costs[1]) / (2 * eps)
        gradients[f"d{name}"] = gradient
    return gradients


def assert_gradients_agree(gradients, numerical):
    for name, expected in numerical.items():
        scale = np.linalg.norm(expected) + np.linalg.norm(gradients[name])
        assert np.linalg.norm(gradients[name] - expected) <= 1e-6 * max(scale, 1e-3), name


# Gradients


def test_gradients_of_the_plain_network_agree_with_differences(network):
    X, Y, parameters = network
    _, cache = forward_propagation(X, parameters)
    numerical = central_differences(
        lambda moved: compute_cost(forward_propagation(X, moved)[0], Y), parameters
    )
    assert_gradients_agree(backward_propagation(X, Y, cache), numerical)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_gradients_with_a_penalty_agree_with_differences(network, penalty):
    X, Y, parameters = network
    _, cache = forward_propagation(X, parameters)

    def cost(moved):
        A, _ = forward_propagation(X, moved)
        return compute_cost_with_regularization(A, Y, moved, 0.7, penalty)

    gradients = backward_propagation_with_regularization(X, Y, cache, 0.7, penalty)
    assert_gradients_agree(gradients, central_differences(cost, parameters))


@pytest.mark.parametrize("keep_prob", [0.5, 0.8, 1.0])
def test_gradients_through_frozen_masks_agree_with_differences(network, keep_prob):
    X, Y, parameters = network

    def forward(moved):
        return forward_propagation_with_dropout(X, moved, keep_prob, np.random.default_rng(9))

    _, cache = forward(parameters)
    numerical = central_differences(lambda moved: compute_cost(forward(moved)[0], Y), parameters)
    gradients = backward_propagation_with_dropout(X, Y, cache, keep_prob)
    assert_gradients_agree(gradients, numerical)


def test_the_gradient_of_one_dropout_layer_agrees_with_differences(rng):
    a, weights = rng.standard_normal((4, 5)), rng.standard_normal((4, 5))
    _, mask = dropout_forward(a, 0.6, np.random.default_rng(2))
    numerical = central_differences(
        lambda moved: np.sum(
            weights * dropout_forward(moved["a"], 0.6, np.random.default_rng(2))[0]
        ),
        {"a": a},
    )
    np.testing.assert_allclose(dropout_backward(weights, mask, 0.6), numerical["da"], atol=1e-8)


# Formulas


def test_the_penalties_stand_in_the_textbooks_factors(network):
    X, Y, parameters = network
    A, _ = forward_propagation(X, parameters)
    plain, m = compute_cost(A, Y), Y.shape[1]
    weights = [value for name, value in parameters.items() if name.startswith("W")]
    squares = sum(np.sum(W**2) for W in weights)
    absolute = sum(np.sum(np.abs(W)) for W in weights)
    added = {
        penalty: compute_cost_with_regularization(A, Y, parameters, 0.3, penalty) - plain
        for penalty in PENALTIES
    }
    assert added["l2"] == pytest.approx(0.3 / (2 * m) * squares)
    assert added["l1"] == pytest.approx(0.3 / m * absolute)
    assert added["l1l2"] == pytest.approx(added["l1"] + added["l2"])
    assert added["l2"] == pytest.approx(l2_penalty(weights, 0.3, m))
    assert added["l1"] == pytest.approx(l1_penalty(weights, 0.3, m))


def test_l2_is_the_default_penalty(network):
    X, Y, parameters = network
    A, cache = forward_propagation(X, parameters)
    assert compute_cost_with_regularization(A, Y, parameters, 0.3) == (
        compute_cost_with_regularization(A, Y, parameters, 0.3, "l2")
    )
    default = backward_propagation_with_regularization(X, Y, cache, 0.3)
    named = backward_propagation_with_regularization(X, Y, cache, 0.3, "l2")
    assert all(np.array_equal(default[name], named[name]) for name in default)


def test_no_bias_is_penalized(network):
    X, Y, parameters = network
    A, _ = forward_propagation(X, parameters)
    moved = {name: value + 5 * name.startswith("b") for name, value in parameters.items()}
    assert compute_cost_with_regularization(A, Y, parameters, 2.0) == (
        compute_cost_with_regularization(A, Y, moved, 2.0)
    )


def test_the_cost_is_finite_for_certain_predictions():
    assert compute_cost([[0.0, 1.0]], [[0, 1]]) == pytest.approx(0, abs=1e-12)
    assert 30 < compute_cost([[1.0]], [[0]]) < 40


def test_a_training_lowers_the_cost(rng):
    X = rng.standard_normal((2, 50))
    Y = (X[:1] * X[1:] > 0).astype(int)
    parameters = initialize_parameters([2, 8, 4, 1], rng)
    costs = []
    for _ in range(200):
        A, cache = forward_propagation(X, parameters)
        costs.append(compute_cost(A, Y))
        parameters = update_parameters(parameters, backward_propagation(X, Y, cache), 0.5)
    assert costs[-1] < 0.5 * costs[0]


def test_with_keep_prob_one_dropout_is_the_plain_network(network, rng):
    X, _, parameters = network
    plain, _ = forward_propagation(X, parameters)
    dropped, _ = forward_propagation_with_dropout(X, parameters, 1.0, rng)
    np.testing.assert_array_equal(plain, dropped)


def test_the_caches_have_the_classic_layout(rng):
    X, parameters = rng.standard_normal((2, 4)), initialize_parameters([2, 5, 3, 1], rng)
    A3, cache = forward_propagation(X, parameters)
    Z1, A1, W1, _, _, _, W2, _, Z3, last, W3, _ = cache
    assert [W.shape for W in (W1, W2, W3)] == [(5, 2), (3, 5), (1, 3)]
    assert np.array_equal(A1, relu(Z1))
    assert np.array_equal(A3, sigmoid(Z3))
    assert last is A3
    assert len(forward_propagation_with_dropout(X, parameters, 0.5, rng)[1]) == 14


@pytest.mark.parametrize("keep_prob", [0.2, 0.5, 0.9])
def test_the_mean_survives_dropout(rng, keep_prob):
    a = np.ones((200, 300))
    out, mask = dropout_forward(a, keep_prob, rng)
    assert mask.mean() == pytest.approx(keep_prob, abs=0.012)
    assert out.mean() == pytest.approx(1, abs=0.05)
    np.testing.assert_allclose(out, mask / keep_prob)


def test_evaluation_is_the_identity(rng):
    a = rng.standard_normal((3, 4))
    out, mask = dropout_forward(a, 0.5, rng, training=False)
    assert np.array_equal(out, a)
    assert mask.all()


def test_dropout_follows_its_generator_alone(rng):
    a = np.ones((20, 20))
    first, again = (dropout_forward(a, 0.5, np.random.default_rng(1))[1] for _ in range(2))
    assert np.array_equal(first, again)
    assert not is_frozen(dropout_forward, a, 0.5, rng)
    assert is_frozen(lambda a, p, rng: dropout_forward(a, p, np.random.default_rng(3)), a, 0.5, rng)


def test_monte_carlo_dropout_finds_mean_and_spread(rng):
    mean, spread = mc_dropout_predict(
        lambda x, rng: x + rng.standard_normal(2), np.array([1.0, 5.0]), 4000, rng
    )
    np.testing.assert_allclose(mean, [1, 5], atol=0.1)
    np.testing.assert_allclose(spread, [1, 1], atol=0.1)


def test_evaluation_drops_nothing_and_draws_nothing(rng):
    X, Y = rng.standard_normal((3, 9)), np.ones((1, 9))
    parameters = initialize_parameters([3, 8, 1], rng)
    before = rng.bit_generator.state
    cost = evaluation_cost(X, Y, parameters, 0.5, rng)
    assert rng.bit_generator.state == before
    A, _ = forward_propagation_with_dropout(X, parameters, 1.0, rng)
    assert cost == compute_cost(A, Y)


def test_a_penalized_step_is_a_step_down_the_penalized_cost(rng):
    parameters = initialize_parameters([3, 4, 1], rng)
    parameters = {name: value + 0.1 for name, value in parameters.items()}
    X, Y = rng.standard_normal((3, 7)), np.ones((1, 7))
    _, cache = forward_propagation(X, parameters)
    plain = backward_propagation(X, Y, cache)
    penalized = backward_propagation_with_regularization(X, Y, cache, 0.9)
    stepped = penalized_step(parameters, plain, 0.2, 0.9, 7)
    for name, value in update_parameters(parameters, penalized, 0.2).items():
        np.testing.assert_allclose(stepped[name], value, atol=1e-12)


@pytest.mark.parametrize("lr", [0.1, 0.3])
def test_a_lasso_ends_where_its_subgradient_holds_zero(rng, lr):
    X, lam = rng.standard_normal((30, 6)), 0.2
    y = X @ np.array([2.0, -1, 0, 0, 0, 0]) + 0.1 * rng.standard_normal(30)
    w = lasso_fit(X, y, lam, lr, 3000)
    gradient = X.T @ (X @ w - y) / 30
    assert 0 < np.sum(w == 0) < 6
    np.testing.assert_allclose(gradient[w != 0], -lam * np.sign(w[w != 0]), atol=1e-9)
    assert np.all(np.abs(gradient[w == 0]) <= lam)


def test_a_training_that_stops_gives_back_its_best_weights():
    losses = dict(zip(range(1, 9), (5, 3, 4, 2, 3, 4, 5, 1), strict=True))
    asked = []

    def loss(w):
        asked.append(int(w[0]))
        return losses[asked[-1]]

    def gradient(w):
        return -np.ones(1)

    assert fit_with_early_stopping([0.0], gradient, loss, 1.0, 8, 3) == 4
    assert asked == [1, 2, 3, 4, 5, 6, 7]


def test_an_augmented_set_keeps_each_label_with_its_image(rng):
    images, labels = rng.random((5, 3, 4)), np.arange(5)
    many, given = augmented_set(images, labels, [horizontal_flip, lambda image: image / 2])
    assert len(many) == len(given) == 15
    for image, label in zip(many, given, strict=True):
        original = images[label]
        kinds = (original, original[:, ::-1], original / 2)
        assert any(np.array_equal(image, kind) for kind in kinds)


def test_ridge_solves_its_normal_equations(rng):
    X, y = rng.standard_normal((5, 8)), rng.standard_normal(5)
    w = ridge_closed_form(X, y, 0.4)
    np.testing.assert_allclose(X.T @ (X @ w - y) + 0.4 * w, 0, atol=1e-10)


def test_the_map_lambda_makes_ridge_the_best_estimate_on_average(rng):
    """Weights drawn from the prior are recovered best, on average, at the ratio of variances."""
    noise, prior, errors = 0.5, 2.0, {}
    best = map_lambda(noise, prior)
    for factor in (0.05, 1, 20):
        total = 0.0
        draws = np.random.default_rng(5)
        for _ in range(300):
            X, w = draws.standard_normal((6, 4)), draws.normal(0, prior**0.5, 4)
            y = X @ w + draws.normal(0, noise**0.5, 6)
            total += np.sum((ridge_closed_form(X, y, factor * best) - w) ** 2)
        errors[factor] = total
    assert min(errors, key=errors.get) == 1


def test_the_soft_threshold_minimizes_its_cost(rng):
    for w in rng.standard_normal(20):
        grid = np.linspace(-3, 3, 60001)
        best = grid[np.argmin(0.5 * (grid - w) ** 2 + 0.7 * np.abs(grid))]
        assert soft_threshold([w], 0.7)[0] == pytest.approx(best, abs=1e-4)


def test_proximal_steps_reach_the_lasso_and_its_exact_zeros(rng):
    X = rng.standard_normal((60, 8))
    y = X[:, 0] - 2 * X[:, 1] + 0.1 * rng.standard_normal(60)
    w = np.zeros(8)
    for _ in range(2000):
        w = proximal_step(w, X.T @ (X @ w - y) / 60, 0.2, 0.1)
    assert np.count_nonzero(w) == 2
    gradient = X.T @ (X @ w - y) / 60
    np.testing.assert_allclose(gradient[:2], -0.1 * np.sign(w[:2]), atol=1e-8)
    assert np.all(np.abs(gradient[2:]) <= 0.1)


def test_the_elastic_net_blends(rng):
    w = rng.standard_normal(9)
    assert elastic_net_penalty(w, 0.3, 1.0) == pytest.approx(0.3 * np.abs(w).sum())
    assert elastic_net_penalty(w, 0.3, 0.0) == pytest.approx(0.15 * (w**2).sum())


def test_shrinkage_is_what_gradient_descent_does(rng):
    H = np.diag([1.0, 0.3, 0.01])
    solution, w = rng.standard_normal(3), np.zeros(3)
    for _ in range(12):
        w = w - 0.4 * H @ (w - solution)
    np.testing.assert_allclose(w, gradient_descent_shrinkage(np.diag(H), 0.4, 12) * solution)


def test_patience_counts_epochs_in_a_row():
    assert stop_epoch([5, 4, 6, 3, 6, 2, 6, 6], patience=2) == 7
    assert stop_epoch([5, 4, 3], patience=1) is None
    assert stop_epoch([1.0, 0.95, 0.9, 0.85], patience=2, min_delta=0.06) is None
    assert stop_epoch([1.0, 0.99, 0.98, 0.97], patience=2, min_delta=0.06) == 2
    assert stop_epoch([1.0, 1.0], patience=1) == 1


@pytest.mark.parametrize("restore", [True, False])
def test_early_stopping_keeps_a_copy_of_the_right_weights(restore):
    stopper, W = textbook.EarlyStopping(2, restore=restore), np.zeros(2)
    for loss in (0.9, 0.4, 0.6, 0.7):
        W += 1
        stop = stopper.update(loss, [W])
    assert stop
    assert stopper.best == 0.4
    assert stopper.best_epoch == 1
    assert stopper.weights[0].tolist() == ([2, 2] if restore else [4, 4])


# Images


@pytest.mark.parametrize("shape", [(5, 7), (6, 4, 3)])
def test_transforms_keep_shape_and_argument(rng, shape):
    image = rng.random(shape)
    before = image.copy()
    for out in (
        shift(image, 1, -2),
        horizontal_flip(image),
        zoom(image, 1.7),
        rotate(image, 33),
        adjust_contrast(image, 0.4),
    ):
        assert out.shape == shape
        assert not np.shares_memory(out, image)
    assert random_crop(image, 2, 3, rng).shape == (2, 3, *shape[2:])
    assert np.array_equal(image, before)


@pytest.mark.parametrize("shape", [(5, 5), (6, 6, 3)])
def test_neutral_transforms_change_nothing(rng, shape):
    image = rng.random(shape)
    for out in (
        shift(image, 0, 0),
        horizontal_flip(horizontal_flip(image)),
        zoom(image, 1.0),
        rotate(image, 360),
        rotate(rotate(image, 90), -90),
        random_crop(image, *shape[:2], rng),
        adjust_contrast(image, 1.0),
    ):
        np.testing.assert_allclose(out, image, atol=1e-12)


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("size", [5, 6])
def test_quarter_turns_are_numpys(rng, quarters, size):
    image = rng.random((size, size))
    assert np.array_equal(rotate(image, 90 * quarters), np.rot90(image, quarters))


def test_a_crop_comes_from_every_place(rng):
    image = np.arange(20).reshape(4, 5)
    corners = {int(random_crop(image, 3, 3, rng)[0, 0]) for _ in range(300)}
    assert corners == {0, 1, 2, 5, 6, 7}


def test_safety_belongs_to_the_pair_of_transform_and_task(rng):
    images = [np.eye(4), np.tri(4)]
    assert label_safe(lambda image: image.T, (images, lambda image: float(np.trace(image))))
    assert not label_safe(horizontal_flip, (images, lambda image: float(np.trace(image))))


# Bad input

NET = {"W1": np.ones((2, 3)), "b1": np.zeros((2, 1)), "W2": np.ones((1, 2)), "b2": np.zeros((1, 1))}
X = np.ones((3, 4))
Y = np.ones((1, 4))
A = np.full((1, 4), 0.5)
CACHE = forward_propagation(X, NET)[1]
DROPPED = forward_propagation_with_dropout(X, NET, 0.5, np.random.default_rng(0))[1]
RNG = np.random.default_rng(0)
NAN = np.full((3, 4), np.nan)

BAD = [
    (lambda: relu("text"), TypeError, "Z must hold numbers"),
    (lambda: sigmoid([np.nan]), ValueError, "Z must be finite"),
    (lambda: initialize_parameters([3], RNG), ValueError, "layer_dims must hold at least 2"),
    (
        lambda: initialize_parameters([3, 0], RNG),
        ValueError,
        "layer_dims must be at least 1, got 0",
    ),
    (lambda: initialize_parameters([3, 1], 0), TypeError, "rng must be a numpy.random.Generator"),
    (lambda: compute_cost(A, [["cat"] * 4]), TypeError, "Y must hold numbers"),
    (lambda: compute_cost(A, Y[:, :2]), ValueError, "Y must have shape (1, 4), got (1, 2)"),
    (lambda: compute_cost(2 * Y, Y), ValueError, "A must be in [0, 1], got values from 2 to 2"),
    (lambda: compute_cost(A, 2 * Y), ValueError, "Y must be in [0, 1]"),
    (lambda: compute_cost(A[:, :0], Y[:, :0]), ValueError, "A must not be empty"),
    (lambda: forward_propagation(NAN, NET), ValueError, "X must be finite"),
    (lambda: forward_propagation(X[:2], NET), ValueError, "W1 must have shape (any, 2)"),
    (lambda: forward_propagation(X[:, :0], NET), ValueError, "X must not be empty"),
    (lambda: forward_propagation(X, {"W1": np.ones((2, 3))}), ValueError, "must hold b1, got W1"),
    (lambda: forward_propagation(X, [1]), TypeError, "parameters must be a dict, got list"),
    (lambda: forward_propagation(X, {}), ValueError, "parameters must hold W1"),
    (lambda: backward_propagation(X, Y, CACHE[:-1]), ValueError, "cache must hold 4 arrays"),
    (lambda: backward_propagation(X, Y, {"A": 1}), TypeError, "cache must be a tuple, got dict"),
    (lambda: backward_propagation(X, Y[:, :3], CACHE), ValueError, "cache must belong to Y"),
    (lambda: backward_propagation(X[:, :3], Y, CACHE), ValueError, "got 3 and 4 columns"),
    (lambda: update_parameters(NET, {}, 0.1), ValueError, "gradients must hold dW1"),
    (lambda: update_parameters(NET, {}, 0), ValueError, "learning_rate must be"),
    (
        lambda: compute_cost_with_regularization(A, Y, NET, -1),
        ValueError,
        "lambd must be a finite number >= 0, got -1",
    ),
    (lambda: compute_cost_with_regularization(A, Y, NET, "1"), TypeError, "lambd must be a number"),
    (
        lambda: compute_cost_with_regularization(A, Y, NET, 1, "l3"),
        ValueError,
        "penalty must be one of 'l2', 'l1', 'l1l2', got 'l3'",
    ),
    (lambda: backward_propagation_with_regularization(X, Y, CACHE, -0.1), ValueError, "lambd"),
    (lambda: backward_propagation_with_regularization(X, Y, CACHE, np.nan), ValueError, "lambd"),
    (lambda: l2_penalty([], 1, 1), ValueError, "weights must not be empty"),
    (lambda: l2_penalty(3, 1, 1), TypeError, "weights must be a list of arrays, got int"),
    (lambda: l2_penalty([NAN], 1, 1), ValueError, "weights[0] must be finite"),
    (lambda: l2_penalty([X], 1, 0), ValueError, "m must be at least 1, got 0"),
    (lambda: l1_penalty([X], -1, 1), ValueError, "lam must be"),
    (lambda: ridge_closed_form(X, np.ones(2), 1), ValueError, "y must have shape (3), got (2,)"),
    (lambda: ridge_closed_form(X, np.ones(3), 0), ValueError, "lam must be above 0"),
    (lambda: map_lambda(1, 0), ValueError, "prior_variance must be"),
    (lambda: soft_threshold([1.0], -1), ValueError, "t must be"),
    (lambda: proximal_step([1.0], [1.0, 2.0], 0.1, 1), ValueError, "grad must have shape (1)"),
    (lambda: elastic_net_penalty([1.0], 1, 1.5), ValueError, "l1_ratio must be in [0, 1], got 1.5"),
    (lambda: dropout_forward(X, 0, RNG), ValueError, "keep_prob must be in (0, 1], got 0"),
    (lambda: dropout_forward(X, 1.5, RNG), ValueError, "keep_prob must be in (0, 1], got 1.5"),
    (lambda: dropout_forward(X, "0.5", RNG), TypeError, "keep_prob must be a number"),
    (lambda: dropout_forward(NAN, 0.5, RNG), ValueError, "a must be finite"),
    (
        lambda: dropout_forward(X, 0.5, 42),
        TypeError,
        "rng must be a numpy.random.Generator such as np.random.default_rng(0), got 42 (int)",
    ),
    (lambda: dropout_backward(X, X[:2], 0.5), ValueError, "mask must have shape (3, 4)"),
    (lambda: forward_propagation_with_dropout(X, NET, 0, RNG), ValueError, "keep_prob"),
    (lambda: backward_propagation_with_dropout(X, Y, CACHE, 0.5), ValueError, "cache must hold 5"),
    (lambda: backward_propagation_with_dropout(X, [["a"] * 4], DROPPED, 0.5), TypeError, "Y must"),
    (lambda: mc_dropout_predict(3, X, 2, RNG), TypeError, "f must be a function"),
    (lambda: mc_dropout_predict(lambda x, rng: x, X, 0, RNG), ValueError, "n must be at least 1"),
    (lambda: is_frozen(dropout_forward, X, 1, RNG), ValueError, "keep_prob must be in (0, 1)"),
    (lambda: textbook.EarlyStopping(0), ValueError, "patience must be at least 1, got 0"),
    (lambda: textbook.EarlyStopping(1, -1), ValueError, "min_delta must be"),
    (lambda: textbook.EarlyStopping(1).update(np.nan), ValueError, "loss must be finite"),
    (lambda: stop_epoch([], 1), ValueError, "losses must not be empty"),
    (
        lambda: gradient_descent_shrinkage([-1.0], 0.1, 1),
        ValueError,
        "eigenvalues must be at least 0",
    ),
    (lambda: gradient_descent_shrinkage([1.0], 0.1, -1), ValueError, "steps must be at least 0"),
    (lambda: shift(np.ones(3), 1, 1), ValueError, "image must have shape (height, width)"),
    (lambda: shift(X, 0.5, 1), TypeError, "dy must be an integer"),
    (
        lambda: random_crop(X, 4, 4, RNG),
        ValueError,
        "height and width must be at most (3, 4), got (4, 4)",
    ),
    (lambda: zoom(X, 0), ValueError, "factor must be"),
    (lambda: rotate(NAN, 1), ValueError, "image must be finite"),
    (lambda: adjust_contrast(X, -1), ValueError, "factor must be"),
    (lambda: label_safe("flip", ([X], len)), TypeError, "transform must be a function"),
    (lambda: label_safe(len, [X]), TypeError, "task must be a pair"),
    (lambda: label_safe(len, ([], len)), ValueError, "task must hold at least one image"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert message in str(raised.value)


# The package


def test_every_public_name_can_be_imported_from_the_package():
    for name in textbook.__all__:
        assert getattr(textbook, name).__doc__
        assert name in dir(textbook)
    with pytest.raises(AttributeError, match="has no attribute 'dropuot'"):
        textbook.dropuot


def test_the_plain_network_loads_no_answers():
    """A sandbox can withhold the topics that hold the answers and still lend the network."""
    script = (
        "import sys; from reglib.textbook import relu, sigmoid, compute_cost, forward_propagation;"
        "print(*sorted(name for name in sys.modules if name.startswith('reglib.textbook')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [
        "reglib.textbook",
        "reglib.textbook._checks",
        "reglib.textbook.network",
    ]
