"""Flips, translation, zoom, rotation and shear: Keras's numbers, gradients, bad input."""

import inspect
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reglib import layers
from reglib.layers.augmentation._warp import affine_transform, affine_transpose, fold

# Keras on JAX compiles every operation anew for each shape.
ON_NUMPY = os.environ.get("KERAS_BACKEND") == "numpy"

FILL_MODES = ("reflect", "wrap", "constant", "nearest")
AFFINE = {
    "RandomTranslation": {"height_factor": 0.7, "width_factor": (-0.9, 0.6)},
    "RandomZoom": {"height_factor": 0.9, "width_factor": (-0.6, 1.0)},
    "RandomRotation": {"factor": 1.0},
    "RandomShear": {"x_factor": 1.0, "y_factor": (0.1, 0.9)},
}
ALL = {"RandomFlip": {}, **AFFINE}
DETERMINISTIC = {
    "RandomFlip": {"mode": "horizontal"},
    "RandomTranslation": {"height_factor": (0.3, 0.3), "width_factor": (-0.2, -0.2)},
    "RandomZoom": {"height_factor": (0.3, 0.3), "width_factor": (-0.4, -0.4)},
    "RandomRotation": {"factor": (0.2, 0.2)},
    "RandomShear": {"x_factor": (0.3, 0.3), "y_factor": (0.2, 0.2)},
}


def images(shape, seed=0, dtype="float32"):
    return np.random.default_rng(seed).random(shape).astype(dtype)


def plain(transformation):
    return {key: np.asarray(value) for key, value in transformation.items()}


# Against Keras.


@pytest.mark.keras
@pytest.mark.parametrize("name", ALL)
def test_signature_is_that_of_keras(keras, name):
    mine = inspect.signature(getattr(layers, name)).parameters
    theirs = inspect.signature(getattr(keras.layers, name)).parameters
    assert [(p.name, p.default) for p in mine.values()] == [
        (p.name, p.default) for p in theirs.values()
    ]


@pytest.mark.keras
@pytest.mark.parametrize("name", ALL)
def test_config_is_that_of_keras(keras, name):
    arguments = {**ALL[name], "seed": 3}
    mine = getattr(layers, name)(**arguments, name="n").get_config()
    theirs = getattr(keras.layers, name)(**arguments, name="n").get_config()
    if name == "RandomShear":
        # Keras cannot read what it writes here; see test_augmentation_deviations.py.
        theirs["x_factor"] = arguments["x_factor"]
    assert mine.pop("dtype") == theirs.pop("dtype")["config"]["name"]
    assert mine == theirs


@pytest.mark.keras
@pytest.mark.parametrize("name", ALL)
@settings(max_examples=60 if ON_NUMPY else 8, deadline=None)
@given(data=st.data())
def test_transformed_images_are_those_of_keras(keras, name, data):
    sizes = st.tuples(*(st.integers(1, n) for n in (5, 12, 12, 4)))
    batch, height, width, channels = data.draw(sizes if ON_NUMPY else st.just((3, 7, 5, 2)))
    data_format = data.draw(st.sampled_from(["channels_last", "channels_first"]))
    shape = (batch, height, width, channels)
    if data_format == "channels_first":
        shape = (batch, channels, height, width)
    arguments = {**ALL[name], "data_format": data_format}
    if name == "RandomFlip":
        arguments["mode"] = data.draw(
            st.sampled_from(["horizontal", "vertical", "horizontal_and_vertical"])
        )
    else:
        arguments["fill_mode"] = data.draw(st.sampled_from(FILL_MODES))
        arguments["fill_value"] = data.draw(st.sampled_from([0.0, 0.4, -1.0]))
        arguments["interpolation"] = data.draw(st.sampled_from(["nearest", "bilinear"]))
    x = images(shape, seed=data.draw(st.integers(0, 99)))
    theirs = getattr(keras.layers, name)(**arguments, seed=data.draw(st.integers(0, 99)))
    transformation = theirs.get_random_transformation(x)
    expected = np.asarray(theirs.transform_images(x, transformation))
    actual = getattr(layers, name)(**arguments).transform_images(x, plain(transformation))
    assert actual.dtype == expected.dtype == np.float32
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5)


