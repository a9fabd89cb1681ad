"""States that sequences start from, and the way back through them: encoders and decoders."""

import numpy as np
import pytest

from reglib import interop, layers, models
from reglib.gradcheck import check_model

KINDS = ["SimpleRNN", "LSTM", "GRU"]


def translator(kind, returned, dtype="float64", seed=0):
    """An encoder whose last state a decoder starts from; both see parts of one sequence."""
    dtype = {"dtype": dtype}
    start = layers.Input((6, 3), **dtype)
    cls = getattr(layers, kind)
    read = layers.Masking(**dtype)(start)
    if returned:
        _, *states = cls(4, return_state=True, **dtype)(read)
    else:
        state = cls(4, **dtype)(read)
        states = [state, layers.Dense(4, "tanh", **dtype)(state)] if kind == "LSTM" else [state]
    later = layers.Dense(2, "tanh", **dtype)(start)
    decoded = cls(4, return_sequences=True, **dtype)(later, initial_state=states)
    end = layers.Dense(2, **dtype)(decoded)
    model = models.Model(start, end, seed=seed)
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("returned", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_go_through_the_states_that_a_layer_starts_from(kind, returned, rng):
    model = translator(kind, returned)
    x, y = rng.normal(size=(5, 6, 3)), rng.normal(size=(5, 6, 2))
    x[0, 4:] = x[1, :2] = x[2] = 0
    assert check_model(model, x, y, rtol=1e-6) < 1e-6
    step = rng.normal(size=x.shape) * (x != 0)
    ahead, behind = (model.loss(y, model.predict(x + s * step)) for s in (1e-6, -1e-6))
    slope = np.sum(model.input_gradient(x, y) * step)
    np.testing.assert_allclose(slope, (ahead - behind) / 2e-6, rtol=1e-6)


@pytest.mark.parametrize("returned", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_model_with_states_to_start_from_is_saved_and_copied(kind, returned, tmp_path, rng):
    model, x = translator(kind, returned), rng.normal(size=(5, 6, 3))
    model.save(tmp_path / "model.npz")
    for twin in (models.load_model(tmp_path / "model.npz"), models.clone_model(model)):
        twin.set_weights(model.get_weights())
        np.testing.assert_array_equal(twin.predict(x), model.predict(x))


@pytest.mark.keras
@pytest.mark.parametrize("returned", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_model_with_states_to_start_from_goes_to_keras_and_back(kind, returned, keras, rng):
    model, x = translator(kind, returned, "float32"), rng.normal(size=(5, 6, 3)).astype("float32")
    theirs = interop.to_keras(model)
    np.testing.assert_allclose(np.asarray(theirs(x)), model.predict(x), rtol=1e-4, atol=1e-5)
    back = interop.from_keras(theirs)
    np.testing.assert_allclose(back.predict(x), model.predict(x), rtol=1e-4, atol=1e-5)


@pytest.mark.keras
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_the_last_states_are_those_of_keras(kind, sequences, keras, rng):
    x = rng.normal(size=(4, 5, 3)).astype("float32")
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 0, 1, 0, 1], [0, 0, 0, 0, 0]], bool)
    ours = getattr(layers, kind)(2, return_sequences=sequences, return_state=True)
    ours.ensure_built(x.shape)
    theirs = interop.to_keras(ours)
    for options in ({}, {"mask": mask}):
        tensors = {name: keras.ops.convert_to_tensor(value) for name, value in options.items()}
        expected = theirs(x, **tensors)
        found = ours(x, **options)
        assert len(found) == len(expected)
        for mine, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(mine, np.asarray(other), rtol=1e-5, atol=1e-6)
    assert interop.from_keras(theirs).return_state


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_states_are_outputs_that_a_model_learns_from(kind, sequences, rng):
    """Outputs and states are tasks of their own; the same layer reads two sequences."""
    dtype = {"dtype": "float64"}
    start = layers.Input((5, 3), **dtype)
    reader = getattr(layers, kind)(3, return_sequences=sequences, return_state=True, **dtype)
    outputs, *states = reader(start)
    again = reader(layers.Dense(3, **dtype)(start))[-1]
    ends = [layers.Dense(1, name="of_outputs", **dtype)(outputs)]
    ends += [layers.Dense(1, name=f"of_{i}", **dtype)(s) for i, s in enumerate([*states, again])]
    model = models.Model(start, ends, seed=1)
    model.compile("sgd", "mse")
    assert model.count_params() == sum(layer.count_params() for layer in model.layers)
    assert len([layer for layer in model.layers if layer is reader]) == 1
    x = rng.normal(size=(4, 5, 3))
    y = [rng.normal(size=(4, *end.shape[1:])) for end in ends]
    gradient, step = model.input_gradient(x, y), rng.normal(size=x.shape)
    ahead, behind = (model.evaluate(x + s * step, y)[0] for s in (1e-6, -1e-6))
    np.testing.assert_allclose(np.sum(gradient * step), (ahead - behind) / 2e-6, rtol=1e-6)
    for parameter in model.trainable_weights:
        before, part = parameter.value.copy(), parameter.gradient.copy()
        step = rng.normal(size=part.shape)
        values = []
        for scale in (1e-6, -1e-6):
            parameter.assign(before + scale * step)
            values.append(model.evaluate(x, y)[0])
        parameter.assign(before)
        slope = (values[0] - values[1]) / 2e-6
        np.testing.assert_allclose(np.sum(part * step), slope, rtol=1e-5, atol=1e-8)
    twin = models.Model.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    for mine, other in zip(model.predict(x), twin.predict(x), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_outputs_keep_their_mask_beside_the_states(rng):
    x = rng.normal(size=(2, 3, 1))
    x[0, 1:] = 0
    layer = layers.GRU(2, return_sequences=True, return_state=True)
    outputs, state = layer(layers.Masking()(x))
    np.testing.assert_array_equal(outputs.mask, [[True, False, False], [True, True, True]])
    np.testing.assert_array_equal(state, np.asarray(outputs)[:, -1])


def test_a_chain_has_no_place_for_states():
    with pytest.raises(ValueError, match="layer memory must return one array here, not its states"):
        models.Sequential([layers.LSTM(2, return_state=True, name="memory")])


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
            "inputs must be an array for mask, got a Node",
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
