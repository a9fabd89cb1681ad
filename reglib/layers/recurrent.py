r"""Layers with memory: a state goes along the sequence, and its gradient comes back.

A layer projects all inputs at once, :math:`p_t = x_tW + b`, and then walks: at each time
step the state is projected, :math:`q_t = h_{t-1}U`, and the cell makes the new state of both.
The way back walks in the other direction and adds up what every step owes to the weights.
Gates lie side by side in the columns of :math:`W`, :math:`U` and :math:`b`, in Keras's order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import activations
from reglib._validation import check_flag, check_integer, check_number, check_seed, naming
from reglib.layers.base import Layer

State = tuple[NDArray, ...]


class _Recurrent(Layer):
    """What SimpleRNN, LSTM and GRU share; a subclass gives ``step`` and ``step_back``."""

    gates: int
    states: int = 1

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        go_backwards: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = check_integer("units", units, low=1)
        self.activation = activations.get(activation)
        self.use_bias = check_flag("use_bias", use_bias)
        self.set_weight_options(
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
        )
        self.dropout = check_number("dropout", dropout, low=0, high=1)
        self.recurrent_dropout = check_number("recurrent_dropout", recurrent_dropout, low=0, high=1)
        self.seed = check_seed("seed", seed)
        self.return_sequences = check_flag("return_sequences", return_sequences)
        self.go_backwards = check_flag("go_backwards", go_backwards)

    # What a subclass gives.

    def step(self, p: NDArray, q: NDArray, states: State) -> tuple[State, Any]:
        """Return the new states (the first is the output) and what the way back needs."""
        raise NotImplementedError

    def step_back(self, gradients: State, memory: Any) -> tuple[NDArray, NDArray, State]:
        """Return the gradients with respect to p, q and the old states (not through q)."""
        raise NotImplementedError

    # What all share.

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make ``kernel``, ``recurrent_kernel`` and ``bias``."""
        if len(input_shape) != 3 or input_shape[-1] is None:
            raise ValueError(
                f"inputs of layer {self.name} must have shape (batch, time, features), "
                f"got {input_shape}"
            )
        columns = self.gates * self.units
        self.kernel = self.add_weight("kernel", (input_shape[-1], columns))
        self.recurrent_kernel = self.add_weight(
            "recurrent_kernel", (self.units, columns), options="recurrent"
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight("bias", self.bias_shape())

    def bias_shape(self) -> tuple[int, ...]:
        """Return the shape of the bias."""
        return (self.gates * self.units,)

    def split(self, columns: NDArray) -> list[NDArray]:
        """Return the gates' parts of an array that holds them side by side."""
        return [columns[..., g * self.units : (g + 1) * self.units] for g in range(self.gates)]

    def draw_masks(self, rate: float, shape: tuple[int, int], training: bool) -> NDArray | None:
        """Return one dropout mask a sequence, the same at all its steps, or one for each gate.

        Keras gives each gate a mask of its own as soon as ``recurrent_dropout`` is set
        (Gal and Ghahramani's variational dropout); one mask serves all gates otherwise.
        """
        if not training or not 0 < rate < 1:
            return None
        number = self.gates if self.recurrent_dropout > 0 else 1
        kept = self.generator.random((number, *shape)) >= rate
        return kept * np.dtype(self.dtype).type(1 / (1 - rate))

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return the last output, or the outputs of all time steps."""
        if inputs.ndim != 3 or inputs.shape[-1] != self.kernel.shape[0]:
            raise ValueError(
                f"inputs of layer {self.name} must have shape (batch, time, "
                f"{self.kernel.shape[0]}), got {inputs.shape}"
            )
        x = inputs[:, ::-1] if self.go_backwards else inputs
        number, length, features = x.shape
        self._masks = self.draw_masks(self.dropout, (number, features), training)
        self._state_masks = self.draw_masks(self.recurrent_dropout, (number, self.units), training)
        p = _masked_product(x, self._masks, self.kernel.value)
        if self.bias is not None:
            p += self.bias.value if self.bias.value.ndim == 1 else self.bias.value[0]
        states = (np.zeros((number, self.units), x.dtype),) * self.states
        self._x, self._memories = x, []
        self._h = np.zeros((number, length + 1, self.units), x.dtype)
        for t in range(length):
            q = _masked_product(states[0], self._state_masks, self.recurrent_kernel.value)
            if self.bias is not None and self.bias.value.ndim == 2:
                q += self.bias.value[1]
            states, memory = self.step(p[:, t], q, states)
            self._memories.append(memory)
            self._h[:, t + 1] = states[0]
        return self._h[:, 1:] if self.return_sequences else states[0]

    def backward(self, gradient: NDArray) -> NDArray:
        """Walk back in time; write all gradients and return that of the inputs, if wanted."""
        x, length = self._x, self._x.shape[1]
        dp = np.empty((len(x), length, self.gates * self.units), x.dtype)
        dq = np.empty_like(dp)
        zeros = np.zeros((len(x), self.units), x.dtype)
        gradients: State = (zeros,) * self.states
        for t in reversed(range(length)):
            if self.return_sequences:
                from_above = gradient[:, t]
            else:
                from_above = gradient if t == length - 1 else zeros
            gradients = (gradients[0] + from_above, *gradients[1:])
            dp[:, t], dq[:, t], (dh, *others) = self.step_back(gradients, self._memories[t])
            through_q = _masked_product_back(
                dq[:, t], self._state_masks, self.recurrent_kernel.value
            )
            gradients = (dh + through_q, *others)
        _kernel_gradient(x, self._masks, dp, out=self.kernel.gradient)
        before = self._h[:, :-1]
        _kernel_gradient(before, self._state_masks, dq, out=self.recurrent_kernel.gradient)
        if self.bias is not None and self.bias.value.ndim == 2:
            np.stack([dp.sum(axis=(0, 1)), dq.sum(axis=(0, 1))], out=self.bias.gradient)
        elif self.bias is not None:
            np.sum(dp, axis=(0, 1), out=self.bias.gradient)
        if not self.to_inputs:
            return None
        dx = _masked_product_back(dp, self._masks, self.kernel.value)
        return dx[:, ::-1] if self.go_backwards else dx

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the outputs."""
        batch, length, _ = input_shape
        return (batch, length, self.units) if self.return_sequences else (batch, self.units)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
            "return_sequences": self.return_sequences,
            "go_backwards": self.go_backwards,
        }


