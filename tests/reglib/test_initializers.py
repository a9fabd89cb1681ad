"""Initializers: Keras's names, configs and spreads; repeatable where they have a seed."""

import json

import numpy as np
import pytest

from reglib import initializers, layers, models

RANDOM = {
    "RandomNormal": {"mean": 0.5, "stddev": 0.2},
    "TruncatedNormal": {"mean": 0.5, "stddev": 0.2},
    "RandomUniform": {"minval": -0.5, "maxval": 1.0},
    "GlorotUniform": {},
    "GlorotNormal": {},
    "HeUniform": {},
    "HeNormal": {},
    "LecunUniform": {},
    "LecunNormal": {},
    "Orthogonal": {"gain": 1.5},
    "VarianceScaling": {"scale": 3.0, "mode": "fan_out", "distribution": "untruncated_normal"},
}
SCALINGS = [
    (mode, distribution)
    for mode in ("fan_in", "fan_out", "fan_avg")
    for distribution in ("truncated_normal", "normal", "untruncated_normal", "uniform")
]
FIXED = {
    "Zeros": {},
    "Ones": {},
    "Constant": {"value": 0.25},
    "Identity": {"gain": 2.0},
}
NAMES = [*RANDOM, *FIXED]
STREAMS = [
    0.014478474223155513,
    0.13890279496426178,
    0.19643821648998824,
    0.017279209603239302,
    0.10694493380705827,
]


def moments(values):
    values = np.asarray(values, dtype="float64")
    return values.mean(), values.std(), np.abs(values).max()


def close(found, expected):
    """Means and spreads of 40,000 numbers, and about their largest."""
    mean, std, largest = found
    assert mean == pytest.approx(expected[0], abs=6 * expected[1] / 200)
    assert std == pytest.approx(expected[1], rel=0.05)
    assert largest == pytest.approx(expected[2], rel=0.3)


@pytest.mark.keras
@pytest.mark.parametrize("name", RANDOM)
@pytest.mark.parametrize("shape", [(100, 400), (5, 5, 40, 40)])
def test_weights_spread_as_in_keras(name, shape):
    import keras

    options = {**RANDOM[name], "seed": 1}
    ours = getattr(initializers, name)(**options)(shape)
    close(moments(ours), moments(getattr(keras.initializers, name)(**options)(shape)))
    assert ours.dtype == "float32"


@pytest.mark.keras
@pytest.mark.parametrize(("mode", "distribution"), SCALINGS)
@pytest.mark.parametrize("axes", [{}, {"input_axes": [0], "output_axes": [1, 2]}])
def test_variances_scale_as_in_keras(mode, distribution, axes):
    import keras

    options = {"scale": 2.5, "mode": mode, "distribution": distribution, "seed": 3, **axes}
    shape = (40, 10, 100)
    ours = initializers.VarianceScaling(**options)(shape)
    close(moments(ours), moments(keras.initializers.VarianceScaling(**options)(shape)))


@pytest.mark.keras
@pytest.mark.parametrize("name", NAMES)
def test_configs_are_those_of_keras(name):
    import keras

    options = {**RANDOM.get(name, {}), **FIXED.get(name, {})}
    if name in RANDOM:
        options["seed"] = 5
    ours = getattr(initializers, name)(**options)
    theirs = getattr(keras.initializers, name)(**options)
    if name != "Identity":  # Keras forgets the gain of an identity
        assert ours.get_config() == theirs.get_config()
    assert type(keras.initializers.get(initializers.serialize(ours))) is type(theirs)


@pytest.mark.parametrize("name", NAMES)
def test_a_config_gives_the_same_weights(name):
    options = {**RANDOM.get(name, {}), **FIXED.get(name, {})}
    if name in RANDOM:
        options["seed"] = 5
    first = getattr(initializers, name)(**options)
    second = initializers.deserialize(json.loads(json.dumps(initializers.serialize(first))))
    np.testing.assert_array_equal(first((4, 6)), second((4, 6)))


