"""Layers: gradients against finite differences, outputs and weights against Keras."""

import numpy as np
import pytest

from reglib import layers, models, optimizers, regularizers
from reglib.gradcheck import GradientError, check_gradient, check_layer

KINDS = {
    "dense": (lambda **k: layers.Dense(4, activation="tanh", **k), (5, 3)),
    "dense over time": (lambda **k: layers.Dense(4, **k), (2, 6, 3)),
    "dense softmax": (lambda **k: layers.Dense(4, activation="softmax", **k), (5, 3)),
    "dense penalized outputs": (
        lambda **k: layers.Dense(4, activation="sigmoid", activity_regularizer="l2", **k),
        (5, 3),
    ),
    "activation": (lambda **k: layers.Activation("silu", **k), (5, 3)),
    "flatten": (lambda **k: layers.Flatten(**k), (2, 3, 4)),
    "flatten, channels first": (
        lambda **k: layers.Flatten("channels_first", **k),
        (2, 3, 4, 5),
    ),
    "flatten nothing": (lambda **k: layers.Flatten(**k), (5,)),
    "reshape": (lambda **k: layers.Reshape((2, -1), **k), (2, 3, 4)),
    "dropout": (lambda **k: layers.Dropout(0.4, seed=1, **k), (5, 8)),
    "dropout by column": (lambda **k: layers.Dropout(0.4, noise_shape=(1, None), **k), (5, 8)),
    "simple rnn": (lambda **k: layers.SimpleRNN(3, **k), (2, 4, 3)),
    "lstm": (lambda **k: layers.LSTM(3, **k), (2, 4, 3)),
    "lstm with dropout": (lambda **k: layers.LSTM(3, dropout=0.4, seed=1, **k), (2, 4, 3)),
    "lstm with variational dropout": (
        lambda **k: layers.LSTM(3, dropout=0.3, recurrent_dropout=0.4, seed=1, **k),
        (2, 4, 3),
    ),
    "lstm, all steps, backwards": (
        lambda **k: layers.LSTM(3, return_sequences=True, go_backwards=True, **k),
        (2, 4, 3),
    ),
    "gru": (lambda **k: layers.GRU(3, return_sequences=True, **k), (2, 4, 3)),
    "gru with variational dropout": (
        lambda **k: layers.GRU(3, dropout=0.3, recurrent_dropout=0.4, seed=1, **k),
        (2, 4, 3),
    ),
    "gru without bias": (lambda **k: layers.GRU(3, use_bias=False, **k), (2, 4, 3)),
    "convolution": (lambda **k: layers.Conv2D(4, 3, **k), (2, 7, 6, 3)),
    "convolution, same, strided": (
        lambda **k: layers.Conv2D(4, (3, 2), strides=2, padding="same", activation="tanh", **k),
        (2, 7, 6, 3),
    ),
    "convolution along time": (
        lambda **k: layers.Conv1D(4, 3, padding="same", strides=2, use_bias=False, **k),
        (2, 9, 3),
    ),
    "convolution, dilated": (
        lambda **k: layers.Conv2D(4, (3, 2), dilation_rate=(1, 2), padding="same", **k),
        (2, 7, 6, 3),
    ),
    "convolution, in groups": (
        lambda **k: layers.Conv2D(6, 3, groups=2, activation="tanh", **k),
        (2, 7, 6, 4),
    ),
    "convolution, channels first": (
        lambda **k: layers.Conv2D(4, 3, strides=2, data_format="channels_first", **k),
        (2, 3, 7, 6),
    ),
    "convolution along time, causal": (
        lambda **k: layers.Conv1D(4, 3, padding="causal", dilation_rate=2, **k),
        (2, 9, 3),
    ),
    "max pooling": (lambda **k: layers.MaxPooling2D(2, **k), (2, 7, 6, 3)),
    "max pooling, overlapping": (
        lambda **k: layers.MaxPooling2D(3, strides=2, padding="same", **k),
        (2, 7, 6, 3),
    ),
    "max pooling along time": (lambda **k: layers.MaxPooling1D(3, **k), (2, 7, 3)),
    "average pooling": (
        lambda **k: layers.AveragePooling2D(3, 2, padding="same", **k),
        (2, 7, 6, 3),
    ),
    "average pooling along time": (
        lambda **k: layers.AveragePooling1D(2, data_format="channels_first", **k),
        (2, 3, 7),
    ),
    "global average pooling": (lambda **k: layers.GlobalAveragePooling2D(**k), (2, 5, 6, 3)),
    "global average pooling along time": (
        lambda **k: layers.GlobalAveragePooling1D("channels_first", keepdims=True, **k),
        (2, 3, 5),
    ),
    "global max pooling": (lambda **k: layers.GlobalMaxPooling2D(**k), (2, 5, 6, 3)),
    "global max pooling along time": (
        lambda **k: layers.GlobalMaxPooling1D(keepdims=True, **k),
        (2, 5, 3),
    ),
    "batch normalization": (lambda **k: layers.BatchNormalization(**k), (4, 3, 3, 2)),
    "batch normalization, plain": (
        lambda **k: layers.BatchNormalization(center=False, scale=False, **k),
        (8, 5),
    ),
    "batch normalization, channels first": (
        lambda **k: layers.BatchNormalization(axis=1, **k),
        (4, 2, 3, 3),
    ),
    "layer normalization over two axes": (
        lambda **k: layers.LayerNormalization(axis=(-1, 1), **k),
        (4, 3, 2, 3),
    ),
    "layer normalization": (lambda **k: layers.LayerNormalization(**k), (4, 3, 6)),
    "group normalization": (lambda **k: layers.GroupNormalization(2, **k), (4, 3, 2, 6)),
    "group normalization, channels first": (
        lambda **k: layers.GroupNormalization(3, axis=1, center=False, **k),
        (4, 6, 3, 2),
    ),
    "instance normalization": (lambda **k: layers.GroupNormalization(-1, **k), (4, 5, 3)),
    "relu": (lambda **k: layers.ReLU(1.5, 0.2, 0.1, **k), (5, 8)),
    "leaky relu": (lambda **k: layers.LeakyReLU(**k), (5, 8)),
    "softmax over two axes": (lambda **k: layers.Softmax(axis=(1, 3), **k), (2, 3, 4, 2)),
    "softmax": (lambda **k: layers.Softmax(**k), (5, 3)),
    "spectral normalization": (
        lambda **k: layers.SpectralNormalization(
            layers.Dense(4, **k, name="dense_within"), power_iterations=400, **k
        ),
        (5, 3),
    ),
    "spectral normalization of a convolution": (
        lambda **k: layers.SpectralNormalization(
            layers.Conv2D(4, 2, **k, name="conv_within"), power_iterations=400, **k
        ),
        (2, 4, 4, 3),
    ),
    "spatial dropout 1d": (lambda **k: layers.SpatialDropout1D(0.5, seed=1, **k), (2, 5, 6)),
    "spatial dropout 2d": (lambda **k: layers.SpatialDropout2D(0.5, seed=1, **k), (2, 4, 4, 6)),
    "spatial dropout 2d, channels first": (
        lambda **k: layers.SpatialDropout2D(0.5, data_format="channels_first", seed=1, **k),
        (2, 6, 4, 4),
    ),
    "gaussian dropout": (lambda **k: layers.GaussianDropout(0.4, seed=1, **k), (5, 8)),
    "gaussian noise": (lambda **k: layers.GaussianNoise(0.4, seed=1, **k), (5, 8)),
    "alpha dropout": (lambda **k: layers.AlphaDropout(0.4, seed=1, **k), (5, 8)),
    "activity regularization": (lambda **k: layers.ActivityRegularization(0.1, 0.2, **k), (5, 8)),
    "dropconnect": (lambda **k: layers.DropConnect(4, 0.5, seed=1, **k), (5, 3)),
    "drop path": (lambda **k: layers.DropPath(0.5, seed=1, **k), (6, 3, 2)),
    "drop block": (lambda **k: layers.DropBlock(0.3, 3, seed=1, **k), (2, 8, 8, 3)),
}
# Noise layers that are the identity at evaluation.
NOISE = [kind for kind in KINDS if "drop" in kind or "noise" in kind]
NOISE = [kind for kind in NOISE if "lstm" not in kind and "gru" not in kind]
NOISE.remove("dropconnect")


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_agree_with_finite_differences(kind, rng):
    make, shape = KINDS[kind]
    layer = make(dtype="float64")
    layer.seed_from(np.random.SeedSequence(1))  # the same weights each time
    assert check_layer(layer, rng.normal(size=shape), rtol=1e-6) < 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_the_way_back_may_be_walked_twice_and_leaves_its_gradient_alone(kind, rng):
    make, shape = KINDS[kind]
    layer = make(dtype="float64")
    outputs = layer(rng.normal(size=shape), training=True)
    gradient = rng.normal(size=outputs.shape)
    given, results = gradient.copy(), []
    for _ in range(2):
        back = layer.propagate_back(gradient)
        results.append([back.copy(), *(p.gradient.copy() for p in layer.trainable_weights)])
    np.testing.assert_array_equal(gradient, given)
    for once, again in zip(*results, strict=True):
        np.testing.assert_array_equal(once, again)


