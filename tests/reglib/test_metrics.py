"""Metrics over several batches give Keras's numbers, and refuse what they cannot measure."""

import json

import numpy as np
import pytest

from reglib import layers, metrics, models

CASES = {
    "Accuracy": ("answers", {}),
    "BinaryAccuracy": ("answers", {"threshold": 0.3}),
    "CategoricalAccuracy": ("classes", {}),
    "SparseCategoricalAccuracy": ("labels", {}),
    "TopKCategoricalAccuracy": ("classes", {"k": 2}),
    "SparseTopKCategoricalAccuracy": ("labels", {"k": 2}),
    "MeanSquaredError": ("real", {}),
    "RootMeanSquaredError": ("real", {}),
    "MeanAbsoluteError": ("real", {}),
    "MeanAbsolutePercentageError": ("real", {}),
    "BinaryCrossentropy": ("classes", {"label_smoothing": 0.1}),
    "CategoricalCrossentropy": ("classes", {"label_smoothing": 0.1}),
    "SparseCategoricalCrossentropy": ("labels", {"ignore_class": 1}),
    "R2Score": ("real", {}),
    "TruePositives": ("classes", {"thresholds": [0.7, 0.3]}),
    "FalsePositives": ("classes", {"thresholds": 0.7}),
    "TrueNegatives": ("classes", {"thresholds": [0.0, 0.3, 1.0]}),
    "FalseNegatives": ("classes", {}),
    "Precision": ("classes", {"thresholds": [0.3, 0.7]}),
    "Recall": ("classes", {}),
    "AUC": ("classes", {}),
}
VARIANTS = [
    *CASES.items(),
    ("BinaryCrossentropy", ("classes", {"from_logits": True})),
    ("CategoricalCrossentropy", ("classes", {"from_logits": True})),
    ("SparseCategoricalCrossentropy", ("labels", {"from_logits": True})),
    ("R2Score", ("real", {"class_aggregation": None})),
    ("R2Score", ("real", {"class_aggregation": "variance_weighted_average"})),
    ("R2Score", ("real", {"num_regressors": 3})),
    *(
        (name, ("classes", options))
        for name in ("Precision", "Recall")
        for options in ({"top_k": 2}, {"top_k": 2, "thresholds": 0.4}, {"class_id": 2})
    ),
    *(
        ("AUC", ("classes", {"curve": curve, "summation_method": method, "num_thresholds": 7}))
        for curve in ("ROC", "PR", "PRGAIN")
        for method in ("interpolation", "minoring", "majoring")
    ),
    *(
        ("AUC", ("classes", {"curve": curve, "multi_label": True, **options}))
        for curve, options in (
            ("pr", {"label_weights": [0.5, 0.0, 2.0], "thresholds": [0.9, 0.2]}),
            ("roc", {"from_logits": True, "num_labels": 3}),
        )
    ),
    ("AUC", ("classes", {"label_weights": [0.5, 0.0, 2.0]})),
    *(
        (name, ("classes", {"average": average, "threshold": threshold, **options}))
        for average in (None, "micro", "macro", "weighted")
        for threshold in (None, 0.4)
        for name, options in (("F1Score", {}), ("FBetaScore", {"beta": 2.0}))
    ),
]


def batches(rng, kind="classes"):
    """Return targets and predictions of two batches, one smaller than the other."""
    for number in (8, 5):
        classes = rng.integers(0, 3, size=number)
        scores = rng.random((number, 3)).astype("float32")
        yield {
            "classes": lambda: (np.eye(3)[classes].astype("float32"), scores),  # noqa: B023
            "labels": lambda: (classes, scores),  # noqa: B023
            "answers": lambda: (classes > 0, (scores[:, 0] > 0.5).astype("float32")),  # noqa: B023
            "real": lambda: (rng.normal(size=(number, 3)).astype("float32"), scores),  # noqa: B023
        }[kind]()


