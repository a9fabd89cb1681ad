"""Penalties and constraints: numbers of Keras, derivatives by finite differences, projections."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from reglib import constraints, regularizers
from reglib.gradcheck import check_gradient

MATRICES = npst.arrays(
    np.float32,
    npst.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=6),
    elements=st.floats(-4, 4, width=32),
)
PENALTIES = {
    "L1": {"l1": 0.3},
    "L2": {"l2": 0.2},
    "L1L2": {"l1": 0.3, "l2": 0.2},
    "OrthogonalRegularizer": {"factor": 0.5, "mode": "rows"},
}
CONSTRAINTS = {
    "MaxNorm": {"max_value": 1.5, "axis": 0},
    "UnitNorm": {"axis": 1},
    "NonNeg": {},
    "MinMaxNorm": {"min_value": 0.5, "max_value": 1.5, "rate": 0.7, "axis": 0},
}


@pytest.mark.not_on_keras_numpy("normalizes arrays by the wrong axis")
@pytest.mark.keras
@pytest.mark.parametrize("name", PENALTIES)
@settings(deadline=None, max_examples=60)
@given(w=MATRICES)
def test_penalties_agree_with_keras(name, w):
    import keras

    ours = getattr(regularizers, name)(**PENALTIES[name])
    theirs = getattr(keras.regularizers, name)(**PENALTIES[name])
    expected = np.asarray(theirs(keras.ops.convert_to_tensor(w)))
    # A sum of many terms in two orders differs by rounding.
    np.testing.assert_allclose(ours(w), expected, rtol=2e-6, atol=2e-6)
    assert ours(w).dtype == w.dtype


@pytest.mark.not_on_keras_numpy("normalizes arrays by the wrong axis")
@pytest.mark.keras
@settings(deadline=None, max_examples=30)
@given(w=MATRICES)
def test_orthogonality_of_columns_agrees_with_keras_tensors(w):
    import keras

    theirs = keras.regularizers.OrthogonalRegularizer(0.5, mode="columns")
    ours = regularizers.OrthogonalRegularizer(0.5, mode="columns")
    expected = np.asarray(theirs(keras.ops.convert_to_tensor(w)))
    np.testing.assert_allclose(ours(w), expected, rtol=2e-6, atol=2e-6)


@pytest.mark.keras
@pytest.mark.parametrize("name", CONSTRAINTS)
@settings(deadline=None, max_examples=60)
@given(w=MATRICES)
def test_constraints_agree_with_keras(name, w):
    import keras

    ours = getattr(constraints, name)(**CONSTRAINTS[name])
    theirs = getattr(keras.constraints, name)(**CONSTRAINTS[name])
    np.testing.assert_allclose(ours(w), np.asarray(theirs(w)), rtol=2e-6, atol=1e-6)


@pytest.mark.keras
@pytest.mark.parametrize(
    ("module", "name", "options"),
    [("regularizers", name, options) for name, options in PENALTIES.items()]
    + [("constraints", name, options) for name, options in CONSTRAINTS.items()],
)
def test_descriptions_are_those_of_keras(module, name, options):
    import keras

    ours = {"regularizers": regularizers, "constraints": constraints}[module]
    theirs = getattr(keras, module)
    mine, other = getattr(ours, name)(**options), getattr(theirs, name)(**options)
    described, expected = ours.serialize(mine), theirs.serialize(other)
    assert {**described, "config": 0} == {**expected, "config": 0}
    # Keras rounds some of its numbers to float32.
    for key, value in expected["config"].items():
        assert described["config"][key] == (
            value if isinstance(value, str) else pytest.approx(value, rel=1e-6)
        )
    assert ours.deserialize(theirs.serialize(other)).get_config() == other.get_config()


@pytest.mark.keras
@pytest.mark.parametrize("name", PENALTIES)
def test_a_keras_layer_takes_our_penalty(name, rng):
    import keras

    x = rng.normal(size=(4, 6)).astype("float32")
    layer = keras.layers.Dense(3, kernel_regularizer=getattr(regularizers, name)(**PENALTIES[name]))
    layer(x)
    expected = getattr(regularizers, name)(**PENALTIES[name])(np.asarray(layer.kernel))
    assert float(layer.losses[0]) == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize(
    "penalty",
    [
        regularizers.L1(0.3),
        regularizers.L2(0.2),
        regularizers.L1L2(0.3, 0.2),
        regularizers.OrthogonalRegularizer(0.5),
        regularizers.OrthogonalRegularizer(0.5, mode="columns"),
    ],
    ids=repr,
)
def test_gradients_agree_with_finite_differences(penalty, rng):
    w = rng.normal(size=(4, 3))
    assert check_gradient(lambda v: float(penalty(v)), penalty.gradient, w) < 1e-6


def test_a_single_vector_has_nothing_to_be_orthogonal_to():
    # Keras 3.15 divides by the number of pairs, which is 0, and returns NaN.
    assert regularizers.OrthogonalRegularizer()(np.ones((1, 3))) == 0


def test_textbook_factors_are_halves_over_m():
    w, lam, m = np.array([3.0, -4.0]), 0.7, 5
    assert regularizers.L2(lam / (2 * m))(w) == pytest.approx(lam / (2 * m) * 25)


@pytest.mark.parametrize(
    ("proximal", "penalty"),
    [
        (lambda w: regularizers.proximal_l1(w, 0.4), lambda u: 0.4 * np.abs(u)),
        (lambda w: regularizers.proximal_l2(w, 0.3), lambda u: 0.3 * u**2),
        (
            lambda w: regularizers.proximal_elastic_net(w, 0.4, 0.3),
            lambda u: 0.4 * np.abs(u) + 0.3 * u**2,
        ),
    ],
)
def test_a_proximal_step_is_a_minimum(proximal, penalty):
    candidates = np.linspace(-3, 3, 60_001)
    for w in (-2.3, -0.3, 0.0, 0.39, 1.7):
        objective = 0.5 * (candidates - w) ** 2 + penalty(candidates)
        assert proximal(np.array(w)) == pytest.approx(candidates[objective.argmin()], abs=1e-4)


@settings(deadline=None)
@given(w=MATRICES)
def test_projections_hold_and_repeat(w):
    tolerance = 1 + 1e-5
    assert (np.linalg.norm(constraints.MaxNorm(1.5)(w), axis=0) <= 1.5 * tolerance).all()
    assert (constraints.NonNeg()(w) >= 0).all()
    within = constraints.MaxNorm(1.5)(w)
    np.testing.assert_allclose(constraints.MaxNorm(1.5)(within), within, rtol=1e-5, atol=1e-6)


def test_the_base_of_all_constraints_constrains_nothing(rng):
    w = rng.normal(size=(3, 4))
    np.testing.assert_array_equal(constraints.Constraint()(w), w)
    assert constraints.Constraint().get_config() == {}


def test_every_way_to_name_a_penalty():
    for identifier in ("l2", "L2", regularizers.L2, regularizers.L2(0.01)):
        assert regularizers.get(identifier).l2 == 0.01
    assert regularizers.get(None) is None
    assert isinstance(regularizers.get("l1_l2"), regularizers.L1L2)  # Keras 3.15 refuses it
    assert regularizers.get(np.sum) is np.sum


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: regularizers.L1(-0.1), ValueError, "l1 must be a finite number >= 0, got -0.1"),
        (lambda: regularizers.L2(np.nan), ValueError, "l2 must be a finite number >= 0, got nan"),
        (lambda: regularizers.L2(np.inf), ValueError, "l2 must be a finite number >= 0, got inf"),
        (lambda: regularizers.L1L2(l2="a"), TypeError, "l2 must be a number, got 'a'"),
        (
            lambda: regularizers.OrthogonalRegularizer(mode="diagonal"),
            ValueError,
            "mode must be one of 'rows', 'columns'",
        ),
        (
            lambda: regularizers.OrthogonalRegularizer()(np.ones(3)),
            ValueError,
            r"x must be a matrix of weights, got shape \(3,\)",
        ),
        (lambda: regularizers.get("l3"), ValueError, "regularizer must be one of .*, got 'l3'"),
        (lambda: regularizers.get(3), ValueError, "regularizer must be None, a name"),
        (lambda: regularizers.deserialize({"config": {}}), ValueError, "must have a 'class_name'"),
        (
            lambda: regularizers.proximal_l1(np.ones(2), -1),
            ValueError,
            "threshold must be a finite number >= 0, got -1",
        ),
        (lambda: constraints.MaxNorm(-1), ValueError, "max_value must be a finite number >= 0"),
        (lambda: constraints.MinMaxNorm(rate=2), ValueError, r"rate must be in \[0, 1\], got 2"),
        (lambda: constraints.get("norm"), ValueError, "constraint must be one of"),
    ],
)
def test_bad_input_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()