@pytest.mark.parametrize("name", ["relu", "elu", "selu", "softplus", "linear"])
def test_activation_gradients_agree_with_finite_differences(name, rng):
    inputs = rng.normal(size=(6, 7)) + 0.01
    assert check_layer(layers.Activation(name, dtype="float64"), inputs, rtol=1e-6) < 1e-6


def test_a_wrong_backward_pass_is_noticed(rng):
    class ForgetfulDropout(layers.Dropout):
        def backward(self, gradient):
            return gradient  # the mask is forgotten on the way back

    with pytest.raises(GradientError):
        check_layer(ForgetfulDropout(0.5, seed=0, dtype="float64"), rng.normal(size=(5, 8)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_is_rebuilt_from_its_config(kind, rng):
    make, shape = KINDS[kind]
    inputs = rng.normal(size=shape)
    layer = make()
    expected = layer(inputs)
    twin = type(layer).from_config(layer.get_config())
    assert twin.get_config() == layer.get_config()
    twin(inputs)
    twin.set_weights(layer.get_weights())
    np.testing.assert_array_equal(twin(inputs), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_the_output_shape_is_known_beforehand(kind, rng):
    make, shape = KINDS[kind]
    layer = make()
    promised = layer.compute_output_shape((None, *shape[1:]))
    assert layer(rng.normal(size=shape)).shape[1:] == promised[1:]


def test_a_layer_of_ones_own_says_what_its_weights_are_like(rng):
    class Scale(layers.Layer):
        def build(self, input_shape):
            self.scale = self.add_weight(
                shape=input_shape[-1:],
                initializer="ones",
                regularizer=regularizers.L2(0.5),
                constraint="non_neg",
            )
            self.mixture = self.add_weight((3, 3), name="mixture")
            self.seen = self.add_weight(name="seen", initializer="zeros", trainable=False)

        def call(self, inputs):
            self._inputs = inputs
            return inputs * self.scale.value

        def backward(self, gradient):
            self.scale.gradient[...] = (gradient * self._inputs).sum(axis=0)
            return gradient * self.scale.value

    layer = Scale()
    model = models.Sequential([layer])
    model.compile(optimizers.SGD(0.5), "mse")
    x = rng.normal(size=(8, 3))
    assert model.evaluate(x, x) == pytest.approx(1.5)
    assert [w.name for w in layer.weights] == ["variable", "mixture", "seen"]
    assert [w.shape for w in layer.weights] == [(3,), (3, 3), ()]
    assert np.ptp(layer.mixture.value) > 0
    model.fit(x, -x, epochs=50)
    assert (layer.scale.value == 0).all()
    with pytest.raises(ValueError, match="initializer must be one of"):
        layers.Layer().add_weight(initializer="one")


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_may_be_empty(kind):
    make, (_, *shape) = KINDS[kind]
    layer = make()
    outputs = layer(np.zeros((0, *shape)))
    assert outputs.shape == layer.compute_output_shape((0, *shape))
    back = layer.propagate_back(np.zeros_like(outputs))
    assert back.shape == (0, *shape)
    assert not any(parameter.gradient.any() for parameter in layer.trainable_weights)


@pytest.mark.parametrize("kind", NOISE)
def test_noise_is_absent_at_evaluation_and_present_in_training(kind, rng):
    make, shape = KINDS[kind]
    inputs = rng.normal(size=shape).astype("float32")
    layer = make()
    np.testing.assert_array_equal(layer(inputs), inputs)
    assert (layer(inputs, training=True) != inputs).any()


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.8])
@pytest.mark.parametrize(
    "name", ["SpatialDropout1D", "SpatialDropout2D", "DropPath", "GaussianDropout", "DropBlock"]
)
def test_noise_keeps_the_mean(name, rate):
    shape = (400, 12, 20) if name == "SpatialDropout1D" else (400, 12, 12, 20)
    outputs = getattr(layers, name)(rate, seed=5)(np.ones(shape), training=True)
    draws = {"DropPath": 400, "GaussianDropout": outputs.size, "DropBlock": 400 * 20}
    spread = np.sqrt(rate / (1 - rate) / draws.get(name, 400 * 20))
    assert abs(outputs.mean() - 1) < 6.5 * spread


def test_each_kind_of_dropout_shares_its_draws():
    images = np.ones((6, 8, 8, 5))
    channels = layers.SpatialDropout2D(0.5, seed=0)(images, training=True)
    assert (channels == channels[:, :1, :1]).all()
    first = layers.SpatialDropout2D(0.5, data_format="channels_first", seed=0)
    channels = first(np.ones((6, 5, 8, 8)), training=True)
    assert (channels == channels[:, :, :1, :1]).all()
    assert {0, 2} == set(channels[:, :, 0, 0].ravel())
    branch = layers.DropPath(0.5, seed=0)(images, training=True)
    assert (branch == branch[:, :1, :1, :1]).all()
    blocks = layers.DropBlock(0.3, 3, seed=0)(images, training=True) == 0
    corners = np.lib.stride_tricks.sliding_window_view(blocks, (3, 3), axis=(1, 2)).all((-1, -2))
    covered = np.zeros_like(blocks)
    for n, i, j, c in np.argwhere(corners):
        covered[n, i : i + 3, j : j + 3, c] = True
    np.testing.assert_array_equal(blocks, covered)  # all that fell, fell in squares


@pytest.mark.parametrize("rate", [0.1, 0.4])
def test_drop_block_drops_about_the_rate(rate):
    dropped = layers.DropBlock(rate, 2, seed=0)(np.ones((200, 16, 16, 4)), training=True) == 0
    assert rate * 0.75 < dropped.mean() < rate * 1.05  # overlapping blocks drop a little less


def test_alpha_dropout_keeps_mean_and_variance(rng):
    outputs = layers.AlphaDropout(0.3, seed=0)(rng.normal(size=(1000, 500)), training=True)
    assert abs(outputs.mean()) < 0.01
    assert abs(outputs.var() - 1) < 0.02


def test_dropconnect_drops_weights_not_units(rng):
    layer = layers.DropConnect(50, 0.5, seed=0, kernel_initializer="ones")
    outputs = layer(np.ones((4, 40)), training=True)
    assert (outputs == outputs[0]).all()  # one mask a batch
    assert len(np.unique(outputs[0])) > 5
    np.testing.assert_allclose(layer(np.ones((4, 40))), 40)


def test_an_activity_penalty_is_divided_by_the_batch():
    layer = layers.ActivityRegularization(l1=0.1, l2=0.01)
    layer(np.full((4, 2), 3.0))
    assert layer.activity_penalty == pytest.approx((0.1 * 24 + 0.01 * 72) / 4)


def test_batch_normalization_learns_statistics_unless_frozen(rng):
    x = rng.normal(3, 2, size=(200, 4))
    layer = layers.BatchNormalization(momentum=0.0)
    layer(x, training=True)
    np.testing.assert_allclose(layer.moving_mean.value, x.mean(0), rtol=1e-4)
    np.testing.assert_allclose(layer.moving_variance.value, x.var(0), rtol=1e-4)
    layer.trainable = False
    before = layer.get_weights()
    layer(x + 5, training=True)
    for array, kept in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, kept)


