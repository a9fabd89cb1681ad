r"""Resampling images under an affine map: the arithmetic beneath the geometric layers.

A row :math:`[a_0, a_1, a_2, b_0, b_1, b_2, 0, 0]` sends the pixel :math:`(x, y)` of the
output to the point :math:`(a_0 x + a_1 y + a_2,\; b_0 x + b_1 y + b_2)` of the input, where
the value is read off by bilinear interpolation between the four pixels around it.

Two tricks make it fast in plain NumPy. Where :math:`a_1 = b_0 = 0` (translation, zoom) the
interpolation is separable: first between two rows, then between two columns. Elsewhere
(rotation, shear) each image is widened once by its fill, so that one table of positions
serves all four neighbors. Both work on chunks of images that stay in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

FILL_MODES = ("reflect", "wrap", "constant", "nearest")
INTERPOLATIONS = ("nearest", "bilinear")

# Floats a chunk may hold: 128 KiB in float32, so that a handful of buffers fits the cache.
_CHUNK = 1 << 15


def affine_transform(
    images: NDArray,
    transform: NDArray,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
) -> NDArray:
    """Return the images resampled under one affine map each.

    Parameters
    ----------
    images : ndarray
        (N, H, W, C); floats, or anything for ``interpolation="nearest"``.
    transform : ndarray
        (N, 8), the rows that the module's docstring describes.
    interpolation : str
        ``"bilinear"`` or ``"nearest"``.
    fill_mode : str
        What lies outside: ``"reflect"`` (d c b a | a b c d | d c b a), ``"wrap"``,
        ``"constant"`` or ``"nearest"``.
    fill_value : float
        The value outside for ``"constant"``.

    Returns
    -------
    ndarray
        (N, H, W, C), of the dtype of ``images``.

    Raises
    ------
    ValueError
        If ``transform`` has another shape or is not finite.

    Examples
    --------
    >>> image = np.arange(4.0).reshape(1, 1, 4, 1)
    >>> half_a_pixel = np.array([[1, 0, 0.5, 0, 1, 0, 0, 0]])
    >>> affine_transform(image, half_a_pixel).ravel()
    array([0.5, 1.5, 2.5, 3. ])
    """
    images = np.ascontiguousarray(images)
    rows = _rows_for(images, transform)
    if images.size == 0:
        return images.copy()
    separable = not rows[:, [1, 3]].any()
    if interpolation == "nearest":
        resample = _nearest_separable if separable else _nearest
    else:
        resample = _bilinear_separable if separable else _bilinear
    return resample(images, rows, fill_mode, fill_value)


def affine_transpose(
    gradient: NDArray,
    transform: NDArray,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
) -> NDArray:
    """Return the gradient with respect to the images of :func:`affine_transform`.

    The transform is linear in the images, so this is its transpose: each output pixel's
    gradient goes back to the input pixels that it was read from, with the same weights.
    """
    rows = _rows_for(gradient, transform)
    _, height, width, channels = gradient.shape
    x, y = np.arange(width), np.arange(height)[:, None]
    result = np.zeros_like(gradient)
    for image, out, (a0, a1, a2, b0, b1, b2, *_) in zip(gradient, result, rows, strict=True):
        columns = _taps(a0 * x + a1 * y + a2, width, interpolation, fill_mode)
        lines = _taps(b0 * x + b1 * y + b2, height, interpolation, fill_mode)
        pixels = out.reshape(-1, channels)
        for line, line_weight in lines:
            for column, column_weight in columns:
                weight = (line_weight * column_weight).astype(gradient.dtype)
                np.add.at(pixels, line * width + column, weight[..., None] * image)
    return result


def _rows_for(images: NDArray, transform: NDArray) -> NDArray:
    """Return one row of eight finite numbers an image, in float64."""
    rows = np.asarray(transform, dtype=np.float64)
    if rows.shape[-1:] != (8,) or rows.size not in (8, 8 * len(images)):
        raise ValueError(f"transform must have shape ({len(images)}, 8), got {rows.shape}")
    if not np.isfinite(rows).all():
        raise ValueError("transform must be finite, got NaN or infinity")
    return np.broadcast_to(rows.reshape(-1, 8), (len(images), 8))


def fold(index: NDArray, size: int, fill_mode: str) -> NDArray:
    """Return the index within ``range(size)`` whose value stands at ``index``.

    Examples
    --------
    >>> fold(np.arange(-2, 5), 3, "reflect")
    array([1, 0, 0, 1, 2, 2, 1])
    >>> fold(np.arange(-2, 5), 3, "wrap")
    array([1, 2, 0, 1, 2, 0, 1])
    """
    if fill_mode == "reflect":
        index = index % (2 * size)
        return np.minimum(index, 2 * size - 1 - index)
    if fill_mode == "wrap":
        return index % size
    return np.clip(index, 0, size - 1)


def _taps(
    position: NDArray, size: int, interpolation: str, fill_mode: str
) -> list[tuple[NDArray, NDArray]]:
    """Return index and weight of the pixels that a position along one axis is read from."""
    if interpolation == "nearest":
        index = np.floor(position + 0.5).astype(np.intp)
        taps = [(index, np.ones_like(position))]
    else:
        floor = np.floor(position)
        index, fraction = floor.astype(np.intp), position - floor
        taps = [(index, 1 - fraction), (index + 1, fraction)]
    if fill_mode == "constant":
        taps = [(index, weight * _inside(index, size)) for index, weight in taps]
    return [(fold(index, size, fill_mode), weight) for index, weight in taps]


def _inside(index: NDArray, size: int) -> NDArray:
    return (index >= 0) & (index < size)


def chunked(images: NDArray) -> tuple[int, list[slice]]:
    """Return how many images fit the cache together, and the batch in such chunks."""
    count = len(images)
    size = min(count, max(1, _CHUNK // images[0].size))
    return size, [slice(start, min(start + size, count)) for start in range(0, count, size)]


# Translation and zoom: rows first, then columns.


def _bilinear_separable(
    images: NDArray, rows: NDArray, fill_mode: str, fill_value: float
) -> NDArray:
    _, height, width, channels = images.shape
    dtype = images.dtype
    top, bottom = _taps(_positions(rows[:, 4], rows[:, 5], height), height, "bilinear", fill_mode)
    left, right = _taps(_positions(rows[:, 0], rows[:, 2], width), width, "bilinear", fill_mode)
    top_weight, bottom_weight = (tap[1].astype(dtype)[:, :, None] for tap in (top, bottom))
    left_weight, right_weight = (
        np.repeat(tap[1].astype(dtype), channels, axis=1)[:, None, :] for tap in (left, right)
    )
    # What the fill adds where a neighbor lies outside.
    fills = fill_mode == "constant" and fill_value != 0
    row_fill = fill_value * (1 - top_weight - bottom_weight) if fills else None
    column_fill = fill_value * (1 - left_weight - right_weight) if fills else None

    size, chunks = chunked(images)
    outputs = np.empty_like(images)
    first_row = np.arange(size)[:, None] * height
    first_pixel = (np.arange(size * height) * width).reshape(size, height, 1)
    buffer = np.empty((2, size, height, width * channels), dtype)
    indices = np.empty((size, height, width), np.intp)
    for chunk in chunks:
        count = chunk.stop - chunk.start
        lines = images[chunk].reshape(count * height, width * channels)
        upper, lower = buffer[:, :count]
        # The indices are within range; mode="wrap" only spares the check.
        lines.take(top[0][chunk] + first_row[:count], axis=0, out=upper, mode="wrap")
        lines.take(bottom[0][chunk] + first_row[:count], axis=0, out=lower, mode="wrap")
        upper *= top_weight[chunk]
        lower *= bottom_weight[chunk]
        upper += lower
        if row_fill is not None:
            upper += row_fill[chunk]
        pixels = upper.reshape(count * height * width, channels)
        index = indices[:count]
        out, other = outputs[chunk], lower.reshape(count, height, width, channels)
        np.add(first_pixel[:count], left[0][chunk, None], out=index)
        pixels.take(index, axis=0, out=out, mode="wrap")
        np.add(first_pixel[:count], right[0][chunk, None], out=index)
        pixels.take(index, axis=0, out=other, mode="wrap")
        out = out.reshape(count, height, width * channels)
        out *= left_weight[chunk]
        lower *= right_weight[chunk]
        out += lower
        if column_fill is not None:
            out += column_fill[chunk]
    return outputs


def _nearest_separable(
    images: NDArray, rows: NDArray, fill_mode: str, fill_value: float
) -> NDArray:
    _, height, width, _ = images.shape
    line = np.floor(_positions(rows[:, 4], rows[:, 5], height) + 0.5).astype(np.intp)[:, :, None]
    column = np.floor(_positions(rows[:, 0], rows[:, 2], width) + 0.5).astype(np.intp)[:, None, :]
    number = np.arange(len(images))[:, None, None]
    outputs = images[number, fold(line, height, fill_mode), fold(column, width, fill_mode)]
    if fill_mode == "constant":
        outputs[~(_inside(line, height) & _inside(column, width))] = fill_value
    return outputs


def _positions(scale: NDArray, shift: NDArray, size: int) -> NDArray:
    """Return where the output's pixels along one axis come from, (N, size)."""
    return scale[:, None] * np.arange(size) + shift[:, None]