@pytest.mark.parametrize("name", RANDOM)
def test_a_seed_repeats_and_a_generator_goes_on(name):
    make = getattr(initializers, name)
    seeded, going_on = make(seed=3), make(seed=np.random.default_rng(3))
    first = going_on((4, 6))
    np.testing.assert_array_equal(seeded((4, 6)), first)
    np.testing.assert_array_equal(seeded((4, 6)), first)
    config = json.loads(json.dumps(going_on.get_config()))
    second = going_on((4, 6))
    assert (second != first).any()
    np.testing.assert_array_equal(make.from_config(config)((4, 6)), second)


@pytest.mark.parametrize("name", RANDOM)
def test_without_a_seed_weights_come_from_the_generator_of_the_layer(name):
    initializer = getattr(initializers, name)()
    given = [initializer((4, 6), generator=np.random.default_rng(8)) for _ in range(2)]
    np.testing.assert_array_equal(*given)


def test_the_weights_of_a_seed_stay_what_they_were():
    """The book's figures hang on them."""
    drawn = [
        getattr(initializers, name)(seed=1)((8, 8), "float64")[0, 0]
        for name in ("GlorotUniform", "GlorotNormal", "HeNormal", "RandomNormal", "Orthogonal")
    ]
    np.testing.assert_allclose(drawn, STREAMS, rtol=1e-12)


def test_weights_can_be_given_as_an_array(rng):
    array = rng.normal(size=(3, 2))
    np.testing.assert_array_equal(initializers.get(array)((3, 2), "float64"), array)
    bias = initializers.Constant([1, 2])
    layer = layers.Dense(2, kernel_initializer=array, bias_initializer=bias)
    model = models.Sequential([layer])
    model.build((None, 3))
    np.testing.assert_array_equal(layer.get_weights()[1], [1, 2])
    copy = models.clone_model(model)
    copy.build((None, 3))
    np.testing.assert_array_equal(copy.get_weights()[0], array.astype("float32"))


def test_a_cut_normal_is_cut():
    values = initializers.TruncatedNormal(1.0, 0.5, seed=0)((200, 200))
    assert np.abs(values - 1).max() <= 1


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: initializers.Constant("a"), TypeError, "value must be a number"),
        (lambda: initializers.Constant(["a"]), TypeError, "value must be a number, got"),
        (lambda: initializers.Constant([1, 2])((3,)), ValueError, r"value must fit .* \(3,\), got"),
        (lambda: initializers.Identity("a"), TypeError, "gain must be a number"),
        (lambda: initializers.Identity()((3,)), ValueError, r"shape must have 2 axes, got \(3,\)"),
        (lambda: initializers.Orthogonal()((3,)), ValueError, "shape must have at least 2 axes"),
        (lambda: initializers.RandomNormal(stddev=-1), ValueError, "stddev must be a finite"),
        (lambda: initializers.TruncatedNormal("a"), TypeError, "mean must be a number"),
        (lambda: initializers.RandomUniform(minval=np.nan), ValueError, "minval must be finite"),
        (lambda: initializers.GlorotUniform("a"), TypeError, "seed must be an integer"),
        (lambda: initializers.GlorotUniform(-1), ValueError, "seed must be at least 0, got -1"),
        (lambda: initializers.VarianceScaling(0), ValueError, "scale must be a finite number > 0"),
        (lambda: initializers.VarianceScaling(mode="fan"), ValueError, "mode must be one of 'fan_"),
        (
            lambda: initializers.VarianceScaling(distribution="even"),
            ValueError,
            "distribution must be one of",
        ),
        (
            lambda: initializers.VarianceScaling(distribution=1),
            TypeError,
            "distribution must be a string",
        ),
        (lambda: initializers.HeNormal(input_axes=0), TypeError, "input_axes must be a list of"),
        (lambda: initializers.HeNormal(output_axes=["a"]), TypeError, "output_axes must be an int"),
        (
            lambda: initializers.compute_fans((3, 4), [0], [2]),
            ValueError,
            r"output_axes must be axes of shape \(3, 4\), got \[2\]",
        ),
        (lambda: initializers.compute_fans("ab"), TypeError, "shape must be a list of lengths"),
        (lambda: initializers.get("glorot"), ValueError, "initializer must be one of"),
    ],
)
def test_bad_input_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()
