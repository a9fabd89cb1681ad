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

SEEDS = range(1)


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


def answers(task: Any, every: bool) -> Iterator[tuple[str, Any]]:
    """Yield a name and a function for each answer; of the listed ones, all or the first of a kind.

    Those that use scipy are left out: the page has none.
    """
    yield "reference", task.reference
    yield "stub", stub
    kinds = {"right": [text for text in (*task.right, task.model) if "scipy" not in text]}
    for mistake in task.mistakes:
        kinds[mistake.name] = list(wrong_answers(task.model, [mistake]))
    for kind, texts in kinds.items():
        for number, text in enumerate(texts if every else texts[:1]):
            function = function_of(text, task.signature, tuple(task.given.items()))
            yield f"{kind} {number}", function


def verdict(task: Any, function: Any) -> list[Any]:
    """Return the points that an answer earns, aspect by aspect, and the mistakes named in it."""
    found = task.examination(function, None, SEEDS).broken
    named = {
        finding.mistake.name
        for findings in found.values()
        for finding in findings
        if finding.mistake
    }
    points = {one.name: 0 if one.name in found else one.points for one in task.aspects}
    return [points, sorted(named)]


def table(every: bool) -> dict[str, list[Any]]:
    """Return the verdict on each answer, by the names of function and answer."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return {
            f"{task.name}: {name}": verdict(task, function)
            for task in tasks()
            for name, function in answers(task, every)
        }


if __name__ == "__main__":
    every = json.loads(globals()["arguments_"])  # from python.mjs
    print(json.dumps(table(every)))
