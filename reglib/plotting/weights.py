"""What a penalty does to weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Array, Choice, Integer, List, Text, arguments
from reglib._typing import ArrayLike
from reglib._validation import (
    check_array,
)
from reglib.plotting.predictions import _percent
from reglib.plotting.style import (
    INK,
    PALETTE,
    PANEL,
    TRAIN,
    VALIDATION,
    axes_or_new,
    describe,
    short,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@arguments(bins=Integer(">= 1"))
def plot_weight_histograms(
    weights: Mapping[str, ArrayLike | Sequence[ArrayLike]],
    *,
    bins: int = 40,
    ax: Axes | None = None,
) -> Axes:
    """Draw the distribution of the weights of some models, as outlines over common bins.

    Parameters
    ----------
    weights : mapping
        Names to an array, or to a list of arrays of any shapes, which are pooled.
    bins : int
        Number of bins.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        With an alternative text that gives each spread and the share of exact zeros.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> ax = plot_weight_histograms({"plain": [1.0, -1.0], "L1": [0.0, 0.5]})
    >>> alt_text(ax)[-47:]
    'L1: standard deviation 0.25, 50 % exactly zero.'
    """
    if not isinstance(weights, Mapping):
        raise TypeError(f"weights must be a mapping of names to arrays, got {type(weights)}")
    if not weights:
        raise ValueError("weights must not be empty")
    pooled = {str(name): _pooled(f"weights[{name!r}]", value) for name, value in weights.items()}
    ax = axes_or_new(ax)
    edges = np.histogram_bin_edges(np.concatenate(list(pooled.values())), bins)
    parts = []
    for i, (name, values) in enumerate(pooled.items()):
        counts, _ = np.histogram(values, edges)
        ax.stairs(
            counts / len(values),
            edges,
            color=PALETTE[i % len(PALETTE)],
            linestyle=("-", "--", "-.", ":")[i % 4],
            linewidth=2,
            label=name,
        )
        parts.append(
            f"{name}: standard deviation {short(values.std())}, "
            f"{_percent(np.mean(values == 0))} exactly zero"
        )
    ax.set(xlabel="weight", ylabel="share of weights")
    ax.legend()
    return describe(ax, "Histogram of weights. " + "; ".join(parts) + ".")


@arguments(strengths=Array(1, dtype=np.float64), names=List("names", Text()))
def plot_regularization_path(
    strengths: ArrayLike,
    coefficients: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw each coefficient against the strength of the penalty, on a logarithmic axis.

    Parameters
    ----------
    strengths : array_like
        Strengths above 0, in rising order, shape (k,).
    coefficients : array_like
        One row a strength, shape (k, d).
    names : sequence of str, optional
        What the coefficients belong to. Those whose name starts with ``noise`` are drawn thin
        and gray; without names all are drawn alike.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        With an alternative text that counts the exact zeros.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit or lengths differ.

    Examples
    --------
    >>> ax = plot_regularization_path([0.1, 1.0], [[2.0, 1.0], [1.0, 0.0]])
    >>> alt_text(ax)[-71:]
    '0 of them are exactly zero at strength 0.1 and 1 of them at strength 1.'
    """
    coefficients = check_array(
        "coefficients", coefficients, shape=(len(strengths), None), dtype=np.float64
    )
    if (strengths <= 0).any() or (np.diff(strengths) <= 0).any():
        raise ValueError(f"strengths must be positive and rising, got {strengths.tolist()}")
    count = coefficients.shape[1]
    if names is not None and len(names) != count:
        raise ValueError(f"names must be {count} names, got {len(names)}")
    ax = axes_or_new(ax)
    noise = np.array([str(name).startswith("noise") for name in names or [""] * count])
    groups = [("noise columns", noise, PALETTE[3], 0.8), ("coefficients", ~noise, PALETTE[0], 1.4)]
    for label, member, color, width in groups:
        lines = ax.plot(strengths, coefficients[:, member], color=color, lw=width, ls="-")
        if lines and noise.any():
            lines[0].set_label(label if label != "coefficients" else "real columns")
    if noise.any():
        ax.legend()
    ax.set(xscale="log", xlabel="strength of the penalty", ylabel="coefficient")
    zeros = (coefficients == 0).sum(axis=1)
    return describe(
        ax,
        f"Paths of {count} coefficients. Their largest size goes from "
        f"{short(np.abs(coefficients[0]).max())} to {short(np.abs(coefficients[-1]).max())}; "
        f"{zeros[0]} of them are exactly zero at strength {short(strengths[0])} and {zeros[-1]} of "
        f"them at strength {short(strengths[-1])}.",
    )


