"""All contracts, found by looking: a new one is tested without being written down anywhere."""

import importlib
import pkgutil
from collections.abc import Iterator

import reglib.exercises
from reglib.exercises._messages import Chapter
from reglib.exercises.checking import Assignment

#: Where to read, for tests that call a contract by itself.
CHAPTER = Chapter(0, "Anything", "00-anything")


def assignments() -> Iterator[Assignment]:
    """Yield the assignments of all modules of contracts."""
    for found in pkgutil.iter_modules(reglib.exercises.__path__, "reglib.exercises."):
        if not found.name.rpartition(".")[2].startswith("_"):
            assignment = getattr(importlib.import_module(found.name), "ASSIGNMENT", None)
            if isinstance(assignment, Assignment):
                yield assignment


TASKS = [task for assignment in assignments() for task in assignment.exercises.values()]
