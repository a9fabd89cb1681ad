"""Losses: values against Keras, gradients against finite differences."""

import inspect
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reglib import activations, losses
from reglib.gradcheck import check_gradient

CASES = {
    "mse": (losses.MeanSquaredError(), "real"),
    "mae": (losses.MeanAbsoluteError(), "real"),
    "mape": (losses.MeanAbsolutePercentageError(), "real"),
    "huber": (losses.Huber(delta=0.7), "real"),
    "divergence": (losses.KLDivergence(), "teacher"),
    "binary": (losses.BinaryCrossentropy(), "yes-no"),
    "binary smoothed": (losses.BinaryCrossentropy(label_smoothing=0.2), "yes-no"),
    "binary logits": (losses.BinaryCrossentropy(from_logits=True), "yes-no logits"),
    "categorical": (losses.CategoricalCrossentropy(), "classes"),
    "categorical smoothed": (losses.CategoricalCrossentropy(label_smoothing=0.1), "classes"),
    "categorical logits": (losses.CategoricalCrossentropy(from_logits=True), "class logits"),
    "sparse": (losses.SparseCategoricalCrossentropy(), "labels"),
    "sparse logits": (losses.SparseCategoricalCrossentropy(from_logits=True), "label logits"),
    "sparse but one": (losses.SparseCategoricalCrossentropy(ignore_class=1), "labels"),
    "sparse logits but one": (
        losses.SparseCategoricalCrossentropy(True, ignore_class=2),
        "label logits",
    ),
    "mean": (losses.MeanSquaredError(reduction="mean"), "real"),
    "sum": (losses.MeanSquaredError(reduction="sum"), "real"),
    "weighted mean": (losses.MeanSquaredError(reduction="mean_with_sample_weight"), "real"),
    "weighted mean but one": (
        losses.SparseCategoricalCrossentropy(ignore_class=1, reduction="mean_with_sample_weight"),
        "labels",
    ),
    "sum but one": (
        losses.SparseCategoricalCrossentropy(ignore_class=1, reduction="sum"),
        "labels",
    ),
}


def draw(kind, rng, shape=(6, 3)):
    """Return targets and predictions of a kind."""
    logits = rng.normal(size=shape)
    if kind == "real":
        return rng.normal(size=logits.shape), logits
    probabilities = np.exp(logits)
    probabilities /= probabilities.sum(axis=-1, keepdims=True)
    if kind == "teacher":
        return rng.dirichlet(np.ones(shape[-1]), size=shape[:-1]), probabilities
    if kind.startswith("yes-no"):
        targets = rng.integers(0, 2, size=shape).astype(float)
        return targets, logits if "logits" in kind else 1 / (1 + np.exp(-logits))
    labels = rng.integers(0, shape[-1], size=shape[:-1])
    targets = np.eye(shape[-1])[labels] if kind.startswith("class") else labels
    return targets, logits if "logits" in kind else probabilities


def weights(weighted, rng, number):
    return {
        "equal": None,
        "by example": rng.uniform(size=number),
        "in a column": rng.uniform(size=(number, 1)),
        "a number": 2.5,
    }[weighted]


WEIGHTED = ["equal", "by example", "in a column", "a number"]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("weighted", WEIGHTED)
def test_gradients_agree_with_finite_differences(case, weighted, rng):
    loss, kind = CASES[case]
    y_true, y_pred = draw(kind, rng)
    weight = weights(weighted, rng, 6)
    check_gradient(
        lambda p: float(loss(y_true, p, weight)),
        lambda p: loss.gradient(y_true, p, weight),
        y_pred,
        eps=1e-6,
        rtol=1e-6,
    )


def weight_for_keras(weight, loss, shape):
    """Spread a weight where a class is ignored: Keras's NumPy backend masks it in place."""
    ignored = getattr(loss, "ignore_class", None)
    if weight is None or ignored is None or np.size(weight) == np.prod(shape):
        return weight
    return np.broadcast_to(weight, shape).copy()


@pytest.mark.keras
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("weighted", WEIGHTED)
def test_values_agree_with_keras(case, weighted, rng):
    import keras

    loss, kind = CASES[case]
    y_true, y_pred = (np.asarray(a, dtype="float32") for a in draw(kind, rng, (7, 3)))
    weight = weights(weighted, rng, 7)
    theirs = getattr(keras.losses, type(loss).__name__)(**loss.get_config())
    expected = float(theirs(y_true, y_pred, weight_for_keras(weight, loss, 7)))
    assert float(loss(y_true, y_pred, weight)) == pytest.approx(expected, rel=2e-6, abs=1e-6)