@arguments(
    curvature=Array(shape=(2, 2), dtype=np.float64),
    best=Array(shape=(2,), dtype=np.float64),
    strengths=Array(1, dtype=np.float64),
    penalty=Choice("l2", "l1"),
)
def plot_penalty_path(
    curvature: ArrayLike,
    best: ArrayLike,
    strengths: ArrayLike,
    penalty: str = "l2",
    *,
    ax: Axes | None = None,
) -> Axes:
    r"""Draw how the minimum of a cost with two weights moves as its penalty grows.

    The cost is :math:`\tfrac12 (w - w^*)^T H (w - w^*)`, the penalty
    :math:`\tfrac\lambda2\lVert w\rVert_2^2` or :math:`\lambda\lVert w\rVert_1`.

    Parameters
    ----------
    curvature : array_like
        The matrix H, symmetric and positive definite, shape (2, 2).
    best : array_like
        The weights :math:`w^*` of lowest cost, shape (2,).
    strengths : array_like
        The values of :math:`\lambda`, in rising order; the minimum of each is a dot.
    penalty : {"l2", "l1"}
        Which penalty; its contour through the middle dot is drawn too.
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

    Examples
    --------
    >>> ax = plot_penalty_path([[10.0, 0.0], [0.0, 0.1]], [1.0, 1.0], [1.0])
    >>> alt_text(ax)[-36:]
    'At strength 1 it is (0.909, 0.0909).'
    """
    H = curvature
    if (strengths < 0).any() or (np.diff(strengths) <= 0).any():
        raise ValueError(f"strengths must be at least 0 and rising, got {strengths.tolist()}")
    if not np.allclose(H, H.T) or np.linalg.eigvalsh(H)[0] <= 0:
        raise ValueError(f"curvature must be symmetric and positive definite, got {H.tolist()}")
    top = 100 * np.trace(H) + np.abs(H @ best).max()
    fine = np.concatenate([[0], np.geomspace(1e-4, 1, 400) * top])
    path = np.array([_penalized_minimum(H, best, lam, penalty) for lam in fine])
    dots = np.array([_penalized_minimum(H, best, lam, penalty) for lam in strengths])
    ax = axes_or_new(ax)
    reach = max(np.abs(best).max(), 1e-9)
    low, high = np.minimum(best, 0) - 0.5 * reach, np.maximum(best, 0) + 0.6 * reach
    w1, w2 = np.meshgrid(*(np.linspace(low[j], high[j], 200) for j in range(2)))
    away = np.stack([w1 - best[0], w2 - best[1]])
    cost = 0.5 * np.einsum("iab,ij,jab->ab", away, H, away)
    levels = cost.max() * np.array([0.002, 0.01, 0.03, 0.08, 0.18, 0.35, 0.6])
    ax.contour(w1, w2, cost, levels=levels, colors=PALETTE[3], linewidths=0.9, linestyles="-")
    middle = dots[len(dots) // 2]
    size = np.abs(w1) + np.abs(w2) if penalty == "l1" else np.hypot(w1, w2)
    through = np.abs(middle).sum() if penalty == "l1" else np.hypot(*middle)
    if through > 0:
        ax.contour(
            w1, w2, size, levels=[through], colors=VALIDATION, linewidths=1.8, linestyles="--"
        )
    ax.plot(*path.T, color=TRAIN, linestyle="-", linewidth=2.5)
    ax.plot(*dots.T, "o", color=TRAIN, markeredgecolor=PANEL, markersize=8)
    for lam, dot in zip(strengths, dots, strict=True):
        text = f"λ = {lam:g}" if lam == strengths[0] else f"{lam:g}"
        label = ax.annotate(text, dot, (5, -15), textcoords="offset points", color=TRAIN)
        label.set_bbox({"facecolor": PANEL, "edgecolor": "none", "pad": 0.5, "alpha": 0.8})
    ax.plot(*best, "X", color=INK, markersize=10)
    ax.axhline(0, color=INK, linewidth=0.8, linestyle="-")
    ax.axvline(0, color=INK, linewidth=0.8, linestyle="-")
    ax.grid(False)
    ax.set(xlabel="first weight", ylabel="second weight", aspect="equal")
    places = "; ".join(
        f"at strength {short(lam)} it is ({short(dot[0])}, {short(dot[1])})"
        for lam, dot in zip(strengths, dots, strict=True)
    )
    return describe(
        ax,
        f"Contours of a cost with its minimum at ({short(best[0])}, {short(best[1])}), which is "
        f"pulled to the origin by the {penalty} penalty. {places[:1].upper()}{places[1:]}.",
    )


def _penalized_minimum(H: NDArray, best: NDArray, strength: float, penalty: str) -> NDArray:
    """Return the exact minimum for L2; for L1 by descent along one weight after the other."""
    if penalty == "l2":
        return np.linalg.solve(H + strength * np.eye(2), H @ best)
    w, target = best.copy(), H @ best
    for _ in range(200):
        for j in range(2):
            z = target[j] - H[j, 1 - j] * w[1 - j]
            w[j] = np.sign(z) * max(abs(z) - strength, 0) / H[j, j]
    return w


def _pooled(name: str, value: Any) -> NDArray:
    arrays = value if isinstance(value, (list, tuple)) and value else [value]
    return np.concatenate(
        [check_array(name, array, dtype=np.float64).reshape(-1) for array in arrays]
    )
