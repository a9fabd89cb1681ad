"""Losses, metrics, optimizers, callbacks and models: what their arguments refuse."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from reglib import callbacks, losses, metrics, models, optimizers, schedules
from reglib.layers import Dense, Input, Parameter
from tests.reglib.bad_input.vocabulary import (
    CONFIG,
    COUNT,
    COUNT_OR_0,
    EMPTY,
    FINITE,
    FLAG,
    FUNCTION,
    NAN,
    NOT_NEGATIVE,
    OPEN_RATE,
    PATH,
    POSITIVE,
    RANGE,
    RATE,
    SEED,
    SHAPE,
    TEXT,
    TYPE,
    Entry,
    Kind,
    Made,
    array,
    choice,
    free,
    identifier,
    integer,
    lengths,
    number,
    scratch,
    thing,
)

CUSTOM = Kind("mapping", None, {TYPE: (3, ["a"])}).without(EMPTY, because="there may be none")
Y = np.array([[0.0, 1.0], [1.0, 0.0]])
P = np.array([[0.25, 0.75], [0.625, 0.375]])
OTHER_SHAPES = (np.ones((2, 3)), np.ones((4, 5, 6)))
TRUE = array(Y, shape=OTHER_SHAPES, finite=False)
PREDICTED = array(P, shape=(*OTHER_SHAPES, 0.5), finite=False)
WEIGHTS = array(np.ones(2), shape=(np.ones(3), np.ones((3, 3))), finite=False)
LABELS = array(np.array([0, 1]), shape=OTHER_SHAPES, finite=False).but(
    range=([0, 2], [-1, 0], [0.5, 1])
)
DTYPE = Kind("identifier", "float32", {TYPE: (3, ["a"]), RANGE: ("int32", "float99")})

METRICS = Kind("list", ["accuracy"], {TYPE: (3, [3], [None]), RANGE: (["no such thing"],)}).without(
    EMPTY, because="there may be none of them"
)

NAMED: dict[str, dict[str, Kind]] = {
    "losses": {
        "y_true": TRUE,
        "y_pred": PREDICTED,
        "sample_weight": WEIGHTS,
        "from_logits": FLAG,
        "linked": FLAG.without(TYPE, because="said by the trainer in each step"),
        "label_smoothing": RATE,
        "axis": integer(good=-1),
        "reduction": choice("sum").but(type=(3, ["a"])),
        "name": TEXT.or_none(),
        "dtype": DTYPE,
        "delta": POSITIVE,
        "alpha": RATE,
        "ignore_class": integer(),
        "config": CONFIG.but(good={"class_name": "Huber", "config": {"delta": 2.0}}),
        "custom_objects": CUSTOM,
    },
    "metrics": {
        "y_true": TRUE,
        "y_pred": PREDICTED,
        "sample_weight": WEIGHTS,
        "name": TEXT.or_none(),
        "dtype": DTYPE.but(range=("float99",)),
        "threshold": RATE,
        "from_logits": FLAG,
        "label_smoothing": RATE,
        "axis": integer(good=-1),
        "delta": POSITIVE,
        "average": choice("micro").but(type=(3, ["a"])),
        "beta": POSITIVE,
        "fn": FUNCTION,
        "class_aggregation": choice("uniform_average").but(type=(3, ["a"])),
        "num_regressors": COUNT_OR_0,
        "ignore_class": integer(),
        "k": COUNT,
        "from_sorted_ids": FLAG,
        "thresholds": Kind(
            "numbers",
            [0.25, 0.75],
            {
                TYPE: ("ab", ["low", "high"], [None], 1j, True),
                RANGE: ([0.5, 1.5], [-0.5, 0.5]),
                NAN: ([0.5, float("nan")],),
                EMPTY: ([],),
            },
            {SHAPE: "any number of thresholds has a meaning"},
        ),
        "num_thresholds": COUNT.but(good=200),
        "top_k": COUNT,
        "class_id": COUNT_OR_0,
        "curve": choice("ROC"),
        "summation_method": choice("minoring"),
        "multi_label": FLAG,
        "num_labels": COUNT.but(range=(0, -1, 3)),  # 3 without multi_label
        "label_weights": array([0.25, 0.75], shape=(0.5, np.ones((2, 2)))),
        "kwargs": free("the function's own options, handed on as they are"),
    },
    "optimizers": {
        "learning_rate": number(0, good=0.1).but(type=("a lot", [0.5], 1j, True, None)),
        "weight_decay": NOT_NEGATIVE,
        "clipnorm": NOT_NEGATIVE,
        "clipvalue": NOT_NEGATIVE,
        "global_clipnorm": NOT_NEGATIVE,
        "use_ema": FLAG,
        "ema_momentum": RATE,
        "ema_overwrite_frequency": COUNT,
        "gradient_accumulation_steps": integer(2),
        "name": TEXT,
        "momentum": RATE,
        "nesterov": FLAG,
        "rho": RATE,
        "epsilon": NOT_NEGATIVE,
        "centered": FLAG,
        "amsgrad": FLAG,
        "beta_1": OPEN_RATE,
        "beta_2": OPEN_RATE,
    },
    "schedules": {
        "initial_learning_rate": NOT_NEGATIVE,
        "decay_steps": POSITIVE,
        "decay_rate": NOT_NEGATIVE,
        "staircase": FLAG,
        "alpha": NOT_NEGATIVE,
        "warmup_target": NOT_NEGATIVE,
        "warmup_steps": COUNT_OR_0,
        "name": TEXT.or_none(),
        "boundaries": Kind(
            "numbers",
            [10, 20],
            {
                TYPE: (3, "ab", ["ten", "twenty"], None),
                RANGE: ([20, 10], [10, 10]),
                SHAPE: ([10], [10, 20, 30]),
                NAN: ([10, float("nan")],),
                EMPTY: ([],),
            },
        ),
        "values": Kind(
            "numbers",
            [0.3, 0.2, 0.1],
            {
                TYPE: (3, "abc", ["a", "b", "c"], None),
                RANGE: ([0.3, -0.2, 0.1],),
                SHAPE: ([0.3, 0.2],),
                NAN: ([0.3, float("inf"), 0.1],),
                EMPTY: ([],),
            },
        ),
        "step": FINITE,
    },
    "callbacks": {
        "monitor": TEXT.but(good="loss"),
        "mode": choice("min"),
        "min_delta": FINITE,
        "patience": COUNT_OR_0,
        "verbose": COUNT_OR_0.but(good=0, type=("three", 1.5, [3], None)),
        "baseline": FINITE,
        "restore_best_weights": FLAG,
        "start_from_epoch": COUNT_OR_0,
        "factor": OPEN_RATE,
        "cooldown": COUNT_OR_0,
        "min_lr": NOT_NEGATIVE,
        "schedule": FUNCTION,
        "raise_error": FLAG,
        "filename": PATH,
        "filepath": PATH,
        "separator": TEXT.but(range=(";;",), good=","),
        "append": FLAG,
        "save_best_only": FLAG,
        "save_weights_only": FLAG,
        "save_freq": choice("epoch").but(type=(1.5, ["a"], None), range=("sometimes", 0)),
        "initial_value_threshold": FINITE,
        "swap_on_epoch": FLAG,
        "start_epoch": COUNT_OR_0,
        "frequency": COUNT,
    },
    "models": {
        "name": TEXT,
        "seed": SEED,
        "custom_objects": CUSTOM,
        "clone_function": FUNCTION.but(good=None),
        "trainable": FLAG,
        "dtype": DTYPE.but(type=(3, ["a"])),
        "input_shape": lengths(None),
        "activity_regularizer": identifier(None),
        "training": free("taken for its truth, as in every layer"),
        "metrics": METRICS,
        "weighted_metrics": METRICS,
    },
}


def parameters() -> list[Parameter]:
    """Return two parameters to train."""
    return [Parameter(np.ones((2, 3)), name="kernel"), Parameter(np.ones(3), name="bias")]


def model(compiled: bool = True, **options: Any) -> models.Sequential:
    """Return a small model, ready to train."""
    made = models.Sequential([Dense(2, activation="softmax", input_shape=(3,))], seed=0)
    if compiled:
        made.compile("sgd", "categorical_crossentropy", **options)
    return made


class Recorder(callbacks.Callback):
    """A callback that does nothing."""


CLASS_WEIGHT = Kind(
    "mapping",
    {0: 1.0, 1: 2.0},
    {
        TYPE: (3, "text", {0: "a lot"}, {"a": 1.0}),
        RANGE: ({0: -1.0},),
        NAN: ({0: float("nan")},),
    },
).without(EMPTY, because="classes without a weight weigh 1")
X = np.arange(12.0).reshape(4, 3) / 12
ONE_HOT = np.eye(2)[[0, 1, 1, 0]]

DATA = {
    "x": array(X, shape=(np.ones(4), np.ones((4, 5)))),
    "y": array(ONE_HOT, shape=(np.ones(3), np.ones((3, 2)), np.float64(1))),
    "sample_weight": array(np.ones(4), shape=(np.ones(3), 1.0)),
    "batch_size": COUNT,
    "verbose": Kind("choice", 0, {TYPE: ([1], 1.5), RANGE: ("loud", 7)}),
    "callbacks": Kind(
        "list", Made(lambda: [Recorder()]), {TYPE: (3, "text", [3], [Recorder])}
    ).without(EMPTY, because="there may be none"),
}


def some(*arguments: str) -> dict[str, Kind]:
    """Return the kinds of some of the data."""
    return {name: DATA[name] for name in arguments}


COMPILING = {
    "run_eagerly": FLAG,
    "jit_compile": choice("auto", wrong=("sideways", "")),
}
SAYS = {"x": "x|inputs"}
X_ALONE = DATA["x"].but(shape=(np.ones(4), np.ones((4, 5))))

_LOSSES = [
    *(
        name
        for name, cls in vars(losses).items()
        if isinstance(cls, type) and issubclass(cls, losses.Loss) and cls is not losses.Loss
    ),
]
_FUNCTIONS = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "huber",
    "kl_divergence",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
]
EITHER = {"y_true": "y_true|y_pred", "y_pred": "y_true|y_pred"}


def _loss_entries() -> list[Entry]:
    values = {"y_true": TRUE, "y_pred": PREDICTED, "sample_weight": WEIGHTS}
    return [
        *(Entry(f"losses.{name}", {}) for name in _LOSSES),
        *(Entry(f"losses.{name}", {}, says=EITHER) for name in _FUNCTIONS),
        Entry("losses.Loss", {}),
        Entry(
            "losses.sparse_categorical_crossentropy",
            {"y_true": LABELS, "y_pred": PREDICTED.but(shape=(0.5,))},
            says=EITHER,
        ),
        *(
            Entry(
                f"losses.Loss.{method}",
                values,
                call=lambda method=method, **k: getattr(losses.MeanSquaredError(), method)(**k),
                says=EITHER,
            )
            for method in ("__call__", "gradient", "value_and_gradient")
        ),
        Entry(
            "losses.Loss.align",
            {"y_true": TRUE, "y_pred": PREDICTED},
            call=lambda **k: losses.MeanSquaredError().align(**k),
            says=EITHER,
        ),
        Entry("losses.get", {"identifier": identifier("mse")}, says={"identifier": "loss"}),
        Entry("losses.serialize", {"loss": thing(losses.Huber()).but(type=(3, "text"))}),
        Entry("losses.deserialize", {}),
        Entry(
            "losses.Loss.from_config",
            {
                "config": CONFIG.but(good={"delta": 2.0}, empty=()).without(
                    EMPTY, because="every argument of a loss has a default"
                )
            },
            call=lambda config: losses.Huber.from_config(config),
        ),
    ]


SPARSE = {"y_true": LABELS, "y_pred": PREDICTED.but(shape=(0.5, np.ones((4, 5, 6))))}


def _special_metric(name: str) -> dict[str, Kind]:
    """Return what is special about a metric's function."""
    if name == "sparse_categorical_accuracy":
        never = "a class that cannot be answered is never right"
        return SPARSE | {"y_true": LABELS.without(RANGE, because=never)}
    if name == "binary_accuracy":
        return {"threshold": FINITE}
    return SPARSE if "sparse" in name else {}


