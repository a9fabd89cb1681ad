"""Masks: sequences of unequal length in one batch, from the layer that sees it to the loss."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reglib import interop, layers, losses, metrics, models
from reglib._timestep_masks import mask_of, masked
from reglib.gradcheck import check_layer, check_model

KINDS = ["SimpleRNN", "LSTM", "GRU"]
# Whole, begun late, broken off, with a hole, and nothing at all.
MASK = np.array(
    [[1, 1, 1, 1, 1], [0, 0, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 1, 1], [0, 0, 0, 0, 0]], bool
)


def padded(rng, mask=MASK, features=3, value=0.0, dtype="float64"):
    """Return sequences that hold ``value`` where the mask is false."""
    x = rng.normal(size=(*mask.shape, features))
    return np.where(mask[..., None], x, value).astype(dtype)


def chain(kind, *, dtype="float64", sequences=True, value=0.0, seed=1, **options):
    """Return a model from masked sequences to two numbers, a step or in all."""
    recurrent = getattr(layers, kind)
    return models.Sequential(
        [
            layers.Masking(value, dtype=dtype),
            layers.Dense(4, "tanh", dtype=dtype),
            recurrent(4, return_sequences=True, dtype=dtype),
            layers.LayerNormalization(dtype=dtype),
            recurrent(3, return_sequences=sequences, dtype=dtype, **options),
            layers.Dense(2, dtype=dtype),
        ],
        seed=seed,
    )


def graph(dtype="float64"):
    """Return a model of two masked branches that meet, one of them within a model of its own."""
    inner = layers.Input((5, 3), dtype=dtype)
    part = models.Model(
        inner, layers.GRU(4, return_sequences=True, dtype=dtype)(inner), name="part"
    )
    start = layers.Input((5, 3), dtype=dtype)
    one = part(layers.Masking(dtype=dtype)(start))
    other = layers.Masking(-1.0, dtype=dtype)(start)
    other = layers.LSTM(4, return_sequences=True, dtype=dtype)(other)
    met = layers.Multiply(dtype=dtype)([one, other])
    end = layers.SimpleRNN(2, return_sequences=True, dtype=dtype)(met)
    return models.Model(start, end, seed=2)


# What makes a mask.


def test_masking_finds_the_steps_of_one_value_and_makes_them_zero(rng):
    x = padded(rng, value=7.0)
    x[0, 0, 0] = 7.0  # one feature alone says nothing
    out = layers.Masking(7.0, dtype="float64")(x)
    np.testing.assert_array_equal(out.mask, MASK)
    np.testing.assert_array_equal(out, np.where(MASK[..., None], x, 0))


def test_an_embedding_masks_zeros_where_it_is_told_to():
    numbers = np.array([[3, 0, 1]])
    assert layers.Embedding(4, 2, mask_zero=True)(numbers).mask.tolist() == [[True, False, True]]
    assert mask_of(layers.Embedding(4, 2)(numbers)) is None


# How it goes on.


@pytest.mark.parametrize(
    "layer",
    [
        layers.Activation("tanh"),
        layers.BatchNormalization(),
        layers.Dense(3),
        layers.Dropout(0.5),
        layers.GaussianNoise(0.1),
        layers.LayerNormalization(),
        layers.Softmax(),
        layers.SpatialDropout1D(0.5),
    ],
    ids=lambda layer: type(layer).__name__,
)
@pytest.mark.parametrize("training", [False, True])
def test_a_layer_that_works_on_each_step_hands_the_mask_on(layer, training, rng):
    out = layer(masked(padded(rng), MASK), training=training)
    np.testing.assert_array_equal(mask_of(out), MASK)


@pytest.mark.parametrize("kind", KINDS)
def test_a_recurrent_layer_hands_the_mask_on_with_its_sequences_alone(kind, rng):
    x = masked(padded(rng), MASK)
    cls = getattr(layers, kind)
    np.testing.assert_array_equal(cls(2, return_sequences=True)(x).mask, MASK)
    assert mask_of(cls(2)(x)) is None


def test_a_mask_that_is_given_goes_on_too(rng):
    out = layers.LSTM(2, return_sequences=True)(padded(rng), mask=MASK)
    np.testing.assert_array_equal(out.mask, MASK)


def test_a_layer_that_cannot_go_on_with_the_mask_says_so(rng):
    x = masked(padded(rng), MASK)
    with pytest.warns(UserWarning, match=r"layer flat does not support masking"):
        assert mask_of(layers.Flatten(name="flat")(x)) is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        layers.Flatten()(padded(rng))
        assert mask_of(layers.GlobalAveragePooling1D()(x)) is None


def test_what_is_computed_with_masked_outputs_has_no_mask(rng):
    out = layers.Masking()(padded(rng))
    assert mask_of(out[:2]) is None
    assert mask_of(out * 2) is None
    assert mask_of(np.asarray(out)) is None


def test_a_layer_of_your_own_is_given_the_mask_and_may_make_another(rng):
    seen = []

    class Halved(layers.Layer):
        def call(self, inputs, mask=None):
            seen.append(mask)
            return inputs[:, :2]

        def compute_mask(self, inputs, mask=None):
            return None if mask is None else mask[:, :2]

    out = Halved()(masked(padded(rng), MASK))
    np.testing.assert_array_equal(seen[0], MASK)
    np.testing.assert_array_equal(out.mask, MASK[:, :2])
    assert mask_of(Halved()(padded(rng))) is None


def test_a_nested_model_hands_on_what_its_layers_do(rng):
    x = masked(padded(rng), MASK)
    for sequences, expected in ((True, MASK), (False, None)):
        part = models.Sequential([layers.GRU(2, return_sequences=sequences), layers.Dense(3)])
        np.testing.assert_array_equal(mask_of(models.Nested(part)(x)), expected)


def test_predictions_have_no_mask(rng):
    model, x = chain("GRU"), padded(rng)
    assert type(model.predict(x)) is np.ndarray
    np.testing.assert_array_equal(model(x).mask, MASK)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sequences", [False, True])
def test_steps_that_do_not_count_change_nothing(kind, sequences, rng):
    """A sequence alone, without what fills it up, has the same outputs and the same loss."""
    model = chain(kind, sequences=sequences)
    model.compile("sgd", "mse", metrics=["mae"])
    x = padded(rng)
    y = rng.normal(size=(5, 5, 2) if sequences else (5, 2))
    together = model.predict(x)
    for number in range(4):
        counts = MASK[number]
        alone, target = x[number][counts][None], y[number][counts] if sequences else y[number]
        expected = together[number][counts] if sequences else together[number]
        np.testing.assert_allclose(model.predict(alone)[0], expected, rtol=1e-9, atol=1e-12)
        one = model.evaluate(x[number][None], y[number][None])
        np.testing.assert_allclose(model.evaluate(alone, target[None]), one, rtol=1e-9)


# Merging.


def with_masks(name, rng, which=(True, True, True)):
    x = [rng.normal(size=(2, 4, 3)) for _ in which]
    masks = [rng.random((2, 4)) < 0.5 if has else None for has in which]
    layer = getattr(layers, name)(dtype="float64")
    return layer, [masked(one, mask) for one, mask in zip(x, masks, strict=True)]


MERGING = ["Add", "Average", "Multiply", "Concatenate"]


@pytest.mark.parametrize("which", [(True, True, True), (True, False, True), (False, True, False)])
@pytest.mark.parametrize("name", MERGING)
@pytest.mark.keras
def test_merged_masks_are_those_of_keras(name, which, keras, rng):
    layer, inputs = with_masks(name, rng, which)
    theirs = []
    for one in inputs:
        tensor = keras.ops.convert_to_tensor(np.asarray(one))
        if mask_of(one) is not None:
            keras.src.backend.set_keras_mask(tensor, keras.ops.convert_to_tensor(one.mask))
        theirs.append(tensor)
    expected = getattr(keras.layers, name)(dtype="float64")(theirs)
    out = layer(inputs)
    np.testing.assert_allclose(out, np.asarray(expected), rtol=1e-5, atol=1e-6)
    mask = keras.src.backend.get_keras_mask(expected)
    np.testing.assert_array_equal(mask_of(out), None if mask is None else np.asarray(mask))


@pytest.mark.parametrize("name", MERGING)
def test_gradients_of_masked_branches_agree_with_differences(name, rng):
    layer, inputs = with_masks(name, rng)
    weights = rng.normal(size=layer(inputs).shape)
    layer(inputs)
    parts = layer.propagate_back(weights)
    for number, part in enumerate(parts):
        step = rng.normal(size=part.shape)

        def loss(scale, number=number, step=step):
            moved = list(inputs)
            moved[number] = masked(inputs[number] + scale * step, inputs[number].mask)
            return np.sum(weights * layer(moved))

        slope = (loss(1e-6) - loss(-1e-6)) / 2e-6
        np.testing.assert_allclose(np.sum(part * step), slope, rtol=1e-6, atol=1e-8)


def test_masks_of_merged_inputs_must_be_a_list():
    x = [np.ones((2, 4, 3))] * 2
    with pytest.raises(TypeError, match="mask must be a list"):
        layers.Add().compute_mask(x, MASK)
    with pytest.raises(TypeError, match="inputs must be a list"):
        layers.Add().compute_mask(x[0], [None, None])
    with pytest.raises(ValueError, match="mask must have an entry for each of inputs, got 1"):
        layers.Add().compute_mask(x, [None])


# Losses and metrics.


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["MeanSquaredError", "CategoricalCrossentropy", "Huber"])
@pytest.mark.keras
def test_masked_losses_are_those_of_keras(name, weighted, reduction, keras, rng):
    y, p = rng.random((5, 5, 3)), rng.random((5, 5, 3))
    weight = rng.random((5, 5)) if weighted else None
    tensor = keras.ops.convert_to_tensor(p)
    keras.src.backend.set_keras_mask(tensor, keras.ops.convert_to_tensor(MASK))
    expected = getattr(keras.losses, name)(reduction=reduction)(y, tensor, weight)
    value = getattr(losses, name)(reduction=reduction)(y, masked(p, MASK), weight)
    np.testing.assert_allclose(value, float(expected), rtol=1e-5)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["mse", "categorical_crossentropy", "binary_crossentropy"])
def test_gradients_of_masked_losses_agree_with_differences(name, weighted, reduction, rng):
    loss = type(losses.get(name))(reduction=reduction)
    y, p = rng.random((5, 5, 3)), rng.random((5, 5, 3))
    weight = rng.random(5) if weighted else None
    value, gradient = loss.value_and_gradient(y, masked(p, MASK), weight)
    np.testing.assert_allclose(value, loss(y, masked(p, MASK), weight))
    step = rng.normal(size=p.shape)
    ahead, behind = (loss(y, masked(p + s * step, MASK), weight) for s in (1e-6, -1e-6))
    np.testing.assert_allclose(np.sum(gradient * step), (ahead - behind) / 2e-6, rtol=1e-6)
    assert not gradient[~MASK].any()


def test_a_loss_with_nothing_to_count_is_zero(rng):
    p = masked(rng.random((5, 5, 3)), np.zeros((5, 5)))
    for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight"):
        loss = losses.MeanSquaredError(reduction=reduction)
        value, gradient = loss.value_and_gradient(np.ones((5, 5, 3)), p)
        assert value == 0
        assert not gradient.any()


def test_an_ignored_class_and_a_mask_leave_out_both(rng):
    p, labels = rng.random((5, 5, 3)), rng.integers(0, 3, (5, 5))
    loss = losses.SparseCategoricalCrossentropy(ignore_class=0)
    counts = MASK & (labels != 0)
    expected = losses.SparseCategoricalCrossentropy()(labels[counts], p[counts])
    np.testing.assert_allclose(loss(labels, masked(p, MASK)), expected)


def test_a_mask_that_does_not_fit_the_losses_is_named(rng):
    p = masked(rng.random((5, 3)), MASK[:, :2])
    with pytest.raises(ValueError, match=r"mask must have shape \(5,\), got \(5, 2\)"):
        losses.MeanSquaredError()(np.ones((5, 3)), p)


def test_metrics_leave_out_what_is_masked(rng):
    y, p = rng.random((5, 5, 3)), rng.random((5, 5, 3))
    metric = metrics.MeanAbsoluteError()
    np.testing.assert_allclose(metric(y, masked(p, MASK)), np.abs(y - p)[MASK].mean())
    metric.reset_state()
    weight = rng.random(5)
    expected = np.average(np.abs(y - p).mean(axis=-1), weights=MASK * weight[:, None])
    np.testing.assert_allclose(metric(y, masked(p, MASK), weight), expected)


# Layers that look at the mask.


@pytest.mark.parametrize("shape", [(5, 5), (5, 1), (1, 5)])
@pytest.mark.keras
def test_statistics_of_a_batch_are_those_of_what_counts(shape, keras, rng):
    x = rng.normal(size=(5, 5, 3)).astype("float32")
    mask = (rng.random(shape) < 0.6) | (np.arange(shape[1]) == 0)
    ours, theirs = (
        layers.BatchNormalization(momentum=0.5),
        keras.layers.BatchNormalization(momentum=0.5),
    )
    full = np.broadcast_to(mask, (5, 5)).copy()
    expected = np.asarray(theirs(x, training=True, mask=keras.ops.convert_to_tensor(full)))
    np.testing.assert_allclose(ours(x, training=True, mask=mask), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.moving_mean, theirs.moving_mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ours.moving_variance, theirs.moving_variance, rtol=1e-5)


@pytest.mark.parametrize("axis", [-1, 1])
def test_gradients_of_masked_statistics_agree_with_differences(axis, rng):
    layer = layers.BatchNormalization(axis=axis, momentum=1.0, dtype="float64")
    x, weights = rng.normal(size=(5, 5, 3)), rng.normal(size=(5, 5, 3))
    layer(x, training=True, mask=MASK)
    gradient = layer.propagate_back(weights)
    step = rng.normal(size=x.shape)
    ahead, behind = (
        np.sum(weights * layer(x + s * step, training=True, mask=MASK)) for s in (1e-6, -1e-6)
    )
    np.testing.assert_allclose(np.sum(gradient * step), (ahead - behind) / 2e-6, rtol=1e-6)


def test_a_mask_of_another_shape_than_the_batch_is_named(rng):
    with pytest.raises(ValueError, match=r"mask must have shape \(5, 5\), got \(5,\)"):
        layers.BatchNormalization()(padded(rng), mask=MASK[:, 0], training=True)


def test_the_mean_over_no_steps_is_zero(rng):
    out = layers.GlobalAveragePooling1D()(masked(padded(rng), MASK))
    assert not out[-1].any()
    assert np.isfinite(out).all()


# Whole models.


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, {"go_backwards": True}, {"sequences": False}])
def test_gradients_of_a_whole_model_agree_with_differences(kind, options, rng):
    model = chain(kind, **options)
    model.compile("sgd", "mse")
    y = rng.normal(size=(5, 2) if options.get("sequences") is False else (5, 5, 2))
    assert check_model(model, padded(rng), y, rtol=1e-6) < 1e-6


def test_gradients_of_masked_branches_of_a_model_agree_with_differences(rng):
    model = graph()
    model.compile("sgd", "mse")
    x = padded(rng)
    x[MASK & MASK[::-1]] = -1.0
    assert len({tuple(layers.Masking(v)(x).mask.ravel()) for v in (0.0, -1.0)}) == 2
    assert check_model(model, x, rng.normal(size=(5, 5, 2)), rtol=1e-6) < 1e-6


def test_gradients_of_a_masked_table_agree_with_differences(rng):
    model = models.Sequential(
        [
            layers.Embedding(6, 3, mask_zero=True, dtype="float64"),
            layers.LSTM(3, dtype="float64"),
            layers.Dense(2, "softmax", dtype="float64"),
        ],
        seed=3,
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    x = rng.integers(0, 6, (7, 5))
    assert check_model(model, x, rng.integers(0, 2, 7), rtol=1e-6) < 1e-6


def test_masking_itself_has_a_gradient(rng):
    layer = layers.Masking(dtype="float64")
    assert check_layer(layer, padded(rng, MASK[:4]) + 3.0, rtol=1e-6) < 1e-6
    layer(padded(rng))
    assert not layer.propagate_back(np.ones((5, 5, 3)))[~MASK].any()


@pytest.mark.parametrize("kind", KINDS)
def test_a_masked_model_is_saved_and_comes_back(kind, tmp_path, rng):
    model = chain(kind, value=-2.0)
    model.compile("adam", "mse", metrics=["mae"])
    x, y = padded(rng, value=-2.0), rng.normal(size=(5, 5, 2))
    model.fit(x, y, epochs=2, verbose=0)
    model.save(tmp_path / "model.npz")
    twin = models.load_model(tmp_path / "model.npz")
    assert twin.layers[0].mask_value == -2.0
    assert twin.evaluate(x, y) == model.evaluate(x, y)


def test_stateful_layers_go_on_where_the_last_step_that_counts_ended(rng):
    """Two halves of a masked sequence leave the state that the whole one does."""
    x = padded(rng)
    whole = layers.LSTM(3, dtype="float64", stateful=True)
    last = whole(masked(x, MASK))
    halves = layers.LSTM.from_config(whole.get_config())
    halves.ensure_built(x.shape)
    halves.set_weights(whole.get_weights())
    halves(masked(x[:, :2], MASK[:, :2]))
    np.testing.assert_allclose(halves(masked(x[:, 2:], MASK[:, 2:])), last, rtol=1e-9, atol=1e-12)


def masks(batch, length):
    """Return masks of every kind: padded before and after, full of holes, empty rows."""
    row = st.lists(st.booleans(), min_size=length, max_size=length)
    return st.lists(row, min_size=batch, max_size=batch).map(lambda rows: np.array(rows, bool))


@pytest.mark.keras
@pytest.mark.not_on_keras_numpy("does not train")
@settings(max_examples=5, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(KINDS),
    mask=masks(4, 5),
    go_backwards=st.booleans(),
    sequences=st.booleans(),
    value=st.sampled_from([0.0, -1.0]),
    seed=st.integers(0, 2**31),
)
def test_training_on_padded_sequences_is_that_of_keras(
    kind, mask, go_backwards, sequences, value, seed
):
    import keras

    rng = np.random.default_rng(seed)
    x = padded(rng, mask, value=value, dtype="float32")
    y = rng.normal(size=(4, 5, 2) if sequences else (4, 2)).astype("float32")
    model = chain(
        kind, dtype="float32", sequences=sequences, value=value, seed=4, go_backwards=go_backwards
    )
    model.compile("sgd", "mse", weighted_metrics=["mae"])
    model.build(x.shape)
    theirs = interop.to_keras(model)
    assert isinstance(theirs, keras.Model)
    for _ in range(2):
        ours = model.train_on_batch(x, y, return_dict=True)
        logs = theirs.train_on_batch(x, y, return_dict=True)
        np.testing.assert_allclose(ours["loss"], logs["loss"], rtol=2e-4, atol=1e-6)
    for mine, other in zip(model.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=2e-5)
    np.testing.assert_allclose(
        model.evaluate(x, y), theirs.evaluate(x, y, verbose=0), rtol=1e-3, atol=1e-5
    )


@pytest.mark.keras
@pytest.mark.parametrize("stateful", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_masked_model_goes_to_keras_and_back(kind, stateful, keras, rng):
    x = padded(rng, dtype="float32")
    model = chain(kind, dtype="float32", sequences=False, stateful=stateful)
    model.build(x.shape)
    theirs = interop.to_keras(model)
    back = interop.from_keras(theirs)
    for _ in range(2):  # the second time from the states of the first
        expected = model(x)
        np.testing.assert_allclose(expected, np.asarray(theirs(x)), rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(back(x), expected)


@pytest.mark.keras
def test_a_graph_with_masks_goes_to_keras_and_back(keras, rng):
    model = graph("float32")
    x = padded(rng, dtype="float32")
    theirs = interop.to_keras(model)
    np.testing.assert_allclose(np.asarray(theirs(x)), model.predict(x), rtol=1e-4, atol=1e-5)
    back = interop.from_keras(theirs)
    np.testing.assert_array_equal(back.predict(x), model.predict(x))


@pytest.mark.keras
def test_a_mask_that_no_layer_has_made_is_not_lost_on_the_way_from_keras(keras):
    numbers = keras.Input((5,))
    looked_up = keras.layers.Embedding(4, 3)(numbers)
    given = keras.layers.LSTM(2, name="reader")(looked_up, mask=keras.ops.not_equal(numbers, 0))
    with pytest.raises(ValueError, match="layer reader must have its mask from Masking or"):
        interop.from_keras(keras.Model(numbers, given))


@pytest.mark.keras
def test_an_embedding_that_masks_goes_to_keras_and_back(keras):
    model = models.Sequential([layers.Embedding(5, 3, mask_zero=True), layers.GRU(2)], seed=0)
    x = np.array([[1, 4, 0, 0], [0, 0, 0, 0]])
    expected = model(x)
    theirs = interop.to_keras(model)
    np.testing.assert_allclose(np.asarray(theirs(x)), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(interop.from_keras(theirs)(x), expected)
