"""Callbacks: EarlyStopping stops where Keras stops, with the weights that Keras keeps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reglib import callbacks, layers, metrics, models


class Watched:
    """What a callback sees of a model: its weights are the number of the epoch."""

    def __init__(self):
        self.stop_training = False
        self.weights = [np.array(-1.0)]
        self.metrics = [metrics.Accuracy()]

    def get_weights(self):
        return [w.copy() for w in self.weights]

    def set_weights(self, weights):
        self.weights = [np.array(w) for w in weights]


def run(callback, values, monitor="val_loss"):
    """Feed one value an epoch; return epochs run, and the weights at the end."""
    model = Watched()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.set_weights([float(epoch)])
        callback.on_epoch_end(epoch, {monitor: value})
        if model.stop_training:
            break
    callback.on_train_end()
    return epoch + 1, float(model.get_weights()[0])


OPTIONS = st.fixed_dictionaries(
    {
        "patience": st.integers(0, 4),
        "min_delta": st.sampled_from([0, 0.1, -0.25]),
        "restore_best_weights": st.booleans(),
        "start_from_epoch": st.integers(0, 3),
        "baseline": st.sampled_from([None, 0.4]),
        "mode": st.sampled_from(["min", "max", "auto"]),
    }
)


@pytest.mark.keras
@settings(max_examples=300, deadline=None)
@given(
    options=OPTIONS,
    values=st.lists(st.floats(0, 1).map(lambda v: round(v, 1)), min_size=1, max_size=15),
)
def test_early_stopping_agrees_with_keras(options, values):
    import keras

    ours, theirs = callbacks.EarlyStopping(**options), keras.callbacks.EarlyStopping(**options)
    assert run(ours, values) == run(theirs, values)
    assert ours.stopped_epoch == theirs.stopped_epoch
    assert ours.best == pytest.approx(theirs.best)
    assert ours.best_epoch == theirs.best_epoch


def test_patience_counts_epochs_without_improvement():
    losses = [5, 4, 3, 3, 3, 3, 2]
    assert run(callbacks.EarlyStopping(patience=2), losses) == (5, 4)
    assert run(callbacks.EarlyStopping(patience=2, restore_best_weights=True), losses) == (5, 2)


def test_an_improvement_must_exceed_min_delta():
    losses = [1.0, 0.95, 0.9, 0.85]
    assert run(callbacks.EarlyStopping(patience=2, min_delta=0.2), losses)[0] == 3
    assert run(callbacks.EarlyStopping(patience=2, min_delta=0.01), losses)[0] == 4


def test_the_best_weights_come_back_even_when_nothing_stopped_training():
    stopper = callbacks.EarlyStopping(patience=10, restore_best_weights=True)
    assert run(stopper, [3, 1, 2]) == (3, 1)
    assert stopper.stopped_epoch == 0


def test_one_object_can_watch_several_fits():
    stopper = callbacks.EarlyStopping(patience=1)
    assert run(stopper, [1, 2, 3]) == run(stopper, [1, 2, 3])


def test_a_nan_is_never_the_best():
    stopper = callbacks.EarlyStopping(patience=2)
    assert run(stopper, [np.nan, 3, 2, 1])[0] == 4
    assert stopper.best == 1


def test_auto_asks_the_metric_which_way_is_better():
    accuracies = [0.5, 0.6, 0.6, 0.6]
    assert (
        run(callbacks.EarlyStopping("val_accuracy", patience=1), accuracies, "val_accuracy")[0] == 3
    )


def test_an_unknown_metric_needs_a_mode():
    with pytest.raises(ValueError, match="mode must be 'min' or 'max' for monitor='val_f1'"):
        run(callbacks.EarlyStopping("val_f1"), [1, 2], "val_f1")


def test_a_missing_value_warns_and_names_what_there_is():
    with pytest.warns(UserWarning, match=r"monitors 'val_loss', which is not in the logs.*loss"):
        run(callbacks.EarlyStopping(), [1.0], monitor="loss")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"patience": -1}, ValueError, "patience must be at least 0, got -1"),
        ({"patience": 2.5}, TypeError, "patience must be an integer, got 2.5"),
        ({"mode": "low"}, ValueError, "mode must be one of 'auto', 'min', 'max', got 'low'"),
        ({"min_delta": "small"}, TypeError, "min_delta must be a number, got 'small'"),
        ({"start_from_epoch": -3}, ValueError, "start_from_epoch must be at least 0"),
    ],
)
def test_bad_options_are_named(options, error, message):
    with pytest.raises(error, match=message):
        callbacks.EarlyStopping(**options)


def test_every_moment_reaches_every_callback(rng):
    seen = []

    class Recorder(callbacks.Callback):
        def __getattribute__(self, name):
            if name.startswith("on_"):
                return lambda *arguments: seen.append(name)
            return super().__getattribute__(name)

    model = models.Sequential([layers.Dense(1)], seed=0)
    model.compile("sgd", "mse")
    x, y = rng.normal(size=(4, 2)), rng.normal(size=(4, 1))
    model.fit(x, y, batch_size=2, validation_data=(x, y), callbacks=[Recorder()])
    model.predict(x, callbacks=[Recorder()])
    batch = ["on_train_batch_begin", "on_train_batch_end"]
    assert seen == [
        "on_train_begin",
        "on_epoch_begin",
        *batch * 2,
        "on_test_begin",
        *["on_test_batch_begin", "on_test_batch_end"] * 2,
        "on_test_end",
        "on_epoch_end",
        "on_train_end",
        "on_predict_begin",
        "on_predict_batch_begin",
        "on_predict_batch_end",
        "on_predict_end",
    ]


def test_history_becomes_a_table(rng):
    model = models.Sequential([layers.Dense(1, kernel_regularizer="l2")], seed=0)
    model.compile("sgd", "mse", metrics=["mae"])
    x, y = rng.normal(size=(8, 2)), rng.normal(size=(8, 1))
    frame = model.fit(x, y, epochs=3, validation_split=0.25).to_frame()
    assert list(frame.index) == [0, 1, 2]
    assert {"loss", "data_loss", "penalty", "mae", "val_loss"} <= set(frame.columns)
    np.testing.assert_allclose(frame["loss"], frame["data_loss"] + frame["penalty"])
