"""The dropout family of the textbook: moments, who shares a coin, evaluation, bad input."""

import re

import numpy as np
import pytest

from reglib.layers import DropBlock
from reglib.textbook import (
    drop_path,
    dropblock_gamma,
    dropconnect_forward,
    gaussian_dropout,
    spatial_dropout,
)

MAPS = np.ones((400, 2, 3, 50))
#: Each function with its inputs of ones: what it returns in training, without bias or shortcut.
FAMILY = {
    "gaussian": lambda *more: gaussian_dropout(MAPS, *more),
    "spatial": lambda *more: spatial_dropout(MAPS, *more),
    "dropconnect": lambda *more: dropconnect_forward(
        np.eye(150), np.ones((150, 200)), np.zeros(200), *more
    ),
    "drop_path": lambda *more: drop_path(np.zeros((20_000, 2)), np.ones((20_000, 2)), *more),
}
each = pytest.mark.parametrize("forward", FAMILY.values(), ids=FAMILY)


@each
@pytest.mark.parametrize("keep_prob", [0.3, 0.5, 0.9])
def test_each_has_mean_1_and_the_variance_of_dropout(forward, rng, keep_prob):
    out, _ = forward(keep_prob, rng, True)
    variance = (1 - keep_prob) / keep_prob
    assert out.mean() == pytest.approx(1, abs=0.07)
    assert out.var() == pytest.approx(variance, rel=0.07)


@each
def test_evaluation_changes_nothing(forward, rng):
    out, noise = forward(0.5, rng, False)
    whole, _ = forward(1.0, rng, True)
    np.testing.assert_array_equal(out, whole)
    assert np.all(noise == 1)


@each
def test_each_follows_its_generator_alone(forward, rng):
    first, again = (forward(0.5, np.random.default_rng(1), True)[1] for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(forward(0.5, rng, True)[1], forward(0.5, rng, True)[1])


def test_a_map_is_kept_or_dropped_as_a_whole_in_each_image_by_itself(rng):
    out, mask = spatial_dropout(MAPS, 0.5, rng)
    np.testing.assert_array_equal(out, np.broadcast_to(out[:, :1, :1], out.shape))
    assert mask.shape == (400, 1, 1, 50)
    assert np.ptp(mask.sum(axis=0)) > 0
    assert np.ptp(mask.sum(axis=3)) > 0


def test_biases_are_never_dropped(rng):
    z, _ = dropconnect_forward(np.zeros((3, 4)), np.ones((4, 5)), np.arange(5.0), 0.3, rng)
    np.testing.assert_array_equal(z, np.tile(np.arange(5.0), (3, 1)))


def test_the_shortcut_is_always_there(rng):
    x = rng.standard_normal((50, 2, 3))
    out, mask = drop_path(x, np.ones_like(x), 0.4, rng)
    np.testing.assert_allclose(out - x, np.broadcast_to(mask / 0.4, x.shape), atol=1e-12)
    assert mask.shape == (50, 1, 1)


@pytest.mark.parametrize(("size", "height", "width"), [(1, 6, 9), (2, 5, 11), (3, 12, 7)])
def test_patches_of_that_rate_drop_about_the_share_that_is_asked_for(rng, size, height, width):
    gamma = dropblock_gamma(0.95, size, height, width)
    begins = rng.random((4000, height - size + 1, width - size + 1)) < gamma
    kept = np.ones((4000, height, width), dtype=bool)
    for i in range(size):
        for j in range(size):
            kept[:, i : i + begins.shape[1], j : j + begins.shape[2]] &= ~begins
    assert kept.mean() == pytest.approx(0.95, abs=0.006)


def test_the_layer_begins_patches_as_often(rng):
    out = DropBlock(0.05, block_size=3, seed=0)(np.ones((4000, 8, 6, 1)), training=True)
    # Where a patch's first corner is dropped alone in its row and column, it begins there.
    corner = float(np.mean(out[:, 0, 0, 0] == 0))
    assert corner == pytest.approx(dropblock_gamma(0.95, 3, 8, 6), abs=0.004)


RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: gaussian_dropout([1.0], 0, RNG), "keep_prob must be in (0, 1], got 0"),
        (lambda: spatial_dropout(np.ones((2, 3)), 0.5, RNG), "a must have"),
        (
            lambda: dropconnect_forward(np.ones((2, 3)), np.ones((4, 5)), np.ones(5), 0.5, RNG),
            "W must have shape (3, 5), got (4, 5)",
        ),
        (
            lambda: dropconnect_forward(np.ones((2, 3)), np.ones((3, 5)), np.ones(4), 0.5, RNG),
            "b must have shape (5), got (4,)",
        ),
        (
            lambda: drop_path(np.ones((2, 3)), np.ones((3, 3)), 0.5, RNG),
            "branch must have shape (2, 3), got (3, 3)",
        ),
        (lambda: dropblock_gamma(0.5, 4, 3, 5), "got 4 for 3 by 5"),
    ],
)
def test_bad_input_is_refused_with_the_arguments_name(call, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        call()
