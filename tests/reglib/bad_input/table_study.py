"""Textbook functions, data sets, gradient checks, experiments, plots and exercises."""

from __future__ import annotations

from typing import Any

import numpy as np

from reglib import datasets, experiments, textbook
from reglib.exercises.checking import Assignment
from reglib.layers import Dense
from reglib.models import Sequential
from tests.reglib.bad_input.vocabulary import (
    COUNT,
    COUNT_OR_0,
    EMPTY,
    FINITE,
    FLAG,
    FUNCTION,
    NAN,
    NOT_NEGATIVE,
    PATH,
    POSITIVE,
    RANGE,
    RATE,
    RNG,
    RNG_OR_SEED,
    SHAPE,
    TEXT,
    TYPE,
    Entry,
    Kind,
    Made,
    array,
    choice,
    free,
    integer,
    number,
    scratch,
    thing,
)

KEEP_PROB = number(0, 1, low_open=True)
IMAGE = array(np.ones((6, 6, 3)), shape=(np.ones(3), np.ones((2, 2, 2, 2))))
MATRIX = array(np.ones((4, 3)), shape=(np.ones(3), np.ones((2, 2, 2))))


def _network() -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    parameters = textbook.initialize_parameters([3, 5, 4, 2], rng)
    X, Y = rng.normal(size=(3, 7)), (rng.random((2, 7)) > 0.5) * 1.0
    A, cache = textbook.forward_propagation(X, parameters)
    _, dropped = textbook.forward_propagation_with_dropout(X, parameters, 0.8, rng)
    return parameters, X, Y, A, cache, dropped


PARAMETERS, X, Y, A, CACHE, DROPPED = _network()


def _without(values: dict[str, Any], name: str) -> dict[str, Any]:
    return {n: v for n, v in values.items() if n != name}


def _mapping(good: dict[str, Any], name: str) -> Kind:
    """Return the kind of a dict of arrays, one of which goes wrong."""
    return Kind(
        "mapping",
        good,
        {
            TYPE: (3, "text", None, {**good, name: "text"}),
            SHAPE: (_without(good, name), {**good, name: np.ones((9, 9))}),
            NAN: ({**good, name: good[name] * np.nan},),
            EMPTY: ({},),
        },
    )


def _cache(good: Any) -> Kind:
    return Kind(
        "list",
        good,
        {
            TYPE: (3, "text", None),
            SHAPE: (good[:-1], (*good[:-3], np.ones((9, 9)), *good[-2:])),
            EMPTY: ((),),
        },
        {NAN: "what forward propagation returned, handed on as it is"},
    )


LABELS_01 = array(Y, shape=(np.ones(3), np.ones((5, 7)))).but(range=(Y + 1, Y - 1))
WEIGHTS = Kind(
    "list",
    Made(lambda: [np.ones((3, 2)), np.ones(2)]),
    {
        TYPE: (3, "text", None, [["a"]]),
        NAN: ([np.ones(2), np.array([np.nan])],),
        EMPTY: ([], [np.empty(0)]),
    },
)


def _scores(seed: int, offset: float) -> dict[str, float]:
    return {"score": offset * (1 + seed % 3) + seed % 2}


def frame() -> Any:
    """Return results of two settings over seeds."""
    settings = {"off": {"offset": 0.0}, "on": {"offset": 1.0}}
    return experiments.run(_scores, settings, 5, progress=False)


FRAME = thing(Made(frame)).but(shape=(Made(lambda: frame().drop(columns="setting")),))
COLUMN = {"metric": "metric|column", "metrics": "metrics|column"}
METRIC = Kind("identifier", "score", {TYPE: (3, ["a"], None), RANGE: ("no such thing",)})
METRICS = Kind("identifier", "score", {TYPE: (3,), RANGE: ("no such thing", ["no such thing"])})
BASELINE = Kind("identifier", "off", {TYPE: (3, None), RANGE: ("no such thing",)})
LEVEL = number(0, 1, low_open=True, high_open=True)


def _axes() -> Any:
    from matplotlib.figure import Figure

    return Figure().subplots()


AX = thing(Made(_axes))
SHARES = Kind(
    "numbers",
    (0.6, 0.2, 0.2),
    {
        TYPE: ("abc", 3, None, ("a", "b", "c")),
        RANGE: ((0.5, 0.5, 0.5), (1.2, -0.1, -0.1)),
        SHAPE: ((0.5, 0.5), (0.25, 0.25, 0.25, 0.25)),
        NAN: ((float("nan"), 0.5, 0.5),),
        EMPTY: ((),),
    },
)