def test_spectral_normalization_gives_a_largest_singular_value_of_one(rng):
    layer = layers.SpectralNormalization(layers.Dense(6), power_iterations=100)
    layer(rng.normal(size=(3, 8)), training=True)
    assert np.linalg.norm(layer.layer.kernel.value, 2) == pytest.approx(1, abs=1e-4)
    table = layers.SpectralNormalization(layers.Embedding(9, 4), power_iterations=100)
    table([[1, 2, 2]], training=True)
    assert np.linalg.norm(table.layer.embeddings.value, 2) == pytest.approx(1, abs=1e-4)


def test_the_gradient_of_a_normalized_table_agrees_with_finite_differences(rng):
    table = layers.SpectralNormalization(
        layers.Embedding(5, 3, dtype="float64"), power_iterations=300, dtype="float64"
    )
    rows, upstream = np.array([[0, 2, 2]]), rng.normal(size=(1, 3, 3))
    table(rows)
    start = rng.normal(size=(5, 3))

    def value(w):
        table.kernel.value[...] = w
        return float((table(rows, training=True) * upstream).sum())

    def gradient(w):
        value(w)
        table.propagate_back(upstream)
        return table.kernel.gradient.copy()

    check_gradient(value, gradient, start, rtol=1e-5)


def test_a_shape_with_unknown_lengths_is_passed_on():
    layer = layers.Reshape((-1, 8))
    assert layer.compute_output_shape((None, None, 4)) == (None, None, 8)
    assert layers.Reshape((3, 5)).compute_output_shape((2, None)) == (2, 3, 5)
    assert layers.Flatten().compute_output_shape((None, None, 4)) == (None, None)


