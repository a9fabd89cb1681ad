"""What the declarations cannot know: good calls, what is wrong beside others, and exceptions.

Each table goes by patterns of ``name.argument``; the first that fits counts. ``GOOD`` makes values
for a good call, ``CALLS`` methods of objects to call, ``BAD`` has values that are wrong, by what is
wrong with them, ``SAYS`` other words for an argument, and ``ELSEWHERE`` the reasons of exceptions.
"""

import copy
import inspect
import os
import tempfile
from fnmatch import fnmatchcase

import numpy as np
from matplotlib.figure import Figure
from scipy.io import savemat

from reglib import (
    activations,
    callbacks,
    datasets,
    experiments,
    initializers,
    layers,
    losses,
    metrics,
    models,
    moving,
    optimizers,
    plotting,
    schedules,
    textbook,
)
from reglib.exercises import l2
from reglib.exercises.checking import Assignment
from reglib.layers import Dense, Input, Parameter
from tests.reglib.bad_input.inventory import inventory

INVENTORY = inventory()
PANEL = moving.Panel("loss", (0.0, 3.0), (0.0, 3.0))
FOLDER = tempfile.TemporaryDirectory(prefix="bad-input-")
ONES, NAN = np.ones, float("nan")
Y, P = np.eye(2)[::-1], np.array([[0.25, 0.75], [0.625, 0.375]])
X, TARGETS = np.arange(12.0).reshape(4, 3) / 12, np.eye(2)[[0, 1, 1, 0]]
IMAGES = np.zeros((2, 8, 8, 3))
OTHER_SHAPES = (ONES((2, 3)), ONES((4, 5, 6)))
NO_NUMBERS = ("text", [["a", "b"]], object(), None)
NO_LIST = (3, "ab", None)
UNKNOWN = ("no such thing", {"class_name": "NoSuch"}, 3, [1])


def path(name):
    """Return a path in a folder that goes when the tests end."""
    return os.path.join(FOLDER.name, name)


def network():
    """Return the parameters, labels, cache and cache with dropout of a network of a textbook."""
    rng = np.random.default_rng(0)
    parameters = textbook.initialize_parameters([3, 5, 4, 2], rng)
    x, y = rng.normal(size=(3, 7)), (rng.random((2, 7)) > 0.5) * 1.0
    cache = textbook.forward_propagation(x, parameters)[1]
    dropped = textbook.forward_propagation_with_dropout(x, parameters, 0.8, rng)[1]
    return x, y, parameters, cache, dropped


NET_X, NET_Y, NET, CACHE, DROPPED = network()


def without(values, name):
    """Return a dict without one of its names."""
    return {n: v for n, v in values.items() if n != name}


def arrays_of(good, name):
    """Return dicts that are wrong in one of their arrays."""
    return {
        "layers.Parameter.assign_*": "comes in through assign, which looks at it",
        "layers.Layer.add_loss.*": "refuses whatever comes, and says what to use",
        "metrics.Metric.add_*": "called by constructors of one's own; the initializer looks at it",
        "optimizers.Rate*": "comes in through the optimizer's learning_rate, which looks at it",
        "type": (3, "text", None, {**good, name: "text"}),
        "shape": (without(good, name), {**good, name: ONES((9, 9))}),
        "nan": ({**good, name: good[name] * np.nan},),
        "empty": ({},),
    }


def caches(good):
    """Return caches that belong to no network, or to another."""
    wrong = (good[:-1], (*good[:-3], ONES((9, 9)), *good[-2:]))
    return {"type": (3, "text", None), "shape": wrong, "empty": ((),)}


HISTORY = {"loss": [2.0, 1.0], "val_loss": [3.0, 2.0]}
WEIGHT = Parameter(np.array([3.0, -4.0]), name="kernel")
WEIGHT.gradient[...] = 2 * WEIGHT.value
GRADIENTS = {f"d{name}": value for name, value in NET.items()}


def frame():
    """Return the results of two settings over five seeds."""
    settings = {"off": {"offset": 0.0}, "on": {"offset": 1.0}}
    return experiments.run(score, settings, 5, progress=False)


def grid_frame():
    """Return the results of three settings, of which the middle one is best."""
    settings = {offset: {"offset": abs(offset)} for offset in (-1.0, 0.0, 2.0)}
    return experiments.run(score, settings, 2, progress=False)


def score(seed, offset):
    """Return something that depends on setting and seed."""
    return {"score": offset * (1 + seed % 3) + seed % 2}


def mat_file():
    """Return the path of a MAT file."""
    savemat(path("data.mat"), {"a": ONES(3)})
    return path("data.mat")


def axes():
    """Return axes to draw on."""
    return Figure().subplots()


def built(layer):
    """Return a layer that has its weights."""
    layer(ONES((2, 3)))
    return layer


def model(compiled=True):
    """Return a small model."""
    made = models.Sequential([Dense(2, activation="softmax", input_shape=(3,))], seed=0)
    if compiled:
        made.compile("sgd", "categorical_crossentropy")
    return made


def functional(inputs=None, outputs=None, **options):
    """Return a model of a graph, with other ends where they are given."""
    start = Input((3,))
    return models.Model(
        start if inputs is None else inputs,
        Dense(2)(start) if outputs is None else outputs,
        **options,
    )


def two_ends():
    """Return a model with two outputs, called a and b."""
    start = Input((3,))
    return models.Model(start, [Dense(2, name="a")(start), Dense(2, name="b")(start)])


def compiled(made):
    """Return a model ready to train."""
    made.compile("sgd", "mse")
    return made


def saved():
    """Return the path of a model."""
    models.save_model(model(), path("model.npz"))
    return path("model.npz")


def parameters():
    """Return two parameters to train."""
    return [Parameter(ONES((2, 3)), name="kernel"), Parameter(ONES(3), name="bias")]


