"""The layers that every network has: Dense, Activation, Flatten, Reshape, Embedding, Masking."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import activations
from reglib._arguments import Flag, Integer, List, Number, arguments
from reglib._timestep_masks import masked
from reglib._typing import ArrayLike, Lengths
from reglib._validation import (
    check_array,
)
from reglib.layers.base import Layer
from reglib.layers.windows import DATA_FORMAT


@arguments(units=Integer(">= 1"), use_bias=Flag())
class Dense(Layer):
    r"""A fully connected layer, :math:`a = f(xW + b)`.

    Parameters
    ----------
    units : int
        Number of outputs.
    activation : str, Activation or None
        The function :math:`f`.
    use_bias : bool
        Whether there is a :math:`b`.
    kernel_initializer, bias_initializer : str or Initializer
        How :math:`W` of shape (inputs, units) and :math:`b` of shape (units,) start.
    kernel_regularizer, bias_regularizer : Regularizer, str or None
        Penalties that the model adds to its loss.
    activity_regularizer : Regularizer, str or None
        Penalty on the outputs, divided by the batch size.
    kernel_constraint, bias_constraint : Constraint, str or None
        Projections applied after each step.

    Raises
    ------
    ValueError
        If ``units`` is below 1, or the inputs have fewer than two axes.

    References
    ----------
    ``keras.layers.Dense``.

    Examples
    --------
    >>> Dense(3, activation="relu")(np.ones((2, 5))).shape
    (2, 3)
    """

    supports_masking = True

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = units
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.set_weight_options(
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )

    def build(self, input_shape: Lengths) -> None:
        """Make ``kernel`` and ``bias`` for inputs of this shape."""
        if len(input_shape) < 2 or input_shape[-1] is None:
            raise ValueError(
                f"inputs of layer {self.name} must have shape (batch, ..., features), "
                f"got {input_shape}"
            )
        self.kernel = self.add_weight((input_shape[-1], self.units), name="kernel")
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight((self.units,), name="bias")

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return f(xW + b)."""
        if inputs.shape[-1:] != self.kernel.shape[:1]:
            raise ValueError(
                f"inputs of layer {self.name} must have {self.kernel.shape[0]} features, "
                f"got shape {inputs.shape}"
            )
        self._kernel = self.effective_kernel(training)
        z = inputs @ self._kernel
        if self.bias is not None:
            z += self.bias.value
        a = self.activation.value(z)
        self._inputs, self._z, self._a = inputs, z, a
        return a

    def effective_kernel(self, training: bool) -> NDArray:
        """Return the weights that this pass uses."""
        return self.kernel.value

    def backward(self, gradient: NDArray) -> NDArray | None:
        """Write dW = xᵀ dz and db = Σ dz; return dx = dz Wᵀ, if it is wanted."""
        return self.backward_linear(self.activation.gradient(gradient, self._z, self._a))

    def backward_linear(self, dz: NDArray) -> NDArray | None:
        """Do the same, given the gradient with respect to z, before the activation."""
        # Axes between batch and features are more examples to the kernel.
        rows = dz.reshape(-1, self.units)
        inputs = self._inputs.reshape(-1, self.kernel.shape[0])
        np.dot(inputs.T, rows, out=self.kernel.gradient)
        if self.bias is not None:
            # A product with ones: BLAS sums faster than np.sum.
            np.dot(_ones(len(rows), rows.dtype), rows, out=self.bias.gradient)
        return dz @ self._kernel.T if self.to_inputs else None

    def compute_output_shape(self, input_shape: Lengths) -> Lengths:
        """Return the shape of the outputs."""
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
        }


@functools.lru_cache(maxsize=8)
def _ones(number: int, dtype: np.dtype) -> NDArray:
    """Return a vector of ones, made once for each length and only read."""
    return np.ones(number, dtype)


class Activation(Layer):
    """An activation function as a layer of its own.

    Parameters
    ----------
    activation : str or Activation
        The function.

    Examples
    --------
    >>> Activation("relu")(np.array([[-1.0, 2.0]]))
    array([[0., 2.]], dtype=float32)
    """

    supports_masking = True

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return the function's value."""
        self._z, self._a = inputs, self.activation.value(inputs)
        return self._a

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient with respect to the inputs."""
        return self.activation.gradient(gradient, self._z, self._a)

    def backward_linear(self, dz: NDArray) -> NDArray:
        """Return the gradient with respect to z, which is the inputs."""
        return dz

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "activation": activations.serialize(self.activation)}


@arguments(data_format=DATA_FORMAT)
class Flatten(Layer):
    """All axes but the batch made one.

    Parameters
    ----------
    data_format : {None, "channels_last", "channels_first"}
        Where the channels are; they come last in the order of the outputs, so that those of
        images with the channels first are the same as those with the channels last.

    Raises
    ------
    ValueError
        If ``data_format`` is another one.

    References
    ----------
    ``keras.layers.Flatten``.

    Examples
    --------
    >>> Flatten()(np.zeros((2, 8, 8, 1))).shape
    (2, 64)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = data_format or "channels_last"

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return the inputs as a matrix."""
        self._turned = self.data_format == "channels_first" and inputs.ndim > 2
        if self._turned:
            inputs = np.moveaxis(inputs, 1, -1)
        self._shape = inputs.shape
        return inputs.reshape(len(inputs), math.prod(inputs.shape[1:]))

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient in the shape of the inputs."""
        gradient = gradient.reshape(self._shape)
        return np.moveaxis(gradient, -1, 1) if self._turned else gradient

    def compute_output_shape(self, input_shape: Lengths) -> Lengths:
        """Return the shape of the outputs."""
        lengths = input_shape[1:]
        return (input_shape[0], None if None in lengths else math.prod(lengths))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "data_format": self.data_format}


