"""Schedules: Keras's rates at every step, and a way through optimizers, files and Keras."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reglib import layers, models, optimizers, schedules

rates = st.floats(0, 1).map(lambda rate: round(rate, 3))
lengths = st.integers(1, 200)
names = st.just("mine")


@st.composite
def constants(draw):
    boundaries = sorted(draw(st.sets(st.integers(0, 300), min_size=1, max_size=4)))
    count = len(boundaries) + 1
    return {
        "boundaries": boundaries,
        "values": draw(st.lists(rates, min_size=count, max_size=count)),
    }


OPTIONS = {
    "ExponentialDecay": st.fixed_dictionaries(
        {"initial_learning_rate": rates, "decay_steps": lengths, "decay_rate": rates},
        optional={"staircase": st.booleans(), "name": names},
    ),
    "PiecewiseConstantDecay": constants(),
    "CosineDecay": st.fixed_dictionaries(
        {"initial_learning_rate": rates, "decay_steps": lengths},
        optional={"alpha": rates, "warmup_target": rates, "warmup_steps": st.integers(1, 20)},
    ),
}


def test_every_schedule_is_tried():
    assert OPTIONS.keys() == schedules._REGISTRY.keys()


@pytest.mark.keras
@pytest.mark.parametrize("name", OPTIONS)
@settings(deadline=None, max_examples=40)
@given(data=st.data(), step=st.integers(0, 600))
def test_rates_agree_with_keras(name, data, step):
    import keras

    options = data.draw(OPTIONS[name])
    ours = getattr(schedules, name)(**options)
    theirs = getattr(keras.optimizers.schedules, name)(**options)
    # Near the end of a wave float32 has few digits left: the cosine is close to -1.
    np.testing.assert_allclose(ours(step), np.asarray(theirs(step)), rtol=1e-4, atol=2e-6)
    library = keras.optimizers.schedules
    config = theirs.get_config()
    assert ours.get_config() == config
    assert schedules.deserialize(library.serialize(theirs)).get_config() == config
    assert library.deserialize(schedules.serialize(ours)).get_config() == config


def test_boundaries_belong_to_the_rate_before():
    schedule = schedules.PiecewiseConstantDecay([2, 4], [3.0, 2.0, 1.0])
    assert [schedule(step) for step in range(6)] == [3.0, 3.0, 3.0, 2.0, 2.0, 1.0]


def test_a_model_with_a_schedule_is_saved_and_goes_on_with_it(tmp_path, rng):
    x, y = rng.normal(size=(32, 3)), rng.normal(size=(32, 1))
    model = models.Sequential([layers.Dense(1)], seed=0)
    model.compile(optimizers.SGD(schedules.CosineDecay(0.1, decay_steps=8)), "mse")
    model.fit(x, y, epochs=1, batch_size=8, verbose=0)
    assert model.optimizer.learning_rate == pytest.approx(0.05)
    model.save(tmp_path / "model.npz")
    loaded = models.load_model(tmp_path / "model.npz").optimizer
    assert loaded.get_config() == model.optimizer.get_config()
    assert loaded.learning_rate == model.optimizer.learning_rate


@pytest.mark.not_on_keras_numpy("cannot train")
@pytest.mark.keras
def test_a_schedule_goes_to_keras_with_its_model(rng):
    from reglib.interop import to_keras

    model = models.Sequential([layers.Dense(1)], seed=0)
    model.build((None, 3))
    schedule = schedules.CosineDecay(0.1, 4)
    model.compile(optimizers.SGD(schedule), "mse")
    theirs = to_keras(model)
    x, y = rng.normal(size=(20, 3)).astype("float32"), rng.normal(size=(20, 1)).astype("float32")
    for trained in (model, theirs):
        trained.fit(x, y, epochs=2, batch_size=5, shuffle=False, verbose=0)
    for mine, other in zip(model.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)
