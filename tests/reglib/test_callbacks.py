"""Callbacks: EarlyStopping stops where Keras stops, with the weights that Keras keeps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reglib import callbacks, layers, metrics, models, optimizers


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


# Exact in float32: Keras compares in its backend's precision.
EIGHTHS = st.lists(st.integers(0, 8).map(lambda n: n / 8), min_size=1, max_size=15)
OPTIONS = st.fixed_dictionaries(
    {
        "patience": st.integers(0, 4),
        "min_delta": st.sampled_from([0, 0.125, -0.25]),
        "restore_best_weights": st.booleans(),
        "start_from_epoch": st.integers(0, 3),
        "baseline": st.sampled_from([None, 0.375]),
        "mode": st.sampled_from(["min", "max", "auto"]),
    }
)


@pytest.mark.keras
@settings(max_examples=300, deadline=None)
@given(
    options=OPTIONS,
    values=EIGHTHS,
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
    batch = ["on_train_batch_begin", "on_batch_begin", "on_train_batch_end", "on_batch_end"]
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


class Rated(Watched):
    """A model with an optimizer, for callbacks that move the learning rate."""

    def __init__(self, optimizer):
        super().__init__()
        self.optimizer = optimizer


def rates(callback, optimizer, values):
    callback.set_model(Rated(optimizer))
    callback.on_train_begin()
    seen = []
    for epoch, value in enumerate(values):
        logs = {"val_loss": value}
        callback.on_epoch_end(epoch, logs)
        seen.append((logs["learning_rate"], float(optimizer.learning_rate)))
    return seen


@pytest.mark.keras
@settings(max_examples=150, deadline=None)
@given(
    options=st.fixed_dictionaries(
        {
            "factor": st.sampled_from([0.5, 0.1]),
            "patience": st.integers(0, 3),
            "cooldown": st.integers(0, 2),
            "min_delta": st.sampled_from([0.0, 0.125]),
            "min_lr": st.sampled_from([0.0, 0.02]),
        }
    ),
    values=EIGHTHS,
)
def test_the_plateau_callback_agrees_with_keras(options, values):
    import keras

    ours = rates(callbacks.ReduceLROnPlateau(**options), optimizers.SGD(0.1), values)
    theirs = rates(keras.callbacks.ReduceLROnPlateau(**options), keras.optimizers.SGD(0.1), values)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def trained(watchers, optimizer=None, epochs=4, rate=0.05, **options):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(16, 3)), rng.normal(size=(16, 1))
    model = models.Sequential([layers.Dense(1)], seed=0)
    model.compile(optimizer or optimizers.SGD(rate), "mse")
    options |= {"callbacks": watchers, "validation_data": (x, y)}
    history = model.fit(x, y, epochs=epochs, **options)
    return model, history


def test_a_schedule_sets_the_rate_of_each_epoch():
    schedule = callbacks.LearningRateScheduler(lambda epoch, rate: 0.1 / (epoch + 1))
    _, history = trained([schedule])
    np.testing.assert_allclose(history.history["learning_rate"], [0.1, 0.05, 0.1 / 3, 0.025])


def test_every_moment_has_its_logs_and_where_it_counts_its_number():
    seen = []
    moments = [moment for moment in vars(callbacks.Callback) if moment.startswith("on_")]

    def remember(moment):
        if "epoch" in moment or "batch" in moment:
            return lambda number, logs: seen.append((moment, type(number), type(logs)))
        return lambda logs: seen.append((moment, int, type(logs)))

    watcher = callbacks.LambdaCallback(**{moment: remember(moment) for moment in moments})
    model, _ = trained([watcher], epochs=1)
    model.predict(np.ones((2, 3)), callbacks=[watcher])
    assert set(seen) == {(moment, int, dict) for moment in moments}


def test_a_schedule_may_ask_for_the_epoch_alone():
    _, history = trained([callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))])
    np.testing.assert_allclose(history.history["learning_rate"], [0.1, 0.05, 0.1 / 3, 0.025])


def test_training_ends_at_a_nan():
    with np.errstate(all="ignore"):
        _, history = trained([callbacks.TerminateOnNaN()], rate=1e300, epochs=50)
        assert len(history.epoch) < 50
        with pytest.raises(RuntimeError, match=r"the loss is .* at batch 0"):
            trained([callbacks.TerminateOnNaN(raise_error=True)], rate=1e300, epochs=50)


def test_the_log_is_written_as_training_goes(tmp_path):
    path = tmp_path / "log.csv"
    trained([callbacks.CSVLogger(path)])
    trained([callbacks.CSVLogger(path, append=True)])
    lines = path.read_text().splitlines()
    assert lines[0] == "epoch,loss,val_loss"
    assert [line.split(",")[0] for line in lines[1:]] == list("01230123")


def test_the_log_has_columns_for_validation_that_comes_later(tmp_path):
    path = tmp_path / "log.csv"
    logger = callbacks.CSVLogger(path)
    logger.on_train_begin()
    logger.on_epoch_end(0, {"loss": 2.0})
    logger.on_epoch_end(1, {"loss": 1.0, "val_loss": 3.0})
    logger.on_train_end()
    assert path.read_text().split() == ["epoch,loss,val_loss", "0,2.0,NA", "1,1.0,3.0"]


def test_the_best_model_is_kept_on_disk(tmp_path):
    path = tmp_path / "best-{epoch:02d}.npz"
    model, _ = trained([callbacks.ModelCheckpoint(path, save_best_only=True)])
    saved = sorted(p.name for p in tmp_path.iterdir())
    assert saved == [f"best-{e:02d}.npz" for e in range(1, 5)]  # every epoch was the best so far
    assert models.load_model(tmp_path / saved[-1]).layers[0].kernel.value == pytest.approx(
        model.layers[0].kernel.value
    )


def test_checkpoints_come_after_so_many_batches_with_weights_alone(tmp_path):
    path = tmp_path / "folder" / "{epoch}-{batch}.npz"
    checkpoint = callbacks.ModelCheckpoint(path, save_weights_only=True, save_freq=3)
    model, _ = trained([checkpoint], batch_size=5)
    steps = model.history.params["steps"]
    batches = [(epoch + 1, batch + 1) for epoch in range(4) for batch in range(steps)]
    saved = {p.name for p in path.parent.iterdir()}
    assert saved == {f"{epoch}-{batch}.npz" for epoch, batch in batches[2::3]}
    last = path.parent / "{}-{}.npz".format(*batches[len(batches) // 3 * 3 - 1])
    before = model.get_weights()
    model.load_weights(last)
    assert [w.shape for w in model.get_weights()] == [w.shape for w in before]
    with pytest.raises(ValueError, match="must be a model that reglib saved"):
        models.load_model(last)


def test_a_checkpoint_is_written_where_the_best_cannot_be_known(tmp_path):
    path = tmp_path / "model.npz"
    with pytest.warns(UserWarning, match="which is not in the logs"):
        trained([callbacks.ModelCheckpoint(path, "unknown", save_best_only=True, mode="min")])
    assert path.exists()


@pytest.mark.parametrize("stops", [False, True], ids=["to the end", "stopped early"])
def test_a_model_whose_average_was_swapped_in_ends_with_it(tmp_path, stops):
    optimizer = optimizers.SGD(0.5, use_ema=True, ema_momentum=0.9)
    path = tmp_path / "{epoch}.npz"
    watchers = [callbacks.SwapEMAWeights(swap_on_epoch=True), callbacks.ModelCheckpoint(path)]
    if stops:
        watchers.append(callbacks.EarlyStopping(mode="max"))  # the loss falls: it stops
    model, history = trained(watchers, optimizer)
    _, without = trained([], optimizers.SGD(0.5))
    assert history.history["loss"] == without.history["loss"][: len(history.epoch)]
    assert (len(history.epoch) < 4) == stops
    last = models.load_model(path.with_name(f"{len(history.epoch)}.npz"))
    for ours, saved in zip(model.get_weights(), last.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, saved)


def test_predictions_can_use_the_averaged_weights():
    swap = callbacks.SwapEMAWeights()
    model, _ = trained([], optimizers.SGD(0.5, use_ema=True, ema_overwrite_frequency=None))
    model.optimizer.average[...] = 0
    weights = model.get_weights()
    swap.set_model(model)
    swap.on_predict_begin()
    assert not np.any(model.get_weights()[0])
    swap.on_predict_end()
    for ours, kept in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(ours, kept)


def test_evaluation_can_use_the_averaged_weights():
    optimizer = optimizers.SGD(0.5, use_ema=True, ema_momentum=0.9)
    _, with_average = trained([callbacks.SwapEMAWeights()], optimizer)
    _, without = trained([], optimizers.SGD(0.5))
    assert with_average.history["loss"] == without.history["loss"]  # training is not disturbed
    assert with_average.history["val_loss"] != without.history["val_loss"]


def test_swapping_needs_an_average():
    with pytest.raises(ValueError, match="needs an optimizer with use_ema=True"):
        trained([callbacks.SwapEMAWeights()])


def test_swa_is_the_mean_of_the_epochs():
    seen = []
    recorder = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(recorder.model.get_weights()[0])
    )
    model, _ = trained([recorder, callbacks.SWA(start_epoch=1)])
    np.testing.assert_allclose(model.get_weights()[0], np.mean(seen[1:], axis=0), rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: callbacks.ReduceLROnPlateau(factor=1.0),
            ValueError,
            r"factor must be in \[0, 1\)",
        ),
        (lambda: callbacks.ReduceLROnPlateau(patience=-1), ValueError, "patience must be"),
        (lambda: callbacks.LearningRateScheduler(0.1), TypeError, "schedule must be a function"),
        (lambda: callbacks.LambdaCallback(on_lunch=print), TypeError, "must be names of the proto"),
        (lambda: callbacks.LambdaCallback(on_epoch_end=3), TypeError, "on_epoch_end must be a fun"),
        (lambda: callbacks.SWA(start_epoch=-1), ValueError, "start_epoch must be at least 0"),
        (
            lambda: trained([callbacks.LearningRateScheduler(lambda e, r: -1.0)]),
            ValueError,
            "learning_rate from the schedule must be",
        ),
    ],
)
def test_bad_options_of_the_others_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.not_on_keras_numpy("cannot train")
@pytest.mark.keras
def test_callbacks_of_either_library_work_in_the_other():
    import keras

    theirs = keras.callbacks.EarlyStopping("loss", patience=1, min_delta=10.0)
    _, history = trained([theirs], epochs=20)
    ours = callbacks.EarlyStopping("loss", patience=1, min_delta=10.0)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(16, 3)), rng.normal(size=(16, 1))
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.05), "mse")
    their_history = model.fit(x, y, epochs=20, callbacks=[ours], verbose=0)
    assert len(history.epoch) == len(their_history.epoch) == 2
