"""Where branches begin and meet: Input and the layers that make one of several inputs."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Integer, Shape, arguments
from reglib._timestep_masks import as_truth, expanded, mask_of
from reglib._typing import ArrayLike
from reglib._validation import check_instance
from reglib.layers.base import Layer, Node

Lengths = tuple[int | None, ...]


@arguments(shape=Shape(), batch_size=Integer(">= 1"), batch_shape=Shape())
class InputLayer(Layer):
    """The place where a batch enters a model; it passes it on.

    Parameters
    ----------
    shape : sequence of int
        The shape of one example.
    batch_size : int, optional
        How many examples a batch is said to have; batches of other sizes pass as well.
    batch_shape : sequence of int, optional
        Both in one, instead.

    Raises
    ------
    TypeError
        If a shape holds no integers.
    ValueError
        If there is no shape, or there are two.
    """

    supports_masking = True

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: str | None = None,
        batch_shape: Sequence[int | None] | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if batch_shape is not None:
            if shape is not None or batch_size is not None:
                raise ValueError("batch_shape must be given alone, got shape or batch_size besides")
            batch_size, *shape = batch_shape
        if shape is None:
            raise ValueError("shape must be that of one example, got None")
        self.shape = shape
        self.batch_shape = (batch_size, *self.shape)
        super().__init__(input_shape=self.shape, name=name, **kwargs)
        if dtype is not None:
            # Inputs may be whole numbers, as those of an Embedding are; weights may not.
            self.numpy_dtype = _checked_dtype(dtype)
            self.dtype = self.numpy_dtype.name

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return the inputs."""
        return inputs

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient."""
        return gradient

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = super().get_config()
        return {**config, "batch_shape": self.batch_shape}


def _checked_dtype(dtype: Any) -> np.dtype:
    """Return a dtype that inputs may have."""
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = np.dtype(object)
    if found.kind not in "biuf":
        raise ValueError(f"dtype must be one of numbers, got {dtype!r}")
    return found


def Input(  # noqa: N802 - Keras's name
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
) -> Node:
    """Return the node that a functional model starts from.

    Parameters
    ----------
    shape : sequence of int
        The shape of one example.
    batch_size : int, optional
        How many examples a batch is said to have; batches of other sizes pass as well.
    dtype : str, optional
        What inputs are cast to.
    batch_shape : sequence of int, optional
        The shape of a batch, instead of ``shape`` and ``batch_size``.
    name : str, optional
        What the input is called.

    Raises
    ------
    TypeError
        If a shape holds no integers.
    ValueError
        If there is no shape, or there are two.

    Examples
    --------
    >>> Input((8, 8, 1)).shape
    (None, 8, 8, 1)
    """
    layer = InputLayer(shape, batch_size, dtype, batch_shape, name)
    return Node(layer, (), layer.batch_shape)


class _Merge(Layer):
    """What makes one of several inputs: it is called with a list."""

    supports_masking = True

    def __call__(
        self, inputs: Sequence[ArrayLike | Node], training: bool | None = None
    ) -> NDArray | Node:
        """Return the merged outputs of several batches, or a node of several nodes.

        Raises
        ------
        TypeError
            If ``inputs`` is no list.
        ValueError
            If there are fewer than two inputs, or their shapes do not fit.
        """
        check_instance(f"inputs of layer {self.name}", inputs, (list, tuple), "a list of inputs")
        if len(inputs) < 2:
            raise ValueError(f"inputs of layer {self.name} must be at least 2, got {len(inputs)}")
        if isinstance(inputs[0], Node):
            shape = self.compute_output_shape([node.shape for node in inputs])
            return Node(self, tuple(inputs), shape, training=training)
        masks = [mask_of(x) for x in inputs]
        inputs = [self.cast(x) for x in inputs]
        if not self.built:
            self.ensure_built([x.shape for x in inputs])
        self.compute_output_shape([x.shape for x in inputs])
        training = self._told(training)
        if any(mask is not None for mask in masks):
            return self._call_with_mask(inputs, masks, training)
        return self._finish(self.call(inputs, training=training))

    def compute_mask(
        self, inputs: Sequence[ArrayLike], mask: Sequence[ArrayLike | None] | None = None
    ) -> NDArray | None:
        """Return the mask of the outputs, given those of the inputs.

        Raises
        ------
        TypeError
            If ``inputs`` or ``mask`` is no list.
        ValueError
            If there are not as many masks as inputs.
        """
        if mask is None:
            return None
        for name, value in (("mask", mask), ("inputs", inputs)):
            check_instance(name, value, (list, tuple), "a list, with an entry for each input")
        if len(mask) != len(inputs):
            raise ValueError(f"mask must have an entry for each of inputs, got {len(mask)}")
        if all(one is None for one in mask):
            return None
        return self._merge_masks(inputs, [one if one is None else as_truth(one) for one in mask])

    def _merge_masks(
        self, inputs: Sequence[ArrayLike], masks: list[NDArray | None]
    ) -> NDArray | None:
        """Return where any input counts; None if there is one without a mask."""
        return _any(masks)

    def _misfit(self, what: str, shapes: Sequence[Lengths]) -> ValueError:
        return ValueError(f"inputs of layer {self.name} must {what}, got {list(shapes)}")


class _Elementwise(_Merge):
    """What merges entry by entry: inputs of one shape, or such that broadcast to one.

    An input with fewer axes gets new ones after the batch axis, as in Keras.
    """

    def merge(self, inputs: list[NDArray]) -> NDArray:
        """Return the merged array."""
        raise NotImplementedError(f"{type(self).__name__} must define merge")

    def derivatives(self, gradient: NDArray) -> list[NDArray]:
        """Return the gradient with respect to each input, as broadcast."""
        raise NotImplementedError(f"{type(self).__name__} must define derivatives")

    def _leave_out(self, inputs: list[NDArray], masks: list[NDArray | None]) -> list[NDArray]:
        """Return the inputs such that entries count only where the masks say.

        In sums and means every entry counts, as in Keras.
        """
        return inputs

    def call(
        self,
        inputs: list[NDArray],
        training: bool = False,
        mask: list[NDArray | None] | None = None,
    ) -> NDArray:
        """Return the merged array."""
        self._shapes = [x.shape for x in inputs]
        rank = max(map(len, self._shapes))
        self._inputs = [
            x if x.ndim == rank else np.expand_dims(x, tuple(range(1, 1 + rank - x.ndim)))
            for x in inputs
        ]
        self._counts: list[NDArray | None] | None = None
        if mask is not None:
            self._counts = [m if m is None else expanded(m, rank) for m in mask]
            self._inputs = self._leave_out(self._inputs, self._counts)
        return self.merge(self._inputs)

    def backward(self, gradient: NDArray) -> list[NDArray]:
        """Return each input's gradient; where an input was repeated, gradients add up."""
        parts = zip(self.derivatives(gradient), self._inputs, self._shapes, strict=True)
        return [_summed(part, x.shape).reshape(shape) for part, x, shape in parts]

    def compute_output_shape(self, input_shape: Sequence[Lengths]) -> Lengths:
        """Return the shape that all inputs broadcast to."""
        rank = max(map(len, input_shape))
        raised = [(s[0], *(1,) * (rank - len(s)), *s[1:]) for s in input_shape]
        lengths = []
        for axis, column in enumerate(zip(*raised, strict=True)):
            # A length of 1 is repeated, but for the batch; an unknown one may be any.
            known = set(column) - ({None} if axis == 0 else {None, 1})
            if len(known) > 1:
                raise self._misfit("have one shape, or lengths of 1", input_shape)
            unknown = None if None in column else 1
            lengths.append(known.pop() if known else unknown)
        return tuple(lengths)


