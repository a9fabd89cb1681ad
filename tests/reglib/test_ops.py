"""``ops`` does what ``keras.ops`` does, on arrays."""

import inspect

import numpy as np
import pytest

from reglib import layers, ops
from reglib.activations import Activation

A = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
B = np.random.default_rng(1).normal(size=(3, 4)).astype("float32")
P = np.abs(A) + 0.1

ONE = [
    *("abs", "absolute", "any", "all", "argmax", "argmin", "ceil", "copy", "cos", "cosh", "exp"),
    *("expm1", "floor", "isfinite", "isinf", "isnan", "max", "mean", "median", "min", "negative"),
    *("ones_like", "prod", "ravel", "relu", "round", "sigmoid", "sign", "silu", "sin"),
    *("sinh", "size", "softmax", "softplus", "softsign", "square", "std", "sum", "tan", "tanh"),
    *("transpose", "var", "zeros_like", "amax", "amin", "elu", "selu", "gelu", "swish"),
    *("leaky_relu", "hard_sigmoid", "log_softmax", "logsumexp"),
    *("shape", "convert_to_numpy", "convert_to_tensor", "nan_to_num", "ndim", "cumsum"),
    *("cumprod", "diff", "flip", "sort", "argsort", "unstack"),
]
POSITIVE = ["log", "log1p", "log2", "log10", "sqrt", "rsqrt", "reciprocal"]
TWO = [
    *("add", "subtract", "multiply", "divide", "true_divide", "maximum", "minimum", "power"),
    *("equal", "not_equal", "greater", "greater_equal", "less", "less_equal", "logical_and"),
    *("logical_or", "floor_divide", "mod", "divide_no_nan"),
]
CALLS = [
    *((name, (A,), {}) for name in ONE),
    *((name, (P,), {}) for name in POSITIVE),
    *((name, (P, np.round(P) + 1), {}) for name in TWO),
    ("matmul", (A, B.T), {}),
    ("dot", (A, B.T), {}),
    ("tensordot", (A, B), {"axes": 2}),
    ("einsum", ("ij,kj->ik", A, B), {}),
    ("outer", (A[0], B[0]), {}),
    ("mean", (A,), {"axis": 1, "keepdims": True}),
    ("sum", (A,), {"axis": (0, 1)}),
    ("var", (A,), {"axis": 0}),
    ("norm", (A,), {"axis": -1}),
    ("normalize", (A,), {"axis": -1}),
    ("logsumexp", (A,), {"axis": 1}),
    ("moments", (A,), {"axes": [0]}),
    ("clip", (A, -0.5, 0.5), {}),
    ("where", (A > 0, A, B), {}),
    ("concatenate", ([A, B],), {"axis": -1}),
    ("stack", ([A, B],), {"axis": 1}),
    ("split", (A, 2), {"axis": 1}),
    ("reshape", (A, (2, 6)), {}),
    ("expand_dims", (A, -1), {}),
    ("squeeze", (A[:1],), {"axis": 0}),
    ("repeat", (A, 2), {"axis": 0}),
    ("tile", (A, (2, 1)), {}),
    ("take", (A, np.array([0, 2])), {"axis": 1}),
    ("roll", (A, 1), {"axis": 1}),
    ("pad", (A, ((1, 1), (0, 2))), {}),
    ("moveaxis", (A, 0, 1), {}),
    ("broadcast_to", (A[0], (3, 4)), {}),
    ("cast", (A, "int32"), {}),
    ("zeros", ((2, 3),), {}),
    ("ones", ((2, 3),), {}),
    ("full", ((2, 3), 7), {}),
    ("full_like", (A, 7), {}),
    ("eye", (3,), {}),
    ("identity", (3,), {}),
    ("arange", (5,), {}),
    ("arange", (0.0, 1.0, 0.25), {}),
    ("linspace", (0, 1, 5), {}),
    ("one_hot", (np.array([0, 2, 1]), 3), {}),
    ("one_hot", (np.array([[0], [2]]), 3), {"axis": 1}),
    ("top_k", (A, 2), {}),
    ("in_top_k", (np.array([0, 1, 2]), A, 2), {}),
    ("stop_gradient", (A,), {}),
    ("is_tensor", (3.0,), {}),
    ("binary_crossentropy", (A > 0, np.clip(P / 4, 0, 1)), {}),
    ("categorical_crossentropy", (np.eye(4)[:3], P / P.sum(1, keepdims=True)), {}),
    ("sparse_categorical_crossentropy", (np.arange(3), P / P.sum(1, keepdims=True)), {}),
]


@pytest.mark.keras
@pytest.mark.parametrize(("name", "given", "options"), CALLS, ids=[c[0] for c in CALLS])
def test_values_and_kinds_are_those_of_keras(keras, name, given, options):
    ours = getattr(ops, name)(*given, **options)
    theirs = getattr(keras.ops, name)(*given, **options)
    if not isinstance(ours, (list, tuple)) or name == "shape":
        ours, theirs = [ours], [theirs]
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, np.asarray(other), rtol=2e-5, atol=1e-6)
        kinds = np.asarray(mine).dtype.kind, np.asarray(other).dtype.kind
        assert kinds[0] == kinds[1]


@pytest.mark.keras
def test_every_name_is_one_of_keras(keras):
    own = {
        name
        for name, value in vars(ops).items()
        if not name.startswith("_")
        and (inspect.isroutine(value) or isinstance(value, (np.ufunc, Activation)))
    }
    tried = {call[0] for call in CALLS}
    assert own - set(dir(keras.ops)) == set()
    assert len(own & tried) > 100


def test_a_gradient_to_replace_is_refused_with_the_way_out():
    with pytest.raises(NotImplementedError, match="write a Layer with call and backward"):
        ops.custom_gradient(lambda x: x)


def test_weights_count_as_arrays(rng):
    kernel = layers.Variable(rng.normal(size=(4, 2)), name="kernel")
    np.testing.assert_array_equal(ops.matmul(A, kernel), A @ kernel.value)
    np.testing.assert_array_equal(ops.sum(ops.square(kernel)), np.sum(kernel.value**2))


def test_a_node_has_a_shape_and_no_numbers():
    start = layers.Input((3, 2))
    assert ops.shape(start) == (None, 3, 2)
    assert ops.ndim(start) == 3
    with pytest.raises(TypeError, match="sum takes arrays, got <Node of input_layer"):
        ops.sum(start)
