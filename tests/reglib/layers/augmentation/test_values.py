"""Color, erasing, mixing, cropping and policies: Keras's numbers, promises, bad input."""

import inspect
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reglib import layers
from reglib._twin import to_keras_layer
from reglib.layers.augmentation import cutout
from reglib.layers.augmentation.erasing import box_masks

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
}
MIXING = {"MixUp": {"alpha": 0.4}, "CutMix": {"factor": (0.5, 1.0)}}
ERASING = {"RandomErasing": {"factor": (0.5, 1.0), **UNIT}}
POLICIES = {"RandAugment": UNIT}
CROP = {"RandomCrop": {"height": 3, "width": 4}}
RESIZING = {
    "Resizing": {"height": 4, "width": 3, "interpolation": "bicubic", "pad_to_aspect_ratio": True}
}
LINEAR = {**ERASING, **MIXING, **CROP, **RESIZING, "Cutout": {"size": 2}}
SHARED = {
    **COLOR,
    **ERASING,
    **MIXING,
    **POLICIES,
    **CROP,
    **RESIZING,
}
ALL = {**SHARED, "Cutout": {"size": 2}}
SEEDLESS = ("AutoContrast", "Equalization", "Resizing")
ALWAYS = ("AutoContrast", "Resizing")
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
    if name in POLICIES:
        assert set(mine) == set(theirs)
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
@pytest.mark.parametrize("name", SHARED)
def test_a_layer_becomes_one_of_keras(keras, name):
    layer = getattr(layers, name)(**SHARED[name])
    theirs, mine = to_keras_layer(layer).get_config(), layer.get_config()
    for key in set(mine) - {"name", "dtype", "trainable"}:
        # Without a seed, Keras's RandomCrop keeps the one that it made up.
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


@pytest.mark.parametrize("name", [*COLOR, *POLICIES])
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
