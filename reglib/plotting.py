"""Figures of the course, in one style, each with a text that says what it shows.

Every function draws on ``ax`` (or on a new figure), returns the axes, and attaches an alternative
text made from the data drawn, which :func:`alt_text` returns. :func:`set_style` sets colors that
the color-blind can tell apart and a light panel that reads on light and on dark pages. Training is
always a solid blue line and validation a dashed orange one, so that color never stands alone.

matplotlib is imported when something is drawn, not before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from reglib import experiments
from reglib._arguments import Array, Choice, Integer, List, Text, arguments
from reglib._typing import ArrayLike
from reglib._validation import (
    check_array,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: The colors of the house, told apart with every kind of color blindness.
PALETTE = ("#0072B2", "#D55E00", "#7A1F6B", "#6B6B6B", "#222222", "#8C1C13")
TRAIN, VALIDATION, TEST = PALETTE[:3]
#: The panel behind each figure: light, so that dark ink reads on a page of any color.
PANEL, INK, GRID = "#F7F6F2", "#222222", "#D9D7D0"

_texts: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def set_style() -> None:
    """Set matplotlib's defaults to the house style, for all figures from now on.

    seaborn follows these defaults too, unless its own ``set_theme`` is called.

    Examples
    --------
    >>> set_style()
    >>> import matplotlib
    >>> matplotlib.rcParams["figure.facecolor"] == PANEL
    True
    """
    import matplotlib

    lines = ["-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1))]
    matplotlib.rcParams.update(
        {
            "axes.prop_cycle": matplotlib.cycler(color=PALETTE)
            + matplotlib.cycler(linestyle=lines),
            "axes.edgecolor": INK,
            "axes.facecolor": PANEL,
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.labelcolor": INK,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlelocation": "left",
            "axes.titleweight": "bold",
            "figure.constrained_layout.use": True,
            "figure.dpi": 110,
            "figure.facecolor": PANEL,
            "figure.figsize": (6.4, 4.0),
            "font.family": "sans-serif",
            "font.sans-serif": ["DejaVu Sans"],  # ships with matplotlib: the same everywhere
            "font.size": 10.5,
            "grid.color": GRID,
            "grid.linewidth": 0.8,
            "image.cmap": "cividis",
            "legend.frameon": False,
            "lines.linewidth": 2.0,
            "savefig.dpi": 110,
            "savefig.facecolor": PANEL,
            "svg.hashsalt": "reglib",
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
        }
    )


def alt_text(drawing: Axes | Figure) -> str:
    """Return the alternative text of axes drawn here, or of all such axes of a figure.

    Parameters
    ----------
    drawing : Axes or Figure
        What one of this module's functions returned, or its figure.

    Raises
    ------
    ValueError
        If nothing of this module was drawn there.

    Examples
    --------
    >>> ax = plot_history({"loss": [1.0, 0.5], "val_loss": [1.1, 0.9]})
    >>> alt_text(ax)[:51]
    'Line plot of loss over 2 epochs. Training falls fro'
    """
    if not hasattr(drawing, "figure"):
        raise TypeError(f"drawing must be axes or a figure, got {drawing!r}")
    axes = drawing.axes if hasattr(drawing, "add_subplot") else [drawing]
    found = [_texts[ax] for ax in axes if ax in _texts]
    if not found:
        raise ValueError(f"drawing must come from reglib.plotting, got {drawing!r}")
    return " ".join(found)


def describe(ax: Axes, text: str) -> Axes:
    """Attach an alternative text to axes, in place of the one they have, and return them.

    Parameters
    ----------
    ax : Axes
        Any axes, of this module or your own.
    text : str
        What a reader who does not see the figure needs to know.

    Raises
    ------
    TypeError, ValueError
        If ``text`` is no text or is empty.

    Examples
    --------
    >>> import matplotlib.figure
    >>> ax = matplotlib.figure.Figure().add_subplot()
    >>> alt_text(describe(ax, "A straight line."))
    'A straight line.'
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be a str, got {type(text).__name__}")
    if not text.strip():
        raise ValueError("text must not be empty")
    if ax is None:
        raise TypeError("ax must be matplotlib axes, got None")
    _texts[_axes(ax)] = text
    return ax