NAMED: dict[str, dict[str, Kind]] = {
    "textbook": {
        "image": IMAGE,
        "keep_prob": KEEP_PROB,
        "rng": RNG,
        "lam": NOT_NEGATIVE,
        "lambd": NOT_NEGATIVE,
        "lr": POSITIVE,
        "learning_rate": POSITIVE,
        "m": COUNT,
        "n": COUNT,
        "steps": COUNT_OR_0,
        "patience": COUNT,
        "min_delta": NOT_NEGATIVE,
        "penalty": choice("l2"),
        "parameters": _mapping(PARAMETERS, "W2"),
        "X": array(X, shape=(np.ones(3), np.ones((9, 7)))),
        "Y": LABELS_01,
        "weights": WEIGHTS,
        "w": array(np.ones(3)),
        "training": FLAG,
        "restore": FLAG,
    },
    "datasets": {
        "rng": RNG_OR_SEED,
        "flip_fraction": RATE,
        "fraction": RATE,
        "noise": NOT_NEGATIVE,
        "n": integer(2),
        "n_train": COUNT,
        "n_validation": COUNT,
        "n_test": COUNT,
        "window": COUNT,
        "fractions": SHARES,
        "columns": COUNT_OR_0,
        "length": integer(16),
        "max_shift": RATE,
        "n_classes": integer(2),
    },
    "gradcheck": {
        "eps": POSITIVE,
        "rtol": POSITIVE,
        "directions": COUNT,
        "rng": RNG_OR_SEED,
        "training": FLAG,
        "hold_zeros": FLAG,
    },
    "experiments": {
        "frame": FRAME,
        "baseline": BASELINE,
        "metric": METRIC,
        "metrics": METRICS,
        "level": LEVEL,
        "interval": choice("t"),
        "digits": COUNT_OR_0,
        "cache": PATH.but(good=None),
        "progress": FLAG,
    },
    "plotting": {"ax": AX, "bins": COUNT, "level": LEVEL},
}


