"""Saved models: one that is loaded trains on as if it had not been away."""

import io
import json
import zipfile

import numpy as np
import pytest

from reglib import layers, models, optimizers, schedules

SETTINGS = {
    "sgd": optimizers.SGD,
    "momentum": lambda: optimizers.SGD(momentum=0.9),
    "nesterov": lambda: optimizers.SGD(momentum=0.9, nesterov=True),
    "rmsprop": optimizers.RMSprop,
    "rmsprop centered": lambda: optimizers.RMSprop(centered=True, momentum=0.5),
    "adam": optimizers.Adam,
    "amsgrad": lambda: optimizers.Adam(amsgrad=True),
    "adamw": lambda: optimizers.AdamW(0.01, weight_decay=0.05),
    "lion": lambda: optimizers.Lion(0.01),
    "average": lambda: optimizers.Adam(use_ema=True, ema_momentum=0.9),
    "average that overwrites": lambda: optimizers.SGD(use_ema=True, ema_overwrite_frequency=3),
    "clipnorm": lambda: optimizers.SGD(momentum=0.9, clipnorm=0.1),
    "clipvalue": lambda: optimizers.Adam(clipvalue=0.01),
    "global clipnorm": lambda: optimizers.RMSprop(global_clipnorm=0.1),
    "accumulation": lambda: optimizers.Adam(use_ema=True, gradient_accumulation_steps=3),
    "schedule": lambda: optimizers.Adam(schedules.CosineDecay(0.05, decay_steps=20)),
}


def plain():
    return models.Sequential(
        [
            layers.Dense(6, activation="relu", kernel_regularizer="l2", input_shape=(4,)),
            layers.Dropout(0.3),
            layers.BatchNormalization(),
            layers.Dense(3, activation="softmax", kernel_constraint="max_norm"),
        ]
    )


def with_a_seed_and_a_frozen_layer():
    start = layers.Dense(6, activation="relu", input_shape=(4,), trainable=False)
    return models.Sequential([start, layers.GaussianNoise(0.1, seed=3), layers.Dense(3, "softmax")])


def shared_and_nested():
    start, shared = layers.Input((4,)), layers.Dense(4, activation="tanh")
    part = models.Sequential([layers.Dense(5, activation="relu"), layers.Dropout(0.2)])
    inside = part(shared(shared(start)))
    return models.Model(start, layers.Dense(3, activation="softmax")(inside))


def wrapped():
    return models.Sequential(
        [
            layers.Reshape((2, 2), input_shape=(4,)),
            layers.TimeDistributed(layers.SpectralNormalization(layers.Dense(3))),
            layers.Bidirectional(layers.GRU(2, dropout=0.2, recurrent_dropout=0.2)),
            layers.Dense(3, activation="softmax"),
        ]
    )


def trained(make=plain, optimizer="adam", epochs=2, rng=None):
    rng = rng or np.random.default_rng(0)
    x, y = rng.normal(size=(20, 4)), rng.integers(0, 3, size=20)
    model = make()
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=6, epochs=epochs)
    return model, x, y


def goes_on_alike(model, twin, x, y):
    ours, theirs = (m.fit(x, y, batch_size=6, epochs=2).history for m in (model, twin))
    assert list(ours) == list(theirs)
    for name in ours:  # where arrays lie in memory may change how their entries are added up
        assert ours[name] == pytest.approx(theirs[name], rel=1e-4)
    assert twin.optimizer.iterations == model.optimizer.iterations
    for mine, other in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_loaded_model_takes_the_steps_that_the_saved_one_takes(setting, tmp_path):
    model, x, y = trained(optimizer=SETTINGS[setting]())
    model.save(tmp_path / "model.npz")
    goes_on_alike(model, models.load_model(tmp_path / "model.npz"), x, y)


@pytest.mark.parametrize("make", [with_a_seed_and_a_frozen_layer, shared_and_nested, wrapped])
def test_random_generators_go_on_where_they_were(make, tmp_path):
    model, x, y = trained(make)
    model.save(tmp_path / "model.npz")
    goes_on_alike(model, models.load_model(tmp_path / "model.npz"), x, y)


def test_a_model_that_was_not_trained_yet_is_the_same_too(tmp_path):
    model, x, y = trained(epochs=0)
    model.save(tmp_path / "model.npz")
    goes_on_alike(model, models.load_model(tmp_path / "model.npz"), x, y)


def test_a_learning_rate_that_a_callback_lowered_stays_low(tmp_path):
    model, x, y = trained(optimizer=optimizers.SGD(0.1, momentum=0.9))
    model.optimizer.learning_rate = 0.003
    model.save(tmp_path / "model.npz")
    twin = models.load_model(tmp_path / "model.npz")
    assert twin.optimizer.learning_rate == 0.003
    goes_on_alike(model, twin, x, y)