def _metric_entries() -> list[Entry]:
    found = [
        # The base has no state to reset, so that it cannot be made by itself.
        Entry(
            f"metrics.{name}",
            # A curve needs a second point.
            {"num_thresholds": integer(2, good=200)} if name == "AUC" else {},
            call=metrics.Mean if name == "Metric" else None,
        )
        for name, cls in vars(metrics).items()
        if isinstance(cls, type) and issubclass(cls, metrics.Metric) and not name.startswith("_")
    ]
    data = {"y_true": TRUE, "y_pred": PREDICTED, "sample_weight": WEIGHTS}
    classes = [metrics.MeanSquaredError, metrics.FBetaScore, metrics.R2Score]
    classes += [metrics.RootMeanSquaredError, metrics.SparseCategoricalCrossentropy]
    classes += [metrics.AUC]
    return [
        *found,
        *(
            Entry(
                f"metrics.{cls.update_state.__qualname__}",
                data | (SPARSE if "Sparse" in cls.__name__ else {}),
                call=lambda cls=cls, **k: cls().update_state(**k),
                says=EITHER,
            )
            for cls in classes
        ),
        Entry(
            "metrics.Mean.update_state",
            {
                "values": array(np.ones(2), finite=False).without(
                    EMPTY, because="of nothing it is nothing"
                ),
                "sample_weight": WEIGHTS,
            },
            call=lambda **k: metrics.Mean().update_state(**k),
        ),
        *(
            Entry(f"metrics.{name}", _special_metric(name), says=EITHER)
            for name, function in vars(metrics).items()
            if inspect.isfunction(function) and "y_true" in inspect.signature(function).parameters
        ),
        Entry(
            "metrics.Metric.from_config",
            {
                "config": CONFIG.but(good={"name": "mine"}).without(
                    EMPTY, because="every argument has a default"
                )
            },
            call=metrics.MeanSquaredError.from_config,
        ),
        Entry(
            "metrics.serialize", {"metric": thing(metrics.MeanSquaredError()).but(type=(3, "text"))}
        ),
        Entry(
            "metrics.deserialize",
            {"config": CONFIG.but(good={"class_name": "MeanSquaredError", "config": {}})},
        ),
        Entry(
            "metrics.get",
            {"identifier": identifier("mse")},
            says={"identifier": "metric"},
        ),
    ]


