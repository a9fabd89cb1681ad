"""How training went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reglib._validation import (
    check_array,
)
from reglib.plotting.style import TRAIN, VALIDATION, axes_or_new, describe, label_lines, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
    ax = axes_or_new(ax)
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
        ax.plot(epochs[best], values[best], "o", color=VALIDATION)
        # On the side on which training rarely is.
        at, off = (epochs[best], values[best]), (0, 9 if low else -17)
        ax.annotate("best", at, off, textcoords="offset points", ha="center", color=VALIDATION)
        text += (
            f" Validation is best at {short(values[best])} in epoch {best + 1} "
            f"and ends at {short(values[-1])}."
        )
    ax.set(xlabel="epoch", ylabel=label)
    ax.locator_params(axis="x", integer=True)
    label_lines(ax)
    return describe(ax, text)


def _course(values: NDArray) -> str:
    verb = "falls" if values[-1] < values[0] else "rises" if values[-1] > values[0] else "goes"
    return f"{verb} from {short(values[0])} to {short(values[-1])}"
