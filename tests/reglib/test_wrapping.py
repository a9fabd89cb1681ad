"""Layers around recurrent and other layers: Keras's numbers, the way back, and masks."""

import numpy as np
import pytest

from reglib import layers, models
from reglib.gradcheck import check_layer

BOTH = {
    f"{cell.__name__} {mode}{' sequences' if sequences else ''}": (
        lambda cell=cell, mode=mode, sequences=sequences, **k: layers.Bidirectional(
            cell(3, return_sequences=sequences, **k), merge_mode=mode, **k
        )
    )
    for cell in (layers.SimpleRNN, layers.LSTM, layers.GRU)
    for mode in ("concat", "sum", "mul", "ave")
    for sequences in (False, True)
}
OTHER = {
    "twin of its own": lambda **k: layers.Bidirectional(
        layers.LSTM(3, **k), "sum", layers.GRU(3, go_backwards=True, **k), **k
    ),
    "forward is backward": lambda **k: layers.Bidirectional(
        layers.GRU(3, go_backwards=True, **k), **k
    ),
    "dense at each step": lambda **k: layers.TimeDistributed(layers.Dense(3, "tanh", **k), **k),
    "normalized at each step": lambda **k: layers.TimeDistributed(
        layers.LayerNormalization(**k), **k
    ),
}
KINDS = BOTH | OTHER


@pytest.fixture
def x(rng):
    return rng.normal(size=(4, 5, 2))


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_agree_with_finite_differences(kind, x):
    layer = KINDS[kind](dtype="float64")
    layer.seed_from(np.random.SeedSequence(1))
    assert check_layer(layer, x, rtol=1e-6) < 1e-6


def test_steps_may_be_images(rng):
    layer = layers.TimeDistributed(layers.Conv2D(2, 3, dtype="float64"), dtype="float64")
    assert check_layer(layer, rng.normal(size=(2, 3, 5, 4, 1)), rtol=1e-6) < 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_the_output_shape_is_known_beforehand_and_a_layer_survives_its_file(kind, x, tmp_path):
    layer = KINDS[kind]()
    assert layer(x).shape == layer.compute_output_shape(x.shape)
    model = models.Sequential([layer])
    expected = model(x)
    model.save(tmp_path / "model.npz")
    loaded = models.load_model(tmp_path / "model.npz")
    assert loaded.get_config() == model.get_config()
    np.testing.assert_array_equal(loaded(x), expected)


@pytest.mark.keras
@pytest.mark.parametrize("kind", KINDS)
def test_outputs_and_twins_agree_with_keras(kind, x, rng):
    import keras

    from reglib.interop import from_keras, to_keras

    x = x.astype("float32")
    mask = rng.random((4, 5)) < 0.6
    mask[0], mask[1] = False, True  # a sequence of nothing, and one of everything
    ours = KINDS[kind]()
    expected = ours(x)
    theirs = to_keras(ours)
    np.testing.assert_allclose(np.asarray(theirs(x)), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(from_keras(theirs)(x), expected, rtol=1e-6, atol=1e-6)
    given = keras.ops.convert_to_tensor(mask)
    np.testing.assert_allclose(
        np.asarray(theirs(x, mask=given)), ours(x, mask=mask), rtol=1e-5, atol=1e-5
    )


def test_a_mask_goes_through(x):
    model = models.Sequential(
        [
            layers.Masking(),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
            layers.TimeDistributed(layers.Dense(1)),
        ],
        seed=0,
    )
    x[0, 3:] = 0
    outputs = model(x)
    shorter = model(x[:1, :3])
    np.testing.assert_allclose(outputs[:1, :3], shorter, rtol=1e-6)
    np.testing.assert_array_equal(outputs.mask[0], [True, True, True, False, False])


def test_states_are_given_to_each_direction_and_kept(x, rng):
    layer = layers.Bidirectional(layers.LSTM(3, stateful=True))
    first = layer(x)
    assert not np.allclose(layer(x), first)
    layer.reset_state()
    np.testing.assert_array_equal(layer(x), first)
    layer.reset_state()
    states = [rng.normal(size=(4, 3)) for _ in range(4)]
    outputs = layer(x, initial_state=states)
    ahead, back = layer.sublayers()
    for each, own, part in ((ahead, states[:2], slice(0, 3)), (back, states[2:], slice(3, 6))):
        np.testing.assert_array_equal(each(x, initial_state=own), outputs[:, part])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: layers.Bidirectional(layers.Dense(3)), TypeError, "layer must be a SimpleRNN"),
        (
            lambda: layers.Bidirectional(layers.GRU(3), backward_layer=layers.GRU(3)),
            ValueError,
            "backward_layer must go another way than layer",
        ),
        (
            lambda: layers.Bidirectional(
                layers.GRU(3), backward_layer=layers.GRU(3, go_backwards=True, stateful=True)
            ),
            ValueError,
            "backward_layer must have the stateful of layer, got stateful=True",
        ),
        (
            lambda: layers.Bidirectional(layers.GRU(3, return_state=True)),
            ValueError,
            "layer must return its outputs alone",
        ),
        (
            lambda: layers.TimeDistributed(layers.LSTM(3, return_state=True)),
            ValueError,
            "layer must return its outputs alone",
        ),
        (
            lambda: layers.TimeDistributed(layers.Dense(3))(np.ones((2, 3))),
            ValueError,
            r"must have shape \(batch, time, ...\)",
        ),
        (
            lambda: layers.TimeDistributed(layers.Dense(3))(np.ones((2, 3, 1)), mask=np.ones((2,))),
            ValueError,
            r"mask must have shape \(2, 3\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
