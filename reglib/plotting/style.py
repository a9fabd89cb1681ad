"""The house style of figures, and the texts that say what they show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Integer, arguments

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: The colors of the house, told apart with every kind of color blindness.
PALETTE = ("#0072B2", "#D55E00", "#7A1F6B", "#6B6B6B", "#222222", "#8C1C13")


TRAIN, VALIDATION, TEST = PALETTE[:3]

#: Eight steps from low to high, for what has an order: a part of matplotlib's plasma.
STEPS = (
    "#E56A5D",
    "#D35171",
    "#BE3885",
    "#A51F99",
    "#8707A6",
    "#6700A8",
    "#44039E",
    "#1B068D",
)


#: The panel behind each figure: light, so that dark ink reads on a page of any color.
PANEL, INK, GRID = "#F7F6F2", "#222222", "#D9D7D0"


_texts: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def set_style() -> None:
    """Set matplotlib's defaults to the house style, for all figures from now on.

    Examples
    --------
    >>> set_style()
    >>> import matplotlib
    >>> matplotlib.rcParams["figure.facecolor"] == PANEL
    True
    """
    import matplotlib
    from matplotlib.rcsetup import cycler

    lines = ["-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1))]
    matplotlib.rcParams.update(
        {
            "axes.prop_cycle": cycler(color=PALETTE) + cycler(linestyle=lines),
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
    axes: Any = drawing.axes if hasattr(drawing, "add_subplot") else [drawing]
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
    _texts[axes_or_new(ax)] = text
    return ax


def axes_or_new(ax: Axes | None) -> Axes:
    """Return the axes that were given, or those of a new figure."""
    if ax is not None:
        if not hasattr(ax, "plot") or not hasattr(ax, "figure"):
            raise TypeError(f"ax must be matplotlib axes, got {type(ax).__name__}")
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots()[1]


@arguments(count=Integer(">= 1"))
def ordered_colors(count: int) -> list[str]:
    """Return colors for what has an order, from low to high.

    Parameters
    ----------
    count : int
        How many; of more than eight, neighbors share a color.

    Raises
    ------
    TypeError, ValueError
        If ``count`` is unfit.

    Examples
    --------
    >>> ordered_colors(2)
    ['#E56A5D', '#1B068D']
    """
    return [STEPS[place] for place in np.rint(np.linspace(0, len(STEPS) - 1, count)).astype(int)]


def label_lines(ax: Axes) -> Axes:
    """Write the label of each line at its right end, in its color, in place of a legend.

    Labels keep off each other, so call it when data and limits of the axes are complete.

    Parameters
    ----------
    ax : Axes
        Axes with lines that have labels.

    Returns
    -------
    Axes
        The same.

    Raises
    ------
    TypeError, ValueError
        If these are no axes, or no line has a label.

    Examples
    --------
    >>> import matplotlib.figure
    >>> ax = matplotlib.figure.Figure().add_subplot()
    >>> _ = ax.plot([1, 2], [3, 4], label="training")
    >>> [text.get_text() for text in label_lines(ax).texts]
    ['training']
    """
    import matplotlib

    if not hasattr(ax, "plot"):
        raise TypeError(f"ax must be matplotlib axes, got {type(ax).__name__}")
    lines = [line for line in ax.lines if not str(line.get_label()).startswith("_")]
    if not lines:
        raise ValueError("ax must have lines with labels, got none")
    ends = [_last_point(line) for line in lines]
    ax.get_ylim()  # makes matplotlib fit the axes to the data
    places = ax.transData.transform(ends)[:, 1] * 72 / ax.figure.dpi
    moved = _kept_apart(places, 1.25 * matplotlib.rcParams["font.size"]) - places
    for line, end, up in zip(lines, ends, moved, strict=True):
        ax.annotate(
            str(line.get_label()),
            end,
            (5, up),
            textcoords="offset points",
            va="center",
            color=line.get_color(),
        )
    return ax


def _last_point(line: Any) -> tuple[float, float]:
    points = np.asarray(line.get_xydata(), dtype=float)
    points = points[np.isfinite(points).all(axis=1)]
    x, y = points[points[:, 0].argmax()]
    return float(x), float(y)


def _kept_apart(places: NDArray, apart: float) -> NDArray:
    """Return places near the given ones, in their order and at least so far apart."""
    order = np.argsort(places)
    steps = apart * np.arange(len(places))
    # The nearest such places in squared distance: an isotonic regression of what is left over.
    groups: list[list[float]] = []
    for rest in places[order] - steps:
        groups.append([rest])
        while len(groups) > 1 and np.mean(groups[-2]) > np.mean(groups[-1]):
            groups[-2:] = [groups[-2] + groups[-1]]
    found = np.empty(len(places))
    found[order] = np.concatenate([[np.mean(group)] * len(group) for group in groups]) + steps
    return found


def short(value: float) -> str:
    """Return a number in three digits."""
    return f"{value:.3g}"
