"""Layers that keep signals or weights at a standard size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import initializers
from reglib._arguments import Axis, Dict, Flag, Instance, Integer, Number, arguments
from reglib._timestep_masks import as_truth
from reglib._typing import ArrayLike, Lengths
from reglib.layers.base import Layer, Parameter, deserialize, serialize


class _AlongAxes(Layer):
    """A layer over an axis or several: it computes with them last, and moves others there."""

    def set_axis(self, axis: int | Sequence[int]) -> None:
        """Keep the axis or axes."""
        self.axis = axis
        self.axes = self.axis if isinstance(self.axis, tuple) else (self.axis,)

    def parameter_shape(self, input_shape: Lengths) -> tuple[int, ...]:
        """Return the lengths of the axes; they must be known."""
        self.compute_output_shape(input_shape)
        # In the order of the inputs, whatever the order of the argument.
        self.axes = tuple(sorted(self.axes, key=lambda axis: axis % len(input_shape)))
        shape = tuple(input_shape[axis] for axis in self.axes)
        if None in shape:
            raise ValueError(
                f"inputs of layer {self.name} must have known lengths along axis {self.axis}, "
                f"got shape {tuple(input_shape)}"
            )
        return shape

    def compute_output_shape(self, input_shape: Lengths) -> Lengths:
        """Return the shape of the inputs."""
        rank = len(input_shape)
        if not all(-rank <= axis < rank for axis in self.axes):
            raise ValueError(
                f"axis must lie in the inputs of layer {self.name}, of shape "
                f"{tuple(input_shape)}, got {self.axis}"
            )
        return tuple(input_shape)

    def to_end(self, array: NDArray) -> NDArray:
        """Return the array with the axes of the parameters last."""
        if self.axes == (-1,):
            return array
        return np.moveaxis(array, self.axes, self.ends)

    def from_end(self, array: NDArray) -> NDArray:
        """Return the array with its axes where the inputs have them."""
        if self.axes == (-1,):
            return array
        return np.moveaxis(array, self.ends, self.axes)

    @property
    def ends(self) -> tuple[int, ...]:
        """The axes as they are numbered at the end: -1, -2, ..."""
        return tuple(range(-len(self.axes), 0))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        axis = list(self.axis) if isinstance(self.axis, tuple) else self.axis
        return {**super().get_config(), "axis": axis}


@arguments(axis=Axis(), epsilon=Number(">= 0"), center=Flag(), scale=Flag())
class _Standardization(_AlongAxes):
    """What batch, layer and group normalization share: scale, shift, and the way back."""

    supports_masking = True

    def __init__(
        self,
        axis: int | Sequence[int],
        epsilon: float,
        center: bool,
        scale: bool,
        beta_initializer: Any,
        gamma_initializer: Any,
        beta_regularizer: Any,
        gamma_regularizer: Any,
        beta_constraint: Any,
        gamma_constraint: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.set_axis(axis)
        self.epsilon = epsilon
        self.center, self.scale = center, scale
        self.set_weight_options(
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )
        self.gamma: Parameter | None = None
        self.beta: Parameter | None = None
        self._normalized: Any = None
        self._inverse: Any = None

    def build(self, input_shape: Lengths) -> None:
        """Make ``gamma`` and ``beta``, of the lengths of the axes."""
        shape = self.parameter_shape(input_shape)
        if self.scale:
            self.gamma = self.add_weight(shape, name="gamma")
        if self.center:
            self.beta = self.add_weight(shape, name="beta")

    def shift_and_scale(self, normalized: NDArray) -> NDArray:
        """Return γ x̂ + β."""
        outputs = normalized
        if self.gamma is not None:
            outputs = outputs * self.gamma.value
        if self.beta is not None:
            outputs = outputs + self.beta.value
        return outputs

    def unscale(self, gradient: NDArray) -> NDArray:
        """Write dγ and dβ; return the gradient with respect to x̂."""
        axes = tuple(range(gradient.ndim - len(self.axes)))
        if self.beta is not None:
            self.beta.gradient[...] = gradient.sum(axis=axes)
        if self.gamma is not None:
            self.gamma.gradient[...] = (gradient * self._normalized).sum(axis=axes)
            gradient = gradient * self.gamma.value
        return gradient

    def through_statistics(
        self, gradient: NDArray, x_hat: NDArray, axes: tuple[int, ...]
    ) -> NDArray:
        """Return the gradient with respect to x: mean and variance depend on x as well."""
        mean = gradient.mean(axis=axes, keepdims=True)
        along = (gradient * x_hat).mean(axis=axes, keepdims=True)
        return (gradient - mean - x_hat * along) * self._inverse

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
        }


@arguments(axis=Integer(), momentum=Number("[0, 1]"))
class BatchNormalization(_Standardization):
    r"""Standardize each feature over the batch, then scale and shift it.

    .. math:: \gamma\,(x - \mu_B) / \sqrt{\sigma_B^2 + \epsilon} + \beta

    In training :math:`\mu_B, \sigma_B^2` are the batch's (biased) statistics, whose noise
    regularizes; at evaluation running means ``m * running + (1 - m) * batch`` take their place.

    Parameters
    ----------
    axis : int
        The axis of the features, by default the last. Keras's images with the channels first
        want 1.
    momentum : float
        :math:`m` of the running means, in [0, 1].
    epsilon : float
        What keeps the division finite.
    center, scale : bool
        Whether there is a :math:`\beta` and a :math:`\gamma`.

    Raises
    ------
    TypeError
        If ``axis`` is no integer.
    ValueError
        If a number is out of range, or ``axis`` is none of the inputs'.

    References
    ----------
    Ioffe and Szegedy (2015), "Batch normalization"; ``keras.layers.BatchNormalization``.

    Notes
    -----
    ``trainable=False`` freezes the statistics too, as in Keras. PyTorch's running variance is
    the unbiased one, its ``momentum`` is one minus ours.

    Examples
    --------
    >>> BatchNormalization(epsilon=0)(np.array([[1.0], [3.0]]), training=True).tolist()
    [[-1.0], [1.0]]
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            axis,
            epsilon,
            center,
            scale,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
            **kwargs,
        )
        self.momentum = momentum
        self.set_weight_options(
            moving_mean_initializer=moving_mean_initializer,
            moving_variance_initializer=moving_variance_initializer,
        )

    def build(self, input_shape: Lengths) -> None:
        """Make ``gamma``, ``beta`` and the running statistics."""
        super().build(input_shape)
        shape = self.parameter_shape(input_shape)
        self.moving_mean = self.add_weight(shape, name="moving_mean", trainable=False)
        self.moving_variance = self.add_weight(shape, name="moving_variance", trainable=False)

    def call(
        self, inputs: NDArray, training: bool = False, mask: ArrayLike | None = None
    ) -> NDArray:
        """Return γ(x - μ)/√(σ² + ε) + β, with statistics of what a ``mask`` says counts.

        The mask has one axis less than the inputs, the last.
        """
        share = None if mask is None else self._shares(mask, inputs)
        inputs = self.to_end(inputs)
        axes = tuple(range(inputs.ndim - 1))
        self._from_batch, self._share = training and self.trainable, share
        if self._from_batch:
            if share is None:
                mean, variance = inputs.mean(axis=axes), inputs.var(axis=axes)
            else:
                mean = (share * inputs).sum(axis=axes)
                variance = (share * np.square(inputs - mean)).sum(axis=axes)
            for running, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
                running.value *= self.momentum
                running.value += (1 - self.momentum) * new
        else:
            mean, variance = self.moving_mean.value, self.moving_variance.value
        self._inverse = 1 / np.sqrt(variance + inputs.dtype.type(self.epsilon))
        self._normalized = (inputs - mean) * self._inverse
        return self.from_end(self.shift_and_scale(self._normalized))

    def backward(self, gradient: NDArray) -> NDArray:
        """Write dγ and dβ; return the gradient with respect to the inputs."""
        gradient = self.unscale(self.to_end(gradient))
        if not self._from_batch:
            return self.from_end(gradient * self._inverse)
        axes = tuple(range(gradient.ndim - 1))
        if self._share is None:
            return self.from_end(self.through_statistics(gradient, self._normalized, axes))
        along = gradient.sum(axis=axes) + self._normalized * (gradient * self._normalized).sum(
            axis=axes
        )
        return self.from_end((gradient - self._share * along) * self._inverse)

    def _shares(self, mask: ArrayLike, inputs: NDArray) -> NDArray:
        """Return what each entry counts for in the mean of its feature, the features last."""
        counts = as_truth(mask)
        fits = counts.ndim == inputs.ndim - 1 and all(
            length in (1, wanted)
            for length, wanted in zip(counts.shape, inputs.shape, strict=False)
        )
        if not fits:
            raise ValueError(f"mask must have shape {inputs.shape[:-1]}, got {counts.shape}")
        counts = self.to_end(np.broadcast_to(counts[..., np.newaxis], inputs.shape))
        number = counts.sum(axis=tuple(range(counts.ndim - 1)), dtype=inputs.dtype)
        return counts / (number + inputs.dtype.type(1e-7))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "momentum": self.momentum,
        }