# Rotation, shear and any other map: widened images, one table of positions.


def _nearest(images: NDArray, rows: NDArray, fill_mode: str, fill_value: float) -> NDArray:
    channels = images.shape[-1]
    outputs = np.empty_like(images)
    for chunk, widened, x, y, stride in _widened(images, rows, fill_mode, fill_value):
        np.floor(np.add(x, 0.5, out=x), out=x)
        np.floor(np.add(y, 0.5, out=y), out=y)
        index = _flat_index(x, y, stride, widened, channels).astype(np.intp)
        flat = widened.reshape(-1)
        for channel in range(channels):
            outputs[chunk][..., channel] = flat[channel:].take(index, mode="wrap")
    return outputs


def _flat_index(x: NDArray, y: NDArray, stride: int, widened: NDArray, channels: int) -> NDArray:
    """Return where the pixels' first channels stand in the flat chunk, as floats, in ``y``."""
    y *= stride
    y += x
    y *= channels
    y += (np.arange(len(widened)) * widened[0].size)[:, None, None]
    return y


def _bilinear(images: NDArray, rows: NDArray, fill_mode: str, fill_value: float) -> NDArray:
    _, height, width, channels = images.shape
    outputs = np.empty_like(images)
    size, _ = chunked(images)
    shape = (size, height, width)
    floor_x, floor_y = np.empty(shape), np.empty(shape)
    all_indices = np.empty(shape, np.intp)
    all_weights = np.empty((4, *shape), images.dtype)
    all_values = np.empty((4, *shape), images.dtype)
    plane = np.empty(shape, images.dtype)
    for chunk, widened, x, y, stride in _widened(images, rows, fill_mode, fill_value):
        count = len(widened)
        index, fx, fy = all_indices[:count], floor_x[:count], floor_y[:count]
        weights, values = all_weights[:, :count], all_values[:, :count]
        np.floor(x, out=fx)
        np.floor(y, out=fy)
        x -= fx
        y -= fy
        # The weights of the four neighbors: (1-x)(1-y), x(1-y), (1-x)y, xy.
        np.multiply(x, y, out=weights[3], casting="same_kind")
        np.subtract(x, weights[3], out=weights[1], casting="same_kind")
        np.subtract(y, weights[3], out=weights[2], casting="same_kind")
        np.subtract(1 - x, weights[2], out=weights[0], casting="same_kind")
        np.copyto(index, _flat_index(fx, fy, stride, widened, channels), casting="unsafe")
        flat = widened.reshape(-1)
        shifts = (0, channels, stride * channels, (stride + 1) * channels)
        for channel in range(channels):
            for value, shift in zip(values, shifts, strict=True):
                flat[channel + shift :].take(index, out=value, mode="wrap")
            np.multiply(values, weights, out=values)
            # A sum straight into every third float would take twice as long.
            np.add.reduce(values, axis=0, out=plane[:count])
            outputs[chunk][..., channel] = plane[:count]
    return outputs


