"""Layers that regularize by noise; each is the identity unless ``training`` is true.

They differ in what is noisy and how far one draw reaches: a unit (Dropout), a channel
(SpatialDropout), a patch of a map (DropBlock), a whole example's branch (DropPath), a weight
(DropConnect); and in the noise: zero or one, or a Gaussian.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Integer, Number, Seed, Shape, arguments
from reglib._typing import Lengths
from reglib.layers.base import Layer
from reglib.layers.core import Dense
from reglib.layers.windows import DATA_FORMAT
from reglib.regularizers import L1L2


@arguments(rate=Number("[0, 1]"), noise_shape=Shape(), seed=Seed())
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
        ``(None, 1, None)`` drops the same units at all time steps.
    seed : int, optional
        Makes the sequence of masks repeatable.

    Raises
    ------
    ValueError
        If ``rate`` or an entry of ``noise_shape`` is out of range, or the mask of this shape does
        not fit the inputs.

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

    supports_masking = True

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        self.noise_shape: Any = noise_shape
        self.seed = seed
        self.mask: NDArray | None = None

    def build(self, input_shape: Lengths) -> None:
        """Check that the mask will fit inputs of this shape."""
        if self.noise_shape is not None:
            self._noise_shape_for(input_shape)

    def mask_shape(self, inputs: NDArray) -> tuple[int, ...]:
        """Return the shape in which the mask is drawn."""
        return inputs.shape if self.noise_shape is None else self._noise_shape_for(inputs.shape)

    def _noise_shape_for(self, shape: Lengths) -> Lengths:
        """Return the noise shape for inputs of a shape; as in NumPy it may lack the first axes."""
        fits = len(self.noise_shape) <= len(shape)
        if fits:
            noise = tuple(shape[i] if n is None else n for i, n in enumerate(self.noise_shape))
            ends = zip(reversed(noise), reversed(shape), strict=False)
            fits = all(n in (1, None, length) or length is None for n, length in ends)
        if not fits:
            raise ValueError(
                f"noise_shape of layer {self.name} must repeat over inputs of shape {shape}, each "
                f"length theirs or 1, got {self.noise_shape}"
            )
        return noise

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


class _SharedDropout(Dropout):
    """Dropout whose mask is shared along some axes; a subclass says which."""

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        if "noise_shape" in kwargs:
            raise TypeError(
                f"{type(self).__name__}() got an unexpected keyword argument 'noise_shape': the "
                "layer is there for the shape of its noise"
            )
        super().__init__(rate, seed=seed, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = super().get_config()
        del config["noise_shape"]
        return config


class SpatialDropout1D(_SharedDropout):
    """Dropout of whole channels of a sequence: one draw a channel, shared by all time steps.

    Neighbors in time are alike; dropping single entries would take away little.

    Parameters
    ----------
    rate : float
        Fraction of the channels to drop, in [0, 1].
    seed : int, optional
        Makes the sequence of masks repeatable.

    Raises
    ------
    TypeError
        If ``rate`` is no number or ``seed`` no integer.
    ValueError
        If one is out of range, or the inputs have another number of axes.

    References
    ----------
    Tompson et al. (2015), "Efficient object localization using convolutional networks";
    ``keras.layers.SpatialDropout1D``.

    Examples
    --------
    >>> dropped = SpatialDropout1D(0.5, seed=0)(np.ones((1, 3, 4)), training=True)
    >>> bool((dropped == dropped[:, :1]).all())
    True
    """

    def mask_shape(self, inputs: NDArray) -> tuple[int, ...]:
        """Return (batch, 1, channels)."""
        return _shared(inputs, "SpatialDropout1D", "(batch, time, channels)", 3)


@arguments(data_format=DATA_FORMAT)
class _MapDropout(_SharedDropout):
    """Dropout of whole feature maps, whichever axis the channels are on."""

    axes: tuple[str, ...] = ()

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(rate, seed=seed, **kwargs)
        self.data_format = data_format or "channels_last"

    def mask_shape(self, inputs: NDArray) -> tuple[int, ...]:
        """Return the shape of the inputs with 1 for the length of every axis of a map."""
        if self.data_format == "channels_last":
            wanted = ("batch", *self.axes, "channels")
            return _shared(inputs, type(self).__name__, f"({', '.join(wanted)})", len(wanted))
        wanted = ("batch", "channels", *self.axes)
        _shared(inputs, type(self).__name__, f"({', '.join(wanted)})", len(wanted))
        return (*inputs.shape[:2], *(1 for _ in self.axes))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "data_format": self.data_format}


class SpatialDropout2D(_MapDropout):
    """Dropout of whole feature maps: one draw a channel, shared by all pixels.

    Parameters
    ----------
    rate : float
        Fraction of the maps to drop, in [0, 1].
    data_format : {None, "channels_last", "channels_first"}
        Where the channels are; None means last.
    seed : int, optional
        Makes the sequence of masks repeatable.

    Raises
    ------
    TypeError
        If ``rate`` is no number or ``seed`` no integer.
    ValueError
        If one is out of range, or the inputs have another number of axes.

    References
    ----------
    Tompson et al. (2015), "Efficient object localization using convolutional networks";
    ``keras.layers.SpatialDropout2D``.

    Examples
    --------
    >>> SpatialDropout2D(0.5)(np.ones((1, 8, 8, 4)), training=True).shape
    (1, 8, 8, 4)
    """

    axes = ("height", "width")


def _shared(inputs: NDArray, name: str, wanted: str, ndim: int) -> tuple[int, ...]:
    if inputs.ndim != ndim:
        raise ValueError(f"inputs of {name} must have shape {wanted}, got {inputs.shape}")
    return (inputs.shape[0], *(1,) * (ndim - 2), inputs.shape[-1])


class DropPath(_SharedDropout):
    r"""Stochastic depth: the whole branch is dropped for some examples of a batch.

    Stands at the end of a residual branch, :math:`x + m\,f(x)/(1 - r)` with one :math:`m` an
    example, so that a network of random depth is trained.

    Parameters
    ----------
    rate : float
        Fraction of the examples whose branch is dropped, in [0, 1].
    seed : int, optional
        Makes the sequence of masks repeatable.

    Raises
    ------
    TypeError
        If ``rate`` is no number or ``seed`` no integer.
    ValueError
        If one is out of range.

    References
    ----------
    Huang et al. (2016), "Deep networks with stochastic depth". Keras has none.

    Examples
    --------
    >>> dropped = DropPath(0.5, seed=0)(np.ones((4, 3)), training=True)
    >>> dropped[:, 0].tolist()
    [2.0, 0.0, 0.0, 0.0]
    """

    def mask_shape(self, inputs: NDArray) -> tuple[int, ...]:
        """Return (batch, 1, ...)."""
        return (inputs.shape[0], *(1,) * (inputs.ndim - 1))


@arguments(block_size=Integer(">= 1"))
class DropBlock(_SharedDropout):
    r"""Dropout of square patches of feature maps.

    Patch centers are drawn with :math:`\gamma = r\,HW / (b^2 (H - b + 1)(W - b + 1))`, so that
    about a fraction :math:`r` of each map falls; what is kept is scaled by all over kept.

    Parameters
    ----------
    rate : float
        Fraction of each map to drop, in [0, 1].
    block_size : int
        Side of a patch; 1 gives dropout.
    seed : int, optional
        Makes the sequence of masks repeatable.

    Raises
    ------
    TypeError
        If ``rate`` is no number, or ``block_size`` or ``seed`` no integer.
    ValueError
        If one is out of range, or the maps are smaller than a patch.

    References
    ----------
    Ghiasi, Lin and Le (2018), "DropBlock: a regularization method for convolutional networks".
    Keras has none.

    Examples
    --------
    >>> DropBlock(0.3, block_size=3)(np.ones((2, 8, 8, 1)), training=True).shape
    (2, 8, 8, 1)
    """

    def __init__(
        self, rate: float, block_size: int = 3, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(rate, seed=seed, **kwargs)
        self.block_size = block_size

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return the inputs with patches set to zero and the rest scaled up."""
        if not training or self.rate in (0, 1):
            return super().call(inputs, training)
        if inputs.ndim != 4 or min(inputs.shape[1:3]) < self.block_size:
            raise ValueError(
                f"inputs of {self.name} must have shape (batch, height, width, channels) with "
                f"sides of at least block_size={self.block_size}, got {inputs.shape}"
            )
        number, height, width, channels = inputs.shape
        size = self.block_size
        rows, columns = height - size + 1, width - size + 1
        gamma = min(1.0, self.rate * height * width / (size**2 * rows * columns))
        corners = self.generator.random((number, rows, columns, channels)) < gamma
        kept = np.ones(inputs.shape, dtype=bool)
        for i in range(size):
            for j in range(size):
                kept[:, i : i + rows, j : j + columns] &= ~corners
        scale = kept.size / max(1, kept.sum())
        self.mask = kept * inputs.dtype.type(scale)
        return inputs * self.mask

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "block_size": self.block_size}