@pytest.mark.keras
@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("shape", [(3, 6, 5, 2), (6, 5, 2)])
def test_keras_applies_a_transformation_drawn_here(keras, name, shape):
    x = images(shape)
    layer = getattr(layers, name)(**ALL[name], seed=1)
    peer = getattr(keras.layers, name)(**ALL[name], seed=1)
    transformation = layer.get_random_transformation(x)
    reference = peer.get_random_transformation(x)
    assert set(transformation) == set(reference)
    for key, value in reference.items():
        # Keras records a single image's own shape; so do we, with its batch axis.
        if key != "input_shape":
            assert np.shape(transformation[key]) == np.shape(value), key
            assert np.asarray(transformation[key]).dtype == np.asarray(value).dtype, key
    if len(shape) == 3:
        x, actual = x[None], layer.transform_images(x, transformation)[None]
    else:
        actual = layer.transform_images(x, transformation)
    np.testing.assert_allclose(peer.transform_images(x, transformation), actual, atol=1e-5)


@pytest.mark.keras
@pytest.mark.parametrize("name", AFFINE)
def test_drawn_numbers_spread_as_those_of_keras(keras, name):
    x = np.zeros((4000, 4, 6, 1), np.float32)
    mine = getattr(layers, name)(**AFFINE[name], seed=0).get_random_transformation(x)
    theirs = getattr(keras.layers, name)(**AFFINE[name], seed=0).get_random_transformation(x)
    for key in set(mine) & {"translations", "height_zoom", "width_zoom", "angle", "shear_factor"}:
        a, b = np.asarray(mine[key], float), np.asarray(theirs[key], float)
        error = 4 * np.sqrt(2 * b.var(axis=0) / len(b))
        assert (abs(a.mean(axis=0) - b.mean(axis=0)) <= error).all()
        assert np.allclose(a.std(axis=0), b.std(axis=0), rtol=0.06)


@pytest.mark.keras
@pytest.mark.parametrize("name", ALL)
def test_masks_keep_their_classes_as_in_keras(keras, name):
    x = np.random.default_rng(0).integers(0, 5, (3, 7, 6, 1)).astype("uint8")
    peer = getattr(keras.layers, name)(**ALL[name], seed=2)
    transformation = peer.get_random_transformation(x)
    expected = np.asarray(peer.transform_segmentation_masks(x, transformation))
    layer = getattr(layers, name)(**ALL[name])
    actual = layer.transform_segmentation_masks(x, plain(transformation))
    assert np.array_equal(actual, expected)
    assert actual.dtype == expected.dtype


@pytest.mark.keras
@pytest.mark.parametrize("name", ["RandomFlip", "RandomZoom", "RandomRotation"])
def test_a_tensor_of_keras_goes_to_a_twin(keras, name):
    x = images((2, 5, 4, 3))
    if keras.backend.backend() == "numpy":
        pytest.skip("on this backend a tensor is a NumPy array, which reglib handles itself")
    layer = getattr(layers, name)(**DETERMINISTIC[name])
    twin = layer(keras.ops.convert_to_tensor(x), training=True)
    assert keras.ops.is_tensor(twin)
    if name != "RandomFlip":  # whose coin remains
        np.testing.assert_allclose(keras.ops.convert_to_numpy(twin), layer(x), atol=1e-5)


@pytest.mark.parametrize("x_factor", [(-0.3, 0.3), 0.3])
def test_a_shear_takes_the_config_of_keras(x_factor):
    assert layers.RandomShear(x_factor).x_factor == (-0.3, 0.3)


# On its own.


@pytest.mark.parametrize("name", ALL)
def test_evaluation_is_the_identity(name):
    x = images((2, 5, 4, 3))
    assert np.array_equal(getattr(layers, name)(**ALL[name])(x, training=False), x)


@pytest.mark.parametrize("name", ALL)
def test_training_is_the_default(name):
    x = images((8, 5, 4, 3))
    assert not np.array_equal(getattr(layers, name)(**ALL[name], seed=0)(x), x)


