"""The contract of Gaussian dropout: a factor that is known by its moments."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises import _noise_masks as noises
from reglib.exercises import _noise_mistakes as slips
from reglib.exercises._findings import HARD_CODED, Mistake
from reglib.exercises._noise_masks import Noise
from reglib.exercises._task import Task
from reglib.textbook import dropout_family as reference


def _activations(rng: np.random.Generator, shape: Any) -> tuple[NDArray]:
    a = rng.standard_normal(shape)
    a.flat[:3] = 0.0, -2.0, 150.0
    return (a,)


_GAUSSIAN = Noise(
    draw=_activations,
    coins=np.shape,
    whole=lambda a: a,
    effect=lambda out, a: out,
    shape=np.shape,
    many=((90, 110), (100, 80), (20, 9, 50), (40, 10, 5, 4), (9000,)),
    few=((7, 9), (90,), (4, 3, 5)),
    name="noise",
)
_SD = "np.sqrt((1 - keep_prob) / keep_prob)"
_NOISE = f"rng.normal(1, {_SD}, a.shape)"

GAUSSIAN_DROPOUT = Task(
    "gaussian_dropout(a, keep_prob, rng, training=True)",
    reference=reference.gaussian_dropout,
    section="The Gaussian twin",
    hints=(
        "What mean and what variance has D / p, where D is 1 with probability p and else 0?",
        "rng.normal takes a mean, a standard deviation and a shape. The noise is a factor.",
    ),
    model=f"""
        def gaussian_dropout(a, keep_prob, rng, training=True):
            if not training:
                return a, np.ones(a.shape)
            noise = {_NOISE}
            return a * noise, noise
    """,
    aspects=(
        noises.of_the_moments(
            _GAUSSIAN,
            "the noise is normal with mean 1 and the variance of dropout's factor, for each entry "
            "by itself",
        ),
        noises.of_the_product(_GAUSSIAN, "in training, out is each activation times its noise"),
        noises.of_the_source(_GAUSSIAN),
        noises.of_evaluation(_GAUSSIAN, "with training=False, out equals a"),
    ),
    mistakes=(
        Mistake(
            "variance for standard deviation",
            "rng.normal takes the standard deviation, the root of the variance; at keep_prob = "
            "0.5 nobody notices.",
            "Print noise.var() for keep_prob = 0.8 and compare.",
        ).written(
            (_SD, "(1 - keep_prob) / keep_prob"), (_SD, "((1 - keep_prob) / keep_prob) ** 2")
        ),
        Mistake(
            "keep and drop exchanged",
            "The less is to be dropped, the stronger the noise is.",
            "What should the noise be like for keep_prob = 1?",
        ).written((_SD, "np.sqrt(keep_prob / (1 - keep_prob))")),
        Mistake(
            "variance of another factor",
            "keep_prob (1 - keep_prob) is the variance of a mask of 0 and 1, before it is scaled.",
            "The factor is the mask divided by keep_prob. What does that do to a variance?",
        ).written(
            (_SD, "np.sqrt(keep_prob * (1 - keep_prob))"),
            (_SD, "np.sqrt(1 - keep_prob)"),
            (_SD, "np.sqrt(1 / keep_prob)"),
            (_SD, "(1 - keep_prob)"),
        ),
        Mistake(
            "noise around 0",
            "A factor with mean 0 wipes the activations out on average.",
            "Which mean must a factor have, if the mean of a * noise is to be a?",
        ).written(("normal(1,", "normal(0,"), (_NOISE, f"rng.standard_normal(a.shape) * {_SD}")),
        Mistake(
            "noise added",
            "The noise is the same for small and large activations, and moves those that are 0.",
            "Dropout multiplies; so does its twin.",
        ).written(
            ("return a * noise,", "return a + noise,"),
            ("return a * noise,", "return a + noise - 1,"),
            (("normal(1,", "normal(0,"), ("return a * noise,", "return a + noise,")),
        ),
        Mistake(
            "a mask for Gaussian noise",
            "Mean and variance are right, but there are two values only: this is dropout itself.",
            "Draw from a normal distribution.",
        ).written((_NOISE, "(rng.random(a.shape) < keep_prob) / keep_prob")),
        Mistake(
            "uniform for normal",
            "The noise has limits; a normal distribution has none.",
            "rng.normal draws what the task asks for.",
        ).written(
            (_NOISE, f"1 + {_SD} * rng.uniform(-1, 1, a.shape)"),
            (_NOISE, f"1 + {_SD} * np.sqrt(3) * rng.uniform(-1, 1, a.shape)"),
        ),
        Mistake(
            "another distribution",
            "Mean and variance are right, and the distribution is not the normal one.",
            "rng.normal draws what the task asks for.",
        ).written((_NOISE, f"rng.laplace(1, {_SD} / np.sqrt(2), a.shape)")),
        Mistake(
            "noise cut off at 0",
            "Negative factors are changed, and with them the mean.",
            "Let the factors be negative; their mean is right only then.",
        ).written(
            (_NOISE, f"np.maximum(0, {_NOISE})"),
            (_NOISE, f"np.abs({_NOISE})"),
            (_NOISE, f"np.clip({_NOISE}, 0, 2)"),
        ),
        Mistake(
            "scaled as well",
            "The noise has mean 1 already, so that a division by keep_prob makes the mean wrong.",
            "What is the mean of a * noise?",
        ).written(
            ("return a * noise,", "return a * noise / keep_prob,"),
            (_NOISE, f"{_NOISE} / keep_prob"),
        ),
        Mistake(
            "one number for many",
            "Several entries share their noise.",
            "Draw as many random numbers as there are activations.",
        ).written(
            (", a.shape)", ", a.shape[-1:])"),
            (", a.shape)", ", a.shape[1:])"),
            (", a.shape)", ", a.shape[:1] + (1,) * (a.ndim - 1))"),
            (", a.shape)", ")"),
        ),
        Mistake(
            "noise not applied",
            "The activations come out as they were: the noise is drawn, but never used.",
            "What should the noise be multiplied with?",
        ).written(("a * noise", "a")),
        HARD_CODED.written((_SD, "np.sqrt((1 - 0.5) / 0.5)")),
        *slips.of_the_source("noise = "),
        *slips.OF_EVALUATION,
        slips.SCALED_AT_EVALUATION.written(("return a,", "return a * keep_prob,")),
    ),
    right=(
        """
        sd = (1 / keep_prob - 1) ** 0.5
        noise = 1 + sd * rng.standard_normal(a.shape)
        return (a * noise, noise) if training else (a, None)
        """,
        """
        noise = np.ones_like(a)
        if training:
            noise += rng.normal(scale=np.sqrt(1 - keep_prob) / np.sqrt(keep_prob), size=a.shape)
        return np.multiply(a, noise), noise
        """,
        """
        rate = 1 - keep_prob
        if training:
            noise = rng.spawn(1)[0].normal(loc=1.0, scale=np.sqrt(rate / (1 - rate)), size=a.shape)
            a *= noise
            return [a, noise.tolist()]
        return a.copy(), 1
        """,
        """
        sd = np.float32(np.sqrt((1 - keep_prob) / keep_prob)) * training
        noise = rng.standard_normal(a.shape, dtype=np.float32) * sd + 1
        return a.astype(np.float32) * noise, noise
        """,
        """
        scale = np.full(a.shape, np.sqrt((1 - keep_prob) / keep_prob))
        noise = rng.normal(1.0, scale)
        return (noise * a if training else a), noise
        """,
        """
        if not training:
            return a, np.ones(a.shape)
        sd = np.sqrt((1 - keep_prob) / keep_prob)
        noise = np.array([rng.normal(1, sd) for _ in range(a.size)]).reshape(a.shape)
        return a + a * (noise - 1), noise
        """,
    ),
)