ASSIGNMENT = l2.ASSIGNMENT
EXERCISE = ASSIGNMENT.exercises["l2_penalty"]
FLIP = layers.RandomFlip("horizontal", seed=0)
DRAWN = FLIP.get_random_transformation(IMAGES)

# Functions are called for a value, anything else is copied.
GOOD = {
    # The ground.
    "activations.Activation.name": "mine",
    "activations.Activation.value": lambda: activations.relu.value,
    "activations.Activation.gradient": lambda: activations.relu.gradient,
    "activations.*.z": np.array([[-1.0, 2.0]]),
    "activations.serialize.activation": activations.relu,
    "activations.deserialize.config": "relu",
    "*.get.identifier": None,
    "initializers.deserialize.config": {"class_name": "Zeros", "config": {}},
    "regularizers.deserialize.config": {"class_name": "L2", "config": {}},
    "constraints.deserialize.config": {"class_name": "MaxNorm", "config": {}},
    "losses.deserialize.config": {"class_name": "Huber", "config": {}},
    "metrics.deserialize.config": {"class_name": "MeanSquaredError", "config": {}},
    "optimizers.deserialize.config": {"class_name": "SGD", "config": {}},
    "layers.deserialize.config": {"class_name": "Dense", "config": {"units": 3}},
    "schedules.deserialize.config": schedules.serialize(schedules.CosineDecay(0.1, 10)),
    "layers.serialize.layer": lambda: Dense(2),
    "*.serialize.*": None,
    # Losses, metrics, optimizers and callbacks.
    "*.?parse*.y_true": np.array([0, 1]),
    "*.y_true": Y,
    "*.y_pred": P,
    "metrics.Mean.update_state.values": ONES(2),
    "optimizers.*.learning_rate": 0.1,
    "optimizers.Block.parameters": parameters,
    "optimizers.*.variables": parameters,
    "optimizers.*.trainable_variables": parameters,
    "optimizers.*.grads": lambda: [ONES((2, 3)), ONES(3)],
    "optimizers.*.grads_and_vars": lambda: list(
        zip([ONES((2, 3)), ONES(3)], parameters(), strict=True)
    ),
    "optimizers.*.state": {"batches": 3},
    "optimizers.*.config": {"learning_rate": 0.1},
    "optimizers.clip_by_norm.gradient": np.array([3.0, 4.0]),
    "schedules.*.boundaries": [10, 20],
    "schedules.*.step": 3,
    "schedules.*.values": [0.3, 0.2, 0.1],
    "callbacks.*.monitor": "loss",
    "callbacks.*.mode": "min",
    "callbacks.LambdaCallback.moments": {"on_epoch_end": print},
    "callbacks.CSVLogger.separator": ",",
    "callbacks.CallbackList.callbacks": lambda: [callbacks.History()],
    # Layers.
    "layers.Layer.*.inputs": ONES((2, 3)),
    "layers.Layer.set_weights.weights": [np.zeros((3, 2)), np.zeros(2)],
    "layers.Layer.ensure_built.input_shape": (2, 3),
    "layers.SpectralNormalization.from_config.config": lambda: layers.SpectralNormalization(
        Dense(2)
    ).get_config(),
    "layers.Pipeline.from_config.config": lambda: layers.Pipeline([FLIP]).get_config(),
    "layers.Bidirectional.from_config.config": lambda: layers.Bidirectional(
        layers.LSTM(3)
    ).get_config(),
    "layers.TimeDistributed.from_config.config": lambda: layers.TimeDistributed(
        Dense(2)
    ).get_config(),
    "layers.Activation.activation": "relu",
    "layers.Bidirectional.layer": lambda: layers.LSTM(3),
    "layers.*.layer": lambda: Dense(3),
    "layers.Pipeline.layers": lambda: [layers.RandomFlip()],
    "layers.Reshape.target_shape": (4,),
    "layers.Input*.shape": (3,),
    "layers.Node.parents": (),
    "layers.Node.shape": (None, 3),
    "layers.Parameter*.value": ONES((2, 3)),
    "layers.Normalization.adapt.data": ONES((4, 3)),
    "layers.Normalization.mean": 0.25,
    "layers.Normalization.variance": 0.5,
    "layers.[a-z]*.inputs": [ONES((2, 3))] * 2,
    "layers.cutout.images": IMAGES,
    "layers.AugmentationLayer.*.data": IMAGES,
    "layers.AugmentationLayer.*.image": IMAGES[0],
    "layers.*_single_image.transformation": lambda: FLIP.get_random_transformation(IMAGES[:1]),
    "layers.AugmentationLayer.*.images": IMAGES,
    "layers.AugmentationLayer.*.inputs": IMAGES,
    "layers.AugmentationLayer.*.segmentation_masks": IMAGES[..., :1],
    "layers.AugmentationLayer.*.labels": np.eye(2),
    "layers.AugmentationLayer.*.transformation": DRAWN,
    # Models.
    "models.*.layers": lambda: [Dense(2)],
    "models.Sequential.add.layer": lambda: Dense(2),
    "models.Sequential.build.input_shape": (None, 3),
    "models.Sequential.from_config.config": lambda: model(False).get_config(),
    "models.Model.from_config.config": lambda: functional().get_config(),
    "models.Nested.from_config.config": lambda: models.Nested(model(False)).get_config(),
    "models.Model.compile.loss": "mse",
    "models.*.get_layer.index": 0,
    "models.load*.filepath": saved,
    "models.*.load*.filepath": saved,
    "models.*.filepath": path("model.npz"),
    "models.*.json_string": lambda: model().to_json(),
    "models.*.model": lambda: model(False),
    "models.Model.[io]*puts": None,
    "models.*.inputs": X,
    "models.*.x": X,
    "models.*.y": TARGETS,
    "models.*.verbose": 0,
    "models.*.weights": [ONES((3, 2)), ONES(2)],
    "models.*.print_fn": lambda: len,
    # Beside them.
    "textbook.EarlyStopping.update.weights": None,
    "textbook.ridge_closed_form.X": np.eye(4, 3),
    "textbook.ridge_closed_form.y": ONES(4),
    "textbook.split_and_scale.X": np.arange(12.0).reshape(4, 3),
    "textbook.split_and_scale.y": ONES(4),
    "textbook.split_and_scale.n_train": 2,
    "textbook.directional_check.grad": ONES(2),
    "textbook.directional_check.w": ONES(2),
    "textbook.directional_check.f": lambda: lambda w: float((np.asarray(w) ** 2).sum()),
    "textbook.layer_backward.[dxW]": ONES((2, 2)),
    "textbook.lasso_fit.X": np.eye(4, 3),
    "textbook.lasso_fit.y": ONES(4),
    "textbook.non_negative_fit.X": np.eye(4, 3),
    "textbook.non_negative_fit.y": ONES(4),
    "textbook.augmented_set.images": ONES((2, 3, 4)),
    "textbook.augmented_set.labels": ONES(2),
    "textbook.augmented_set.transforms": lambda: [lambda image: image],
    "textbook.expected_calibration_error.labels": [0, 1],
    "textbook.fit_temperature.labels": [0, 1],
    "textbook.*.X": NET_X,
    "textbook.*.Y": NET_Y,
    "textbook.*.parameters": NET,
    "textbook.*.gradients": GRADIENTS,
    "textbook.*cost*.A*": CACHE[-3],
    "textbook.*with_dropout.cache": DROPPED,
    "textbook.*.cache": CACHE,
    "textbook.*.layer_dims": [3, 2],
    "textbook.is_frozen.forward": lambda: textbook.dropout_forward,
    "textbook.mc_dropout_predict.f": lambda: lambda x, rng: ONES(2),
    "textbook.mc_dropout_predict.x": 1.0,
    "textbook.label_safe.transform": lambda: lambda image: image,
    "textbook.label_safe.task": ([ONES((6, 6))], lambda image: 1),
    "datasets.flip_labels.labels": np.array([0, 1, 0, 1]),
    "datasets.load_mat.path": mat_file,
    "gradcheck.*.f": lambda: lambda w: float((np.asarray(w) ** 2).sum()),
    "gradcheck.check_gradient.gradient": 2 * ONES(2),
    "gradcheck.check_layer.layer": lambda: Dense(2, dtype="float64", activation="tanh"),
    "gradcheck.check_model.model": lambda: compiled(
        models.Sequential([Dense(2, dtype="float64", input_shape=(3,))])
    ),
    "gradcheck.check_parameters.loss": lambda: lambda: float((WEIGHT.value**2).sum()),
    "gradcheck.check_parameters.parameters": lambda: [WEIGHT],
    "gradcheck.*.inputs": X,
    "gradcheck.check_model.x": X,
    "gradcheck.check_model.y": TARGETS,
    "experiments.run.build_and_score": lambda: score,
    "experiments.run.settings": {"off": {"offset": 0.0}},
    "experiments.run.seeds": 2,
    "experiments.run.progress": False,
    "experiments.confidence_interval.values": np.arange(5.0),
    "experiments.*.names": "setting",
    "experiments.best.frame": grid_frame,
    "*.frame": frame,
    "experiments.*.baseline": "off",
    "plotting.*.baseline": "off",
    "plotting.label_lines.ax": lambda: plotting.plot_history(HISTORY, ax=axes()),
    "plotting.*.ax": axes,
    "plotting.describe.text": "something",
    "plotting.alt_text.drawing": lambda: plotting.plot_history(HISTORY, ax=axes()),
    "plotting.plot_history.history": HISTORY,
    "plotting.plot_history.metric": "loss",
    "*.metric": "score",
    "plotting.*.predict": lambda: lambda x: np.asarray(x)[:, 0] > 1,
    "plotting.*_boundary.x": np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]]),
    "plotting.*_boundary.y": np.array([0, 1, 1]),
    "plotting.*.resolution": 5,
    "plotting.*.weights": {"off": ONES(3), "on": np.zeros(3)},
    "plotting.*.strengths": np.array([0.1, 1.0]),
    "plotting.*.coefficients": ONES((2, 3)),
    "plotting.*.curvature": np.eye(2),
    "plotting.*.images": ONES((2, 6, 6, 3)) / 2,
    "plotting.*.transform": lambda: lambda x, training=True: x,
    "plotting.*.copies": 1,
    "plotting.*.kernel": ONES((3, 3, 1, 2)),
    "plotting.*.probabilities": np.array([0.1, 0.9]),
    "plotting.*.labels": np.array([0, 1]),
    "plotting.*.results": frame,
    "plotting.reveal.prediction": "none of them",
    "moving.Panel.title": "loss",
    "moving.Panel.[xy]": (1.0, 2.0),
    "moving.Panel.text.[xy]": 1.5,
    "moving.Panel.*.[xy]": np.array([1.0, 2.0]),
    "moving.Panel.*.z": ONES(16),
    "moving.Panel.*.values": ONES((2, 3)),
    "moving.figure.panels": lambda: [(PANEL, "")],
    "moving.figure.frames": {"1": ([""], {"loss": 0.5}), "2": ([""], {"loss": 0.3})},
    "moving.figure.start": "2",
    "exercises.checking.Assignment.*.function": lambda: EXERCISE.reference,
    "exercises.checking.Assignment.*.name": EXERCISE.name,
    "exercises.*.tasks": lambda: [EXERCISE],
    "exercises.*.chapter": lambda: ASSIGNMENT.chapter,
    "exercises.normalize.*.text": '{"cells": [], "nbformat": 4, "nbformat_minor": 4}',
}

