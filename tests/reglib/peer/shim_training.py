"""What Keras's tests of training ask of variables, optimizers, models and test data.

``dress`` gives reglib's own classes, in this process, the further names that the tests use:
views of what reglib keeps under other names. Nothing here computes a step or a loss.
"""

from __future__ import annotations

import itertools

import numpy as np

import reglib.callbacks
import reglib.models
import reglib.models.trainer
import reglib.optimizers
import reglib.schedules
from reglib._arguments import Number
from reglib.layers.base import Parameter


class Variable(Parameter):
    """A parameter, made of float32 where the numbers do not say, of floats where they are whole."""

    def __init__(self, initializer, dtype=None, trainable=True, name="variable", **_):
        array = np.asarray(initializer)
        plain = not hasattr(initializer, "dtype") or array.dtype == np.float64
        dtype = np.dtype(dtype or ("float32" if plain else array.dtype))
        dtype = dtype if dtype.kind == "f" else None
        super().__init__(array, name=name, trainable=trainable, dtype=dtype)

    def __add__(self, other):
        return self.value + other


class Rate(float):
    """A learning rate that can be asked for its value in float32, as a variable can."""

    value = property(np.float32)

    def numpy(self):
        return np.float64(self)


def _variables(optimizer):
    """The count of steps, the rate where it is a number, and what is remembered of gradients."""
    found = [optimizer.batches]
    if not callable(optimizer._learning_rate):
        found.append(optimizer.learning_rate)
    if optimizer.block is not None:
        block = optimizer.block
        found += [
            slot[part].reshape(parameter.shape)
            for slot in optimizer.slots.values()
            for parameter, part in zip(block.parameters, block.slices, strict=True)
        ]
    return found


def _set_weights(optimizer, variables):
    """Keras sets what it lists: here a state has names, and a slot lies in one piece."""
    slots = variables[1 if callable(optimizer._learning_rate) else 2 :]
    each = len(slots) // len(optimizer.slot_names)
    pieces = {
        name: np.concatenate([np.ravel(s) for s in slots[i * each : (i + 1) * each]])
        for i, name in enumerate(optimizer.slot_names)
    }
    optimizer.set_state({"batches": variables[0], **pieces})


def _clip_gradients(optimizer, gradients):
    block = reglib.optimizers.Block([Variable(np.zeros_like(g)) for g in gradients])
    for parameter, gradient in zip(block.parameters, gradients, strict=True):
        parameter.gradient[...] = gradient
    optimizer._clip(block)
    return [parameter.gradient for parameter in block.parameters]


def _as_variables(name):
    """Return a property: what an optimizer keeps in one piece, parameter by parameter."""

    def variables(optimizer):
        whole, block = getattr(optimizer, name), optimizer.block
        return [
            Variable(whole[part].reshape(parameter.shape))
            for parameter, part in zip(block.parameters, block.slices, strict=True)
        ]

    return property(variables)


def _without_compiler(compile_):
    def compile_without_compiler(model, *arguments, run_eagerly=None, jit_compile=None, **options):
        compile_(model, *arguments, **options)

    return compile_without_compiler


def dress():
    """Give reglib's classes the names that Keras's have besides."""
    optimizer, trainer = reglib.optimizers.Optimizer, reglib.models.trainer.Trainer
    rate = optimizer.learning_rate
    optimizer.learning_rate = property(lambda self: Rate(rate.fget(self)), rate.fset)
    optimizer.variables = property(_variables)
    optimizer.set_weights = _set_weights
    optimizer._clip_gradients = _clip_gradients
    optimizer._model_variables_moving_average = _as_variables("average")
    optimizer._accumulated_gradients = _as_variables("gathered")
    optimizer._iterations = property(lambda self: self.batches)
    for owner in (trainer, reglib.models.Model):
        owner.compile = _without_compiler(owner.compile)
    trainer.trainable_variables = property(lambda self: self.trainable_weights)
    trainer.non_trainable_variables = property(lambda self: self.non_trainable_weights)


class Trainer:
    """What makes a model of a layer: a Sequential of the layer alone does the work."""

    def __init__(self):
        self._model = reglib.models.Sequential([self])

    def __getattr__(self, name):
        if name in ("fit", "evaluate", "predict"):
            return getattr(self._model, name)
        if name in ("train_on_batch", "test_on_batch", "predict_on_batch"):
            return getattr(self._model, name)
        if name in ("metrics", "optimizer", "stop_training"):
            return getattr(self._model, name)
        raise AttributeError(name)

    def compile(self, *arguments, steps_per_execution=1, **options):
        # How many batches Keras's compiler takes at once; here it is one after the other.
        self._model.compile(*arguments, **options)


def validate_float_arg(value, name):
    return Number(">= 0").check(name, value)


class MonitorCallback(reglib.callbacks.Monitor):
    """What reglib's callbacks share, with the arguments and the private names of Keras's."""

    def __init__(self, monitor="val_loss", mode="auto", baseline=None, min_delta=0):
        super().__init__(monitor, mode, min_delta)

    def _set_monitor_op(self):
        watched = getattr(self.model, "metrics", ())
        self.monitor_op = reglib.callbacks.monitor_comparison(self.monitor, self.mode, watched)

    _is_improvement = reglib.callbacks.Monitor.improves


def _of_variables(cls):
    """A schedule that can be asked with a variable for the step."""

    def call(self, step):
        return cls.__call__(self, float(np.asarray(getattr(step, "value", step))))

    return type(cls.__name__, (cls,), {"__call__": call})


SCHEDULES = {name: _of_variables(cls) for name, cls in reglib.schedules._REGISTRY.items()}


def get_test_data(train_samples, test_samples, input_shape, num_classes, random_seed=None):
    """Noisy copies of one random pattern a class, as many of each class."""
    generator = np.random.default_rng(random_seed)
    patterns = 2 * num_classes * generator.random((num_classes, *input_shape))
    made = []
    for samples in (train_samples, test_samples):
        y = generator.permutation(np.arange(samples) % num_classes)
        x = patterns[y] + generator.standard_normal((samples, *input_shape))
        made.append((x.astype("float32"), y))
    return tuple(made)


def named_product(*cases, **values):
    """All combinations of named cases and values, each with a name of its own."""
    for case in itertools.product(*cases, *([(k, v) for v in vs] for k, vs in values.items())):
        named = [part for part in case if isinstance(part, dict)]
        pairs = dict(part for part in case if not isinstance(part, dict))
        words = [part["testcase_name"] for part in named]
        words += [getattr(v, "__name__", str(v)) for v in pairs.values()]
        joined = {key: value for part in named for key, value in part.items()}
        yield {**joined, **pairs, "testcase_name": "_".join(words)}