def test_embedding_looks_rows_up_and_adds_their_gradients_up():
    layer = layers.Embedding(4, 2, dtype="float64")
    rows = np.array([[1, 3, 1]])
    assert (layer(rows) == layer.embeddings.value[rows]).all()
    layer.propagate_back(np.ones((1, 3, 2)))
    assert layer.embeddings.gradient.tolist() == [[0, 0], [2, 2], [0, 0], [1, 1]]


def test_an_embedding_may_start_from_a_table_and_needs_no_shape_of_inputs(rng):
    table = rng.normal(size=(4, 2))
    for given in (table, [table]):
        np.testing.assert_allclose(layers.Embedding(4, 2, weights=given)([3, 1]), table[[3, 1]])
    layer = layers.Embedding(4, 2)
    layer.build()
    assert layer.embeddings.shape == (4, 2)


def test_a_layer_need_not_ask_whether_it_is_training(rng):
    class Shifted(layers.Layer):
        def call(self, inputs):
            return inputs + 1

        def backward(self, gradient):
            return gradient

    x = rng.normal(size=(3, 2)).astype("float32")
    np.testing.assert_array_equal(Shifted()(x, training=True), x + 1)
    check_layer(Shifted(dtype="float64"), rng.normal(size=(3, 2)))


MASKED = {
    "softmax": (lambda **k: layers.Softmax(**k), (3, 4), (3, 4)),
    "softmax over two axes": (lambda **k: layers.Softmax((1, 2), **k), (3, 4, 2), (3, 4, 1)),
    "average": (lambda **k: layers.GlobalAveragePooling1D(**k), (3, 4, 2), (3, 4)),
    "average, channels first": (
        lambda **k: layers.GlobalAveragePooling1D("channels_first", keepdims=True, **k),
        (3, 2, 4),
        (3, 4),
    ),
}