@pytest.mark.parametrize("name", ALL)
def test_a_single_image_is_transformed_like_a_batch_of_one(name):
    x = images((5, 4, 3))
    layer = getattr(layers, name)(**DETERMINISTIC[name])
    transformation = layer.get_random_transformation(x[None], seed=4)
    expected = layer.transform_images(x[None], transformation)[0]
    assert np.array_equal(layer.transform_images(x, transformation), expected)
    assert layer(x).shape == x.shape


@pytest.mark.parametrize("name", ALL)
def test_integers_come_out_as_floats_and_inputs_stay_as_they_were(name):
    x = np.random.default_rng(0).integers(0, 256, (4, 5, 6, 3)).astype("uint8")
    before = x.copy()
    outputs = getattr(layers, name)(**ALL[name])(x)
    assert outputs.dtype == np.float32
    assert np.array_equal(x, before)
    floats = images((4, 5, 6, 3))
    copied = floats.copy()
    getattr(layers, name)(**ALL[name])(floats)
    assert np.array_equal(floats, copied)


@pytest.mark.parametrize("name", ALL)
def test_equal_seeds_give_equal_images_and_calls_differ(name):
    x = images((16, 5, 4, 1))
    first, second = (getattr(layers, name)(**ALL[name], seed=7) for _ in range(2))
    one = first(x)
    assert np.array_equal(one, second(x))
    assert not np.array_equal(one, first(x))


@pytest.mark.parametrize("name", ALL)
def test_global_random_state_is_untouched(name):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    getattr(layers, name)(**ALL[name])(images((2, 5, 4, 1)))
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("name", ALL)
def test_a_layer_comes_back_from_its_config(name):
    layer = getattr(layers, name)(**ALL[name], seed=5)
    twin = type(layer).from_config(layer.get_config())
    x = images((4, 5, 4, 2))
    assert twin.get_config() == layer.get_config()
    assert np.array_equal(twin(x), layer(x))


@pytest.mark.parametrize("name", ALL)
def test_images_labels_and_masks_of_a_dict_share_one_transformation(name):
    x = np.random.default_rng(0).integers(0, 4, (6, 5, 5, 1)).astype("float32")
    arguments = dict(ALL[name])
    if name != "RandomFlip":
        arguments["interpolation"] = "nearest"
    labels = np.eye(6)
    out = getattr(layers, name)(**arguments, seed=0)(
        {"images": x, "labels": labels, "segmentation_masks": x, "note": "kept"}
    )
    assert np.array_equal(out["images"], out["segmentation_masks"])
    assert not np.array_equal(out["images"], x)
    assert np.array_equal(out["labels"], labels)
    assert out["note"] == "kept"


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("fill_mode", FILL_MODES)
@pytest.mark.parametrize("name", ALL)
def test_gradient_agrees_with_finite_differences(name, fill_mode, data_format):
    arguments = dict(DETERMINISTIC[name], data_format=data_format, dtype="float64", seed=1)
    if name != "RandomFlip":
        arguments["fill_mode"] = fill_mode
    layer = getattr(layers, name)(**arguments)
    rng = np.random.default_rng(0)
    x, direction = rng.standard_normal((2, 3, 4, 5, 2))
    gradient = rng.standard_normal(layer(x).shape)
    transformation = layer._transformation
    back = layer.backward(gradient)
    step = 1e-6
    ahead, behind = (
        layer.transform_images(x + s * direction, transformation) for s in (step, -step)
    )
    slope = np.vdot(gradient, ahead - behind) / (2 * step)
    assert np.vdot(back, direction) == pytest.approx(slope, rel=1e-6)


def test_gradient_outside_training_passes_unchanged():
    layer = layers.RandomRotation(0.3)
    layer(images((2, 4, 4, 1)), training=False)
    gradient = images((2, 4, 4, 1), seed=1)
    assert np.array_equal(layer.backward(gradient), gradient)


