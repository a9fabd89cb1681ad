"""Weights with their gradients beside them, and what it means that they can be frozen."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

from reglib import config, regularizers
from reglib._arguments import Array, Choice, Flag, Function, Identifier, Text, arguments
from reglib._typing import ArrayLike

FLOATS = ("float32", "float64")
NUMBERS = (
    *("float16", *FLOATS, "bool"),
    *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
)


class Trainable:
    """What an optimizer may change, or leaves alone because it is frozen.

    ``Trainable.changes`` counts how often that was set anywhere: so a model knows without
    looking at every weight whether what it has prepared for its steps still holds.
    """

    changes = 0
    _trainable = True

    @property
    def trainable(self) -> bool:
        """Whether an optimizer may change it; what is set holds for all parts as well."""
        return self._trainable

    @trainable.setter
    @arguments(trainable=Flag())
    def trainable(self, trainable: bool) -> None:
        self._trainable = trainable
        Trainable.changes += 1
        for part in self.trainable_parts():
            part.trainable = trainable

    def trainable_parts(self) -> Iterable[Trainable]:
        """Return what is frozen with it."""
        return ()


def checked_dtype(dtype: Any, among: tuple[str, ...] = FLOATS) -> str:
    """Return the name of a dtype, by default of one that weights may have."""
    with contextlib.suppress(TypeError, ValueError):
        dtype = np.dtype(dtype).name
    return Choice(*among).check("dtype", dtype)


def number_dtype(dtype: Any) -> str:
    """Return the name of a dtype that inputs may have."""
    return checked_dtype(dtype, NUMBERS)


@arguments(
    value=Array(),
    name=Text(),
    regularizer=Function(),
    constraint=Function(),
    trainable=Flag(),
    dtype=Identifier(checked_dtype),
)
class Parameter(Trainable, NDArrayOperatorsMixin):
    """One array of weights with its gradient, its penalty and its constraint.

    It can be calculated with as if it were its value.

    Parameters
    ----------
    value : array_like
        The initial weights.
    name : str
        What the weights are called within their layer: ``kernel``, ``bias``.
    regularizer : callable, optional
        Penalty that a model adds to its loss.
    constraint : callable, optional
        Projection that an optimizer applies after its step.
    trainable : bool
        Whether an optimizer changes the value.
    dtype : optional
        By default the dtype of ``value``, or float32 where that holds no floats.

    Examples
    --------
    >>> weights = Parameter([[1.0, 2.0]], name="kernel")
    >>> weights.shape, weights.gradient
    ((1, 2), array([[0., 0.]]))
    """

    def __init__(
        self,
        value: ArrayLike,
        *,
        name: str = "parameter",
        regularizer: Any = None,
        constraint: Any = None,
        trainable: bool = True,
        dtype: Any = None,
    ) -> None:
        array = value
        if dtype is not None:
            array = array.astype(checked_dtype(dtype))
        elif array.dtype.kind != "f":
            array = array.astype(config.floatx())
        self.value: NDArray = array.copy()
        self.gradient: NDArray = np.zeros_like(array)
        self.name = name
        self.regularizer = differentiable("regularizer", regularizer)
        self.constraint = constraint
        self._trainable = trainable

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return self.value.shape

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the value."""
        return self.value.dtype

    def assign(self, value: ArrayLike) -> None:
        """Overwrite the value in place.

        Raises
        ------
        TypeError
            If ``value`` holds no numbers.
        ValueError
            If the shape differs.
        """
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{self.name} must hold numbers, got dtype {array.dtype}")
        if array.shape != self.shape:
            raise ValueError(f"{self.name} must have shape {self.shape}, got {array.shape}")
        self.value[...] = array

    @arguments(value=Array(empty=True, nan=True))
    def assign_add(self, value: ArrayLike) -> None:
        """Add to the value in place."""
        self.assign(self.value + value)

    @arguments(value=Array(empty=True, nan=True))
    def assign_sub(self, value: ArrayLike) -> None:
        """Subtract from the value in place."""
        self.assign(self.value - value)

    def bind(self, value: NDArray, gradient: NDArray) -> None:
        """Move value and gradient into the given arrays, which keep them from now on."""
        value[...] = self.value
        gradient[...] = self.gradient
        self.value, self.gradient = value, gradient

    def numpy(self) -> NDArray:
        """Return a copy of the value."""
        return self.value.copy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray:
        return np.array(self.value, dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if any(x is self for x in options.get("out", ())):
            return NotImplemented
        values = (x.value if isinstance(x, Parameter) else x for x in inputs)
        return getattr(ufunc, method)(*values, **options)

    def __float__(self) -> float:
        return float(self.value)

    def __getitem__(self, part: Any) -> NDArray:
        return self.value[part]

    def __len__(self) -> int:
        return len(self.value)

    # Two with equal values are two all the same: a model tells its weights apart.

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<Parameter {self.name}, shape={self.shape}, dtype={self.dtype}>"


class HasWeights(Trainable):
    """What has parameters of its own or within: a layer or a model.

    As in Keras, what is frozen as a whole has no trainable weights; but a part of it that was
    freed since is trained by a model around it.
    """

    @property
    def weights(self) -> list[Parameter]:
        """All parameters."""
        raise NotImplementedError

    @property
    def unfrozen_weights(self) -> list[Parameter]:
        """The parameters that are not frozen themselves: a model around trains them."""
        return [parameter for parameter in self.weights if parameter.trainable]

    @property
    def trainable_weights(self) -> list[Parameter]:
        """The parameters that an optimizer changes."""
        return self.unfrozen_weights if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Parameter]:
        """The parameters that no optimizer changes."""
        trainable = set(map(id, self.trainable_weights))
        return [parameter for parameter in self.weights if id(parameter) not in trainable]

    # Keras's other names.

    @property
    def variables(self) -> list[Parameter]:
        """All parameters."""
        return self.weights

    @property
    def trainable_variables(self) -> list[Parameter]:
        """The parameters that an optimizer changes."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Parameter]:
        """The parameters that no optimizer changes."""
        return self.non_trainable_weights


def differentiable(name: str, regularizer: Any) -> Any:
    """Return a penalty that weights are trained with, or None.

    Raises
    ------
    TypeError
        If it has no derivative, as a mere function has none.
    """
    missing = regularizers.Regularizer.gradient
    if regularizer is not None and getattr(type(regularizer), "gradient", missing) is missing:
        raise TypeError(
            f"{name} must have its derivative, gradient(w), beside its value: derive a class from "
            "regularizers.Regularizer and define both, got "
            f"{getattr(regularizer, '__name__', type(regularizer).__name__)}"
        )
    return regularizer