def _over_time(mask: NDArray, like: NDArray) -> NDArray:
    """Return a (batch, features) mask in a shape that broadcasts over the time axis."""
    return mask if like.ndim == 2 else mask[:, np.newaxis]


def _masked_product(x: NDArray, masks: NDArray | None, kernel: NDArray) -> NDArray:
    """Return x @ kernel with the inputs masked, gate by gate where each has its own mask."""
    if masks is None:
        return x @ kernel
    parts = np.split(kernel, len(masks), axis=1)
    masked = [(x * _over_time(m, x)) @ part for m, part in zip(masks, parts, strict=True)]
    return masked[0] if len(masked) == 1 else np.concatenate(masked, axis=-1)


def _masked_product_back(dp: NDArray, masks: NDArray | None, kernel: NDArray) -> NDArray:
    """Return the gradient of :func:`_masked_product` with respect to x."""
    if masks is None:
        return dp @ kernel.T
    parts = zip(
        masks,
        np.split(dp, len(masks), axis=-1),
        np.split(kernel, len(masks), axis=1),
        strict=True,
    )
    return sum((d @ part.T) * _over_time(m, dp) for m, d, part in parts)


def _kernel_gradient(x: NDArray, masks: NDArray | None, dp: NDArray, out: NDArray) -> None:
    """Write the gradient of :func:`_masked_product` with respect to the kernel, all steps added."""
    rows = dp.reshape(-1, dp.shape[-1])
    if masks is None:
        np.matmul(x.reshape(len(rows), -1).T, rows, out=out)
        return
    columns = np.split(rows, len(masks), axis=1)
    for m, d, part in zip(masks, columns, np.split(out, len(masks), axis=1), strict=True):
        part[...] = (x * _over_time(m, x)).reshape(len(rows), -1).T @ d


class SimpleRNN(_Recurrent):
    r"""The plain recurrent layer, :math:`h_t = f(x_tW + h_{t-1}U + b)`.

    Parameters
    ----------
    units : int
        Size of the state.
    dropout, recurrent_dropout : float
        Fraction of the inputs and of the state to drop; one mask a sequence.
    return_sequences : bool
        Whether to return the outputs of all time steps, not only the last.

    Raises
    ------
    ValueError
        If a size or rate is out of range, or the inputs are not (batch, time, features).

    References
    ----------
    ``keras.layers.SimpleRNN``.

    Examples
    --------
    >>> SimpleRNN(4)(np.ones((2, 5, 3))).shape
    (2, 4)
    """

    gates = 1

    def step(self, p: NDArray, q: NDArray, states: State) -> tuple[State, Any]:
        """Return the new state and what the way back needs."""
        z = p + q
        h = self.activation.value(z)
        return (h,), (z, h)

    def step_back(self, gradients: State, memory: Any) -> tuple[NDArray, NDArray, State]:
        """Return the gradients with respect to p, q and the old state."""
        dz = self.activation.gradient(gradients[0], *memory)
        return dz, dz, (np.zeros_like(gradients[0]),)


