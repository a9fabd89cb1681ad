"""Activations: values against Keras, derivatives against finite differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reglib import activations, layers, models
from reglib.gradcheck import check_gradient

OPTIONS = {
    "relu": [
        {},
        {"negative_slope": 0.1},
        {"max_value": 1.0},
        {"threshold": 0.5},
        {"negative_slope": 0.5, "max_value": 1.5, "threshold": 0.25},
    ],
    "leaky_relu": [{}, {"negative_slope": 0.01}],
    "elu": [{}, {"alpha": 0.3}],
    "gelu": [{}, {"approximate": True}],
    "softmax": [{}, {"axis": 1}, {"axis": (1, 2)}],
    "log_softmax": [{}, {"axis": 1}, {"axis": (1, 2)}],
}
NAMES = sorted(activations._REGISTRY)
CASES = [(name, options) for name in NAMES for options in OPTIONS.get(name, [{}])]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_derivatives_agree_with_finite_differences(name, options, rng):
    activation = getattr(activations, name, None) or activations.get(name)
    z = 3 * rng.normal(size=(4, 3, 5))
    upstream = rng.normal(size=z.shape)
    check_gradient(
        lambda z: float((upstream * activation.value(z, **options)).sum()),
        lambda z: activation.gradient(upstream, z, activation.value(z, **options), **options),
        z,
        eps=1e-6,
        rtol=1e-6,
    )


@pytest.mark.keras
@pytest.mark.parametrize(("name", "options"), CASES)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([1e-3, 1.0, 15.0]))
def test_values_agree_with_keras(name, options, seed, scale):
    import keras

    activation = getattr(activations, name, None) or activations.get(name)
    z = (scale * np.random.default_rng(seed).normal(size=(4, 3, 5))).astype("float32")
    expected = np.asarray(getattr(keras.activations, name)(z, **options))
    found = activation(z, **options)
    assert found.dtype == "float32"
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("name", sorted(activations._REGISTRY))
def test_large_numbers_do_no_harm(name):
    """No overflow is reported; e to the power of a large number alone has nothing else to say."""
    activation = activations.get(name)
    large = 80.0 if name == "exponential" else 1e4
    z = np.array([[-large, -1.0, 0.0, 1.0, large]], dtype="float32")
    a = activation(z)
    gradient = activation.gradient(np.ones_like(z), z, a)
    assert np.isfinite(a).all()
    assert np.isfinite(gradient).all()
    assert gradient.dtype == "float32"


@pytest.mark.parametrize("name", sorted(activations._REGISTRY))
def test_a_layer_can_name_it(name, tmp_path):
    model = models.Sequential([layers.Dense(4, name), layers.Dense(1)], seed=0)
    model.compile("sgd", "mse")
    x = np.linspace(-1, 1, 16).reshape(8, 2)
    model.fit(x, x[:, :1], verbose=0)
    model.save(tmp_path / "model.npz")
    np.testing.assert_array_equal(models.load_model(tmp_path / "model.npz")(x), model(x))


def test_gelu_needs_no_scipy(monkeypatch):
    z = np.linspace(-4, 4, 9, dtype="float32")
    with_scipy = activations.gelu(z)
    monkeypatch.setitem(__import__("sys").modules, "scipy.special", None)
    without = activations.gelu(z)
    assert without.dtype == "float32"
    np.testing.assert_allclose(without, with_scipy, rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: activations.get("reul"), ValueError, "activation must be one of .*relu.*'reul'"),
        (lambda: activations.get(np.tanh), TypeError, "activation must be a name or an Activ"),
        (lambda: activations.deserialize("reul"), ValueError, "activation must be one of"),
        (lambda: activations.relu(["a"]), TypeError, "z must hold numbers, got dtype <U1"),
        (lambda: activations.relu([1.0], slope=1), TypeError, "slope"),
        (lambda: activations.relu([1.0], "a"), TypeError, "negative_slope must be a number"),
        (lambda: activations.relu([1.0], max_value=-1), ValueError, "max_value must be a finite"),
        (lambda: activations.relu([1.0], threshold="a"), TypeError, "threshold must be a number"),
        (
            lambda: activations.leaky_relu([1.0], np.nan),
            ValueError,
            "negative_slope must be finite",
        ),
        (lambda: activations.elu([1.0], "a"), TypeError, "alpha must be a number"),
        (lambda: activations.gelu([1.0], "yes"), TypeError, "approximate must be True or False"),
        (lambda: activations.softmax([1.0], axis=0.5), TypeError, "axis must be an integer"),
        (lambda: activations.log_softmax([1.0], axis="a"), TypeError, "axis must be an integer"),
        (lambda: activations.softmax([1.0], axis=1), ValueError, "axis"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
