"""Metrics over several batches give Keras's numbers, and refuse what they cannot measure."""

import numpy as np
import pytest

from reglib import layers, metrics, models


def batches(rng):
    for number in (8, 5):
        classes = rng.integers(0, 3, size=number)
        yield np.eye(3)[classes].astype("float32"), rng.random((number, 3)).astype("float32")


@pytest.mark.keras
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("name", "options"),
    [("Hinge", {})]
    + [
        ("F1Score", {"average": average, "threshold": threshold})
        for average in (None, "micro", "macro", "weighted")
        for threshold in (None, 0.4)
    ],
)
def test_values_agree_with_keras(name, options, weighted, rng):
    import keras

    ours, theirs = getattr(metrics, name)(**options), getattr(keras.metrics, name)(**options)
    for y_true, y_pred in batches(rng):
        weight = rng.random(len(y_true)).astype("float32") if weighted else None
        ours.update_state(y_true, y_pred, weight)
        theirs.update_state(y_true, y_pred, weight)
    np.testing.assert_allclose(ours.result(), np.asarray(theirs.result()), rtol=1e-5)
    assert ours._direction == theirs._direction
    assert ours.name == theirs.name
    ours.reset_state()
    assert not np.any(ours.result())


def test_a_score_for_each_class_is_logged_and_shown(rng, capsys):
    y, x = next(batches(rng))
    model = models.Sequential([layers.Dense(3, activation="softmax")], seed=0)
    model.compile("sgd", "categorical_crossentropy", metrics=["f1_score", "hinge"])
    history = model.fit(x, y, verbose=2)
    assert history.history["f1_score"][0].shape == (3,)
    assert "f1_score [" in capsys.readouterr().out
    assert history.to_frame().shape == (1, 3)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: metrics.F1Score("most"), ValueError, "average must be one of None, 'micro'"),
        (lambda: metrics.F1Score(threshold=0.0), ValueError, r"threshold must be in \(0, 1\]"),
        (lambda: metrics.F1Score(threshold="a"), TypeError, "threshold must be a number"),
        (lambda: metrics.F1Score()([1, 0], [1, 0]), ValueError, "y_true and y_pred must have one"),
        (lambda: metrics.Hinge()([[1, 0]], [[1, 0, 0]]), ValueError, "y_true must have the shape"),
    ],
)
def test_bad_input_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()
