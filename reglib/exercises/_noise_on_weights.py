"""The contract of DropConnect, whose noise lies on weights: what a layer computes tells them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises import _noise_masks as noises
from reglib.exercises import _noise_mistakes as slips
from reglib.exercises._comparison import Case, Comparison
from reglib.exercises._dropout_masks import factors, tell_factors
from reglib.exercises._dropout_mistakes import ONE_MASK
from reglib.exercises._findings import BrokenCall, Finding, Mistake
from reglib.exercises._noise_masks import Noise
from reglib.exercises._student_function import Student, shape_of
from reglib.exercises._task import Aspect, Task
from reglib.textbook import dropout_family as reference


def _layer(rng: np.random.Generator, shape: Any) -> tuple[NDArray, NDArray, NDArray]:
    n, inputs, outputs = shape
    return (
        rng.standard_normal((n, inputs)),
        noises.numbers(rng, (inputs, outputs)),
        noises.numbers(rng, outputs),
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
            "What is added to a layer's products before its activation?",
        ).written(
            (" / keep_prob) + b", " / keep_prob)"),
            ((" / keep_prob) + b", " / keep_prob)"), ("x @ W + b,", "x @ W,")),
        ),
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
