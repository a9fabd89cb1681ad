"""The loop that trains a model, whatever its layers are and however they are connected.

One training step is the whole of :meth:`Trainer.train_step`: predict, measure, go back, step.
"""

from __future__ import annotations

import functools
import math
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reglib import _archive, _serialization, losses, metrics, optimizers
from reglib._timestep_masks import mask_of, masked
from reglib._validation import (
    check_array,
    check_callable,
    check_choice,
    check_flag,
    check_integer,
    check_mapping,
    check_number,
    check_seed,
    check_sequence,
    check_text,
    naming,
)
from reglib.callbacks import CallbackList, History
from reglib.layers.base import Layer, Parameter
from reglib.models.inputs_and_outputs import Bundle, Data, arrays_of, map_arrays

VERBOSE = ("auto", 0, 1, 2)
model_classes: dict[str, type[Trainer]] = {}


class Trainer(_serialization.Described):
    """What can be compiled, fitted, evaluated and asked for predictions.

    A subclass gives ``layers``, ``build``, ``forward`` and ``backward``.

    Parameters
    ----------
    name : str, optional
        What the model is called.
    seed : int, optional
        Makes initial weights, noise layers and shuffling repeatable. Layers with a seed of
        their own keep it.
    """

    def __init__(self, *, name: str | None = None, seed: int | None = None) -> None:
        self.name = type(self).__name__.lower() if name is None else check_text("name", name)
        sequence = np.random.SeedSequence(check_seed("seed", seed))
        shuffling, self._layer_seeds = sequence.spawn(2)
        self.generator = np.random.default_rng(shuffling)
        self.built = False
        self.stop_training = False
        self.optimizer: optimizers.Optimizer | None = None
        self.loss: losses.Loss | None = None
        self.metrics: list[metrics.Metric] = []
        self.weighted_metrics: list[metrics.Metric] = []
        self._block: optimizers.Block | None = None
        self.nested: Layer | None = None  # what the model is within another

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Remember the class, for descriptions of models."""
        super().__init_subclass__(**kwargs)
        if _serialization.is_of_library(cls):
            model_classes[cls.__name__] = cls

    def _seed_for(self, layer: Layer, before: Sequence[Layer]) -> np.random.SeedSequence:
        """Return a seed that depends on the layer's class and its number within that class.

        Not on its place: with or without a dropout layer in between, the same model seed gives
        the same initial weights, so that two methods can be compared on equal terms.
        """
        number = sum(type(other) is type(layer) for other in before)
        return np.random.SeedSequence(
            self._layer_seeds.entropy,
            spawn_key=(*self._layer_seeds.spawn_key, *type(layer).__name__.encode(), number),
        )

    # What a subclass gives.

    @property
    def layers(self) -> list[Layer]:
        """The layers, in the order of the forward pass."""
        raise NotImplementedError

    @property
    def last_layer(self) -> Layer:
        """The layer that the outputs come out of."""
        return self.layers[-1]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build every layer for inputs of this shape."""
        raise NotImplementedError

    def forward(self, inputs: NDArray, training: bool) -> NDArray:
        """Return the outputs for a batch."""
        raise NotImplementedError

    def backward(
        self, gradient: NDArray, to_inputs: bool = False, linked: bool = False
    ) -> NDArray | None:
        """Write every parameter's gradient, given the loss's with respect to the outputs.

        With ``to_inputs`` the way back goes to the end, and the gradient of the inputs is
        returned; otherwise it ends at the first layer that learns. ``linked``: the gradient
        given is by the inputs of the last activation.
        """
        raise NotImplementedError

    def shorten_way_back(self) -> None:
        """Note where the way back may end, for the parameters that are trainable now."""
        raise NotImplementedError

    # What a model of several inputs or outputs takes otherwise: bundles instead of arrays.

    def check_inputs(self, name: str, x: Any) -> Data:
        """Return inputs as finite arrays."""
        return check_array(name, x)

    def check_targets(self, name: str, y: Any) -> Data:
        """Return targets as finite arrays."""
        return check_array(name, y)

    def arrange_outputs(self, outputs: Data) -> Any:
        """Return outputs as the user wants them."""
        return outputs

    @property
    def compiled(self) -> bool:
        """Whether the model knows how to train."""
        return self.optimizer is not None

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by its name, or by its place in :attr:`layers`.

        Raises
        ------
        TypeError
            If the name is no string or the place no integer.
        ValueError
            If there is no such layer, or not one of the two is given.
        """
        if (name is None) == (index is None):
            raise ValueError(f"name or index must be given, got {name} and {index}")
        names = [layer.name for layer in self.layers]
        if index is None:
            index = names.index(check_choice("name", check_text("name", name), names))
        elif not -len(names) <= check_integer("index", index) < len(names):
            raise ValueError(f"index must be that of one of {len(names)} layers, got {index}")
        return self.layers[index]

    # Weights.

    @property
    def weights(self) -> list[Parameter]:
        """All parameters, layer by layer."""
        return [parameter for layer in self.layers for parameter in layer.weights]

    @property
    def trainable_weights(self) -> list[Parameter]:
        """The parameters that the optimizer changes."""
        return [parameter for layer in self.layers for parameter in layer.trainable_weights]

    @property
    def non_trainable_weights(self) -> list[Parameter]:
        """The parameters that the optimizer leaves alone."""
        return [parameter for layer in self.layers for parameter in layer.non_trainable_weights]

    def get_weights(self) -> list[NDArray]:
        """Return copies of all weights, layer by layer."""
        self._require_built("get_weights")
        return [array for layer in self.layers for array in layer.get_weights()]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Overwrite all weights.

        Raises
        ------
        ValueError
            If the number of arrays or a shape is wrong; then nothing is changed.
        """
        self._require_built("set_weights")
        counts = [len(layer.weights) for layer in self.layers]
        weights = check_sequence("weights", weights, "arrays")
        if len(weights) != sum(counts):
            raise ValueError(f"weights must be {sum(counts)} arrays, got {len(weights)}")
        for parameter, value in zip(
            (p for layer in self.layers for p in layer.weights), weights, strict=True
        ):
            if np.shape(value) != parameter.shape:
                raise ValueError(
                    f"weights for {parameter.name} must have shape {parameter.shape}, "
                    f"got {np.shape(value)}"
                )
        remaining = iter(weights)
        for layer, count in zip(self.layers, counts, strict=True):
            layer.set_weights([next(remaining) for _ in range(count)])

    def save_weights(self, filepath: str | os.PathLike, overwrite: bool = True) -> None:
        """Write the weights alone to a NumPy archive.

        Parameters
        ----------
        filepath : path
            Where to; ``.npz`` is the usual ending.
        overwrite : bool
            Whether a file that is there may go.

        Raises
        ------
        FileExistsError
            If it may not go.
        FileNotFoundError
            If the folder is missing.
        ValueError
            If the model is not built.
        """
        _archive.write(filepath, overwrite, **_archive.numbered(self.get_weights()))

    def load_weights(self, filepath: str | os.PathLike) -> None:
        """Overwrite all weights with those of a file, of :meth:`save_weights` or of a model.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it holds no weights, or others than the model's; then nothing is changed.
        """
        self._require_built("load_weights")
        arrays = _archive.read(filepath, "weights")
        with _archive.refusing(filepath, "weights of such a model"):
            self.set_weights(_archive.in_order(arrays))

    def count_params(self) -> int:
        """Return the number of weights."""
        self._require_built("count_params")
        return sum(layer.count_params() for layer in self.layers)

    def _require_built(self, what: str) -> None:
        if not self.built:
            raise ValueError(
                f"the model must be built before {what}: give its first layer an input_shape, "
                "or call build, fit or the model itself"
            )

    # Training.

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        *,
        metrics: Sequence[Any] | None = None,
        weighted_metrics: Sequence[Any] | None = None,
    ) -> None:
        """Choose how to train: optimizer, loss and the metrics to watch.

        The ``weighted_metrics`` count an example as often as its weight says.

        Raises
        ------
        TypeError
            If something is of the wrong kind.
        ValueError
            If a name is unknown.
        """
        with naming("optimizer"):
            self.optimizer = optimizers.get(optimizer)
        with naming("loss"):
            self.loss = losses.get(loss)
        self.metrics = _metrics("metrics", metrics)
        self.weighted_metrics = _metrics("weighted_metrics", weighted_metrics)
        _tell_apart(self.metrics, self.weighted_metrics)
        self.metrics += self.weighted_metrics
        self._block = None

    def fit(
        self,
        x: ArrayLike,
        y: ArrayLike,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Sequence[ArrayLike] | None = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: ArrayLike | None = None,
        initial_epoch: int = 0,
        validation_freq: int = 1,
        validation_batch_size: int | None = None,
    ) -> History:
        """Train, and return what was recorded.

        Parameters
        ----------
        x, y : array_like
            Inputs (examples, ...) and targets.
        batch_size : int, optional
            Examples a step; 32 by default.
        epochs : int
            Passes through the data, counted from ``initial_epoch``.
        verbose : "auto", 0, 1 or 2
            A tqdm bar over the epochs: where a terminal shows it, never, always; or a line
            an epoch.
        callbacks : Callback or iterable of Callback
            Of either library.
        validation_split : float
            Fraction of the data, taken from its end before any shuffling, to validate on.
        validation_data : (x, y) or (x, y, sample_weight)
            Data to validate on.
        shuffle : bool
            Whether to take the examples in a new order each epoch.
        class_weight : mapping of int to float
            Weight of each class's examples in the loss.
        sample_weight : array_like
            Weight of each example in the loss.

        Returns
        -------
        History
            With ``loss``, the metrics and the same with ``val_`` before; models with
            penalties also log ``data_loss`` and ``penalty`` apart, whose sum is ``loss``.

        Raises
        ------
        ValueError
            If the model is not compiled, or data are empty, not finite or of unequal length.
        TypeError
            If data hold no numbers.
        """
        self._require_compiled("fit")
        x, y, weight = self._checked_data(x, y, sample_weight)
        check_number("validation_split", validation_split, low=0, high=1, high_open=True)
        check_integer("epochs", epochs, low=0)
        check_integer("initial_epoch", initial_epoch, low=0)
        check_integer("validation_freq", validation_freq, low=1)
        shuffle = check_flag("shuffle", shuffle)
        batch_size = _checked_batch_size("batch_size", batch_size, 32)
        validation_batch_size = _checked_batch_size(
            "validation_batch_size", validation_batch_size, batch_size
        )
        _one_weight(sample_weight, class_weight)
        if validation_data is not None:
            validation_data = check_sequence("validation_data", validation_data, "arrays")
            if len(validation_data) not in (2, 3):
                raise ValueError(
                    "validation_data must be (x, y) or (x, y, sample_weight), "
                    f"got {len(validation_data)} arrays"
                )
            validation_data = self._checked_data(*validation_data, prefix="validation_data: ")
        elif validation_split:
            at = math.floor(len(x) * (1 - validation_split))
            if at in (0, len(x)):
                raise ValueError(
                    f"validation_split must leave examples on both sides of {len(x)}, "
                    f"got {validation_split}"
                )
            held = None if weight is None else weight[at:]
            validation_data = (x[at:], y[at:], held)
            x, y, weight = x[:at], y[:at], None if weight is None else weight[:at]
        if class_weight is not None:
            weight = _class_weights(y, class_weight)

        self._prepare(x)
        steps = math.ceil(len(x) / batch_size)
        copies = [
            data if data is None else map_arrays(np.empty_like, data) for data in (x, y, weight)
        ]
        history = History()
        watchers = CallbackList(
            [callbacks or (), history],
            self,
            verbose=verbose,
            epochs=epochs,
            steps=steps,
        )
        self.history = history
        self.stop_training = False
        logs: dict[str, float] = {}
        watchers.on_train_begin()
        with _progress(verbose, initial_epoch, epochs) as bar:
            for epoch in range(initial_epoch, epochs):
                watchers.on_epoch_begin(epoch)
                order = self.generator.permutation(len(x)) if shuffle else None
                logs = self._run_epoch(x, y, weight, order, batch_size, watchers, copies)
                if validation_data is not None and (epoch + 1) % validation_freq == 0:
                    validated = self._evaluate(*validation_data, validation_batch_size, watchers)
                    logs |= {f"val_{name}": value for name, value in validated.items()}
                if math.isnan(logs["loss"]):
                    warnings.warn(
                        f"the loss is NaN in epoch {epoch + 1}: lower the learning rate, or stop "
                        "with callbacks.TerminateOnNaN",
                        RuntimeWarning,
                        stacklevel=2,
                    )
                watchers.on_epoch_end(epoch, logs)
                bar(epoch, logs)
                if self.stop_training:
                    break
        self.optimizer.finalize_variable_values()
        watchers.on_train_end(logs)
        return history

    def _run_epoch(
        self,
        x: NDArray,
        y: NDArray,
        weight: NDArray | None,
        order: NDArray | None,
        batch_size: int,
        watchers: CallbackList,
        copies: Sequence[NDArray | None],
    ) -> dict[str, float]:
        """Take one step a batch; return the epoch's running means."""
        if order is not None:
            taken = functools.partial(_take, order)
            # One copy an epoch, so that every batch is a view; each time into the same memory.
            x, y, weight = (
                data if data is None else map_arrays(taken, data, copy)
                for data, copy in zip((x, y, weight), copies, strict=True)
            )
        begin, end = watchers.on_train_batch_begin, watchers.on_train_batch_end
        means = _Means(self.metrics, self.weighted_metrics)
        for step, batch in enumerate(_batches(x, y, weight, batch_size)):
            begin(step)
            data_loss, penalty, outputs = self.train_step(*batch)
            means.add(data_loss, penalty, outputs, *batch)
            end(step, means.logs)
            if self.stop_training:
                break
        return means.logs()

    def train_step(
        self, x: NDArray, y: NDArray, sample_weight: NDArray | None = None
    ) -> tuple[float, float | None, NDArray]:
        """Take one step; return the data loss, the penalty (None: no penalties) and the outputs."""
        outputs = self.forward(x, training=True)
        linked = self._linked
        data_loss, gradient = self.loss.value_and_gradient(y, outputs, sample_weight, linked=linked)
        self.backward(gradient, linked=linked)
        penalty = self.penalty()
        for parameter in self._penalized:
            parameter.gradient += parameter.regularizer.gradient(parameter.value)
        self.optimizer.step(self._block)
        return float(data_loss), penalty, outputs

    def penalty(self) -> float | None:
        """Return the sum of all weight and activity penalties; None when there are none."""
        active = self._active
        if not self._penalized and not active:
            return None
        weights = sum(float(p.regularizer(p.value)) for p in self._penalized)
        return weights + sum(layer.activity_penalty for layer in active)

    def train_on_batch(
        self,
        x: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> float | list[float] | dict[str, float]:
        """Take one step with one batch; return what :meth:`evaluate` would, from before it."""
        self._require_compiled("train_on_batch")
        check_flag("return_dict", return_dict)
        x, y, weight = self._checked_data(x, y, _one_weight(sample_weight, class_weight))
        if class_weight is not None:
            weight = _class_weights(y, class_weight)
        self._prepare(x)
        means = _Means(self.metrics, self.weighted_metrics)
        means.add(*self.train_step(x, y, weight), x, y, weight)
        return self._answer(means.logs(), return_dict)

    def test_on_batch(
        self,
        x: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        return_dict: bool = False,
    ) -> float | list[float] | dict[str, float]:
        """Return what :meth:`evaluate` does, from one batch."""
        self._require_compiled("test_on_batch")
        check_flag("return_dict", return_dict)
        data = self._checked_data(x, y, sample_weight)
        self._prepare(data[0])
        return self._answer(self._evaluate(*data, len(data[0]), CallbackList()), return_dict)

    def predict_on_batch(self, x: ArrayLike) -> NDArray:
        """Return what :meth:`predict` does, from one batch."""
        x = self.check_inputs("x", x)
        return self.predict(x, batch_size=len(x))

    def input_gradient(self, x: ArrayLike, y: ArrayLike) -> NDArray:
        """Return the gradient of the loss, noise layers off, with respect to the inputs.

        Its sign is what an adversary adds to the inputs (Goodfellow, Shlens and Szegedy, 2015).
        """
        self._require_compiled("input_gradient")
        x, y, _ = self._checked_data(x, y)
        self._prepare(x)
        outputs = self.forward(x, training=False)
        return self.backward(self.loss.gradient(y, outputs), to_inputs=True)

    def evaluate(
        self,
        x: ArrayLike,
        y: ArrayLike,
        batch_size: int | None = None,
        verbose: str | int = 0,
        sample_weight: ArrayLike | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> float | list[float] | dict[str, float]:
        """Return the loss, penalties included, and the metrics, with noise layers off.

        Returns
        -------
        float, list or dict
            The loss; with metrics a list that starts with it; or all by name.
        """
        self._require_compiled("evaluate")
        data = self._checked_data(x, y, sample_weight)
        self._prepare(data[0])
        batch_size = _checked_batch_size("batch_size", batch_size, 32)
        check_choice("verbose", verbose, VERBOSE)
        check_flag("return_dict", return_dict)
        watchers = CallbackList(callbacks or (), self, verbose=verbose)
        logs = self._evaluate(*data, batch_size, watchers)
        if verbose and verbose != "auto":
            print(_line(logs))
        return self._answer(logs, return_dict)

    def _answer(
        self, logs: dict[str, float], return_dict: bool
    ) -> float | list[float] | dict[str, float]:
        """Return the logs as :meth:`evaluate` promises."""
        if return_dict:
            return logs
        values = [logs["loss"], *(logs[metric.name] for metric in self.metrics)]
        return values if self.metrics else values[0]

    def _evaluate(
        self,
        x: NDArray,
        y: NDArray,
        weight: NDArray | None,
        batch_size: int,
        watchers: CallbackList,
    ) -> dict[str, float]:
        watchers.on_test_begin()
        means = _Means(self.metrics, self.weighted_metrics)
        for step, batch in enumerate(_batches(x, y, weight, batch_size)):
            watchers.on_test_batch_begin(step)
            outputs = self.forward(batch[0], training=False)
            data_loss = float(self.loss(batch[1], outputs, batch[2]))
            means.add(data_loss, self.penalty(), outputs, *batch)
            watchers.on_test_batch_end(step, means.logs)
        logs = means.logs()
        watchers.on_test_end(logs)
        return logs

    def predict(
        self,
        x: ArrayLike,
        batch_size: int | None = None,
        verbose: str | int = 0,
        callbacks: Any = None,
    ) -> NDArray:
        """Return the outputs for all examples, with noise layers off."""
        x = self._checked_inputs("x", x)
        batch_size = _checked_batch_size("batch_size", batch_size, 32)
        check_choice("verbose", verbose, VERBOSE)
        self._ensure_built(x)
        watchers = CallbackList(callbacks or (), self, verbose=verbose)
        watchers.on_predict_begin()
        outputs = []
        for step, start in enumerate(range(0, len(x), batch_size)):
            watchers.on_predict_batch_begin(step)
            batch = self.forward(x[start : start + batch_size], training=False)
            outputs.append(map_arrays(np.asarray, batch))  # predictions have no masks
            watchers.on_predict_batch_end(step)
        watchers.on_predict_end()
        return self.arrange_outputs(map_arrays(lambda *parts: np.concatenate(parts), *outputs))

    def __call__(self, inputs: ArrayLike, training: bool = False) -> NDArray:
        """Return the outputs for one batch."""
        mask = mask_of(inputs)
        inputs = check_array("inputs", inputs, allow_empty=True, allow_nan=True)
        self._ensure_built(inputs)
        inputs = masked(inputs, mask)
        return self.forward(inputs, training=training)

    def _checked_inputs(self, name: str, x: Any) -> Data:
        """Return inputs as finite arrays of as many axes as the model is built for."""
        x = self.check_inputs(name, x)
        for array in arrays_of(x):
            if array.ndim < 2:
                raise ValueError(f"{name} must have shape (examples, ...), got {array.shape}")
        for array, shape in zip(arrays_of(x), self._input_shapes(), strict=False):
            if array.ndim != len(shape):
                raise ValueError(
                    f"{name} must have {len(shape)} axes, as the model is built for {shape}, "
                    f"got shape {array.shape}"
                )
        return x

    def _checked_data(
        self, x: Any, y: Any, sample_weight: ArrayLike | None = None, prefix: str = ""
    ) -> tuple[Data, Data, NDArray | None]:
        """Return inputs, targets and weights as finite arrays of equal length."""
        x = self._checked_inputs(f"{prefix}x", x)
        y = self.check_targets(f"{prefix}y", y)
        for array in arrays_of(y):
            if array.ndim == 0 or len(x) != len(array):
                raise ValueError(
                    f"{prefix}y must have as many examples as x, {len(x)}, got shape {array.shape}"
                )
        if sample_weight is None:
            return x, y, None
        weight = check_array(f"{prefix}sample_weight", sample_weight)
        if weight.ndim == 0 or len(weight) != len(x):
            raise ValueError(
                f"{prefix}sample_weight must have as many entries as x, {len(x)}, "
                f"got shape {weight.shape}"
            )
        return x, y, weight

    def _input_shapes(self) -> list[tuple[int | None, ...]]:
        """Return the shape of a batch of each input; nothing before the model is built."""
        raise NotImplementedError

    def _require_compiled(self, what: str) -> None:
        if self.optimizer is None or self.loss is None:
            raise ValueError(f"the model must be compiled with a loss before {what}")

    def _ensure_built(self, x: NDArray) -> None:
        if not self.built:
            self.build((None, *x.shape[1:]))

    def _prepare(self, x: NDArray) -> None:
        """Build what is not built, and lay the trainable parameters into one block."""
        self._ensure_built(x)
        trainable = self.trainable_weights
        if self._block is None or not self._block.holds(trainable):
            # An optimizer that knows these parameters already goes on with what it remembers.
            known = getattr(self.optimizer, "block", None)
            goes_on = known is not None and known.holds(trainable)
            self._block = known if goes_on else optimizers.Block(trainable)
        self._penalized = [p for p in trainable if p.regularizer is not None]
        self._active = [layer for layer in every_layer(self.layers) if layer.activity_regularizer]
        self._linked = self.loss is not None and _is_linked(self.loss, self.last_layer)
        self.shorten_way_back()

    # A look at the whole.

    def summary(self, print_fn: Callable[[str], Any] = print) -> None:
        """Print a table of layers, output shapes and numbers of weights."""
        self._require_built("summary")
        check_callable("print_fn", print_fn)
        rows = [("Layer (type)", "Output shape", "Params")]
        for layer, shape in self._shapes():
            shown = "(" + ", ".join("None" if n is None else str(n) for n in shape) + ")"
            rows.append(
                (f"{layer.name} ({type(layer).__name__})", shown, f"{layer.count_params():,}")
            )
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        print_fn(f'Model "{self.name}"')
        for number, row in enumerate(rows):
            first, second, third = (cell.ljust(w) for cell, w in zip(row, widths, strict=True))
            print_fn(f"  {first}  {second}  {third.strip():>{widths[2]}}")
            if number == 0:
                print_fn("  " + "  ".join("-" * width for width in widths))
        trainable = sum(p.value.size for p in self.trainable_weights)
        total = self.count_params()
        print_fn(f"  {total:,} weights: {trainable:,} trainable, {total - trainable:,} not")

    def _shapes(self) -> Iterator[tuple[Layer, tuple[int | None, ...]]]:
        """Yield each layer with the shape of its outputs."""
        raise NotImplementedError


def every_layer(layers: Iterable[Layer]) -> list[Layer]:
    """Return layers and those that they wrap, and what these wrap."""
    return [each for top in layers for each in (top, *every_layer(top.sublayers()))]


def check_names(layers: Sequence[Layer]) -> None:
    """Refuse two layers of one name: whoever asks for a layer by its name wants one.

    Raises
    ------
    ValueError
        If a name comes twice.
    """
    names = [layer.name for layer in layers]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"layers must have names of their own, got {name!r} twice")


class _Means:
    """Running means of loss, penalty and metrics over the examples seen."""

    def __init__(
        self, metrics: Iterable[metrics.Metric], weighted: Sequence[metrics.Metric]
    ) -> None:
        self.metrics, self.weighted = list(metrics), weighted
        self.plain = [metric for metric in self.metrics if metric not in weighted]
        for metric in self.metrics:
            metric.reset_state()
        self.examples = 0
        self.data_loss = 0.0
        self.penalty: float | None = None

    def add(
        self,
        data_loss: float,
        penalty: float | None,
        outputs: NDArray,
        x: NDArray,
        y: NDArray,
        weight: NDArray | None,
    ) -> None:
        """Add a batch."""
        number = len(x)
        self.examples += number
        self.data_loss += number * data_loss
        if penalty is not None:
            self.penalty = (self.penalty or 0.0) + number * penalty
        for metric in self.plain:
            metric.update_state(y, outputs)
        for metric in self.weighted:
            metric.update_state(y, outputs, weight)

    def logs(self) -> dict[str, float]:
        """Return the means so far by name."""
        data_loss = self.data_loss / self.examples
        logs = {"loss": data_loss}
        if self.penalty is not None:
            penalty = self.penalty / self.examples
            logs = {"loss": data_loss + penalty, "data_loss": data_loss, "penalty": penalty}
        return logs | {metric.name: metric.result() for metric in self.metrics}


def _is_linked(loss: losses.Loss, last: Layer) -> bool:
    """Return whether the loss's derivative may leave out the last layer's activation."""
    return (
        getattr(loss, "link", None) is not None
        and last.activity_regularizer is None
        and hasattr(last, "backward_linear")
        and last.activation.name == loss.link
    )


def _metrics(name: str, given: Any) -> list[metrics.Metric]:
    # Names of their own for the arguments of `compile` called metrics.
    with naming(name):
        watched = check_sequence(name, () if given is None else given, "metrics")
        if None in watched:
            raise TypeError("metrics must be names, classes or objects, got None")
        return [metrics.get(metric) for metric in watched]


def _tell_apart(plain: Iterable[metrics.Metric], weighted: Iterable[metrics.Metric]) -> None:
    """Give metrics of one name another or a number, as Keras does: names are keys of the logs.

    A second ``mse`` is ``mse_1``; one that is weighted is ``weighted_mse``, and only the next
    ``weighted_mse_1``.
    """
    taken: set[str] = set()
    for metric, is_weighted in [*((m, False) for m in plain), *((m, True) for m in weighted)]:
        # What it was called before a compile told it apart from others.
        metric.given_name = name = getattr(metric, "given_name", metric.name)
        if is_weighted and name in taken:
            name = getattr(metric, "weighted_name", f"weighted_{name}")
        metric.name, number = name, 0
        while metric.name in taken:
            number += 1
            metric.name = f"{name}_{number}"
        taken.add(metric.name)


def _checked_batch_size(name: str, value: int | None, default: int) -> int:
    """Return the number of examples a batch, the default where there is none."""
    return default if value is None else check_integer(name, value, low=1)


def _take(order: NDArray, data: NDArray, copy: NDArray) -> NDArray:
    return np.take(data, order, axis=0, out=copy, mode="clip")


def _one_weight(sample_weight: Any, class_weight: Any) -> Any:
    """Return the weights of examples; refuse those of classes beside them."""
    if class_weight is not None and sample_weight is not None:
        raise ValueError("class_weight and sample_weight: at most one may be given, got both")
    return sample_weight


def _class_weights(y: Data, class_weight: Mapping[int, float]) -> NDArray:
    """Return each example's weight; classes without one weigh 1."""
    if isinstance(y, Bundle):
        raise ValueError("class_weight must be None for a model of several outputs")
    labels = y.argmax(axis=-1) if y.ndim == 2 and y.shape[-1] > 1 else y.reshape(len(y)).astype(int)
    weights = np.ones(len(y))
    for label, value in check_mapping("class_weight", class_weight).items():
        check_integer("class_weight's classes", label)
        weights[labels == label] = check_number(f"class_weight[{label}]", value, low=0)
    return weights


def _batches(
    x: NDArray, y: NDArray, weight: NDArray | None, size: int
) -> Iterator[tuple[NDArray, NDArray, NDArray | None]]:
    for start in range(0, len(x), size):
        part = slice(start, start + size)
        yield x[part], y[part], None if weight is None else weight[part]


def _line(logs: Mapping[str, float]) -> str:
    return "  ".join(
        # A metric may have a number for each class.
        f"{name} {np.array2string(value, precision=4) if np.ndim(value) else f'{value:.4f}'}"
        for name, value in logs.items()
    )


class _progress:  # noqa: N801 - used as a function
    """A bar over the epochs (1, or "auto" in a terminal), a line an epoch (2), or nothing."""

    def __init__(self, verbose: str | int, first: int, last: int) -> None:
        self.verbose = check_choice("verbose", verbose, VERBOSE)
        self.first, self.last = first, last
        self.bar: Any = None

    def __enter__(self) -> Callable[[int, Mapping[str, float]], None]:
        if self.verbose in ("auto", 1):
            try:
                from tqdm import tqdm
            except ImportError:
                return self
            # None: only where a terminal shows it, so never in a built page.
            disable = None if self.verbose == "auto" else False
            self.bar = tqdm(
                total=self.last, initial=self.first, unit="epoch", disable=disable, leave=False
            )
        return self

    def __call__(self, epoch: int, logs: Mapping[str, float]) -> None:
        if self.bar is not None:
            self.bar.set_postfix_str(_line(logs), refresh=False)
            self.bar.update()
        elif self.verbose == 2:
            print(f"Epoch {epoch + 1}/{self.last}  {_line(logs)}")

    def __exit__(self, *_: Any) -> None:
        if self.bar is not None:
            self.bar.close()
