"""Color, erasing, mixing, cropping and policies: Keras's numbers, promises, bad input."""

import inspect
import os
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reglib import layers
from reglib._twin import to_keras_layer
from reglib.layers.augmentation import cutout
from reglib.layers.augmentation.erasing import box_masks
from reglib.layers.augmentation.perspective import homography

# Keras on JAX compiles every operation anew for each shape, so it gets fewer examples; and it
# rounds the table of equalization in float32, so a value may be one byte off there.
ON_NUMPY = os.environ.get("KERAS_BACKEND") == "numpy"
ONE_BYTE = 0 if ON_NUMPY else 1.001 / 255

UNIT = {"value_range": (0, 1)}
COLOR = {
    "RandomContrast": {"factor": 0.7, **UNIT},
    "RandomBrightness": {"factor": 0.4, **UNIT},
    "RandomColorDegeneration": {"factor": 0.9, **UNIT},
    "RandomSharpness": {"factor": 1.0, **UNIT},
    "RandomPosterization": {"factor": (1, 6), **UNIT},
    "Solarization": {"addition_factor": 0.5, "threshold_factor": 0.9, **UNIT},
    "AutoContrast": UNIT,
    "Equalization": {"bins": 16, **UNIT},
    "RandomInvert": {"factor": (0.2, 0.9), **UNIT},
    "RandomGrayscale": {"factor": 0.6},
    "RandomHue": {"factor": 0.9, **UNIT},
    "RandomSaturation": {"factor": 0.8, **UNIT},
    "RandomGaussianBlur": {"factor": (0.2, 0.9), "kernel_size": (3, 5), "sigma": 0.9, **UNIT},
}
ELASTIC = {"RandomElasticTransform": {"factor": (0.5, 1.0), "scale": (0.5, 1.0), **UNIT}}
JITTER = {
    "RandomColorJitter": {
        "brightness_factor": 0.2,
        "contrast_factor": 0.3,
        "saturation_factor": 0.6,
        "hue_factor": 0.4,
        **UNIT,
    }
}
MIXING = {"MixUp": {"alpha": 0.4}, "CutMix": {"factor": (0.5, 1.0)}}
ERASING = {"RandomErasing": {"factor": (0.5, 1.0), **UNIT}}
POLICIES = {"RandAugment": UNIT, "AugMix": UNIT}
CROP = {name: {"height": 3, "width": 4} for name in ("RandomCrop", "CenterCrop")}
RESIZING = {
    "Resizing": {"height": 4, "width": 3, "interpolation": "bicubic", "pad_to_aspect_ratio": True}
}
PERSPECTIVE = {"RandomPerspective": {"factor": (0.5, 1.0), "scale": 0.8}}
LINEAR = {**PERSPECTIVE, **ERASING, **MIXING, **CROP, **RESIZING, "Cutout": {"size": 2}}
SHARED = {
    **COLOR,
    **ELASTIC,
    **PERSPECTIVE,
    **JITTER,
    **ERASING,
    **MIXING,
    **POLICIES,
    **CROP,
    **RESIZING,
}
ALL = {**SHARED, "Cutout": {"size": 2}}
SEEDLESS = ("AutoContrast", "CenterCrop", "Equalization", "Resizing")
ALWAYS = ("AutoContrast", "CenterCrop", "Resizing")
RANDOM = {k: v for k, v in ALL.items() if k not in SEEDLESS}


def images(shape, seed=0):
    return np.random.default_rng(seed).random(shape).astype("float32")


def plain(transformation):
    """The same transformation with arrays for a backend's tensors."""
    if isinstance(transformation, dict):
        return {key: plain(value) for key, value in transformation.items()}
    if isinstance(transformation, list):
        return [plain(value) for value in transformation]
    if isinstance(transformation, tuple):
        return tuple(int(value) for value in transformation)
    if transformation is None or isinstance(transformation, str):
        return transformation
    return np.asarray(transformation)


# Against Keras.


@pytest.mark.keras
@pytest.mark.parametrize("name", [*SHARED, "Pipeline"])
def test_signature_is_that_of_keras(keras, name):
    mine = inspect.signature(getattr(layers, name)).parameters
    theirs = inspect.signature(getattr(keras.layers, name)).parameters
    assert [(p.name, p.default) for p in mine.values()] == [
        (p.name, p.default) for p in theirs.values()
    ]


@pytest.mark.keras
@pytest.mark.parametrize("name", SHARED)
def test_config_is_that_of_keras(keras, name):
    seed = {} if name in SEEDLESS else {"seed": 3}
    mine = getattr(layers, name)(**SHARED[name], **seed, name="n").get_config()
    theirs = getattr(keras.layers, name)(**SHARED[name], **seed, name="n").get_config()
    assert mine.pop("dtype") == theirs.pop("dtype")["config"]["name"]
    if name == "RandomGrayscale":
        # Keras forgets them; see test_augmentation_deviations.py.
        assert mine.pop("seed") == 3
    assert mine == theirs


