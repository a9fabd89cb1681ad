"""Settings compared over seeds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reglib import experiments
from reglib._validation import (
    check_array,
)
from reglib.plotting.style import (
    INK,
    PALETTE,
    PANEL,
    axes_or_new,
    describe,
    ordered_colors,
    short,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def plot_seed_spread(
    results: Any, metric: str = "score", *, level: float = 0.95, ax: Axes | None = None
) -> Axes:
    """Draw one dot a seed for each setting, with the mean and its confidence interval.

    Settings that differ by a number alone, and are in its order, have colors in that order.

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
    color = dict(zip(order, _colors(order), strict=True))
    colors = [color[name] for name in table.columns]
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
    colors: Sequence[str] | None = None,
    zero: bool = False,
) -> tuple[Axes, list[str]]:
    """Draw the dots, means and intervals of groups as rows; return a text for each."""
    ax = axes_or_new(ax)
    parts = []
    colors = colors or _colors(list(groups))
    for row, (name, values) in enumerate(groups.items()):
        color = colors[row]
        # Dots keep off the interval by their rank, not at random: the same figure every time.
        offsets = np.resize([-0.3, -0.2, -0.1, 0.1, 0.2, 0.3], len(values))
        ax.scatter(values, row + offsets, s=22, color=color, alpha=0.6, linewidth=0)
        low, high = experiments.confidence_interval(values, level=level)
        mean = float(np.mean(values))
        if np.isfinite(low):
            ax.plot([low, high], [row, row], color=color, linestyle="-", linewidth=2.5)
        ax.plot([mean], [row], "D", color=color, markeredgecolor=PANEL, markersize=8)
        text = f"{name}: mean {short(mean)}"
        if np.isfinite(low):
            text += f", {100 * level:g} % interval {short(low)} to {short(high)}"
            if zero:
                text += ", which excludes zero" if low > 0 or high < 0 else ", which covers zero"
        parts.append(f"{text}, {len(values)} seed{'s' * (len(values) > 1)}")
    ax.set_yticks(range(len(groups)), list(groups))
    ax.set_ylim(len(groups) - 0.5, -0.5)
    ax.grid(False, axis="y")
    return ax, parts


def _colors(settings: Sequence[Any]) -> list[str]:
    """Return a color for each setting, in steps from low to high where they differ by a number."""
    words = {NUMBER.sub("", str(setting)) for setting in settings}
    numbers = [NUMBER.findall(str(setting)) for setting in settings]
    # Two may be names: L1 and L2.
    if len(settings) > 2 and len(words) == 1 and all(len(found) == 1 for found in numbers):
        steps = np.diff([float(found[0]) for found in numbers])
        if (steps > 0).all() or (steps < 0).all():
            return ordered_colors(len(settings))[:: -1 if (steps < 0).all() else 1]
    return [PALETTE[row % len(PALETTE)] for row in range(len(settings))]