def _any(masks: list[NDArray | None]) -> NDArray | None:
    """Return where one of the masks is true; None if there is an input without one."""
    if any(mask is None for mask in masks):
        return None
    return functools.reduce(np.logical_or, masks)


def _summed(gradient: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Return the gradient summed over the axes along which ``shape`` has length 1."""
    if gradient.shape == shape:
        return gradient
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and gradient.shape[i] != 1)
    return gradient.sum(axis=axes, keepdims=True)


class Add(_Elementwise):
    """The sum of several inputs: where a residual branch meets the trunk.

    Raises
    ------
    TypeError
        If it is not called with a list.
    ValueError
        If fewer than two inputs come, or their shapes do not fit.

    References
    ----------
    He et al. (2016), "Deep residual learning for image recognition"; ``keras.layers.Add``.

    Examples
    --------
    >>> Add()([np.ones((1, 2)), np.ones((1, 2))])
    array([[2., 2.]], dtype=float32)
    """

    def merge(self, inputs: list[NDArray]) -> NDArray:
        """Return the sum."""
        return sum(inputs[1:], start=inputs[0])

    def derivatives(self, gradient: NDArray) -> list[NDArray]:
        """Return the gradient, once for each input."""
        return [gradient] * len(self._inputs)


class Multiply(_Elementwise):
    """The product of several inputs, entry by entry: how one branch gates another.

    Raises
    ------
    TypeError
        If it is not called with a list.
    ValueError
        If fewer than two inputs come, or their shapes do not fit.

    References
    ----------
    ``keras.layers.Multiply``.

    Examples
    --------
    >>> Multiply()([np.array([[2.0, 3.0]]), np.array([[4.0, 0.5]])])
    array([[8. , 1.5]], dtype=float32)
    """

    def _leave_out(self, inputs: list[NDArray], masks: list[NDArray | None]) -> list[NDArray]:
        """Return the inputs with 1 for what does not count; where nothing does, one is 0."""
        kept = [
            x if mask is None else np.where(mask, x, x.dtype.type(1))
            for x, mask in zip(inputs, masks, strict=True)
        ]
        somewhere = _any(masks)
        if somewhere is not None:
            kept[0] = np.where(somewhere, kept[0], 0)
        return kept

    def merge(self, inputs: list[NDArray]) -> NDArray:
        """Return the product."""
        return math.prod(inputs[1:], start=inputs[0])

    def derivatives(self, gradient: NDArray) -> list[NDArray]:
        """Return the gradient times the product of the other inputs."""
        x = self._inputs
        parts = [math.prod(x[:i] + x[i + 1 :], start=gradient) for i in range(len(x))]
        if self._counts is None:
            return parts
        pairs = zip(parts, self._counts, strict=True)
        return [part if counts is None else part * counts for part, counts in pairs]


class Average(_Elementwise):
    """The mean of several inputs: an ensemble in one model.

    Raises
    ------
    TypeError
        If it is not called with a list.
    ValueError
        If fewer than two inputs come, or their shapes do not fit.

    References
    ----------
    ``keras.layers.Average``.

    Examples
    --------
    >>> Average()([np.array([[1.0, 2.0]]), np.array([[3.0, 6.0]])])
    array([[2., 4.]], dtype=float32)
    """

    def merge(self, inputs: list[NDArray]) -> NDArray:
        """Return the mean."""
        return sum(inputs[1:], start=inputs[0]) / len(inputs)

    def derivatives(self, gradient: NDArray) -> list[NDArray]:
        """Return each input's equal share of the gradient."""
        return [gradient / len(self._inputs)] * len(self._inputs)


@arguments(axis=Integer())
class Concatenate(_Merge):
    """Several inputs side by side along an axis.

    Parameters
    ----------
    axis : int
        Which one, by default the last.

    Raises
    ------
    TypeError
        If ``axis`` is no integer, or it is not called with a list.
    ValueError
        If fewer than two inputs come, or they differ in another axis.

    References
    ----------
    ``keras.layers.Concatenate``.

    Examples
    --------
    >>> Concatenate()([np.ones((1, 2)), np.zeros((1, 1))])
    array([[1., 1., 0.]], dtype=float32)
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: list[NDArray], training: bool = False) -> NDArray:
        """Return the inputs side by side."""
        self._ends = np.cumsum([x.shape[self.axis] for x in inputs])[:-1]
        return np.concatenate(inputs, axis=self.axis)

    def _merge_masks(self, inputs: Sequence[ArrayLike], masks: list[NDArray | None]) -> NDArray:
        """Return the masks side by side, true for an input without one.

        Along an axis that the masks lack a step counts if it does in any input.
        """
        parts = []
        for x, mask in zip(inputs, masks, strict=True):
            shape = np.shape(x)
            if mask is None:
                parts.append(np.ones(shape, dtype=bool))
            else:
                full = (*mask.shape, *shape[mask.ndim :])
                parts.append(np.broadcast_to(expanded(mask, len(shape)), full))
        return np.concatenate(parts, axis=self.axis).any(axis=-1)

    def backward(self, gradient: NDArray) -> list[NDArray]:
        """Return each input's part of the gradient."""
        return np.split(gradient, self._ends, axis=self.axis)

    def compute_output_shape(self, input_shape: Sequence[Lengths]) -> Lengths:
        """Return the shape of the outputs."""
        ranks = {len(shape) for shape in input_shape}
        if len(ranks) > 1 or not -min(ranks) <= self.axis < min(ranks):
            raise self._misfit(f"have one number of axes, and an axis {self.axis}", input_shape)
        axis = self.axis % ranks.pop()
        lengths = []
        for i, column in enumerate(zip(*input_shape, strict=True)):
            known = set(column) - {None}
            if i == axis:
                lengths.append(None if None in column else sum(column))
            elif len(known) > 1:
                raise self._misfit(f"differ in axis {self.axis} only", input_shape)
            else:
                lengths.append(known.pop() if known else None)
        return tuple(lengths)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "axis": self.axis}