def _textbook_entries() -> list[Entry]:
    def dropout(a: Any, keep_prob: float, rng: Any, training: bool = True) -> Any:
        return textbook.dropout_forward(a, keep_prob, rng, training)

    gradients = {f"d{name}": value for name, value in PARAMETERS.items()}
    loss = number().but(good=1.0)
    plain = [
        "shift",
        "horizontal_flip",
        "random_crop",
        "zoom",
        "rotate",
        "adjust_contrast",
        "l2_penalty",
        "l1_penalty",
        "forward_propagation",
        "forward_propagation_with_dropout",
        "map_lambda",
        "proximal_step",
        "soft_threshold",
        "elastic_net_penalty",
        "EarlyStopping",
    ]
    special: dict[str, dict[str, Kind]] = {
        "shift": {"dy": integer(), "dx": integer()},
        "random_crop": {
            "height": COUNT.but(range=(0, -1, 7)),
            "width": COUNT.but(range=(0, -1, 7)),
        },
        "zoom": {"factor": POSITIVE},
        "rotate": {"degrees": FINITE},
        "adjust_contrast": {"factor": NOT_NEGATIVE},
        "map_lambda": {"noise_variance": NOT_NEGATIVE, "prior_variance": POSITIVE},
        "proximal_step": {"grad": array(np.ones(3), shape=(np.ones(2), np.ones((3, 3))))},
        "soft_threshold": {"t": NOT_NEGATIVE},
        "elastic_net_penalty": {"l1_ratio": RATE},
        "forward_propagation": {"X": array(X, shape=(np.ones(3),))},
        "forward_propagation_with_dropout": {"X": array(X, shape=(np.ones(3),))},
    }
    named = {"parameters": "parameters|W2|W1", "weights": "weights|weights[0]|weights[1]"}
    both = {"X": "X|Y|W1|cache", "Y": "Y|X|cache", "cache": "cache|X|Y"}
    of_nothing = "of nothing it is nothing"
    return [
        *(
            Entry(f"textbook.{name}", special.get(name, {}), says={**named, **both})
            for name in plain
        ),
        Entry(
            "textbook.EarlyStopping.update",
            {"loss": loss, "weights": free("whatever is to be kept: it is copied, not looked at")},
            call=lambda **k: textbook.EarlyStopping(2).update(**k),
        ),
        Entry("textbook.relu", {"Z": array(np.ones((2, 2))).without(EMPTY, because=of_nothing)}),
        Entry("textbook.sigmoid", {"Z": array(np.ones((2, 2))).without(EMPTY, because=of_nothing)}),
        Entry(
            "textbook.initialize_parameters",
            {
                "layer_dims": Kind(
                    "list",
                    [3, 2],
                    {
                        TYPE: (3, "ab", None, [3, "a"], [3, 1.5]),
                        RANGE: ([3, 0], [3, -1], [3]),
                        EMPTY: ([],),
                    },
                )
            },
        ),
        Entry(
            "textbook.compute_cost",
            {"A": array(A, shape=(np.ones(3), np.ones((5, 7)))).but(range=(A + 1, A - 1))},
            says={"A": "A|Y", "Y": "Y|A"},
        ),
        Entry(
            "textbook.compute_cost_with_regularization",
            {"A3": array(A, shape=(np.ones(3), np.ones((5, 7)))).but(range=(A + 1, A - 1))},
            says={"A3": "A3|A|Y", "Y": "Y|A3|A", **named},
        ),
        Entry("textbook.backward_propagation", {"cache": _cache(CACHE)}, says=both),
        Entry(
            "textbook.backward_propagation_with_regularization", {"cache": _cache(CACHE)}, says=both
        ),
        Entry("textbook.backward_propagation_with_dropout", {"cache": _cache(DROPPED)}, says=both),
        Entry("textbook.dropout_forward", {"a": array(np.ones((2, 3)))}),
        Entry(
            "textbook.dropout_backward",
            {
                "dout": array(np.ones((2, 3)), shape=(np.ones((2, 4)),)),
                "mask": array(np.ones((2, 3)), shape=(np.ones(2), np.ones((3, 2)))),
            },
            says={"dout": "dout|mask"},
        ),
        Entry(
            "textbook.is_frozen",
            {
                "forward": FUNCTION.but(good=dropout),
                "a": array(np.ones((2, 3))),
                "keep_prob": number(0, 1, low_open=True, high_open=True),
            },
        ),
        Entry(
            "textbook.mc_dropout_predict",
            {
                "f": FUNCTION.but(good=lambda x, rng: np.ones(2)),
                "x": free("handed to f as it is"),
            },
            given={"x": 1.0},
        ),
        Entry(
            "textbook.label_safe",
            {
                "transform": FUNCTION.but(good=lambda image: image),
                "task": Kind(
                    "list",
                    ([np.ones((6, 6))], lambda image: 1),
                    {
                        TYPE: (3, "text", None, ([np.ones((6, 6))], 3), (3, len)),
                        SHAPE: (([np.ones((6, 6))],),),
                        NAN: (([np.full((6, 6), np.nan)], lambda image: 1),),
                        EMPTY: ((), ([], lambda image: 1)),
                    },
                ),
            },
            says={"task": "task|image"},
        ),
        Entry(
            "textbook.ridge_closed_form",
            {
                "X": MATRIX.but(good=Made(lambda: np.eye(4, 3))),
                "y": array(np.ones(4), shape=(np.ones(3), np.ones((4, 4)))),
                "lam": NOT_NEGATIVE,
            },
            says={"X": "X|y"},
        ),
        Entry(
            "textbook.stop_epoch",
            {"losses": array(np.array([1.0, 2.0, 3.0]), shape=(np.ones((2, 2)), 1.0))},
        ),
        Entry(
            "textbook.gradient_descent_shrinkage",
            {"eigenvalues": array(np.array([0.0, 1.0])).but(range=([-1.0, 1.0],))},
        ),
        Entry(
            "textbook.update_parameters",
            {"gradients": _mapping(gradients, "dW2")},
            says={
                **named,
                "parameters": "parameters|W2|gradients|dW2",
                "gradients": "gradients|dW2|dW1",
            },
        ),
    ]


def _series() -> Any:
    return datasets.sunspots()