@pytest.mark.keras
@pytest.mark.parametrize("name", [*COLOR, *ERASING, *MIXING])
@settings(max_examples=30 if ON_NUMPY else 4, deadline=None)
@given(data=st.data())
def test_transformed_images_are_those_of_keras(keras, name, data):
    batch, height, width = data.draw(st.sampled_from([(1, 1, 2), (4, 7, 5), (3, 8, 8)]))
    data_format = data.draw(st.sampled_from(["channels_last", "channels_first"]))
    shape = (batch, height, width, 3)
    if data_format == "channels_first":
        shape = (batch, 3, height, width)
    value_range = data.draw(st.sampled_from([(0, 1), (0, 255), (-1, 1)]))
    arguments = {**ALL[name], "data_format": data_format}
    if "value_range" in arguments:
        arguments["value_range"] = value_range
    span = value_range[1] - value_range[0]
    x = images(shape, seed=data.draw(st.integers(0, 99))) * np.float32(span) + value_range[0]
    seed = {} if name in SEEDLESS else {"seed": 5}
    mine, theirs = (getattr(room, name)(**arguments, **seed) for room in (layers, keras.layers))
    # Either can draw; on JAX Keras compiles for seconds to do so.
    transformation = (theirs if ON_NUMPY else mine).get_random_transformation(x)
    # Keras's RandomBrightness changes NumPy arrays in place.
    expected = np.asarray(theirs.transform_images(x.copy(), transformation))
    actual = mine.transform_images(x, plain(transformation))
    assert actual.dtype == expected.dtype == np.float32
    tolerance = 1e-5 + (ONE_BYTE if name == "Equalization" else 0)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * span)
    if name in MIXING:
        labels = np.eye(batch, dtype="float32")
        np.testing.assert_allclose(
            mine.transform_labels(labels, plain(transformation)),
            np.asarray(theirs.transform_labels(labels, transformation)),
            atol=1e-6,
        )


@pytest.mark.keras
@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("seed", range(8 if ON_NUMPY else 2))
def test_policies_apply_a_transformation_as_keras_does(keras, name, seed):
    x = images((3, 9, 8, 3), seed=seed)
    mine, theirs = (getattr(room, name)(**UNIT, seed=seed) for room in (layers, keras.layers))
    # Keras counts one bin at a time on JAX; few bins spare minutes.
    mine._operations["equalization"].bins = theirs.equalization.bins = 8
    # Keras's RandomBrightness changes NumPy arrays in place, chosen or not.
    brighten = theirs.random_brightness.transform_images
    theirs.random_brightness.transform_images = lambda x, *rest: brighten(x + 0, *rest)
    transformation = mine.get_random_transformation(x)
    expected = np.asarray(theirs.transform_images(x, transformation))
    actual = mine.transform_images(x, transformation)
    assert actual.dtype == np.float32
    # Posterization, solarization and equalization jump: a rounding error before them may
    # show in a few pixels after them.
    close = np.isclose(actual, expected, rtol=0, atol=2e-5 + ONE_BYTE)
    assert close.mean() > 0.99


@pytest.mark.keras
@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("shape", [(3, 6, 5, 3), (6, 5, 3)])
def test_what_is_drawn_has_the_form_of_keras(keras, name, shape):
    x = images(shape)
    seed = {} if name in SEEDLESS else {"seed": 1}
    mine = getattr(layers, name)(**SHARED[name], **seed).get_random_transformation(x)
    theirs = getattr(keras.layers, name)(**SHARED[name], **seed).get_random_transformation(x)
    if name in ("AugMix", "RandAugment"):
        assert set(mine) == set(theirs)
        return
    if name in JITTER:
        assert theirs is None  # Keras draws while it transforms
        return
    if not isinstance(theirs, dict):
        assert np.shape(mine) == np.shape(theirs)
        return
    assert set(mine) == set(theirs)
    for key, value in theirs.items():
        if key in ("input_shape", "seed"):
            continue  # reglib keeps the batch axis of one image, and a seed for its generator
        assert np.shape(mine[key]) == np.shape(value), key
        kind = np.asarray(value).dtype
        assert np.asarray(mine[key]).dtype == kind or kind.kind == "i", key


@pytest.mark.keras
@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("RandomContrast", "contrast_factor"),
        ("RandomBrightness", "rgb_delta"),
        ("RandomColorDegeneration", "factor"),
        ("RandomSharpness", "factor"),
        ("RandomPosterization", "shift_factor"),
        ("Solarization", "additions"),
        ("RandomInvert", "apply_inversion"),
        ("RandomHue", "factor"),
        ("RandomSaturation", "factor"),
        ("RandomGaussianBlur", "should_apply_blur"),
    ],
)
def test_drawn_numbers_spread_as_those_of_keras(keras, name, key):
    x = np.zeros((4000, 2, 2, 1), np.float32)
    drawn = [
        np.asarray(
            getattr(room, name)(**ALL[name], seed=0).get_random_transformation(x)[key], float
        ).ravel()
        for room in (layers, keras.layers)
    ]
    error = 4.5 * np.sqrt(2 * drawn[1].var() / 4000)
    assert abs(drawn[0].mean() - drawn[1].mean()) <= error
    assert drawn[0].std() == pytest.approx(drawn[1].std(), rel=0.08)


