"""Where batches come from: arrays that are cut, datasets that are asked, and what is gone through.

A source says how many batches it has (``number``; None where nobody knows) and gives them once
through (``batches()``), each as inputs, targets and weights. A :class:`Feed` hands them out epoch
by epoch.
"""

from __future__ import annotations

import functools
import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Integer, Number
from reglib.models.inputs_and_outputs import Bundle, Data, map_arrays

Batch = tuple[Data, Data | None, NDArray | None]


class Source(Protocol):
    """Batches, once through; ``begins`` and ``ends`` are called around each epoch."""

    @property
    def number(self) -> int | None:
        """The number of batches, None where nobody knows."""

    @property
    def first(self) -> Data:
        """The inputs of the first batch."""

    def batches(self) -> Iterator[Batch]:
        """Yield inputs, targets and weights."""

    def begins(self) -> None:
        """Take note that an epoch begins."""

    def ends(self) -> None:
        """Take note that an epoch has ended."""


class Arrays:
    """Arrays of all examples, cut into batches.

    Parameters
    ----------
    x, y, weight : arrays or bundles of them
        Of equally many examples; targets and weights may be None.
    size : int
        Examples a batch.
    generator : numpy.random.Generator, optional
        Brings the examples into a new order each time.
    """

    def __init__(
        self,
        x: Data,
        y: Data | None,
        weight: NDArray | None,
        size: int,
        generator: np.random.Generator | None = None,
    ) -> None:
        self.whole = (x, y, weight)
        self.first, self.size, self.generator = x, size, generator
        self.number: int | None = math.ceil(len(x) / size)
        if generator is not None:
            self.copies = [_of_each(np.empty_like, data) for data in self.whole]

    def begins(self) -> None:
        """Do nothing: arrays stay as they are."""

    ends = begins

    def batches(self) -> Iterator[Batch]:
        """Yield views of the arrays, or of the one copy that has the new order."""
        whole: Any = self.whole
        if self.generator is not None:
            taken = functools.partial(_take, self.generator.permutation(len(self.first)))
            # One copy an epoch, so that every batch is a view; each time into the same memory.
            whole = [
                _of_each(taken, data, copy)
                for data, copy in zip(self.whole, self.copies, strict=True)
            ]
        x, y, weight = whole
        for start in range(0, len(x), self.size):
            part = slice(start, start + self.size)
            yield (
                x[part],
                None if y is None else y[part],
                None if weight is None else weight[part],
            )


def _of_each(function: Callable[..., NDArray], data: Data | None, *more: Any) -> Data | None:
    return None if data is None else map_arrays(function, data, *more)


def _take(order: NDArray, data: NDArray, copy: NDArray) -> NDArray:
    return np.take(data, order, axis=0, out=copy, mode="clip")


class Dataset:
    """An object that has a number of batches, ``len(dataset)``, and makes each, ``dataset[i]``.

    Parameters
    ----------
    dataset : PyDataset, or anything with ``__len__`` and ``__getitem__``
        It may have ``on_epoch_begin`` and ``on_epoch_end``.
    check : callable
        Returns a batch as inputs, targets and weights.
    generator : numpy.random.Generator, optional
        Brings the batches, not the examples, into a new order each time, as Keras does.
    """

    def __init__(
        self,
        dataset: Any,
        check: Callable[[Any], Batch],
        generator: np.random.Generator | None = None,
    ) -> None:
        self.dataset, self.check, self.generator = dataset, check, generator
        self.begins = getattr(dataset, "on_epoch_begin", _nothing)
        self.ends = getattr(dataset, "on_epoch_end", _nothing)

    @property
    def number(self) -> int | None:
        """The number of batches, which may change from epoch to epoch; None: endless."""
        if hasattr(self.dataset, "num_batches"):
            return self.dataset.num_batches
        return len(self.dataset)

    @property
    def first(self) -> Data:
        """The inputs of the first batch."""
        if self.number == 0:
            raise ValueError("x must have a batch, got a dataset of length 0")
        return self.check(self.dataset[0])[0]

    def batches(self) -> Iterator[Batch]:
        """Yield what the dataset makes."""
        order: Iterable[int] = itertools.count() if self.number is None else range(self.number)
        if self.generator is not None and self.number is not None:
            order = self.generator.permutation(self.number).tolist()
        for number in order:
            yield self.check(self.dataset[number])


class Iterations:
    """An iterable of batches: a generator, which is gone through once, or what begins anew.

    Parameters
    ----------
    batches : iterable
        Of batches.
    check : callable
        Returns a batch as inputs, targets and weights.
    """

    def __init__(self, batches: Iterable[Any], check: Callable[[Any], Batch]) -> None:
        self.given, self.check = batches, check
        self.number: int | None = len(batches) if isinstance(batches, Sized) else None

    def begins(self) -> None:
        """Do nothing."""

    ends = begins

    @functools.cached_property
    def first(self) -> Data:
        """The inputs of the first batch, which comes again."""
        going = iter(self.given)
        found = list(itertools.islice(going, 1))
        if not found:
            raise ValueError("x must yield a batch, got an iterator without any")
        if going is self.given:
            self.given = itertools.chain(found, going)
        return self.check(found[0])[0]

    def batches(self) -> Iterator[Batch]:
        """Yield what comes."""
        return map(self.check, self.given)


def _nothing() -> None:
    """Stand for a method that a dataset does not have."""