def _dataset_entries() -> list[Entry]:
    record = free("a record that the functions of this module fill, after checking")
    fields = ["name", "train", "validation", "test", "flipped", "feature_names"]
    return [
        *(
            Entry(f"datasets.{name}", {})
            for name in (
                "noisy_moons",
                "digits",
                "breast_cancer_with_noise",
                "sunspots",
                "co2",
                "signals",
            )
        ),
        Entry("datasets.Dataset", dict.fromkeys(fields, record)),
        Entry(
            "datasets.SeriesDataset",
            dict.fromkeys([*fields, "mean", "scale", "times", "unit"], record),
        ),
        Entry(
            "datasets.SeriesDataset.restore",
            {
                "values": array(np.ones(3)).without(
                    NAN, EMPTY, because="what a model predicted, with its NaN"
                )
            },
            call=lambda values: _series().restore(values),
        ),
        Entry(
            "datasets.flip_labels",
            {
                "labels": array(np.array([0, 1, 0, 1]), shape=(np.ones((2, 2)), 1)).but(
                    type=("text", [["a", "b"]], object(), None, [0.5, 1.0]), range=([-1, 0],)
                ),
                "n_classes": integer(2).but(range=(1, 0, -1)),
            },
        ),
        Entry(
            "datasets.load_mat",
            {
                "path": PATH.but(good=Made(_mat_file), shape=("no/such/file.mat",)),
                "variables": Kind("list", ["a"], {TYPE: (3, "a", [3]), RANGE: (["b"],)}).without(
                    EMPTY, because="none asked for, none returned"
                ),
            },
        ),
    ]


def _mat_file() -> str:
    from scipy.io import savemat

    path = scratch("data.mat")
    savemat(path, {"a": np.ones(3)})
    return path


def _square(w: Any) -> float:
    return float((np.asarray(w) ** 2).sum())


def _layer() -> Dense:
    return Dense(2, dtype="float64", activation="tanh")


def _model() -> Sequential:
    model = Sequential([Dense(2, dtype="float64", input_shape=(3,))], seed=0)
    model.compile("sgd", "mse")
    return model


def _parameters() -> list[Any]:
    return _model().trainable_weights


def _gradcheck_entries() -> list[Entry]:
    here: list[Any] = []

    def check_parameters(**k: Any) -> float:
        from reglib.gradcheck import check_parameters

        parameters = k.pop("parameters")
        if isinstance(parameters, list) and parameters and hasattr(parameters[0], "gradient"):
            for p in parameters:
                p.gradient[...] = 2 * p.value
            here[:] = parameters
        return check_parameters(k.pop("loss"), parameters, **k)

    inputs = array(np.ones((4, 3)), shape=(np.ones((1, 5)),))
    return [
        Entry(
            "gradcheck.numerical_gradient",
            {"f": FUNCTION.but(good=_square), "w": array(np.ones(3))},
        ),
        Entry(
            "gradcheck.relative_error",
            {
                "a": array(np.ones(3), shape=(np.ones((2, 2)),)),
                "b": array(np.ones(3), shape=(np.ones(2), np.ones((3, 3)))),
            },
            says={"a": "a|b"},
        ),
        Entry(
            "gradcheck.check_gradient",
            {
                "f": FUNCTION.but(good=_square),
                "gradient": array(2 * np.ones(3), shape=(np.ones(2),)),
                "x": array(np.ones(3), shape=(np.ones((2, 2)),)),
            },
            says={"x": "x|gradient"},
        ),
        Entry(
            "gradcheck.check_layer",
            {
                "layer": thing(Made(_layer), Dense),
                "inputs": inputs.without(
                    SHAPE, because="the layer itself looks at the shape of its inputs"
                ),
            },
        ),
        Entry(
            "gradcheck.check_model",
            {
                "model": thing(Made(_model), Sequential),
                "x": inputs,
                "y": array(np.ones((4, 2)), shape=(np.ones((3, 2)), np.ones((4, 5)))),
                "sample_weight": array(np.ones(4), shape=(np.ones(3),)),
            },
            says={"y": "y|y_true", "x": "x|inputs|y"},
        ),
        Entry(
            "gradcheck.check_parameters",
            {
                "loss": FUNCTION.but(good=lambda: sum(float((p.value**2).sum()) for p in here)),
                "parameters": Kind(
                    "list", Made(_parameters), {TYPE: (3, "ab", [3], None), EMPTY: ([],)}
                ),
                "layers": Kind("list", (), {TYPE: (3, "ab", [3], None)}).without(
                    EMPTY, because="there may be none"
                ),
            },
            call=check_parameters,
        ),
    ]


