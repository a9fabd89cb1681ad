"""From the tables to the cases: each a good call with one argument made bad."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.reglib.bad_input import (
    exemptions,
    table_ground,
    table_layers,
    table_study,
    table_training,
)
from tests.reglib.bad_input.inventory import Public, inventory
from tests.reglib.bad_input.vocabulary import Entry, Kind, Made

TABLES = (table_ground, table_layers, table_training, table_study)

INVENTORY = inventory()
_LISTED = [entry for table in TABLES for entry in table.ENTRIES]
ENTRIES: dict[str, Entry] = {entry.name: entry for entry in _LISTED}
assert len(ENTRIES) == len(_LISTED), "a name is in the tables twice"
NAMED: dict[str, dict[str, Kind]] = {
    area: named for table in TABLES for area, named in getattr(table, "NAMED", {}).items()
}


@dataclass(frozen=True)
class Case:
    """A call that must be refused: ``value`` for ``argument`` is wrong by its ``wrong``."""

    entry: Entry
    argument: str
    wrong: str
    number: int
    value: Any
    family: str

    def __str__(self) -> str:
        return f"{self.entry.name}-{self.argument}-{self.wrong}-{self.number}"


def kinds(entry: Entry) -> dict[str, Kind]:
    """Return the kind of each argument: what the entry says, or else what the name says."""
    public = INVENTORY.get(entry.name)
    if public is None:
        return dict(entry.kinds)
    named = NAMED.get(entry.name.split(".")[0], {})
    found = {name: named[name] for name in public.parameters if name in named}
    return {**found, **entry.kinds}


def good_arguments(entry: Entry) -> dict[str, Any]:
    """Return the arguments of a call that works."""
    public = INVENTORY.get(entry.name)
    arguments = {}
    for name, kind in kinds(entry).items():
        if kind.family == "anything" or _is_optional(public, name) or name in entry.given:
            continue
        arguments[name] = kind.good
    arguments |= entry.given
    return {n: v.make() if isinstance(v, Made) else v for n, v in arguments.items()}


def _is_optional(public: Public | None, name: str) -> bool:
    if public is None or name not in public.parameters:
        return False
    parameter = public.parameters[name]
    return parameter.default is not inspect.Parameter.empty


def call(entry: Entry, arguments: dict[str, Any]) -> Any:
    """Call what the entry is about."""
    target = entry.call or INVENTORY[entry.name].target
    return target(**arguments)


def cases() -> Iterator[Case]:
    """Yield every case of every table."""
    for entry in ENTRIES.values():
        public = INVENTORY.get(entry.name)
        for argument, kind in kinds(entry).items():
            may_be_none = (
                public is not None
                and argument in public.parameters
                and public.parameters[argument].default is None
            )
            for wrong, values in kind.bad.items():
                for number, value in enumerate(values):
                    if not (value is None and may_be_none):
                        yield Case(entry, argument, wrong, number, value, kind.family)


def exempt(name: str) -> str | None:
    """Return why a public name is in no table; None if it has to be."""
    for pattern, reason in exemptions.PATTERNS.items():
        if name not in ENTRIES and fnmatchcase(name, pattern):
            return reason
    return None
