"""The house style of figures, and the texts that say what they show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

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


def short(value: float) -> str:
    """Return a number in three digits."""
    return f"{value:.3g}"