# What to call instead, and of which objects methods are called: else of one with good arguments.
CALLS = {
    "metrics.Metric": metrics.Mean,
    "callbacks.LambdaCallback": lambda moments: callbacks.LambdaCallback(**moments),
    "models.Model": functional,
    "exercises.checking.Assignment": lambda chapter, tasks: Assignment(chapter, *tasks),
    "experiments.require_columns": lambda frame, names: experiments.require_columns(frame, names),
}
OBJECTS = {
    "activations.Activation.*": lambda: activations.relu,
    "initializers.Initializer.*": lambda: initializers.GlorotUniform(),
    "losses.Loss.*": lambda: losses.MeanSquaredError(),
    "metrics.Metric.add_*": lambda: metrics.Mean(),
    "optimizers.Rate.*": lambda: optimizers.SGD().learning_rate,
    "metrics.MeanMetricWrapper.*": lambda: metrics.MeanSquaredError(),
    "optimizers.Optimizer.*": lambda: optimizers.SGD(),
    "schedules.LearningRateSchedule.*": lambda: schedules.CosineDecay(0.1, 10),
    "layers.Layer.set_weights": lambda: built(Dense(2)),
    "layers.Layer.*": lambda: Dense(2),
    "layers.Parameter.*": lambda: Parameter(ONES((2, 3)), name="kernel"),
    "layers.Normalization.adapt": lambda: built(layers.Normalization()),
    "layers.AugmentationLayer.*": lambda: FLIP,
    "datasets.SeriesDataset.*": datasets.sunspots,
    "models.Sequential.__call__": model,
    "models.Nested.*": lambda: models.Nested(model(False)),
    "models.Sequential.*": lambda: models.Sequential([Dense(2)]),
    "models.Model.compile": two_ends,
    "models.Model.*": lambda: compiled(functional()),
    "models.Trainer.compile": lambda: model(False),
    "models.*": model,
    "exercises.checking.Assignment.*": lambda: ASSIGNMENT,
    "moving.Panel.*": lambda: PANEL,
}

