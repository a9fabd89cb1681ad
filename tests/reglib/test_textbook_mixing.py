"""The textbook's mixing and soft targets: what is drawn, what is kept, gradients, bad labels."""

import numpy as np
import pytest

from reglib.activations import log_softmax
from reglib.losses import CategoricalCrossentropy
from reglib.textbook import (
    cutmix,
    cutout,
    expected_calibration_error,
    fit_temperature,
    mixup,
    smooth_labels,
    smoothed_crossentropy_gradient,
)


@pytest.fixture
def images(rng):
    return rng.uniform(0.1, 1, (6, 5, 7, 3))


@pytest.fixture
def logits(rng):
    return rng.normal(0, 3, (8, 4))


def targets(rng, n, K):
    return np.eye(K)[rng.integers(K, size=n)]


@pytest.mark.parametrize("size", [1, 2, 3, 20])
def test_cutout_hides_a_square_that_the_border_cuts_off(rng, images, size):
    out = cutout(images, size, rng)
    hidden = (out == 0).all(axis=3)
    assert (out[~hidden] == images[~hidden]).all()
    rows, columns = hidden.any(axis=2).sum(axis=1), hidden.any(axis=1).sum(axis=1)
    assert (hidden.sum(axis=(1, 2)) == rows * columns).all()
    for sides, length in ((rows, 5), (columns, 7)):
        assert sides.min() >= min(size // 2, length)
        assert sides.max() <= min(size, length)


def test_mixup_gives_targets_the_weights_of_their_examples(rng):
    ones = np.eye(9)
    x, y = mixup(ones, ones, 0.7, rng)
    assert (x == y).all()
    assert np.allclose([x.sum(axis=0), x.sum(axis=1)], 1)


def test_cutmix_gives_the_partner_its_share_of_the_pixels(rng, images):
    y = np.eye(6)
    for _ in range(20):
        mixed, mixed_targets = cutmix(images, y, 1.0, rng)
        share = (mixed != images).all(axis=3).mean(axis=(1, 2))
        own = mixed_targets.diagonal()
        assert np.allclose(own[own < 1], 1 - share[own < 1])
        assert np.allclose(mixed_targets.sum(axis=1), 1)


@pytest.mark.parametrize("function", [mixup, cutmix])
def test_one_seed_gives_one_batch(images, function):
    y = np.eye(6)
    one, other = (function(images, y, 0.5, np.random.default_rng(3)) for _ in range(2))
    assert all((a == b).all() for a, b in zip(one, other, strict=True))


def test_smoothed_labels_are_those_of_the_loss(rng, logits):
    y = targets(rng, 8, 4)
    smoothed = smooth_labels(y, 0.3)
    loss = CategoricalCrossentropy(from_logits=True, label_smoothing=0.3)
    by_hand = -(smoothed * log_softmax.value(logits)).sum(axis=1).mean()
    assert loss(y, logits) == pytest.approx(by_hand)


def test_the_smoothed_gradient_is_that_of_finite_differences(rng, logits):
    y, eps, h = targets(rng, 8, 4), 0.2, 1e-5
    loss = CategoricalCrossentropy(from_logits=True, label_smoothing=eps)
    numerical = np.zeros_like(logits)
    for at in np.ndindex(logits.shape):
        step = np.zeros_like(logits)
        step[at] = h
        numerical[at] = (loss(y, logits + step) - loss(y, logits - step)) / (2 * h)
    assert np.allclose(smoothed_crossentropy_gradient(logits, y, eps), numerical, atol=1e-8)


def test_a_calibrated_bin_adds_nothing_and_others_add_their_share():
    p = np.array([[0.75, 0.25]] * 4 + [[0.9, 0.1]] * 4)
    labels = [0, 0, 0, 1] + [1] * 4
    assert expected_calibration_error(p, labels) == pytest.approx(0.45)


def test_the_temperature_is_where_the_loss_is_least(rng, logits):
    labels = rng.integers(4, size=8)
    T = fit_temperature(logits, labels)

    def loss(T):
        return -log_softmax.value(logits / T)[np.arange(8), labels].mean()

    assert loss(T) <= min(loss(0.99 * T), loss(1.01 * T))


@pytest.mark.parametrize("labels", [[0, 4], [-1, 0], [0.0, 1.0]])
@pytest.mark.parametrize("function", [expected_calibration_error, fit_temperature])
def test_labels_must_be_classes(function, labels):
    with pytest.raises(ValueError, match="labels must be whole numbers from 0 to 1"):
        function(np.full((2, 2), 0.5), labels)
