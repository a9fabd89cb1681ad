"""The loop that trains a model, whatever its layers are and however they are connected.

One training step is the whole of :meth:`Trainer.train_step`: predict, measure, go back, step.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import losses, metrics, optimizers
from reglib._arguments import Choice, Dict, Flag, Integer, List, Number, arguments
from reglib._timestep_masks import mask_of, masked
from reglib._typing import ArrayLike
from reglib._validation import (
    check_array,
    naming,
)
from reglib.callbacks import CallbackList, History
from reglib.layers.parameter import Trainable
from reglib.models.base import BaseModel, every_layer
from reglib.models.data import (
    Arrays,
    Batch,
    Feed,
    LikeTheLast,
    Source,
    class_weights,
    is_batches,
    one_weight,
    parts_of,
    source_of,
    split,
)
from reglib.models.inputs_and_outputs import Data, arrays_of, map_arrays
from reglib.models.logs import RunningMeans, metrics_of, tell_apart
from reglib.models.progress import VERBOSE, Progress, line_of


class Trainer(BaseModel):
    """What can be compiled, fitted, evaluated and asked for predictions.

    Parameters
    ----------
    name : str, optional
        What the model is called.
    seed : int, optional
        Makes initial weights, noise layers and shuffling repeatable.
    """

    def __init__(self, *, name: str | None = None, seed: int | None = None) -> None:
        super().__init__(name=name, seed=seed)
        self.stop_training = self.stop_evaluating = self.stop_predicting = False
        self.optimizer: optimizers.Optimizer | None = None
        self.loss: Any = None  # a Loss, or what is called like one
        self.metrics: list[metrics.Metric] = []
        self.weighted_metrics: list[metrics.Metric] = []
        self._block: optimizers.Block | None = None

    @arguments(run_eagerly=Flag(), jit_compile=Choice("auto", True, False))
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Sequence[Any] | None = None,
        weighted_metrics: Sequence[Any] | None = None,
        run_eagerly: bool = False,
        jit_compile: str | bool = "auto",
    ) -> None:
        """Choose how to train: optimizer, loss and the metrics to watch.

        The ``weighted_metrics`` count an example as often as its weight says. Nothing is
        compiled, so that ``run_eagerly`` and ``jit_compile``, which Keras's programs have, change
        nothing.

        Raises
        ------
        TypeError
            If something is of the wrong kind.
        ValueError
            If a name is unknown.
        """
        if loss_weights is not None:
            raise ValueError(f"loss_weights must be None for one output, got {loss_weights}")
        with naming("optimizer"):
            self.optimizer = optimizers.get(optimizer)
        with naming("loss"):
            self.loss = losses.get(loss)
        self.metrics = metrics_of("metrics", metrics)
        self.weighted_metrics = metrics_of("weighted_metrics", weighted_metrics)
        tell_apart(self.metrics, self.weighted_metrics)
        self.metrics += self.weighted_metrics
        self._block = None

    @property
    def compiled(self) -> bool:
        """Whether the model knows how to train."""
        return self.optimizer is not None

    # Training.

    @arguments(
        batch_size=Integer(">= 1"),
        epochs=Integer(">= 0"),
        verbose=Choice(*VERBOSE),
        validation_split=Number("[0, 1)"),
        shuffle=Flag(),
        class_weight=Dict(),
        initial_epoch=Integer(">= 0"),
        steps_per_epoch=Integer(">= 1"),
        validation_steps=Integer(">= 1"),
        validation_batch_size=Integer(">= 1"),
        validation_freq=Integer(">= 1"),
    )
    def fit(
        self,
        x: Any = None,
        y: ArrayLike | None = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: ArrayLike | None = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int = 1,
    ) -> History:
        """Train, and return what was recorded.

        Parameters
        ----------
        x, y : array_like
            Inputs (examples, ...) and targets. Or ``x`` alone gives batches, each ``(x, y)`` or
            ``(x, y, sample_weight)``: a :class:`reglib.utils.PyDataset`, anything else with
            ``__getitem__`` and ``__len__``, a generator or another iterable.
        batch_size : int, optional
            Examples a step; 32 by default.
        epochs : int
            Passes through the data, counted from ``initial_epoch``.
        verbose : "auto", 0, 1 or 2
            0 is silent, 2 prints a line for each epoch, 1 shows the epoch under way as well;
            ``"auto"`` is 1 in a terminal or a notebook and 0 elsewhere.
        callbacks : Callback or iterable of Callback
            Of either library.
        validation_split : float
            Fraction of the arrays, taken from their end before any shuffling, to validate on.
        validation_data : (x, y), (x, y, sample_weight) or batches
            Data to validate on.
        shuffle : bool
            Whether to take the examples in a new order each epoch; of a dataset, its batches.
        class_weight : mapping of int to float
            Weight of each class's examples in the loss.
        sample_weight : array_like
            Weight of each example in the loss.
        steps_per_epoch, validation_steps : int, optional
            Batches an epoch and a validation, where they are not all that there are: needed for
            a generator that never ends.

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
        one_weight(sample_weight, class_weight)
        data, held = self._data(x, y, sample_weight), None
        if validation_data is not None:
            held = self._validation_data(validation_data)
        elif validation_split:
            data, held = split(data, validation_split)
        generator = self.generator if shuffle else None
        training = self._feed(data, batch_size, steps_per_epoch, generator, class_weight)
        validation = None
        if held is not None:
            held_size = validation_batch_size or (None if is_batches(held) else batch_size)
            validation = self._feed(held, held_size, validation_steps), validation_freq
        self._prepare(training.source.first)
        self.history, self.stop_training = History(), False
        watchers = CallbackList(
            [callbacks or (), self.history],
            self,
            verbose=verbose,
            epochs=epochs,
            steps=training.steps,
        )
        with Progress(verbose, epochs, training.steps) as progress:
            self._run(range(initial_epoch, epochs), training, validation, watchers, progress)
        return self.history

    def _run(
        self,
        epochs: range,
        training: Feed,
        validation: tuple[Feed, int] | None,
        watchers: CallbackList,
        progress: Progress,
    ) -> None:
        """Train for some epochs; ``validation`` says on what, and every how many epochs."""
        logs: dict[str, float] = {}
        watchers.on_train_begin()
        for epoch in epochs:
            watchers.on_epoch_begin(epoch)
            progress.epoch_begins(epoch)
            logs = self._run_epoch(training, watchers, progress.on_batch)
            if validation is not None and (epoch + 1) % validation[1] == 0:
                validated = self._evaluate(validation[0], watchers)
                logs |= {f"val_{name}": value for name, value in validated.items()}
            if math.isnan(logs["loss"]):
                warnings.warn(
                    f"the loss is NaN in epoch {epoch + 1}: lower the learning rate, or stop "
                    "with callbacks.TerminateOnNaN",
                    RuntimeWarning,
                    stacklevel=4,
                )
            watchers.on_epoch_end(epoch, logs)
            progress.epoch_ends(logs)
            if self.stop_training:
                break
        assert self.optimizer is not None  # fit has made sure
        self.optimizer.finalize_variable_values()
        watchers.on_train_end(logs)

    def _run_epoch(
        self,
        training: Feed,
        watchers: CallbackList,
        show: Callable[[int, Callable], None] | None = None,
    ) -> dict[str, float]:
        """Take one step a batch; return the epoch's running means."""
        begin, end = watchers.on_train_batch_begin, watchers.on_train_batch_end
        means = RunningMeans(self.metrics, self.weighted_metrics)
        for step, batch in enumerate(training.epoch()):
            begin(step)
            data_loss, penalty, outputs = self.train_step(*batch)
            if data_loss != data_loss:  # NaN: of the data, or of what has become of the weights?
                self._checked_batch(batch)
            means.add(data_loss, penalty, outputs, *batch)
            end(step, means.logs)
            if show is not None:
                show(step, means.logs)
            if self.stop_training:
                break
        return means.logs()

    def train_step(
        self, x: Data, y: Data | None, sample_weight: NDArray | None = None
    ) -> tuple[float, float | None, Data]:
        """Take one step; return the data loss, the penalty (None: no penalties) and the outputs."""
        if self._block is None or self._prepared_at != Trainable.changes:
            self._require_compiled("train_step")
            self._prepare(x)
        outputs = self.forward(x, training=True)
        linked = self._linked
        data_loss, gradient = self.loss.value_and_gradient(y, outputs, sample_weight, linked=linked)
        self.backward(gradient, linked=linked)
        penalty = self.penalty()
        for parameter in self._penalized:
            parameter.gradient += parameter.regularizer.gradient(parameter.value)
        optimizer, block = self.optimizer, self._block
        assert optimizer is not None  # as compile
        assert block is not None  # and _prepare have made them
        optimizer.step(block)
        return float(data_loss), penalty, outputs

    def penalty(self) -> float | None:
        """Return the sum of all weight and activity penalties; None when there are none."""
        active = self._active
        if not self._penalized and not active:
            return None
        weights = sum(float(p.regularizer(p.value)) for p in self._penalized)
        return weights + sum(layer.activity_penalty for layer in active)

    def input_gradient(self, x: ArrayLike, y: ArrayLike) -> NDArray:
        """Return the gradient of the loss, noise layers off, with respect to the inputs.

        Its sign is what an adversary adds to the inputs (Goodfellow, Shlens and Szegedy, 2015).
        """
        self._require_compiled("input_gradient")
        x, y, _ = self._checked_data(x, y)
        self._prepare(x)
        outputs = self.forward(x, training=False)
        return self.backward(self.loss.gradient(y, outputs), to_inputs=True)

    # Evaluation and prediction.

    @arguments(
        batch_size=Integer(">= 1"),
        verbose=Choice(*VERBOSE),
        steps=Integer(">= 1"),
        return_dict=Flag(),
    )
    def evaluate(
        self,
        x: Any = None,
        y: ArrayLike | None = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: ArrayLike | None = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> float | list[float] | dict[str, float]:
        """Return the loss, penalties included, and the metrics, with noise layers off.

        Parameters
        ----------
        x, y, sample_weight
            As for :meth:`fit`: arrays, or batches in ``x`` alone.
        batch_size : int, optional
            Examples at once; 32 by default.
        verbose : "auto", 0, 1 or 2
            1 and 2 print what is returned.
        steps : int, optional
            Batches, where they are not all that there are.
        callbacks : Callback or iterable of Callback
            Of either library.
        return_dict : bool
            Whether to return a dict by names.

        Returns
        -------
        float, list or dict
            The loss; with metrics a list that starts with it; or all by name.
        """
        self._require_compiled("evaluate")
        data = self._data(x, y, sample_weight)
        feed = self._feed(data, batch_size, steps)
        self._prepare(feed.source.first)
        logs = self._evaluate(feed, CallbackList(callbacks or (), self, verbose=verbose))
        if verbose and verbose != "auto":
            print(line_of(logs))
        return self._answer(logs, return_dict)

    def _answer(
        self, logs: dict[str, float], return_dict: bool
    ) -> float | list[float] | dict[str, float]:
        """Return the logs as :meth:`evaluate` promises."""
        if return_dict:
            return logs
        values = [logs["loss"], *(logs[metric.name] for metric in self.metrics)]
        return values if self.metrics else values[0]

    def _evaluate(self, feed: Feed, watchers: CallbackList) -> dict[str, float]:
        self.stop_evaluating = False
        watchers.on_test_begin()
        means = RunningMeans(self.metrics, self.weighted_metrics)
        for step, batch in enumerate(feed.epoch()):
            watchers.on_test_batch_begin(step)
            outputs = self.forward(batch[0], training=False)
            data_loss = float(self.loss(batch[1], outputs, batch[2]))
            means.add(data_loss, self.penalty(), outputs, *batch)
            watchers.on_test_batch_end(step, means.logs)
            if self.stop_evaluating:
                break
        logs = means.logs()
        watchers.on_test_end(logs)
        return logs

    @arguments(batch_size=Integer(">= 1"), verbose=Choice(*VERBOSE), steps=Integer(">= 1"))
    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> NDArray:
        """Return the outputs for all examples, with noise layers off.

        Parameters
        ----------
        x
            Inputs, or batches as for :meth:`fit`, whose targets do not matter.
        batch_size : int, optional
            Examples at once; 32 by default.
        verbose : "auto", 0, 1 or 2
            Nothing is shown; callbacks are told.
        steps : int, optional
            Batches, where they are not all that there are.
        callbacks : Callback or iterable of Callback
            Of either library.
        """
        if is_batches(x):
            source: Source = source_of(x, lambda batch: (self._batch_inputs(batch), None, None))
        else:
            size = batch_size or 32
            source = Arrays(self._checked_inputs("x", x), None, None, size)
        feed = Feed(source, steps)
        self._ensure_built(source.first)
        watchers = CallbackList(callbacks or (), self, verbose=verbose)
        self.stop_predicting = False
        watchers.on_predict_begin()
        outputs = []
        for step, (inputs, _, _) in enumerate(feed.epoch()):
            watchers.on_predict_batch_begin(step)
            batch = self.forward(inputs, training=False)
            outputs.append(map_arrays(np.asarray, batch))  # predictions have no masks
            watchers.on_predict_batch_end(step)
            if self.stop_predicting:
                break
        watchers.on_predict_end()
        return self.arrange_outputs(map_arrays(lambda *parts: np.concatenate(parts), *outputs))

    def __call__(self, inputs: ArrayLike, training: bool | None = None) -> Any:
        """Return the outputs for one batch.

        Without ``training`` each layer does as it would alone: noise is off unless a layer was
        given ``training=True`` when the graph was drawn, and augmentation is on.
        """
        mask = mask_of(inputs)
        inputs = check_array("inputs", inputs, allow_empty=True, allow_nan=True)
        self._ensure_built(inputs)
        inputs = masked(inputs, mask)
        return self.forward(inputs, training=training)

    # One batch.

    @arguments(class_weight=Dict(), return_dict=Flag())
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
        x, y, weight = self._checked_data(x, y, one_weight(sample_weight, class_weight))
        if class_weight is not None:
            weight = class_weights(y, class_weight)
        self._prepare(x)
        means = RunningMeans(self.metrics, self.weighted_metrics)
        means.add(*self.train_step(x, y, weight), x, y, weight)
        return self._answer(means.logs(), return_dict)

    @arguments(return_dict=Flag())
    def test_on_batch(
        self,
        x: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        return_dict: bool = False,
    ) -> float | list[float] | dict[str, float]:
        """Return what :meth:`evaluate` does, from one batch."""
        self._require_compiled("test_on_batch")
        data = self._checked_data(x, y, sample_weight)
        self._prepare(data[0])
        feed = Feed(Arrays(*data, len(data[0])))
        return self._answer(self._evaluate(feed, CallbackList()), return_dict)

    def predict_on_batch(self, x: ArrayLike) -> NDArray:
        """Return what :meth:`predict` does, from one batch."""
        x = self.check_inputs("x", x)
        return self.predict(x, batch_size=len(x))

    # What data must be like.

    def _data(self, x: Any, y: Any, sample_weight: Any = None, prefix: str = "") -> Any:
        """Return arrays, checked, as a tuple; what gives batches comes back as it is."""
        if not is_batches(x):
            return self._checked_data(x, y, sample_weight, prefix)
        for name, given in (("y", y), ("sample_weight", sample_weight)):
            if given is not None:
                raise ValueError(
                    f"{prefix}{name} must be None where x gives batches, each with its own, "
                    f"got {type(given).__name__}"
                )
        return x

    def _validation_data(self, given: Any) -> Any:
        if is_batches(given):
            return given
        parts = List("arrays").check("validation_data", given)
        if len(parts) not in (2, 3):
            raise ValueError(
                f"validation_data must be (x, y) or (x, y, sample_weight), got {len(parts)} arrays"
            )
        x, y, weight = (*parts, None)[:3]
        return self._data(x, y, weight, "validation_data: ")

    def _feed(
        self,
        data: Any,
        batch_size: int | None,
        steps: int | None,
        generator: np.random.Generator | None = None,
        class_weight: Mapping[int, float] | None = None,
    ) -> Feed:
        """Return what hands out the batches of :meth:`_data`'s result."""
        if not isinstance(data, tuple):
            if batch_size is not None:
                warnings.warn("batch_size has no effect where x gives batches", stacklevel=3)
            check = functools.partial(self._checked_batch, class_weight=class_weight)
            return Feed(source_of(data, LikeTheLast(check), generator), steps)
        x, y, weight = data
        if class_weight is not None:
            weight = class_weights(y, class_weight)
        return Feed(Arrays(x, y, weight, batch_size or 32, generator), steps)

    def _checked_batch(self, batch: Any, class_weight: Any = None) -> Batch:
        """Return inputs, targets and weights of a batch that a dataset gave."""
        x, y, weight = parts_of(batch)
        if y is None:
            raise ValueError("a batch must hold targets too, got inputs alone")
        x, y, weight = self._checked_data(x, y, one_weight(weight, class_weight), "in a batch: ")
        return x, y, weight if class_weight is None else class_weights(y, class_weight)

    def _batch_inputs(self, batch: Any) -> Data:
        return self._checked_inputs("in a batch: x", parts_of(batch)[0])

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

    def _require_compiled(self, what: str) -> None:
        if self.optimizer is None or self.loss is None:
            raise ValueError(f"the model must be compiled with a loss before {what}")

    def _ensure_built(self, x: Any) -> None:
        if not self.built:
            self.build((None, *x.shape[1:]))

    def _prepare(self, x: Data) -> None:
        """Build what is not built, and lay the trainable parameters into one block."""
        self._ensure_built(x)
        if not all(layer.built for layer in every_layer(self.layers)):
            self.forward(
                x[:1], training=False
            )  # layers of one's own build those within when called
        self._prepared_at = Trainable.changes
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


def _is_linked(loss: Any, last: Any) -> bool:
    """Return whether the loss's derivative may leave out the last layer's activation."""
    return (
        getattr(loss, "link", None) is not None
        and last.activity_regularizer is None
        and hasattr(last, "backward_linear")
        and last.activation.name == loss.link
    )
