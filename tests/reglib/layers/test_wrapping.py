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


@pytest.mark.parametrize("graph", [False, True])
def test_a_model_may_be_what_is_applied_at_each_step(graph, tmp_path, rng):
    part = models.Sequential([layers.Conv2D(2, 2, activation="relu"), layers.Flatten()], seed=1)
    if graph:
        start = layers.Input((3, 3, 1))
        part = models.Model(start, layers.Flatten()(layers.Conv2D(2, 2)(start)), seed=1)
    frames = rng.normal(size=(6, 4, 3, 3, 1))
    model = models.Sequential([layers.TimeDistributed(part), layers.GRU(2), layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(frames, np.ones((6, 1)))
    each = model.layers[0](frames)
    for step in range(4):
        np.testing.assert_allclose(each[:, step], part(frames[:, step]), rtol=1e-4, atol=1e-5)
    model.save(tmp_path / "model.npz")
    loaded = models.load_model(tmp_path / "model.npz")
    np.testing.assert_allclose(loaded(frames), model(frames), rtol=1e-5, atol=1e-6)


PARTS = {
    "LSTM": lambda of: of.LSTM(2),
    "mean": lambda of: of.GlobalAveragePooling1D(),
    "sequence": lambda of: of.Bidirectional(of.GRU(2, return_sequences=True)),
    "wrapped twice": lambda of: of.TimeDistributed(of.Dense(2)),
}


@pytest.mark.keras
@pytest.mark.parametrize("kind", PARTS)
def test_a_mask_of_the_parts_of_each_step_reaches_the_layer_as_in_keras(kind, rng):
    import keras

    ours, theirs = (of.TimeDistributed(PARTS[kind](of)) for of in (layers, keras.layers))
    x = rng.normal(size=(3, 4, 5, 2) + ((2,) if kind == "wrapped twice" else ()))
    x, mask = x.astype("float32"), rng.random((3, 4, 5)) < 0.7
    mask[..., 0] = True  # of nothing, Keras's mean is not a number
    expected = np.asarray(theirs(x, mask=keras.ops.convert_to_tensor(mask)))
    ours.build(x.shape)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(x, mask=mask), expected, rtol=1e-5, atol=1e-5)


def test_steps_of_nothing_that_counts_are_masked_for_the_next_layer():
    words = np.array([[[1, 2, 0], [3, 0, 0], [0, 0, 0]], [[1, 1, 1], [0, 0, 0], [0, 0, 0]]])
    look_up = layers.Embedding(4, 2, mask_zero=True)
    sentences = layers.TimeDistributed(layers.LSTM(3))(look_up(words))
    np.testing.assert_array_equal(sentences.mask, [[True, True, False], [True, False, False]])
    kept = layers.TimeDistributed(layers.LSTM(3, return_sequences=True))(look_up(words))
    np.testing.assert_array_equal(kept.mask, words != 0)
    reader = layers.TimeDistributed(layers.LSTM(3))
    model = models.Sequential([look_up, reader, layers.GRU(2)], seed=0)
    model.compile("sgd", "mse")
    model.fit(words, np.ones((2, 2)))
    shorter = model(words[1:, :1])
    np.testing.assert_allclose(model(words)[1:], shorter, rtol=1e-5, atol=1e-6)


@pytest.mark.keras
def test_a_model_at_each_step_goes_to_keras_and_back(rng):
    import keras  # noqa: F401 - which to_keras asks for

    from reglib.interop import from_keras, to_keras

    part = models.Sequential([layers.Dense(3, "tanh"), layers.BatchNormalization()])
    model = models.Sequential([layers.TimeDistributed(part), layers.Flatten(), layers.Dense(1)])
    x = rng.normal(size=(2, 4, 3)).astype("float32")
    expected = model(x)
    theirs = to_keras(model)
    np.testing.assert_allclose(np.asarray(theirs(x)), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(from_keras(theirs)(x), expected, rtol=1e-5, atol=1e-6)
