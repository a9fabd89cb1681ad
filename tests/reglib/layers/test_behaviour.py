"""A sweep: each layer that Keras has too, over a grid of its arguments, does what Keras's does.

Outputs, their shape and dtype, weights, what is trainable, configurations and refusals are
compared; where they differ, ``DEVIATIONS`` says why. And no argument may be without effect.
Images that are augmented are compared in ``augmentation/``, transformation by transformation.
"""

import inspect
import json
from fnmatch import fnmatch

import numpy as np
import pytest

from reglib import layers
from reglib.layers.augmentation.base import AugmentationLayer
from reglib.layers.regularization import _SharedDropout as SharedDropout

pytestmark = pytest.mark.keras

RNG = np.random.default_rng(0)
ROWS, SEQUENCES = RNG.normal(size=(4, 6)), RNG.normal(size=(4, 5, 6))
IMAGES, NUMBERS = RNG.uniform(0, 255, (4, 8, 8, 3)), RNG.integers(0, 7, (4, 5))
PADDED = np.where(np.arange(5)[:, np.newaxis] < 3, SEQUENCES, 0)


def of_weights(*names):
    """Return a change of each option of some weights."""
    return [
        option
        for name in names
        for option in (
            {f"{name}_initializer": "random_normal" if name != "gamma" else "zeros"},
            {f"{name}_regularizer": "l2"},
            {f"{name}_constraint": "non_neg"},
        )
    ]


CONVOLUTION = [
    *({"filters": 3}, {"strides": 2}, {"padding": "same"}, {"padding": "same", "strides": 2}),
    *({"dilation_rate": 2}, {"dilation_rate": 2, "strides": 2}, {"groups": 4}, {"kernel_size": 9}),
    *({"activation": "relu"}, {"use_bias": False}, {"padding": "causal"}),
    {"data_format": "channels_first"},
    *of_weights("kernel", "bias"),
]
RECURRENT = [
    *({"units": 2}, {"activation": "relu"}, {"use_bias": False}, {"return_sequences": True}),
    *({"return_state": True}, {"go_backwards": True}, {"stateful": True}, {"seed": 3}),
    *({"go_backwards": True, "return_sequences": True}, {"dropout": 0.5}, {"dropout": 1.0}),
    *({"recurrent_dropout": 0.5}, {"recurrent_dropout": 1.0}, {"dropout": 1.5}, {"dropout": -0.5}),
    *of_weights("kernel", "bias", "recurrent"),
]
POOLING = [
    *({"pool_size": 3}, {"pool_size": 9}, {"strides": 1}, {"padding": "same"}),
    {"pool_size": 3, "padding": "same"},
]
CHANNELS_FIRST = {"data_format": "channels_first"}
STANDARDIZATION = [
    *({"epsilon": 0.1}, {"center": False}, {"scale": False}),
    *of_weights("beta", "gamma"),
]