@pytest.mark.keras
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "case"), VARIANTS)
def test_values_agree_with_keras(name, case, weighted, rng):
    import keras

    kind, options = case
    keras.utils.clear_session(free_memory=False)  # which numbers metrics of one name
    ours, theirs = getattr(metrics, name)(**options), getattr(keras.metrics, name)(**options)
    for y_true, y_pred in batches(rng, kind):
        weight = rng.random(len(y_true)).astype("float32") if weighted else None
        ours.update_state(y_true, y_pred, weight)
        theirs.update_state(y_true, y_pred, weight)
    np.testing.assert_allclose(ours.result(), np.asarray(theirs.result()), rtol=2e-5)
    assert ours._direction == getattr(theirs, "_direction", None)
    assert ours.name == theirs.name
    assert set(ours.get_config()) == set(theirs.get_config()) | DROPPED.get(name, set())
    ours.reset_state()
    assert not np.any(np.nan_to_num(ours.result()))


# What Keras's own configurations leave out.
DROPPED = {"SparseTopKCategoricalAccuracy": {"from_sorted_ids"}}


@pytest.mark.keras
@pytest.mark.parametrize(
    ("name", "kind", "options"),
    [
        ("binary_accuracy", "answers", {"threshold": 0.2}),
        ("categorical_accuracy", "classes", {}),
        ("sparse_categorical_accuracy", "labels", {}),
        ("top_k_categorical_accuracy", "classes", {"k": 2}),
        ("sparse_top_k_categorical_accuracy", "labels", {"k": 2}),
    ],
)
def test_functions_give_what_keras_gives(name, kind, options, rng):
    import keras

    batch = next(batches(rng, kind))
    expected = np.asarray(getattr(keras.metrics, name)(*batch, **options))
    np.testing.assert_allclose(getattr(metrics, name)(*batch, **options), expected, rtol=1e-5)


@pytest.mark.parametrize(("name", "case"), VARIANTS)
def test_a_metric_comes_back_from_its_config(name, case, rng):
    kind, options = case
    first = getattr(metrics, name)(**options, name="mine", dtype="float32")
    second = metrics.deserialize(json.loads(json.dumps(metrics.serialize(first))))
    assert second.get_config() == first.get_config()
    assert second.name == "mine"
    for batch in batches(rng, kind):
        first.update_state(*batch)
        second.update_state(*batch)
    np.testing.assert_array_equal(first.result(), second.result())


@pytest.mark.keras
@pytest.mark.parametrize("shape", [(4, 3), (1, 3), (4, 1), (4,), ()])
def test_weights_spread_over_examples_and_outputs_as_in_keras(shape, rng):
    import keras

    y_true, y_pred = rng.integers(0, 2, size=(4, 3)), rng.random((4, 3))
    weight = rng.random(shape)
    for name in ("BinaryAccuracy", "Accuracy", "RootMeanSquaredError"):
        ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
        theirs.update_state(y_true, y_pred, weight if shape else np.full(4, weight))
        assert ours(y_true, y_pred, weight) == pytest.approx(float(theirs.result()), rel=1e-5)
    for name in ("Mean", "Sum"):
        ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
        theirs.update_state(y_pred, weight if shape else np.full(4, weight))
        assert ours(y_pred, weight) == pytest.approx(float(theirs.result()), rel=1e-5)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "kind"),
    [
        ([[1], [0]], [[0.9], [0.6]], "BinaryAccuracy"),
        ([[0, 1], [1, 0]], [[0.9, 0.1], [0.6, 0.4]], "CategoricalAccuracy"),
        ([1, 0], [[0.9, 0.1], [0.6, 0.4]], "SparseCategoricalAccuracy"),
        ([[1], [0]], [[0.9, 0.1], [0.6, 0.4]], "SparseCategoricalAccuracy"),
    ],
)
def test_the_name_accuracy_means_what_the_shapes_say(y_true, y_pred, kind):
    assert metrics.get("accuracy")(y_true, y_pred) == 0.5
    assert getattr(metrics, kind)()(y_true, y_pred) == 0.5


