"""Layers: what every argument of every constructor and method refuses.

``NAMED`` gives the kind of an argument by its name, for all layers; ``SPECIAL`` says where a layer
means something else, or has an argument of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reglib import layers
from reglib.layers import Dense, Input, Parameter
from tests.reglib.bad_input.vocabulary import (
    CHECKED_IN_FIT,
    CONFIG,
    COUNT,
    COUNT_OR_0,
    FINITE,
    FLAG,
    NOT_NEGATIVE,
    OPEN_RATE,
    RATE,
    SEED,
    TEXT,
    Entry,
    Kind,
    Made,
    array,
    choice,
    free,
    identifier,
    integer,
    lengths,
    number,
    thing,
)

REGULARIZER = identifier(None)
CONSTRAINT = identifier(None)
INITIALIZER = identifier("zeros")
ACTIVATION = identifier("relu")
DTYPE = Kind("choice", "float32", {"type": (3, ["a"]), "range": ("int32", "float99")})
AXIS = Kind("integer", -1, {"type": ("last", 1.5, None), "nan": (float("nan"),)}).without(
    "range", because="every axis has a meaning until the number of axes is known, in build"
)
TRUTH = free(
    "training is taken for its truth: Keras's None means off, and each layer of each step asks"
)
AXES = Kind("shape", 1, {"type": ("last", 1.5, ("a",), {}), "nan": (float("nan"),)}).without(
    "range", because="every axis has a meaning until the number of axes is known, in build"
)
WINDOW = Kind(
    "shape",
    2,
    {
        "type": ("two", 1.5, None, ("a", 2), {}),
        "range": (0, -1, (1, 0, 2, 2, 2)),
        "nan": (float("nan"),),
    },
)


# How much at either end of each axis: one number, one an axis, or two an axis.
ENDS = WINDOW.but(good=1, range=(-1, (1, -2), (1, 1, 1, 1)))


def factor(low: float, high: float, *, good: Any = None, optional: bool = False) -> Kind:
    """Return the kind of an augmentation's factor: a number, or a pair of them."""
    wrong = ("a lot", [0.1, 0.2, 0.3], ("a", "b"), {}, True)
    return Kind(
        "numbers",
        low if good is None else good,
        {
            "type": wrong if optional else (*wrong, None),
            "range": (high + 1, low - 1.5 if low < 0 else -0.5, (high + 1, high + 2)),
            "nan": (float("nan"), float("inf"), (float("nan"), high)),
            "shape": ((), (0.1,), [0.1, 0.2, 0.3]),
            "empty": ((), []),
        },
    )


VALUE_RANGE = Kind(
    "numbers",
    (0, 255),
    {
        "type": ("all", 255, ("a", "b"), None),
        "range": ((1, 1),),
        "shape": ((1,), (0, 1, 2)),
        "nan": ((0, float("nan")), (0, float("inf"))),
        "empty": ((), []),
    },
)
NOISE_SHAPE = lengths(None).but(type=("ab", 3.5, ("a",), (1.5,)))

WEIGHTS = (
    *("kernel", "recurrent", "bias", "embeddings", "beta", "gamma", "alpha"),
    *("moving_mean", "moving_variance"),
)

NAMED_ARGUMENTS: dict[str, Kind] = {
    "activation": ACTIVATION,
    "recurrent_activation": ACTIVATION,
    "activity_regularizer": REGULARIZER,
    "trainable": FLAG,
    "dtype": DTYPE,
    "name": TEXT.or_none(),
    "input_shape": lengths(None),
    "noise_shape": NOISE_SHAPE,
    "seed": SEED,
    "rate": RATE,
    "data_format": choice("channels_last").but(type=(3, ["a"])),
    "interpolation": choice("bilinear"),
    "fill_mode": choice("reflect"),
    "fill_value": FINITE,
    "value_range": VALUE_RANGE,
    "axis": AXIS,
    "epsilon": NOT_NEGATIVE,
    "momentum": RATE,
    "center": FLAG,
    "scale": FLAG,
    "keepdims": FLAG,
    "units": COUNT,
    "filters": COUNT,
    "kernel_size": WINDOW,
    "pool_size": WINDOW,
    "strides": WINDOW.but(good=1),
    "dilation_rate": WINDOW.but(good=1),
    "padding": choice("valid"),
    "use_bias": FLAG,
    "unit_forget_bias": FLAG,
    "return_sequences": FLAG,
    "return_state": FLAG,
    "go_backwards": FLAG,
    "stateful": FLAG,
    "reset_after": FLAG,
    "unroll": FLAG,
    "mask_zero": FLAG,
    "dropout": RATE,
    "recurrent_dropout": RATE,
    "training": TRUTH,
    "batch_size": COUNT,
    "batch_shape": lengths(None),
    "zero_output_for_mask": FLAG,
    "alpha": NOT_NEGATIVE,
    "negative_slope": NOT_NEGATIVE,
    "max_value": NOT_NEGATIVE,
    "threshold": NOT_NEGATIVE,
    "normalize": FLAG,
    "groups": COUNT.but(good=1),
    "options": free("handed on to call, which says what it takes"),
    "height": COUNT,
    "width": COUNT,
    **{
        f"{what}_{kind}": value
        for what in WEIGHTS
        for kind, value in (
            ("initializer", INITIALIZER),
            ("regularizer", REGULARIZER),
            ("constraint", CONSTRAINT),
        )
    },
}