# Inputs, arguments to start from, and changes of these.
GRID = {
    "Activation": (
        ROWS,
        {"activation": "relu"},
        [{"activation": a} for a in ("tanh", "gelu", None)],
    ),
    "ActivityRegularization": (ROWS, {}, [{"l1": 0.1}, {"l2": 0.1}]),
    "Add": ([SEQUENCES, SEQUENCES], {}, []),
    "Average": ([SEQUENCES, SEQUENCES], {}, []),
    "Multiply": ([SEQUENCES, SEQUENCES], {}, []),
    "Concatenate": ([SEQUENCES, SEQUENCES], {}, [{"axis": 1}, {"axis": 0}, {"axis": 5}]),
    "BatchNormalization": (
        SEQUENCES,
        {},
        [
            *({"axis": 1}, {"axis": -2}, {"axis": 7}, {"momentum": 0.5}),
            *({"moving_mean_initializer": "ones"}, {"moving_variance_initializer": "zeros"}),
            *STANDARDIZATION,
        ],
    ),
    "LayerNormalization": (
        SEQUENCES,
        {},
        [{"axis": 1}, {"axis": [1, 2]}, {"axis": 5}, *STANDARDIZATION],
    ),
    "GroupNormalization": (
        SEQUENCES,
        {"groups": 3},
        [
            {"groups": 2},
            {"groups": -1},
            {"groups": 5},
            {"groups": 1},
            {"axis": 1, "groups": 5},
            *STANDARDIZATION,
        ],
    ),
    "Normalization": (
        ROWS,
        {"mean": 1.0, "variance": 4.0},
        [{"invert": True}, {"mean": 2.0}, {"variance": 0.0}, {"axis": None}],
    ),
    "SpectralNormalization": (
        ROWS,
        {"layer": "Dense"},
        [{"power_iterations": 3}, {"power_iterations": 0}],
    ),
    "Dense": (
        ROWS,
        {"units": 3},
        [
            {"units": 0},
            {"units": 2.5},
            {"activation": "relu"},
            {"use_bias": False},
            *of_weights("kernel", "bias"),
        ],
    ),
    "Conv1D": (SEQUENCES[..., :4], {"filters": 4, "kernel_size": 2}, [*CONVOLUTION]),
    "Conv2D": (
        RNG.normal(size=(4, 8, 8, 4)),
        {"filters": 4, "kernel_size": 2},
        [*CONVOLUTION, {"kernel_size": (3, 1)}],
    ),
    "Embedding": (
        NUMBERS,
        {"input_dim": 7, "output_dim": 3},
        [
            {"input_dim": 3},
            {"output_dim": 2},
            {"mask_zero": True},
            {"weights": [np.ones((7, 3))]},
            *of_weights("embeddings"),
        ],
    ),
    "Flatten": (IMAGES, {}, [CHANNELS_FIRST]),
    "Reshape": (
        ROWS,
        {"target_shape": (2, 3)},
        [{"target_shape": (-1, 2)}, {"target_shape": (4,)}, {"target_shape": (6,)}],
    ),
    "ReLU": (
        ROWS,
        {},
        [
            {"max_value": 0.5},
            {"negative_slope": 0.1},
            {"threshold": 0.3},
            {"max_value": -1.0},
            {"negative_slope": 0.1, "threshold": 0.3, "max_value": 0.5},
        ],
    ),
    "LeakyReLU": (ROWS, {}, [{"negative_slope": 0.5}, {"negative_slope": None}]),
    "Softmax": (SEQUENCES, {}, [{"axis": 1}, {"axis": (1, 2)}, {"axis": 4}]),
    "Rescaling": (ROWS, {"scale": 2.0}, [{"scale": 0}, {"offset": 1.0}, {"scale": [1.0] * 6}]),
    "Masking": (PADDED, {}, [{"mask_value": 1.0}]),
    "ZeroPadding2D": (
        IMAGES,
        {},
        [
            {"padding": 2},
            {"padding": ((1, 2), (0, 3))},
            {"padding": 0},
            {"padding": -1},
            CHANNELS_FIRST,
        ],
    ),
    "Identity": (ROWS, {}, []),
    "TimeDistributed": (SEQUENCES, {"layer": "Dense"}, []),
    "Bidirectional": (
        SEQUENCES,
        {"layer": "LSTM"},
        [{"merge_mode": m} for m in ("sum", "mul", "ave", "max", None)],
    ),
    "SimpleRNN": (SEQUENCES, {"units": 3}, RECURRENT),
    "LSTM": (
        SEQUENCES,
        {"units": 3},
        [*RECURRENT, {"recurrent_activation": "tanh"}, {"unit_forget_bias": False}],
    ),
    "GRU": (
        SEQUENCES,
        {"units": 3},
        [*RECURRENT, {"recurrent_activation": "tanh"}, {"reset_after": False}],
    ),
    "GaussianNoise": (SEQUENCES, {"stddev": 0.5}, [{"stddev": 0}, {"stddev": 2.0}, {"seed": 3}]),
    **{
        f"{kind}Pooling{n}D": (x, {"pool_size": 2}, [*POOLING, CHANNELS_FIRST])
        for kind in ("Average", "Max")
        for n, x in ((1, SEQUENCES), (2, IMAGES))
    },
    **{
        f"Global{kind}Pooling{n}D": (x, {}, [{"keepdims": True}, CHANNELS_FIRST])
        for kind in ("Average", "Max")
        for n, x in ((1, SEQUENCES), (2, IMAGES))
    },
    **{
        noise: (
            SEQUENCES,
            {"rate": 0.5},
            [{"rate": 0}, {"rate": 1.0}, {"rate": 2.0}, {"seed": 3}, *more],
        )
        for noise, more in (
            ("Dropout", [{"noise_shape": (None, 1, None)}, {"noise_shape": (3, 1)}]),
            ("AlphaDropout", [{"noise_shape": (None, 1, None)}]),
            ("GaussianDropout", []),
        )
    },
    "SpatialDropout1D": (SEQUENCES, {"rate": 0.5}, [{"rate": 1.0}, {"seed": 3}]),
    "SpatialDropout2D": (IMAGES, {"rate": 0.5}, [{"rate": 1.0}, {"seed": 3}, CHANNELS_FIRST]),
}
# What every layer has.
COMMON = [
    {"trainable": False},
    {"dtype": "float64"},
    {"name": "mine"},
    {"activity_regularizer": "l2"},
]