class LayerNormalization(_Standardization):
    r"""Standardize each example over its features, then scale and shift them.

    .. math:: \gamma\,(x - \mu) / \sqrt{\sigma^2 + \epsilon} + \beta

    Training and evaluation are the same: no example looks at another.

    Parameters
    ----------
    axis : int or sequence of int
        The axis or axes to normalize over, by default the last; :math:`\gamma` and
        :math:`\beta` have their shape.
    epsilon : float
        What keeps the division finite.
    center, scale : bool
        Whether there is a :math:`\beta` and a :math:`\gamma`.

    Raises
    ------
    TypeError
        If ``axis`` holds something else than integers.
    ValueError
        If ``epsilon`` is negative, or ``axis`` is none of the inputs'.

    References
    ----------
    Ba, Kiros and Hinton (2016), "Layer normalization"; ``keras.layers.LayerNormalization``.

    Examples
    --------
    >>> LayerNormalization(epsilon=0)(np.array([[1.0, 3.0]])).tolist()
    [[-1.0, 1.0]]
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            axis,
            epsilon,
            center,
            scale,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
            **kwargs,
        )

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return γ(x - μ)/√(σ² + ε) + β."""
        inputs = self.to_end(inputs)
        mean = inputs.mean(axis=self.ends, keepdims=True)
        variance = inputs.var(axis=self.ends, keepdims=True)
        self._inverse = 1 / np.sqrt(variance + inputs.dtype.type(self.epsilon))
        self._normalized = (inputs - mean) * self._inverse
        return self.from_end(self.shift_and_scale(self._normalized))

    def backward(self, gradient: NDArray) -> NDArray:
        """Write dγ and dβ; return the gradient with respect to the inputs."""
        gradient = self.unscale(self.to_end(gradient))
        return self.from_end(self.through_statistics(gradient, self._normalized, self.ends))


