"""Assignment 6, the dropout family: what is multiplied, and how many share a random number.

Any stream of random numbers will do; ``_noise_masks.py`` tests what holds for every right one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises import _noise_masks as noises
from reglib.exercises import _noise_mistakes as slips
from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._dropout_masks import factors, tell_factors
from reglib.exercises._dropout_mistakes import NO_MASK, ONE_MASK
from reglib.exercises._findings import HARD_CODED, BrokenCall, Finding, Mistake
from reglib.exercises._messages import Chapter
from reglib.exercises._noise_masks import Noise
from reglib.exercises._student_function import Student, shape_of
from reglib.exercises._task import Aspect, Task
from reglib.exercises.checking import Assignment
from reglib.textbook import dropout_family as reference


def _numbers(rng: np.random.Generator, shape: Any) -> NDArray:
    """Return numbers well away from 0 that float32 holds exactly."""
    numbers = rng.uniform(0.5, 2, shape).astype(np.float32).astype(np.float64)
    return numbers * (1 - 2 * rng.integers(2, size=shape))


# gaussian_dropout


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

# spatial_dropout

_SPATIAL = Noise(
    draw=lambda rng, shape: (_numbers(rng, shape),),
    coins=lambda a: (a.shape[0], 1, 1, a.shape[3]),
    whole=lambda a: a,
    effect=lambda out, a: out,
    shape=np.shape,
    many=((70, 2, 3, 40), (60, 3, 2, 40), (90, 2, 2, 30), (30, 2, 2, 90)),
    few=((6, 3, 5, 9), (9, 4, 2, 7), (20, 2, 3, 1)),
)
_MAPS = "(n, 1, 1, channels)"

SPATIAL_DROPOUT = Task(
    "spatial_dropout(a, keep_prob, rng, training=True)",
    reference=reference.spatial_dropout,
    section="The code",
    hints=(
        "A batch of 5 images with 8 maps each: how many maps are there to be kept or dropped?",
        "A mask with 1 for an axis is repeated along it, if NumPy multiplies it with the maps.",
    ),
    model=f"""
        def spatial_dropout(a, keep_prob, rng, training=True):
            n, height, width, channels = a.shape
            if not training:
                return a, np.ones({_MAPS})
            mask = rng.random({_MAPS}) < keep_prob
            return a * mask / keep_prob, mask
    """,
    aspects=(
        noises.of_the_mask(
            _SPATIAL, "each map of each image has one coin, 1 with probability keep_prob, else 0"
        ),
        noises.of_the_scale(
            _SPATIAL, "in training, out keeps what your mask keeps, scaled so that its mean stays"
        ),
        noises.of_the_source(_SPATIAL),
        noises.of_evaluation(_SPATIAL, "with training=False, out equals a"),
    ),
    mistakes=(
        *slips.of_coins(_MAPS, "n * channels"),
        slips.PER_ENTRY.written((f"rng.random({_MAPS})", "rng.random(a.shape)")),
        slips.FOR_ALL_EXAMPLES.written((f"rng.random({_MAPS})", "rng.random((1, 1, 1, channels))")),
        Mistake(
            "whole examples dropped",
            "All maps of an image share a coin, so whole images go.",
            "Each map of an image needs a coin.",
        ).written((f"rng.random({_MAPS})", "rng.random((n, 1, 1, 1))")),
        Mistake(
            "channels looked for on another axis",
            "Rows or columns are dropped: the channels are the last axis here, as in Keras; in "
            "PyTorch they are the second.",
            "Which of the four lengths of a.shape counts the maps?",
        ).written(
            (f"rng.random({_MAPS})", "rng.random((n, height, 1, 1))"),
            (f"rng.random({_MAPS})", "rng.random((n, 1, width, 1))"),
        ),
        Mistake(
            "places dropped instead of maps",
            "A pixel is dropped in all maps at once, and no map goes as a whole.",
            "Along which axes should the mask be the same: height, width or channels?",
        ).written((f"rng.random({_MAPS})", "rng.random((n, height, width, 1))")),
        NO_MASK.written(("a * mask", "a"), ("a * mask / keep_prob", "a")),
        slips.SCALED_AT_EVALUATION.written(("return a,", "return a * keep_prob,")),
    ),
    right=(
        """
        mask = (rng.random((len(a), a.shape[-1])) < keep_prob)[:, None, None, :]
        return (a * mask / keep_prob if training else a), mask
        """,
        """
        mask = np.ones(a.shape)
        if training:
            kept = rng.binomial(1, keep_prob, size=(a.shape[0], 1, 1, a.shape[3]))
            mask = mask * kept
            a = a / keep_prob
        return a * mask, mask
        """,
        """
        if training:
            coins = rng.uniform(size=(np.shape(a)[0], 1, 1, np.shape(a)[3])) <= keep_prob
            mask = np.broadcast_to(coins, np.shape(a))
            return np.where(mask, a, 0) / keep_prob, mask
        return a.tolist(), None
        """,
        """
        a, mask = np.array(a, dtype=np.float32), np.ones((a.shape[0], 1, 1, a.shape[3]), np.int8)
        if training:
            for i in range(a.shape[0]):
                for c in range(a.shape[3]):
                    mask[i, 0, 0, c] = rng.random() < keep_prob
                    a[i, :, :, c] *= mask[i, 0, 0, c] * np.float32(1 / keep_prob)
        return a, mask
        """,
        """
        if not training:
            return a.copy(), 1
        mask = (rng.spawn(1)[0].random((a.shape[0], a.shape[3])) >= 1 - keep_prob).astype(float)
        out = np.einsum("nhwc,nc->nhwc", a, mask) / keep_prob
        return out, mask[:, np.newaxis, np.newaxis]
        """,
        """
        if not training:
            return a, np.ones_like(a)
        maps = np.moveaxis(a, -1, 1)
        mask = rng.choice([True, False], maps.shape[:2] + (1, 1), p=[keep_prob, 1 - keep_prob])
        out = np.moveaxis(maps * mask, 1, -1) / keep_prob
        return out, np.moveaxis(mask, 1, -1)
        """,
    ),
)

# dropconnect_forward


def _layer(rng: np.random.Generator, shape: Any) -> tuple[NDArray, NDArray, NDArray]:
    n, inputs, outputs = shape
    return (
        rng.standard_normal((n, inputs)),
        _numbers(rng, (inputs, outputs)),
        _numbers(rng, outputs),
    )


def _affine(z: NDArray, x: NDArray) -> tuple[NDArray, NDArray]:
    """Return the weights and biases that make these outputs of these inputs."""
    solved = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), z, rcond=None)[0]
    solved[np.abs(solved) < 1e-5] = 0
    return solved[:-1], solved[-1]


class _Connections(Noise):
    """Noise on weights, whose mask may come in the shape of something else."""

    def in_full(self, student: Student, noise: Any, inputs: Any) -> NDArray:
        x, W, _ = inputs
        shape, wanted = shape_of(noise), f"a mask of the shape of W, {W.shape}"
        for name, array_shape, mistake in (
            ("x", x.shape, ON_ACTIVATIONS),
            ("z", (len(x), W.shape[1]), ON_OUTPUTS),
        ):
            if shape == array_shape:
                came = f"the mask has the shape of {name}, {shape}"
                raise BrokenCall(Finding(came, wanted, mistake))
        return super().in_full(student, noise, inputs)


_CONNECTIONS = _Connections(
    draw=_layer,
    coins=lambda x, W, b: W.shape,
    whole=lambda x, W, b: W,
    effect=lambda z, x, W, b: _affine(z, x)[0],
    shape=lambda x, W, b: (len(x), W.shape[1]),
    many=((7, 70, 61), (8, 64, 50), (5, 90, 60)),
    few=((12, 8, 50), (25, 15, 60), (10, 6, 70)),
)


def _biases(rng: np.random.Generator) -> Iterator[Case]:
    for training in (True, False):
        for keep_prob, shape in zip((0.3, 0.5, 0.8), _CONNECTIONS.few, strict=True):
            x, W, b = _layer(rng, shape)
            arguments = (x, W, b, keep_prob, rng.integers(2**62), training)
            text = f"W of shape {W.shape}, keep_prob = {keep_prob}, training = {training}"
            yield Case(arguments, text)


def _bias(student: Student, x: Any, W: Any, b: Any, keep_prob: float, seed: int, on: bool) -> Any:
    z, _ = _CONNECTIONS.call(student, (x, W, b), keep_prob, np.random.default_rng(seed), on)
    return np.array(factors(_affine(z, x)[1], b))


ON_ACTIVATIONS = Mistake(
    "activations dropped instead of weights",
    "The mask lies on x: that is dropout, which takes all weights of a unit at once.",
    "Which array has one entry for each connection?",
)
ON_OUTPUTS = Mistake(
    "outputs dropped instead of weights",
    "The mask lies on the outputs: that is dropout of the next layer's units.",
    "Which array has one entry for each connection?",
)
_Z = "x @ (W * mask / keep_prob) + b"

DROPCONNECT_FORWARD = Task(
    "dropconnect_forward(x, W, b, keep_prob, rng, training=True)",
    reference=reference.dropconnect_forward,
    section="Noise on the weights",
    hints=(
        "A layer with 3 inputs and 2 outputs has 6 weights. How many coins is that?",
        "Make the weights of this call first, then use them as a layer uses its weights.",
    ),
    model=f"""
        def dropconnect_forward(x, W, b, keep_prob, rng, training=True):
            if not training:
                return x @ W + b, np.ones(W.shape)
            mask = rng.random(W.shape) < keep_prob
            return {_Z}, mask
    """,
    aspects=(
        noises.of_the_mask(
            _CONNECTIONS, "each weight has a coin of its own, 1 with probability keep_prob, else 0"
        ),
        noises.of_the_scale(
            _CONNECTIONS,
            "in training, z uses the weights that your mask keeps, scaled so that their mean stays",
        ),
        Aspect(
            "bias",
            "the biases are neither dropped nor scaled",
            Comparison(
                _biases,
                call=_bias,
                given=lambda *given: (*given[:4], np.random.default_rng(given[4]), given[5]),
                tell=lambda v: tell_factors(v).replace("kept entries come", "biases come"),
            ),
        ),
        noises.of_the_source(_CONNECTIONS),
        noises.of_evaluation(_CONNECTIONS, "with training=False, z uses all weights as they are"),
    ),
    mistakes=(
        *slips.of_coins("W.shape", "W.size"),
        ON_ACTIVATIONS.written(
            (("random(W.shape)", "random(x.shape)"), (_Z, "(x * mask / keep_prob) @ W + b")),
        ),
        ON_OUTPUTS.written(
            (
                ("random(W.shape)", "random((len(x), W.shape[1]))"),
                (_Z, "(x @ W + b) * mask / keep_prob"),
            ),
        ),
        ONE_MASK.written(
            ("random(W.shape)", "random((len(W), 1))"),
            ("random(W.shape)", "random(W.shape[1])"),
        ),
        Mistake(
            "biases dropped as well",
            "Biases are lost now and then, though they are no connections.",
            "What in the formula is multiplied by the mask, and what is not?",
        ).written((_Z, f"{_Z} * (rng.random(b.shape) < keep_prob) / keep_prob")),
        Mistake(
            "biases scaled as well",
            "The division by keep_prob makes up for dropped weights; no bias is dropped.",
            "Where do the brackets end?",
        ).written((_Z, "(x @ (W * mask) + b) / keep_prob")),
        Mistake(
            "biases forgotten",
            "A layer adds its biases.",
            "Compare with training=False.",
        ).written((" / keep_prob) + b", " / keep_prob)")),
        slips.NOT_APPLIED.written((_Z, "x @ (W / keep_prob) + b"), (_Z, "x @ W + b")),
        slips.SCALED_AT_EVALUATION.written(("x @ W + b,", "x @ (W * keep_prob) + b,")),
    ),
    right=(
        """
        mask = (rng.random(W.shape) < keep_prob) if training else np.ones(W.shape)
        kept = W * mask
        return np.dot(x, kept) / (keep_prob if training else 1) + b, mask
        """,
        """
        if not training:
            return b + x.dot(W), None
        mask = rng.binomial(1, keep_prob, W.shape)
        weights = np.where(mask == 1, W / keep_prob, 0)
        return b + np.matmul(x, weights), mask
        """,
        """
        mask = np.zeros(W.shape, dtype=int)
        for i in range(W.shape[0]):
            for j in range(W.shape[1]):
                mask[i, j] = not training or rng.random() <= keep_prob
        scale = 1 / keep_prob if training else 1.0
        return (scale * (x @ (W * mask)) + b).tolist(), mask
        """,
        """
        x, W, b = (array.astype(np.float32) for array in (x, W, b))
        if training:
            mask = rng.random(W.shape, dtype=np.float32) < keep_prob
            W *= mask * np.float32(1 / keep_prob)
            return x @ W + b, mask
        return x @ W + b, np.ones_like(W)
        """,
        """
        mask = np.ones_like(W)
        if training:
            mask[rng.spawn(1)[0].uniform(size=W.shape) >= keep_prob] = 0
            W = W / keep_prob
        return np.einsum("ni,io->no", x, W * mask) + b, mask
        """,
        """
        if not training:
            return [x @ W + b, 1]
        mask = (rng.random(W.T.shape) > 1 - keep_prob).T
        z = np.stack([row @ (W * mask) for row in x]) / keep_prob
        return z + b[None, :], mask.astype(np.int8)
        """,
    ),
)

# drop_path


def _block(rng: np.random.Generator, shape: Any) -> tuple[NDArray, NDArray]:
    return _numbers(rng, shape), _numbers(rng, shape)


_PATHS = Noise(
    draw=_block,
    coins=lambda x, branch: (len(x), *(1,) * (x.ndim - 1)),
    whole=lambda x, branch: branch,
    effect=lambda out, x, branch: out - x,
    shape=lambda x, branch: x.shape,
    many=((2500, 2), (1800, 2, 3), (1700, 3, 2, 2)),
    few=((30, 9), (25, 4, 3), (40, 2, 3, 5)),
)
_COINS = "(len(x),) + (1,) * (x.ndim - 1)"
_SUM = "x + branch * mask / keep_prob"

DROP_PATH = Task(
    "drop_path(x, branch, keep_prob, rng, training=True)",
    reference=reference.drop_path,
    section="Stochastic depth",
    hints=(
        "What should be left of an example whose coin says 0?",
        "The mask needs a shape that NumPy repeats over all that belongs to an example.",
    ),
    model=f"""
        def drop_path(x, branch, keep_prob, rng, training=True):
            if not training:
                return x + branch, np.ones({_COINS})
            mask = rng.random({_COINS}) < keep_prob
            return {_SUM}, mask
    """,
    aspects=(
        noises.of_the_mask(
            _PATHS, "each example has one coin, 1 with probability keep_prob, else 0"
        ),
        noises.of_the_scale(
            _PATHS,
            "in training, x comes through whole, and the branch where your mask keeps it, scaled",
        ),
        noises.of_the_source(_PATHS),
        noises.of_evaluation(_PATHS, "with training=False, out equals x + branch"),
    ),
    mistakes=(
        *slips.of_coins(_COINS, "len(x)"),
        slips.PER_ENTRY.written((f"rng.random({_COINS})", "rng.random(branch.shape)")),
        slips.FOR_ALL_EXAMPLES.written(
            (f"rng.random({_COINS})", "rng.random((1,) * x.ndim)"),
            (f"rng.random({_COINS})", "rng.random()"),
        ),
        Mistake(
            "shortcut dropped as well",
            "Nothing at all is left of an example whose coin says 0, and no later block can "
            "bring it back.",
            "Which of the two terms may be missing?",
        ).written((_SUM, "(x + branch) * mask / keep_prob")),
        Mistake(
            "shortcut dropped instead of the branch",
            "The mask lies on x; what is kept for sure should be x, and the branch is at stake.",
            "Which of the two terms may be missing?",
        ).written((_SUM, "x * mask / keep_prob + branch")),
        Mistake(
            "shortcut scaled as well",
            "Only what may be dropped is divided by keep_prob; x is always there.",
            "Where do the brackets end?",
        ).written((_SUM, "(x + branch * mask) / keep_prob")),
        Mistake(
            "shortcut forgotten",
            "The result is the branch alone.",
            "A residual block adds its branch to what came in.",
        ).written((_SUM, "branch * mask / keep_prob")),
        slips.NOT_APPLIED.written((_SUM, "x + branch / keep_prob"), (_SUM, "x + branch")),
        Mistake(
            "branch gone at evaluation",
            "At evaluation all branches take part.",
            "What did the branches learn for?",
        ).written(("return x + branch,", "return x,")),
        slips.SCALED_AT_EVALUATION.written(
            ("return x + branch,", "return x + branch * keep_prob,"),
            ("return x + branch,", "return x + branch / keep_prob,"),
        ),
    ),
    right=(
        """
        mask = rng.random(len(x)) < keep_prob
        shape = [-1] + [1] * (x.ndim - 1)
        mask = mask.reshape(shape)
        return (x + branch * mask / keep_prob if training else x + branch), mask
        """,
        """
        out = x + branch if not training else x.copy()
        mask = np.ones(x.shape)
        if training:
            for i in range(len(x)):
                mask[i] = rng.random() <= keep_prob
                out[i] += branch[i] * mask[i] / keep_prob
        return out, mask
        """,
        """
        if not training:
            return (x + branch).tolist(), None
        coin = rng.binomial(1, keep_prob, size=(x.shape[0],) + (1,) * (x.ndim - 1))
        return np.where(coin == 1, x + branch / keep_prob, x), coin
        """,
        """
        x, branch = x.astype(np.float32), branch.astype(np.float32)
        mask = np.ones(x.shape[:1] + (1,) * (x.ndim - 1), dtype=np.float32)
        if training:
            mask = np.floor(keep_prob + rng.random(mask.shape))
            branch = branch / np.float32(keep_prob)
        return x + (branch * mask).astype(np.float32), mask
        """,
        """
        if not training:
            return np.add(branch, x), 1
        mask = rng.spawn(1)[0].uniform(size=len(x)) >= 1 - keep_prob
        x[mask] += branch[mask] / keep_prob
        return [x, mask.astype(int)[(...,) + (None,) * (x.ndim - 1)]]
        """,
        """
        kept = np.ones(x.shape)
        if training:
            coins = rng.choice([1.0, 0.0], len(x), p=[keep_prob, 1 - keep_prob])
            kept, branch = (kept.T * coins).T, branch / keep_prob
        return x + branch * kept, kept
        """,
    ),
)

# dropblock_gamma


def _maps(rng: np.random.Generator) -> Iterator[Case]:
    sides = [(size, *(size + rng.permutation(np.arange(1, 14))[:2])) for size in (1, 2, 3, 5)]
    for size, height, width in (*sides, (4, 4, 9)):
        keep_prob = round(float(rng.uniform(0.3, 0.95)), 2)
        text = f"keep_prob = {keep_prob}, patches of {size}, maps of {height} by {width}"
        yield Case((keep_prob, size, int(height), int(width)), text)


DROPBLOCK_GAMMA = Task(
    "dropblock_gamma(keep_prob, block_size, height, width)",
    reference=reference.dropblock_gamma,
    section="The code",
    hints=(
        "How many pixels does one patch take? And at how many pixels may one begin?",
        "Set the expected number of dropped pixels, number of patches times pixels of a patch, "
        "equal to what should be dropped, and solve for gamma.",
    ),
    model="""
        starts = (height - block_size + 1) * (width - block_size + 1)
        return (1 - keep_prob) * height * width / (block_size**2 * starts)
    """,
    aspects=(
        Aspect(
            "value",
            "patches take, on average and counted one by one, the share 1 - keep_prob of a map",
            Comparison(_maps, "gamma"),
        ),
    ),
    mistakes=(
        Mistake(
            "as for single pixels",
            "Each patch takes block_size² pixels, so far too much is dropped.",
            "How many pixels go where one patch begins?",
        ).written(
            "1 - keep_prob",
            (" / (block_size**2 * starts)", " / starts"),
        ),
        Mistake(
            "one side of the patch",
            "A patch has block_size rows and as many columns.",
            "How many pixels has a square of side block_size?",
        ).written(("block_size**2", "block_size"), ("block_size**2", "(2 * block_size)")),
        Mistake(
            "patches that begin anywhere",
            "A patch may not begin so near to the edge that it would leave the map, so it has "
            "fewer places.",
            "At how many rows may a patch of 3 begin, if there are 5?",
        ).written("(1 - keep_prob) / block_size**2"),
        Mistake(
            "one place less",
            "A patch that just fits has one place, not none.",
            "Take a map as large as the patch.",
        ).written(
            (
                ("height - block_size + 1", "max(height - block_size, 1e-9)"),
                ("width - block_size + 1", "max(width - block_size, 1e-9)"),
            ),
        ),
        Mistake(
            "square maps only",
            "One side of the map is used for both.",
            "Try a map of 4 by 9.",
        ).written(
            (
                ("height * width", "height**2"),
                ("(width - block_size", "(height - block_size"),
            ),
            (
                ("height * width", "width**2"),
                ("starts = (height - block_size", "starts = (width - block_size"),
            ),
        ),
        Mistake(
            "keep and drop exchanged",
            "keep_prob is the share that stays.",
            "How often must a patch begin if everything is to be kept?",
        ).written(("(1 - keep_prob)", "keep_prob")),
        Mistake(
            "upside down",
            "The more places there are for patches, the rarer each of them must be used.",
            "Is starts above or below the line?",
        ).written(
            (
                "height * width / (block_size**2 * starts)",
                "starts / (block_size**2 * height * width)",
            )
        ),
    ),
    right=(
        """
        share = 1 - keep_prob
        return share / block_size**2 * (height * width) / (
            (height - block_size + 1) * (width - block_size + 1)
        )
        """,
        """
        rows, columns = height + 1 - block_size, width + 1 - block_size
        pixels = (1 - keep_prob) * height * width
        patches = pixels / (block_size * block_size)
        return patches / (rows * columns)
        """,
        """
        b = block_size
        places = np.prod([height - b + 1, width - b + 1])
        return np.divide((1 - keep_prob) * height * width, b * b * places)
        """,
        """
        starts = len(range(height - block_size + 1)) * len(range(width - block_size + 1))
        return np.float32((1 - keep_prob) * (height * width / starts) / block_size**2)
        """,
        """
        by_side = [side / (block_size * (side - block_size + 1)) for side in (height, width)]
        return [(1 - keep_prob) * np.prod(by_side)]
        """,
    ),
)

ASSIGNMENT = Assignment(
    Chapter(6, "The dropout family", "06-dropout-family"),
    GAUSSIAN_DROPOUT,
    SPATIAL_DROPOUT,
    DROPCONNECT_FORWARD,
    DROP_PATH,
    DROPBLOCK_GAMMA,
)
check = ASSIGNMENT.check
check_hidden = ASSIGNMENT.check_hidden
hidden_points = ASSIGNMENT.hidden_points
hint = ASSIGNMENT.hint
report = ASSIGNMENT.report