def test_weights_that_do_not_decay_still_do_not(tmp_path):
    optimizer = optimizers.AdamW(0.01, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model, x, y = trained(optimizer=optimizer)
    model.save(tmp_path / "model.npz")
    goes_on_alike(model, models.load_model(tmp_path / "model.npz"), x, y)


def test_what_was_frozen_since_the_last_step_begins_anew_in_both(tmp_path):
    model, x, y = trained()
    model.layers[0].trainable = False
    model.save(tmp_path / "model.npz")
    goes_on_alike(model, models.load_model(tmp_path / "model.npz"), x, y)


def test_a_single_weight_that_was_frozen_by_hand_is_no_obstacle(tmp_path):
    model, x, y = trained()
    model.layers[0].bias.trainable = False
    model.fit(x, y)
    model.save(tmp_path / "model.npz")
    twin = models.load_model(tmp_path / "model.npz")
    np.testing.assert_allclose(twin.predict(x), model.predict(x), rtol=1e-5)
    twin.fit(x, y)


def test_compiling_again_with_the_same_optimizer_keeps_its_memory(tmp_path):
    model, x, y = trained()
    model.save(tmp_path / "model.npz")
    twin = models.load_model(tmp_path / "model.npz")
    twin.compile(twin.optimizer, twin.loss, metrics=["accuracy"])
    goes_on_alike(model, twin, x, y)


def test_an_older_archive_loads(tmp_path):
    model, x, y = trained()
    model.save(tmp_path / "new.npz")
    with np.load(tmp_path / "new.npz") as archive:
        arrays = {n: a for n, a in archive.items() if not n.startswith("optimizer_")}
    description = json.loads(str(arrays.pop("model")))
    del description["progress"]
    np.savez(tmp_path / "old.npz", model=np.array(json.dumps(description)), **arrays)
    old = models.load_model(tmp_path / "old.npz")
    np.testing.assert_allclose(old.predict(x), model.predict(x), rtol=1e-5)
    assert old.optimizer.iterations == 0
    old.fit(x, y)


def test_training_for_no_epoch_leaves_everything_as_it_is():
    model, x, _ = trained(optimizer=optimizers.SGD(use_ema=True), epochs=0)
    assert model.optimizer.iterations == 0
    assert model.predict(x).shape == (20, 3)


def test_weights_alone_are_read_from_a_model_with_a_memory(tmp_path):
    model, _, _ = trained()
    model.save(tmp_path / "model.npz")
    twin = plain()
    twin.load_weights(tmp_path / "model.npz")
    for mine, other in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_a_rate_that_is_a_function_cannot_be_saved(tmp_path):
    model, _, _ = trained(optimizer=optimizers.SGD(lambda step: 0.1))
    with pytest.raises(TypeError, match="model must have parts that can be written down"):
        model.save(tmp_path / "model.npz")
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The bytes of a small model's file."""
    model = models.Sequential([layers.Dense(1, input_shape=(2,))])
    model.compile("adam", "mse")
    model.fit(np.ones((2, 2)), np.ones((2, 1)))
    path = tmp_path_factory.mktemp("saved") / "model.npz"
    model.save(path)
    return path.read_bytes()


def test_a_file_that_was_cut_off_is_refused(archive, tmp_path):
    path = tmp_path / "cut.npz"
    for length in range(0, len(archive), 37):
        path.write_bytes(archive[:length])
        with pytest.raises(ValueError, match=r"filepath must be a model .* got .*cut\.npz"):
            models.load_model(path)


def test_a_damaged_file_is_refused_or_read(archive, tmp_path, rng):
    path = tmp_path / "damaged.npz"
    for _ in range(300):
        damaged = bytearray(archive)
        damaged[rng.integers(len(damaged))] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            models.load_model(path)
        except ValueError as error:
            assert "filepath must be a model that reglib saved" in str(error)  # noqa: PT017


def changed(archive, path, **arrays):
    """Write the archive with other arrays; None leaves one out."""
    with np.load(io.BytesIO(archive)) as old:
        arrays = {**old, **arrays}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({"model": None}, "model"),
        ({"model": np.array("[1, 2")}, "JSON"),
        ({"model": np.array("3")}, "TypeError"),
        ({"weight_1": None}, "weights must be 2 arrays, got 1"),
        ({"weight_0": None}, "weight_0"),
        ({"weight_0": np.zeros((3, 1))}, r"must have shape \(2, 1\)"),
        ({"optimizer_batches": None}, "batches"),
        ({"optimizer_batches": np.array(-1)}, "batches"),
        ({"optimizer_batches": np.array(0.5)}, "batches"),
        ({"optimizer_velocity": None}, "velocity"),
        ({"optimizer_velocity": np.zeros(4)}, "velocity"),
        ({"optimizer_velocity": np.array("text")}, "velocity"),
        ({"optimizer_average": np.zeros(3)}, "average"),
    ],
)
def test_a_file_with_something_else_in_it_is_refused(arrays, why, archive, tmp_path):
    changed(archive, tmp_path / "foreign.npz", **arrays)
    with pytest.raises(ValueError, match=rf"filepath must be a model .* got .*foreign\.npz.*{why}"):
        models.load_model(tmp_path / "foreign.npz")


@pytest.mark.parametrize(
    "progress",
    [
        3,
        {},
        {"generators": [], "learning": [], "undecayed": []},
        {"generators": [{"state": 3}, None], "learning": [0, 1], "undecayed": []},
        {"generators": [None, None], "learning": [0, 7], "undecayed": []},
        {"generators": [None, None], "learning": [0], "undecayed": []},
        {"generators": [None, None], "learning": "all", "undecayed": []},
        {"generators": [None, None], "learning": [0, 1], "undecayed": [5]},
    ],
)
def test_a_file_with_the_progress_of_another_model_is_refused(progress, archive, tmp_path):
    with np.load(io.BytesIO(archive)) as old:
        description = json.loads(str(old["model"]))
    description["progress"] = progress
    path = tmp_path / "foreign.npz"
    changed(archive, path, model=np.array(json.dumps(description)))
    with pytest.raises(ValueError, match=r"filepath must be a model .* got .*foreign\.npz"):
        models.load_model(path)


def test_another_archive_is_refused(tmp_path):
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("model.npy", "no array")
    with pytest.raises(ValueError, match="filepath must be a model that reglib saved"):
        models.load_model(path)
    with pytest.raises(ValueError, match="filepath must be weights of such a model"):
        plain().load_weights(path)
