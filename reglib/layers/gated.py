"""LSTM and GRU: recurrent layers whose gates say what is kept from step to step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import activations
from reglib._arguments import Flag, arguments
from reglib._typing import Lengths
from reglib.layers.recurrent import Recurrent, apply, entrywise


@arguments(unit_forget_bias=Flag())
class LSTM(Recurrent):
    r"""Long short-term memory: gates decide what to write, keep and show.

    With gates :math:`i, f, o = \sigma(\cdot)` and candidate :math:`g = \tanh(\cdot)` of
    :math:`x_tW + h_{t-1}U + b`: :math:`c_t = f \odot c_{t-1} + i \odot g` and
    :math:`h_t = o \odot \tanh(c_t)`.

    Parameters
    ----------
    units : int
        Size of the state.
    activation, recurrent_activation : str or Activation
        The functions :math:`\tanh` and :math:`\sigma`, of each entry by itself.
    unit_forget_bias : bool
        Whether the forget gate's bias starts at 1, so that memory is kept at first.
    dropout, recurrent_dropout : float
        Fraction of the inputs and of the state to drop; one mask a sequence.
    return_sequences : bool
        Whether to return the outputs of all time steps, not only the last.
    return_state : bool
        Whether to return the last states as well, in a list behind the outputs.
    stateful : bool
        Whether a batch goes on where the last one ended, until ``reset_state()``.

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
        self.recurrent_activation = entrywise("recurrent_activation", recurrent_activation)
        self.unit_forget_bias = unit_forget_bias

    def build(self, input_shape: Lengths) -> None:
        """Make the weights; the forget gate starts open."""
        super().build(input_shape)
        if self.bias is not None and self.unit_forget_bias:
            self.bias.value[self.units : 2 * self.units] = 1

    def begin(self) -> None:
        """Make room for the gates and tanh(c)."""
        self._gates = np.empty_like(self._z)
        self._shown = np.empty_like(self._z[:, : self.units])
        usual = self.recurrent_activation is activations.sigmoid
        self._slope = None
        if usual and self.activation is activations.tanh:
            self._slope = np.full(self._z.shape[1:], 0.5, self._z.dtype)
            self._slope[2 * self.units : 3 * self.units] = 1
            self._shift = 1 - self._slope

    def step(self, t: int) -> None:
        """Write h and c after time step t."""
        h, c = self._states
        i, f, g, o = self.blocks(self._open(self._z[t], out=self._gates[t]))
        now = np.multiply(f, c[t], out=c[t + 1])
        now += i * g
        np.multiply(o, apply(self.activation, now, out=self._shown[t]), out=h[t + 1])

    def _open(self, z: NDArray, out: NDArray) -> NDArray:
        """Write the gates and the candidate into ``out`` and return it."""
        if self._slope is None:
            apply(self.recurrent_activation, z, out)
            candidate = slice(2 * self.units, 3 * self.units)
            apply(self.activation, z[candidate], out[candidate])
            return out
        # All four are a tanh: the sigmoid of z is (1 + tanh(z/2))/2.
        np.multiply(z, self._slope, out=out)
        np.tanh(out, out=out)
        out *= self._slope
        out += self._shift
        return out

    def factors(self) -> None:
        """Compute the derivatives of c by the first three blocks of z, of h by the last and c."""
        c = self._states[1]
        z, gates = self.blocks(self._z), self.blocks(self._gates)
        i, self._forget, g, o = gates.swapaxes(0, 1)
        partners = np.empty_like(gates)
        for number, partner in enumerate((g, c[:-1], 0, self._shown)):
            partners[:, number] = partner
        self._by_z = self.recurrent_activation.gradient(partners, z, gates)
        self._by_z[:, 2] = self.activation.gradient(i, z[:, 2], g)
        self._by_c = self.activation.gradient(o, c[1:], self._shown)

    def step_back(self, t: int, gradients: list[NDArray], dz: NDArray) -> list[Any]:
        """Write dz; return the gradient of c before the step."""
        dh, dc = gradients
        dc = dc + dh * self._by_c[t]
        by_z, dz = self._by_z[t], self.blocks(dz)
        np.multiply(by_z[:3], dc, out=dz[:3])
        np.multiply(by_z[3], dh, out=dz[3])
        return [0, dc * self._forget[t]]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "unit_forget_bias": self.unit_forget_bias,
        }


