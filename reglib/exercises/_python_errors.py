"""What Python says when a call fails, in words for somebody who reads it for the first time."""

from __future__ import annotations

import re

from reglib.exercises._findings import Mistake

SHAPES = Mistake(
    "shapes that do not fit",
    "Two arrays meet in this line whose shapes do not go together. A @ B needs as many columns in "
    "A as rows in B; + and * need equal lengths, or a length of 1, counted from the last axis.",
    "Print the .shape of each array in the line. Is a .T missing, or another axis meant?",
)
RAGGED = Mistake(
    "arrays of different shapes in one",
    "NumPy is asked to make one array of things that have different shapes.",
    "Go through them in a loop, one by one.",
)
IF_ON_ARRAY = Mistake(
    "one question to a whole array",
    "if, and, or, max and min want one answer or one number; an array has one for each entry.",
    "np.where chooses entry by entry, np.maximum compares entry by entry, .all() and .any() make "
    "one answer of many.",
)
POWER = Mistake("^ for **", "In Python ^ works on bits; a power is **.", "Write x**2.")
INDEXED_BY_NAME = Mistake(
    "a list or tuple asked by name",
    "What stands before the brackets is a list or a tuple: its items have numbers, not names.",
    "Take it apart by position, as the task lists its items.",
)
ATTRIBUTE_OF_DICT = Mistake(
    "a dict asked with a dot",
    "The entries of a dict are no attributes of it.",
    'Write parameters["W1"], with brackets and quotes.',
)
NO_KEY = Mistake(
    "key that the dict does not have",
    "The dict has no entry of that name.",
    "Compare the name with those in the task; list(the_dict) shows what there is.",
)
OUT_OF_RANGE = Mistake(
    "index out of range",
    "An index points beyond the end: the last of n items has the number n - 1.",
    "Which is the last index that your loop or your formula uses? Which should it be?",
)
ARRAY_FOR_INTEGER = Mistake(
    "an array where an integer is needed",
    "An index, a length or a shape is made of integers, and an array came instead.",
    "a.shape is the shape of an array a; for W in weights gives the arrays themselves.",
)
FLOAT_INDEX = Mistake(
    "an index that is no integer",
    "Items are counted with integers, also where a float happens to be whole.",
    "Round, then convert: int(round(x)), or np.rint(x).astype(int) for an array.",
)
OTHER_COUNT = Mistake(
    "unpacked into another number of names",
    "To the left of = stand more or fewer names than there are values on the right.",
    "How many values can there be? len(...), and the shape of an array, may differ from case to "
    "case.",
)
NONE_IN_CALCULATION = Mistake(
    "None in a calculation",
    "One of the values in this line is None, so it was never set to a number.",
    "What does the variable hold before the first round of the loop?",
)
LISTS_IN_CALCULATION = Mistake(
    "lists calculated with as arrays",
    "Python's lists and tuples know no -, / and **, and + joins them.",
    "np.array(a_list) makes an array, which is calculated with entry by entry.",
)
GENERATOR_METHOD = Mistake(
    "method that rng does not have",
    "rand, randn and randint belong to np.random; a Generator has random, standard_normal and "
    "integers.",
    "rng.random(shape) draws uniform numbers, rng.integers(n) integers from 0 to n - 1.",
)
GENERATOR_CALLED = Mistake(
    "rng called like a function",
    "rng is an object whose methods draw numbers; it cannot be called itself.",
    "Write rng.random(shape).",
)
NOTHING_TO_DRAW = Mistake(
    "nothing to draw from",
    "rng.integers(n) draws from 0 to n - 1, so n must be 1 or more.",
    "How many places are there where the window is as large as the image?",
)
BY_ZERO = Mistake(
    "division by zero",
    "What stands below the line can be 0, and then there is no quotient.",
    "Which argument makes it 0? Look at what the task says of that case.",
)
SINGULAR = Mistake(
    "a matrix without an inverse",
    "Some columns of the matrix depend on the others, so it has no inverse, and a system of "
    "equations with it has no single solution.",
    "Print the matrix for a small input. What in the task's formula makes it invertible?",
)
NO_INIT = Mistake(
    "no __init__",
    "A class without a method __init__ takes no arguments.",
    "Is it spelled with two underscores on both sides, and indented into the class?",
)

#: The beginning of a message, by kind of error, and what it means. The first that fits counts.
_SLIPS = tuple(
    (re.compile(pattern), slip)
    for pattern, slip in (
        (r"ValueError: (operands could not be broadcast|matmul:|shapes .* not aligned)", SHAPES),
        (r"ValueError: (could not broadcast input array|cannot reshape|shape mismatch)", SHAPES),
        (r"ValueError: setting an array element with a sequence", RAGGED),
        (r"ValueError: The truth value of an array", IF_ON_ARRAY),
        (r"ValueError: (too many|not enough) values to unpack", OTHER_COUNT),
        (r"ValueError: (high <= 0|low >= high)", NOTHING_TO_DRAW),
        (r"TypeError: (ufunc 'bitwise_xor'|unsupported operand type\(s\) for \^)", POWER),
        (r"TypeError: (list|tuple) indices must be integers or slices, not str", INDEXED_BY_NAME),
        (r"AttributeError: 'dict' object has no attribute", ATTRIBUTE_OF_DICT),
        (r"AttributeError: '[\w.]*Generator' object has no attribute", GENERATOR_METHOD),
        (r"TypeError: '[\w.]*Generator' object is not callable", GENERATOR_CALLED),
        (r"KeyError: ", NO_KEY),
        (r"IndexError: (.*out of range|.*out of bounds)", OUT_OF_RANGE),
        (r"TypeError: only (integer scalar|length-1) arrays", ARRAY_FOR_INTEGER),
        (r"ValueError: maximum supported dimension", ARRAY_FOR_INTEGER),
        (r"IndexError: (only integers|arrays used as indices must be)", FLOAT_INDEX),
        (r"TypeError: (slice indices|list indices|tuple indices) must be integers", FLOAT_INDEX),
        (r"TypeError: 'float' object cannot be interpreted as an integer", FLOAT_INDEX),
        (r"TypeError: .*'NoneType'", NONE_IN_CALCULATION),
        (r"TypeError: unsupported operand .* '(list|tuple)'", LISTS_IN_CALCULATION),
        (r"ZeroDivisionError: ", BY_ZERO),
        (r"LinAlgError: Singular matrix", SINGULAR),
        (r"TypeError: \w+\(\) takes no arguments", NO_INIT),
    )
)  # fmt: skip

SLIPS = tuple(dict.fromkeys(slip for _, slip in _SLIPS))


def slip_of(kind: str, text: str) -> Mistake | None:
    """Return what an error of that kind and text means, if it is one of those that we know.

    The kind is a name: the error may have come from another process.
    """
    said = f"{kind}: {text}"
    return next((slip for pattern, slip in _SLIPS if pattern.match(said)), None)