def _experiment_entries() -> list[Entry]:
    settings = Kind(
        "mapping",
        {"off": {"offset": 0.0}},
        {TYPE: (3, "text", None, {"off": 3}, [3]), EMPTY: ({}, [])},
    )
    seeds = Kind(
        "integer",
        2,
        {
            TYPE: ("two", 1.5, None, True, ["a"], [1.5]),
            RANGE: (0, -1, [-1], [1, 1], []),
            NAN: (float("nan"),),
        },
    )
    return [
        Entry(
            "experiments.run",
            {"build_and_score": FUNCTION.but(good=_scores), "settings": settings, "seeds": seeds},
            given={"progress": False},
        ),
        *(
            Entry(f"experiments.{name}", {}, says=COLUMN)
            for name in (
                "paired_differences",
                "differences",
                "summary",
                "table",
                "difference_table",
            )
        ),
        Entry(
            "experiments.confidence_interval",
            {"values": array(np.arange(5.0), shape=(np.ones((2, 2)), 1.0))},
        ),
        Entry(
            "experiments.require_columns",
            {
                "frame": FRAME.without(SHAPE, because="the names say what its columns must be"),
                "names": Kind("identifier", "score", {TYPE: (3,), RANGE: ("no such thing",)}),
            },
            call=lambda frame, names="score": experiments.require_columns(frame, names),
            says={"names": "column", "frame": "frame"},
            given={"names": "score"},
        ),
    ]


def _plot_entries() -> list[Entry]:
    history = {"loss": [2.0, 1.0], "val_loss": [3.0, 2.0]}
    images = np.ones((2, 6, 6, 3)) / 2
    named = {"x": np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]]), "y": np.array([0, 1, 1])}
    ax = {"ax": Made(_axes)}

    def drawn() -> Any:
        from reglib import plotting

        return plotting.plot_history(history, ax=_axes())

    return [
        Entry("plotting.alt_text", {"drawing": thing(Made(drawn))}),
        Entry("plotting.describe", {"text": TEXT}),
        Entry(
            "plotting.plot_history",
            {
                "history": Kind(
                    "mapping", history, {TYPE: (3, "text", None), EMPTY: ({}, {"loss": []})}
                ),
                "metric": Kind("identifier", "loss", {TYPE: (3, None), RANGE: ("no such thing",)}),
            },
            given=ax,
            says={"history": "history|loss|metric"},
        ),
        Entry(
            "plotting.plot_decision_boundary",
            {
                "predict": FUNCTION.but(good=lambda x: np.asarray(x)[:, 0] > 1),
                "x": array(named["x"], shape=(np.ones(3), np.ones((3, 3)))),
                "y": array(named["y"], shape=(np.ones(2), np.ones((3, 3)))).but(
                    range=([-1, 0, 1], [0.5, 1, 1])
                ),
                "resolution": integer(2, good=5),
            },
            given={**ax, "resolution": 5},
            says={"x": "x|y"},
        ),
        Entry(
            "plotting.plot_weight_histograms",
            {
                "weights": Kind(
                    "mapping",
                    {"off": np.ones(3), "on": np.zeros(3)},
                    {
                        TYPE: (3, "text", None, {"off": "a"}),
                        NAN: ({"off": [np.nan]},),
                        EMPTY: ({}, {"off": []}),
                    },
                )
            },
            given=ax,
            says={"weights": "weights|weights['off']|off"},
        ),
        Entry(
            "plotting.plot_regularization_path",
            {
                "strengths": array(np.array([0.1, 1.0]), shape=(np.ones((2, 2)),)).but(
                    range=([1.0, 0.1], [-1.0, 1.0])
                ),
                "coefficients": array(np.ones((2, 3)), shape=(np.ones(3), np.ones((5, 3)))),
                "names": Kind(
                    "list",
                    ["a", "b", "c"],
                    {TYPE: (3, "abc", [1, 2, 3]), SHAPE: (["a"],), EMPTY: ([],)},
                ),
            },
            given=ax,
            says={"strengths": "strengths|coefficients"},
        ),
        Entry(
            "plotting.plot_penalty_path",
            {
                "curvature": array(np.eye(2), shape=(np.ones(2), np.eye(3))).but(
                    range=(np.array([[1.0, 2.0], [0.0, 1.0]]), -np.eye(2))
                ),
                "best": array(np.ones(2), shape=(np.ones(3), np.eye(2))),
                "strengths": array(np.array([0.1, 1.0]), shape=(np.ones((2, 2)),)).but(
                    range=([1.0, 0.1], [-1.0, 1.0])
                ),
                "penalty": choice("l2"),
            },
            given=ax,
        ),
        Entry(
            "plotting.plot_augmented_grid",
            {
                "images": array(images, shape=(np.ones(3), np.ones((2, 6, 6, 2)))),
                "transform": FUNCTION.but(good=lambda x, training=True: x),
                "copies": COUNT,
            },
            given={**ax, "copies": 1},
        ),
        Entry(
            "plotting.plot_filters",
            {"kernel": array(np.ones((3, 3, 1, 2)), shape=(np.ones(3), np.ones((3, 3))))},
            given=ax,
        ),
        Entry(
            "plotting.plot_calibration",
            {
                "probabilities": array(np.array([0.1, 0.9]), shape=(np.ones((2, 2, 2)),)).but(
                    range=([1.5, 0.5], [-0.5, 0.5])
                ),
                "labels": array(np.array([0, 1]), shape=(np.ones(3),)).but(range=([0, 2], [-1, 0])),
            },
            given=ax,
            says={"probabilities": "probabilities|labels"},
        ),
        Entry(
            "plotting.plot_seed_spread",
            {
                "results": Kind(
                    "mapping",
                    {"off": [1.0, 2.0], "on": [2.0, 3.0]},
                    {
                        TYPE: (3, "text", None, {"off": "a"}),
                        NAN: ({"off": [np.nan, 1.0]},),
                        EMPTY: ({}, {"off": []}),
                    },
                ),
                "metric": Kind("identifier", "score", {TYPE: (3, None), RANGE: ("no such thing",)}),
            },
            given=ax,
            call=_seed_spread,
            says={"results": "results|off|frame", **COLUMN},
        ),
        Entry(
            "plotting.plot_paired_difference",
            {"frame": FRAME, "baseline": BASELINE, "metric": METRIC},
            given=ax,
            says=COLUMN,
        ),
    ]


