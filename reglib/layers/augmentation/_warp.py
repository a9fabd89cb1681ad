r"""Resampling images under an affine map: the arithmetic beneath the geometric layers.

A row :math:`[a_0, a_1, a_2, b_0, b_1, b_2, 0, 0]` sends the pixel :math:`(x, y)` of the
output to the point :math:`(a_0 x + a_1 y + a_2,\; b_0 x + b_1 y + b_2)` of the input, where
the value is read off by bilinear interpolation between the four pixels around it.

Three tricks make it fast in plain NumPy. Where :math:`a_1 = b_0 = 0` (translation, zoom) the
interpolation is separable: first between two rows, then between two columns. Elsewhere
(rotation, shear) each image is widened once by its fill, so that one table of positions
serves all four neighbors; and positions are whole numbers of a small fraction of a pixel, so
that a shift gives the pixel and a mask the rest. All work on chunks of images that stay in
the processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import DTypeLike, NDArray

FILL_MODES = ("reflect", "wrap", "constant", "nearest")
INTERPOLATIONS = ("nearest", "bilinear")

# Floats a chunk may hold: 256 KiB in float32, so that a handful of buffers fits the cache.
_CHUNK = 1 << 16
# Floats of an image below which a call of NumPy costs more than what it does.
_SMALL = 1 << 10


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
    _, height, width, channels = gradient.shape
    x, y = np.arange(width), np.arange(height)[:, None]
    result = np.zeros_like(gradient)
    for image, row, out in zip(gradient, _rows_for(gradient, transform), result, strict=True):
        a0, a1, a2, b0, b1, b2 = row[:6]
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


def by_chunk(function: Callable[..., NDArray], images: NDArray, *numbers: NDArray) -> NDArray:
    """Return ``function(images, *numbers)``, computed a chunk at a time.

    Each of ``numbers`` has an entry an image; the result has the shape and dtype of ``images``.
    """
    outputs = np.empty_like(images)
    for chunk in chunked(images)[1]:
        outputs[chunk] = function(images[chunk], *(each[chunk] for each in numbers))
    return outputs


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
    left_index, right_index = (_flat_columns(tap[0], channels) for tap in (left, right))
    # What the fill adds where a neighbor lies outside.
    fills = fill_mode == "constant" and fill_value != 0
    row_fill = fill_value * (1 - top_weight - bottom_weight) if fills else None
    column_fill = fill_value * (1 - left_weight - right_weight) if fills else None

    size, chunks = chunked(images)
    outputs = np.empty((len(images), height, width * channels), dtype)
    first_row = np.arange(size)[:, None] * height
    buffer = np.empty((2, size, height, width * channels), dtype)
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
        out = outputs[chunk]
        _take_columns(upper, left_index[chunk], out)
        _take_columns(upper, right_index[chunk], lower)
        out *= left_weight[chunk]
        lower *= right_weight[chunk]
        out += lower
        if column_fill is not None:
            out += column_fill[chunk]
    return outputs.reshape(images.shape)


def _flat_columns(index: NDArray, channels: int) -> NDArray:
    """Return where the channels of the columns stand within a line, (N, W * C)."""
    return (index[:, :, None] * channels + np.arange(channels)).reshape(len(index), -1)


def _take_columns(lines: NDArray, index: NDArray, out: NDArray) -> None:
    """Write to ``out`` each image's own choice of the floats of its lines."""
    count, height, length = lines.shape
    if height * length < _SMALL:
        first = (np.arange(count * height) * length).reshape(count, height, 1)
        lines.reshape(-1).take(index[:, None] + first, out=out, mode="wrap")
        return
    for image, chosen, result in zip(lines, index, out, strict=True):
        image.take(chosen, axis=1, out=result, mode="wrap")


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
    # The pixel at the floor of half a pixel on is the nearest one.
    rows = rows + 0.5 * np.isin(np.arange(8), (2, 5))
    for chunk, flat, index, *_ in _located(images, rows, fill_mode, fill_value, np.float64):
        for channel in range(channels):
            outputs[chunk][..., channel] = flat[channel:].take(index, mode="wrap")
    return outputs


def _bilinear(images: NDArray, rows: NDArray, fill_mode: str, fill_value: float) -> NDArray:
    _, height, width, channels = images.shape
    outputs = np.empty_like(images)
    size, _ = chunked(images)
    buffer = np.empty((2, 4, size, height, width), images.dtype)
    located = _located(images, rows, fill_mode, fill_value, images.dtype)
    for chunk, flat, index, x, y, stride in located:
        weights, values = buffer[:, :, : len(index)]
        # The weights of the four neighbors: (1-x)(1-y), x(1-y), (1-x)y, xy.
        np.multiply(x, y, out=weights[3])
        np.subtract(x, weights[3], out=weights[1])
        np.subtract(y, weights[3], out=weights[2])
        np.subtract(1, x, out=weights[0])
        weights[0] -= weights[2]
        shifts = (0, channels, stride, stride + channels)
        for channel in range(channels):
            for value, shift in zip(values, shifts, strict=True):
                flat[channel + shift :].take(index, out=value, mode="wrap")
            values *= weights
            values[:2] += values[2:]
            np.add(values[0], values[1], out=outputs[chunk][..., channel])
    return outputs


