"""What the factors of augmentation mean, and which are refused: as in Keras."""

import pytest

from reglib import layers

pytestmark = pytest.mark.keras

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
