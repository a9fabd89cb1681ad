"""Layers of several inputs: Keras's numbers, gradients by finite differences, bad input."""

import inspect
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reglib import interop, layers, models
from reglib.gradcheck import check_gradient

ELEMENTWISE = ["Add", "Multiply", "Average"]
KINDS = {
    **{name: (name, {}, [(3, 4, 2)] * 3) for name in ELEMENTWISE},
    **{f"{name}, repeating": (name, {}, [(3, 4, 2), (3, 1, 2), (3, 2)]) for name in ELEMENTWISE},
    "Concatenate": ("Concatenate", {}, [(3, 4, 2), (3, 4, 5)]),
    "Concatenate in time": ("Concatenate", {"axis": 1}, [(3, 4, 2), (3, 1, 2), (3, 2, 2)]),
}


@pytest.fixture(params=KINDS)
def made(request, rng):
    """A layer of each kind and inputs for it."""
    name, options, shapes = KINDS[request.param]
    layer = getattr(layers, name)(**options, dtype="float64")
    return layer, [rng.normal(size=shape) for shape in shapes]


def test_gradients_agree_with_finite_differences(made, rng):
    layer, inputs = made
    upstream = rng.normal(size=layer(inputs).shape)
    for number, gradient in enumerate(layer.propagate_back(upstream)):

        def value(x, number=number):
            return float((layer([*inputs[:number], x, *inputs[number + 1 :]]) * upstream).sum())

        assert gradient.shape == inputs[number].shape
        check_gradient(value, gradient, inputs[number], rtol=1e-6)


def test_inputs_are_not_modified(made):
    layer, inputs = made
    copies = [x.copy() for x in inputs]
    layer.propagate_back(layer(inputs))
    for x, copy in zip(inputs, copies, strict=True):
        np.testing.assert_array_equal(x, copy)


def test_a_layer_is_rebuilt_from_its_config(made):
    layer, inputs = made
    config = json.loads(json.dumps(layer.get_config()))
    twin = type(layer).from_config(config)
    assert json.loads(json.dumps(twin.get_config())) == config
    np.testing.assert_array_equal(twin(inputs), layer(inputs))


def test_the_output_shape_is_known_beforehand(made):
    layer, inputs = made
    node = layer([layers.Input(x.shape[1:]) for x in inputs])
    assert node.shape[1:] == layer(inputs).shape[1:]
    batch = layer([layers.Input(batch_shape=x.shape) for x in inputs])
    assert batch.shape == layer(inputs).shape


def test_a_batch_may_be_empty(made):
    layer, inputs = made
    none = [x[:0] for x in inputs]
    outputs = layer(none)
    assert outputs.shape == (0, *layer(inputs).shape[1:])
    layer(none)
    assert [g.shape for g in layer.propagate_back(outputs)] == [x.shape for x in none]


