"""What chapter 0's functions promise beside what its exercise tests."""

import numpy as np
import pytest

from reglib.textbook import (
    accuracy_standard_error,
    generalization_gap,
    paired_difference,
    split_and_scale,
    unpaired_difference,
)


def test_the_error_of_an_accuracy_is_the_spread_of_many(rng):
    found = rng.binomial(40, 0.8, 100_000) / 40
    assert accuracy_standard_error(0.8, 40) == pytest.approx(found.std(), rel=0.02)


def test_pairs_shrink_the_error_by_what_the_two_share(rng):
    shared, own = rng.standard_normal(50), rng.standard_normal((2, 50))
    a, b = 2 * shared + own
    (mean, paired), (same_mean, unpaired) = paired_difference(a, b), unpaired_difference(a, b)
    covariance = 2 * np.cov(a, b)[0, 1] / 50
    assert mean == pytest.approx(same_mean)
    assert paired**2 == pytest.approx(unpaired**2 - covariance)


def test_training_rows_do_not_depend_on_validation_rows(rng):
    X, y = rng.standard_normal((12, 3)), np.arange(12)
    changed = np.concatenate([X[:7], 100 + rng.standard_normal((5, 3))])
    before, after = split_and_scale(X, y, 7), split_and_scale(changed, y, 7)
    assert np.array_equal(before[0], after[0])
    assert np.array_equal(before[2], after[2])


def test_no_row_is_in_both_parts(rng):
    X = rng.integers(3, size=(60, 3)).astype(float)
    X_train, X_val, y_train, y_val = split_and_scale(X, np.arange(60), 12)
    assert not {*map(tuple, X_train.round(6))} & {*map(tuple, X_val.round(6))}
    assert len(X_train) == len(y_train) == 12
    assert len(X_val) == len(y_val) == len(np.unique(X, axis=0)) - 12


def test_results_that_do_not_go_together_are_refused():
    with pytest.raises(ValueError, match=r"b must have the shape of a, \(2,\), got \(3,\)"):
        paired_difference([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match=r"val_loss must have the shape of train_loss"):
        generalization_gap([1], [1, 2])
    with pytest.raises(ValueError, match="a must hold at least 2 results, got 1"):
        unpaired_difference([1], [1, 2])
    with pytest.raises(ValueError, match="n_train must be below 2 different rows, got 2"):
        split_and_scale([[1], [2], [1]], [0, 1, 0], 2)
