"""What goes wrong with a factor of noise, whatever it multiplies and however many share one."""

from __future__ import annotations

from reglib.exercises._dropout_mistakes import (
    FROZEN,
    NO_SCALE,
    NOT_ADVANCED,
    OF_THE_MASK,
    OTHER_SOURCE,
    SAME_NUMBER,
    SCALED_MASK,
    SEEDED,
    UNSEEDED,
)
from reglib.exercises._findings import Mistake

PER_ENTRY = Mistake(
    "one coin for each entry",
    "Entries that belong together get coins of their own, so this is plain dropout.",
    "Count the coins that the task names, and draw as many random numbers.",
)
FOR_ALL_EXAMPLES = Mistake(
    "one mask for the whole batch",
    "All examples of the batch share their coins, so they all lose the same.",
    "How many examples are there, and does each have coins of its own?",
)
ALSO_AT_EVALUATION = Mistake(
    "noise left on at evaluation",
    "The result is random although training is False.",
    "What should come out when training is False?",
)
ONLY_AT_EVALUATION = Mistake(
    "training and evaluation exchanged",
    "There is noise at evaluation and none in training.",
    "For which value of training should nothing be random?",
)
OFF_BY_DEFAULT = Mistake(
    "noise off by default",
    "Who leaves training out trains without noise: the task's signature has training=True.",
    "Compare your def line with the task's.",
)
SCALED_AT_EVALUATION = Mistake(
    "scaled at evaluation",
    "The factor 1 / keep_prob in training has made up for what is dropped, so that evaluation "
    "needs no factor at all.",
    "Either scale in training or in evaluation. This course scales in training.",
)
NOT_APPLIED = Mistake(
    "mask not applied",
    "Everything comes out whole: the mask is drawn, but never used.",
    "What should the mask be multiplied with?",
)

#: Mistakes of every function of the family that has an ``if not training`` and ``training=True``.
OF_EVALUATION = (
    ALSO_AT_EVALUATION.written(("not training", "False")),
    ONLY_AT_EVALUATION.written(("not training", "training")),
    OFF_BY_DEFAULT.written(("training=True", "training=False")),
)


def of_the_source(drawn: str) -> tuple[Mistake, ...]:
    """Return the mistakes of where random numbers come from; ``drawn`` is ``"mask = "`` or so."""
    return (
        FROZEN.written((f"{drawn}rng", f"{drawn}{SEEDED}")),
        OTHER_SOURCE.written((f"{drawn}rng", f"{drawn}{UNSEEDED}")),
        NOT_ADVANCED.written((f"{drawn}rng", f"import copy\n    {drawn}copy.deepcopy(rng)")),
    )


def of_coins(shape: str, count: str) -> tuple[Mistake, ...]:
    """Return the mistakes of a mask that is drawn by ``rng.random(shape) < keep_prob``."""
    fixed = f"rng.permutation(np.arange({count}) < round(keep_prob * {count})).reshape({shape})"
    return (
        *OF_THE_MASK,
        NO_SCALE.written((" / keep_prob", "")),
        *of_the_source("mask = "),
        SAME_NUMBER.written((f"rng.random({shape}) < keep_prob", fixed)),
        SCALED_MASK.written((", mask", ", mask / keep_prob")),
        *OF_EVALUATION,
    )