@arguments(reset_after=Flag())
class GRU(Recurrent):
    r"""Gated recurrent unit: one gate mixes old state and candidate, one resets.

    With :math:`z, r = \sigma(\cdot)`: :math:`\hat h = \tanh(p + r \odot q)` and
    :math:`h_t = z \odot h_{t-1} + (1 - z) \odot \hat h`, where :math:`p` comes of the inputs
    and :math:`q = h_{t-1}U` of the state, each with a bias. Without ``reset_after`` the gate
    acts before the product, :math:`(r \odot h_{t-1})U`, as in the paper.

    Parameters
    ----------
    units : int
        Size of the state.
    activation, recurrent_activation : str or Activation
        The functions :math:`\tanh` and :math:`\sigma`, of each entry by itself.
    dropout, recurrent_dropout : float
        Fraction of the inputs and of the state to drop; one mask a sequence.
    return_sequences : bool
        Whether to return the outputs of all time steps, not only the last.
    return_state : bool
        Whether to return the last states as well, in a list behind the outputs.
    stateful : bool
        Whether a batch goes on where the last one ended, until ``reset_state()``.
    reset_after : bool
        Whether the reset gate acts after the product with :math:`U`.

    Raises
    ------
    ValueError
        If a size or rate is out of range, or the inputs are not (batch, time, features).

    References
    ----------
    Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder for
    statistical machine translation"; ``keras.layers.GRU``.

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
        reset_after: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, activation, use_bias, **kwargs)
        self.recurrent_activation = entrywise("recurrent_activation", recurrent_activation)
        self.reset_after = reset_after

    def bias_shape(self) -> tuple[int, ...]:
        """Return the biases' shape: with ``reset_after`` one row for inputs, one for the state."""
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    # The third block of z is p, so A holds no weights of the state there. q is a product of its
    # own, q = yU + b, where y is h or r * h, and what is added to p is r * q or q.

    def matrix(self) -> NDArray:
        """Return all weights but those that make q as the matrix A."""
        features, first = len(self.kernel.value), 2 * self.units
        self._U = self.recurrent_kernel.value[:, first:].copy()
        self._b = np.zeros((self.units, 1), self._U.dtype)
        A = np.zeros((features + self.units + 1, 3 * self.units), self._U.dtype)
        A[:features] = self.kernel.value
        A[features:-1, :first] = self.recurrent_kernel.value[:, :first]
        if self.bias is not None:
            A[-1] = self.bias.value[0] if self.reset_after else self.bias.value
            if self.reset_after:
                A[-1, :first] += self.bias.value[1, :first]
                self._b[:, 0] = self.bias.value[1, first:]
        return A

    def write_gradients(self, dA: NDArray) -> None:
        """Write the weights' gradients, given that of A."""
        features, first = len(self.kernel.value), 2 * self.units
        self.kernel.gradient[...] = dA[:features]
        self.recurrent_kernel.gradient[:, :first] = dA[features:-1, :first]
        self.recurrent_kernel.gradient[:, first:] = self._dU
        if self.bias is not None:
            self.bias.gradient[...] = dA[-1]
            if self.reset_after:
                self.bias.gradient[1, first:] = self._db

    def begin(self) -> None:
        """Make room for the gates, y, q, the candidate and what it is a function of."""
        self._gates = np.empty_like(self._z[:, : 2 * self.units])
        self._y, self._q, self._sum, self._candidate = (
            np.empty_like(self._gates[:, : self.units]) for _ in range(4)
        )

    def step(self, t: int) -> None:
        """Write h after time step t."""
        (h,) = self._states
        zr, p = self._z[t, : 2 * self.units], self._z[t, 2 * self.units :]
        z, r = self.blocks(apply(self.recurrent_activation, zr, out=self._gates[t]))
        y, q = self._y[t], self._q[t]
        y[...] = h[t] if self._masks is None else h[t] * self._state_mask()
        if not self.reset_after:
            y *= r
        np.dot(self._U.T, y, out=q)
        q += self._b
        np.add(p, r * q if self.reset_after else q, out=self._sum[t])
        candidate = apply(self.activation, self._sum[t], out=self._candidate[t])
        np.subtract(h[t], candidate, out=h[t + 1])
        h[t + 1] *= z
        h[t + 1] += candidate

    def factors(self) -> None:
        """Compute the derivatives of h by z and p, and of p or y by r."""
        (h,) = self._states
        (z_in, r_in), (z, r) = (
            self.blocks(part).swapaxes(0, 1) for part in (self._z[:, : 2 * self.units], self._gates)
        )
        self._update, self._reset = z, r
        sigma = self.recurrent_activation
        self._by_z = sigma.gradient(h[:-1] - self._candidate, z_in, z)
        self._by_p = self.activation.gradient(1 - z, self._sum, self._candidate)
        partner = self._q if self.reset_after else h[:-1]
        if not self.reset_after and self._masks is not None:
            partner = partner * self._state_mask()
        self._by_r = sigma.gradient(partner, r_in, r)
        self._dU, self._db = np.zeros_like(self._U), np.zeros(self.units, self._U.dtype)

    def step_back(self, t: int, gradients: list[NDArray], dz: NDArray) -> list[Any]:
        """Write dz; return the gradient of h before the step, as far as it is known here."""
        (dh,) = gradients
        r = self._reset[t]
        d_z, d_r, d_p = self.blocks(dz)
        np.multiply(dh, self._by_z[t], out=d_z)
        np.multiply(dh, self._by_p[t], out=d_p)
        dq = d_p * r if self.reset_after else d_p
        dy = self._U @ dq
        np.multiply(d_p if self.reset_after else dy, self._by_r[t], out=d_r)
        self._dU += self._y[t] @ dq.T
        self._db += dq.sum(axis=1)
        if not self.reset_after:
            dy *= r
        if self._masks is not None:
            dy *= self._state_mask()
        dy += dh * self._update[t]
        return [dy]

    def _state_mask(self) -> NDArray:
        """Return the candidate's dropout mask of the state."""
        assert self._masks is not None
        return self._masks[-1, -1 - self.units : -1]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "reset_after": self.reset_after,
        }