@pytest.mark.keras
@pytest.mark.parametrize("size", [(6, 7), (3, 9), (9, 4), (3, 4), (2, 3), (2, 7)])
def test_crops_are_those_of_keras(keras, size):
    x = images((2, *size, 3))
    theirs = keras.layers.RandomCrop(3, 4, seed=0)
    transformation = plain(theirs.get_random_transformation(x))
    mine = layers.RandomCrop(3, 4)
    expected = np.asarray(theirs.transform_images(x, transformation))
    np.testing.assert_allclose(mine.transform_images(x, transformation), expected, atol=1e-6)
    if not (size[0] > 3 and size[1] > 4):
        assert mine.get_random_transformation(x) == transformation
    assert mine.get_random_transformation(x, training=False) == plain(
        theirs.get_random_transformation(x, training=False)
    )


@pytest.mark.keras
@pytest.mark.parametrize("size", [(6, 7), (7, 4), (3, 9), (9, 4), (3, 4), (2, 3), (2, 7), (1, 1)])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_central_crops_are_those_of_keras(keras, size, data_format):
    shape = (2, *size, 3) if data_format == "channels_last" else (2, 3, *size)
    x = images(shape)
    mine, theirs = (
        room.CenterCrop(3, 4, data_format=data_format) for room in (layers, keras.layers)
    )
    for training in (True, False):
        expected = np.asarray(theirs(x, training=training))
        np.testing.assert_allclose(mine(x, training=training), expected, atol=1e-6)
    masks = {"images": x, "segmentation_masks": x}
    out = mine(masks)
    assert np.array_equal(out["segmentation_masks"], out["images"])


@pytest.mark.keras
@pytest.mark.parametrize(
    "interpolation", ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"]
)
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("keep", [None, "crop_to_aspect_ratio", "pad_to_aspect_ratio"])
def test_resized_images_and_masks_are_those_of_keras(keras, interpolation, antialias, keep):
    options = {"interpolation": interpolation, "antialias": antialias, "fill_value": 0.3}
    options |= {keep: True} if keep else {}
    shapes = [(7, 5), (3, 9), (13, 11)] if ON_NUMPY else [(7, 5)]
    for size in ((4, 6), (9, 3), (7, 5)):
        mine, theirs = (room.Resizing(*size, **options) for room in (layers, keras.layers))
        for shape in shapes:
            x = images((2, *shape, 3))
            np.testing.assert_allclose(mine(x), np.asarray(theirs(x)), atol=1e-5)
            masks = np.asarray(theirs.transform_segmentation_masks(x))
            assert np.allclose(mine.transform_segmentation_masks(x), masks, atol=1e-6)


@pytest.mark.keras
def test_channels_may_come_first_for_resizing(keras):
    x = images((2, 3, 7, 5))
    mine, theirs = (
        room.Resizing(4, 6, data_format="channels_first") for room in (layers, keras.layers)
    )
    np.testing.assert_allclose(mine(x), np.asarray(theirs(x)), atol=1e-6)


@pytest.mark.keras
@pytest.mark.parametrize(
    ("scale", "offset"), [(1 / 255, 0.5), (2, -1), ([1.0, 2.0, 3.0], [0.0, 0.5, 1.0])]
)
def test_rescaled_numbers_are_those_of_keras(keras, scale, offset):
    x = images((4, 5, 3)) * 255
    mine, theirs = (room.Rescaling(scale, offset) for room in (layers, keras.layers))
    np.testing.assert_allclose(mine(x), np.asarray(theirs(x)), rtol=1e-6)
    assert mine(x.astype("uint8")).dtype == np.float32
    config = mine.get_config()
    assert config["scale"] == theirs.get_config()["scale"]
    assert np.array_equal(layers.Rescaling.from_config(config)(x), mine(x))
    assert to_keras_layer(mine).get_config()["offset"] == offset


def test_rescaling_passes_the_gradient_back():
    layer = layers.Rescaling([2.0, 3.0], dtype="float64")
    x = np.ones((4, 2))
    layer(x)
    assert np.array_equal(layer.backward(x), [[2.0, 3.0]] * 4)


@pytest.mark.keras
@pytest.mark.skipif(not ON_NUMPY, reason="the other backends draw the field from another stream")
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("fill_mode", ["reflect", "wrap", "constant", "nearest", "mirror"])
def test_bent_images_are_those_of_keras(keras, data_format, interpolation, fill_mode, monkeypatch):
    # Keras wraps the seed; from the same one both draw the same field.
    backend = sys.modules["keras.src.backend.numpy.image"]
    monkeypatch.setattr(backend, "draw_seed", lambda seed: seed)
    options = {"data_format": data_format, "interpolation": interpolation}
    options |= {"fill_mode": fill_mode, "fill_value": 0.4, **UNIT}
    mine, theirs = (room.RandomElasticTransform(**options) for room in (layers, keras.layers))
    for seed, strength in enumerate([0.3, 0.7, 1.0]):
        x = images((4, 20, 12, 3) if data_format == "channels_last" else (4, 3, 20, 12))
        drawn = {
            "apply_transform": np.array([True, False, True, True]),
            "distortion_factor": np.float32(strength),
            "seed": seed,
        }
        expected = np.asarray(theirs.transform_images(x, drawn))
        np.testing.assert_allclose(mine.transform_images(x, drawn), expected, atol=2e-5)
    assert not np.allclose(expected, x)


