"""Every argument refuses what is wrong with it, by name: as the declaration beside the code says.

``calls.py`` has what a declaration cannot know: how to come by a good call, what is wrong only
beside other arguments, and what is looked at elsewhere, with the reason.
"""

import inspect
import re
from fnmatch import fnmatchcase

import numpy as np
import pytest

from tests.reglib.bad_input.calls import (
    BAD,
    ELSEWHERE,
    GOOD,
    INVENTORY,
    SAYS,
    call,
    find,
    good_arguments,
)

ARGUMENTS = [f"{name}.{argument}" for name, p in INVENTORY.items() for argument in p.parameters]

# What Python says of a call: then the call is wrong, not the argument.
PYTHONS = re.compile("^(?!config).*(unexpected keyword|multiple values for|required positional)")
ERRORS = {"type": TypeError, "range": ValueError, "nan": ValueError, "empty": ValueError}


TRIED = [path for path in ARGUMENTS if not find(ELSEWHERE, path)]
NAMES = list(dict.fromkeys(path.rpartition(".")[0] for path in TRIED))


def bad_values(path):
    """Yield values that are wrong for an argument, each after what is wrong with it."""
    name, _, argument = path.rpartition(".")
    public = INVENTORY[name]
    may_be_none = public.parameters[argument].default is None
    declared = public.constraints.get(argument)
    for table in (declared.bad() if declared else {}, find(BAD, path) or {}):
        for wrong, values in table.items():
            yield from ((wrong, v) for v in values if not (v is None and may_be_none))


def complaint(path, wrong, value):
    """Return what is to be said against the way in which a bad value is refused, if anything."""
    name, _, argument = path.rpartition(".")
    try:
        call(name, good_arguments(name) | {argument: value})
    except (TypeError, ValueError, OSError) as error:
        message, words = str(error), find(SAYS, path) or argument
        if PYTHONS.search(message) or not re.search(rf"(?<!\w)({words})(?!\w)", message):
            return f"is not named: {message}"
        if not any(sign in message for sign in signs(value)):
            return f"is not shown: {message}"
        if not isinstance(error, ERRORS.get(wrong, Exception)):
            return f"should be a {ERRORS[wrong].__name__}: {message}"
        return None
    return "is taken"


def signs(value):
    """Yield what a message may show of a value: itself, or what tells arrays apart."""
    yield from (repr(value)[:60], str(value) or "''", type(value).__name__)
    if isinstance(value, type):
        yield value.__name__
    if isinstance(value, dict):
        yield from (repr(key) for key in value)
        listed = [", ".join(map(str, names)) for names in (value, sorted(value, key=str))]
        yield from (f"got {text or '[]'}" for text in listed)
        yield from () if value else ("got None",)
        value = list(value.values())
    if isinstance(value, (str, list, tuple)):
        yield from (
            f"got {len(value)}",
            *(() if value else ("empty", "none", "nothing", "missing")),
        )
    if isinstance(value, (list, tuple)):
        yield from (sign for part in value for sign in signs(part))
        return
    if hasattr(value, "columns"):
        yield ", ".join(value.columns)
    array = np.asarray(value)
    # Of predictions a message may give the shape that the targets of classes must have.
    yield from (f"dtype {array.dtype}", str(array.shape), f"have shape {array.shape[:-1]}")
    if array.dtype.kind in "iuf" and array.size:
        yield from (f"got {array.min():g}", f"values from {array.min():g} to {array.max():g}")
        yield from (f"got {array.max():g}", "NaN or infinity", f"got {array.tolist()}")


@pytest.mark.parametrize("name", NAMES)
def test_the_good_call_works(name):
    call(name, good_arguments(name))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", TRIED)
def test_bad_values_are_refused_and_named(path):
    values = list(bad_values(path))
    assert values, "declare it, add values to BAD, or give a reason in ELSEWHERE"
    found = [(value, complaint(path, wrong, value)) for wrong, value in values]
    assert not [f"{value!r} {text}" for value, text in found if text]


@pytest.mark.parametrize("name", NAMES)
def test_defaults_and_good_values_pass(name):
    public = INVENTORY[name]
    for argument, constraint in public.constraints.items():
        default = public.parameters[argument].default if argument in public.parameters else None
        for value in (constraint.good, default):
            if value is not inspect.Parameter.empty and value is not None:
                constraint.check(argument, value)


@pytest.mark.parametrize("table", [GOOD, BAD, SAYS, ELSEWHERE], ids=["GOOD", "BAD", "SAYS", "ELSE"])
def test_no_pattern_is_left_over(table):
    assert not [pattern for pattern in table if not any(fnmatchcase(a, pattern) for a in ARGUMENTS)]