STRENGTHS = {"shape": (ONES((2, 2)),), "range": ([1.0, 0.1], [-1.0, 1.0])}
WEIGHTS = {
    "type": NO_LIST,
    "unknown": (["a", "b"],),
    "shape": ([], [ONES((3, 2))], [ONES((2, 3)), ONES(2)]),
}
DATA = {"type": NO_NUMBERS, "nan": (X * NAN,), "empty": (X[:0],)}

BAD = {
    # Names of things, their descriptions and their configurations.
    "*.get.identifier": {"unknown": UNKNOWN},
    "metrics.Metric.add_*.initializer": {"unknown": UNKNOWN},
    "layers.*.*activation": {"unknown": UNKNOWN},
    "layers.*_initializer": {"unknown": UNKNOWN},
    "layers.*_regularizer": {"unknown": UNKNOWN},
    "layers.*_constraint": {"unknown": UNKNOWN},
    "layers.*.from_config.config": {"type": (3, ["a"], None), "empty": ({},)},
    "*.from_config.config": {"type": (3, ["a"]), "unknown": ({"no_such_argument": 1},)},
    "activations.deserialize.config": {"unknown": UNKNOWN},
    "*.deserialize.config": {"unknown": UNKNOWN, "empty": ({},)},
    "models.load_model.custom_objects": {"unknown": (3, ["a"])},
    "*.custom_objects": {"type": (3, ["a"])},
    "*.serialize.activation": {},
    "*.serialize.layer": {"type": (3, "text", None, Dense)},
    "*.serialize.*": {"type": (3, "text")},
    # Losses, metrics and optimizers.
    "*.[sS]parse*.y_true": {"type": NO_NUMBERS, "shape": OTHER_SHAPES},
    "*.y_true": {"type": NO_NUMBERS, "shape": OTHER_SHAPES, "empty": (Y[:0],)},
    "*.[sS]parse*.y_pred": {"type": NO_NUMBERS, "shape": (0.5,)},
    "*.y_pred": {"type": NO_NUMBERS, "shape": (*OTHER_SHAPES, 0.5), "empty": (P[:0],)},
    "losses.*.sample_weight": {"type": NO_NUMBERS, "shape": (ONES(3), ONES((3, 3)))},
    "metrics.*.sample_weight": {"type": NO_NUMBERS, "shape": (ONES(3), ONES((3, 3)))},
    "metrics.Mean.update_state.values": {"type": NO_NUMBERS},
    "metrics.AUC.num_labels": {"range": (3,)},
    "metrics.AUC.label_weights": {"range": ([-1.0, 1.0],)},
    "activations.*.z": {"type": NO_NUMBERS},
    "optimizers.Block.parameters": {"type": ([3, 4],)},
    "optimizers.Optimizer.apply.grads": {
        "unknown": ([None, None], [["a"], ["b"]]),
        "shape": ([], [ONES((2, 3))], [ONES((3, 2)), ONES(3)]),
    },
    "optimizers.Optimizer.apply.trainable_variables": {"type": (3, "ab", [3, 4])},
    "optimizers.*.grads_and_vars": {"type": ([3], [(3,)]), "empty": ([],)},
    "optimizers.*.variables": {"type": (*NO_LIST, [3, 4])},
    "optimizers.*.var_list": {"type": (3, "ab", [3])},
    "optimizers.*.var_names": {"type": (3, "bias", [3])},
    "optimizers.*.state": {
        "type": ({"batches": "three"},),
        "shape": ({}, {"batches": [3]}, {"steps": 3}),
        "range": ({"batches": -1},),
    },
    "schedules.*.boundaries": {"range": ([20, 10], [10, 10]), "shape": ([], [10], [10, 20, 30])},
    "schedules.*.values": {"shape": ([], [0.3, 0.2])},
    "schedules.*.step": {"type": ("ten", None), "nan": (NAN,)},
    "callbacks.CSVLogger.separator": {"range": (";;",)},
    "callbacks.*.save_freq": {"range": ("sometimes",)},
    "callbacks.*.metrics": {"type": ([3],)},
    "callbacks.*.moments": {"type": ({"on_epoch_end": 3}, {"on_monday": print})},
    # Layers.
    "layers.GroupNormalization.groups": {"range": (0,)},
    "layers.Reshape.target_shape": {"range": ((-1, -1),)},
    "layers.Embedding.weights": {"type": ("text",), "shape": (ONES(3), ONES((2, 3)))},
    "layers.Bidirectional.*layer": {"type": (3, "text", None, Dense(3))},
    "layers.TimeDistributed.layer": {"type": (3, "text", None)},
    "layers.Input*.*shape": {"type": ("ab", 3.5, ("a",)), "range": ((0,),)},
    "layers.Input.batch_size": {"type": ("two",), "range": (0,)},
    "layers.Layer.set_weights.weights": WEIGHTS,
    "layers.Layer.ensure_built.input_shape": {"type": (3.5, ("a",)), "range": ((2, 0), (3, -1))},
    "layers.Layer.__call__.inputs": {"type": NO_NUMBERS, "shape": (ONES(3),)},
    "layers.Layer.cast.inputs": {"type": NO_NUMBERS},
    "layers.Node.parents": {"type": (3, "ab", (3,), None)},
    "layers.Parameter.assign.value": {"type": ("text",), "shape": (ONES(3), ONES((3, 2)))},
    "layers.*.mean": {"shape": (ONES(3), ONES((1, 1)))},
    "layers.*.variance": {"shape": (ONES(3), ONES((1, 1)))},
    "layers.Normalization.adapt.data": {
        "type": NO_NUMBERS,
        "shape": (ONES((4, 2)), ONES((2, 4, 3))),
        "nan": (ONES((4, 3)) * NAN,),
    },
    "layers.[a-z]*.inputs": {"type": (*NO_LIST, ["a", "b"]), "shape": ([],)},
    "layers.concatenate.axis": {"type": ("last", 1.5, NAN)},
    "layers.cutout.images": {"shape": (ONES(3), ONES((2, 2)))},
    "layers.AugmentationLayer.*.data": {"type": NO_NUMBERS, "shape": (ONES(3), ONES((2, 2)))},
    "layers.AugmentationLayer.*.image": {},
    "layers.AugmentationLayer.*.images": {**DATA, "shape": (ONES(3), ONES((2, 2)))},
    "layers.AugmentationLayer.*.inputs": {
        "type": NO_NUMBERS,
        "shape": (ONES(3), ONES((2, 2))),
        "range": ({"pictures": IMAGES}, {"images": IMAGES, "bounding_boxes": 3}),
    },
    "layers.AugmentationLayer.*masks": {"shape": (ONES(3), ONES((2, 2)))},
    # Models.
    "models.*.x": {**DATA, "shape": (ONES(4),)},
    "models.*.y": {**DATA, "shape": (ONES(3), ONES((3, 2)), np.float64(1))},
    "models.*.sample_weight": {"type": ("text",), "shape": (ONES(3), 1.0), "nan": (ONES(4) * NAN,)},
    "models.*.validation_data": {
        "type": (3, "text", ("a", "b")),
        "shape": ((), (X,), (X, TARGETS, ONES(4), 4), (X, TARGETS[:2])),
        "nan": ((X * NAN, TARGETS), (X, TARGETS + np.inf)),
        "empty": ((X[:0], TARGETS[:0]),),
    },
    "models.*.class_weight": {
        "type": (3, "text", {0: "a lot"}, {"a": 1.0}),
        "range": ({0: -1.0},),
        "nan": ({0: NAN},),
    },
    "callbacks.CallbackList.callbacks": {"type": (3, "text", [3], [callbacks.History])},
    "models.*.callbacks": {"type": (3, "text", [3], [callbacks.History])},
    "models.*.*metrics": {"unknown": (3, [3], ["no such thing"])},
    "models.*.optimizer": {"unknown": UNKNOWN},
    "models.Model.compile.loss": {"unknown": (3, [3, 4], "no such thing", ["mse"], {"c": "mse"})},
    "models.*.compile.loss": {"unknown": UNKNOWN},
    "models.Trainer.compile.loss_weights": {"range": ([1.0],)},
    "models.Model.compile.loss_weights": {
        "type": (3, "ab", ["a", "b"]),
        "range": ([-1.0, 1.0], {"c": 1.0}),
        "shape": ([], [1.0], [1.0, 1.0, 1.0]),
        "nan": ([NAN, 1.0],),
    },
    "models.*.get_layer.name": {"type": (3, ["a"]), "range": ("no such thing",)},
    "models.*.get_layer.index": {"range": (7, -7)},
    "models.*.weights": WEIGHTS,
    "models.*.layers": {"type": (3, "text", [3])},
    "models.*.layer": {"type": (3, "text", None, Dense)},
    "models.Model.[io]*puts": {"type": (3, "text", [3])},
    "models.*.inputs": {"type": NO_NUMBERS, "shape": (ONES((4, 5)),)},
    "models.*.input_shape": {"type": ("ab", 3.5), "range": ((3, 0), (3, -1))},
    "models.*.json_string": {"type": (3, None), "empty": ("",)},
    "models.*.clone_function": {"type": (3, "text")},
    # Beside them.
    "textbook.*.parameters": arrays_of(NET, "W2"),
    "textbook.*.gradients": arrays_of(GRADIENTS, "dW2"),
    "textbook.*with_dropout.cache": caches(DROPPED),
    "textbook.*.cache": caches(CACHE),
    "textbook.back*.X": {"shape": (ONES((9, 7)),)},
    "textbook.*.Y": {"shape": (ONES((5, 7)),)},
    "textbook.*.A*": {"shape": (ONES((5, 7)),)},
    "textbook.ridge_closed_form.y": {"shape": (ONES(3),)},
    "textbook.lasso_fit.y": {"shape": (ONES(3),)},
    "textbook.split_and_scale.y": {"shape": (ONES(3),)},
    "textbook.directional_check.grad": {"shape": (ONES(3),)},
    "textbook.layer_backward.[dW]": {"shape": (ONES((3, 2)),)},
    "textbook.non_negative_fit.y": {"shape": (ONES(3),)},
    "textbook.adam*_step.[gmv]*": {"shape": (ONES(3),)},
    "textbook.augmented_set.labels": {"shape": (ONES(3),)},
    "textbook.expected_calibration_error.labels": {"shape": (ONES(3, int),), "range": ([0, 2],)},
    "textbook.fit_temperature.labels": {"shape": (ONES(3, int),), "range": ([-1, 0],)},
    "textbook.mixup.y": {"shape": (ONES((3, 2)),)},
    "textbook.cutmix.y": {"shape": (ONES((3, 2)),)},
    "textbook.smoothed_crossentropy_gradient.y": {"shape": (ONES((3, 2)),)},
    "textbook.*.grad": {"shape": (ONES(3), ONES((3, 3)))},
    "textbook.*.dout": {"shape": (ONES((2, 4)),)},
    "textbook.*.mask": {"shape": (ONES(3), ONES((3, 2)))},
    "textbook.random_crop.height": {"range": (7,)},
    "textbook.random_crop.width": {"range": (7,)},
    "textbook.*.layer_dims": {"shape": ([], [3])},
    "textbook.label_safe.task": {
        "type": (3, "text", None, (), ([ONES((6, 6))], 3), (3, len), ([ONES((6, 6))],)),
        "nan": (([ONES((6, 6)) * NAN], len),),
        "empty": (([], len),),
    },
    "datasets.flip_labels.labels": {"type": ([0.5, 1.0],), "range": ([-1, 0],)},
    "datasets.load_mat.variables": {"range": (["b"],)},
    "datasets.load_mat.path": {"unknown": ("no/such/file.mat",)},
    "datasets.*.fractions": {"range": ((0.5, 0.5, 0.5), (1.2, -0.1, -0.1))},
    "gradcheck.relative_error.*": {"shape": (ONES((2, 2)), ONES((3, 3)))},
    "gradcheck.check_gradient.gradient": {
        "type": ("text", None),
        "shape": (ONES(3),),
        "nan": (NAN,),
    },
    "gradcheck.check_gradient.x": {"shape": (ONES((2, 2)),)},
    "gradcheck.*.parameters": {"type": ([3],), "empty": ([],)},
    "gradcheck.*.layers": {"type": ([3],)},
    "gradcheck.*.layer": {"type": (3, "text", None, Dense)},
    "gradcheck.*.model": {"type": (3, "text", None, models.Sequential)},
    "gradcheck.check_model.x": {"shape": (ONES((1, 5)),)},
    "gradcheck.check_model.y": {"shape": (ONES((3, 2)), ONES((4, 5)))},
    "gradcheck.*.sample_weight": {"shape": (ONES(3),)},
    "experiments.run.settings": {
        "type": (3, "text", None, {"off": 3}, [3]),
        "empty": ({}, []),
    },
    "experiments.run.seeds": {
        "type": ("two", 1.5, None, True, ["a"], [1.5], NAN),
        "range": (0, -1, [-1], [1, 1], []),
    },
    "experiments.*.metric": {"type": (3, ["a"], None), "range": ("no such thing",)},
    "experiments.*.metrics": {"type": (3,), "range": ("no such thing", ["no such thing"])},
    "experiments.*.names": {"type": (3,), "range": ("no such thing",)},
    "*.frame": {"type": (3, "text", None), "shape": (frame().drop(columns="setting"),)},
    "[ep]*.baseline": {"range": ("no such thing", 3, None)},
    "*.level": {"type": ("a lot", [0.5], None), "range": (0.0, 1.0, 1.5), "nan": (NAN,)},
    "*.interval": {"range": ("sideways", "")},
    "plotting.*.ax": {"type": (3, "text")},
    "plotting.describe.text": {"type": (3, None), "empty": ("",)},
    "plotting.*.drawing": {"type": (3, "text", None)},
    "plotting.*.history": {"type": (3, "text", None), "empty": ({}, {"loss": []})},
    "plotting.plot_history.metric": {"range": (3, None, "no such thing")},
    "plotting.*.metric": {"type": (3, None), "range": ("no such thing",)},
    "plotting.*.predict": {"type": (3, "text", None)},
    "plotting.*.transform": {"type": (3, "text", None)},
    "plotting.*_boundary.y": {
        "type": NO_NUMBERS,
        "shape": (ONES(2), ONES((3, 3))),
        "range": ([-1, 0, 1], [0.5, 1, 1]),
    },
    "plotting.*.weights": {
        "type": (3, "text", None, {"off": "a"}),
        "nan": ({"off": [NAN]},),
        "empty": ({}, {"off": []}),
    },
    "plotting.*.strengths": STRENGTHS,
    "plotting.*.coefficients": {"type": NO_NUMBERS, "shape": (ONES(3), ONES((5, 3)))},
    "plotting.*.names": {"shape": (["a"], [])},
    "plotting.*.curvature": {"range": (np.array([[1.0, 2.0], [0.0, 1.0]]), -np.eye(2))},
    "plotting.*.images": {"shape": (ONES(3), ONES((2, 6, 6, 2)))},
    "plotting.*.probabilities": {"range": ([1.5, 0.5], [-0.5, 0.5]), "shape": (ONES((2, 2, 2)),)},
    "plotting.*.labels": {"type": NO_NUMBERS, "shape": (ONES(3),), "range": ([0, 2], [-1, 0])},
    "plotting.*.results": {
        "type": (3, "text", None, {"off": "a"}),
        "nan": ({"off": [NAN, 1.0]},),
        "empty": ({}, {"off": []}),
    },
    "moving.Panel.[xy]": {
        "type": NO_NUMBERS,
        "shape": (ONES(3), 2.0),
        "range": ((2.0, 1.0), (1.0, 1.0)),
        "nan": ((0.0, NAN),),
    },
    "moving.Panel.*.z": {"shape": (ONES(5), ONES(1))},
    "moving.figure.panels": {"type": ([3], [("title", "")]), "empty": ([],)},
    "moving.figure.frames": {
        "type": ({"1": 3, "2": 3}, {"1": ([""], 3), "2": ([""], 3)}),
        "shape": ({"1": ([], {}), "2": ([], {})},),
        "range": ({"1": ([""], {"a": 1}), "2": ([""], {"b": 1})},),
        "empty": ({}, {"1": ([""], {})}),
    },
    "moving.figure.start": {"range": ("3", 3)},
    "exercises.*.aspect": {"range": (3, "no such thing")},
    "exercises.*.check*.name": {"range": (3, "no such thing")},
    "exercises.*.hint.name": {"range": (3, "no such thing")},
    "exercises.*.hidden_points.name": {"range": (3, "no such thing")},
    "exercises.*.chapter": {"type": (3, "text", None)},
    "exercises.*.show": {"type": ("no", 0)},
    "exercises.*.tasks": {"type": ([3], ["text"]), "empty": ([],)},
    "exercises.normalize.*.text": {"range": ("no notebook", "[]", '{"nbformat": 3}')},
}