ELSEWHERE = {"InputLayer", "Layer", "Pipeline", "Resizing"} | {
    name
    for name, cls in vars(layers).items()
    if isinstance(cls, type) and issubclass(cls, AugmentationLayer)
}
UNTRIED = {
    "input_shape": "says when weights are made, and nothing else",
    "zero_output_for_mask": "of masks, which test_masks compares",
    "backward_layer": "has a test of its own in test_wrapping",
    "layer": "what is wrapped is in the grid itself",
}
SAID = "here the error comes at once"
# By layer and by what differs: an aspect of what is seen, or "refusal" of an argument.
DEVIATIONS = {
    ("*", "dtype of float64"): "Keras's NumPy and JAX backends make float32 of all outputs",
    ("Bidirectional", "dtype of float64"): "what is wrapped says in which dtype it computes",
    (
        "SpectralNormalization",
        "dtype of float64",
    ): "what is wrapped says in which dtype it computes",
    ("Spatial*", "refusal of trainable"): "Keras's take nothing of what every layer takes",
    (
        "Spatial*",
        "refusal of activity_regularizer",
    ): "Keras's take nothing of what every layer takes",
    ("GroupNormalization", "config groups"): "-1 stays -1; Keras writes down the number it means",
    ("LayerNormalization", "config axis"): "Keras makes a list of a single axis when it is built",
    ("SimpleRNN", "config activity_regularizer"): "Keras's leaves it out, so that cloning loses it",
    ("*", "refusal of dropout"): f"Keras clips a rate out of range; {SAID}",
    (
        "Bidirectional",
        "refusal of merge_mode",
    ): "None, outputs side by side in a list, is not there",
    (
        "*Pooling?D",
        "refusal of pool_size",
    ): f"Keras pools a window wider than the inputs to nothing; {SAID}",
    ("AlphaDropout", "refusal of rate"): f"1 divides by zero in Keras's calls; {SAID}",
    ("GaussianDropout", "refusal of rate"): f"1 divides by zero in Keras's calls; {SAID}",
    ("BatchNormalization", "refusal of epsilon"): f"Keras takes roots of negative numbers; {SAID}",
    ("ReLU", "refusal of max_value"): SAID,
}
WITHOUT_EFFECT = {
    "Bidirectional": {"dtype": "what is wrapped says in which dtype it computes"},
    "TimeDistributed": {"dtype": "what is wrapped says in which dtype it computes"},
    "Normalization": {"axis": "of what adapt finds; one mean that is given is for all axes"},
}


def make(library, name, options):
    """Return a layer of one library."""
    if isinstance(options.get("layer"), str):
        options = {**options, "layer": getattr(library, options["layer"])(3)}
    return getattr(library, name)(**options)


def several(outputs):
    """Return outputs as arrays in a list."""
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    return [np.asarray(one) for one in outputs]


def shape_of(x):
    return [one.shape for one in x] if isinstance(x, list) else x.shape


def is_drawn(options, layer):
    """Return whether outputs in training are random."""
    rates = [options.get(n, 0) for n in ("rate", "dropout", "recurrent_dropout", "stddev")]
    return any(rate not in (0, 1) for rate in rates)


def plain(config):
    return json.loads(json.dumps(config, default=str))