@arguments(groups=Integer(">= -1"), axis=Integer())
class GroupNormalization(_Standardization):
    r"""Standardize each example over groups of its features, then scale and shift them.

    .. math:: \gamma\,(x - \mu_g) / \sqrt{\sigma_g^2 + \epsilon} + \beta

    The statistics of a group :math:`g` run over its features and all other axes but the batch.
    One group is a layer normalization of images, as many groups as channels are an instance
    normalization; no example looks at another, so that small batches do no harm.

    Parameters
    ----------
    groups : int
        How many; they must divide the features. -1 means as many as there are.
    axis : int
        The axis of the features, by default the last.
    epsilon : float
        What keeps the division finite.
    center, scale : bool
        Whether there is a :math:`\beta` and a :math:`\gamma`.

    Raises
    ------
    TypeError
        If ``groups`` or ``axis`` is no integer.
    ValueError
        If ``groups`` do not divide the features, or a number is out of range.

    References
    ----------
    Wu and He (2018), "Group normalization"; ``keras.layers.GroupNormalization``.

    Examples
    --------
    >>> GroupNormalization(2, epsilon=0)(np.array([[1.0, 3.0, 10.0, 30.0]])).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            axis,
            epsilon,
            center,
            scale,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
            **kwargs,
        )
        self.groups = groups
        if self.groups == 0:
            raise ValueError("groups must be at least 1, or -1, got 0")

    def build(self, input_shape: Lengths) -> None:
        """Make ``gamma`` and ``beta``."""
        (features,) = self.parameter_shape(input_shape)
        if features % abs(self.groups):
            raise ValueError(
                f"groups must divide the {features} features of layer {self.name}, "
                f"got {self.groups}"
            )
        super().build(input_shape)

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return γ(x - μ)/√(σ² + ε) + β."""
        inputs = self.to_end(inputs)
        x = self._grouped(inputs)
        mean, variance = x.mean(axis=(1, 3), keepdims=True), x.var(axis=(1, 3), keepdims=True)
        self._inverse = 1 / np.sqrt(variance + x.dtype.type(self.epsilon))
        self._normalized = ((x - mean) * self._inverse).reshape(inputs.shape)
        return self.from_end(self.shift_and_scale(self._normalized))

    def backward(self, gradient: NDArray) -> NDArray:
        """Write dγ and dβ; return the gradient with respect to the inputs."""
        gradient = self.unscale(self.to_end(gradient))
        grouped = self._grouped(gradient)
        back = self.through_statistics(grouped, self._grouped(self._normalized), (1, 3))
        return self.from_end(back.reshape(gradient.shape))

    def _grouped(self, array: NDArray) -> NDArray:
        """Return the array as (batch, places, groups, features of a group)."""
        features = array.shape[-1]
        groups = features if self.groups == -1 else self.groups
        places = math.prod(array.shape[1:-1])
        return array.reshape(len(array), places, groups, features // groups)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "groups": self.groups}


@arguments(layer=Instance(Layer, "a reglib layer"), power_iterations=Integer(">= 1"))
class SpectralNormalization(Layer):
    r"""Another layer with its kernel divided by its largest singular value.

    Power iteration estimates :math:`\sigma = v^T W u`; each training call writes
    :math:`W/\sigma` into the kernel, as Keras does. Evaluation leaves the kernel alone. A kernel
    of zeros stays one, where Keras's becomes NaN.

    Parameters
    ----------
    layer : Layer
        A layer with a ``kernel``, Dense, Conv1D or Conv2D; or an Embedding.
    power_iterations : int
        Steps of power iteration a call, at least 1.

    Raises
    ------
    TypeError
        If ``layer`` is no layer.
    ValueError
        If the layer has no kernel, or ``power_iterations`` is below 1.

    References
    ----------
    Miyato et al. (2018), "Spectral normalization for generative adversarial networks";
    ``keras.layers.SpectralNormalization``.
    """

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer = layer
        self.power_iterations = power_iterations
        self.kernel: Any = None
        self._sigma: float | None = None
        self.vector_u_initializer = initializers.RandomNormal(stddev=0.02)

    def sublayers(self) -> tuple[Layer, ...]:
        """Return the wrapped layer."""
        return (self.layer,)

    def build(self, input_shape: Lengths) -> None:
        """Build the wrapped layer and the start of the power iteration."""
        self.layer.ensure_built(input_shape)
        self.kernel = getattr(self.layer, "kernel", getattr(self.layer, "embeddings", None))
        if self.kernel is None:
            raise ValueError(f"layer must have a kernel, got {self.layer}")
        self.vector_u = self.add_weight(
            (1, self.kernel.shape[-1]), name="vector_u", trainable=False
        )

    @property
    def weights(self) -> list[Parameter]:
        """All parameters in Keras's order: it counts the wrapped kernel as the wrapper's own."""
        if not self.built:
            return super().weights
        rest = [p for p in self.layer.weights if p is not self.kernel]
        return [self.kernel, self.vector_u, *rest]

    def call(self, inputs: NDArray, training: bool | None = None) -> NDArray:
        """Normalize the kernel in training; return the wrapped layer's outputs."""
        self._sigma = None
        if training:
            self._normalize()
        return self.layer(inputs, training=training)

    def _normalize(self) -> None:
        W = self.kernel.value.reshape(-1, self.kernel.shape[-1])
        u = self.vector_u.value
        for _ in range(self.power_iterations):
            v = _unit(u @ W.T)
            u = _unit(v @ W)
        self.vector_u.value[...] = u
        # A kernel of zeros has no largest direction and stays as it is.
        self._sigma, self._uv = (v @ W @ u.T).item() or 1.0, v.T @ u
        self.kernel.value /= self._sigma

    def backward(self, gradient: NDArray) -> NDArray:
        """Go back through the wrapped layer, then through W/σ with u and v held fixed."""
        gradient = self.layer.propagate_back(gradient)
        if self._sigma is not None:
            g = self.kernel.gradient
            along = float(np.vdot(g, self.kernel.value))
            g -= along * self._uv.reshape(g.shape)
            g /= self._sigma
        return gradient

    def compute_output_shape(self, input_shape: Lengths) -> Lengths:
        """Return the shape of the wrapped layer's outputs."""
        return self.layer.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "layer": serialize(self.layer),
            "power_iterations": self.power_iterations,
        }

    @classmethod
    @arguments(config=Dict())
    def from_config(cls, config: Mapping[str, Any]) -> SpectralNormalization:
        """Return a new layer from :meth:`get_config`'s result."""
        if "layer" not in config:
            raise ValueError(f"config must have a 'layer', got {dict(config)!r}")
        return cls(**{**config, "layer": deserialize(config["layer"])})


def _unit(vector: NDArray) -> NDArray:
    return vector / np.maximum(np.linalg.norm(vector), np.finfo(vector.dtype).tiny)