SAYS = {
    "activations.*get.identifier": "activation",
    "activations.deserialize.config": "activation",
    "initializers.*identifier": "initializer",
    "regularizers.*identifier": "regularizer",
    "constraints.*identifier": "constraint",
    "losses.*identifier": "loss",
    "metrics.*identifier": "metric",
    "optimizers.*identifier": "optimizer",
    "*.deserialize.config": r"\w* ?config|\w+",
    "*.from_config.config": "config|layer|layers|nodes|model|units",
    "*.y_true": "y_true|y_pred",
    "*.y_pred": "y_true|y_pred",
    "optimizers.*.variables": "variables|parameters",
    "callbacks.*.moments": "moments|on_epoch_end|on_monday",
    "layers.AugmentationLayer.*.*": r"images?|data|inputs|labels|segmentation_masks|seed",
    "layers.Parameter.assign.value": "kernel",
    "models.*.x": "x|inputs",
    "textbook.*parameters": r"parameters|gradients|d?W\d",
    "textbook.*gradients": r"gradients|dW\d",
    "textbook.*weights": r"weights(\[\d\])?",
    "textbook.*.[XYA]*": "X|Y|A|A3|W1|cache|y",
    "textbook.*.cache": "cache|X|Y",
    "textbook.*.dout": "dout|mask",
    "textbook.label_safe.task": "task|image",
    "gradcheck.relative_error.*": "a|b",
    "gradcheck.check_gradient.x": "x|gradient",
    "gradcheck.check_model.[xy]": "x|inputs|y|y_true",
    "*.metric": "metric|column|history|loss",
    "*.metrics": "metrics|column",
    "*.names": "names|column",
    "plotting.*.history": "history|loss|metric",
    "plotting.*.[xy]": "x|y",
    "plotting.*.probabilities": "probabilities|labels",
    "plotting.*.weights": "weights|off",
    "plotting.*.strengths": "strengths|coefficients",
    "plotting.*.results": "results|off|frame",
    "moving.Panel.*.[xy]": "x|y",
}