def plot_history(history: Any, metric: str = "loss", *, ax: Axes | None = None) -> Axes:
    """Draw a metric by epoch, for training and validation, and mark the best validation epoch.

    Parameters
    ----------
    history : History or mapping
        What ``fit`` returned, or its ``history``: names to one value an epoch.
    metric : str
        The name; ``val_`` before it is the validation's. Loss and error are best when low,
        all else when high.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        With an alternative text.

    Raises
    ------
    TypeError, ValueError
        If ``history`` is unfit or has no such metric.

    Examples
    --------
    >>> ax = plot_history({"loss": [1.0, 0.5, 0.2], "val_loss": [1.1, 0.9, 1.0]})
    >>> alt_text(ax)[-51:]
    'Validation is best at 0.9 in epoch 2 and ends at 1.'
    """
    logs = getattr(history, "history", history)
    if not isinstance(logs, Mapping):
        raise TypeError(f"history must be a History or a mapping, got {type(history).__name__}")
    if not logs:
        raise ValueError("history must not be empty, got no logs")
    if metric not in logs:
        raise ValueError(f"metric must be one of {', '.join(map(repr, logs))}, got {metric!r}")
    train = check_array(metric, logs[metric], ndim=1, dtype=np.float64)
    ax = _axes(ax)
    epochs = np.arange(1, len(train) + 1)
    ax.plot(epochs, train, color=TRAIN, linestyle="-", label="training")
    label = metric.replace("_", " ")
    text = f"Line plot of {label} over {len(train)} epochs. Training {_course(train)}."
    if f"val_{metric}" in logs:
        values = check_array(
            f"val_{metric}", logs[f"val_{metric}"], shape=train.shape, dtype=np.float64
        )
        low = any(word in metric for word in ("loss", "error", "penalty"))
        best = int(np.argmin(values) if low else np.argmax(values))
        ax.plot(epochs, values, color=VALIDATION, linestyle="--", label="validation")
        ax.plot(epochs[best], values[best], "o", color=VALIDATION, label="best validation")
        text += (
            f" Validation is best at {_n(values[best])} in epoch {best + 1} "
            f"and ends at {_n(values[-1])}."
        )
    ax.set(xlabel="epoch", ylabel=label)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend()
    return describe(ax, text)


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
    ax = _axes(ax)
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
    ax = _axes(ax)
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
            f"{name}: standard deviation {_n(values.std())}, "
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
    ax = _axes(ax)
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
        f"{_n(np.abs(coefficients[0]).max())} to {_n(np.abs(coefficients[-1]).max())}; "
        f"{zeros[0]} of them are exactly zero at strength {_n(strengths[0])} and {zeros[-1]} of "
        f"them at strength {_n(strengths[-1])}.",
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
    ax = _axes(ax)
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
        label = ax.annotate(f"λ = {lam:g}", dot, (5, -15), textcoords="offset points", color=TRAIN)
        label.set_bbox({"facecolor": PANEL, "edgecolor": "none", "pad": 0.5, "alpha": 0.8})
    ax.plot(*best, "X", color=INK, markersize=10)
    ax.axhline(0, color=INK, linewidth=0.8, linestyle="-")
    ax.axvline(0, color=INK, linewidth=0.8, linestyle="-")
    ax.grid(False)
    ax.set(xlabel="first weight", ylabel="second weight", aspect="equal")
    places = "; ".join(
        f"at strength {_n(lam)} it is ({_n(dot[0])}, {_n(dot[1])})"
        for lam, dot in zip(strengths, dots, strict=True)
    )
    return describe(
        ax,
        f"Contours of a cost with its minimum at ({_n(best[0])}, {_n(best[1])}), which is pulled "
        f"to the origin by the {penalty} penalty. {places[:1].upper()}{places[1:]}.",
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


@arguments(images=Array(), copies=Integer(">= 1"))
def plot_augmented_grid(
    images: ArrayLike,
    transform: Callable[..., ArrayLike],
    *,
    copies: int = 7,
    ax: Axes | None = None,
) -> Axes:
    """Draw images, one a row, and some random changes of each beside it.

    Parameters
    ----------
    images : array_like
        Shape (n, height, width), (n, height, width, 1) or (n, height, width, 3), in [0, 1].
    transform : callable
        Maps a batch of images to a changed batch of the same shape; a layer is called with
        ``training=True``.
    copies : int
        Changed copies of each image.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        With an alternative text.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit or the transform changes the shape.

    Examples
    --------
    >>> ax = plot_augmented_grid(np.eye(4)[None], lambda batch: batch[:, ::-1], copies=2)
    >>> alt_text(ax)[:53]
    'Grid of 1 image of 4 by 4 pixels, one a row: the orig'
    """
    if images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[3] not in (1, 3)):
        raise ValueError(f"images must have shape (n, height, width[, 1 or 3]), got {images.shape}")
    if not callable(transform):
        raise TypeError(f"transform must be callable, got {transform!r}")
    options = {"training": True} if hasattr(transform, "get_config") else {}
    columns = [images]
    for _ in range(copies):
        changed = np.asarray(transform(images.copy(), **options))
        if changed.shape != images.shape:
            raise ValueError(f"transform must keep shape {images.shape}, got {changed.shape}")
        columns.append(changed)
    ax = _axes(ax)
    tiles = np.stack(columns, axis=1)  # (n, copies + 1, height, width[, channels])
    if tiles.ndim == 5 and tiles.shape[-1] == 1:
        tiles = tiles[..., 0]
    _tile(ax, tiles, cmap="gray_r" if tiles.ndim == 4 else None, limits=(0, 1))
    ax.set_title("original, then changed copies")
    height, width = images.shape[1:3]
    changes = [np.abs(column - images).mean() for column in columns[1:]]
    return describe(
        ax,
        f"Grid of {len(images)} image{'s' * (len(images) > 1)} of {height} by {width} pixels, "
        f"one a row: the original, then {copies} randomly changed copies. Pixels change by "
        f"{_n(np.mean(changes))} on average.",
    )


