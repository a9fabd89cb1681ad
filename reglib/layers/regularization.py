"""Layers that regularize by noise; each is the identity unless ``training`` is true."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._validation import check_integer, check_number
from reglib.layers.base import Layer


class Dropout(Layer):
    r"""Inverted dropout: :math:`a \odot m / (1 - r)` with :math:`m \sim \mathrm{Bernoulli}(1 - r)`.

    Each input is zeroed with probability ``rate``; the others are scaled up, so that the
    expected output equals the input and nothing need be done at evaluation.

    Parameters
    ----------
    rate : float
        Fraction of the inputs to drop, in [0, 1]. The textbook's ``keep_prob`` is 1 - rate.
    noise_shape : tuple, optional
        Shape of the mask, which is broadcast over the inputs; None stands for their length.
    seed : int, optional
        Makes the sequence of masks repeatable.

    Raises
    ------
    ValueError
        If ``rate`` or an entry of ``noise_shape`` is out of range.

    References
    ----------
    Srivastava et al. (2014), "Dropout: a simple way to prevent neural networks from
    overfitting"; ``keras.layers.Dropout``.

    Examples
    --------
    >>> Dropout(0.5)(np.ones((1, 3)))
    array([[1., 1., 1.]], dtype=float32)
    >>> Dropout(0.5, seed=0)(np.ones((1, 4)), training=True)
    array([[2., 0., 0., 0.]], dtype=float32)
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rate = check_number("rate", rate, low=0, high=1)
        if noise_shape is not None:
            noise_shape = tuple(
                None if n is None else check_integer("noise_shape", n, low=1) for n in noise_shape
            )
        self.noise_shape = noise_shape
        self.seed = seed
        self.mask: NDArray | None = None

    def mask_shape(self, inputs: NDArray) -> tuple[int, ...]:
        """Return the shape in which the mask is drawn."""
        if self.noise_shape is None:
            return inputs.shape
        return tuple(
            length if n is None else n
            for n, length in zip(self.noise_shape, inputs.shape, strict=True)
        )

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return a * mask / (1 - rate) in training, a otherwise."""
        if not training or self.rate == 0:
            self.mask = None
            return inputs
        if self.rate == 1:
            self.mask = np.zeros_like(inputs)
            return self.mask
        kept = self.generator.random(self.mask_shape(inputs)) >= self.rate
        self.mask = kept * inputs.dtype.type(1 / (1 - self.rate))
        return inputs * self.mask

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient through the same mask with the same scale."""
        return gradient if self.mask is None else gradient * self.mask

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "rate": self.rate,
            "noise_shape": self.noise_shape,
            "seed": self.seed,
        }
