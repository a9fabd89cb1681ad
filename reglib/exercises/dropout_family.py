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
from reglib.exercises._dropout_mistakes import NO_MASK
from reglib.exercises._findings import Mistake
from reglib.exercises._messages import Chapter
from reglib.exercises._noise_gaussian import GAUSSIAN_DROPOUT
from reglib.exercises._noise_masks import Noise
from reglib.exercises._noise_on_weights import DROPCONNECT_FORWARD
from reglib.exercises._task import Aspect, Task
from reglib.exercises.checking import Assignment
from reglib.textbook import dropout_family as reference

# spatial_dropout

_SPATIAL = Noise(
    draw=lambda rng, shape: (noises.numbers(rng, shape),),
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

# drop_path


def _block(rng: np.random.Generator, shape: Any) -> tuple[NDArray, NDArray]:
    return noises.numbers(rng, shape), noises.numbers(rng, shape)


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
