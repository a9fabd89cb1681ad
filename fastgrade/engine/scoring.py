"""From what a test concluded to points, a message and the outputs below the test."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastgrade.engine.outcomes import TestOutcome
from fastgrade.notebook.assignment import redact
from fastgrade.notebook.outputs import Outputs
from fastgrade.notebook.submission import Cell, Rebuilt
from fastgrade.sandbox.confine import REFUSED
from fastgrade.settings import Settings
from fastgrade.verdict import QuestionVerdict

__all__ = ["Marks"]

#: For errors that a test gives no hint for.
_HINTS = {"PermissionError": REFUSED}


def _pairs(mistakes: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), str(hint)) for name, hint in mistakes.items())


class Marks:
    """What is written down about one submission.

    Parameters
    ----------
    rebuilt : Rebuilt
        The notebook; its test cells receive their outputs, its flags what is odd.
    settings : Settings
        Those that hold for the assignment.
    scoring : collection of str
        Tests whose last value is a number for the solution. Any other kind of value earns nothing.
    warned : collection of str
        Tests in which the solution, too, prints a warning.
    """

    def __init__(
        self,
        rebuilt: Rebuilt,
        settings: Settings,
        scoring: Collection[str] = (),
        warned: Collection[str] = (),
    ):
        self._rebuilt = rebuilt
        self._warned = warned
        self._scoring = scoring
        self._settings = settings
        self._limits = settings.limits
        self._of_tests: dict[str, dict[str, None]] = {}

    def in_order(self, verdicts: Mapping[str, QuestionVerdict]) -> list[QuestionVerdict]:
        """Return the verdicts as the instructor's notebook has them, those to give by hand too."""
        for what, names in self._of_tests.items():
            self.flag(f"{what}: {', '.join(map(repr, names))}.")
        ordered = []
        for cell in self._rebuilt.notebook["cells"]:
            tag = cell.get("metadata", {}).get("nbgrader") or {}
            name = str(tag.get("grade_id"))
            if name in verdicts:
                ordered.append(verdicts[name])
            elif name in self._rebuilt.manual:
                unanswered = self._rebuilt.manual[name]
                ordered.append(
                    QuestionVerdict(
                        grade_id=name,
                        points=0.0,
                        max_points=float(tag.get("points") or 0),
                        passed=False if unanswered else None,
                        message="No response." if unanswered else "",
                    )
                )
        return ordered

    def flag(self, text: str) -> None:
        """Tell the instructor something about the submission."""
        self._rebuilt.flags.append(text)

    def flag_test(self, cell: Cell, what: str) -> None:
        """Tell the instructor something about a test, together with others of which it is true."""
        self._of_tests.setdefault(what, {})[cell.grade_id] = None

    def unreached(self, cell: Cell) -> QuestionVerdict:
        """Fail a test that there was no time for."""
        why = f"not run: the cells before used up the {self._limits.total_seconds:g} s"
        return self.failed(cell, "TimeoutError", why)

    def judged(self, cell: Cell, reply: Mapping[str, Any], outputs: Outputs) -> QuestionVerdict:
        """Turn the judge's reply into points, as nbgrader would from the cell's outputs."""
        if TestOutcome(reply["status"]) is TestOutcome.ERROR:
            if reply.get("note"):
                self.flag(f"The test {cell.grade_id!r} stopped: {reply['note']}")
            if reply["stdout"] and not cell.hidden:
                outputs.stream("stdout", reply["stdout"])
            return self.failed(
                cell,
                str(reply["ename"]),
                str(reply["message"]),
                outputs,
                hint=str(reply.get("hint") or _HINTS.get(str(reply["ename"]), "")),
                mistakes=reply.get("mistakes") or {},
                traceback=reply.get("traceback") or (),
                evalue=reply.get("evalue"),
            )
        if not cell.hidden and reply["stdout"]:
            outputs.stream("stdout", reply["stdout"])
        verdict = self.scored(
            cell,
            reply["number"],
            reply["text"],
            outputs,
            str(reply.get("message") or ""),
            warned=bool(reply.get("warned")),
        )
        hint, mistakes = str(reply.get("hint") or ""), reply.get("mistakes") or {}
        return verdict if verdict.passed else replace(verdict, hint=hint, mistakes=_pairs(mistakes))

    def scored(
        self,
        cell: Cell,
        number: float | None,
        text: str | None,
        outputs: Outputs,
        message: str = "",
        *,
        warned: bool = False,
    ) -> QuestionVerdict:
        """Give the points that a test's last value stands for, all of them if it is no number."""
        points = cell.points
        if cell.grade_id in self._scoring and (number is None or not math.isfinite(number)):
            shown = "nothing" if text is None else "a hidden value" if cell.hidden else text[:100]
            told = f"the test ends in {shown}, which is no number of points"
            return self.failed(cell, "NoPointsError", told, outputs)
        if number is not None:
            # Not a number, or below zero, is no credit; nbgrader would give full marks.
            points = number if number >= 0 else 0.0
            if points > cell.points:
                self.flag(f"The test {cell.grade_id!r} gave {points:g} points of {cell.points:g}.")
                points = cell.points
            # nbgrader reads the points from here, and takes what is no plain number for all.
            short = f"{points:g}"
            outputs.result(short if float(short) == points else repr(float(points)))
        elif text is not None and not cell.hidden:
            outputs.result(text)
        passed = points >= cell.points
        scored = number is not None
        told = "" if passed else message or f"{points:g} of {cell.points:g} points"
        warned = warned or outputs.has_warning
        if warned and points and cell.grade_id not in self._warned:
            self.flag_test(
                cell,
                "A test prints a warning, which costs nothing here and all of its points in "
                "nbgrader autograde",
            )
        if scored and not passed and text is not None and text.startswith("np."):
            self.flag_test(
                cell,
                "A test ends in a number of NumPy, which counts here as it is and in full in "
                "nbgrader autograde",
            )
        if message and cell.hidden and not passed:
            outputs.stream("stdout", message + "\n")
        self.store(cell, outputs)
        return QuestionVerdict(
            cell.grade_id, points, cell.points, passed, told, scored=scored, warned=warned
        )

    def run_in_place(self, cell: Cell, outputs: Outputs) -> QuestionVerdict:
        """Turn the outputs of a test that ran in the student's own process into points."""
        failure = outputs.first_error()
        if failure is not None and cell.hidden:
            # What was raised, and what it is called, may hold what the test holds.
            told = "the test failed; a part of it is hidden, so no more is told"
            return self.failed(cell, "AssertionError", told)
        if failure is not None:
            self.store(cell, outputs)
            ename, evalue = failure
            message = f"{ename}: {evalue}" if evalue else ename
            return QuestionVerdict(cell.grade_id, 0.0, cell.points, False, message)
        text = outputs.take_result()
        number = None
        with contextlib.suppress(ValueError):
            number = float(re.sub(r"^np\.\w+\((.+)\)$", r"\1", text or ""))
        return self.scored(cell, number, text, outputs)

    def student_failed(self, cell: Cell, why: str) -> QuestionVerdict:
        """Fail a test for what the student's process did."""
        self.flag(f"The answer to {cell.grade_id!r} {why}.")
        return self.failed(cell, "ProcessEnded", f"your code {why}")

    def failed(
        self,
        cell: Cell,
        ename: str,
        message: str,
        outputs: Outputs | None = None,
        *,
        hint: str = "",
        mistakes: Mapping[str, str] | None = None,
        traceback: Sequence[str] = (),
        evalue: str | None = None,
    ) -> QuestionVerdict:
        """Fail a test, with an error among its outputs."""
        count = self._rebuilt.notebook["cells"][cell.index]["execution_count"] or 0
        outputs = outputs or Outputs(self._limits.output_bytes, count)
        lines = list(traceback) or [f"\x1b[0;31m{ename}\x1b[0m: {message}"]
        # The message may have it already, wrapped.
        if hint and " ".join(hint.split()) not in " ".join(" ".join(lines).split()):
            lines.append(hint)
        outputs.error(ename, message if evalue is None else evalue, lines)
        self.store(cell, outputs)
        return QuestionVerdict(
            cell.grade_id, 0.0, cell.points, False, message, hint, _pairs(mistakes or {})
        )

    def store(self, cell: Cell, outputs: Outputs) -> None:
        """Put a test's outputs into the notebook; what a hidden test printed stays hidden."""
        target = self._rebuilt.notebook["cells"][cell.index]
        outputs.for_test(hidden=cell.hidden)
        target["outputs"] = outputs.finish()
        if self._settings.redact_hidden:
            target["source"] = redact(
                target["source"], self._settings.hidden_begin, self._settings.hidden_end
            )