@arguments(kernel=Array(4, dtype=np.float64))
def plot_filters(kernel: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Draw the filters of a convolution, one tile each, positive blue and negative orange.

    Parameters
    ----------
    kernel : array_like
        Keras's layout (height, width, inputs, outputs); one row of tiles an input channel.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
        With an alternative text.

    Raises
    ------
    TypeError, ValueError
        If ``kernel`` is unfit.

    Examples
    --------
    >>> ax = plot_filters(np.ones((3, 3, 1, 4)))
    >>> alt_text(ax)
    'Grid of 4 filters of 3 by 3 weights over 1 input channel. Weights lie between 1 and 1.'
    """
    from matplotlib.colors import LinearSegmentedColormap

    height, width, inputs, outputs = kernel.shape
    ax = _axes(ax)
    limit = np.abs(kernel).max() or 1.0
    diverging = LinearSegmentedColormap.from_list("house", [VALIDATION, "#FFFFFF", TRAIN])
    image = _tile(ax, kernel.transpose(2, 3, 0, 1), cmap=diverging, limits=(-limit, limit))
    ax.figure.colorbar(image, ax=ax, label="weight", shrink=0.7)
    ax.set(xlabel="output channel", ylabel="input channel")
    return describe(
        ax,
        f"Grid of {outputs} filters of {height} by {width} weights over {inputs} input "
        f"channel{'s' * (inputs > 1)}. Weights lie between {_n(kernel.min())} and "
        f"{_n(kernel.max())}.",
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
        raise ValueError(f"probabilities must be in [0, 1], got {_n(p.min())} to {_n(p.max())}")
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
    ax = _axes(ax)
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
        f"lies {_n(abs(lean))} {tendency} what happens. The expected calibration error is "
        f"{_n(error)}.",
    )


def plot_seed_spread(
    results: Any, metric: str = "score", *, level: float = 0.95, ax: Axes | None = None
) -> Axes:
    """Draw one dot a seed for each setting, with the mean and its confidence interval.

    Parameters
    ----------
    results : DataFrame or mapping
        From :func:`reglib.experiments.run`, or settings to one value a seed.
    metric : str
        The column to draw, or what the mapping's values are.
    level : float
        Confidence level of the t interval.
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
    >>> ax = plot_seed_spread({"plain": [0.8, 0.9], "L2": [0.9, 1.0]}, "accuracy")
    >>> alt_text(ax)[:68]
    'Dots for each seed of accuracy. plain: mean 0.85, 95 % interval 0.21'
    """
    if isinstance(results, Mapping):
        groups = {
            str(name): check_array(f"results[{name!r}]", values, ndim=1, dtype=np.float64)
            for name, values in results.items()
        }
    else:
        experiments.require_columns(results, "setting", metric)
        grouped = results.groupby("setting", sort=False)[metric]
        groups = {str(name): values.to_numpy() for name, values in grouped}
    if not groups:
        raise ValueError("results must not be empty")
    label = metric.replace("_", " ")
    ax, parts = _spread(groups, level, ax)
    ax.set(xlabel=label)
    return describe(ax, f"Dots for each seed of {label}. " + "; ".join(parts) + ".")


def plot_paired_difference(
    frame: Any,
    baseline: Any,
    metric: str = "score",
    *,
    level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw each setting's difference from a baseline, one dot a seed, with mean and interval.

    An interval that covers the line at zero is a difference that may be noise.

    Parameters
    ----------
    frame : DataFrame
        From :func:`reglib.experiments.run`, one row a setting and seed.
    baseline : label
        The setting to subtract.
    metric : str
        The column to compare.
    level : float
        Confidence level of the t interval.
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
    >>> frame = experiments.run(
    ...     lambda seed, k=0: seed % 2 + k, {"plain": {}, "more": {"k": 1}}, seeds=4)
    >>> ax = plot_paired_difference(frame, "plain")
    >>> alt_text(ax)[-65:]
    'more: mean 1, 95 % interval 1 to 1, which excludes zero, 4 seeds.'
    """
    table = experiments.differences(frame, baseline, metric)
    label = metric.replace("_", " ")
    groups = {str(name): table[name].to_numpy() for name in table.columns}
    # The colors that plot_seed_spread gives the same settings, where the baseline has one too.
    order = list(dict.fromkeys(frame["setting"]))
    colors = [PALETTE[order.index(name) % len(PALETTE)] for name in table.columns]
    ax, parts = _spread(groups, level, ax, colors=colors, zero=True)
    ax.axvline(0, color=INK, linewidth=1, linestyle="-")
    ax.set(xlabel=f"difference in {label} from {baseline}")
    return describe(
        ax, f"Differences in {label} from {baseline}, seed by seed. " + "; ".join(parts) + "."
    )


def _spread(
    groups: Mapping[str, NDArray],
    level: float,
    ax: Axes | None,
    *,
    colors: Sequence[str] = PALETTE,
    zero: bool = False,
) -> tuple[Axes, list[str]]:
    """Draw the dots, means and intervals of groups as rows; return a text for each."""
    ax = _axes(ax)
    parts = []
    for row, (name, values) in enumerate(groups.items()):
        color = colors[row % len(colors)]
        # Dots keep off the interval by their rank, not at random: the same figure every time.
        offsets = np.resize([-0.3, -0.2, -0.1, 0.1, 0.2, 0.3], len(values))
        ax.scatter(values, row + offsets, s=22, color=color, alpha=0.6, linewidth=0)
        low, high = experiments.confidence_interval(values, level=level)
        mean = float(np.mean(values))
        if np.isfinite(low):
            ax.plot([low, high], [row, row], color=color, linestyle="-", linewidth=2.5)
        ax.plot([mean], [row], "D", color=color, markeredgecolor=PANEL, markersize=8)
        text = f"{name}: mean {_n(mean)}"
        if np.isfinite(low):
            text += f", {100 * level:g} % interval {_n(low)} to {_n(high)}"
            if zero:
                text += ", which excludes zero" if low > 0 or high < 0 else ", which covers zero"
        parts.append(f"{text}, {len(values)} seed{'s' * (len(values) > 1)}")
    ax.set_yticks(range(len(groups)), list(groups))
    ax.set_ylim(len(groups) - 0.5, -0.5)
    ax.grid(False, axis="y")
    return ax, parts


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        if not hasattr(ax, "plot") or not hasattr(ax, "figure"):
            raise TypeError(f"ax must be matplotlib axes, got {type(ax).__name__}")
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots()[1]


def _tile(ax: Axes, tiles: NDArray, *, cmap: Any, limits: tuple[float, float]) -> Any:
    """Draw tiles of shape (rows, columns, height, width[, 3]) as one image with gaps."""
    rows, columns, height, width = tiles.shape[:4]
    canvas = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, *tiles.shape[4:]), np.nan)
    for i in range(rows):
        for j in range(columns):
            top, left = i * (height + 1), j * (width + 1)
            canvas[top : top + height, left : left + width] = tiles[i, j]
    if canvas.ndim == 3:
        gaps = np.isnan(canvas)
        canvas = np.where(gaps, 1.0, np.clip(canvas, *limits))
    ax.grid(False)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
    return ax.imshow(canvas, cmap=cmap, vmin=limits[0], vmax=limits[1], interpolation="nearest")


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


def _pooled(name: str, value: Any) -> NDArray:
    arrays = value if isinstance(value, (list, tuple)) and value else [value]
    return np.concatenate(
        [check_array(name, array, dtype=np.float64).reshape(-1) for array in arrays]
    )


def _course(values: NDArray) -> str:
    verb = "falls" if values[-1] < values[0] else "rises" if values[-1] > values[0] else "goes"
    return f"{verb} from {_n(values[0])} to {_n(values[-1])}"


def _n(value: float) -> str:
    return f"{value:.3g}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
