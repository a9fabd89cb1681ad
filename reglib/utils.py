"""What programs need beside layers and models, under Keras's names."""

from __future__ import annotations

from collections.abc import Sequence as _SequenceType
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import _seeding
from reglib._absent import refuse
from reglib._arguments import Array, Axis, Choice, Integer, List, Number, Seed, arguments
from reglib._serialization import custom_object_scope as custom_object_scope
from reglib._serialization import get_custom_objects as get_custom_objects
from reglib._serialization import get_registered_name as get_registered_name
from reglib._serialization import get_registered_object as get_registered_object
from reglib._serialization import register_keras_serializable as register_keras_serializable
from reglib._typing import ArrayLike

CustomObjectScope = custom_object_scope


@arguments(seed=Seed())
def set_random_seed(seed: int) -> None:
    """Make all randomness of this library repeatable that has no seed of its own.

    Weights, masks, augmentations and shuffling of what is made from now on come from this seed,
    in the order in which it is made.

    Notes
    -----
    Keras also seeds Python's ``random`` and NumPy's global generator. Here neither is touched:
    draw your data from ``np.random.default_rng(seed)``. The numbers are others than Keras's.

    Examples
    --------
    >>> from reglib import random
    >>> set_random_seed(1)
    >>> first = random.uniform((3,))
    >>> set_random_seed(1)
    >>> bool((first == random.uniform((3,))).all())
    True
    """
    _seeding.seed_all(seed)


def clear_session(free_memory: bool = True) -> None:
    """Begin anew with the numbers in the names of layers, ``dense``, ``dense_1``, ...

    Nothing else is kept for the whole program that could be freed.
    """
    from reglib.layers import base

    base.restart_names()


@arguments(x=Array(), num_classes=Integer(">= 1"))
def to_categorical(x: ArrayLike, num_classes: int | None = None) -> NDArray:
    """Return classes as rows with a 1 at the class and 0 elsewhere.

    Parameters
    ----------
    x : array_like of int
        Classes from 0, of any shape; a last axis of length 1 is left out.
    num_classes : int, optional
        By default the largest class plus 1.

    Returns
    -------
    ndarray
        Of the shape of ``x`` with an axis of ``num_classes`` after it.

    Raises
    ------
    ValueError
        If a class is not in [0, num_classes).

    Examples
    --------
    >>> to_categorical([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    classes = np.asarray(x).astype(int)
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes[..., 0]
    number = int(classes.max()) + 1 if num_classes is None else num_classes
    if classes.min() < 0 or classes.max() >= number:
        raise ValueError(
            f"x must hold classes in [0, {number}), got {classes.min()} to {classes.max()}"
        )
    return np.eye(number)[classes]


@arguments(x=Array(), axis=Axis(), order=Number("> 0"))
def normalize(x: ArrayLike, axis: int = -1, order: float = 2) -> NDArray:
    r"""Return ``x`` with vectors along ``axis`` divided by their norm, :math:`x/\|x\|_p`.

    A vector of zeros stays.

    Examples
    --------
    >>> normalize([[3.0, 4.0]])
    array([[0.6, 0.8]])
    """
    x = np.atleast_1d(x)
    norm = np.linalg.norm(x, order, axis, keepdims=True)
    return x / np.where(norm == 0, 1, norm)


_SIDE = Choice("pre", "post")


@arguments(sequences=List("sequences"), maxlen=Integer(">= 1"), padding=_SIDE, truncating=_SIDE)
def pad_sequences(
    sequences: _SequenceType[ArrayLike],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: float = 0.0,
) -> NDArray:
    """Return sequences as one array: short ones filled up, long ones cut.

    Parameters
    ----------
    sequences : sequence of sequences
        Of any lengths.
    maxlen : int, optional
        The length to come; by default the longest one's.
    dtype
        Of the array.
    padding, truncating : "pre" or "post"
        At which end to fill up, and to cut.
    value : float
        What to fill up with.

    Raises
    ------
    ValueError
        If ``value`` is no value of the dtype.

    Examples
    --------
    >>> pad_sequences([[1], [2, 3]])
    array([[0, 1],
           [2, 3]], dtype=int32)
    """
    rows = [np.asarray(sequence) for sequence in sequences]
    length = max((len(row) for row in rows), default=0) if maxlen is None else maxlen
    inner = next((row.shape[1:] for row in rows if len(row)), ())
    try:
        padded = np.full((len(rows), length, *inner), value, dtype)
    except ValueError:
        raise ValueError(f"value must be of the dtype {np.dtype(dtype)}, got {value!r}") from None
    for place, row in zip(padded, rows, strict=True):
        kept = row[-length:] if truncating == "pre" else row[:length]
        if len(kept):
            place[slice(-len(kept), None) if padding == "pre" else slice(len(kept))] = kept
    return padded


class PyDataset:
    """Base of what makes batches one by one: mixup, say, within a pipeline.

    A subclass gives ``__len__``, the number of batches, and ``__getitem__(number)``, which
    returns ``(x, y)`` or ``(x, y, sample_weight)``; ``fit``, ``evaluate`` and ``predict`` take it.

    Parameters
    ----------
    workers, use_multiprocessing, max_queue_size
        Of Keras. Here batches are made when they are needed, whatever is given.

    Examples
    --------
    >>> class Halves(PyDataset):
    ...     def __len__(self):
    ...         return 2
    ...     def __getitem__(self, number):
    ...         return np.ones((4, 3)), np.ones((4, 1))
    >>> Halves().num_batches
    2
    """

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    @property
    def num_batches(self) -> int | None:
        """The number of batches; None: endless."""
        return len(self)

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must define __len__")

    def __getitem__(self, number: int) -> tuple[Any, ...]:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__")

    def on_epoch_begin(self) -> None:
        """Run before each epoch."""

    def on_epoch_end(self) -> None:
        """Run after each epoch: the place to shuffle examples."""


Sequence = PyDataset


__getattr__ = partial(refuse, __name__)