@pytest.mark.keras
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("draws", [0, 1])
def test_images_seen_from_elsewhere_are_those_of_keras(keras, data_format, interpolation, draws):
    x = images((5, 9, 7, 3) if data_format == "channels_last" else (5, 3, 9, 7))
    options = {"data_format": data_format, "interpolation": interpolation, "fill_value": 0.4}
    rooms = (layers, keras.layers)
    mine, theirs = (room.RandomPerspective((0.7, 1), 0.7, seed=3, **options) for room in rooms)
    drawn = (mine, theirs)[draws].get_random_transformation(x)
    expected = np.asarray(theirs.transform_images(x, drawn))
    actual = mine.transform_images(x, plain(drawn))
    assert not np.allclose(expected, x)
    # A position between two pixels goes to either when they are rounded.
    close = np.isclose(actual, expected, rtol=0, atol=2e-5)
    assert close.all() or (interpolation == "nearest" and close.mean() > 0.99)


def test_a_perspective_sends_the_corners_where_it_says():
    rng = np.random.default_rng(0)
    corners = np.array([[0, 0], [5, 0], [0, 8], [5, 8.0]])
    moved = corners + rng.uniform(-2, 2, (20, 4, 2))
    maps = homography(np.tile(corners, (20, 1, 1)), moved)
    sent = np.concatenate([corners, np.ones((4, 1))], axis=1) @ maps.swapaxes(1, 2)
    np.testing.assert_allclose(sent[..., :2] / sent[..., 2:], moved, atol=1e-9)
    with pytest.raises(ValueError, match=r"^source must hold no three points on a line"):
        homography(np.zeros((1, 4, 2)), moved[:1])


def test_images_of_one_line_have_no_perspective():
    with pytest.raises(ValueError, match=r"^images must be 2 pixels wide and high, got 5 and 1"):
        layers.RandomPerspective((1, 1))(images((2, 1, 5, 1)))


def test_images_and_masks_are_bent_alike():
    x = np.random.default_rng(0).integers(0, 2, (6, 40, 30, 1)).astype("float32")
    options = {"interpolation": "nearest", "value_range": (0, 1), "seed": 0}
    layer = layers.RandomElasticTransform((1, 1), (1, 1), **options)
    out = layer({"images": x, "segmentation_masks": x.astype("uint8")})
    assert out["segmentation_masks"].dtype == np.uint8
    assert np.array_equal(out["images"], out["segmentation_masks"])
    assert not np.array_equal(out["images"], x)


@pytest.mark.keras
def test_jitter_changes_colors_step_by_step_as_keras_does(keras):
    x = images((6, 7, 5, 3))
    layer = layers.RandomColorJitter(**JITTER["RandomColorJitter"], seed=0)
    drawn = layer.get_random_transformation(x)
    expected = x
    for name, factor in layer._factors.items():
        kind = f"Random{name.removesuffix('_factor').capitalize()}"
        theirs = getattr(keras.layers, kind)(factor, **UNIT)
        # Keras's RandomBrightness changes NumPy arrays in place.
        expected = np.asarray(theirs.transform_images(expected + 0, drawn[name]))
    np.testing.assert_allclose(layer.transform_images(x, drawn), expected, atol=2e-5)


@pytest.mark.keras
@pytest.mark.parametrize("name", SHARED)
def test_a_layer_becomes_one_of_keras(keras, name):
    layer = getattr(layers, name)(**SHARED[name])
    theirs, mine = to_keras_layer(layer).get_config(), layer.get_config()
    for key in set(mine) - {"name", "dtype", "trainable"}:
        # Without a seed, Keras's RandomCrop keeps the one that it made up; RandomGrayscale's
        # config has none.
        assert theirs.get(key) == mine[key] or key == "seed", key


@pytest.mark.keras
def test_a_tensor_of_keras_goes_through_a_pipeline_of_keras(keras):
    if keras.backend.backend() == "numpy":
        pytest.skip("on this backend a tensor is a NumPy array, which reglib handles itself")
    pipeline = layers.Pipeline([layers.RandomFlip(), layers.RandomCrop(3, 4)])
    outputs = pipeline(keras.ops.convert_to_tensor(images((2, 6, 5, 3))))
    assert keras.ops.is_tensor(outputs)
    assert tuple(outputs.shape) == (2, 3, 4, 3)


# On its own.


@pytest.mark.parametrize("name", [n for n in ALL if n not in ALWAYS])
def test_evaluation_is_the_identity(name):
    x = images((2, 6, 5, 3))
    assert np.array_equal(getattr(layers, name)(**ALL[name])(x, training=False), x)