def config_differs(mine, theirs):
    """Return whether entries of configurations mean something else; Keras's may say more."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        shared = set(mine) & set(theirs)
        return any(config_differs(mine[key], theirs[key]) for key in shared)
    return mine != theirs and str(mine) != str(theirs)


def built(library, name, options, x):
    layer = make(library, name, options)
    layer(x, training=False)
    return layer


def differences(keras, name, base, change, x):
    """Yield what differs between both libraries for a layer of these arguments."""
    options, errors = {**base, **change}, {}
    made = {}
    for key, library in (("ours", layers), ("theirs", keras.layers)):
        try:
            made[key] = built(library, name, options, x)
            made[key](x, training=True)
            made[key] = built(library, name, options, x)
        except Exception as error:  # of any kind: Keras's are of many
            errors[key] = error
    if len(errors) == 1:
        yield f"refusal of {next(iter(change), 'nothing')}"
    if errors:
        return
    ours, theirs = made["ours"], made["theirs"]
    shapes = [[tuple(np.shape(w)) for w in layer.get_weights()] for layer in (ours, theirs)]
    if shapes[0] != shapes[1]:
        yield "weights"
        return
    ours.set_weights(theirs.get_weights())
    for layer in (ours, theirs):
        if getattr(layer, "stateful", False):
            layer.reset_state()
    for training in (False, True):
        mine, other = (several(layer(x, training=training)) for layer in (ours, theirs))
        drawn = training and is_drawn(options, name)
        for a, b in zip(mine, other, strict=True):
            if a.shape != b.shape:
                yield "shape"
            elif a.dtype != b.dtype:
                yield f"dtype of {options.get('dtype', 'float32')}"
            elif not drawn and not np.allclose(a, b, rtol=1e-4, atol=1e-4, equal_nan=True):
                yield f"values in {'training' if training else 'evaluation'}"
            if np.isnan(a).any() and not np.isnan(b).any():
                yield "NaN"
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        if not np.allclose(a, b, rtol=1e-4, atol=1e-5):
            yield "weights after training"
    if len(ours.trainable_weights) != len(theirs.trainable_weights):
        yield "trainable"
    if str(ours.compute_output_shape(shape_of(x))).replace("[", "(").replace("]", ")") != str(
        theirs.compute_output_shape(shape_of(x))
    ).replace("[", "(").replace("]", ")"):
        yield "output shape"
    mine, other = plain(ours.get_config()), plain(theirs.get_config())
    for key in sorted(set(mine) & set(other) - {"name", "dtype", "layer", "backward_layer"}):
        if config_differs(mine[key], other[key]):
            yield f"config {key}"


def reason(table, name, what):
    return next(
        (why for (n, w), why in table.items() if fnmatch(name, n) and fnmatch(what, w)), None
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", GRID)
def test_a_layer_does_what_kerass_does(name, keras):
    x, base, changes = GRID[name]
    unexplained = {}
    for change in [{}, *changes, *COMMON]:
        found = set(differences(keras, name, base, change, x))
        for what in found:
            if reason(DEVIATIONS, name, what) is None:
                unexplained[str(change)] = found
    assert not unexplained


def test_every_shared_layer_is_swept(keras):
    ours = {
        cls.__name__
        for name, cls in vars(layers).items()
        if inspect.isclass(cls) and issubclass(cls, layers.Layer) and hasattr(keras.layers, name)
    }
    assert ours == set(GRID) | (ELSEWHERE & ours)


def arguments(cls):
    """Return the arguments of a constructor that are a layer's own."""
    found = set()
    for base in cls.__mro__:
        if base is layers.Layer:
            break
        found |= (
            set(inspect.signature(base.__init__).parameters) if "__init__" in vars(base) else set()
        )
    # DropPath and its kin refuse what Dropout, which they derive from, takes.
    refused = {"noise_shape"} if issubclass(cls, SharedDropout) else set()
    return found - {"self", "kwargs", "activity_regularizer"} - refused


def seen(name, options, x):
    """Return all that a layer shows: outputs, weights and what is done with them, penalties."""
    try:
        layer = make(layers, name, options)
        layer.seed_from(np.random.SeedSequence(0))
        shown = [layer.name if "name" in options else ""]
        for training in (False, True, False):
            outputs = layer(x, training=training)
            shown += [(a.shape, a.dtype.name, a.tobytes()) for a in several(outputs)]
            mask = getattr(outputs, "mask", None)
            shown += [layer.activity_penalty, None if mask is None else mask.tobytes()]
        for p in layer.weights:
            roles = [type(r).__name__ for r in (p.regularizer, p.constraint)]
            shown += [(p.value.tobytes(), p.trainable, *roles)]
    except (TypeError, ValueError) as error:
        return str(error)
    return shown


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", GRID)
def test_every_argument_changes_something(name):
    x, base, changes = GRID[name]
    plainly = seen(name, base, x)
    changed = {
        key for c in [*changes, *COMMON] if seen(name, {**base, **c}, x) != plainly for key in c
    }
    missing = (arguments(getattr(layers, name)) | {k for c in COMMON for k in c}) - changed
    if not built(layers, name, base, x).weights:
        missing.discard("trainable")  # there is nothing to freeze
    assert missing - set(UNTRIED) == set(WITHOUT_EFFECT.get(name, ()))


@pytest.mark.parametrize("name", ["SpatialDropout1D", "SpatialDropout2D", "DropPath", "DropBlock"])
def test_a_dropout_with_a_shape_of_its_own_takes_no_other(name):
    with pytest.raises(TypeError, match="unexpected keyword argument 'noise_shape'"):
        getattr(layers, name)(0.5, noise_shape=(1, 1, 1))
