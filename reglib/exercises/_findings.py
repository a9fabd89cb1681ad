"""What is said of an answer: findings, and the mistakes that any function can have."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mistake:
    """A misconception that can be told from what a function returns.

    Parameters
    ----------
    name : str
        A few words, the same in feedback and in an instructor's statistics.
    why : str
        One sentence: what it does to the result.
    hint : str
        Where to look, without the answer's line.
    """

    name: str
    why: str
    hint: str


@dataclass(frozen=True)
class Finding:
    """One broken promise: what came, what was expected, and the mistake that it looks like."""

    came: str
    expected: str
    mistake: Mistake | None = None


class BrokenCall(Exception):  # noqa: N818 - carries a finding, is no error of ours
    """The student's function could not be called, or what it returned is of no use."""

    def __init__(self, finding: Finding, error: BaseException | None = None) -> None:
        super().__init__(finding.came)
        self.finding = finding
        self.error = error


NOT_WRITTEN = Mistake(
    "not written yet",
    "The function still raises NotImplementedError.",
    "Replace the line that raises NotImplementedError with your answer.",
)
RETURNS_NOTHING = Mistake(
    "return is missing",
    "A function without a return statement returns None.",
    "End the function with return and the value that the task asks for.",
)
SIGNATURE = Mistake(
    "other arguments",
    "The function does not take the arguments that the task names, in their order.",
    "Compare your def line with the task's.",
)
UNDEFINED = Mistake(
    "name from nowhere",
    "The function uses a name that is neither an argument nor defined or imported anywhere.",
    "Take every value that the function needs from its arguments, and define every helper.",
)
NO_NUMBERS = Mistake(
    "not a number",
    "The result holds NaN, infinity or something that is no number.",
    "Print the intermediate values for a small input and see where it begins.",
)
HARD_CODED = Mistake(
    "hard-coded value",
    "The result fits one fixed value of a quantity, written as a number or taken from a variable "
    "outside the function, and no other.",
    "Compute the quantity from the arguments: m, for example, is the number of examples.",
)

GENERAL_MISTAKES = (
    NOT_WRITTEN,
    RETURNS_NOTHING,
    SIGNATURE,
    UNDEFINED,
    NO_NUMBERS,
    HARD_CODED,
)
