"""Where augmentation differs from Keras on purpose: what each of the two does."""

import numpy as np
import pytest

from reglib import layers

pytestmark = pytest.mark.keras

X = np.random.default_rng(0).random((4, 6, 7, 3)).astype("float32")
BYTES = np.full((1, 2, 2, 1), 5, dtype="uint8")


def brightness_of_integers(room):
    return np.asarray(room.RandomBrightness((0.1, 0.1))(BYTES)).ravel()[0]


def shear_from_its_config(room):
    return room.RandomShear.from_config(room.RandomShear(0.2).get_config()).x_factor


def shear_config(room):
    return room.RandomShear(0.2).get_config()["x_factor"]


def resized_integers(room):
    return str(np.asarray(room.Resizing(2, 2)(BYTES)).dtype)


def mixed_masks(room):
    mixed = room.MixUp()({"images": X, "segmentation_masks": X[..., :1]})
    return np.shape(mixed["segmentation_masks"])


def misspelled_mode(room):
    return bool(np.array_equal(room.RandomFlip("sideways")(X), X))


def unknown_fill(room):
    return room.RandomZoom(0.1, fill_mode="mirror")


def mixing_without_weight(room):
    return type(room.MixUp(alpha=0.0)).__name__


def empty_pipeline(room):
    return type(room.Pipeline([])).__name__


# What is tried, what reglib does, what Keras does: a value, or the class of an error.
DEVIATIONS = [
    (brightness_of_integers, 30.5, 30),
    (shear_from_its_config, (-0.2, 0.2), TypeError),
    (shear_config, 0.2, (-0.2, 0.2)),
    (resized_integers, "float32", "uint8"),
    (mixed_masks, (4, 6, 7, 1), (4, 6, 7, 4)),
    (misspelled_mode, ValueError, True),
    (unknown_fill, ValueError, NotImplementedError),
    (mixing_without_weight, ValueError, "MixUp"),
    (empty_pipeline, ValueError, "Pipeline"),
]


@pytest.mark.parametrize(
    ("trial", "mine", "theirs"), DEVIATIONS, ids=[row[0].__name__ for row in DEVIATIONS]
)
def test_the_difference_is_as_listed(keras, trial, mine, theirs):
    for room, expected in ((layers, mine), (keras.layers, theirs)):
        if isinstance(expected, type):
            with pytest.raises(expected):
                trial(room)
        else:
            assert trial(room) == expected


FACTORS = {
    "RandomTranslation": ("height_factor", {"width_factor": 0}),
    "RandomZoom": ("height_factor", {}),
    "RandomRotation": ("factor", {}),
    "RandomShear": ("x_factor", {}),
    "RandomContrast": ("factor", {}),
    "RandomBrightness": ("factor", {}),
    "RandomColorDegeneration": ("factor", {}),
    "RandomSharpness": ("factor", {}),
    "RandomPosterization": ("factor", {}),
    "Solarization": ("threshold_factor", {}),
    "RandomErasing": ("scale", {}),
    "CutMix": ("factor", {}),
    "RandAugment": ("factor", {}),
}
VALUES = [0, 0.5, -0.5, 1, -1, 1.5, -1.5, 4, 9, (0.1, 0.2), [0.3, 0.1], (-0.5, 0.2), (0.5, 1.5)]
VALUES += [(-2, -1.5), (1.5, 2), (9, 12), (1,), (1, 2, 3), "a", {"a": 1}, (0.1, "b")]


@pytest.mark.parametrize("name", FACTORS)
def test_a_factor_that_keras_refuses_is_refused_and_others_mean_the_same(keras, name):
    argument, others = FACTORS[name]
    for value in VALUES:
        try:
            theirs = getattr(keras.layers, name)(**{argument: value}, **others)
        except (TypeError, ValueError):
            with pytest.raises(ValueError, match=rf"^{argument} must"):
                getattr(layers, name)(**{argument: value}, **others)
            continue
        try:
            mine = getattr(layers, name)(**{argument: value}, **others)
        except ValueError:
            # Stricter than Keras only here: both ends of a pair must be possible.
            assert name in ("RandomPosterization", "RandomErasing")
            assert isinstance(value, (tuple, list))
            continue
        assert getattr(mine, argument) == pytest.approx(getattr(theirs, argument))
