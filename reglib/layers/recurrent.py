r"""Layers with memory: a state goes along the sequence, and its gradient comes back.

At each time step a layer sees the input, its own last output and a 1, and multiplies them by
all its weights at once, :math:`z_t = A^\top[x_t; h_{t-1}; 1]`, where the rows of :math:`A` are
those of the kernel, of the recurrent kernel and the bias. The blocks of :math:`z_t`, one a
gate, are in Keras's order. Each example is a column here, so that a block is one piece of
memory and not a strip of every row.

The way back walks in the other direction. What it multiplies gradients by is known when the
walk forward has ended, so ``factors`` computes it for all time steps at once; a step back is
left with a few products.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import activations
from reglib._arguments import Choice, Flag, Integer, List, Number, Seed, arguments
from reglib._timestep_masks import as_truth
from reglib._typing import ArrayLike, Lengths
from reglib._validation import (
    check_array,
    naming,
)
from reglib.layers.base import Layer, Node

# These look at all units of an example together, where a step back looks at each alone.
_JOINT = ("softmax", "log_softmax")


@arguments(
    units=Integer(">= 1"),
    use_bias=Flag(),
    dropout=Number("[0, 1]"),
    recurrent_dropout=Number("[0, 1]"),
    seed=Seed(),
    return_sequences=Flag(),
    return_state=Flag(),
    go_backwards=Flag(),
    stateful=Flag(),
    zero_output_for_mask=Flag(),
)
class Recurrent(Layer):
    """What SimpleRNN, LSTM and GRU share; a subclass gives the four methods that follow.

    ``self._states`` holds what goes along, as arrays (time + 1, units, batch): the output h,
    which is a part of what the next step sees, and the LSTM's c. ``self._z`` holds all z_t.
    """

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
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = units
        self.activation = entrywise("activation", activation)
        self.use_bias = use_bias
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
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.seed = seed
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.zero_output_for_mask = zero_output_for_mask
        self._by_last: list[NDArray | None] = [None] * self.states
        self.reset_state()

    # What a subclass gives.

    def begin(self) -> None:
        """Make room for what the steps keep for the way back."""
        raise NotImplementedError

    def step(self, t: int) -> None:
        """Write the states after time step ``t`` from those before it and from ``z[t]``."""
        raise NotImplementedError

    def factors(self) -> None:
        """Compute what :meth:`step_back` multiplies gradients by, for all time steps."""
        raise NotImplementedError

    def step_back(self, t: int, gradients: list[NDArray], dz: NDArray) -> list[Any]:
        """Write the gradient of ``z[t]``, given those of the states after the step.

        Return those of the states before it, but for the way through z.
        """
        raise NotImplementedError

    # What all share.

    def build(self, input_shape: Lengths) -> None:
        """Make ``kernel``, ``recurrent_kernel`` and ``bias``."""
        if len(input_shape) != 3 or input_shape[-1] is None:
            raise ValueError(
                f"inputs of layer {self.name} must have shape (batch, time, features), "
                f"got {input_shape}"
            )
        columns = self.gates * self.units
        self.kernel = self.add_weight((input_shape[-1], columns), name="kernel")
        self.recurrent_kernel = self.add_weight(
            (self.units, columns), name="recurrent_kernel", options="recurrent"
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(self.bias_shape(), name="bias")

    def bias_shape(self) -> tuple[int, ...]:
        """Return the shape of the bias."""
        return (self.gates * self.units,)

    def matrix(self) -> NDArray:
        """Return all weights as the matrix A."""
        W, U = self.kernel.value, self.recurrent_kernel.value
        b = np.zeros(W.shape[1], W.dtype) if self.bias is None else self.bias.value
        return np.concatenate([W, U, b[np.newaxis]])

    def write_gradients(self, dA: NDArray) -> None:
        """Write the weights' gradients, given that of A."""
        features = len(self.kernel.value)
        self.kernel.gradient[...] = dA[:features]
        self.recurrent_kernel.gradient[...] = dA[features:-1]
        if self.bias is not None:
            self.bias.gradient[...] = dA[-1]

    def blocks(self, rows: NDArray) -> NDArray:
        """Return an array (..., blocks x units, batch) as one (..., blocks, units, batch)."""
        *others, number, batch = rows.shape
        return rows.reshape(*others, number // self.units, self.units, batch)

    def reset_state(self) -> None:
        """Let the next sequences start from zeros again, where the layer is stateful."""
        self._last_states: list[NDArray] | None = None

    def draw_masks(self, number: int, training: bool) -> NDArray | None:
        """Return dropout masks (gates, rows of A, batch), the same at all time steps, if any.

        Keras gives each gate a mask of its own as soon as ``recurrent_dropout`` is set
        (Gal and Ghahramani's variational dropout); one mask serves all gates otherwise.
        """
        features = len(self.kernel.value)
        gates = self.gates if self.recurrent_dropout > 0 else 1
        masks = np.ones((gates, features + self.units + 1, number), self.dtype)
        inputs, state = masks[:, :features], masks[:, features:-1]
        drawn = False
        for rate, part in ((self.dropout, inputs), (self.recurrent_dropout, state)):
            if training and 0 < rate < 1:
                part *= (self.generator.random(part.shape) >= rate) / (1 - rate)
                drawn = True
            elif training and rate == 1 and self.gates == 1:  # as in Keras; others ignore it
                part *= 0
                drawn = True
        return masks if drawn else None

    def __call__(
        self,
        inputs: ArrayLike | Node,
        training: bool | None = None,
        initial_state: Any = None,
        **options: Any,
    ) -> Any:
        """Return the outputs, and with ``return_state`` a list of them and the last states.

        The states to start from may be nodes, as the inputs may.

        Raises
        ------
        TypeError
            If one of inputs and states is a node and another is not.
        ValueError
            If the states are of another number or shape than the layer's.
        """
        states = []
        if initial_state is not None:
            alone = hasattr(initial_state, "shape")  # the only one, as Keras takes it too
            states = [initial_state] if alone else List().check("initial_state", initial_state)
            options["initial_state"] = states
        if any(isinstance(thing, Node) for thing in (inputs, *states)):
            return self._drawn(inputs, states, training, options)
        outputs = super().__call__(inputs, training, **options)
        # A layer of Keras has made a list of its own.
        if self.return_state and isinstance(outputs, np.ndarray):
            return [outputs, *(state[-1].T.copy() for state in self._states)]
        return outputs

    def _drawn(
        self, inputs: Any, states: list[Any], training: bool | None, options: dict[str, Any]
    ) -> Any:
        """Return the node of the outputs, or a list with those of the states."""
        nodes = [inputs, *states]
        others = sorted(set(options) - {"initial_state"})
        if others:
            raise TypeError(f"inputs must be an array for {', '.join(others)}, got a Node")
        if not all(isinstance(node, Node) for node in nodes):
            raise TypeError(
                f"inputs and initial_state of layer {self.name} must all be nodes where one is, "
                f"got {[type(node).__name__ for node in nodes]}"
            )
        shapes = [state.shape for state in states]
        if states and (
            len(shapes) != self.states or any(shape[1:] != (self.units,) for shape in shapes)
        ):
            raise ValueError(
                f"initial_state must be {self.states} of shape {(None, self.units)}, got {shapes}"
            )
        keyword = "initial_state" if states else None
        found = self.compute_output_shape(inputs.shape)
        if not self.return_state:
            return Node(self, tuple(nodes), found, keyword, training=training)
        every = Node(self, tuple(nodes), found[0], keyword, training=training)
        return [Node(self, (every,), shape, index=number) for number, shape in enumerate(found)]

    def propagate_back(self, gradient: Any, to_inputs: bool = True, linked: bool = False) -> Any:
        """Go back from the gradient of the outputs; or of these and the last states, in a list.

        In the list, None is what nobody went on with.
        """
        self._by_last = [None] * self.states
        if isinstance(gradient, list):
            gradient, *self._by_last = gradient
        if gradient is None:
            h = self._states[0]
            gradient = np.zeros_like(h[1:].transpose(2, 0, 1) if self.return_sequences else h[-1].T)
        return super().propagate_back(gradient, to_inputs, linked)

    def call(
        self,
        inputs: NDArray,
        training: bool = False,
        mask: ArrayLike | None = None,
        initial_state: Sequence[ArrayLike] | None = None,
    ) -> NDArray:
        """Return the last output, or the outputs of all time steps.

        Where ``mask`` (batch, time) is false, a step is left out and the states stay.
        ``initial_state`` holds the states to start from, each (batch, units).
        """
        if inputs.ndim != 3 or inputs.shape[-1] != self.kernel.shape[0]:
            raise ValueError(
                f"inputs of layer {self.name} must have shape (batch, time, "
                f"{self.kernel.shape[0]}), got {inputs.shape}"
            )
        number, length, features = inputs.shape
        in_order = slice(None, None, -1 if self.go_backwards else None)
        self._A = self.matrix()
        self._seen = np.ones((length + 1, len(self._A), number), inputs.dtype)
        self._seen[:-1, :features] = inputs[:, in_order].transpose(1, 2, 0)
        h = self._seen[:, features:-1]
        self._states = [h, *(np.empty_like(h) for _ in range(self.states - 1))]
        for state, first in zip(self._states, self._first(initial_state, number), strict=True):
            state[0] = first.T
        self._drop(self.draw_masks(number, training))
        self._used = None
        if mask is not None:
            used = as_mask(mask, (number, length))[:, in_order]
            self._used = used.T[:, np.newaxis]
        self._z = np.empty((length, self._A.shape[1], number), inputs.dtype)
        self.begin()
        for t in range(length):
            self._project(t)
            self.step(t)
            if self._used is not None:
                for state in self._states:
                    np.copyto(state[t + 1], state[t], where=~self._used[t])
        if self.stateful:
            self._last_states = [state[-1].T.copy() for state in self._states]
        outputs = h[1:].transpose(2, 0, 1) if self.return_sequences else h[-1].T
        if self._used is not None and self.zero_output_for_mask:
            return outputs * (used[..., np.newaxis] if self.return_sequences else used[:, -1:])
        return outputs.copy()

    def backward(self, gradient: NDArray) -> NDArray | None:
        """Walk back in time; write all gradients and return that of the inputs, if wanted."""
        length, features = len(self._z), len(self.kernel.value)
        from_above = np.zeros_like(self._states[0][1:])
        if self.return_sequences:
            from_above[...] = gradient.transpose(1, 2, 0)
        else:
            from_above[-1] = gradient.T
        if self._used is not None and self.zero_output_for_mask:
            from_above *= self._used
        wanted = slice(0 if self.to_inputs else features, -1)
        dx = np.empty_like(self._seen[:-1, :features])
        dA, dz = np.zeros_like(self._A), np.empty(self._z.shape[1:], self._z.dtype)
        gradients = [
            np.zeros_like(state[0]) if part is None else part.T.astype(state.dtype)
            for state, part in zip(self._states, self._by_last, strict=True)
        ]
        self.factors()
        for t in reversed(range(length)):
            gradients[0] += from_above[t]
            if self._used is not None:  # what a step left alone has its gradient pass it by
                past = [part * ~self._used[t] for part in gradients]
                gradients = [part * self._used[t] for part in gradients]
            gradients = self.step_back(t, gradients, dz)
            seen = self._project_back(t, dz, dA, wanted)
            gradients[0] = gradients[0] + seen[-self.units :]
            if self._used is not None:
                gradients = [part + other for part, other in zip(gradients, past, strict=True)]
            if self.to_inputs:
                dx[t] = seen[:features]
        self._by_first = gradients
        self.write_gradients(dA)
        if not self.to_inputs:
            return None
        if self._input_mask is not None:
            dx *= self._input_mask
        dx = dx.transpose(2, 0, 1).copy()
        return dx[:, ::-1] if self.go_backwards else dx

    @arguments(keyword=Choice("initial_state"))
    def gradients_of(self, keyword: str) -> list[NDArray]:
        """Return the gradients of the states that the sequences started from: ``initial_state``.

        To be called after :meth:`backward`.
        """
        return [gradient.T.copy() for gradient in self._by_first]

    def _first(self, states: Sequence[ArrayLike] | None, number: int) -> list[NDArray]:
        """Return the states to start from: those given, the last ones, or zeros."""
        states = self._last_states if states is None else states
        shape = (number, self.units)
        if states is None:
            return [np.zeros(shape, self.dtype)] * self.states
        arrays = [check_array("initial_state", state) for state in states]
        if [array.shape for array in arrays] != [shape] * self.states:
            raise ValueError(
                f"initial_state must be {self.states} of shape {shape}, got "
                f"{[array.shape for array in arrays]}; a stateful layer keeps the batch size "
                "until reset_state"
            )
        return arrays

    def _drop(self, masks: NDArray | None) -> None:
        """Drop inputs once for all gates where they share a mask; keep the gates' own masks."""
        self._masks, self._input_mask = masks, None
        if masks is not None and self.recurrent_dropout == 0:
            features = len(self.kernel.value)
            self._masks, self._input_mask = None, masks[0, :features]
            self._seen[:-1, :features] *= self._input_mask

    def _project(self, t: int) -> None:
        """Write z of a time step."""
        if self._masks is None:
            np.dot(self._A.T, self._seen[t], out=self._z[t])
        else:
            np.matmul(self._parts().mT, self._masks * self._seen[t], out=self.blocks(self._z[t]))

    def _project_back(self, t: int, dz: NDArray, dA: NDArray, wanted: slice) -> NDArray:
        """Add what a time step owes to A's gradient; return that of the wanted rows it saw."""
        if self._masks is None:
            dA += np.dot(self._seen[t], dz.T)
            return np.dot(self._A[wanted], dz)
        dz = self.blocks(dz)
        owed = (self._masks * self._seen[t]) @ dz.mT
        dA += owed.swapaxes(0, 1).reshape(dA.shape)
        return np.sum(self._masks[:, wanted] * (self._parts()[:, wanted] @ dz), axis=0)

    def _parts(self) -> NDArray:
        """Return A's columns block by block."""
        return self._A.reshape(len(self._A), -1, self.units).swapaxes(0, 1)

    def compute_mask(self, inputs: NDArray, mask: NDArray | None = None) -> NDArray | None:
        """Return the mask, if there is an output for each time step."""
        return mask if self.return_sequences else None

    def compute_output_shape(self, input_shape: Lengths) -> Any:
        """Return the shape of the outputs; with ``return_state`` a list, of the states' too."""
        batch, length, _ = input_shape
        state = (batch, self.units)
        outputs = (batch, length, self.units) if self.return_sequences else state
        return [outputs, *[state] * self.states] if self.return_state else outputs

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
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "zero_output_for_mask": self.zero_output_for_mask,
        }