class LSTM(_Recurrent):
    r"""Long short-term memory: gates decide what to write, keep and show.

    With gates :math:`i, f, o = \sigma(\cdot)` and candidate :math:`g = \tanh(\cdot)` of
    :math:`x_tW + h_{t-1}U + b`: :math:`c_t = f \odot c_{t-1} + i \odot g` and
    :math:`h_t = o \odot \tanh(c_t)`.

    Parameters
    ----------
    units : int
        Size of the state.
    recurrent_activation : str or Activation
        The gates' function.
    unit_forget_bias : bool
        Whether the forget gate's bias starts at 1, so that memory is kept at first.
    dropout, recurrent_dropout : float
        Fraction of the inputs and of the state to drop; one mask a sequence.
    return_sequences : bool
        Whether to return the outputs of all time steps, not only the last.

    Raises
    ------
    ValueError
        If a size or rate is out of range, or the inputs are not (batch, time, features).

    References
    ----------
    Hochreiter and Schmidhuber (1997), "Long short-term memory"; Gal and Ghahramani (2016),
    "A theoretically grounded application of dropout in recurrent neural networks";
    ``keras.layers.LSTM``.

    Examples
    --------
    >>> LSTM(5)(np.ones((2, 1, 12))).shape
    (2, 5)
    """

    gates = 4
    states = 2

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        unit_forget_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, activation, use_bias, **kwargs)
        with naming("recurrent_activation"):
            self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = check_flag("unit_forget_bias", unit_forget_bias)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights; the forget gate starts open."""
        super().build(input_shape)
        if self.bias is not None and self.unit_forget_bias:
            self.split(self.bias.value)[1][...] = 1

    def step(self, p: NDArray, q: NDArray, states: State) -> tuple[State, Any]:
        """Return the new states h, c and what the way back needs."""
        z = p + q
        # The gates' function on all four at once costs less than on three apart.
        gates = self.recurrent_activation.value(z)
        i, forget, _, o = self.split(gates)
        g = self.activation.value(self.split(z)[2])
        c = forget * states[1]
        c += i * g
        shown = self.activation.value(c)
        return (o * shown, c), (z, gates, g, states[1], c, shown)

    def step_back(self, gradients: State, memory: Any) -> tuple[NDArray, NDArray, State]:
        """Return the gradients with respect to p, q and the old states."""
        dh, dc = gradients
        z, gates, g, c_before, c, shown = memory
        i, forget, _, o = self.split(gates)
        dc = dc + self.activation.gradient(dh * o, c, shown)
        upstream = np.empty_like(z)
        d_i, d_f, d_g, d_o = self.split(upstream)
        np.multiply(dc, g, out=d_i)
        np.multiply(dc, c_before, out=d_f)
        np.multiply(dc, i, out=d_g)
        np.multiply(dh, shown, out=d_o)
        dz = self.recurrent_activation.gradient(upstream, z, gates)
        self.split(dz)[2][...] = self.activation.gradient(d_g, self.split(z)[2], g)
        return dz, dz, (np.zeros_like(dh), dc * forget)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "unit_forget_bias": self.unit_forget_bias,
        }


class GRU(_Recurrent):
    r"""Gated recurrent unit: one gate mixes old state and candidate, one resets.

    With :math:`z, r = \sigma(\cdot)`: :math:`\hat h = \tanh(p_h + r \odot q_h)` and
    :math:`h_t = z \odot h_{t-1} + (1 - z) \odot \hat h`. The reset gate acts after the
    product with :math:`U` (Keras's default), so that input and state have a bias each.

    Parameters
    ----------
    units : int
        Size of the state.
    recurrent_activation : str or Activation
        The gates' function.
    dropout, recurrent_dropout : float
        Fraction of the inputs and of the state to drop; one mask a sequence.
    return_sequences : bool
        Whether to return the outputs of all time steps, not only the last.

    Raises
    ------
    ValueError
        If a size or rate is out of range, or the inputs are not (batch, time, features).

    References
    ----------
    Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder for
    statistical machine translation"; ``keras.layers.GRU`` with ``reset_after=True``.

    Examples
    --------
    >>> GRU(4, return_sequences=True)(np.ones((2, 5, 3))).shape
    (2, 5, 4)
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, activation, use_bias, **kwargs)
        with naming("recurrent_activation"):
            self.recurrent_activation = activations.get(recurrent_activation)

    def bias_shape(self) -> tuple[int, ...]:
        """Return the shape of the biases: one row for the inputs, one for the state."""
        return (2, self.gates * self.units)

    def step(self, p: NDArray, q: NDArray, states: State) -> tuple[State, Any]:
        """Return the new state and what the way back needs."""
        (p_z, p_r, p_h), (q_z, q_r, q_h) = self.split(p), self.split(q)
        sigma = self.recurrent_activation
        z, r = sigma.value(p_z + q_z), sigma.value(p_r + q_r)
        candidate = self.activation.value(p_h + r * q_h)
        h = z * states[0] + (1 - z) * candidate
        return (h,), (p, q, z, r, candidate, states[0])

    def step_back(self, gradients: State, memory: Any) -> tuple[NDArray, NDArray, State]:
        """Return the gradients with respect to p, q and the old state."""
        (dh,) = gradients
        p, q, z, r, candidate, h_before = memory
        (p_z, p_r, p_h), (q_z, q_r, q_h) = self.split(p), self.split(q)
        sigma = self.recurrent_activation
        d_z = sigma.gradient(dh * (h_before - candidate), p_z + q_z, z)
        d_h = self.activation.gradient(dh * (1 - z), p_h + r * q_h, candidate)
        d_r = sigma.gradient(d_h * q_h, p_r + q_r, r)
        dp = np.concatenate([d_z, d_r, d_h], axis=-1)
        dq = np.concatenate([d_z, d_r, d_h * r], axis=-1)
        return dp, dq, (dh * z,)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
        }