def test_half_of_the_images_are_flipped_and_both_axes_together():
    x = images((4000, 2, 2, 1))
    flipped = layers.RandomFlip(seed=0)(x)
    turned = (flipped == x[:, ::-1, ::-1]).all(axis=(1, 2, 3))
    kept = (flipped == x).all(axis=(1, 2, 3))
    assert (turned ^ kept).all()
    # A fair coin strays this far less than once in a billion.
    assert abs(turned.mean() - 0.5) < 6.2 * 0.5 / np.sqrt(4000)


def test_a_zoom_without_width_factor_keeps_the_aspect_ratio():
    drawn = layers.RandomZoom(0.5, seed=0).get_random_transformation(np.zeros((9, 4, 4, 1)))
    assert np.array_equal(drawn["height_zoom"], drawn["width_zoom"])


def test_rotation_by_a_quarter_is_exactly_rot90():
    x = images((2, 6, 6, 3))
    turned = layers.RandomRotation((0.25, 0.25))(x)
    np.testing.assert_allclose(turned, np.rot90(x, axes=(1, 2)), atol=1e-6)


def test_translation_by_whole_pixels_is_exactly_a_roll_when_wrapping():
    x = images((2, 4, 8, 3))
    moved = layers.RandomTranslation((0.25, 0.25), (0.5, 0.5), fill_mode="wrap")(x)
    assert np.array_equal(moved, np.roll(x, (1, 4), axis=(1, 2)))