class Feed:
    """The batches of one epoch after another.

    Parameters
    ----------
    source : Source
        Where they come from.
    steps : int, optional
        Batches an epoch; the next epoch goes on where this one stopped, and from the front when
        nothing is left. By default an epoch is all that there is.
    """

    def __init__(self, source: Source, steps: int | None = None) -> None:
        self.source, self.wanted = source, steps
        self.going: Iterator[Batch] | None = None
        self.left: int | None = None

    @property
    def steps(self) -> int | None:
        """The batches of an epoch, None where nobody knows before it has ended."""
        return self.wanted or self.source.number

    def epoch(self) -> Iterator[Batch]:
        """Yield the batches of the next epoch.

        Raises
        ------
        ValueError
            If there is none.

        Warns
        -----
        UserWarning
            If there are fewer than wanted.
        """
        self.source.begins()
        some = False
        for batch in self.source.batches() if self.wanted is None else self._as_wanted(self.wanted):
            some = True
            yield batch
        if not some:
            raise ValueError(
                "x must have batches for each epoch, got none: a generator is gone through once"
            )
        self.source.ends()

    def _as_wanted(self, wanted: int) -> Iterator[Batch]:
        if self.going is None:
            self.going, self.left = self.source.batches(), self.source.number
        for step in range(wanted):
            batch = next(self.going, None)
            if batch is None:
                warnings.warn(
                    f"the data ended after {step} of {wanted} batches of an epoch: it must "
                    "have those of all epochs",
                    stacklevel=5,
                )
                break
            if self.left is not None:
                self.left -= 1
            yield batch
        if self.left == 0 or batch is None:
            self.going = None


def is_batches(x: Any) -> bool:
    """Return whether ``x`` gives batches, rather than being an array, or several, of examples.

    Examples
    --------
    >>> is_batches(iter([])), is_batches(np.ones((3, 2))), is_batches([[1.0], [2.0]])
    (True, False, False)
    """
    if isinstance(x, (np.ndarray, list, tuple, Mapping, str, bytes)) or hasattr(x, "__array__"):
        return False
    return hasattr(x, "__iter__") or (hasattr(x, "__getitem__") and hasattr(x, "__len__"))


def source_of(
    x: Any, check: Callable[[Any], Batch], generator: np.random.Generator | None = None
) -> Dataset | Iterations:
    """Return the source for what :func:`is_batches`."""
    if hasattr(x, "__getitem__") and (hasattr(x, "__len__") or hasattr(x, "num_batches")):
        return Dataset(x, check, generator)
    return Iterations(x, check)


class LikeTheLast:
    """Checks batches: one of arrays like those of the batch before passes at once.

    Whether it is finite is asked again only where the loss is not.

    Parameters
    ----------
    check : callable
        Takes a batch and returns inputs, targets and weights.
    """

    def __init__(self, check: Callable[[Any], Batch]) -> None:
        self.check = check
        self.passed: tuple[Any, ...] | None = None

    def __call__(self, batch: Any) -> Batch:
        """Return inputs, targets and weights."""
        if type(batch) is tuple and len(batch) == 2:
            x, y = batch
            if type(x) is type(y) is np.ndarray and x.ndim and y.ndim and len(x) == len(y) > 0:
                kind = x.shape[1:], x.dtype, y.shape[1:], y.dtype
                if kind == self.passed:
                    return x, y, None
                checked = self.check(batch)
                self.passed = kind if checked[2] is None else None
                return checked
        return self.check(batch)


def parts_of(batch: Any) -> tuple[Any, Any, Any]:
    """Return inputs, targets and weights of a batch, None where they are missing.

    Raises
    ------
    ValueError
        If there are more than three.
    """
    if not isinstance(batch, (tuple, list)):
        return batch, None, None
    if not 1 <= len(batch) <= 3:
        raise ValueError(
            "a batch must be (inputs,), (inputs, targets) or (inputs, targets, weights), "
            f"got {len(batch)} parts"
        )
    x, y, weight = (*batch, None, None)[:3]
    return x, y, weight


def one_weight(sample_weight: Any, class_weight: Any) -> Any:
    """Return the weights of examples; refuse those of classes beside them."""
    if class_weight is not None and sample_weight is not None:
        raise ValueError("class_weight and sample_weight: at most one may be given, got both")
    return sample_weight


def class_weights(y: Data, class_weight: Mapping[int, float]) -> NDArray:
    """Return each example's weight; classes without one weigh 1."""
    if isinstance(y, Bundle):
        raise ValueError("class_weight must be None for a model of several outputs")
    labels = y.argmax(axis=-1) if y.ndim == 2 and y.shape[-1] > 1 else y.reshape(len(y)).astype(int)
    weights = np.ones(len(y))
    for label, value in class_weight.items():
        Integer().check("class_weight's classes", label)
        weights[labels == label] = Number(">= 0").check(f"class_weight[{label}]", value)
    return weights


def split(data: Any, fraction: float) -> tuple[Batch, Batch]:
    """Return data before and after the last ``fraction`` of the examples.

    Raises
    ------
    ValueError
        If one of the two would be empty, or the data are no arrays.
    """
    if not isinstance(data, tuple):
        raise ValueError(f"validation_split needs arrays, got {type(data).__name__}")
    x, y, weight = data
    at = math.floor(len(x) * (1 - fraction))
    if at in (0, len(x)):
        raise ValueError(
            f"validation_split must leave examples on both sides of {len(x)}, got {fraction}"
        )
    return (
        (x[:at], y[:at], None if weight is None else weight[:at]),
        (x[at:], y[at:], None if weight is None else weight[at:]),
    )