NAMED = {"layers": NAMED_ARGUMENTS}

IMAGES = np.zeros((2, 8, 8, 3))

TABLE_OF_WORDS = array(np.ones((3, 3)), shape=(np.ones(3), np.ones((2, 3)), np.ones((3, 4))))
# What is special about a layer; every other is in the table by the names of its arguments alone.
SPECIAL: dict[str, dict[str, Kind]] = {
    "ZeroPadding2D": {"padding": ENDS},
    "Bidirectional": {
        "layer": thing(layers.LSTM(3), layers.Dense(3)),
        "backward_layer": thing(None, layers.Dense(3)).but(type=(3, "text", layers.Dense(3))),
        "merge_mode": choice("concat"),
    },
    "TimeDistributed": {"layer": thing(Dense(3))},
    "ActivityRegularization": {
        "l1": NOT_NEGATIVE.or_none(),
        "l2": NOT_NEGATIVE.or_none(),
        "activity_regularizer": free("made of l1 and l2; giving it is an error of Python's"),
    },
    "CutMix": {"factor": factor(0, 1)},
    "Cutout": {"size": WINDOW},
    "DropBlock": {"block_size": COUNT},
    "DropConnect": {"rate": OPEN_RATE},
    "Embedding": {
        "input_dim": COUNT,
        "output_dim": COUNT,
        "mask_zero": FLAG,
        "weights": TABLE_OF_WORDS,
    },
    "Equalization": {"bins": integer(2)},
    "GaussianDropout": {"rate": OPEN_RATE},
    "GaussianNoise": {"stddev": RATE},
    "Masking": {"mask_value": FINITE},
    "MixUp": {"alpha": number(0, low_open=True)},
    "GroupNormalization": {"groups": COUNT.but(good=1, range=(0, -2, -10))},
    "Pipeline": {
        "layers": Kind(
            "list",
            Made(lambda: [layers.RandomFlip()]),
            {"type": (3, "text", [3], None), "empty": ([],)},
        )
    },
    "RandAugment": {"num_ops": COUNT_OR_0, "factor": factor(0, 1)},
    "RandomBrightness": {"factor": factor(-1, 1)},
    "RandomColorDegeneration": {"factor": factor(-1, 1)},
    "RandomContrast": {"factor": factor(0, 1)},
    "RandomErasing": {
        "factor": factor(0, 1),
        "scale": factor(0, 1),
        "fill_value": FINITE.but(type=("a lot", 1j, ("a", "b", "c"))),
    },
    "RandomFlip": {"mode": choice("horizontal")},
    "RandomPosterization": {"factor": factor(1, 8)},
    "RandomRotation": {"factor": factor(-1, 1)},
    "RandomSharpness": {"factor": factor(0, 1)},
    "RandomShear": {"x_factor": factor(0, 1), "y_factor": factor(0, 1)},
    "RandomTranslation": {"height_factor": factor(-1, 1), "width_factor": factor(-1, 1)},
    "RandomZoom": {
        "height_factor": factor(-0.5, 1).but(range=(2, -1, (2, 3))),
        "width_factor": factor(-0.5, 1, optional=True).but(range=(2, -1, (2, 3))),
    },
    "Rescaling": {"scale": array(2.0), "offset": array(0.0)},
    "Resizing": {
        "interpolation": choice("bilinear"),
        "crop_to_aspect_ratio": FLAG,
        "pad_to_aspect_ratio": FLAG,
        "fill_mode": choice("constant"),
        "antialias": FLAG,
    },
    "Reshape": {
        "target_shape": lengths((4,)).but(
            type=("ab", 3.5, ("a",), (1.5,)), range=((-2,), (3, -5), (-1, -1))
        )
    },
    "Solarization": {"addition_factor": factor(0, 255), "threshold_factor": factor(0, 255)},
    "SpectralNormalization": {
        "layer": thing(Made(lambda: Dense(2)), Dense),
        "power_iterations": COUNT,
    },
}