def test_a_function_is_a_metric_under_its_name(rng):
    def largest_error(y_true, y_pred):
        return np.abs(y_pred - y_true).max(axis=-1)

    model = models.Sequential([layers.Dense(2)], seed=0)
    model.compile("sgd", "mse", metrics=[largest_error, metrics.R2Score()])
    history = model.fit(rng.normal(size=(8, 3)), rng.normal(size=(8, 2)), verbose=0).history
    assert history["largest_error"][0] > 0
    assert history["r2_score"][0] < 1


def test_ranks_ties_and_sorted_answers():
    scores = [[0.5, 0.5, 0.1]]
    assert metrics.SparseTopKCategoricalAccuracy(k=1)([1], scores) == 1
    assert metrics.SparseTopKCategoricalAccuracy(k=2)([2], scores) == 0
    assert metrics.SparseTopKCategoricalAccuracy(k=2, from_sorted_ids=True)([7], [[3, 7, 1]]) == 1


def test_an_adjustment_for_too_many_regressors_is_left_out(rng):
    y_true, y_pred = rng.normal(size=(2, 3, 1))
    with pytest.warns(RuntimeWarning, match="num_regressors must be less than"):
        adjusted = metrics.R2Score(num_regressors=2)(y_true, y_pred)
    assert adjusted == metrics.R2Score()(y_true, y_pred)


def test_a_score_for_each_class_is_logged_and_shown(rng, capsys):
    y, x = next(batches(rng))
    model = models.Sequential([layers.Dense(3, activation="softmax")], seed=0)
    model.compile("sgd", "categorical_crossentropy", metrics=["f1_score", "mse"])
    history = model.fit(x, y, verbose=2)
    assert history.history["f1_score"][0].shape == (3,)
    assert "f1_score: [" in capsys.readouterr().out
    assert history.to_frame().shape == (1, 3)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: metrics.F1Score("most"), ValueError, "average must be one of None, 'micro'"),
        (lambda: metrics.F1Score(threshold=0.0), ValueError, r"threshold must be in \(0, 1\]"),
        (lambda: metrics.F1Score(threshold="a"), TypeError, "threshold must be a number"),
        (lambda: metrics.F1Score()([1, 0], [1, 0]), ValueError, "y_true and y_pred must have one"),
        (lambda: metrics.FBetaScore(beta=0), ValueError, "beta must be a finite number > 0"),
        (lambda: metrics.R2Score("mean"), ValueError, "class_aggregation must be one of"),
        (lambda: metrics.R2Score(num_regressors=-1), ValueError, "num_regressors must be at least"),
        (lambda: metrics.R2Score()([1.0], [1.0]), ValueError, "y_true and y_pred must have one"),
        (lambda: metrics.Mean(dtype="so"), TypeError, "dtype must be a dtype or None, got 'so'"),
        (lambda: metrics.Mean(name=3), TypeError, "name must be a string"),
        (lambda: metrics.Mean()("a"), TypeError, "values must hold numbers"),
        (lambda: metrics.Mean()([1.0], "a"), TypeError, "sample_weight must hold numbers"),
        (lambda: metrics.Mean()([1, 2], [1, 2, 3]), ValueError, "sample_weight must have shape"),
        (lambda: metrics.MeanMetricWrapper(3), TypeError, "fn must be a function"),
        (lambda: metrics.Accuracy()([1, 2], [1, 2, 3]), ValueError, "y_true must have the shape"),
        (lambda: metrics.Accuracy()(["a"], [1]), TypeError, "y_true must hold numbers"),
        (lambda: metrics.BinaryAccuracy(threshold=2), ValueError, "threshold must be in"),
        (lambda: metrics.TopKCategoricalAccuracy(0), ValueError, "k must be at least 1, got 0"),
        (
            lambda: metrics.SparseTopKCategoricalAccuracy(from_sorted_ids="no"),
            TypeError,
            "from_sorted_ids must be True or False",
        ),
        (
            lambda: metrics.SparseTopKCategoricalAccuracy()([3], [[0.1, 0.9]]),
            ValueError,
            "y_true must hold class numbers from 0 to 1",
        ),
        (
            lambda: metrics.SparseCategoricalAccuracy()([1, 2], [[0.1, 0.9]]),
            ValueError,
            r"y_true must have shape \(1,\), got \(2,\)",
        ),
        (lambda: metrics.BinaryCrossentropy(from_logits=1), TypeError, "from_logits must be True"),
        (
            lambda: metrics.CategoricalCrossentropy(label_smoothing=2),
            ValueError,
            "label_smoothing must be in",
        ),
        (
            lambda: metrics.SparseCategoricalCrossentropy(ignore_class="a"),
            TypeError,
            "ignore_class must be an integer",
        ),
        (lambda: metrics.get("acuracy"), ValueError, "metric must be one of"),
    ],
)
def test_bad_input_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def watched_model():
    model = models.Sequential([layers.Dense(2, activation="softmax")], seed=0)
    watched = [metrics.F1Score("macro", name="f"), "accuracy", metrics.MeanSquaredError(name="e")]
    weighted = [metrics.TopKCategoricalAccuracy(1), "accuracy"]
    model.compile("sgd", "categorical_crossentropy", metrics=watched, weighted_metrics=weighted)
    return model


