"""Looking at images from elsewhere: perspective."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reglib._validation import check_choice, check_number
from reglib.layers.augmentation._warp import INTERPOLATIONS, by_chunk, sample_at, sample_transpose
from reglib.layers.augmentation.base import AugmentationLayer, check_factor


def homography(source: ArrayLike, target: ArrayLike) -> NDArray:
    r"""Return the perspective maps that send four points each to four others, (N, 3, 3).

    :math:`(x, y)` goes to :math:`(u/w, v/w)` with :math:`(u, v, w) = M (x, y, 1)` and
    :math:`M_{33} = 1`: eight unknowns, two equations a point.

    Parameters
    ----------
    source, target : array_like
        (N, 4, 2), the points x, y.

    Raises
    ------
    ValueError
        If three of the points lie on a line, so that no map sends them.

    Examples
    --------
    >>> square = np.array([[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]])
    >>> homography(square, square + 2)[0].round(9) + 0.0
    array([[1., 0., 2.],
           [0., 1., 2.],
           [0., 0., 1.]])
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    x, y = source[..., 0], source[..., 1]
    one, zero = np.ones_like(x), np.zeros_like(x)
    rows = []
    for goal, own in ((target[..., 0], (x, y, one)), (target[..., 1], (zero, zero, zero))):
        other = (zero, zero, zero) if own[0] is x else (x, y, one)
        rows.append(np.stack([*own, *other, -goal * x, -goal * y], axis=-1))
    equations = np.concatenate(rows, axis=1)
    goals = np.concatenate([target[..., 0], target[..., 1]], axis=1)
    try:
        eight = np.linalg.solve(equations, goals[..., None])[..., 0]
    except np.linalg.LinAlgError:
        raise ValueError("source must hold no three points on a line, got some") from None
    return np.concatenate([eight, one[:, :1]], axis=1).reshape(-1, 3, 3)


class RandomPerspective(AugmentationLayer):
    r"""Show some images as if the camera stood elsewhere: straight lines stay straight.

    Each corner :math:`p` of the image moves to :math:`p + u p` with :math:`u` uniform in
    :math:`[-s/2, s/2]` for each coordinate.

    Parameters
    ----------
    factor : float or pair of floats in [0, 1]
        Range of the probability that an image is changed; a number b stands for (0, b).
    scale : float in [0, 1]
        :math:`s`, how far the corners move at most.
    interpolation : str
        ``"bilinear"`` or ``"nearest"``; masks take the nearest pixel.
    fill_value : float
        What lies outside.
    seed, data_format, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described (Keras raises NotImplementedError for an unknown
        interpolation), or images are less than two pixels wide or high.

    Notes
    -----
    As in Keras, the default ``factor`` of 1 changes about half of the images, write (1, 1) for
    all; and the upper left corner, at (0, 0), stays where it is.

    References
    ----------
    ``keras.layers.RandomPerspective``.

    Examples
    --------
    >>> RandomPerspective(seed=0)(np.ones((2, 4, 4, 1))).shape
    (2, 4, 4, 1)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = check_factor("factor", factor, 0, 1, symmetric=False, strict=False)
        self.scale = check_number("scale", scale, low=0, high=1)
        self.interpolation = check_choice("interpolation", interpolation, INTERPOLATIONS)
        self.fill_value = check_number("fill_value", fill_value)

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> dict[str, Any]:
        number, (height, width) = shape[0], self._size(shape)
        probability = self._uniform(generator, (number,), *self.factor)
        right, down = width - 1, height - 1
        corners = np.array([[0, 0], [right, 0], [0, down], [right, down]], self.dtype)
        moved = self._uniform(generator, (number, 4, 2), -0.5 * self.scale, 0.5 * self.scale)
        return {
            "apply_perspective": self._uniform(generator, (number,)) < probability,
            "start_points": np.tile(corners, (number, 1, 1)),
            "end_points": corners + corners * moved,
            "input_shape": shape,
        }

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        return self._seen(images, transformation, self.interpolation)

    def _transform_masks(self, masks: NDArray, transformation: Any) -> NDArray:
        return self._seen(masks, transformation, "nearest")

    def _seen(self, images: NDArray, transformation: Any, interpolation: str) -> NDArray:
        images = self._last(images)
        changed, x, y = self._positions(images.shape, transformation)

        def look(images: NDArray, x: NDArray, y: NDArray) -> NDArray:
            return sample_at(images, x, y, interpolation, "constant", self.fill_value)

        outputs = images.copy()
        if changed.any():
            outputs[changed] = by_chunk(look, images[changed], x, y)
        return self._restored(outputs)

    def _transpose(self, gradient: NDArray, transformation: Any) -> NDArray:
        result = self._last(gradient).copy()
        changed, x, y = self._positions(result.shape, transformation)
        if changed.any():
            result[changed] = sample_transpose(result[changed], x, y, self.interpolation)
        return self._restored(result)

    def _positions(
        self, shape: tuple[int, ...], transformation: Any
    ) -> tuple[NDArray, NDArray, NDArray]:
        """Return which images change, and where the outputs of those look, (n, H, W)."""
        _, height, width, _ = shape
        if min(height, width) < 2:
            raise ValueError(f"images must be 2 pixels wide and high, got {width} and {height}")
        changed = np.asarray(transformation["apply_perspective"], bool)
        ends, starts = (
            np.asarray(transformation[key])[changed] for key in ("end_points", "start_points")
        )
        maps = homography(ends, starts)
        pixels = np.stack(np.broadcast_arrays(np.arange(width), np.arange(height)[:, None], 1.0))
        u, v, w = (maps @ pixels.reshape(3, -1)).reshape(-1, 3, height, width).swapaxes(0, 1)
        return changed, u / w, v / w

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "factor": self.factor,
            "scale": self.scale,
            "interpolation": self.interpolation,
            "fill_value": self.fill_value,
        }