PAIR = Kind("list", [np.ones((2, 3))] * 2, {"type": (3, "ab", None, ["a", "b"]), "empty": ([],)})
HANDED_ON = free("the arguments of a layer, which has an entry of its own")
MERGED = ("add", "multiply", "average")
LAYER = thing(Made(lambda: Dense(2)), Dense)
INPUTS = array(np.ones((2, 3)), shape=(np.ones(3),), finite=False).without(
    "empty", because="a batch may be empty, as in Keras: the outputs are then empty too"
)


def _one_shape(make: Any) -> Any:
    """Return a call that gives a good shape where no other comes."""
    return lambda **k: make(**({} if {"shape", "batch_shape"} & set(k) else {"shape": (3,)}) | k)


def _built(layer: Any) -> Any:
    layer(np.ones((2, 3)))
    return layer


def _parameter() -> Parameter:
    return Parameter(np.ones((2, 3)), name="kernel")


def _entries() -> list[Entry]:
    found = [
        Entry(f"layers.{name}", SPECIAL.get(name, {}), given={"name": None})
        for name, cls in vars(layers).items()
        if isinstance(cls, type)
        and issubclass(cls, layers.Layer)
        and name == cls.__name__
        and name not in ("InputLayer", "Normalization")
    ]
    weights = Kind(
        "list",
        Made(lambda: [np.zeros((3, 2)), np.zeros(2)]),
        {
            "type": (3, "ab", None, ["a", "b"]),
            "empty": ([],),
            "shape": ([np.zeros((3, 2))], [np.zeros((2, 3)), np.zeros(2)]),
        },
        {"nan": "a network that diverged must be saved, restored and looked at"},
    )
    images = array(IMAGES, shape=(np.ones(3), np.ones((2, 2))))
    labels = array(np.eye(2), shape=(np.ones(3),))
    flip = layers.RandomFlip("horizontal", seed=0)
    drawn = Made(lambda: flip.get_random_transformation(IMAGES))
    seed_or_generator = SEED.but(type=("seven", 1.5, {}))
    transformation = free("what get_random_transformation drew, handed on as it is")
    return [
        *found,
        Entry(
            "layers.Normalization",
            {
                "axis": AXES.but(good=-1),
                "mean": array(0.25, shape=(np.ones(3), np.ones((1, 1)))),
                "variance": array(0.5, shape=(np.ones(3), np.ones((1, 1)))),
                "invert": FLAG,
            },
            given={"mean": 0.25, "variance": 0.5, "name": None},
        ),
        Entry(
            "layers.Normalization.adapt",
            {
                "data": array(np.ones((4, 3)), shape=(np.ones((4, 2)), np.ones((2, 4, 3)))).but(
                    type=("text", 3, None, [["a", "b"]])
                )
            },
            call=lambda data: _built(layers.Normalization()).adapt(data),
        ),
        Entry(
            "layers.InputLayer",
            {
                "shape": lengths((3,)),
                "input_shape": free("made of shape; giving it as well is an error of Python's"),
            },
            call=_one_shape(layers.InputLayer),
        ),
        Entry(
            "layers.Node",
            {
                "layer": LAYER,
                "parents": Kind("list", (), {"type": (3, "ab", (3,), None)}).without(
                    "empty", because="an Input has no parents"
                ),
                "shape": lengths((None, 3)).but(range=((-1,), (3, -1))),
                "keyword": TEXT.or_none(),
                "index": COUNT_OR_0.or_none(),
            },
        ),
        Entry(
            "layers.Parameter",
            {
                "value": array(np.ones((2, 3))),
                "name": TEXT,
                "regularizer": REGULARIZER.but(range=()).without(
                    "range", because="a layer has turned names into objects before"
                ),
                "constraint": CONSTRAINT.but(range=()).without(
                    "range", because="a layer has turned names into objects before"
                ),
                "trainable": FLAG,
                "dtype": DTYPE,
            },
        ),
        Entry(
            "layers.Parameter.assign",
            {
                "value": array(np.ones((2, 3)), shape=(np.ones(3), np.ones((3, 2)))).without(
                    "nan", because=CHECKED_IN_FIT
                )
            },
            call=lambda value: _parameter().assign(value),
            says={"value": "kernel"},
        ),
        *[Entry(f"layers.{name}", {"inputs": PAIR, "kwargs": HANDED_ON}) for name in MERGED],
        Entry(
            "layers.concatenate", {"inputs": PAIR, "axis": AXIS.but(good=1), "kwargs": HANDED_ON}
        ),
        Entry("layers.Input", {"shape": lengths((3,))}, call=_one_shape(Input)),
        Entry("layers.Layer.__call__", {"inputs": INPUTS}, call=lambda **k: Dense(2)(**k)),
        Entry(
            "layers.Layer.set_weights",
            {"weights": weights},
            call=lambda weights: _built(Dense(2)).set_weights(weights),
        ),
        Entry(
            "layers.Layer.ensure_built",
            {"input_shape": lengths((2, 3)).but(range=((2, 0), (3, -1)))},
            call=lambda input_shape: Dense(2).ensure_built(input_shape),
        ),
        Entry(
            "layers.Layer.cast",
            {"inputs": INPUTS.without("shape", because="a layer's call looks at the shape")},
            call=lambda inputs: Dense(2).cast(inputs),
        ),
        Entry(
            "layers.Layer.from_config",
            {"config": CONFIG.but(good={"units": 3})},
            call=lambda config: Dense.from_config(config),
            says={"config": "units|config"},
        ),
        Entry("layers.serialize", {"layer": LAYER}),
        Entry(
            "layers.deserialize",
            {
                "config": CONFIG.but(good={"class_name": "Dense", "config": {"units": 3}}),
                "custom_objects": Kind("mapping", None, {"type": (3, ["a"])}).without(
                    "empty", because="there may be none"
                ),
            },
            says={"config": "layer config|config|layer"},
        ),
        Entry(
            "layers.cutout",
            {
                "images": images,
                "size": WINDOW,
                "generator": seed_or_generator,
                "fill_value": FINITE,
            },
        ),
        Entry(
            "layers.AugmentationLayer.get_random_transformation",
            {
                "data": images.without("nan", "empty", because="only the shape matters"),
                "seed": seed_or_generator,
            },
            call=lambda **k: flip.get_random_transformation(**k),
            says={"data": "images|data"},
        ),
        Entry(
            "layers.AugmentationLayer.transform_images",
            {"images": images, "transformation": transformation},
            call=lambda images: flip.transform_images(images, drawn.make()),
        ),
        Entry(
            "layers.AugmentationLayer.transform_single_image",
            {
                "image": array(IMAGES[0], shape=(np.ones(3), IMAGES)),
                "transformation": transformation,
            },
            call=lambda image: flip.transform_single_image(
                image, flip.get_random_transformation(IMAGES[:1])
            ),
            says={"image": "image|images"},
        ),
        Entry(
            "layers.AugmentationLayer.transform_labels",
            {
                "labels": labels.without(
                    "shape", "empty", because="labels pass through as they are"
                ),
                "transformation": transformation,
            },
            call=lambda labels: flip.transform_labels(labels, None),
        ),
        Entry(
            "layers.AugmentationLayer.transform_segmentation_masks",
            {
                "segmentation_masks": array(IMAGES[..., :1], shape=(np.ones(3), np.ones((2, 2)))),
                "transformation": transformation,
            },
            call=lambda segmentation_masks: flip.transform_segmentation_masks(
                segmentation_masks, drawn.make()
            ),
        ),
        Entry(
            "layers.AugmentationLayer.__call__",
            {
                "inputs": array(IMAGES, shape=(np.ones(3), np.ones((2, 2)))).but(
                    range=({"pictures": IMAGES}, {"images": IMAGES, "bounding_boxes": 3})
                )
            },
            call=lambda **k: flip(**k),
            says={"inputs": "inputs|images"},
        ),
        Entry(
            "layers.SpectralNormalization.from_config",
            {"config": CONFIG.but(good=layers.SpectralNormalization(Dense(2)).get_config())},
            call=lambda config: layers.SpectralNormalization.from_config(config),
            says={"config": "config|layer"},
        ),
        *(
            Entry(
                f"layers.{type(layer).__name__}.from_config",
                {"config": CONFIG.but(good=layer.get_config())},
                call=type(layer).from_config,
                says={"config": "config|layer"},
            )
            for layer in (layers.Bidirectional(layers.LSTM(3)), layers.TimeDistributed(Dense(2)))
        ),
        Entry(
            "layers.Pipeline.from_config",
            {
                "config": CONFIG.but(
                    good=layers.Pipeline([layers.RandomFlip()]).get_config(),
                    empty=({}, {"layers": []}),
                )
            },
            call=lambda config: layers.Pipeline.from_config(config),
            says={"config": "config|layers"},
        ),
    ]


ENTRIES = _entries()