def _located(
    images: NDArray, rows: NDArray, fill_mode: str, fill_value: float, dtype: DTypeLike
) -> Iterator[tuple[slice, NDArray, NDArray, NDArray, NDArray, int]]:
    """Yield each chunk, widened by the fill, with where its output is found there.

    Yields (chunk, floats of the widened chunk in one row, where each output's upper left
    neighbor starts among them, x and y, (n, H, W), of ``dtype``: how far beyond that neighbor
    the output lies, number of floats between a pixel and the one below it).
    """
    _, height, width, channels = images.shape
    a0, a1, a2, b0, b1, b2 = rows[:, :6].T
    x = _Axis(a0, a1, a2, (height, width), width, fill_mode, dtype)
    y = _Axis(b0, b1, b2, (height, width), height, fill_mode, dtype)
    size, chunks = chunked(images)
    widen = _Widening(images, (x.low, x.high), (y.low, y.high), fill_mode, fill_value, size)
    _, lines, stride = widen.buffer.shape
    first = (np.arange(size) * (lines * stride))[:, None, None].astype(x.whole_dtype)
    index = np.empty((size, height, width), np.intp)
    for chunk in chunks:
        count = chunk.stop - chunk.start
        flat = widen(images[chunk]).reshape(-1)
        (column, x_rest), (line, y_rest) = x.split(chunk), y.split(chunk)
        column *= channels
        line *= stride
        line += column
        line += first[:count]
        # What take wants; the sums are cheaper in fewer bits.
        index[:count] = line
        yield chunk, flat, index[:count], x_rest, y_rest, stride


class _Axis:
    """Where the output lies along one axis, split into pixel and fraction of a pixel."""

    def __init__(
        self,
        by_column: NDArray,
        by_line: NDArray,
        shift: NDArray,
        shape: tuple[int, int],
        size: int,
        fill_mode: str,
        dtype: DTypeLike,
    ) -> None:
        height, width = shape
        column, line = by_column[:, None] * np.arange(width), by_line[:, None] * np.arange(height)
        line += shift[:, None]
        # Both are linear, so the extremes lie in the corners.
        corners = line[:, [0, -1], None] + column[:, None, [0, -1]]
        low, high = float(corners.min()), float(corners.max())
        # Positions more than one image away are folded first, so that no map, however extreme,
        # needs more than a few times the image.
        self.folded = low < -size or high > 2 * size
        if self.folded:
            low, high = {"reflect": (0, 2 * size), "wrap": (0, size)}.get(fill_mode, (-1, size))
        # With room for the neighbor to the right, for rounding, and for the whole image.
        self.low, self.high = min(int(np.floor(low)) - 1, 0), max(int(np.ceil(high)) + 1, size)
        self.size, self.fill_mode, self.dtype = size, fill_mode, np.dtype(dtype)
        self.whole_dtype = np.dtype("int64" if self.dtype == np.float64 else "int32")
        # As many binary places as the numbers hold, and as the fractions can keep.
        places = 8 * self.whole_dtype.itemsize - 2 - int(self.high - self.low).bit_length()
        self.places = min(places, np.finfo(self.dtype).nmant)
        line -= 0 if self.folded else self.low
        self.column, self.line = column[:, None, :], line[:, :, None]
        if not self.folded:
            self.column, self.line = self._whole(self.column), self._whole(self.line)

    def _whole(self, position: NDArray) -> NDArray:
        return np.rint(position * 2.0**self.places).astype(self.whole_dtype)

    def split(self, chunk: slice) -> tuple[NDArray, NDArray]:
        """Return the pixel at or before each position, counted from ``low``, and the rest."""
        position = self.line[chunk] + self.column[chunk]
        if self.folded:
            position = _fold_position(position, self.size, self.fill_mode)
            position = self._whole(position - self.low)
        pixel = position >> self.places
        position &= (1 << self.places) - 1
        rest = position.astype(self.dtype)
        rest *= 0.5**self.places
        return pixel, rest


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
        left, top = -column_range[0], -line_range[0]
        # Where the image stands, and around it the fill.
        self.columns = slice(left * channels, (left + width) * channels)
        self.lines = slice(top, top + height)
        self.constant = fill_mode == "constant"
        source = _flat_columns(fold(columns, width, fill_mode)[None], channels)[0]
        self.beside = [
            (place, source[place])
            for place in (slice(0, self.columns.start), slice(self.columns.stop, None))
        ]
        self.outside = np.flatnonzero(~_inside(lines, height))
        self.source_lines = top + fold(lines[self.outside], height, fill_mode)
        shape = (size, len(lines), len(columns) * channels)
        # A constant fill is written once: only the images change.
        self.buffer = np.full(shape, fill_value if self.constant else 0, images.dtype)

    def __call__(self, images: NDArray) -> NDArray:
        """Return the widened images, (n, lines, columns * channels)."""
        flat = images.reshape(*images.shape[:2], -1)
        wide = self.buffer[: len(images)]
        inner = wide[:, self.lines]
        inner[..., self.columns] = flat
        if not self.constant:
            for place, source in self.beside:
                inner[..., place] = flat.take(source, axis=2, mode="wrap")
            wide[:, self.outside] = wide.take(self.source_lines, axis=1, mode="wrap")
        return wide


def _fold_position(position: NDArray, size: int, fill_mode: str) -> NDArray:
    if fill_mode == "reflect":
        return position % (2 * size)
    if fill_mode == "wrap":
        return position % size
    return np.clip(position, -1, size)