def test_a_saved_model_watches_what_it_watched(rng, tmp_path):
    """Under the same names, with the same options."""
    model, x, y = watched_model(), rng.normal(size=(8, 3)), np.eye(2)[np.arange(8) % 2]
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.npz")
    copy = models.load_model(tmp_path / "model.npz")
    weight = rng.uniform(size=8)
    expected = model.evaluate(x, y, sample_weight=weight, return_dict=True)
    assert copy.evaluate(x, y, sample_weight=weight, return_dict=True) == expected


@pytest.mark.keras
@pytest.mark.not_on_keras_numpy("cannot train")
def test_a_model_of_keras_watches_what_ours_watched(rng):
    import keras

    from reglib import interop

    model, x, y = watched_model(), rng.normal(size=(8, 3)), np.eye(2)[np.arange(8) % 2]
    model.fit(x, y, verbose=0)
    theirs = interop.to_keras(model)
    expected = model.evaluate(x, y, return_dict=True)
    found = theirs.evaluate(x, y, verbose=0, return_dict=True)
    assert {"f", "e", "accuracy"} <= set(found)
    for name in ("f", "e", "accuracy"):
        assert float(np.mean(found[name])) == pytest.approx(expected[name], rel=1e-5), name
    assert isinstance(keras.metrics.deserialize(metrics.serialize(metrics.R2Score())), keras.Metric)


def test_metrics_of_one_name_are_told_apart_in_the_logs(rng):
    x, y = rng.normal(size=(20, 4)), np.eye(3)[rng.integers(0, 3, size=20)]
    watched = [metrics.Precision(class_id=number) for number in range(3)]
    model = models.Sequential([layers.Dense(3, activation="softmax")], seed=0)
    for _ in range(2):  # compiling again changes nothing
        model.compile("sgd", "categorical_crossentropy", metrics=watched)
    logs = model.evaluate(x, y, return_dict=True)
    assert list(logs) == ["loss", "precision", "precision_1", "precision_2"]
    scores = model.predict(x)
    for metric, name in zip(watched, list(logs)[1:], strict=True):
        metric.reset_state()
        assert logs[name] == pytest.approx(metric(y, scores))


def test_thresholds_stand_in_for_their_number():
    assert metrics.AUC(num_thresholds=None, thresholds=[0.3, 0.5]).num_thresholds == 4
    with pytest.raises(TypeError, match="num_thresholds must be an integer without thresholds"):
        metrics.AUC(num_thresholds=None)