@pytest.fixture(params=MASKED)
def masked(request, rng):
    """A maker of layers that take a mask, with inputs and a mask."""
    make, shape, mask_shape = MASKED[request.param]
    mask = rng.random(mask_shape) < 0.6
    mask[:, 0] = True
    return make, rng.normal(size=shape), mask


def test_gradients_under_a_mask_agree_with_finite_differences(masked, rng):
    make, inputs, mask = masked
    layer = make(dtype="float64")
    upstream = rng.normal(size=layer(inputs, mask=mask).shape)
    gradient = layer.propagate_back(upstream)
    check_gradient(lambda x: float((layer(x, mask=mask) * upstream).sum()), gradient, inputs)


@pytest.mark.keras
def test_masked_outputs_are_those_of_keras(masked, keras):
    make, inputs, mask = masked
    layer, inputs = make(), inputs.astype("float32")
    theirs = getattr(keras.layers, type(layer).__name__).from_config(layer.get_config())
    expected = np.asarray(theirs(inputs, mask=mask))
    np.testing.assert_allclose(layer(inputs, mask=mask), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.keras
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    ("name", "arguments", "options"),
    [
        ("Conv2D", (4, 3), {}),
        ("Conv2D", (4, (3, 2)), {"strides": 2, "padding": "same", "activation": "tanh"}),
        ("MaxPooling2D", (3,), {"strides": 2, "padding": "same"}),
        ("AveragePooling2D", (3, 2), {"padding": "same"}),
        ("GlobalAveragePooling2D", (), {"keepdims": True}),
        ("BatchNormalization", (), {}),
        ("LayerNormalization", (), {}),
        ("SpatialDropout2D", (0.0,), {}),
        ("SpatialDropout2D", (1.0,), {"data_format": "channels_first"}),
    ],
)
def test_image_layers_agree_with_keras(name, arguments, options, training, rng):
    import keras

    inputs = rng.normal(size=(3, 8, 7, 5)).astype("float32")
    theirs = getattr(keras.layers, name)(*arguments, **options)
    ours = getattr(layers, name)(*arguments, **options)
    theirs.build(inputs.shape)
    ours.ensure_built(inputs.shape)
    ours.set_weights(theirs.get_weights())
    expected = np.asarray(theirs(inputs, training=training)) if training else theirs(inputs)
    np.testing.assert_allclose(
        ours(inputs, training=training), np.asarray(expected), rtol=1e-5, atol=2e-6
    )
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)


