"""Layers that make one of several inputs, and the same in one call: ``add([a, b])``.

Each function takes a list of arrays, or of nodes of a functional model, and the arguments of its
layer, ``name`` and ``dtype`` among them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Instance, Integer, arguments
from reglib._timestep_masks import as_truth, expanded, mask_of
from reglib._typing import ArrayLike, Lengths
from reglib.layers.base import Layer, Node

Lengths = Lengths


class _Merge(Layer):
    """What makes one of several inputs: it is called with a list."""

    supports_masking = True

    def __call__(self, inputs: Any, training: bool | None = None, **options: Any) -> Any:
        """Return the merged outputs of several batches, or a node of several nodes.

        Raises
        ------
        TypeError
            If ``inputs`` is no list.
        ValueError
            If there are fewer than two inputs, or their shapes do not fit.
        """
        Instance((list, tuple), "a list of inputs").check(f"inputs of layer {self.name}", inputs)
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

    def compute_mask(self, inputs: Any, mask: Any = None) -> NDArray | None:
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
            Instance((list, tuple), "a list, with an entry for each input").check(name, value)
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
    known = [mask for mask in masks if mask is not None]
    return np.logical_or.reduce(known) if len(known) == len(masks) else None


def _summed(gradient: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Return the gradient summed over the axes along which ``shape`` has length 1."""
    if gradient.shape == shape:
        return gradient
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and gradient.shape[i] != 1)
    return gradient.sum(axis=axes, keepdims=True)


class Add(_Elementwise):
    """The sum of several inputs: where a residual branch meets the trunk.

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
            shape = x.shape if isinstance(x, Node) else np.shape(x)
            if mask is None:
                parts.append(np.ones(shape, dtype=bool))
            else:
                full = (*mask.shape, *shape[mask.ndim :])
                parts.append(np.broadcast_to(expanded(mask, len(shape)), full))
        return np.asarray(np.concatenate(parts, axis=self.axis).any(axis=-1))

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


def add(inputs: Sequence[ArrayLike | Node], **kwargs: Any) -> NDArray | Node:
    """Return the sum of several inputs, as :class:`Add` does.

    Examples
    --------
    >>> add([[[1.0]], [[2.0]]]).tolist()
    [[3.0]]
    """
    return Add(**kwargs)(inputs)


def multiply(inputs: Sequence[ArrayLike | Node], **kwargs: Any) -> NDArray | Node:
    """Return the product of several inputs, entry by entry, as :class:`Multiply` does.

    Examples
    --------
    >>> multiply([[[3.0]], [[2.0]]]).tolist()
    [[6.0]]
    """
    return Multiply(**kwargs)(inputs)


def average(inputs: Sequence[ArrayLike | Node], **kwargs: Any) -> NDArray | Node:
    """Return the mean of several inputs, as :class:`Average` does.

    Examples
    --------
    >>> average([[[1.0]], [[2.0]]]).tolist()
    [[1.5]]
    """
    return Average(**kwargs)(inputs)


def concatenate(
    inputs: Sequence[ArrayLike | Node], axis: int = -1, **kwargs: Any
) -> NDArray | Node:
    """Return several inputs side by side along an axis, as :class:`Concatenate` does.

    Examples
    --------
    >>> concatenate([[[1.0]], [[2.0, 3.0]]]).tolist()
    [[1.0, 2.0, 3.0]]
    """
    return Concatenate(axis=axis, **kwargs)(inputs)
