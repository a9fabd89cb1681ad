r"""Is it overfitting? A gap between two losses, the noise in it, and a split without leakage.

A difference counts once it is large beside its standard error,

.. math:: \sqrt{p (1 - p) / n} \quad\text{for an accuracy } p \text{ on } n \text{ examples},
   \qquad s_d / \sqrt n \quad\text{for paired differences } d_1, \dots, d_n.

References
----------
Dietterich (1998), "Approximate statistical tests for comparing supervised classification learning
algorithms"; Hastie, Tibshirani and Friedman (2009), "The elements of statistical learning", 7.10.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Array, Integer, Number, arguments


@arguments(train_loss=Array(1, dtype=np.float64), val_loss=Array(1, dtype=np.float64))
def generalization_gap(train_loss: NDArray, val_loss: NDArray) -> NDArray:
    r"""Return validation loss minus training loss, epoch by epoch.

    Parameters
    ----------
    train_loss, val_loss : array_like, shape (epochs,)
        The losses of a training, as ``history["loss"]`` and ``history["val_loss"]`` hold them.

    Returns
    -------
    ndarray, shape (epochs,)
        Above 0 where the model does better on the examples that it was trained on.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit, or the two are not of one length.

    Examples
    --------
    >>> generalization_gap([1.0, 0.5], [1.0, 0.75])
    array([0.  , 0.25])
    """
    _check_alike("val_loss", val_loss, "train_loss", train_loss)
    return val_loss - train_loss


@arguments(p=Number("[0, 1]"), n=Integer(">= 1"))
def accuracy_standard_error(p: float, n: int) -> float:
    r"""Return the standard error of an accuracy, :math:`\sqrt{p (1 - p) / n}`.

    Parameters
    ----------
    p : float
        The accuracy, in [0, 1].
    n : int
        How many examples it was measured on, at least 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> accuracy_standard_error(0.9, 100)
    0.03
    """
    return float(np.sqrt(p * (1 - p) / n))


@arguments(a=Array(1, dtype=np.float64), b=Array(1, dtype=np.float64))
def paired_difference(a: NDArray, b: NDArray) -> tuple[float, float]:
    r"""Return the mean of the differences ``a - b`` and its standard error, :math:`s_d / \sqrt n`.

    Entry i of both is a result under the same circumstances, say under the same seed. What these do
    to both results alike is no part of a difference, and so adds nothing to its error.

    Parameters
    ----------
    a, b : array_like, shape (n,)
        At least two results of each.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit, or the two are not of one length.

    Examples
    --------
    >>> paired_difference([0.75, 1.0], [0.5, 0.25])  # differences 0.25 and 0.75
    (0.5, 0.25)
    """
    _check_alike("b", b, "a", a)
    _check_several("a", a)
    d = a - b
    return float(d.mean()), float(d.std(ddof=1) / np.sqrt(len(d)))


@arguments(a=Array(1, dtype=np.float64), b=Array(1, dtype=np.float64))
def unpaired_difference(a: NDArray, b: NDArray) -> tuple[float, float]:
    r"""Return the difference of two means and its standard error, with no regard to any pairs.

    The error is :math:`\sqrt{s_a^2 / n_a + s_b^2 / n_b}`: right where the results in ``a`` have
    nothing to do with those in ``b``.

    Parameters
    ----------
    a : array_like, shape (n_a,)
        At least two results.
    b : array_like, shape (n_b,)
        At least two results of something else.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> mean, error = unpaired_difference([3.0, 5.0], [0.0, 2.0])
    >>> mean, round(error, 6)  # each mean has the variance 2 / 2
    (3.0, 1.414214)
    """
    _check_several("a", a)
    _check_several("b", b)
    error = np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
    return float(a.mean() - b.mean()), float(error)


@arguments(X=Array(2, dtype=np.float64), y=Array(1), n_train=Integer(">= 1"))
def split_and_scale(
    X: NDArray, y: NDArray, n_train: int
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Return training and validation rows that share nothing: no row, no mean, no scale.

    Of equal rows the first stays. The first ``n_train`` of the rows that are left are for training,
    and their mean and standard deviation scale the columns of both parts.

    Parameters
    ----------
    X : array_like, shape (n, features)
        The inputs, in random order.
    y : array_like, shape (n,)
        Their labels.
    n_train : int
        How many different rows are for training.

    Returns
    -------
    X_train, X_val, y_train, y_val : ndarray
        In scikit-learn's order.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit, nothing is left for validation, or a column does not vary among the
        training rows.

    Examples
    --------
    >>> X_train, X_val, *labels = split_and_scale([[1], [3], [1], [6]], [0, 1, 0, 1], 2)
    >>> X_train.ravel(), X_val.ravel(), labels
    (array([-1.,  1.]), array([4.]), [array([0, 1]), array([1])])
    """
    if len(y) != len(X):
        raise ValueError(f"y must have shape ({len(X)},), a label for each row, got {y.shape}")
    _, first = np.unique(X, axis=0, return_index=True)
    kept = np.sort(first)
    if n_train >= len(kept):
        raise ValueError(f"n_train must be below {len(kept)} different rows, got {n_train}")
    train, validation = kept[:n_train], kept[n_train:]
    mean, scale = X[train].mean(axis=0), X[train].std(axis=0)
    if not scale.all():
        raise ValueError("X must vary in each column of the training rows, got a constant one")
    return (X[train] - mean) / scale, (X[validation] - mean) / scale, y[train], y[validation]


def _check_alike(name: str, values: NDArray, other: str, others: NDArray) -> None:
    if len(values) != len(others):
        raise ValueError(
            f"{name} must have the shape of {other}, {others.shape}, got {values.shape}"
        )


def _check_several(name: str, values: NDArray) -> None:
    if len(values) < 2:
        raise ValueError(f"{name} must hold at least 2 results, got {len(values)}")