def as_mask(mask: ArrayLike, shape: tuple[int, int]) -> NDArray:
    """Return a mask as an array of truth values."""
    array = as_truth(mask)
    if array.shape != shape:
        raise ValueError(f"mask must have shape (batch, time), {shape}, got {array.shape}")
    return array


def entrywise(name: str, identifier: Any) -> activations.Activation:
    """Return the activation that is meant, if it works on each entry by itself."""
    with naming(name):
        activation = activations.get(identifier)
    if activation.name in _JOINT:
        raise ValueError(f"{name} must work on each entry by itself, got {activation.name}")
    return activation


def apply(activation: activations.Activation, z: NDArray, out: NDArray) -> NDArray:
    """Write f(z) into ``out`` and return it; tanh and sigmoid, the usual ones, without copies."""
    if activation is activations.tanh:
        np.tanh(z, out=out)
    elif activation is activations.sigmoid:
        # The same function as (1 + tanh(z/2))/2: faster than exp, and it cannot overflow.
        np.multiply(z, 0.5, out=out)
        np.tanh(out, out=out)
        out *= 0.5
        out += 0.5
    else:
        out[...] = activation.value(z)
    return out


class SimpleRNN(Recurrent):
    r"""The plain recurrent layer, :math:`h_t = f(x_tW + h_{t-1}U + b)`.

    Parameters
    ----------
    units : int
        Size of the state.
    activation : str or Activation
        The function :math:`f`, of each entry by itself.
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
    ``keras.layers.SimpleRNN``.

    Examples
    --------
    >>> SimpleRNN(4)(np.ones((2, 5, 3))).shape
    (2, 4)
    """

    gates = 1

    def begin(self) -> None:
        """Nothing is kept but z and h."""

    def step(self, t: int) -> None:
        """Write h[t + 1] = f(z)."""
        (h,) = self._states
        apply(self.activation, self._z[t], out=h[t + 1])

    def factors(self) -> None:
        """Compute f'(z)."""
        (h,) = self._states
        self._by_z = self.activation.gradient(np.ones_like(self._z), self._z, h[1:])

    def step_back(self, t: int, gradients: list[NDArray], dz: NDArray) -> list[Any]:
        """Write dz; h before the step matters through z alone."""
        np.multiply(gradients[0], self._by_z[t], out=dz)
        return [0]