FUNCTIONS = {
    "add": {},
    "average": {},
    "concatenate": {"axis": 1},
    "multiply": {},
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_merges_as_its_layer_does(name, rng):
    function, options = getattr(layers, name), {**FUNCTIONS[name], "dtype": "float64"}
    inputs = [rng.normal(size=(3, 4)) for _ in range(2)]
    layer = getattr(layers, name.capitalize())(**options)
    np.testing.assert_array_equal(function(inputs, **options), layer(inputs))
    nodes = [layers.Input((4,)), layers.Input((4,))]
    met = function(nodes, **options, name="met")
    assert isinstance(met.layer, type(layer))
    assert met.layer.name == "met"
    assert models.Model(nodes, met).output_shape == layer.compute_output_shape([(None, 4)] * 2)


@pytest.mark.keras
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_that_merge_have_the_arguments_of_keras(name, keras):
    theirs = inspect.signature(getattr(keras.layers, name)).parameters
    ours = inspect.signature(getattr(layers, name)).parameters
    assert list(ours) == list(theirs)
    assert [p.default for p in ours.values()] == [p.default for p in theirs.values()]


@pytest.mark.keras
def test_outputs_are_those_of_keras(made, keras):
    layer, inputs = made
    config = {**layer.get_config(), "dtype": "float32"}
    inputs = [x.astype("float32") for x in inputs]
    # Keras normalizes plain arrays otherwise than tensors: wrongly, but for the last axis.
    tensors = [keras.ops.convert_to_tensor(x) for x in inputs]
    theirs = getattr(keras.layers, type(layer).__name__).from_config(config)(tensors)
    ours = type(layer).from_config(config)(inputs)
    np.testing.assert_allclose(ours, np.asarray(theirs), rtol=1e-5, atol=1e-6)


@st.composite
def broadcast_shapes(draw):
    """Shapes of two to four inputs that can be merged, some with fewer axes or lengths of 1."""
    batch, *lengths = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    shapes = []
    for _ in range(draw(st.integers(2, 4))):
        kept = lengths[draw(st.integers(0, len(lengths) - 1)) :]
        shapes.append((batch, *(1 if draw(st.booleans()) else n for n in kept)))
    return [(batch, *lengths), *shapes[1:]]


@pytest.mark.keras
@settings(max_examples=25, deadline=None)
@given(name=st.sampled_from(ELEMENTWISE), shapes=broadcast_shapes(), seed=st.integers(0, 9))
def test_shapes_broadcast_as_in_keras(name, shapes, seed):
    keras = pytest.importorskip("keras")
    generator = np.random.default_rng(seed)
    inputs = [generator.normal(size=shape).astype("float32") for shape in shapes]
    theirs = np.asarray(getattr(keras.layers, name)()(inputs))
    ours = getattr(layers, name)()
    np.testing.assert_allclose(ours(inputs), theirs, rtol=1e-5, atol=1e-6)
    assert ours.compute_output_shape(shapes) == theirs.shape


def test_nodes_can_be_added_subtracted_and_multiplied(rng):
    start = layers.Input((3,))
    branch = layers.Dense(3)(start)
    model = models.Model(start, (start + branch) * (start - branch), seed=0)
    x = rng.normal(size=(4, 3)).astype("float32")
    made = model.get_layer(index=1)(x)
    np.testing.assert_allclose(model(x), (x + made) * (x - made), rtol=1e-6)


def gated():
    """A model in which one branch gates the other, and the trunk's mean joins them."""
    start = layers.Input((6,))
    trunk = layers.Dense(4, activation="tanh")(start)
    gate = layers.Dense(4, activation="sigmoid")(start)
    gated = layers.Multiply()([trunk, gate])
    merged = layers.Average()([gated, layers.Add()([trunk, gate])])
    joined = layers.Concatenate()([merged - trunk, gated])
    return models.Model(start, layers.Dense(2)(joined), seed=3)


def test_a_model_of_merging_layers_trains_and_is_saved(tmp_path, rng):
    model = gated()
    model.compile("adam", "mse")
    x = rng.normal(size=(20, 6))
    y = x[:, :2] * x[:, 2:4]
    before = model.evaluate(x, y)
    model.fit(x, y, epochs=20)
    assert model.evaluate(x, y) < before
    model.save(tmp_path / "gated.npz")
    np.testing.assert_array_equal(
        models.load_model(tmp_path / "gated.npz").predict(x), model.predict(x)
    )


@pytest.mark.keras
def test_a_model_of_merging_layers_goes_to_keras_and_back(keras, rng):
    model, x = gated(), rng.normal(size=(5, 6)).astype("float32")
    theirs = interop.to_keras(model)
    np.testing.assert_allclose(np.asarray(theirs(x)), model(x), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(interop.from_keras(theirs)(x), model(x), rtol=1e-5, atol=1e-6)


ONES = np.ones((2, 3))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: layers.Add()(ONES), TypeError, "must be a list of inputs"),
        (lambda: layers.Add()([ONES]), ValueError, "must be at least 2, got 1"),
        (lambda: layers.Add()([ONES, ONES[:1]]), ValueError, "must have one shape, or lengths of"),
        (lambda: layers.Multiply()([ONES, ONES[:, :2]]), ValueError, "must have one shape, or"),
        (lambda: layers.Add()([ONES, [["a"]]]), TypeError, "must hold numbers"),
        (lambda: layers.Concatenate(axis=1.5), TypeError, "axis must be an integer, got 1.5"),
        (
            lambda: layers.Concatenate(axis=2)([ONES, ONES]),
            ValueError,
            "must have one number of axes, and an axis 2",
        ),
        (
            lambda: layers.Concatenate()([ONES, ONES[:1]]),
            ValueError,
            r"must differ in axis -1 only, got \[\(2, 3\), \(1, 3\)\]",
        ),
        (lambda: layers.Input(), ValueError, "shape must be that of one example, got None"),
        (lambda: layers.Input(("a",)), TypeError, "shape must .*whole numbers or None"),
        (lambda: layers.Input((3,), batch_size=0), ValueError, "batch_size must be at least 1"),
        (
            lambda: layers.Input((3,), batch_shape=(2, 3)),
            ValueError,
            "batch_shape must be given alone",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_an_input_may_say_how_many_examples_a_batch_has():
    assert layers.Input((3,), batch_size=2).shape == (2, 3)
    assert layers.Input(batch_shape=(None, 3)).shape == (None, 3)
    layer = layers.InputLayer((3,), 2)
    twin = layers.InputLayer.from_config(layer.get_config())
    assert twin.batch_shape == layer.batch_shape == (2, 3)
    assert twin.get_config() == layer.get_config()


ARITHMETIC = {
    "x + 2": lambda x: x + 2,
    "2 + x": lambda x: 2 + x,
    "x - 2": lambda x: x - 2,
    "2 - x": lambda x: 2 - x,
    "x * 2": lambda x: x * 2,
    "2 * x": lambda x: 2 * x,
    "x / 4": lambda x: x / 4,
    "-x": lambda x: -x,
    "numbers of NumPy": lambda x: np.float64(0.5) * x + np.int64(3) - x * np.float32(2),
    "a scaled branch": lambda x: x + 0.1 * (x * x),
}


@pytest.mark.parametrize("kind", ARITHMETIC)
def test_nodes_are_calculated_with_like_arrays(kind, rng, tmp_path):
    start = layers.Input((3,))
    model = models.Model(start, ARITHMETIC[kind](start))
    x = rng.normal(size=(4, 3)).astype("float32")
    np.testing.assert_allclose(model(x), ARITHMETIC[kind](x), rtol=1e-5, atol=1e-6)
    model.save(tmp_path / "model.npz")
    np.testing.assert_array_equal(models.load_model(tmp_path / "model.npz")(x), model(x))


def test_what_nodes_make_is_as_precise_as_they_are():
    start = layers.Input((3,), dtype="float64")
    rough = layers.Dense(3)(start)
    for node in (start + start, 2 * start, start - rough, rough * start):
        assert node.layer.dtype == "float64"
    assert (rough + 1).layer.dtype == "float32"


@pytest.mark.parametrize("other", ["text", None, [1.0], np.ones(3)])
@pytest.mark.parametrize("kind", ["x + 2", "2 + x", "x - 2", "2 - x", "x * 2", "2 * x", "x / 4"])
def test_a_node_and_what_is_no_number_do_not_go_together(kind, other):
    node = layers.Input((3,))
    with pytest.raises(TypeError):
        eval(kind.replace("2", "y").replace("4", "y"), {"x": node, "y": other})