STEP = "inside a training step, after a layer's __call__, a loss's __call__ or fit has looked"
HOOK = "called by fit, evaluate and predict at their moments, with logs of their own making"
SHAPES = "given a shape that build, which comes before, has looked at"
DOOR = "the check itself: what fit, evaluate and predict take comes by here"
OWN = "called by the library's own loop with arrays and parameters of its own making"
ANY_LIBRARY = "on the training path, and with tensors of any library: the weights of a model"
RECORD = "a record that the library or authors of exercises fill, after checking"
STUDENT = "whatever a student wrote is judged here: what is wrong with it is a verdict, no error"
HANDED_ON = "handed on as it is, to what looks at it"
TRUTH = "taken for its truth: Keras's None means off, and each layer of each step asks"

ELSEWHERE = {
    "layers.DropBlock.noise_shape": "refused whatever it is: test_behaviour tries it",
    "layers.DropPath.noise_shape": "refused whatever it is: test_behaviour tries it",
    "layers.SpatialDropout1D.noise_shape": "refused whatever it is: test_behaviour tries it",
    "layers.SpatialDropout2D.noise_shape": "refused whatever it is: test_behaviour tries it",
    "layers.Layer.add_loss.loss": "always refused, with what to use instead",
    "*.training": TRUTH,
    "plotting.reveal.prediction": "whatever a reader writes down; None is nothing yet",
    "*.options": HANDED_ON,
    "*.kwargs": HANDED_ON,
    "*.transformation": "what get_random_transformation drew, handed on as it is",
    "activations.Activation.__call__.arguments": HANDED_ON,
    "losses.*.linked": "said by the trainer in each step",
    "experiments.state.results": "under the author's own names: test_stated tries them",
    "datasets.Dataset.*": RECORD,
    "moving.Figure.*": RECORD,
    "datasets.SeriesDataset.[!r]*": RECORD,
    "textbook.EarlyStopping.update.weights": "whatever is to be kept: it is copied, not looked at",
    "textbook.mc_dropout_predict.x": HANDED_ON,
    "callbacks.CallbackList.model": HANDED_ON,
    "callbacks.CallbackList.params": HANDED_ON,
    "exercises.*.function": STUDENT,
    "exercises.*.report.functions": STUDENT,
    "layers.ActivityRegularization.activity_regularizer": "made of l1 and l2",
    "layers.InputLayer.input_shape": "made of shape",
    # Layers.
    "layers.*.call.*": STEP,
    "layers.*.backward.*": STEP,
    "layers.*.forward.*": STEP,
    "layers.*.back.*": STEP,
    "layers.*.backward_linear.*": STEP,
    "layers.*.effective_kernel.*": STEP,
    "layers.*.mask_shape.*": STEP,
    "layers.*.step.*": STEP,
    "layers.*.step_back.*": STEP,
    "layers.*.write_gradients.*": STEP,
    "layers.*.compute_mask.*": STEP,
    "layers.*.derivatives.*": STEP,
    "layers.*.merge.*": STEP,
    "layers.Layer.propagate_back.*": STEP,
    "layers.Node.hand_out.*": STEP,
    "layers.*.build.*": SHAPES,
    "layers.*.compute_output_shape.*": SHAPES,
    "layers.*.shape_after.*": SHAPES,
    "layers.Layer.seed_from.*": "called by models, with a SeedSequence of their own",
    "layers.Layer.set_weight_options.*": "called by constructors, whose arguments are in the table",
    "layers.Layer.add_weight.*": "called by build, whose shape has been looked at",
    "layers.Parameter.bind.*": OWN,
    "layers.Pipeline.__call__.*": "hands on to its layers, each of which looks at its inputs",
    "layers.*.get_random_transformation.*": DOOR,
    "layers.*.transform_images.*": DOOR,
    "layers.*.transform_segmentation_masks.*": DOOR,
    # Losses, metrics and optimizers.
    "losses.*.call.*": STEP,
    "losses.*.derivative.*": STEP,
    "losses.*.element.*": STEP,
    "losses.*.slope.*": STEP,
    "losses.*.both.*": STEP,
    "losses.*.both_linked.*": STEP,
    "losses.*.align.*": DOOR,
    "metrics.Metric.update_state.*": "a base without a body: its subclasses say what they take",
    "metrics.Metric.__call__.*": "hands on to update_state, which looks at what came",
    "optimizers.*.update.*": OWN,
    "optimizers.*.new_slot.*": OWN,
    "optimizers.*.step.*": OWN,
    "optimizers.Block.holds.*": OWN,
    "optimizers.Optimizer.decays.*": OWN,
    "optimizers.*.finalize_variable_values.*": "takes Keras's argument, and has no use for it",
    "schedules.*.rate.*": "called by __call__, which has looked at the step",
    # Models.
    "models.*.forward.*": STEP,
    "models.*.backward.*": STEP,
    "models.*.train_step.*": STEP,
    "models.BaseModel.build.*": "a base without a body: Sequential and Model say what they take",
    "models.Model.build.*": "the shapes are those of the graph, whose nodes were looked at",
    "models.Nested.build.*": SHAPES,
    "models.Nested.call.*": STEP,
    "models.Nested.compute_mask.*": STEP,
    "models.*.compute_output_shape.*": SHAPES,
    "models.aims.*": OWN,
    "*.check_inputs.*": DOOR,
    "*.check_targets.*": DOOR,
    "*.arrange_outputs.*": "called by predict with the outputs of the model itself",
    "models.*.save.*": "it is models.save_model, which is in the table",
    # The ground.
    "callbacks.*.on_*.*": HOOK,
    "callbacks.Monitor.improves.*": HOOK,
    "callbacks.Monitor.monitored.*": HOOK,
    "callbacks.Callback.set_params.*": HOOK,
    "callbacks.Callback.set_model.*": HOOK,
    "constraints.*.__call__.*": ANY_LIBRARY,
    "regularizers.*.__call__.*": ANY_LIBRARY,
    "regularizers.*.gradient.*": ANY_LIBRARY,
    "initializers.*.draw.*": STEP,
    # Beside.
    "interop.*.*": "needs Keras: test_interop_bad_input.py has the cases",
    "exercises.normalize.main.*": "a command line: argparse refuses what it does not know",
    "ops.*": "NumPy's functions under other names: NumPy refuses what it cannot use",
    "random.*": "shape and seed are declared; of what they describe, NumPy refuses the rest",
    "saving.serialize_keras_object.*": "anything may come: what has no config is refused",
    "saving.deserialize_keras_object.*": "plain data stays as it is; descriptions have their own",
    "utils.clear_session.*": "takes Keras's argument, and has no use for it",
    "utils.PyDataset.*": "takes Keras's arguments, and has no use for them",
    "utils.*": "declared beside the functions, and tried in test_utils.py",
}

MISSING = object()


def find(table, path, default=None):
    """Return the entry of the first pattern that fits an argument, such as ``layers.*.rate``."""
    return next((entry for pattern, entry in table.items() if fnmatchcase(path, pattern)), default)


def good_arguments(name):
    """Return the arguments of a call that works: those without a default, and those in GOOD."""
    public, found = INVENTORY[name], {}
    for argument, parameter in public.parameters.items():
        good = find(GOOD, f"{name}.{argument}", MISSING)
        if good is not MISSING:
            found[argument] = good() if inspect.isfunction(good) else copy.deepcopy(good)
        elif parameter.default is parameter.empty and argument in public.constraints:
            found[argument] = public.constraints[argument].good
    return found


def call(name, arguments):
    """Call a function or class, or a method of an object that is made for it."""
    owner, _, method = name.rpartition(".")
    if name in CALLS or owner not in INVENTORY:
        return CALLS.get(name, INVENTORY[name].target)(**arguments)
    make = find(OBJECTS, name)
    thing = make() if make else call(owner, good_arguments(owner))
    return getattr(thing, method)(**arguments)
