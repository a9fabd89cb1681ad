"""Compare what fastgrade makes of all `styles` with what a kernel makes of them.

``python -m tests.fastgrade.engine.compare_styles [NAME ...]`` prints, for each style, whether the
solution, a wrong answer and no answer get the same points in ``mode = "auto"`` as in a plain kernel
shell; ``beside`` says how many tests run beside the answer, ``told`` that the style is refused.
"""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter

from fastgrade.batch.pool import Outcome, told
from fastgrade.batch.solution import Examined, examine, solution_task
from fastgrade.engine.grader import Grader
from fastgrade.settings import Settings
from fastgrade.verdict import Task, Verdict
from tests.fastgrade.engine.styles import STYLES, Style

BLANK = "# YOUR CODE HERE\nraise NotImplementedError()"
PRELOAD = ("numpy", "pandas", "matplotlib.pyplot", "scipy.optimize", "sklearn.linear_model")


class ThisPool:
    """A pool of one grader, for `examine`."""

    def __init__(self, grader: Grader):
        self._grader = grader
        self._outcomes: list[Outcome] = []

    def submit(self, number: int, task: Task) -> None:
        """Grade at once."""
        try:
            self._outcomes.append(Outcome(number, self._grader.grade(task)))
        except Exception as error:
            self._outcomes.append(Outcome(number, None, told(error)))

    def wait(self, timeout: float) -> list[Outcome]:
        """Return what is there."""
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def room(self) -> int:
        """Return 1."""
        return 1

    def close(self) -> None:
        """Do nothing."""


def points(verdict: Verdict) -> list[float | None]:
    """Return the points of a verdict, None where a person has to grade."""
    return [None if q.passed is None else round(q.points, 6) for q in verdict.questions]


def compare(style: Style, grader: Grader, kernel: Grader) -> tuple[str, str]:
    """Return ``equal``, ``told`` or ``SILENT`` and what there is to say."""
    task = solution_task("ps", style.name, style.notebook(), dict(style.files), 100)
    stock = points(kernel.grade(task))
    found: Examined = examine([task], grader.settings, lambda settings: ThisPool(grader))
    if found.failing:
        kind = "told" if min(map(float, stock)) == 2 else "equal"  # stock fails it, too
        return kind, f"stock {stock}: " + "; ".join(failure.why for failure in found.failing)
    notes = [f"beside {len(found.beside)}/{found.tests}"] if found.beside else []
    status = "equal"
    for answer in (style.solution, style.wrong, BLANK):
        given = Task(
            "ps",
            "ada",
            style.name,
            task.source,
            style.notebook(answer),
            task.files,
            task.instructors,
            "passes",
            found.names_beside().get(style.name, ()),
            found.scoring.get(style.name, ()),
            found.aliased.get(style.name, ()),
            found.warned.get(style.name, ()),
            found.looking.get(style.name, ()),
        )
        theirs, ours = points(kernel.grade(given)), grader.grade(given)
        if theirs != points(ours):
            said = "; ".join(q.message for q in ours.questions if not q.passed)
            by_hand = any(q.passed is None for q in ours.questions)
            status = "told" if by_hand and status == "equal" else "SILENT"
            notes.append(f"{answer!r}: {theirs} became {points(ours)}: {said}")
    return status, "; ".join(notes + [failure.why for failure in found.beside])


def main(names: list[str]) -> None:
    """Print the table and the counts."""
    counts: Counter[str] = Counter()
    preload = tuple(name for name in PRELOAD if importlib.util.find_spec(name.partition(".")[0]))
    settings = Settings(preload=preload, judge_preload=preload)
    with (
        Grader(settings) as grader,
        Grader(Settings(mode="kernel", preload=preload, judge_preload=preload)) as kernel,
    ):
        for style in STYLES:
            if not names or style.name in names:
                status, note = compare(style, grader, kernel)
                counts[status] += 1
                counts["with tests beside"] += "beside" in note
                print(f"{status:7} {style.name:45} {note[:300]}", flush=True)
    print(dict(counts))


if __name__ == "__main__":
    main(sys.argv[1:])
