"""What is said of an answer: findings, and the mistakes that any function can have."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reglib.exercises._answers import Answer


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
    answers : tuple
        How it is written in one task: edits of the model answer, or whole wrong answers.
    """

    name: str
    why: str
    hint: str
    answers: tuple[Answer, ...] = ()

    def written(self, *answers: Answer) -> Mistake:
        """Return the mistake as it is made in one task: each answer is one way to write it."""
        return replace(self, answers=answers)


@dataclass(frozen=True)
class Finding:
    """One broken promise: what came, what was expected, and the mistake that it looks like.

    ``arguments``, ``result`` and ``wanted`` are the values themselves, where there are any.
    """

    came: str
    expected: str
    mistake: Mistake | None = None
    arguments: tuple[Any, ...] | None = field(default=None, compare=False, repr=False)
    result: Any = field(default=None, compare=False, repr=False)
    wanted: Any = field(default=None, compare=False, repr=False)


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
    "Take every value that the function needs from its arguments (in a class: from self), and "
    "define every helper.",
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

WHOLE_NUMBERS = Mistake(
    "whole numbers only",
    "What stands behind the decimal point is lost: int(), // and arrays of an integer dtype cut it "
    "off.",
    "Look for int, // and dtype=int; np.zeros(shape) holds floats.",
)
MORE_VALUES = Mistake(
    "more values than asked for",
    "The function returns several values, and the task asks for one.",
    "Return that value alone.",
)
NOT_ADDED_UP = Mistake(
    "many numbers for one",
    "The result has several entries where one number is asked for. Perhaps a sum is missing, or "
    "runs along one axis only.",
    "np.sum without axis adds up all entries of an array; a loop adds up the layers.",
)
ADDED_UP = Mistake(
    "one number for many",
    "The result is a single number where an array is asked for. Perhaps entries were added up or "
    "averaged that belong apart.",
    "Leave out sum and mean, or give them the axis that the task names.",
)
TRANSPOSED_RESULT = Mistake(
    "rows and columns exchanged",
    "The result has the right size, but its axes stand in the other order.",
    "Write down the shape of each factor; one of them may want a .T.",
)
PAIR_SWAPPED = Mistake(
    "pair in the other order",
    "Both values are there, the second before the first.",
    "Compare your return line with the task's.",
)
LOST_AXIS = Mistake(
    "axis of length 1",
    "The numbers are as many as they should be, but an axis of length 1 is too much or missing.",
    "keepdims=True keeps an axis in a sum; ravel() and reshape(...) remove or add one.",
)
NO_ANSWER = Mistake(
    "neither True nor False",
    "The task asks a question that is answered with True or False.",
    "Return True or False themselves, not a text, a number or a list.",
)
MANY_ANSWERS = Mistake(
    "an answer for each entry",
    "== compares two arrays entry by entry and gives an array of answers.",
    "np.array_equal(a, b) gives one answer, and so does (a == b).all().",
)
OTHER_ORDER = Mistake(
    "arguments in another order",
    "The function does what it should with two of its arguments exchanged.",
    "Compare the order of the names in your def line with the task's.",
)
NO_DIFFERENCE = Mistake(
    "argument without effect",
    "The result stays the same whatever the value of one argument is.",
    "Where in your function does that argument stand, and does that line count?",
)
INPUT_CHANGED = Mistake(
    "input overwritten",
    "The function changes an array that it was given; whoever calls it may still need that array.",
    "Work on a copy: image.copy(), or an array of your own.",
)

GENERAL_MISTAKES = (
    NOT_WRITTEN,
    RETURNS_NOTHING,
    SIGNATURE,
    UNDEFINED,
    NO_NUMBERS,
    HARD_CODED,
    WHOLE_NUMBERS,
    MORE_VALUES,
    NOT_ADDED_UP,
    ADDED_UP,
    TRANSPOSED_RESULT,
    PAIR_SWAPPED,
    LOST_AXIS,
    NO_ANSWER,
    MANY_ANSWERS,
    OTHER_ORDER,
    NO_DIFFERENCE,
    INPUT_CHANGED,
)
