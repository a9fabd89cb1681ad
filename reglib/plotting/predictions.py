"""What a model answers: its regions, and how far its probabilities are right."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Array, Integer, arguments
from reglib._typing import ArrayLike
from reglib._validation import (
    check_array,
)
from reglib.plotting.style import INK, PALETTE, PANEL, TRAIN, axes_or_new, describe, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@arguments(x=Array(shape=(None, 2), dtype=np.float64), resolution=Integer(">= 2"))
def plot_decision_boundary(
    predict: Any,
    x: ArrayLike,
    y: ArrayLike,
    *,
    resolution: int = 200,
    ax: Axes | None = None,
) -> Axes:
    """Draw what a classifier says in every point of the plane, with data on top.

    Parameters
    ----------
    predict : callable or model
        Maps points of shape (n, 2) to the probability of class 1, of shape (n,) or (n, 1), or
        to one score a class, of shape (n, K); or an object with such a method ``predict``.
    x : array_like
        The points to show, shape (n, 2).
    y : array_like
        Their classes, shape (n,) or (n, 1).
    resolution : int
        Points of the grid along each side.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        With an alternative text.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit or the predictions have the wrong shape.

    Examples
    --------
    >>> points = [[-1.0, 0.0], [1.0, 0.0], [2.0, 0.0]]
    >>> ax = plot_decision_boundary(lambda p: p[:, 0] > 0, points, [0, 1, 0])
    >>> "2 of 3 points (66.7 %) lie on their side" in alt_text(ax)
    True
    """
    y = _labels("y", y, len(x))
    predict = _predictor(predict)
    ax = axes_or_new(ax)
    low, high = x.min(axis=0), x.max(axis=0)
    margin = 0.1 * np.maximum(high - low, 1e-9)
    first, second = (
        np.linspace(a, b, resolution) for a, b in zip(low - margin, high + margin, strict=True)
    )
    points = np.stack(np.meshgrid(first, second), axis=-1).reshape(-1, 2)
    scores = _class_scores(predict(points), len(points))
    classes = max(scores.shape[1], int(y.max()) + 1)
    winner = scores.argmax(axis=1).reshape(resolution, resolution)
    for k in range(classes):
        ax.contourf(
            first,
            second,
            (winner == k).astype(float),
            levels=[0.5, 1.5],
            colors=[PALETTE[k % len(PALETTE)]],
            alpha=0.18,
        )
    if scores.shape[1] == 2:
        gap = (scores[:, 1] - scores[:, 0]).reshape(resolution, resolution)
        if gap.min() < 0 < gap.max():
            ax.contour(first, second, gap, levels=[0], colors=[INK], linewidths=1.5)
    for k in np.unique(y):
        here = x[y == k]
        ax.scatter(
            here[:, 0],
            here[:, 1],
            color=PALETTE[k % len(PALETTE)],
            marker="osD^vP"[k % 6],
            edgecolor=PANEL,
            linewidth=0.6,
            label=f"class {k}",
        )
    right = int((_class_scores(predict(x), len(x)).argmax(axis=1) == y).sum())
    shares = ", ".join(f"class {k} {_percent(np.mean(winner == k))}" for k in range(classes))
    ax.set(xlabel="$x_1$", ylabel="$x_2$")
    ax.grid(False)
    ax.legend()
    return describe(
        ax,
        f"Plane divided by a classifier, with {len(x)} points of {len(np.unique(y))} classes. "
        f"{right} of {len(x)} points ({100 * right / len(x):.1f} %) lie on their side of the "
        f"boundary. Of the area shown, the classifier gives {shares}.",
    )


@arguments(probabilities=Array(dtype=np.float64), bins=Integer(">= 1"))
def plot_calibration(
    probabilities: ArrayLike, labels: ArrayLike, *, bins: int = 10, ax: Axes | None = None
) -> Axes:
    r"""Draw how often a model is right against how sure it says it is.

    The expected calibration error is :math:`\sum_b \frac{n_b}{n} |\mathrm{acc}_b -
    \mathrm{conf}_b|` over bins :math:`b` of equal width.

    Parameters
    ----------
    probabilities : array_like
        Probability of class 1, shape (n,) or (n, 1), or of each class, shape (n, K); of the
        latter the largest counts, and whether that class is right.
    labels : array_like of int
        The classes, shape (n,) or (n, 1).
    bins : int
        Number of bins.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        With an alternative text.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    References
    ----------
    Guo et al. (2017), "On calibration of modern neural networks".

    Examples
    --------
    >>> ax = plot_calibration([0.9, 0.9, 0.1, 0.1], [1, 0, 0, 0])
    >>> alt_text(ax)[-39:]
    'The expected calibration error is 0.25.'
    """
    p = probabilities
    if p.ndim not in (1, 2):
        raise ValueError(f"probabilities must have shape (n,) or (n, K), got {p.shape}")
    if (p < 0).any() or (p > 1).any():
        raise ValueError(
            f"probabilities must be in [0, 1], got {short(p.min())} to {short(p.max())}"
        )
    labels = _labels("labels", labels, len(p))
    if p.ndim == 2 and p.shape[1] > 1:
        confidence, right = p.max(axis=1), p.argmax(axis=1) == labels
        xlabel, ylabel = "confidence", "share that is right"
    else:
        if labels.max() > 1:
            raise ValueError(f"labels must be 0 or 1, got {labels.max()}")
        confidence, right = p.reshape(-1), labels == 1
        xlabel, ylabel = "predicted probability of class 1", "share of class 1"
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    filled = np.unique(which)
    said = np.array([confidence[which == b].mean() for b in filled])
    seen = np.array([right[which == b].mean() for b in filled])
    count = np.array([(which == b).sum() for b in filled])
    error = float(np.sum(count * np.abs(said - seen)) / len(p))
    ax = axes_or_new(ax)
    ax.plot([0, 1], [0, 1], color=PALETTE[3], linestyle=":", label="perfect calibration")
    ax.plot(said, seen, color=TRAIN, linestyle="-", linewidth=1.2)
    ax.scatter(said, seen, s=20 + 180 * count / count.max(), color=TRAIN, label="bin, by size")
    ax.set(xlabel=xlabel, ylabel=ylabel, xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    ax.legend(loc="upper left")
    lean = float(np.sum(count * (said - seen)) / len(p))
    tendency = "above" if lean > 0 else "below"
    return describe(
        ax,
        f"Calibration of {len(p)} predictions in {len(filled)} bins. On average the prediction "
        f"lies {short(abs(lean))} {tendency} what happens. The expected calibration error is "
        f"{short(error)}.",
    )


def _predictor(predict: Any) -> Callable[[NDArray], Any]:
    method = getattr(predict, "predict", predict)
    if not callable(method):
        raise TypeError(f"predict must be callable or have a method predict, got {predict!r}")
    if method is predict or not hasattr(predict, "get_config"):
        return method
    return lambda points: method(points, verbose=0)


def _class_scores(predictions: Any, n: int) -> NDArray:
    """Return predictions as one score a class, shape (n, K) with K of at least 2."""
    scores = np.asarray(predictions, dtype=np.float64)
    if scores.shape in ((n,), (n, 1)):
        p = scores.reshape(n, 1)
        return np.hstack([1 - p, p])
    if scores.ndim != 2 or len(scores) != n:
        raise ValueError(
            f"predict must return shape ({n},), ({n}, 1) or ({n}, K), got {scores.shape}"
        )
    return scores


def _labels(name: str, labels: ArrayLike, n: int) -> NDArray:
    array = check_array(name, labels)
    if array.shape not in ((n,), (n, 1)):
        raise ValueError(f"{name} must have shape ({n},) or ({n}, 1), got {array.shape}")
    whole = array.reshape(-1).astype(int)
    if (whole != array.reshape(-1)).any() or (whole < 0).any():
        raise ValueError(f"{name} must hold class numbers 0, 1, 2, ...")
    return whole


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