def _widened(
    images: NDArray, rows: NDArray, fill_mode: str, fill_value: float
) -> Iterator[tuple[slice, NDArray, NDArray, NDArray, int]]:
    """Yield each chunk with its images widened by the fill and the positions within them.

    Yields (chunk, widened images, x, y, width of the widened images); x and y, (n, H, W),
    lie so that each position's right and lower neighbor exist too.
    """
    _, height, width, _ = images.shape
    a0, a1, a2, b0, b1, b2 = rows[:, :6].T
    low_x, high_x, far_x = _extent(a0, a1, a2, height, width, width, fill_mode)
    low_y, high_y, far_y = _extent(b0, b1, b2, height, width, height, fill_mode)
    size, chunks = chunked(images)
    widen = _Widening(images, (low_x, high_x), (low_y, high_y), fill_mode, fill_value, size)
    x_of_column, x_of_line = a0[:, None] * np.arange(width), a1[:, None] * np.arange(height)
    y_of_column, y_of_line = b0[:, None] * np.arange(width), b1[:, None] * np.arange(height)
    for chunk in chunks:
        x = x_of_column[chunk, None, :] + (x_of_line[chunk] + a2[chunk, None])[:, :, None]
        y = y_of_column[chunk, None, :] + (y_of_line[chunk] + b2[chunk, None])[:, :, None]
        if far_x:
            x = _fold_position(x, width, fill_mode)
        if far_y:
            y = _fold_position(y, height, fill_mode)
        x -= low_x
        y -= low_y
        yield chunk, widen(images[chunk]), x, y, high_x - low_x + 1


