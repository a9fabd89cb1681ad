"""States that sequences start from, and the way back through them: encoders and decoders."""

import numpy as np
import pytest

from reglib import interop, layers, models
from reglib.gradcheck import check_model

KINDS = ["SimpleRNN", "LSTM", "GRU"]


def translator(kind, dtype="float64", seed=0):
    """An encoder whose last state a decoder starts from; both see parts of one sequence."""
    dtype = {"dtype": dtype}
    start = layers.Input((6, 3), **dtype)
    cls = getattr(layers, kind)
    state = cls(4, **dtype)(layers.Masking(**dtype)(start))
    states = [state, layers.Dense(4, "tanh", **dtype)(state)] if kind == "LSTM" else [state]
    later = layers.Dense(2, "tanh", **dtype)(start)
    decoded = cls(4, return_sequences=True, **dtype)(later, initial_state=states)
    end = layers.Dense(2, **dtype)(decoded)
    model = models.Model(start, end, seed=seed)
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_go_through_the_states_that_a_layer_starts_from(kind, rng):
    model = translator(kind)
    x, y = rng.normal(size=(5, 6, 3)), rng.normal(size=(5, 6, 2))
    x[0, 4:] = x[1, :2] = x[2] = 0
    assert check_model(model, x, y, rtol=1e-6) < 1e-6
    step = rng.normal(size=x.shape) * (x != 0)
    ahead, behind = (model.loss(y, model.predict(x + s * step)) for s in (1e-6, -1e-6))
    slope = np.sum(model.input_gradient(x, y) * step)
    np.testing.assert_allclose(slope, (ahead - behind) / 2e-6, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_with_states_to_start_from_is_saved_and_copied(kind, tmp_path, rng):
    model, x = translator(kind), rng.normal(size=(5, 6, 3))
    model.save(tmp_path / "model.npz")
    for twin in (models.load_model(tmp_path / "model.npz"), models.clone_model(model)):
        twin.set_weights(model.get_weights())
        np.testing.assert_array_equal(twin.predict(x), model.predict(x))


@pytest.mark.keras
@pytest.mark.parametrize("kind", KINDS)
def test_a_model_with_states_to_start_from_goes_to_keras_and_back(kind, keras, rng):
    model, x = translator(kind, "float32"), rng.normal(size=(5, 6, 3)).astype("float32")
    theirs = interop.to_keras(model)
    np.testing.assert_allclose(np.asarray(theirs(x)), model.predict(x), rtol=1e-4, atol=1e-5)
    back = interop.from_keras(theirs)
    np.testing.assert_allclose(back.predict(x), model.predict(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda x, h: layers.GRU(4)(x, initial_state=np.ones((2, 4))),
            TypeError,
            "inputs and initial_state of layer .* must all be nodes",
        ),
        (
            lambda x, h: layers.GRU(4)(np.ones((2, 6, 3)), initial_state=h),
            TypeError,
            "inputs and initial_state of layer .* must all be nodes",
        ),
        (
            lambda x, h: layers.GRU(4)(x, initial_state=h, mask=np.ones((2, 6))),
            TypeError,
            "nothing else be given",
        ),
        (
            lambda x, h: layers.LSTM(4)(x, initial_state=h),
            ValueError,
            r"initial_state must be 2 of shape \(None, 4\), got \[\(None, 4\)\]",
        ),
        (
            lambda x, h: layers.GRU(5)(x, initial_state=[h]),
            ValueError,
            r"initial_state must be 1 of shape \(None, 5\), got \[\(None, 4\)\]",
        ),
        (lambda x, h: layers.GRU(4)(x, initial_state=3), TypeError, "initial_state must be a list"),
    ],
)
def test_states_that_do_not_fit_are_named(call, error, message):
    x = layers.Input((6, 3))
    with pytest.raises(error, match=message):
        call(x, layers.Dense(4)(layers.Input((3,))))