@pytest.mark.parametrize("name", RANDOM)
def test_equal_seeds_give_equal_images_and_calls_differ(name):
    x = images((16, 8, 8, 3))
    first, second = (getattr(layers, name)(**ALL[name], seed=7) for _ in range(2))
    outputs = [first(x) for _ in range(6)]
    assert all(np.array_equal(output, second(x)) for output in outputs)
    assert any(not np.array_equal(output, outputs[0]) for output in outputs)


@pytest.mark.parametrize("name", ALL)
def test_inputs_stay_as_they_were_and_integers_come_out_as_floats(name):
    x = images((4, 8, 8, 3))
    before = x.copy()
    getattr(layers, name)(**ALL[name], name="n")(x)
    assert np.array_equal(x, before)
    integers = (x * 255).astype("uint8")
    arguments = {k: v for k, v in ALL[name].items() if k != "value_range"}
    assert getattr(layers, name)(**arguments)(integers).dtype == np.float32


@pytest.mark.parametrize("name", ALL)
def test_a_layer_comes_back_from_its_config(name):
    seed = {} if name in SEEDLESS else {"seed": 3}
    layer = getattr(layers, name)(**ALL[name], **seed)
    twin = type(layer).from_config(layer.get_config())
    x = images((4, 6, 5, 3))
    assert twin.get_config() == layer.get_config()
    assert np.array_equal(twin(x), layer(x))