def _optimizer_entries() -> list[Entry]:
    grads = Kind(
        "list",
        Made(lambda: [np.ones((2, 3)), np.ones(3)]),
        {
            TYPE: (3, "ab", None, [None, None], [["a"], ["b"]]),
            SHAPE: ([np.ones((2, 3))], [np.ones((3, 2)), np.ones(3)]),
            EMPTY: ([],),
        },
        {NAN: "a diverging network's gradients must reach its weights, and so the loss"},
    )
    variables = Kind("list", Made(parameters), {TYPE: (3, "ab", [3, 4]), EMPTY: ([],)})
    return [
        *(
            Entry(f"optimizers.{name}", {})
            for name, cls in vars(optimizers).items()
            if isinstance(cls, type)
            and issubclass(cls, optimizers.Optimizer)
            and cls not in (optimizers.Optimizer, optimizers.Lion)
        ),
        Entry("optimizers.Lion", {"beta_1": number(0, 1, low_open=True), "beta_2": RATE}),
        Entry("optimizers.Optimizer", {}),
        Entry(
            "optimizers.Block",
            {
                "parameters": variables.but(type=(3, "ab", [3, 4], None)).without(
                    EMPTY, because="a model may have nothing to train"
                )
            },
        ),
        Entry(
            "optimizers.Optimizer.apply",
            {
                "grads": grads,
                "trainable_variables": variables.but(type=(3, "ab", [3, 4], None)).without(
                    EMPTY, because="then there are too many gradients, and those are refused"
                ),
            },
            call=lambda grads, trainable_variables: optimizers.SGD().apply(
                grads, trainable_variables
            ),
            given={"trainable_variables": Made(parameters)},
        ),
        Entry(
            "optimizers.Optimizer.apply_gradients",
            {
                "grads_and_vars": Kind(
                    "list",
                    Made(
                        lambda: list(zip([np.ones((2, 3)), np.ones(3)], parameters(), strict=True))
                    ),
                    {TYPE: (3, "ab", None, [3], [(3,)]), EMPTY: ([],)},
                )
            },
            call=lambda grads_and_vars: optimizers.SGD().apply_gradients(grads_and_vars),
        ),
        Entry(
            "optimizers.Optimizer.build",
            {
                "variables": variables.but(type=(3, "ab", [3, 4], None)).without(
                    EMPTY, because="a model may have nothing to train"
                )
            },
            call=lambda variables: optimizers.SGD().build(variables),
            says={"variables": "variables|parameters"},
        ),
        Entry(
            "optimizers.Optimizer.exclude_from_weight_decay",
            {
                "var_list": Kind("list", Made(parameters), {TYPE: (3, "ab", [3])}).without(
                    EMPTY, because="there may be none"
                ),
                "var_names": Kind("list", ["bias"], {TYPE: (3, "bias", [3])}).without(
                    EMPTY, because="there may be none"
                ),
            },
            call=lambda **k: optimizers.SGD().exclude_from_weight_decay(**k),
        ),
        Entry(
            "optimizers.Optimizer.set_state",
            {
                "state": Kind(
                    "mapping",
                    {"batches": 3},
                    {
                        TYPE: (3, "ab", None, ["batches"], {"batches": "three"}),
                        EMPTY: ({},),
                        SHAPE: ({"batches": [3]}, {"steps": 3}),
                        RANGE: ({"batches": -1},),
                    },
                )
            },
            call=lambda state: optimizers.SGD().set_state(state),
        ),
        Entry(
            "optimizers.Optimizer.from_config",
            {
                "config": CONFIG.but(good={"learning_rate": 0.1}).without(
                    EMPTY, because="every argument has a default"
                )
            },
            call=lambda config: optimizers.SGD.from_config(config),
        ),
        Entry(
            "optimizers.clip_by_norm",
            {
                "gradient": array(np.array([3.0, 4.0]), finite=False)
                .but(type=("text", [3.0, 4.0], None))
                .without(EMPTY, because="the gradient of no weights has norm 0"),
                "limit": NOT_NEGATIVE,
            },
        ),
        Entry(
            "optimizers.get",
            {"identifier": identifier("sgd")},
            says={"identifier": "optimizer"},
        ),
        Entry("optimizers.serialize", {"optimizer": thing(optimizers.SGD()).but(type=(3, "text"))}),
        Entry(
            "optimizers.deserialize",
            {"config": CONFIG.but(good={"class_name": "SGD", "config": {}})},
        ),
    ]


