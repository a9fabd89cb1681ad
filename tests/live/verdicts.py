"""What every contract says to the answers that it lists: a table, the same in every Python.

``python.mjs`` runs this file under Pyodide, the tests import it; it needs reglib alone.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

import reglib.exercises
from reglib.exercises._answers import function_of, wrong_answers
from reglib.exercises.checking import Assignment

SEEDS = range(2)


def stub(*arguments: Any) -> None:
    """Stand for a function that is not written yet."""
    raise NotImplementedError


def tasks() -> Iterator[Any]:
    """Yield the contracts of all assignments."""
    for found in pkgutil.iter_modules(reglib.exercises.__path__, "reglib.exercises."):
        if not found.name.rpartition(".")[2].startswith("_"):
            assignment = getattr(importlib.import_module(found.name), "ASSIGNMENT", None)
            if isinstance(assignment, Assignment):
                yield from assignment.exercises.values()


def answers(task: Any) -> Iterator[tuple[str, Any]]:
    """Yield a name and a function for each answer; the page has no scipy."""
    yield "reference", task.reference
    yield "stub", stub
    texts = [("right", text) for text in (task.model, *task.right)]
    texts += [
        (mistake.name, text)
        for mistake in task.mistakes
        for text in wrong_answers(task.model, [mistake])
    ]
    for number, (kind, text) in enumerate(texts):
        if "scipy" not in text:
            yield (
                f"{number} {kind}",
                function_of(text, task.signature, tuple(task.given.items())),
            )


def verdict(task: Any, function: Any) -> list[Any]:
    """Return the points that an answer earns, aspect by aspect, and the mistakes named in it."""
    found = task.examination(function, None, SEEDS).broken
    named = {
        finding.mistake.name for findings in found.values() for finding in findings if finding.mistake
    }
    points = {one.name: 0 if one.name in found else one.points for one in task.aspects}
    return [points, sorted(named)]


def table() -> dict[str, list[Any]]:
    """Return the verdict on each answer, by the names of function and answer."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return {
            f"{task.name}: {name}": verdict(task, function)
            for task in tasks()
            for name, function in answers(task)
        }


if __name__ == "__main__":
    print(json.dumps(table()))