@pytest.mark.keras
@pytest.mark.parametrize("case", CASES)
def test_losses_of_steps_weigh_and_average_as_in_keras(case, rng):
    """Examples of several steps each: one loss a step."""
    import keras

    loss, kind = CASES[case]
    y_true, y_pred = (np.asarray(a, dtype="float32") for a in draw(kind, rng, (4, 5, 3)))
    theirs = getattr(keras.losses, type(loss).__name__)
    shape = (4, 5)
    for weight in (None, rng.uniform(size=shape), rng.uniform(size=(1, shape[1]))):
        for reduction in losses.base.REDUCTIONS:
            config = {**loss.get_config(), "reduction": reduction}
            np.testing.assert_allclose(
                type(loss)(**config)(y_true, y_pred, weight),
                np.asarray(theirs(**config)(y_true, y_pred, weight_for_keras(weight, loss, shape))),
                rtol=1e-5,
                atol=1e-5,
            )


@pytest.mark.keras
@pytest.mark.parametrize("case", CASES)
def test_the_function_of_a_loss_gives_what_keras_gives(case, rng):
    import keras

    loss, kind = CASES[case]
    y_true, y_pred = (np.asarray(a, dtype="float32") for a in draw(kind, rng, (4, 5, 3)))
    function = next(f for cls, f, *_ in losses._LOSSES if cls is type(loss))
    config = loss.get_config()
    options = {
        name: config[name] for name in inspect.signature(function).parameters if name in config
    }
    theirs = getattr(keras.losses, function.__name__)
    expected = np.asarray(theirs(y_true, y_pred, **options))
    np.testing.assert_allclose(function(y_true, y_pred, **options), expected, rtol=1e-5, atol=1e-5)
    assert type(losses.get(function)) is type(losses.get(function.__name__)) is type(loss)


@pytest.mark.keras
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_shape_and_option_gives_what_keras_gives(data):
    import keras

    case = data.draw(st.sampled_from(sorted(CASES)))
    loss, kind = CASES[case]
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    shape = (*data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=2)), 3)
    y_true, y_pred = (np.asarray(a, dtype="float32") for a in draw(kind, rng, shape))
    config = loss.get_config()
    config["reduction"] = data.draw(st.sampled_from(losses.base.REDUCTIONS))
    if "label_smoothing" in config:
        config["label_smoothing"] = data.draw(st.floats(0, 1))
    if "delta" in config:
        config["delta"] = data.draw(st.floats(0.01, 4))
    expected = getattr(keras.losses, type(loss).__name__)(**config)(y_true, y_pred)
    np.testing.assert_allclose(
        type(loss)(**config)(y_true, y_pred), np.asarray(expected), rtol=2e-5, atol=2e-5
    )


@pytest.mark.parametrize("case", CASES)
def test_a_loss_comes_back_from_its_config(case, rng):
    loss, kind = CASES[case]
    config = json.loads(json.dumps(losses.serialize(loss)))
    copy = losses.deserialize(config)
    assert type(copy) is type(loss)
    assert copy.get_config() == loss.get_config()
    targets = draw(kind, rng)
    np.testing.assert_array_equal(copy(*targets), loss(*targets))


@pytest.mark.parametrize("case", [c for c in CASES if CASES[c][0].get_config().get("axis") == -1])
def test_the_classes_may_be_on_another_axis(case, rng):
    loss, kind = CASES[case]
    config = loss.get_config()
    del config["axis"]
    y_true, y_pred = draw(kind, rng, (4, 5, 3))
    other = type(loss)(**config, axis=1)
    moved = np.moveaxis(y_true, -1, 1) if y_true.ndim == 3 else y_true
    value, gradient = other.value_and_gradient(moved, np.moveaxis(y_pred, -1, 1))
    expected, of_last = loss.value_and_gradient(y_true, y_pred)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    np.testing.assert_allclose(gradient, np.moveaxis(of_last, -1, 1), rtol=1e-12)
    assert other.link is None


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_loss_computes_in_the_dtype_that_it_is_given(case, dtype, rng):
    loss, kind = CASES[case]
    given = type(loss)(**loss.get_config(), dtype=dtype)
    value, gradient = given.value_and_gradient(*draw(kind, rng))
    assert value.dtype == gradient.dtype == given.dtype == dtype
    assert given.get_config()["dtype"] == dtype
    value, gradient = loss.value_and_gradient(*draw(kind, rng))
    assert value.dtype == gradient.dtype == "float64"


@pytest.mark.parametrize("case", ["binary", "binary smoothed", "categorical", "sparse but one"])
@pytest.mark.parametrize("certain", [False, True])
@pytest.mark.parametrize("weighted", ["equal", "by example"])
def test_what_cancels_against_the_last_activation_may_be_left_out(case, certain, weighted, rng):
    loss, kind = CASES[case]
    y_true, z = draw(kind + " logits", rng)
    z = 40 * z if certain else z
    activation = activations.get(loss.link)
    p, weight = activation(z), weights(weighted, rng, 6)
    value, gradient = loss.value_and_gradient(y_true, p, weight)
    short, linked = loss.value_and_gradient(y_true, p, weight, linked=True)
    assert short == pytest.approx(value, rel=1e-12)
    expected = activation.gradient(gradient, z, p)
    np.testing.assert_allclose(linked, expected, rtol=1e-6, atol=1e-9)