def _schedule_entries() -> list[Entry]:
    wave = schedules.serialize(schedules.CosineDecay(0.1, 10))
    return [
        Entry("schedules.LearningRateSchedule", {}),
        *(Entry(f"schedules.{name}", {}) for name in schedules._REGISTRY),
        Entry(
            "schedules.LearningRateSchedule.__call__",
            {},
            call=lambda step: schedules.CosineDecay(0.1, 10)(step),
        ),
        Entry(
            "schedules.LearningRateSchedule.from_config",
            {"config": CONFIG.but(good=wave["config"])},
            call=lambda config: schedules.CosineDecay.from_config(config),
        ),
        Entry(
            "schedules.serialize",
            {"learning_rate_schedule": thing(schedules.CosineDecay(0.1, 10)).but(type=(3, "text"))},
        ),
        Entry(
            "schedules.deserialize",
            {"config": CONFIG.but(good=wave), "custom_objects": CUSTOM},
        ),
    ]


def _callback_entries() -> list[Entry]:
    names = [
        "Monitor",
        "EarlyStopping",
        "ReduceLROnPlateau",
        "LearningRateScheduler",
        "TerminateOnNaN",
        "CSVLogger",
        "ModelCheckpoint",
        "SwapEMAWeights",
        "SWA",
    ]
    return [
        *(Entry(f"callbacks.{name}", {}) for name in names),
        Entry(
            "callbacks.CallbackList",
            {
                "callbacks": DATA["callbacks"],
                "model": free("handed to each callback as it is: any model of either library"),
                "params": free("handed to each callback as they are"),
            },
        ),
        Entry(
            "callbacks.LambdaCallback",
            {
                "moments": Kind(
                    "mapping",
                    {"on_epoch_end": print},
                    {TYPE: ({"on_epoch_end": 3}, {"on_monday": print})},
                ).without(EMPTY, because="there may be none")
            },
            call=lambda moments: callbacks.LambdaCallback(**moments),
            says={"moments": "moments|on_epoch_end"},
        ),
        Entry(
            "callbacks.monitor_comparison",
            {
                "metrics": Kind("list", (), {TYPE: (3, "ab", [3])}).without(
                    EMPTY, because="a model may have no metrics"
                ),
            },
        ),
    ]