@pytest.mark.keras
@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
@pytest.mark.parametrize(
    "options", [{}, {"return_sequences": True}, {"go_backwards": True, "use_bias": False}]
)
def test_recurrent_layers_agree_with_keras(name, options, rng):
    import keras

    inputs = rng.normal(size=(3, 5, 4)).astype("float32")
    theirs = getattr(keras.layers, name)(6, **options)
    expected = np.asarray(theirs(inputs))
    ours = getattr(layers, name)(6, **options)
    ours(inputs)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(inputs), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.keras
@pytest.mark.parametrize("activation", ["relu", "softmax", "selu", "silu", None])
def test_dense_agrees_with_keras(activation, rng):
    import keras

    inputs = rng.normal(size=(3, 5)).astype("float32")
    theirs = keras.layers.Dense(4, activation=activation)
    expected = np.asarray(theirs(inputs))
    ours = layers.Dense(4, activation=activation)
    ours(inputs)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(inputs), expected, rtol=1e-5, atol=1e-6)


def test_the_forget_gate_starts_open():
    layer = layers.LSTM(3)
    layer(np.zeros((1, 2, 4)))
    assert layer.bias.value.tolist() == [0] * 3 + [1] * 3 + [0] * 6


class TestDropout:
    @pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
    def test_keeps_the_right_fraction_and_the_mean(self, rate, rng):
        inputs = rng.uniform(1, 2, size=(400, 500))
        outputs = layers.Dropout(rate, seed=3)(inputs, training=True)
        kept = outputs != 0
        bound = 6.5 * np.sqrt(rate * (1 - rate) / inputs.size)
        assert abs(kept.mean() - (1 - rate)) < bound
        np.testing.assert_allclose(outputs[kept], inputs[kept] / (1 - rate), rtol=1e-5)

    def test_evaluation_is_the_identity(self, rng):
        inputs = rng.normal(size=(4, 5)).astype("float32")
        assert layers.Dropout(0.5)(inputs) is inputs

    def test_rate_one_drops_everything(self, rng):
        assert not layers.Dropout(1.0)(rng.normal(size=(4, 5)), training=True).any()

    def test_masks_differ_from_call_to_call_and_repeat_by_seed(self):
        ones = np.ones((4, 50))
        layer, twin = layers.Dropout(0.5, seed=7), layers.Dropout(0.5, seed=7)
        first, second = layer(ones, training=True), layer(ones, training=True)
        assert (first != second).any()
        np.testing.assert_array_equal(twin(ones, training=True), first)
        np.testing.assert_array_equal(twin(ones, training=True), second)

    def test_noise_shape_shares_the_mask(self):
        outputs = layers.Dropout(0.5, noise_shape=(1, None), seed=0)(
            np.ones((6, 40)), training=True
        )
        assert (outputs == outputs[0]).all()
        assert 0 < (outputs[0] != 0).sum() < 40


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: layers.Dense(0), ValueError, r"units must be at least 1, got 0"),
        (lambda: layers.Dense(2.5), TypeError, r"units must be an integer, got 2\.5"),
        (lambda: layers.Dense(2, activation="rleu"), ValueError, "activation must be one of"),
        (lambda: layers.Dense(2, activation=np.tanh), TypeError, "activation must be a name or"),
        (
            lambda: layers.Dense(2, kernel_regularizer="l3"),
            ValueError,
            "regularizer must be one of",
        ),
        (lambda: layers.Dense(2)(np.ones(3)), ValueError, r"\(batch, ..., features\), got \(3,\)"),
        (lambda: layers.Dense(2)(np.array([["a"]])), TypeError, "inputs of layer dense.* numbers"),
        (lambda: layers.Dense(2, dtype="float16"), ValueError, "dtype must be one of"),
        (lambda: layers.Dropout(1.5), ValueError, r"rate must be in \[0, 1\], got 1.5"),
        (lambda: layers.Dropout(-0.1), ValueError, r"rate must be in \[0, 1\], got -0.1"),
        (lambda: layers.Dropout("half"), TypeError, "rate must be a number, got 'half'"),
        (lambda: layers.Dropout(np.nan), ValueError, r"rate must be in \[0, 1\], got nan"),
        (lambda: layers.Dropout(0.5, noise_shape=(0, 2)), ValueError, "noise_shape must be"),
        (lambda: layers.LSTM(4)(np.ones((2, 3))), ValueError, r"\(batch, time, features\)"),
        (lambda: layers.LSTM(4, dropout=2), ValueError, r"dropout must be in \[0, 1\], got 2"),
        (lambda: layers.GRU(0), ValueError, "units must be at least 1"),
        (lambda: layers.Conv2D(0, 3), ValueError, "filters must be at least 1, got 0"),
        (lambda: layers.Conv2D(2, (3, 3, 3)), ValueError, "kernel_size must be a number or 2"),
        (lambda: layers.Conv2D(2, 3, padding="full"), ValueError, "padding must be one of"),
        (
            lambda: layers.Conv2D(2, 3, strides=2, dilation_rate=(1, 2)),
            ValueError,
            r"dilation_rate must be 1 where strides are not, got \(1, 2\) with strides \(2, 2\)",
        ),
        (lambda: layers.Conv1D(3, 3, groups=2), ValueError, "multiple of groups=2, got 3"),
        (
            lambda: layers.Conv1D(4, 3, groups=2)(np.ones((2, 8, 3))),
            ValueError,
            r"a multiple of groups=2 channels, got shape \(2, 8, 3\)",
        ),
        (lambda: layers.Conv2D(2, 3, padding="causal"), ValueError, "padding must be one of"),
        (lambda: layers.Conv1D(2, 3, data_format="last"), ValueError, "data_format must be one"),
        (lambda: layers.Conv1D(2, 3, use_bias="no"), TypeError, "use_bias must be True or False"),
        (
            lambda: layers.Conv2D(2, 3, data_format="channels_first")(np.ones((8, 8, 1))),
            ValueError,
            r"\(batch, channels, height, width\), got \(8, 8, 1\)",
        ),
        (
            lambda: layers.Conv1D(2, 3, dilation_rate=4)(np.ones((2, 8, 1))),
            ValueError,
            r"must be at least \(9,\) wide, got \(2, 8, 1\)",
        ),
        (
            lambda: layers.GlobalMaxPooling1D()(np.ones((2, 8, 8, 1))),
            ValueError,
            r"\(batch, length, channels\), got \(2, 8, 8, 1\)",
        ),
        (lambda: layers.GlobalMaxPooling1D(keepdims=2), TypeError, "keepdims must be True or"),
        (lambda: layers.Reshape((-1, -1, 5)), ValueError, "target_shape must have at most one -1"),
        (
            lambda: layers.Conv2D(2, 3)(np.ones((1, 2, 2, 1))),
            ValueError,
            r"must be at least \(3, 3\) wide, got \(1, 2, 2, 1\)",
        ),
        (
            lambda: layers.Conv2D(2, 3)(np.ones((8, 8, 1))),
            ValueError,
            r"\(batch, height, width, channels\), got \(8, 8, 1\)",
        ),
        (lambda: layers.MaxPooling2D(0), ValueError, "pool_size must be at least 1, got 0"),
        (lambda: layers.BatchNormalization(momentum=2), ValueError, "momentum must be in"),
        (lambda: layers.BatchNormalization(axis=(1, 2)), TypeError, "axis must be an integer"),
        (lambda: layers.LayerNormalization(axis="last"), TypeError, "axis must be an integer"),
        (
            lambda: layers.LayerNormalization(axis=2)(np.ones((4, 3))),
            ValueError,
            r"axis must lie in the inputs of layer .*, of shape \(4, 3\), got 2",
        ),
        (
            lambda: layers.BatchNormalization(axis=1).build((None, None, 3)),
            ValueError,
            r"known lengths along axis 1, got shape \(None, None, 3\)",
        ),
        (lambda: layers.LayerNormalization(epsilon=-1), ValueError, "epsilon must be"),
        (lambda: layers.GroupNormalization(0), ValueError, "groups must be at least 1, or -1"),
        (lambda: layers.GroupNormalization(2.5), TypeError, "groups must be an integer, got 2.5"),
        (
            lambda: layers.GroupNormalization(2)(np.ones((4, 3))),
            ValueError,
            "groups must divide the 3 features of layer .*, got 2",
        ),
        (lambda: layers.ReLU(max_value=-1), ValueError, "max_value must be"),
        (lambda: layers.LeakyReLU("steep"), TypeError, "negative_slope must be a number"),
        (
            lambda: layers.Softmax()(np.ones((1, 3)), mask=np.ones((2, 3))),
            ValueError,
            r"mask must broadcast to the shape of the inputs, \(1, 3\), got \(2, 3\)",
        ),
        (
            lambda: layers.GlobalAveragePooling1D()(np.ones((2, 4, 3)), mask=np.ones((2, 3))),
            ValueError,
            r"mask must have shape \(2, 4\), got \(2, 3\)",
        ),
        (
            lambda: layers.Embedding(4, 2, weights=np.ones((2, 4))),
            ValueError,
            r"must have shape \(4, 2\), got \(2, 4\)",
        ),
        (lambda: layers.Flatten("first"), ValueError, "data_format must be one of"),
        (lambda: layers.Softmax(axis=3)(np.ones((2, 3))), ValueError, "axis must lie in"),
        (lambda: layers.SpectralNormalization("dense"), TypeError, "layer must be a reglib layer"),
        (
            lambda: layers.SpectralNormalization(layers.Flatten())(np.ones((2, 3))),
            ValueError,
            "layer must have a kernel",
        ),
        (lambda: layers.GaussianDropout(1.0), ValueError, r"rate must be in \[0, 1\), got 1.0"),
        (lambda: layers.AlphaDropout(1.0), ValueError, r"rate must be in \[0, 1\), got 1.0"),
        (lambda: layers.GaussianNoise(1.5), ValueError, r"stddev must be in \[0, 1\], got 1.5"),
        (lambda: layers.DropBlock(0.5, 0), ValueError, "block_size must be at least 1, got 0"),
        (
            lambda: layers.DropBlock(0.5, 9)(np.ones((1, 8, 8, 1)), training=True),
            ValueError,
            "sides of at least block_size=9",
        ),
        (lambda: layers.DropConnect(3, 1.0), ValueError, r"rate must be in \[0, 1\), got 1.0"),
        (
            lambda: layers.SpatialDropout2D(0.5)(np.ones((2, 3)), training=True),
            ValueError,
            r"\(batch, height, width, channels\), got \(2, 3\)",
        ),
        (
            lambda: layers.ActivityRegularization(l1=-1),
            ValueError,
            "l1 must be a finite number >= 0, got -1",
        ),
        (
            lambda: layers.Embedding(4, 2)(np.array([[4]])),
            ValueError,
            r"must be whole numbers in \[0, 4\), got values from 4 to 4",
        ),
        (lambda: layers.Add()([np.ones((1, 2))]), ValueError, "must be at least 2, got 1"),
        (
            lambda: layers.Add()([np.ones((1, 2)), np.ones((1, 3))]),
            ValueError,
            "must have one shape",
        ),
        (
            lambda: layers.deserialize({"class_name": "Densely", "config": {}}),
            ValueError,
            "layer must be one of",
        ),
        (
            lambda: layers.Reshape((3, 5))(np.ones((2, 14))),
            ValueError,
            r"target_shape must hold 14 numbers, got \(3, 5\)",
        ),
    ],
)
def test_bad_input_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("kind", KINDS)
def test_weights_that_are_set_between_build_and_call_stay(kind, rng):
    make, shape = KINDS[kind]
    inputs = rng.normal(size=shape)
    trained, layer = make(), make()
    expected = trained(inputs)
    layer.build(shape)
    layer.set_weights(trained.get_weights())
    np.testing.assert_array_equal(layer(inputs), expected)
    assert len(layer.weights) == len(trained.weights)


def test_wrong_weights_change_nothing(rng):
    layer = layers.Dense(2)
    layer(rng.normal(size=(3, 4)))
    before = layer.get_weights()
    with pytest.raises(ValueError, match=r"bias .* must have shape \(2,\), got \(3,\)"):
        layer.set_weights([np.ones((4, 2)), np.ones(3)])
    with pytest.raises(ValueError, match="must be 2 arrays, got 1"):
        layer.set_weights([np.ones((4, 2))])
    for array, kept in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, kept)