def test_weights_of_nothing_weigh_nothing():
    y_true, y_pred = np.zeros((3, 2)), np.ones((3, 2))
    for reduction in losses.base.REDUCTIONS:
        loss = losses.MeanSquaredError(reduction)
        value, gradient = loss.value_and_gradient(y_true, y_pred, np.zeros(3))
        assert not np.any(value)
        assert not np.any(gradient)


def test_a_batch_of_ignored_classes_costs_nothing():
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    value, gradient = loss.value_and_gradient([-1, -1], [[0.5, 0.5], [0.1, 0.9]])
    assert value == 0
    assert not gradient.any()


def test_a_prediction_without_the_last_axis_keeps_its_shape():
    """Of both, one may lack an axis of length 1; the gradient has the shape of the predictions."""
    loss = losses.MeanSquaredError("sum")
    value, gradient = loss.value_and_gradient([[1.0], [2.0]], [2.0, 4.0])
    assert value == 5
    np.testing.assert_array_equal(gradient, [2, 4])


@pytest.mark.keras
def test_a_certain_prediction_costs_what_it_costs_in_keras():
    import keras

    sure = np.array([[1.0, 0.0]], dtype="float32")
    for name in ("CategoricalCrossentropy", "BinaryCrossentropy"):
        ours = float(getattr(losses, name)()(sure, sure))
        theirs = float(getattr(keras.losses, name)()(sure, sure))
        assert ours == pytest.approx(theirs, rel=1e-5)
        assert float(getattr(losses, name)()(1 - sure, sure)) < 20  # clipped, not infinite


def test_targets_without_the_last_axis_are_aligned():
    loss = losses.MeanSquaredError()
    assert float(loss([1.0, 3.0], [[1.0], [2.0]])) == 0.5


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: losses.MeanSquaredError()(np.ones((2, 3)), np.ones((2, 4))),
            ValueError,
            r"y_true must have the shape of y_pred, \(2, 4\), got \(2, 3\)",
        ),
        (lambda: losses.MeanSquaredError()(["a"], [1.0]), TypeError, "y_true must hold numbers"),
        (
            lambda: losses.SparseCategoricalCrossentropy()([3], [[0.5, 0.5]]),
            ValueError,
            "y_true must hold class numbers from 0 to 1",
        ),
        (
            lambda: losses.SparseCategoricalCrossentropy()([0.5], [[0.5, 0.5]]),
            ValueError,
            "y_true must hold class numbers from 0 to 1",
        ),
        (
            lambda: losses.CategoricalCrossentropy(label_smoothing=1.5),
            ValueError,
            r"label_smoothing must be in \[0, 1\], got 1.5",
        ),
        (lambda: losses.get("msee"), ValueError, "loss must be one of .*mse.*, got 'msee'"),
        (
            lambda: losses.MeanSquaredError(reduction="median"),
            ValueError,
            "reduction must be one of",
        ),
        (
            lambda: losses.MeanSquaredError()(np.ones((2, 3)), np.ones((2, 3)), np.ones(3)),
            ValueError,
            r"sample_weight must have shape \(2,\), got \(3,\)",
        ),
        (
            lambda: losses.MeanSquaredError()(np.ones((2, 3)), np.ones((2, 3)), np.ones((2, 2))),
            ValueError,
            r"sample_weight must have shape \(2,\), got \(2, 2\)",
        ),
        (lambda: losses.MeanSquaredError()([1.0], [1.0], "a"), TypeError, "sample_weight must"),
        (lambda: losses.MeanSquaredError()([1.0], ["a"]), TypeError, "y_pred must hold numbers"),
        (lambda: losses.MeanSquaredError()([], []), ValueError, "y_pred must have at least one"),
        (lambda: losses.MeanSquaredError()(1.0, 1.0), ValueError, "y_pred must have at least one"),
        (lambda: losses.MeanSquaredError(dtype="int32"), TypeError, "dtype must be a dtype of fl"),
        (lambda: losses.MeanSquaredError(dtype="so"), TypeError, "dtype must be a dtype of floats"),
        (lambda: losses.MeanSquaredError(name=""), ValueError, "name must not be empty"),
        (lambda: losses.Huber(delta=0), ValueError, "delta must be a finite number > 0, got 0"),
        (
            lambda: losses.BinaryCrossentropy(axis=2)([[1.0]], [[0.5]]),
            ValueError,
            r"axis must be one of the 2 of shape \(1, 1\), got 2",
        ),
        (lambda: losses.BinaryCrossentropy("yes"), TypeError, "from_logits must be True or False"),
        (
            lambda: losses.SparseCategoricalCrossentropy(ignore_class=0.5),
            TypeError,
            "ignore_class must be an integer",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
