"""The tables leave out no public name, none of its arguments, and nothing that can go wrong."""

import inspect
from fnmatch import fnmatchcase

import pytest

from tests.reglib.bad_input import exemptions
from tests.reglib.bad_input.cases import ENTRIES, INVENTORY, exempt, kinds
from tests.reglib.bad_input.vocabulary import FAMILIES, RNG

# What an annotation says about the kind of an argument; None stands beside any of them.
FAMILIES_OF = {
    "int": {"integer", "seed", "choice"},
    "float": {"number"},
    "bool": {"flag"},
    "str": {"choice", "text", "path", "identifier"},
    "ArrayLike": {"array"},
    "NDArray": {"array"},
    "str | os.PathLike": {"path"},
    "str | os.PathLike[str]": {"path"},
    "int | None": {"integer", "seed"},
}

NAMES = sorted(name for name, public in INVENTORY.items() if public.parameters)
TRIED = [name for name in NAMES if name in ENTRIES]


def reasonable(reason: str) -> bool:
    """Return whether a reason says more than that there is one."""
    return len(reason.split()) >= 4


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_tried_or_has_a_reason(name):
    reason = exempt(name)
    assert name in ENTRIES or reason, "add it to a table, or to exemptions.py with a reason"
    assert reason is None or reasonable(reason)


@pytest.mark.parametrize("name", ENTRIES)
def test_every_entry_is_a_public_name(name):
    assert name in INVENTORY


@pytest.mark.parametrize("name", TRIED)
def test_every_argument_has_a_kind(name):
    assert set(kinds(ENTRIES[name])) == set(INVENTORY[name].parameters)


@pytest.mark.parametrize("name", TRIED)
def test_everything_that_can_go_wrong_with_a_kind_is_tried(name):
    for argument, kind in kinds(ENTRIES[name]).items():
        for wrong in FAMILIES[kind.family]:
            tried, reason = kind.bad.get(wrong), kind.exempt.get(wrong)
            assert tried or reason, f"{argument}: nothing of a wrong {wrong}"
            assert not (tried and reason), f"{argument}: a wrong {wrong} is tried and exempt"
        assert all(map(reasonable, kind.exempt.values())), argument


@pytest.mark.parametrize("name", TRIED)
def test_a_kind_is_what_the_annotation_says(name):
    for argument, kind in kinds(ENTRIES[name]).items():
        parameter = INVENTORY[name].parameters[argument]
        if kind.family == "anything" or parameter.annotation is inspect.Parameter.empty:
            continue
        text = str(parameter.annotation).removesuffix(" | None")
        assert kind.family in FAMILIES_OF.get(text, FAMILIES), f"{argument}: {text}, {kind.family}"
        if text == "np.random.Generator":
            assert kind.bad["type"] == RNG.bad["type"] or kind.family == "object", argument


@pytest.mark.parametrize("pattern", exemptions.PATTERNS)
def test_no_exemption_is_left_over(pattern):
    assert any(fnmatchcase(name, pattern) for name in NAMES if name not in ENTRIES)
