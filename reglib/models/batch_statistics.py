"""The running statistics of batch normalization, computed anew for the weights as they are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reglib._arguments import Instance, Integer, arguments
from reglib.layers.normalization import BatchNormalization
from reglib.models.base import every_layer
from reglib.models.trainer import Trainer


@arguments(model=Instance(Trainer, "a model"), batch_size=Integer(">= 1"))
def renew_batch_statistics(model: Trainer, x: ArrayLike, batch_size: int | None = None) -> None:
    r"""Give each batch normalization the exact mean and variance of what reaches it from ``x``.

    .. math:: \mu = \frac{1}{n}\sum_i z_i, \quad \sigma^2 = \frac{1}{n}\sum_i (z_i - \mu)^2

    One layer after the other, each after those before it, with noise off: what comes out are the
    statistics that ``predict`` meets. Averaged weights need it, as the running statistics are
    those of the weights before the average. Frozen layers keep theirs.

    Parameters
    ----------
    model : Sequential or Model
        It must be built.
    x : array_like
        Inputs (examples, ...), the training data as a rule.
    batch_size : int, optional
        Examples at once; 32 by default. It changes nothing but the memory that is needed.

    Raises
    ------
    TypeError
        If ``model`` is no model.
    ValueError
        If the model is not built, or data are empty or not finite.

    References
    ----------
    Izmailov et al. (2018), "Averaging weights leads to wider optima and better
    generalization"; PyTorch's ``torch.optim.swa_utils.update_bn``.

    Examples
    --------
    >>> from reglib.models import Sequential
    >>> model = Sequential([BatchNormalization(input_shape=(1,))])
    >>> renew_batch_statistics(model, [[1.0], [3.0]])
    >>> model.layers[0].moving_mean.value, model.layers[0].moving_variance.value
    (array([2.], dtype=float32), array([1.], dtype=float32))
    """
    model.get_weights()  # which a model that is not built refuses
    model._checked_inputs("x", x)
    for layer in every_layer(model.layers):
        if isinstance(layer, BatchNormalization) and layer.trainable:
            with _gathering(layer) as moments:
                model.predict(x, batch_size=batch_size)
            layer.moving_mean.value[...] = moments.mean
            layer.moving_variance.value[...] = moments.squares / moments.number


class _Moments:
    """Mean and sum of squared deviations of rows that come in parts (Chan et al., 1979)."""

    def __init__(self) -> None:
        self.number: Any = 0
        self.mean: Any = 0.0
        self.squares: Any = 0.0

    def add(self, rows: NDArray, counts: NDArray) -> None:
        """Add rows (n, features), each entry of which counts or does not."""
        number = counts.sum(axis=0)
        if not number.any():
            return
        mean = (rows * counts).sum(axis=0) / number
        squares = (np.square(rows - mean) * counts).sum(axis=0)
        total, apart = self.number + number, mean - self.mean
        self.squares = self.squares + squares + apart**2 * self.number * number / total
        self.mean = self.mean + apart * number / total
        self.number = total


@contextlib.contextmanager
def _gathering(layer: BatchNormalization) -> Iterator[_Moments]:
    """Gather the moments of a layer's inputs while it is called."""
    moments, call = _Moments(), layer.call

    def gather(inputs: NDArray, training: bool = False, mask: ArrayLike | None = None) -> NDArray:
        rows = layer.to_end(inputs).astype("float64")
        counts = np.ones(rows.shape)
        if mask is not None:
            counts = (layer._shares(mask, inputs) > 0).astype("float64")
        features = rows.shape[-1]
        moments.add(rows.reshape(-1, features), counts.reshape(-1, features))
        return call(inputs, training=training, mask=mask)

    layer.call = gather  # type: ignore[method-assign]  # until the end of the block
    try:
        yield moments
    finally:
        del layer.call
