"""What every metric shares, and the sums and means that most of them are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import _serialization
from reglib._arguments import Function, Identifier, Shape, Text, arguments
from reglib._timestep_masks import mask_of
from reglib._typing import ArrayLike
from reglib.losses.base import weights_for


def as_numbers(name: str, value: ArrayLike) -> NDArray:
    """Return an array of numbers.

    Raises
    ------
    TypeError
        If ``value`` holds something else.
    """
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold numbers, got dtype {array.dtype}")
    return array


def _dtype(dtype: Any) -> str:
    """Return the name of a dtype of numbers."""
    try:
        found = np.dtype(dtype)
    except (TypeError, ValueError):
        raise TypeError(f"dtype must be a dtype or None, got {dtype!r}") from None
    if found.kind in "MOSUm":
        raise ValueError(f"dtype must be one of numbers, got {dtype!r}")
    return found.name


@arguments(dtype=Identifier(_dtype), name=Text())
class Metric(_serialization.Described):
    """Base of all metrics: numbers that are gathered batch by batch.

    A subclass gives ``reset_state``, ``update_state`` and ``result``; ``_direction`` says
    whether ``"up"`` or ``"down"`` is better, which callbacks with ``mode="auto"`` ask.

    Parameters
    ----------
    dtype : optional
        What the values are converted to before they are gathered; by default they stay as they
        are. Sums are kept in float64 all the same.
    name : str, optional
        The key in the logs.

    Raises
    ------
    TypeError
        If ``dtype`` is no dtype or ``name`` no string.
    """

    _direction: str | None = None
    given_name: str  # what it was called before a compile told it apart from others

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = type(self).__name__ if name is None else name
        self._dtype = dtype
        self.variables: list[Any] = []
        if _serialization.is_of_library(type(self)):
            self.reset_state()

    @arguments(shape=Shape(low=0), name=Text())
    def add_weight(
        self, shape: Sequence[int] = (), initializer: Any = "zeros", name: str = "variable"
    ) -> Any:
        """Return a variable for a metric of your own: :meth:`reset_state` sets it to 0."""
        from reglib import initializers  # here, as a metric of the library needs neither
        from reglib.layers.parameter import Parameter

        make: Any = initializers.get(initializer)
        start = make(tuple(shape), dtype="float32")
        self.variables.append(Parameter(start, name=name))
        return self.variables[-1]

    add_variable = add_weight

    @property
    def dtype(self) -> str | None:
        """The name of the dtype that values are converted to, if any."""
        return self._dtype

    def reset_state(self) -> None:
        """Forget what was seen; of a metric of your own, the variables."""
        if not self.variables:
            raise NotImplementedError(f"{type(self).__name__} must define reset_state")
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape))

    def update_state(self, *arguments: Any, **options: Any) -> None:
        """Add a batch."""
        raise NotImplementedError(f"{type(self).__name__} must define update_state")

    def result(self) -> Any:
        """Return what came out so far."""
        raise NotImplementedError(f"{type(self).__name__} must define result")

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Add a batch and return what came out so far."""
        self.update_state(*arguments, **options)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {"name": self.name, "dtype": self.dtype}


class Mean(Metric):
    """A running mean.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    Examples
    --------
    >>> Mean()([1, 3, 5, 7], sample_weight=[1, 1, 0, 0])
    2.0
    """

    def __init__(self, name: str = "mean", dtype: Any = None) -> None:
        super().__init__(dtype, name)

    def reset_state(self) -> None:
        """Forget what was seen."""
        self.total, self.count = 0.0, 0.0

    def update_state(self, values: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add values, each as often as its weight says; a weight stands for whole examples.

        Raises
        ------
        TypeError
            If values or weights are no numbers.
        ValueError
            If the weights do not fit.
        """
        values = as_numbers("values", values)
        if self._dtype is not None:
            values = values.astype(self._dtype)
        if sample_weight is None:
            self.total += float(values.sum(dtype="float64"))
            self.count += values.size
            return
        weights = np.broadcast_to(weights_for(values.shape, "float64", sample_weight), values.shape)
        self.total += float((values * weights).sum())
        self.count += float(weights.sum())

    def result(self) -> float:
        """Return the mean so far, 0 when nothing was seen."""
        return self.total / self.count if self.count else 0.0


class Sum(Mean):
    """A running sum.

    Parameters
    ----------
    name : str
        The key in the logs.
    dtype : optional
        As for :class:`Metric`.

    Examples
    --------
    >>> Sum()([1, 3, 5, 7], sample_weight=[1, 1, 0, 0])
    4.0
    """

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def result(self) -> float:
        """Return the sum so far."""
        return self.total


@arguments(fn=Function())
class MeanMetricWrapper(Mean):
    """The running mean of a function of targets and predictions.

    Parameters
    ----------
    fn : callable
        ``fn(y_true, y_pred, **kwargs)`` returns numbers, one an example or more.
    name : str, optional
        The key in the logs; by default the function's name.
    dtype : optional
        As for :class:`Metric`.
    **kwargs
        Options of the function.

    Raises
    ------
    TypeError
        If ``fn`` cannot be called.

    Examples
    --------
    >>> MeanMetricWrapper(lambda y_true, y_pred: abs(y_pred - y_true))([1.0, 2.0], [1.0, 3.0])
    0.5
    """

    def __init__(
        self, fn: Callable[..., NDArray], name: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        self._fn = fn
        self._options = kwargs
        named = getattr(fn, "__name__", type(fn).__name__)
        super().__init__(named if name is None else name, dtype)

    def update_state(  # type: ignore[override]  # a Mean takes values
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add a batch; where predictions have a mask, what is masked does not count."""
        mask = mask_of(y_pred)
        values = self._fn(np.asarray(y_true), np.asarray(y_pred), **self._options)
        if mask is not None:
            counts = weights_for(np.shape(values), "float64", mask, name="mask")
            if sample_weight is not None:
                counts = counts * weights_for(np.shape(values), "float64", sample_weight)
            sample_weight = counts
        super().update_state(values, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; the function is not plain data."""
        return {**super().get_config(), "fn": self._fn, **self._options}


class Named(MeanMetricWrapper):
    """Base of metrics that are the mean of one function: its options are the configuration."""

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = super().get_config()
        del config["fn"]
        return config