class _Widening:
    """Extends images by their fill to the columns and lines from ``low`` to ``high``."""

    def __init__(
        self,
        images: NDArray,
        column_range: tuple[int, int],
        line_range: tuple[int, int],
        fill_mode: str,
        fill_value: float,
        size: int,
    ) -> None:
        _, height, width, channels = images.shape
        columns, lines = (np.arange(low, high + 1) for low, high in (column_range, line_range))
        low = column_range[0]
        # Columns before `left` and from `right` on are fill; those between are copied at once.
        left, right = np.clip((-low, width - low), 0, len(columns))
        self.inner = slice(left * channels, right * channels)
        self.copied = slice((low + left) * channels, (low + right) * channels)
        folded = fold(columns, width, fill_mode)[:, None] * channels + np.arange(channels)
        self.before, self.after = folded[:left].ravel(), folded[right:].ravel()
        self.lines = fold(lines, height, fill_mode)
        self.constant = fill_mode == "constant"
        self.empty_lines = ~_inside(lines, height)
        self.fill_value = fill_value
        self.buffer = np.empty((size, height, len(columns) * channels), images.dtype)

    def __call__(self, images: NDArray) -> NDArray:
        """Return the widened images, (n, lines, columns * channels)."""
        count, height = images.shape[:2]
        flat = images.reshape(count, height, -1)
        wide = self.buffer[:count]
        wide[..., self.inner] = flat[..., self.copied]
        borders = (
            (slice(0, self.inner.start), self.before),
            (slice(self.inner.stop, None), self.after),
        )
        for place, source in borders:
            wide[..., place] = (
                self.fill_value if self.constant else flat.take(source, axis=2, mode="wrap")
            )
        widened = wide.take(self.lines, axis=1, mode="wrap")
        if self.constant:
            widened[:, self.empty_lines] = self.fill_value
        return widened


def _extent(
    by_column: NDArray,
    by_line: NDArray,
    shift: NDArray,
    height: int,
    width: int,
    size: int,
    fill_mode: str,
) -> tuple[int, int, bool]:
    """Return the first and last pixel needed along one axis, and whether positions are folded.

    Positions more than one image away are folded first, so that no map, however extreme,
    needs more than a few times the image.
    """
    spans = np.stack([by_column * (width - 1), by_line * (height - 1)])
    low = float((shift + np.minimum(spans, 0).sum(axis=0)).min())
    high = float((shift + np.maximum(spans, 0).sum(axis=0)).max())
    if low >= -size and high <= 2 * size:
        return int(np.floor(low)) - 1, int(np.ceil(high)) + 1, False
    if fill_mode in ("reflect", "wrap"):
        return 0, (2 * size if fill_mode == "reflect" else size) + 1, True
    return -1, size + 1, True


def _fold_position(position: NDArray, size: int, fill_mode: str) -> NDArray:
    if fill_mode == "reflect":
        return position % (2 * size)
    if fill_mode == "wrap":
        return position % size
    return np.clip(position, -1, size)
