"""Checks along a direction, frozen noise, and the backward passes of five layers."""

import numpy as np
import pytest

from reglib.gradcheck import numerical_gradient, relative_error
from reglib.textbook import directional_check, frozen, layer_backward

ACTIVATIONS = {
    "identity": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "softplus": lambda z: np.log1p(np.exp(z)),
}


@pytest.mark.parametrize("seed", range(20))
def test_a_direction_tells_a_right_gradient_from_one_with_a_wrong_entry(seed):
    rng = np.random.default_rng(seed)
    w = rng.standard_normal((30, 20))
    right, wrong = np.cos(w), np.cos(w)
    wrong[4, 7] += 0.1
    errors = [
        directional_check(lambda v: np.sin(v).sum(), grad, w, 1e-5, rng) for grad in (right, wrong)
    ]
    assert errors[0] < 1e-7 < 1e-6 < errors[1]


def test_the_direction_comes_from_the_generator():
    w = np.arange(1.0, 5.0)
    first, again, other = (
        directional_check(lambda v: (v**2).sum(), w, w + 1, 1e-3, np.random.default_rng(seed))
        for seed in (0, 0, 1)
    )
    assert first == again != other


def test_frozen_noise_is_that_of_the_seed_at_every_call():
    f = frozen(lambda w, rng: w + rng.random(), seed=3)
    noise = np.random.default_rng(3).random()
    assert [f(1.0), f(1.0), f(2.0)] == [1 + noise, 1 + noise, 2 + noise]


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_layers_hand_back_what_central_differences_say(kind, rng):
    d, x, W = (rng.standard_normal(shape) for shape in ((6, 4), (6, 3), (3, 4)))
    measured = numerical_gradient(lambda W: np.sum(d * ACTIVATIONS[kind](x @ W)), W)
    assert relative_error(layer_backward(kind, d, x, W), measured) < 1e-7