@arguments(rate=Number("[0, 1)"), seed=Seed())
class GaussianDropout(Layer):
    r"""Multiplication by noise, :math:`a \odot \epsilon` with :math:`\epsilon \sim N(1, r/(1-r))`.

    The noise has the mean and the variance of dropout's mask.

    Parameters
    ----------
    rate : float
        The drop rate of the dropout that it imitates, in [0, 1).
    seed : int, optional
        Makes the noise repeatable.

    Raises
    ------
    TypeError
        If ``rate`` is no number or ``seed`` no integer.
    ValueError
        If one is out of range.

    References
    ----------
    Srivastava et al. (2014), section 10; ``keras.layers.GaussianDropout``.

    Notes
    -----
    Keras's constructor accepts 1 and its call then divides by zero; here 1 is refused.

    Examples
    --------
    >>> GaussianDropout(0.5)(np.ones((1, 3)))
    array([[1., 1., 1.]], dtype=float32)
    """

    supports_masking = True

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        self.seed = seed
        self.noise: NDArray | None = None

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return noisy inputs in training."""
        if not training or self.rate == 0:
            self.noise = None
            return inputs
        stddev = math.sqrt(self.rate / (1 - self.rate))
        self.noise = self.generator.normal(1, stddev, inputs.shape).astype(inputs.dtype)
        return inputs * self.noise

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient through the same noise."""
        return gradient if self.noise is None else gradient * self.noise

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