def _seed_spread(**k: Any) -> Any:
    from reglib import plotting

    if "metric" in k:
        k["results"] = frame()
    return plotting.plot_seed_spread(**k)


def _exercise_entries() -> list[Entry]:
    from reglib.exercises import l2

    assignment: Assignment = next(v for v in vars(l2).values() if isinstance(v, Assignment))
    exercise = next(iter(vars(assignment).values()))
    exercise = next(iter(exercise.values())) if isinstance(exercise, dict) else exercise
    aspect = Kind("identifier", None, {TYPE: (3,), RANGE: ("no such thing",)})
    name = Kind("identifier", exercise.name, {TYPE: (3,), RANGE: ("no such thing",)})
    student = free("whatever a student wrote: what is wrong with it is the verdict, not an error")
    return [
        Entry(
            "exercises.checking.Assignment",
            {"exercises": Kind("list", [exercise], {TYPE: ([3], ["text"]), EMPTY: ([],)})},
            call=lambda exercises: Assignment(*exercises),
        ),
        *(
            Entry(
                f"exercises.checking.Assignment.{method}",
                {"function": student, "aspect": aspect, "name": name},
                call=lambda method=method, **k: getattr(assignment, method)(
                    exercise.reference, **{"name": exercise.name, **k}
                ),
            )
            for method in ("check", "check_hidden")
        ),
        Entry(
            "exercises.checking.Exercise.aspect",
            {
                "name": Kind(
                    "identifier",
                    exercise.aspects[0].name,
                    {TYPE: (3, None), RANGE: ("no such thing",)},
                )
            },
            call=lambda name: exercise.aspect(name),
            says={"name": "aspect"},
        ),
        Entry(
            "exercises.checking.course_seed",
            {"question": TEXT, "number": COUNT_OR_0},
        ),
        Entry(
            "exercises.normalize.normalize",
            {
                "text": TEXT.but(
                    good='{"cells": [], "nbformat": 4, "nbformat_minor": 4}',
                    range=("no notebook", "[]", '{"nbformat": 3}', '{"nbformat": 4}'),
                )
            },
        ),
    ]


ENTRIES = [
    *_textbook_entries(),
    *_dataset_entries(),
    *_gradcheck_entries(),
    *_experiment_entries(),
    *_plot_entries(),
    *_exercise_entries(),
]
