"""Layers that move numbers, and inputs on one scale: Keras's numbers, and the way back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reglib import layers, models
from reglib.gradcheck import check_layer

CASES = {
    "identity": (layers.Identity, {}, (3, 4, 2)),
    "pad 2d": (layers.ZeroPadding2D, {"padding": ((1, 2), (0, 1))}, (2, 6, 5, 3)),
    "pad 2d, first": (layers.ZeroPadding2D, {"data_format": "channels_first"}, None),
    "scale": (layers.Normalization, {"mean": [0.5, -1.0, 2.0], "variance": [4.0, 1.0, 0.25]}, None),
    "scale, back": (layers.Normalization, {"mean": 0.5, "variance": 4.0, "invert": True}, (4, 3)),
    "scale, axes": (
        layers.Normalization,
        {"axis": (1, -1), "mean": [0.5, -1.0], "variance": [4.0, 0.0625]},
        (3, 4, 2),
    ),
}
CASES = {
    name: (make, options, shape or ((2, 3, 6, 5) if "first" in name else (4, 3)))
    for name, (make, options, shape) in CASES.items()
}


@pytest.mark.parametrize("case", CASES)
def test_gradients_agree_with_finite_differences(case, rng):
    make, options, shape = CASES[case]
    assert check_layer(make(**options, dtype="float64"), rng.normal(size=shape), rtol=1e-6) < 1e-6


@pytest.mark.parametrize("case", CASES)
def test_the_output_shape_is_known_beforehand(case, rng):
    make, options, shape = CASES[case]
    layer = make(**options)
    for batch in (shape[0], None):
        expected = layer.compute_output_shape((batch, *shape[1:]))
        assert expected == (batch, *layer(rng.normal(size=shape)).shape[1:])


@pytest.mark.parametrize("case", CASES)
def test_a_layer_survives_its_file(case, rng, tmp_path):
    make, options, shape = CASES[case]
    model = models.Sequential([make(**options)])
    x = rng.normal(size=shape)
    expected = model(x)
    model.save(tmp_path / "model.npz")
    loaded = models.load_model(tmp_path / "model.npz")
    assert loaded.layers[0].get_config() == model.layers[0].get_config()
    np.testing.assert_array_equal(loaded(x), expected)


@pytest.mark.keras
@pytest.mark.parametrize("case", CASES)
def test_outputs_and_twins_agree_with_keras(case, rng):
    import keras

    from reglib.interop import from_keras, to_keras

    make, options, shape = CASES[case]
    x = rng.normal(size=shape).astype("float32")
    ours = make(**options)
    theirs = getattr(keras.layers, make.__name__)(**options)
    expected = np.asarray(theirs(x))
    np.testing.assert_allclose(ours(x), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(np.asarray(to_keras(ours)(x)), expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(from_keras(theirs)(x), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.keras
@settings(deadline=None, max_examples=25)
@given(
    shape=st.lists(st.integers(1, 4), min_size=2, max_size=4).map(tuple),
    kept=st.data(),
    seed=st.integers(0, 100),
    invert=st.booleans(),
)
def test_adapting_agrees_with_keras(shape, kept, seed, invert):
    import keras

    some = st.sets(st.integers(1, len(shape) - 1)).map(sorted)
    axis = kept.draw(st.one_of(st.just(-1), st.none(), some.map(tuple)))
    x = np.random.default_rng(seed).normal(3, 2, size=shape).astype("float32")
    ours = layers.Normalization(axis=axis, invert=invert)
    theirs = keras.layers.Normalization(axis=axis, invert=invert)
    ours.adapt(x)
    theirs.adapt(x)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)
    # Where all values are equal, what is divided by is 1e-7: rounding decides.
    spread = np.asarray(theirs.variance) > 1e-3
    np.testing.assert_allclose(
        np.where(spread, ours(x), 0), np.where(spread, np.asarray(theirs(x)), 0), atol=1e-3
    )


@pytest.mark.keras
def test_one_mean_for_all_goes_with_inputs_of_any_shape(rng):
    import keras

    ours, theirs = (of.Normalization(axis=None) for of in (layers, keras.layers))
    column = rng.normal(3, 2, size=20).astype("float32")
    for layer in (ours, theirs):
        layer.adapt(column)
    for x in (column, column[:, np.newaxis], column.reshape(2, 5, 2)):
        np.testing.assert_allclose(ours(x), np.asarray(theirs(x)), rtol=1e-5, atol=1e-5)
    assert models.Sequential([ours, layers.Dense(1)])(column[:, np.newaxis]).shape == (20, 1)
    first = layers.Normalization(axis=None, input_shape=(1,))
    first.adapt(column)
    model = models.Sequential([first, layers.Dense(1)])
    np.testing.assert_allclose(first(column[:, np.newaxis]).mean(), 0, atol=1e-6)
    assert model.predict(column[:, np.newaxis]).shape == (20, 1)


def test_batches_give_what_the_whole_gives(rng):
    x = rng.normal(5, 3, size=(40, 3))
    whole, parts = layers.Normalization(dtype="float64"), layers.Normalization(dtype="float64")
    whole.adapt(x)
    parts.adapt((x[at : at + 7], None) for at in range(0, 40, 7))
    for one, other in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    np.testing.assert_allclose(whole(x).mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(whole(x).std(axis=0), 1, rtol=1e-12)


@pytest.mark.keras
def test_an_adapted_layer_goes_to_keras_and_back(rng):
    import keras  # noqa: F401 - which to_keras asks for

    from reglib.interop import from_keras, to_keras

    x = rng.normal(5, 3, size=(40, 3)).astype("float32")
    layer = layers.Normalization()
    layer.adapt(x)
    model = models.Sequential([layer, layers.Dense(2)], seed=0)
    expected = model(x)
    theirs = to_keras(model)
    np.testing.assert_allclose(theirs.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(np.asarray(to_keras(layer)(x)), layer(x), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(from_keras(theirs)(x), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layers.Normalization(mean=0.5), "mean and variance must both be given"),
        (lambda: layers.Normalization(mean=0.5, variance=-1.0), "variance must be at least 0"),
        (lambda: layers.Normalization(axis=2)(np.ones((2, 3))), "axis must be of inputs of shape"),
        (lambda: layers.Normalization().adapt([]), "data must not be empty"),
        (
            lambda: layers.Normalization(mean=0.5, variance=1.0).adapt(np.ones((2, 3))),
            "adapt must be called without mean and variance",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "amounts", [(1, 2, 3), ((1, 2), (3,)), (((1,), 2), (3, 4)), [1, [2, 3, 4]]]
)
def test_paddings_of_no_regular_shape_are_refused_by_name(amounts):
    with pytest.raises((TypeError, ValueError), match=r"^padding must"):
        layers.ZeroPadding2D(amounts)
