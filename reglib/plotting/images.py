"""Images and filters side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Array, Integer, arguments
from reglib._typing import ArrayLike
from reglib.plotting.style import TRAIN, VALIDATION, axes_or_new, describe, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
    ax = axes_or_new(ax)
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
        f"{short(np.mean(changes))} on average.",
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
    ax = axes_or_new(ax)
    limit = np.abs(kernel).max() or 1.0
    diverging = LinearSegmentedColormap.from_list("house", [VALIDATION, "#FFFFFF", TRAIN])
    image = _tile(ax, kernel.transpose(2, 3, 0, 1), cmap=diverging, limits=(-limit, limit))
    ax.figure.colorbar(image, ax=ax, label="weight", shrink=0.7)
    ax.set(xlabel="output channel", ylabel="input channel")
    return describe(
        ax,
        f"Grid of {outputs} filters of {height} by {width} weights over {inputs} input "
        f"channel{'s' * (inputs > 1)}. Weights lie between {short(kernel.min())} and "
        f"{short(kernel.max())}.",
    )


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