@arguments(stddev=Number("[0, 1]"), seed=Seed())
class GaussianNoise(Layer):
    r"""Addition of noise, :math:`a + \epsilon` with :math:`\epsilon \sim N(0, s^2)`.

    On the inputs of a linear model with squared loss it is an L2 penalty (Bishop, 1995).

    Parameters
    ----------
    stddev : float
        :math:`s` in [0, 1], as Keras demands.
    seed : int, optional
        Makes the noise repeatable.

    Raises
    ------
    TypeError
        If ``stddev`` is no number or ``seed`` no integer.
    ValueError
        If one is out of range.

    References
    ----------
    Bishop (1995), "Training with noise is equivalent to Tikhonov regularization";
    ``keras.layers.GaussianNoise``.

    Examples
    --------
    >>> GaussianNoise(0.1)(np.ones((1, 3)))
    array([[1., 1., 1.]], dtype=float32)
    """

    supports_masking = True

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev = stddev
        self.seed = seed

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return noisy inputs in training."""
        if not training or self.stddev == 0:
            return inputs
        noise = self.generator.normal(0, self.stddev, inputs.shape)
        return inputs + noise.astype(inputs.dtype)

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient: the noise is a constant."""
        return gradient

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}


@arguments(rate=Number("[0, 1)"))
class AlphaDropout(Dropout):
    r"""Dropout for SELU networks: dropped units go to :math:`\alpha'`, then :math:`ax + b`.

    With :math:`\alpha' = -\lambda\alpha` of SELU, :math:`a = ((1-r)(1 + r\alpha'^2))^{-1/2}` and
    :math:`b = -a\alpha' r`, inputs of mean 0 and variance 1 keep both.

    Parameters
    ----------
    rate : float
        Fraction of the inputs to drop, in [0, 1).
    noise_shape : tuple, optional
        Shape of the mask, which is broadcast over the inputs.
    seed : int, optional
        Makes the sequence of masks repeatable.

    Raises
    ------
    TypeError
        If ``rate`` is no number or ``seed`` no integer.
    ValueError
        If one is out of range.

    References
    ----------
    Klambauer et al. (2017), "Self-normalizing neural networks"; ``keras.layers.AlphaDropout``.

    Notes
    -----
    Keras's constructor accepts 1 and its call then divides by zero; here 1 is refused.

    Examples
    --------
    >>> AlphaDropout(0.5)(np.ones((1, 3)))
    array([[1., 1., 1.]], dtype=float32)
    """

    ALPHA_PRIME = -1.6732632423543772 * 1.0507009873554805

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(rate, noise_shape, seed, **kwargs)

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return a(x where kept, else α') + b in training."""
        if not training or self.rate == 0:
            self.mask = None
            return inputs
        kept = self.generator.random(self.mask_shape(inputs)) >= self.rate
        a = ((1 - self.rate) * (1 + self.rate * self.ALPHA_PRIME**2)) ** -0.5
        b = -a * self.ALPHA_PRIME * self.rate
        self.mask = kept * inputs.dtype.type(a)
        return inputs * self.mask + np.where(kept, b, a * self.ALPHA_PRIME + b).astype(inputs.dtype)


@arguments(l1=Number(">= 0") | None, l2=Number(">= 0") | None)
class ActivityRegularization(Layer):
    r"""The identity, with a penalty :math:`\lambda_1\sum|a| + \lambda_2\sum a^2` on what passes.

    Parameters
    ----------
    l1, l2 : float
        The factors, at least 0; the penalty is divided by the batch size.

    Raises
    ------
    TypeError, ValueError
        If a factor is no finite number of at least 0.

    References
    ----------
    ``keras.layers.ActivityRegularization``.

    Examples
    --------
    >>> layer = ActivityRegularization(l1=0.5)
    >>> layer(np.array([[1.0, -3.0]])).tolist(), layer.activity_penalty
    ([[1.0, -3.0]], 2.0)
    """

    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        penalty = L1L2(l1=l1, l2=l2)
        super().__init__(activity_regularizer=penalty, **kwargs)
        self.l1, self.l2 = penalty.l1, penalty.l2

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return the inputs."""
        return inputs

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient."""
        return gradient

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = super().get_config()
        del config["activity_regularizer"]
        return {**config, "l1": self.l1, "l2": self.l2}


@arguments(rate=Number("[0, 1)"), seed=Seed())
class DropConnect(Dense):
    r"""A Dense layer that drops weights, not units: :math:`f(x(W \odot M)/(1-r) + b)`.

    One mask a batch; at evaluation the expected weights are used. (The paper samples at
    evaluation too, from a Gaussian that matches the mean and variance.)

    Parameters
    ----------
    units : int
        Number of outputs.
    rate : float
        Fraction of the weights to drop, in [0, 1).
    seed : int, optional
        Makes the sequence of masks repeatable.
    **kwargs
        As for :class:`Dense`.

    Raises
    ------
    TypeError
        If ``units`` or ``seed`` is no integer, or ``rate`` no number.
    ValueError
        If one is out of range, or the inputs have fewer than two axes.

    References
    ----------
    Wan et al. (2013), "Regularization of neural networks using DropConnect". Keras has none.

    Examples
    --------
    >>> DropConnect(3, rate=0.5)(np.ones((2, 4)), training=True).shape
    (2, 3)
    """

    def __init__(
        self, units: int, rate: float = 0.5, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(units, **kwargs)
        self.rate = rate
        self.seed = seed
        self.mask: NDArray | None = None

    def effective_kernel(self, training: bool) -> NDArray:
        """Return the weights that this pass uses, and keep their mask."""
        if not training or self.rate == 0:
            self.mask = None
            return self.kernel.value
        kept = self.generator.random(self.kernel.shape) >= self.rate
        self.mask = kept * self.kernel.dtype.type(1 / (1 - self.rate))
        return self.kernel.value * self.mask

    def backward(self, gradient: NDArray) -> NDArray | None:
        """Write the gradients of the weights that were kept; return that of the inputs."""
        by_inputs = super().backward(gradient)
        if self.mask is not None:
            self.kernel.gradient *= self.mask
        return by_inputs

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