@pytest.mark.parametrize("fill_mode", FILL_MODES)
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_fast_resampling_agrees_with_the_definition(fill_mode, interpolation, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    height, width = (data.draw(st.integers(1, 9)) for _ in range(2))
    x = rng.standard_normal((2, height, width, 2))
    scale = data.draw(st.sampled_from([1, 3, 100]))
    rows = np.zeros((2, 8))
    rows[:, :6] = rng.uniform(-scale, scale, (2, 6))
    if data.draw(st.booleans()):
        rows[:, [1, 3]] = 0
    expected = np.empty_like(x)
    for image, row, out in zip(x, rows, expected, strict=True):
        for i in range(height):
            for j in range(width):
                u = row[0] * j + row[1] * i + row[2]
                v = row[3] * j + row[4] * i + row[5]
                out[i, j] = pixel_at(image, v, u, interpolation, fill_mode, 0.7)
    actual = affine_transform(x, rows, interpolation, fill_mode, 0.7)
    np.testing.assert_allclose(actual, expected, atol=1e-9 * scale)


def pixel_at(image, v, u, interpolation, fill_mode, fill_value):
    if interpolation == "nearest":
        taps = [(int(np.floor(v + 0.5)), int(np.floor(u + 0.5)), 1.0)]
    else:
        i, j = int(np.floor(v)), int(np.floor(u))
        p, q = v - i, u - j
        taps = [
            (i, j, (1 - p) * (1 - q)),
            (i, j + 1, (1 - p) * q),
            (i + 1, j, p * (1 - q)),
            (i + 1, j + 1, p * q),
        ]
    padding = {"reflect": "symmetric", "wrap": "wrap", "nearest": "edge"}
    total = 0.0
    for i, j, weight in taps:
        inside = 0 <= i < image.shape[0] and 0 <= j < image.shape[1]
        if fill_mode == "constant" and not inside:
            total = total + weight * fill_value
        else:
            mode = padding.get(fill_mode, "edge")
            total = (
                total + weight * image[padded(i, len(image), mode), padded(j, image.shape[1], mode)]
            )
    return total


def padded(index, size, mode):
    """The position that np.pad puts at ``index``, by its own rule, however far away."""
    reach = abs(index) + 1
    return np.pad(np.arange(size), (reach, reach), mode=mode)[index + reach]


def test_the_transpose_of_a_constant_fill_sends_nothing_back_from_outside():
    rows = np.array([[1.0, 0, 100, 0, 1, 100, 0, 0]])
    assert not affine_transpose(np.ones((1, 3, 3, 1)), rows, fill_mode="constant").any()


def test_folding_repeats_the_image_as_named():
    assert fold(np.arange(-4, 7), 3, "nearest").tolist() == [0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2]
    assert fold(np.arange(-4, 7), 3, "reflect").tolist() == [2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0]


# Bad input.


@pytest.mark.parametrize(
    ("name", "arguments", "argument"),
    [
        ("RandomFlip", {"mode": "sideways"}, "mode"),
        ("RandomFlip", {"seed": "one"}, "seed"),
        ("RandomFlip", {"seed": -1}, "seed"),
        ("RandomFlip", {"data_format": "channels_middle"}, "data_format"),
        ("RandomTranslation", {"height_factor": 1.5, "width_factor": 0}, "height_factor"),
        ("RandomTranslation", {"height_factor": 0, "width_factor": (0, -2)}, "width_factor"),
        (
            "RandomTranslation",
            {"height_factor": [0.1, 0.2, 0.3], "width_factor": 0},
            "height_factor",
        ),
        ("RandomTranslation", {"height_factor": "0.1", "width_factor": 0}, "height_factor"),
        ("RandomTranslation", {"height_factor": np.nan, "width_factor": 0}, "height_factor"),
        (
            "RandomTranslation",
            {"height_factor": 0, "width_factor": 0, "fill_mode": "mirror"},
            "fill_mode",
        ),
        (
            "RandomTranslation",
            {"height_factor": 0, "width_factor": 0, "interpolation": "cubic"},
            "interpolation",
        ),
        (
            "RandomTranslation",
            {"height_factor": 0, "width_factor": 0, "fill_value": np.inf},
            "fill_value",
        ),
        ("RandomZoom", {"height_factor": -1.0}, "height_factor"),
        ("RandomZoom", {"height_factor": 0.1, "width_factor": (0.1, 1.1)}, "width_factor"),
        ("RandomZoom", {"height_factor": None}, "height_factor"),
        ("RandomRotation", {"factor": 1.5}, "factor"),
        ("RandomRotation", {"factor": (2, 3)}, "factor"),
        ("RandomRotation", {"factor": (0, np.inf)}, "factor"),
        ("RandomRotation", {"factor": {"low": 0}}, "factor"),
        ("RandomShear", {"x_factor": -0.5}, "x_factor"),
        ("RandomShear", {"y_factor": (0.2, 1.2)}, "y_factor"),
        ("RandomShear", {"y_factor": ("a", "b")}, "y_factor"),
    ],
)
def test_a_bad_argument_is_named(name, arguments, argument):
    with pytest.raises((ValueError, TypeError), match=f"^{argument} must"):
        getattr(layers, name)(**arguments)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (np.zeros((4, 4)), ValueError, "images must have 3 or 4 axes"),
        (np.zeros((1, 2, 4, 4, 3)), ValueError, "images must have 3 or 4 axes"),
        (np.zeros((0, 4, 4, 3)), ValueError, "images must not be empty"),
        (np.full((1, 4, 4, 3), np.nan), ValueError, "images must be finite"),
        (np.full((1, 4, 4, 3), np.inf), ValueError, "images must be finite"),
        (np.array([[["a"]]]), TypeError, "must hold numbers"),
        ({"labels": np.zeros(3)}, ValueError, "inputs must have a key 'images'"),
        (
            {"images": np.zeros((1, 4, 4, 3)), "bounding_boxes": {}},
            ValueError,
            "inputs must have no key 'bounding_boxes'",
        ),
    ],
)
def test_bad_images_are_refused(name, bad, error, message):
    with pytest.raises(error, match=message):
        getattr(layers, name)(**ALL[name])(bad)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.full((2, 8), np.nan), "transform must be finite"),
        (np.zeros((3, 8)), r"transform must have shape \(2, 8\), got \(3, 8\)"),
        (np.zeros((2, 6)), r"transform must have shape \(2, 8\)"),
    ],
)
def test_a_matrix_that_fits_no_batch_is_refused(matrix, message):
    with pytest.raises(ValueError, match=message):
        affine_transform(images((2, 4, 4, 1)), matrix)


def test_an_unknown_keyword_is_refused():
    with pytest.raises(TypeError, match="bounding_box_format"):
        layers.RandomFlip(bounding_box_format="xyxy")
