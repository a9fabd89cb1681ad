r"""How sure a classifier is: soft targets, what calibration is, and one number that mends it.

With :math:`p = \mathrm{softmax}(z)` and targets :math:`q`, the gradient of the cross-entropy by
the logits is :math:`(p - q) / n`. It vanishes where the network says :math:`q`: whoever smooths
targets asks for a network that is less sure.

References
----------
Szegedy et al. (2016), "Rethinking the Inception architecture for computer vision";
Guo et al. (2017), "On calibration of modern neural networks".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Array, Integer, Number, arguments
from reglib._typing import ArrayLike
from reglib._validation import check_array
from reglib.activations import softmax
from reglib.textbook._batches import TARGETS
from reglib.textbook._checks import PROBABILITIES

LOGITS = Array(shape=(None, None), dtype=np.float64)
LABELS = Array(1)


def _classes(labels: NDArray, scores: NDArray) -> NDArray:
    """Return one whole number for each row of scores, each the number of a column."""
    labels = check_array("labels", labels, shape=(len(scores),))
    least, most = labels.min(), labels.max()
    if labels.dtype.kind not in "iu" or least < 0 or most >= scores.shape[1]:
        classes = f"whole numbers from 0 to {scores.shape[1] - 1}"
        raise ValueError(f"labels must be {classes}, got values from {least:g} to {most:g}")
    return labels


@arguments(y=TARGETS, eps=Number("[0, 1]"))
def smooth_labels(y: ArrayLike, eps: float) -> NDArray:
    r"""Return :math:`(1 - \varepsilon)\, y + \varepsilon / K`, which sums to 1 as ``y`` does.

    Parameters
    ----------
    y : array_like, shape (n, K)
        Targets, one-hot or soft.
    eps : float
        The share that is spread over all K classes, in [0, 1].

    Returns
    -------
    ndarray, shape (n, K)

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    References
    ----------
    Szegedy et al. (2016), section 7.

    Examples
    --------
    >>> smooth_labels([[0.0, 1.0]], 0.2)
    array([[0.1, 0.9]])
    """
    return (1 - eps) * y + eps / y.shape[1]


@arguments(logits=LOGITS, y=TARGETS, eps=Number("[0, 1]"))
def smoothed_crossentropy_gradient(logits: ArrayLike, y: ArrayLike, eps: float) -> NDArray:
    r"""Return :math:`\left(\mathrm{softmax}(z) - q\right) / n` with the smoothed targets q.

    It is the gradient by the logits of
    :math:`-\frac1n\sum_i\sum_k q_{ik} \log \mathrm{softmax}(z_i)_k`.

    Parameters
    ----------
    logits : array_like, shape (n, K)
        The last layer's output before softmax.
    y : array_like, shape (n, K)
        Targets that sum to 1.
    eps : float
        As for :func:`smooth_labels`.

    Returns
    -------
    ndarray, shape (n, K)

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    References
    ----------
    Szegedy et al. (2016), section 7.

    Examples
    --------
    >>> smoothed_crossentropy_gradient([[0.0, 0.0]], [[0.0, 1.0]], 0.2)
    array([[ 0.4, -0.4]])
    """
    y = check_array("y", y, shape=logits.shape)
    return (softmax.value(logits) - smooth_labels(y, eps)) / len(y)


@arguments(probabilities=PROBABILITIES, labels=LABELS, bins=Integer(">= 1"))
def expected_calibration_error(
    probabilities: ArrayLike, labels: ArrayLike, bins: int = 10
) -> float:
    r"""Return :math:`\sum_b \frac{n_b}{n}\,|\mathrm{acc}_b - \mathrm{conf}_b|`.

    An example's confidence is its largest probability. Bin :math:`b = 0, 1, \dots` holds the
    examples with :math:`\lfloor \text{bins} \cdot \text{confidence} \rfloor = b`; the last one
    holds confidence 1 as well.

    Parameters
    ----------
    probabilities : array_like, shape (n, K)
        Each class's probability.
    labels : array_like of int, shape (n,)
        The true classes.
    bins : int
        Number of bins of equal width.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    References
    ----------
    Guo et al. (2017), section 2.

    Examples
    --------
    >>> expected_calibration_error([[0.75, 0.25], [0.25, 0.75]], [0, 0], bins=5)
    0.25
    """
    labels = _classes(labels, probabilities)
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(which, weights=right - confidence)
    return float(np.abs(gaps).sum() / len(labels))


@arguments(logits=LOGITS, labels=LABELS)
def fit_temperature(logits: ArrayLike, labels: ArrayLike) -> float:
    r"""Return the T that makes :math:`\mathrm{softmax}(z / T)` most likely, in [0.01, 100].

    In :math:`\beta = 1/T` the negative log-likelihood is convex, with the derivative
    :math:`\frac1n\sum_i \left(\sum_k p_{ik} z_{ik} - z_{i y_i}\right)`, whose zero is found by
    halving.

    Parameters
    ----------
    logits : array_like, shape (n, K)
        Of examples that the network was not trained on.
    labels : array_like of int, shape (n,)
        The true classes.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    References
    ----------
    Guo et al. (2017), section 4.2.

    Examples
    --------
    >>> z = np.log([[3.0, 1.0]] * 4)
    >>> round(fit_temperature(z, [0, 0, 0, 1]), 3), round(fit_temperature(2 * z, [0, 0, 0, 1]), 3)
    (1.0, 2.0)
    """
    labels = _classes(labels, logits)
    said = np.take_along_axis(logits, labels[:, None], axis=1)[:, 0].mean()
    low, high = np.log(0.01), np.log(100.0)
    for _ in range(50):
        middle = (low + high) / 2
        p = softmax.value(logits * np.exp(middle))
        # A positive derivative: the network is too sure, so the best beta is smaller.
        low, high = (low, middle) if (p * logits).sum(axis=1).mean() > said else (middle, high)
    return float(np.exp(-(low + high) / 2))