@arguments(target_shape=List("lengths", Integer(">= -1")))
class Reshape(Layer):
    """All axes but the batch given another shape.

    Parameters
    ----------
    target_shape : sequence of int
        The shape of one output; one entry may be -1.

    Examples
    --------
    >>> Reshape((8, 8, 1))(np.zeros((2, 64))).shape
    (2, 8, 8, 1)
    """

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)
        if self.target_shape.count(-1) > 1:
            raise ValueError(f"target_shape must have at most one -1, got {self.target_shape}")

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return the inputs in the target shape."""
        self._shape = inputs.shape
        return inputs.reshape(self.compute_output_shape(inputs.shape))

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient in the shape of the inputs."""
        return gradient.reshape(self._shape)

    def compute_output_shape(self, input_shape: Lengths) -> Lengths:
        """Return the shape of the outputs.

        Raises
        ------
        ValueError
            If the inputs do not fit the target shape.
        """
        if None in input_shape[1:]:
            return (input_shape[0], *(None if n == -1 else n for n in self.target_shape))
        size = math.prod(input_shape[1:])
        known = math.prod(n for n in self.target_shape if n != -1)
        if size % known if -1 in self.target_shape else size != known:
            raise ValueError(
                f"target_shape must hold {size} numbers, got {self.target_shape} "
                f"for inputs of shape {tuple(input_shape)}"
            )
        return (input_shape[0], *(size // known if n == -1 else n for n in self.target_shape))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "target_shape": self.target_shape}


@arguments(input_dim=Integer(">= 1"), output_dim=Integer(">= 1"), mask_zero=Flag())
class Embedding(Layer):
    """A vector for each whole number: row ``i`` of a table.

    Parameters
    ----------
    input_dim : int
        How many numbers there are, from 0.
    output_dim : int
        Length of a vector.
    embeddings_initializer : str or Initializer
        How the table starts.
    embeddings_regularizer : Regularizer, str or None
        Penalty on the table.
    embeddings_constraint : Constraint, str or None
        Projection of the table after each step.
    mask_zero : bool
        Whether the number 0 fills sequences up and does not count: the layers after this one
        skip it. Row 0 of the table is unused then.
    weights : array_like, optional
        The table to start from, of shape (input_dim, output_dim).

    Raises
    ------
    ValueError
        If an input is no whole number in [0, input_dim).

    References
    ----------
    ``keras.layers.Embedding``.

    Examples
    --------
    >>> Embedding(10, 4)(np.array([[1, 2, 1]])).shape
    (1, 3, 4)
    >>> Embedding(10, 4, mask_zero=True)(np.array([[1, 2, 0]])).mask
    array([[ True,  True, False]])
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: ArrayLike | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.input_dim = input_dim
        self.output_dim = output_dim
        self.set_weight_options(
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
        )
        self.mask_zero = self.supports_masking = mask_zero
        if weights is not None:
            self.build((None,))
            listed = isinstance(weights, (list, tuple)) and len(weights) == 1
            table = weights[0] if listed and np.ndim(weights[0]) == 2 else weights
            shape = (self.input_dim, self.output_dim)
            self.set_weights([check_array("weights", table, shape=shape)])

    def build(self, input_shape: Lengths) -> None:
        """Make ``embeddings`` of shape (input_dim, output_dim), whatever the inputs."""
        self.embeddings = self.add_weight((self.input_dim, self.output_dim), name="embeddings")

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return the rows that the inputs number."""
        rows = inputs.astype(np.intp)
        if (rows != inputs).any() or (rows < 0).any() or (rows >= self.input_dim).any():
            raise ValueError(
                f"inputs of layer {self.name} must be whole numbers in [0, {self.input_dim}), "
                f"got values from {inputs.min():g} to {inputs.max():g}"
            )
        self._rows = rows
        return self.embeddings.value[rows]

    def compute_mask(self, inputs: ArrayLike, mask: NDArray | None = None) -> NDArray | None:
        """Return where the inputs are not 0, if 0 does not count."""
        return np.not_equal(inputs, 0) if self.mask_zero else None

    def backward(self, gradient: NDArray) -> NDArray:
        """Add each row's gradients up; the inputs are numbers of rows and have none."""
        self.embeddings.gradient[...] = 0
        np.add.at(self.embeddings.gradient, self._rows, gradient)
        return np.zeros(self._rows.shape, gradient.dtype)

    def compute_output_shape(self, input_shape: Lengths) -> Lengths:
        """Return the shape of the outputs."""
        return (*input_shape, self.output_dim)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "mask_zero": self.mask_zero,
        }


@arguments(mask_value=Number())
class Masking(Layer):
    """Leaves out the time steps at which every feature has one value, by default 0.

    They become 0, and the layers after this one skip them, as do loss and metrics: so sequences
    of unequal lengths share a batch.

    Parameters
    ----------
    mask_value : float
        The value that says: this step does not count.

    Raises
    ------
    TypeError
        If ``mask_value`` is no number.

    References
    ----------
    ``keras.layers.Masking``.

    Examples
    --------
    >>> sequences = Masking()(np.array([[[1.0, 2.0], [0.0, 3.0], [0.0, 0.0]]]))
    >>> sequences.mask
    array([[ True,  True, False]])
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def compute_mask(self, inputs: ArrayLike, mask: NDArray | None = None) -> NDArray:
        """Return where a step has a feature of another value."""
        return np.not_equal(inputs, self.mask_value).any(axis=-1)

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return the inputs with their mask, 0 where they do not count."""
        counts = self.compute_mask(inputs)
        self._counts = counts[..., np.newaxis]
        return masked(np.where(self._counts, inputs, 0), counts)

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient of the steps that count."""
        return gradient * self._counts

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "mask_value": self.mask_value}
