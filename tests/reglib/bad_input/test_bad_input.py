"""Whatever is wrong with an argument, the error says which one, and shows what came."""

import re
import warnings

import pytest

from tests.reglib.bad_input.cases import ENTRIES, Case, call, cases, good_arguments, kinds
from tests.reglib.bad_input.vocabulary import RANGE, TYPE, Made, names, shows

# What Python says of a call: then the table is wrong, not the argument.
PYTHONS = re.compile("^(?!config).*(unexpected keyword|multiple values for|required positional)")

# What a name, a config or a list of names is may be refused as a value, as in Keras.
STRICT = ("number", "integer", "flag", "function", "array", "path", "text", "seed", "object")


TRIED = [name for name, entry in ENTRIES.items() if any(k.bad for k in kinds(entry).values())]


@pytest.mark.parametrize("name", TRIED)
def test_the_good_call_works(name):
    call(ENTRIES[name], good_arguments(ENTRIES[name]))


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_a_bad_argument_is_refused_and_named(case: Case):
    value = case.value.make() if isinstance(case.value, Made) else case.value
    arguments = good_arguments(case.entry) | {case.argument: value}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises((TypeError, ValueError, OSError)) as caught:
            call(case.entry, arguments)
    message = str(caught.value)
    assert not PYTHONS.search(message), message
    assert names(case.entry.says.get(case.argument, case.argument), message), message
    assert shows(value, message), message
    if case.family in STRICT and case.wrong in (TYPE, RANGE):
        assert isinstance(caught.value, TypeError if case.wrong == TYPE else ValueError), message
