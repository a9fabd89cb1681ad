"""Layers around layers of sequences: one at each time step, or one in either direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Choice, Dict, Instance, arguments
from reglib._timestep_masks import as_truth
from reglib._typing import ArrayLike, Lengths
from reglib.layers.base import Layer, deserialize, serialize
from reglib.layers.gated import GRU, LSTM
from reglib.layers.recurrent import SimpleRNN


class TimeDistributed(Layer):
    """The same layer at each time step, with the same weights.

    Parameters
    ----------
    layer : Layer, Sequential or Model
        What is applied to each step of inputs (batch, time, ...).
    **kwargs
        ``name``, ``dtype``, ``trainable``, ``input_shape``, as for every layer.

    Raises
    ------
    TypeError
        If ``layer`` is no layer.
    ValueError
        If ``layer`` returns its states; in use, if inputs have no time steps with something in
        them, or a mask does not fit.

    References
    ----------
    ``keras.layers.TimeDistributed``.

    Notes
    -----
    All steps of a batch are examples of one larger batch; Keras calls the layer step by step.
    Only a layer that looks at the whole batch, such as ``BatchNormalization`` in training, sees
    a difference. A mask of parts of each step ends where the layer makes one vector of them, and
    steps of nothing that counts are masked; in Keras the next layer fails on it.

    Examples
    --------
    >>> from reglib.layers import Dense
    >>> TimeDistributed(Dense(5))(np.zeros((32, 10, 16))).shape
    (32, 10, 5)
    """

    supports_masking = True

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if hasattr(layer, "as_layer"):  # a model
            layer = layer.as_layer()
        self.layer = _of_one_output("layer", Instance(Layer, "a layer").check("layer", layer))

    def sublayers(self) -> tuple[Layer, ...]:
        """Return the wrapped layer."""
        return (self.layer,)

    def build(self, input_shape: Lengths) -> None:
        """Build the wrapped layer for one time step."""
        self.layer.ensure_built(self._of_a_step(input_shape))

    def _of_a_step(self, shape: Lengths) -> Lengths:
        if len(shape) < 3:
            raise ValueError(
                f"inputs of layer {self.name} must have shape (batch, time, ...), "
                f"got {tuple(shape)}"
            )
        return (shape[0], *shape[2:])

    def call(
        self, inputs: NDArray, training: bool | None = None, mask: ArrayLike | None = None
    ) -> NDArray:
        """Return the outputs of all steps; a mask (batch, time, ...) goes on to the next layer.

        What it says of the parts of each step goes to the wrapped layer, if that takes a mask.
        """
        self._of_a_step(inputs.shape)
        self._steps = inputs.shape[:2]
        examples, options = _of_all_steps(inputs), {}
        if mask is not None:
            mask = as_truth(mask)
            if mask.shape[:2] != self._steps:
                raise ValueError(f"mask must have shape {self._steps}, got {mask.shape}")
            parts = _of_all_steps(mask)
            if self._tells_parts(parts, examples):
                options["mask"] = parts
        outputs = np.asarray(self.layer(examples, training=training, **options))
        return outputs.reshape(*self._steps, *outputs.shape[1:])

    def _tells_parts(self, mask: NDArray, examples: NDArray) -> bool:
        """Return whether the wrapped layer takes a mask of so many axes."""
        fewest = min(2, examples.ndim - 1)  # of time steps, or of examples that are vectors
        asked = self.layer._takes_mask and self.layer._wants_mask(examples, mask)
        return asked and fewest <= mask.ndim < examples.ndim

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient with respect to the inputs of all steps."""
        back = self.layer.propagate_back(_of_all_steps(gradient))
        return back.reshape(*self._steps, *back.shape[1:])

    def compute_mask(self, inputs: NDArray, mask: NDArray | None = None) -> NDArray | None:
        """Return the mask of the steps, and of their parts where the wrapped layer leaves them."""
        if mask is None or mask.ndim == 2:
            return mask
        parts = None
        if self.layer.supports_masking:
            parts = self.layer.compute_mask(_of_all_steps(inputs), _of_all_steps(mask))
        if parts is None:  # a step of nothing that counts does not count
            return np.asarray(mask.any(axis=tuple(range(2, mask.ndim))))
        return parts.reshape(*mask.shape[:2], *parts.shape[1:])

    def compute_output_shape(self, input_shape: Lengths) -> Lengths:
        """Return the shape of the outputs."""
        batch, *rest = self.layer.compute_output_shape(self._of_a_step(input_shape))
        return (batch, input_shape[1], *rest)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "layer": serialize(self.layer)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> TimeDistributed:
        """Return a new layer from :meth:`get_config`'s result."""
        return cls(**_revived(config, "layer"))