@pytest.mark.parametrize("name", [n for n in ALL if n != "Equalization"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_a_single_image_keeps_its_axes(name, data_format):
    shape = (6, 5, 3) if data_format == "channels_last" else (3, 6, 5)
    layer = getattr(layers, name)(**ALL[name], data_format=data_format)
    assert layer(images(shape)).shape == layer.compute_output_shape(shape)


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("size", [(6, 5), (2, 5)])
def test_gradient_agrees_with_finite_differences(name, data_format, size):
    arguments = {**LINEAR[name], "data_format": data_format, "dtype": "float64"}
    arguments |= {} if name in SEEDLESS else {"seed": 1}
    layer = getattr(layers, name)(**arguments)
    rng = np.random.default_rng(0)
    shape = (4, *size, 3) if data_format == "channels_last" else (4, 3, *size)
    x, direction = rng.random((2, *shape))
    gradient = rng.standard_normal(layer(x).shape)
    transformation = layer._transformation
    back = layer.backward(gradient)
    step = 1e-6
    ahead, behind = (
        layer.transform_images(x + s * direction, transformation) for s in (step, -step)
    )
    slope = np.vdot(gradient, ahead - behind) / (2 * step)
    assert np.vdot(back, direction) == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("name", [*COLOR, *ELASTIC, *JITTER, *POLICIES])
def test_a_layer_without_gradient_says_so(name):
    layer = getattr(layers, name)(**ALL[name])
    x = images((2, 6, 5, 3))
    layer(x)
    with pytest.raises(NotImplementedError, match="put it before the first layer with weights"):
        layer.backward(x)


@pytest.mark.parametrize("name", ["RandAugment", "MixUp", "RandomRotation"])
def test_a_model_trains_behind_augmentation(name):
    arguments = {"factor": 0.1} if name == "RandomRotation" else {}
    model = _model([getattr(layers, name)(**arguments, seed=0)])
    x, y = images((12, 6, 6, 3)), np.arange(12) % 2
    before = model.get_weights()
    model.fit(x, y.astype("float32"), epochs=2, verbose=0)
    assert any(not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def _model(first):
    from reglib.models import Sequential

    model = Sequential([*first, layers.Flatten(), layers.Dense(1, activation="sigmoid")])
    model.build((None, 6, 6, 3))
    model.compile(loss="binary_crossentropy", optimizer="sgd")
    return model


def test_a_pipeline_applies_its_layers_in_order_and_shares_the_dict():
    x = np.arange(16.0).reshape(1, 4, 4, 1)
    steps = [
        layers.RandomTranslation((0.25, 0.25), 0, fill_mode="constant"),
        layers.RandomCrop(2, 2),
    ]
    pipeline = layers.Pipeline(steps)
    out = pipeline({"images": x, "segmentation_masks": x})
    assert np.array_equal(out["images"], out["segmentation_masks"])
    assert out["images"].shape == pipeline.compute_output_shape(x.shape) == (1, 2, 2, 1)
    assert np.array_equal(pipeline(x, training=False), x)
    twin = layers.Pipeline.from_config(pipeline.get_config())
    assert twin.get_config() == pipeline.get_config()
    assert [type(layer) for layer in twin.layers] == [type(layer) for layer in steps]


def test_a_pipeline_carries_the_gradient_through_its_layers():
    pipeline = layers.Pipeline(
        [layers.RandomFlip("horizontal", seed=0), layers.Cutout(1, fill_value=0.0, seed=0)]
    )
    x = images((4, 4, 4, 1))
    out = pipeline(x)
    # Each pixel that was kept gets its own place's gradient: the sum of squares doubles.
    assert np.vdot(pipeline.backward(out), x) == pytest.approx(np.vdot(out, out), rel=1e-5)


def test_a_pipeline_is_seeded_by_its_model():
    def made():
        pipeline = layers.Pipeline([layers.RandomRotation(0.3), layers.MixUp(0.5)])
        pipeline.seed_from(np.random.SeedSequence(5))
        return pipeline

    x = images((6, 5, 5, 1))
    assert np.array_equal(made()(x), made()(x))


def test_augmix_is_fixed_by_its_seed_alone():
    x = images((2, 8, 8, 3))
    drawn = [layers.AugMix(**UNIT, seed=s)(x) for s in (1, 1, 2)]
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_mixup_mixes_images_labels_and_masks_alike():
    x = images((6, 4, 4, 1))
    out = layers.MixUp(0.8, seed=0)({"images": x, "labels": np.eye(6), "segmentation_masks": x})
    mixed = np.einsum("ij,jhwc->ihwc", out["labels"], x)
    np.testing.assert_allclose(out["images"], mixed, atol=1e-6)
    np.testing.assert_allclose(out["segmentation_masks"], mixed, atol=1e-6)


def test_mixup_draws_from_the_beta_distribution():
    drawn = layers.MixUp(0.4, seed=0).get_random_transformation(np.zeros((4000, 1, 1, 1)))
    weight = drawn["mix_weight"].astype(float)
    variance = 1 / (4 * (2 * 0.4 + 1))
    assert abs(weight.mean() - 0.5) < 4.5 * np.sqrt(variance / 4000)
    assert weight.var() == pytest.approx(variance, rel=0.08)
    assert sorted(drawn["permutation_order"]) == list(range(4000))


def test_cutmix_weighs_labels_by_the_area_of_the_box():
    x = np.arange(8.0).reshape(8, 1, 1, 1) * np.ones((8, 64, 64, 1))
    layer = layers.CutMix((1, 1), seed=0)
    out = layer({"images": x, "labels": np.eye(8)})
    own = (out["images"] == x).mean(axis=(1, 2, 3))
    partner = layer._transformation["permutation_order"] != np.arange(8)
    # A box between pixels covers up to one row and one column more or less than its area.
    assert np.allclose(own[partner], np.diag(out["labels"])[partner], atol=2 / 64)
    assert np.allclose(out["labels"].sum(axis=1), 1)


def test_cutmix_leaves_a_single_image_alone():
    x = images((4, 4, 1))
    assert np.array_equal(layers.CutMix()(x), x)


def test_random_erasing_hides_half_of_the_images_by_default_and_all_if_told():
    x = np.full((4000, 8, 8, 1), -1.0)
    changed = [
        (layers.RandomErasing(factor, scale=(0.2, 0.3), seed=0)(x) != x).any(axis=(1, 2, 3))
        for factor in (1.0, (1, 1))
    ]
    assert abs(changed[0].mean() - 0.5) < 6.2 * 0.5 / np.sqrt(4000)
    assert changed[1].all()


def test_random_erasing_fills_each_channel_with_its_own_value():
    for data_format, shape in (("channels_last", (2, 4, 5, 3)), ("channels_first", (2, 3, 4, 5))):
        layer = layers.RandomErasing((1, 1), 1.0, (1, 2, 3), seed=0, data_format=data_format)
        layer.scale = (1.0, 1.0)
        out = layer(np.zeros(shape))
        if data_format == "channels_first":
            out = out.transpose(0, 2, 3, 1)
        assert (out == [1, 2, 3]).all()


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_random_erasing_fills_every_erased_pixel_with_clipped_noise(data_format, dtype):
    x = np.full((300, 20, 16, 3), -7.0)
    if data_format == "channels_first":
        x = x.transpose(0, 3, 1, 2)
    layer = layers.RandomErasing(
        (0.5, 0.5), (0.1, 0.9), value_range=(-1, 2), seed=0, data_format=data_format, dtype=dtype
    )
    out = layer(x)
    drawn = layer._transformation
    erased = drawn["batch_masks"] & drawn["apply_erasing"][:, None, None, None]
    assert out.dtype == drawn["fill_value"].dtype == dtype
    assert np.array_equal(out != -7, erased)
    noise = out[erased].astype(float)
    # A normal of standard deviation 2, clipped to [-1, 2]; its median is not clipped.
    assert noise.min() == -1
    assert noise.max() == 2
    for point, share in ((-0.5, 0.4012937), (0, 0.5), (1, 0.6914625)):
        assert abs((noise < point).mean() - share) < 6.2 * 0.5 / np.sqrt(len(noise))
    inner = noise[(noise > -1) & (noise < 2)]
    assert len(np.unique(inner)) > 0.98 * len(inner)


@pytest.mark.parametrize("size", [1, 3, (2, 5)])
def test_cutout_hides_one_box_an_image_and_nothing_else(size):
    x = np.ones((2000, 9, 7, 2))
    out = layers.Cutout(size, fill_value=-1.0, seed=0)(x)
    height, width = size if isinstance(size, tuple) else (size, size)
    hidden = (out == -1).all(axis=-1)
    assert ((out == -1) | (out == 1)).all()
    sides = hidden.any(axis=2).sum(axis=1), hidden.any(axis=1).sum(axis=1)
    assert (hidden.sum(axis=(1, 2)) == sides[0] * sides[1]).all()
    assert sides[0].max() == height
    assert sides[1].max() == width
    # Every pixel is hidden now and then (once in 10**12 runs one of 63 is not), and boxes at
    # the edge are smaller.
    assert hidden.any(axis=0).all()
    assert size == 1 or sides[0].min() < height or sides[1].min() < width


def test_the_cutout_function_keeps_the_dtype_and_the_input():
    x = np.full((3, 4, 4, 1), 7, dtype="uint8")
    out = cutout(x, 2, generator=0)
    assert out.dtype == np.uint8
    assert (x == 7).all()
    assert (out == 0).any()


def test_box_masks_count_the_pixels_between_the_edges():
    assert box_masks((3, 3), [0.5], [2.0], [-1], [1]).astype(int).tolist() == [
        [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    ]


def test_contrast_grows_only_unless_a_pair_is_given():
    x = np.zeros((2000, 1, 1, 1))
    grown = layers.RandomContrast(0.5, seed=0).get_random_transformation(x)["contrast_factor"]
    both = layers.RandomContrast((0.5, 0.5), seed=0).get_random_transformation(x)["contrast_factor"]
    assert 1.0 <= grown.min() < 1.01
    assert 1.49 < grown.max() <= 1.5
    assert both.min() < 0.51
    assert both.max() > 1.49


def test_hues_go_around_and_come_back():
    x = images((5, 4, 3, 3))
    layer = layers.RandomHue(1.0, value_range=(0, 1))
    for turn in (1 / 3, -0.25):
        there = layer.transform_images(x, {"factor": np.full(5, turn)})
        assert not np.allclose(there, x, atol=0.1)
        back = layer.transform_images(there, {"factor": np.full(5, -turn)})
        np.testing.assert_allclose(back, x, atol=1e-5)
    third = layer.transform_images(x, {"factor": np.full(5, 1 / 3)})
    np.testing.assert_allclose(third, np.roll(x, 1, axis=-1), atol=1e-5)


def test_saturation_keeps_what_is_brightest_and_zero_leaves_gray():
    x = images((5, 4, 3, 3))
    layer = layers.RandomSaturation(1.0, value_range=(0, 1))
    for factor in (0.0, 0.5, 1.0, 3.0):
        out = layer.transform_images(x, {"factor": np.full(5, factor)})
        np.testing.assert_allclose(out.max(axis=-1), x.max(axis=-1), rtol=1e-6)
    gray = layer.transform_images(x, {"factor": np.zeros(5)})
    np.testing.assert_allclose(gray, x.max(axis=-1, keepdims=True) * np.ones(3), rtol=1e-6)


@pytest.mark.parametrize("name", ["RandomInvert", "RandomGaussianBlur", "RandomElasticTransform"])
def test_half_of_the_images_are_changed_by_default_and_all_if_told(name):
    x = images((4000, 3, 3, 1))
    for factor, expected in ((1.0, 0.5), ((1, 1), 1.0)):
        out = getattr(layers, name)(factor, value_range=(0, 1), seed=0)(x)
        changed = (out != x).any(axis=(1, 2, 3)).mean()
        assert abs(changed - expected) < 6.2 * 0.5 / np.sqrt(4000)


def test_a_constant_channel_survives_auto_contrast_and_equalization():
    x = np.full((1, 3, 3, 1), 40.0)
    assert np.array_equal(layers.AutoContrast()(x), x)
    np.testing.assert_allclose(layers.Equalization()(x), x)


# Bad input.


@pytest.mark.parametrize(
    ("name", "arguments", "argument"),
    [
        ("RandomContrast", {"factor": 2.0}, "factor"),
        ("RandomContrast", {"factor": "strong"}, "factor"),
        ("RandomContrast", {"factor": 0.1, "value_range": 255}, "value_range"),
        ("RandomBrightness", {"factor": -1.5}, "factor"),
        ("RandomBrightness", {"factor": 0.1, "value_range": (0, 1, 2)}, "value_range"),
        ("RandomBrightness", {"factor": 0.1, "value_range": (1, 1)}, "value_range"),
        ("RandomColorDegeneration", {"factor": 1.2}, "factor"),
        ("RandomSharpness", {"factor": -0.1}, "factor"),
        ("RandomPosterization", {"factor": 9}, "factor"),
        ("RandomPosterization", {"factor": (0, 4)}, "factor"),
        ("Solarization", {"addition_factor": 2}, "addition_factor"),
        ("Solarization", {"threshold_factor": (0, np.nan)}, "threshold_factor"),
        ("AutoContrast", {"value_range": ("a", "b")}, "value_range"),
        ("Equalization", {"bins": 1}, "bins"),
        ("Equalization", {"bins": 2.5}, "bins"),
        ("RandomErasing", {"factor": 1.1}, "factor"),
        ("RandomErasing", {"scale": (0.1, 1.1)}, "scale"),
        ("RandomErasing", {"fill_value": (1, 2)}, "fill_value"),
        ("RandomErasing", {"fill_value": "noise"}, "fill_value"),
        ("Cutout", {"size": 0}, "size"),
        ("Cutout", {"size": 1.5}, "size"),
        ("Cutout", {"size": (1, 2, 3)}, "size"),
        ("Cutout", {"size": 1, "fill_value": np.nan}, "fill_value"),
        ("MixUp", {"alpha": 0}, "alpha"),
        ("MixUp", {"alpha": "0.2"}, "alpha"),
        ("CutMix", {"factor": -0.2}, "factor"),
        ("RandomCrop", {"height": 0, "width": 2}, "height"),
        ("RandomCrop", {"height": 2, "width": 2.0}, "width"),
        ("RandAugment", {"num_ops": -1}, "num_ops"),
        ("RandAugment", {"factor": 1.5}, "factor"),
        ("RandAugment", {"interpolation": "cubic"}, "interpolation"),
        ("AugMix", {"alpha": 0.0}, "alpha"),
        ("AugMix", {"num_chains": 0}, "num_chains"),
        ("AugMix", {"chain_depth": 1.5}, "chain_depth"),
        ("AugMix", {"value_range": None}, "value_range"),
        ("RandomInvert", {"factor": 1.5}, "factor"),
        ("RandomGrayscale", {"factor": -0.1}, "factor"),
        ("RandomGrayscale", {"factor": (0.1, 0.5)}, "factor"),
        ("RandomHue", {"factor": 1.5}, "factor"),
        ("RandomSaturation", {"factor": 0.5, "value_range": 1}, "value_range"),
        ("RandomColorJitter", {"hue_factor": 2}, "hue_factor"),
        ("RandomColorJitter", {"value_range": (1,)}, "value_range"),
        ("RandomGaussianBlur", {"kernel_size": 2}, "kernel_size"),
        ("RandomGaussianBlur", {"kernel_size": (3, 3, 3)}, "kernel_size"),
        ("RandomGaussianBlur", {"kernel_size": 1.5}, "kernel_size"),
        ("RandomGaussianBlur", {"sigma": 2}, "sigma"),
        ("RandomElasticTransform", {"scale": 1.5}, "scale"),
        ("RandomPerspective", {"factor": 2}, "factor"),
        ("RandomPerspective", {"scale": -0.5}, "scale"),
        ("RandomPerspective", {"interpolation": "cubic"}, "interpolation"),
        ("RandomElasticTransform", {"fill_mode": "edge"}, "fill_mode"),
        ("RandomElasticTransform", {"interpolation": "cubic"}, "interpolation"),
        ("CenterCrop", {"height": 2, "width": 0}, "width"),
        ("Resizing", {"height": 1.5, "width": 2}, "height"),
        ("Resizing", {"height": 1, "width": 2, "interpolation": "area"}, "interpolation"),
        ("Resizing", {"height": 1, "width": 2, "fill_mode": "reflect"}, "fill_mode"),
        ("Resizing", {"height": 1, "width": 2, "fill_value": np.inf}, "fill_value"),
        ("Rescaling", {"scale": "a"}, "scale"),
        ("Rescaling", {"scale": 1, "offset": [np.nan]}, "offset"),
        ("Pipeline", {"layers": []}, "layers"),
        ("Pipeline", {"layers": ["flip"]}, "layers"),
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
        (np.zeros((0, 4, 4, 3)), ValueError, "images must not be empty"),
        (np.full((1, 8, 8, 3), np.nan), ValueError, "images must be finite"),
        (np.array([[[["a"]]]]), TypeError, "must hold numbers"),
    ],
)
def test_bad_images_are_refused(name, bad, error, message):
    with pytest.raises(error, match=message):
        getattr(layers, name)(**ALL[name])(bad)


@pytest.mark.parametrize("name", MIXING)
@pytest.mark.parametrize(
    ("labels", "error"), [(np.arange(4), ValueError), (np.array([["a"]] * 4), TypeError)]
)
def test_labels_that_cannot_be_mixed_are_refused(name, labels, error):
    with pytest.raises(error, match=r"^labels must"):
        getattr(layers, name)()({"images": images((4, 3, 3, 1)), "labels": labels})


def test_resizing_keeps_proportions_in_one_way_only():
    with pytest.raises(ValueError, match=r"^pad_to_aspect_ratio must be False if"):
        layers.Resizing(2, 3, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True)


@pytest.mark.parametrize("name", ["RandomHue", "RandomSaturation"])
def test_hue_and_saturation_need_three_channels(name):
    with pytest.raises(ValueError, match="images must have 3 channels, got 1"):
        getattr(layers, name)(0.5)(images((1, 3, 3, 1)))


def test_gray_needs_one_or_three_channels():
    with pytest.raises(ValueError, match="images must have 1 or 3 channels, got 2"):
        layers.RandomColorDegeneration(0.5)(images((1, 3, 3, 2)))


def test_cutout_refuses_what_is_no_image():
    with pytest.raises(ValueError, match="images must have 3 or 4 axes"):
        cutout(np.zeros(3), 1)
    with pytest.raises(ValueError, match="images must be finite"):
        cutout(np.full((2, 2, 1), np.inf), 1)


def test_a_pipeline_config_without_layers_is_refused():
    with pytest.raises(ValueError, match="config must have a list 'layers'"):
        layers.Pipeline.from_config({"name": "n"})