def _saved_model() -> str:
    path = scratch("model.npz")
    models.save_model(model(), path)
    return path


ONE_BATCH = array(X, shape=(np.ones((4, 5)),), finite=False).without(
    EMPTY, because="a batch may be empty, as in Keras"
)


def _model_entries() -> list[Entry]:
    fit = {
        **DATA,
        "epochs": COUNT_OR_0.but(good=1),
        "validation_split": OPEN_RATE.but(good=0.5),
        "steps_per_epoch": COUNT.but(good=1),
        "validation_steps": COUNT,
        "validation_data": Kind(
            "list",
            (X, ONE_HOT),
            {
                TYPE: (3, "text", ("a", "b")),
                SHAPE: ((X,), (X, ONE_HOT, np.ones(4), 4), (X, ONE_HOT[:2])),
                NAN: ((X * np.nan, ONE_HOT), (X, ONE_HOT + np.inf)),
                EMPTY: ((), (X[:0], ONE_HOT[:0])),
            },
        ),
        "shuffle": FLAG,
        "class_weight": CLASS_WEIGHT,
        "initial_epoch": COUNT_OR_0.but(good=0),
        "validation_freq": COUNT,
        "validation_batch_size": COUNT,
    }
    weights = Kind(
        "list",
        Made(lambda: [np.ones((3, 2)), np.ones(2)]),
        {
            TYPE: (3, "ab", None, ["a", "b"]),
            EMPTY: ([],),
            SHAPE: ([np.ones((3, 2))], [np.ones((2, 3)), np.ones(2)]),
        },
        {NAN: "a network that diverged must be saved, restored and looked at"},
    )
    layers_ = Kind("list", Made(lambda: [Dense(2)]), {TYPE: (3, "text", [3], None)}).without(
        EMPTY, because="layers may be added later"
    )
    node = thing(Made(lambda: Input((3,))), [3])
    here = Made(lambda: model(compiled=False))

    def functional(compiled: bool = False, **ends: Any) -> models.Model:
        start = Input((3,))
        good = {"inputs": start, "outputs": Dense(2)(start)}
        made = models.Model(**(good | {n: v for n, v in ends.items() if v is not None}))
        if compiled:
            made.compile("sgd", "mse")
        return made

    def two_ends() -> models.Model:
        start = Input((3,))
        return models.Model(start, [Dense(2, name="a")(start), Dense(2, name="b")(start)])

    return [
        Entry("models.Sequential", {"layers": layers_}),
        Entry(
            "models.Model",
            {"inputs": node.but(type=(3, "text", [3])), "outputs": node.but(type=(3, "text", [3]))},
            call=functional,
            given={"inputs": None, "outputs": None},
        ),
        *(Entry(f"models.{base}", {}) for base in ("BaseModel", "Trainer")),
        Entry(
            "models.Sequential.add",
            {"layer": thing(Made(lambda: Dense(2)), Dense)},
            call=lambda layer: models.Sequential().add(layer),
        ),
        Entry(
            "models.Sequential.build",
            {"input_shape": lengths((None, 3), low=1).but(range=((3, 0), (3, -1)))},
            call=lambda input_shape: models.Sequential([Dense(2)]).build(input_shape),
        ),
        *(
            Entry(
                f"models.{cls}.from_config",
                {"config": CONFIG.but(good=good.get_config()), "seed": SEED},
                call=getattr(models, cls).from_config,
                says={"config": "config|layers|nodes"},
            )
            for cls, good in (
                ("Sequential", model(compiled=False)),
                ("Model", functional()),
            )
        ),
        Entry("models.clone_model", {"model": thing(here)}),
        Entry(
            "models.save_model",
            {
                "model": thing(here),
                "filepath": PATH.but(good=Made(lambda: scratch("model.npz"))),
                "overwrite": FLAG,
            },
        ),
        Entry(
            "models.model_from_json",
            {"json_string": TEXT.but(good=Made(lambda: model().to_json()))},
        ),
        Entry("models.load_model", {"filepath": PATH.but(good=Made(_saved_model))}),
        Entry(
            "models.Trainer.compile",
            {
                "optimizer": identifier("sgd"),
                "loss": identifier("mse"),
                "loss_weights": free("a model of one output has none, and says so"),
                **COMPILING,
            },
            call=lambda **k: model(compiled=False).compile(**k),
        ),
        Entry(
            "models.BaseModel.get_layer",
            {
                "name": Kind("identifier", None, {TYPE: (3, ["a"]), RANGE: ("no such thing",)}),
                "index": integer(good=0).but(range=(7, -7)),
            },
            call=lambda **k: model().get_layer(**(k or {"index": 0})),
        ),
        Entry(
            "models.Nested",
            {"model": thing(here, models.Sequential)},
        ),
        Entry(
            "models.Nested.from_config",
            {"config": CONFIG.but(good=models.Nested(model(compiled=False)).get_config())},
            call=models.Nested.from_config,
            says={"config": "config|model"},
        ),
        Entry(
            "models.Model.compile",
            {
                "optimizer": identifier("sgd"),
                "loss": identifier("mse").but(
                    type=(3, [3, 4]), range=("no such thing", ["mse"], {"c": "mse"})
                ),
                "loss_weights": Kind(
                    "numbers",
                    [1.0, 2.0],
                    {
                        TYPE: (3, "ab", ["a", "b"]),
                        RANGE: ([-1.0, 1.0], {"c": 1.0}),
                        SHAPE: ([1.0], [1.0, 1.0, 1.0]),
                        NAN: ([float("nan"), 1.0],),
                        EMPTY: ([],),
                    },
                ),
                "metrics": METRICS.but(good=[[], ["mae"]], type=(3, "ab", [3, 4])),
                "weighted_metrics": METRICS.but(good=[[], ["mae"]], type=(3, "ab", [3, 4])),
                **COMPILING,
            },
            call=lambda **k: two_ends().compile(**{"loss": "mse", **k}),
        ),
        Entry(
            "models.Model.input_gradient",
            some("x", "y"),
            call=lambda **k: functional(compiled=True).input_gradient(**k),
            says=SAYS,
        ),
        *(
            Entry(
                f"models.{name}.__call__",
                {"inputs": ONE_BATCH},
                call=lambda make=make, **k: make()(**k),
            )
            for name, make in (("Sequential", model), ("Model", lambda: functional()))
        ),
        Entry(
            "models.Trainer.fit",
            fit,
            call=lambda **k: model().fit(**{"verbose": 0, **k}),
            given={"x": X, "y": ONE_HOT},
            says=SAYS,
        ),
        Entry(
            "models.Trainer.evaluate",
            {**DATA, "steps": COUNT, "return_dict": FLAG},
            call=lambda **k: model().evaluate(**k),
            given={"x": X, "y": ONE_HOT},
            says=SAYS,
        ),
        Entry(
            "models.Trainer.predict",
            {**some("batch_size", "verbose", "callbacks"), "x": X_ALONE, "steps": COUNT},
            call=lambda **k: model().predict(**k),
            says=SAYS,
        ),
        Entry(
            "models.Trainer.train_on_batch",
            some("x", "y", "sample_weight") | {"class_weight": CLASS_WEIGHT, "return_dict": FLAG},
            call=lambda **k: model().train_on_batch(**k),
            says=SAYS,
        ),
        Entry(
            "models.Trainer.test_on_batch",
            some("x", "y", "sample_weight") | {"return_dict": FLAG},
            call=lambda **k: model().test_on_batch(**k),
            says=SAYS,
        ),
        Entry(
            "models.Trainer.predict_on_batch",
            {"x": X_ALONE},
            call=lambda **k: model().predict_on_batch(**k),
            says=SAYS,
        ),
        Entry(
            "models.Trainer.input_gradient",
            some("x", "y"),
            call=lambda **k: model().input_gradient(**k),
            says=SAYS,
        ),
        Entry(
            "models.Trainer.__call__",
            {
                "inputs": ONE_BATCH,
            },
            call=lambda **k: model()(**k),
        ),
        Entry(
            "models.BaseModel.save_weights",
            {"filepath": PATH.but(good=Made(lambda: scratch("weights.npz"))), "overwrite": FLAG},
            call=lambda **k: model().save_weights(**k),
        ),
        Entry(
            "models.BaseModel.load_weights",
            {"filepath": PATH.but(good=Made(_saved_model))},
            call=lambda **k: model().load_weights(**k),
        ),
        Entry(
            "models.BaseModel.set_weights",
            {"weights": weights},
            call=lambda weights: model().set_weights(weights),
        ),
        Entry(
            "models.BaseModel.summary",
            {"print_fn": FUNCTION, "expand_nested": FLAG, "show_trainable": FLAG},
            call=lambda **k: model().summary(**{"print_fn": len, **k}),
        ),
    ]


ENTRIES = [
    *_loss_entries(),
    *_metric_entries(),
    *_optimizer_entries(),
    *_schedule_entries(),
    *_callback_entries(),
    *_model_entries(),
]
