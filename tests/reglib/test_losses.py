"""Losses: values against Keras, gradients against finite differences."""

import numpy as np
import pytest

from reglib import losses
from reglib.gradcheck import check_gradient

CASES = {
    "mse": (losses.MeanSquaredError(), "real"),
    "mae": (losses.MeanAbsoluteError(), "real"),
    "huber": (losses.Huber(delta=0.7), "real"),
    "hinge": (losses.Hinge(), "yes-no logits"),
    "binary": (losses.BinaryCrossentropy(), "yes-no"),
    "binary smoothed": (losses.BinaryCrossentropy(label_smoothing=0.2), "yes-no"),
    "binary logits": (losses.BinaryCrossentropy(from_logits=True), "yes-no logits"),
    "categorical": (losses.CategoricalCrossentropy(), "classes"),
    "categorical smoothed": (losses.CategoricalCrossentropy(label_smoothing=0.1), "classes"),
    "categorical logits": (losses.CategoricalCrossentropy(from_logits=True), "class logits"),
    "sparse": (losses.SparseCategoricalCrossentropy(), "labels"),
    "sparse logits": (losses.SparseCategoricalCrossentropy(from_logits=True), "label logits"),
    "sum": (losses.MeanSquaredError(reduction="sum"), "real"),
}


def draw(kind, rng, shape=(6, 4)):
    logits = rng.normal(size=shape)
    if kind == "real":
        return rng.normal(size=shape), logits
    if kind.startswith("yes-no"):
        targets = rng.integers(0, 2, size=shape).astype(float)
        return targets, logits if "logits" in kind else 1 / (1 + np.exp(-logits))
    labels = rng.integers(0, shape[-1], size=shape[:-1])
    targets = np.eye(shape[-1])[labels] if kind.startswith("class") else labels
    if "logits" in kind:
        return targets, logits
    probabilities = np.exp(logits)
    return targets, probabilities / probabilities.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("weighted", [False, True])
def test_gradients_agree_with_finite_differences(case, weighted, rng):
    loss, kind = CASES[case]
    y_true, y_pred = draw(kind, rng)
    weight = rng.uniform(size=6) if weighted else None
    check_gradient(
        lambda p: float(loss(y_true, p, weight)),
        lambda p: loss.gradient(y_true, p, weight),
        y_pred,
        eps=1e-6,
        rtol=1e-6,
    )


@pytest.mark.keras
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("weighted", [False, True])
def test_values_agree_with_keras(case, weighted, rng):
    import keras

    loss, kind = CASES[case]
    y_true, y_pred = (np.asarray(a, dtype="float32") for a in draw(kind, rng, (7, 3)))
    weight = rng.uniform(size=7).astype("float32") if weighted else None
    theirs = getattr(keras.losses, type(loss).__name__)(**loss.get_config())
    expected = float(theirs(y_true, y_pred, weight))
    assert float(loss(y_true, y_pred, weight)) == pytest.approx(expected, rel=1e-6, abs=1e-6)


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
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
