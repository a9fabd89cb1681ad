"""``reglib.deviations`` is true and whole: what is missing is refused, what differs differs so."""

import importlib

import numpy as np
import pytest

import reglib
from reglib import losses, models
from reglib.deviations import ARGUMENTS, BEHAVIOUR, NAMES, PARTS

X = np.random.default_rng(0).random((4, 6, 7, 3)).astype("float32")
BYTES = np.full((1, 2, 2, 1), 5, dtype="uint8")
MISSING = [(room, name) for room in NAMES for names in NAMES[room] for name in names.split()]
# All that Keras has in these modules is here or in the table.
WHOLE = (
    *("activations", "callbacks", "constraints", "initializers", "layers", "losses", "metrics"),
    *("models", "optimizers", "regularizers", "schedules", ""),
)


def module(room):
    return importlib.import_module(f"reglib.{room}") if room else reglib


def test_every_reason_says_something():
    reasons = [why for room in NAMES.values() for why in room.values()]
    for why in (*reasons, *PARTS.values(), *ARGUMENTS.values(), *BEHAVIOUR.values()):
        assert len(why.split()) >= 2, why


def test_no_name_is_listed_twice():
    assert len(set(MISSING)) == len(MISSING)


@pytest.mark.parametrize(("room", "name"), MISSING)
def test_a_missing_name_is_refused_with_its_reason(room, name):
    path = f"reglib.{room}".rstrip(".")
    with pytest.raises(AttributeError, match=f"^{path} has no {name}, as Keras has: .+"):
        getattr(module(room), name)
    with pytest.raises(ImportError, match=f"^{path} has no {name}, as Keras has: .+"):
        exec(f"from {path} import {name}")


def test_a_misspelled_name_is_refused_as_usual():
    with pytest.raises(AttributeError, match=r"^module 'reglib.layers' has no attribute 'Densee'"):
        reglib.layers.Densee
    assert not hasattr(reglib.layers, "Conv3D")


@pytest.mark.parametrize("room", PARTS)
def test_a_module_that_has_a_part_says_which(room):
    with pytest.raises(ImportError, match=f"^reglib.{room} has no such_thing: it has "):
        exec(f"from reglib.{room} import such_thing")


def test_a_missing_name_in_compile_is_refused_with_its_reason():
    with pytest.raises(ValueError, match=r"got 'hinge', which Keras has: use a cross-entropy"):
        losses.get("hinge")
    with pytest.raises(ValueError, match=r"got 'Adagrad', which Keras has: use SGD"):
        models.Sequential().compile("Adagrad", "mse")
    with pytest.raises(ValueError, match=r"got 'adagrad', which Keras has: use SGD"):
        models.Sequential().compile("adagrad", "mse")


@pytest.mark.keras
@pytest.mark.parametrize("room", WHOLE)
def test_every_name_of_keras_is_there_or_listed(room, keras):
    theirs = (
        keras if not room else getattr(keras.optimizers if room == "schedules" else keras, room)
    )
    names = {name for name in dir(theirs) if not name.startswith("_")}
    listed = {name for where, name in MISSING if where == room}
    assert {name for name in names if not hasattr(module(room), name)} == listed


# What is tried in either library: what reglib does, what Keras does, a value or a kind of error.
TRIALS = {
    "a number of NumPy": (lambda k: k.regularizers.L2(np.float32(0.5)).l2, 0.5, ValueError),
    "a whole number": (lambda k: k.optimizers.SGD(1).get_config()["momentum"], 0, ValueError),
    "thresholds in a tuple": (
        lambda k: k.metrics.Precision(thresholds=(0.5,)).get_config()["thresholds"],
        [0.5],
        TypeError,
    ),
    "a table of lists": (
        lambda k: np.shape(k.layers.Embedding(2, 2, weights=[[1, 2], [3, 4]]).get_weights()[0]),
        (2, 2),
        AttributeError,
    ),
    "brightness of integers": (
        lambda k: np.asarray(k.layers.RandomBrightness((0.1, 0.1))(BYTES)).ravel()[0],
        30.5,
        30,
    ),
    "shear from its config": (
        lambda k: k.layers.RandomShear.from_config(k.layers.RandomShear(0.2).get_config()).x_factor,
        (-0.2, 0.2),
        TypeError,
    ),
    "shear config": (
        lambda k: k.layers.RandomShear(0.2).get_config()["x_factor"],
        0.2,
        (-0.2, 0.2),
    ),
    "resized integers": (
        lambda k: str(np.asarray(k.layers.Resizing(2, 2)(BYTES)).dtype),
        "float32",
        "uint8",
    ),
    "mixed masks": (
        lambda k: np.shape(
            k.layers.MixUp()({"images": X, "segmentation_masks": X[..., :1]})["segmentation_masks"]
        ),
        (4, 6, 7, 1),
        (4, 6, 7, 4),
    ),
    "misspelled mode": (
        lambda k: bool(np.array_equal(k.layers.RandomFlip("sideways")(X), X)),
        ValueError,
        True,
    ),
    "unknown fill": (
        lambda k: k.layers.RandomZoom(0.1, fill_mode="mirror"),
        ValueError,
        NotImplementedError,
    ),
    "mixing without weight": (
        lambda k: type(k.layers.MixUp(alpha=0.0)).__name__,
        ValueError,
        "MixUp",
    ),
    "empty pipeline": (lambda k: type(k.layers.Pipeline([])).__name__, ValueError, "Pipeline"),
}


def test_every_difference_is_tried():
    assert TRIALS.keys() == BEHAVIOUR.keys()


@pytest.mark.keras
@pytest.mark.parametrize("difference", TRIALS)
def test_the_difference_is_as_listed(difference, keras):
    trial, mine, theirs = TRIALS[difference]
    for library, expected in ((reglib, mine), (keras, theirs)):
        if isinstance(expected, type):
            with pytest.raises(expected):
                trial(library)
        else:
            assert trial(library) == expected