@arguments(merge_mode=Choice("concat", "sum", "mul", "ave"))
class Bidirectional(Layer):
    """A recurrent layer over the sequence, and a twin over the sequence from its end.

    Parameters
    ----------
    layer : SimpleRNN, LSTM or GRU
        What goes forward: a new one is made of its configuration.
    merge_mode : {"concat", "sum", "mul", "ave"}
        How the outputs of both become one: side by side, added, multiplied or averaged.
    backward_layer : SimpleRNN, LSTM or GRU, optional
        What goes backward; by default a twin of ``layer`` with weights of its own.
    **kwargs
        ``name``, ``dtype``, ``trainable``, ``input_shape``, as for every layer.

    Raises
    ------
    TypeError
        If a layer is not recurrent.
    ValueError
        If ``merge_mode`` is another, or the layers go the same way, or only one of them is
        stateful or returns sequences, or one returns its states.

    References
    ----------
    Schuster and Paliwal (1997), "Bidirectional recurrent neural networks";
    ``keras.layers.Bidirectional``.

    Examples
    --------
    >>> from reglib.layers import LSTM
    >>> Bidirectional(LSTM(10))(np.zeros((5, 7, 3))).shape
    (5, 20)
    """

    supports_masking = True

    def __init__(
        self,
        layer: Any,
        merge_mode: str = "concat",
        backward_layer: Layer | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.merge_mode = merge_mode
        self.forward_layer = _twin("forward", _checked("layer", layer))
        if backward_layer is None:
            self.backward_layer = _twin("backward", layer, go_backwards=not layer.go_backwards)
        else:
            self.backward_layer = _checked("backward_layer", backward_layer)
        for option in ("go_backwards", "stateful", "return_sequences"):
            ahead, back = (getattr(each, option) for each in self.sublayers())
            if (ahead == back) == (option == "go_backwards"):
                need = "go another way than" if ahead == back else f"have the {option} of"
                raise ValueError(f"backward_layer must {need} layer, got {option}={back}")
        self.return_sequences = self.forward_layer.return_sequences
        for each in self.sublayers():
            # What is masked is skipped: without zeros it would repeat another step's output.
            each.zero_output_for_mask = self.return_sequences

    def sublayers(self) -> tuple[Any, ...]:
        """Return the layers of both directions."""
        return (self.forward_layer, self.backward_layer)

    def build(self, input_shape: Lengths) -> None:
        """Build the layers of both directions."""
        for layer in self.sublayers():
            layer.ensure_built(input_shape)

    def reset_state(self) -> None:
        """Let the next sequences start from zeros again, where the layers are stateful."""
        for layer in self.sublayers():
            layer.reset_state()

    def call(
        self,
        inputs: NDArray,
        training: bool | None = None,
        mask: ArrayLike | None = None,
        initial_state: Sequence[ArrayLike] | None = None,
    ) -> NDArray:
        """Return the merged outputs; of ``initial_state``, the first half goes forward."""
        options = {} if mask is None else {"mask": mask}
        outputs = []
        for number, layer in enumerate(self.sublayers()):
            if initial_state is not None:
                half = len(initial_state) // 2
                options["initial_state"] = initial_state[number * half :][:half]
            outputs.append(np.asarray(layer(inputs, training=training, **options)))
        ahead, back = outputs[0], self._turned(outputs[1])
        self._outputs_of_both = ahead, back
        if self.merge_mode == "concat":
            return np.concatenate([ahead, back], axis=-1)
        if self.merge_mode == "mul":
            return ahead * back
        return (ahead + back) / (2 if self.merge_mode == "ave" else 1)

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient with respect to the inputs, from both directions."""
        ahead, back = self._outputs_of_both
        if self.merge_mode == "concat":
            gradients = np.split(gradient, [ahead.shape[-1]], axis=-1)
        elif self.merge_mode == "mul":
            gradients = [gradient * back, gradient * ahead]
        else:
            gradients = [gradient / (2 if self.merge_mode == "ave" else 1)] * 2
        return self.forward_layer.propagate_back(gradients[0]) + self.backward_layer.propagate_back(
            self._turned(gradients[1])
        )

    def _turned(self, outputs: NDArray) -> NDArray:
        """Return the steps of the second direction in the order of the first, or back."""
        return outputs[:, ::-1] if self.return_sequences else outputs

    def compute_mask(self, inputs: NDArray, mask: NDArray | None = None) -> NDArray | None:
        """Return the mask, if there is an output for each time step."""
        return mask if self.return_sequences else None

    def compute_output_shape(self, input_shape: Lengths) -> Lengths:
        """Return the shape of the outputs."""
        ahead, back = (layer.compute_output_shape(input_shape) for layer in self.sublayers())
        return (*ahead[:-1], ahead[-1] + back[-1]) if self.merge_mode == "concat" else ahead

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "merge_mode": self.merge_mode,
            "layer": serialize(self.forward_layer),
            "backward_layer": serialize(self.backward_layer),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Bidirectional:
        """Return a new layer from :meth:`get_config`'s result."""
        return cls(**_revived(config, "layer", "backward_layer"))


def _of_all_steps(array: NDArray) -> NDArray:
    """Return the time steps of all examples one after the other, as examples."""
    number, length, *rest = array.shape
    return array.reshape(number * length, *rest)


def _revived(config: Mapping[str, Any], *parts: str) -> dict[str, Any]:
    """Return a configuration with its layers made."""
    if "layer" not in Dict().check("config", config):
        raise ValueError(f"config must have a 'layer', got {dict(config)!r}")
    layers = {part: deserialize(config[part]) for part in parts if config.get(part) is not None}
    return {**config, **layers}


def _checked(name: str, layer: Any) -> Any:
    Instance((SimpleRNN, LSTM, GRU), "a SimpleRNN, an LSTM or a GRU").check(name, layer)
    return _of_one_output(name, layer)


def _of_one_output(name: str, layer: Any) -> Any:
    if getattr(layer, "return_state", False):
        raise ValueError(f"{name} must return its outputs alone, got return_state=True")
    return layer


def _twin(direction: str, layer: Any, **options: Any) -> Any:
    """Return a layer of the same configuration, named after its direction."""
    name = f"{direction}_{layer.name.removeprefix(f'{direction}_')}"
    return type(layer).from_config({**layer.get_config(), "name": name, **options})
