r"""Inputs on one scale, once and for all: :math:`(x - \mu) / \sigma` of the data before training.

The means and variances belong to the model, so that what it is given later is measured by the
training data. Batch normalization, in contrast, learns them while the model trains.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import initializers
from reglib._arguments import Array, Axis, Flag, arguments
from reglib._typing import ArrayLike, Lengths
from reglib._validation import check_array
from reglib.layers.base import Layer
from reglib.losses.base import EPSILON


@arguments(axis=Axis(empty=True) | None, mean=Array(), variance=Array(), invert=Flag())
class Normalization(Layer):
    r"""Means of 0 and variances of 1: :math:`(x - \mu) / \max(\sigma, 10^{-7})`.

    Parameters
    ----------
    axis : int, sequence of int or None
        The axes whose entries each have a mean and a variance of their own, by default the
        features; None: one of each for all.
    mean, variance : float or array_like, optional
        The numbers themselves, both or none; without them :meth:`adapt` finds them in data.
    invert : bool
        Whether to go back, :math:`\mu + x\,\sigma`.
    **kwargs
        ``name``, ``dtype``, ``trainable``, ``input_shape``, as for every layer.

    Raises
    ------
    ValueError
        If only one of ``mean`` and ``variance`` is given, or their shapes do not fit; when it is
        built, if inputs do not have the axes, or not with a fixed length.

    References
    ----------
    ``keras.layers.Normalization``; LeCun et al. (1998), "Efficient backprop", section 4.3.

    Examples
    --------
    >>> layer = Normalization()
    >>> layer.adapt(np.array([[0.0, 7.0], [2.0, 9.0], [4.0, 8.0], [2.0, 8.0]]))
    >>> layer(np.array([[2.0, 8.0]]))
    array([[0., 0.]], dtype=float32)
    """

    supports_masking = True

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: ArrayLike | None = None,
        variance: ArrayLike | None = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if axis is None or axis in ((), []):  # as its own configuration has it
            self.axis: tuple[int, ...] = ()
        else:
            self.axis = (axis,) if isinstance(axis, int) else tuple(axis)
        if (mean is None) != (variance is None):
            raise ValueError(
                f"mean and variance must both be given or neither, got {mean=} and {variance=}"
            )
        self.given = None if mean is None else self._checked(mean, variance)
        self.invert = invert
        self.mean: Any = None
        self.variance: Any = None

    def _checked(self, mean: ArrayLike, variance: ArrayLike) -> tuple[NDArray, NDArray]:
        if mean.shape != variance.shape or mean.ndim > len(self.axis):
            raise ValueError(
                f"mean and variance must have one shape, of at most {len(self.axis)} axes, "
                f"got {mean.shape} and {variance.shape}"
            )
        if (variance < 0).any():
            raise ValueError(f"variance must be at least 0, got {variance.tolist()}")
        return mean, variance

    def build(self, input_shape: Lengths) -> None:
        """Note which axes are kept, and make the weights that :meth:`adapt` fills."""
        ndim = len(input_shape)
        if any(not -ndim <= axis < ndim for axis in self.axis):
            raise ValueError(
                f"axis must be of inputs of shape {tuple(input_shape)}, got {self.axis}"
            )
        self.kept = tuple(sorted(axis % ndim for axis in self.axis))
        self.reduced = tuple(axis for axis in range(ndim) if axis not in self.kept)
        lengths = tuple(input_shape[axis] for axis in self.kept)
        if None in lengths:
            raise ValueError(
                f"axis must be of a fixed length in inputs of shape {tuple(input_shape)}, "
                f"got {self.axis}"
            )
        self.lengths = lengths
        # Where no axis is kept, one number goes with inputs of any number of axes.
        self._broadcast = tuple(
            n if axis in self.kept else 1 for axis, n in enumerate(input_shape) if self.kept
        )
        if self.given is None:
            self.mean_initializer = self.count_initializer = initializers.Zeros()
            self.variance_initializer = initializers.Ones()
            self._found = [
                self.add_weight(lengths, name=name, trainable=False)
                for name in ("mean", "variance")
            ]
            self._count = self.add_weight(name="count", trainable=False)
            self.mean, self.variance = (
                weight.value.reshape(self._broadcast) for weight in self._found
            )
        else:
            self.mean, self.variance = (
                self._spread(values).astype(self.dtype) for values in self.given
            )

    def _spread(self, values: NDArray) -> NDArray:
        """Return given numbers in a shape that goes with the inputs: the last axes are theirs."""
        shape = [1] * len(self._broadcast)
        for axis, length in zip(self.kept[::-1], values.shape[::-1], strict=False):
            shape[axis] = length
        return np.broadcast_to(values.reshape(shape), self._broadcast)

    def adapt(self, data: ArrayLike | Iterable[Any]) -> None:
        """Find the means and variances in data.

        Parameters
        ----------
        data : array_like or iterable of batches
            One array, or arrays one by one, as a list or a generator has them; of a tuple, such
            as (inputs, targets), the first counts.

        Raises
        ------
        TypeError
            If there are no arrays in it.
        ValueError
            If there is nothing in it, the shapes do not fit, or a number is NaN or infinite; or
            if the layer was given its numbers.
        """
        if self.given is not None:
            raise ValueError("adapt must be called without mean and variance, got both")
        count, mean, variance = 0, 0.0, 0.0
        for batch in _batches(data):
            self.ensure_built((None, *batch.shape[1:]))
            self._check_lengths("data", batch.shape)
            # Of two groups together: what is between their means adds to what is within them.
            number = batch.size // max(int(np.prod(self.lengths)), 1)
            share = number / (count + number)
            axes = self.reduced if self.kept else None
            apart = batch.mean(axis=axes, dtype="float64") - mean
            within = batch.var(axis=axes, dtype="float64")
            variance = (1 - share) * variance + share * within + share * (1 - share) * apart**2
            mean = mean + share * apart
            count += number
        if not count:
            raise ValueError("data must not be empty, got no batch")
        for weight, value in zip((*self._found, self._count), (mean, variance, 0), strict=True):
            weight.value[...] = value

    def _check_lengths(self, what: str, shape: tuple[int, ...]) -> None:
        fits = len(shape) == len(self._broadcast) or not self.kept
        if not fits or tuple(shape[axis] for axis in self.kept) != self.lengths:
            raise ValueError(
                f"{what} must have {len(self._broadcast)} axes, with the lengths {self.lengths} "
                f"along {self.kept}, got shape {tuple(shape)}"
            )

    def _deviation(self) -> NDArray:
        return np.maximum(np.sqrt(self.variance), np.asarray(EPSILON, self.variance.dtype))

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return the inputs on the other scale."""
        self._check_lengths("inputs", inputs.shape)
        if self.invert:
            return self.mean + inputs * self._deviation()
        return (inputs - self.mean) / self._deviation()

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient with respect to the inputs."""
        return gradient * self._deviation() if self.invert else gradient / self._deviation()

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        mean, variance = (None, None) if self.given is None else (g.tolist() for g in self.given)
        return {
            **super().get_config(),
            "axis": self.axis,
            "mean": mean,
            "variance": variance,
            "invert": self.invert,
        }


def _batches(data: Any) -> Iterator[NDArray]:
    """Yield arrays: one, or those of an iterable of arrays, or of tuples that begin with one."""
    if hasattr(data, "shape"):
        yield check_array("data", data)
        return
    if not isinstance(data, Iterable) or isinstance(data, (str, dict)):
        raise TypeError(f"data must be an array or batches, got {data!r}")
    for batch in data:
        inputs = batch[0] if isinstance(batch, tuple) and batch else batch
        if not hasattr(inputs, "shape"):
            raise TypeError(f"data must be arrays with a shape, got {inputs!r}")
        yield check_array("data", inputs)
