"""What is graded already: in the journal, or a moment ago in this run."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

from fastgrade.batch.journal import Entry, Journal, digest
from fastgrade.batch.rules import Rules
from fastgrade.batch.work import Work
from fastgrade.course.gradebook import Held
from fastgrade.verdict import Verdict

__all__ = ["Reuse"]


class Reuse:
    """Tells what need not be graded.

    Parameters
    ----------
    rules : Rules
        Of the assignment.
    journal : Journal
        Of the assignment.
    force : bool
        Whether verdicts of earlier runs do not count.
    """

    def __init__(self, rules: Rules, journal: Journal, force: bool) -> None:
        self._rules = rules
        self._journal = journal
        self._force = force
        self._graded_now: set[str] = set()
        # Verdicts that an identical submission may have before the journal has them.
        self._unrecorded: dict[str, Verdict] = {}

    def is_current(self, work: Work, record: Held | None) -> bool:
        """Tell whether journal, gradebook and folder all agree with what was handed in."""
        mark = self._journal.applied(work.student)
        if self._force or mark is None or record is None or mark.fingerprint != work.fingerprint:
            return False
        folder = self._rules.autograded(work.student)
        for name in self._rules.cells.notebooks:
            key, number, total = mark.notebooks.get(name, (None, -1, 0.0))
            if key != work.keys.get(name):
                return False
            recorded = record.scores.get(name, (0, 0.0))
            if recorded[0] != number or abs(recorded[1] - total) > 1e-6:
                return False
            entry = self._journal.entry(work.student, name)
            if key is not None and (entry is None or not _stands(folder, name, entry)):
                return False
        return folder.is_dir()

    def reason(self, work: Work) -> str:
        """Say why a submission that is not current has to be graded or written."""
        entries = {name: self._journal.entry(work.student, name) for name in work.keys}
        if not any(entries.values()):
            return "new"
        if self._force:
            return "forced"
        if any(entry is None or entry.key != work.keys[n] for n, entry in entries.items()):
            return "changed"
        return "to be written again"

    def recorded_flags(self, work: Work) -> list[str]:
        """Return the flags of the verdicts that the journal has on a submission."""
        flags: list[str] = []
        for name in work.keys:
            entry = self._journal.entry(work.student, name)
            if entry is not None:
                with contextlib.suppress(ValueError):
                    flags += self._journal.read(entry).flags
        return flags

    def fill(self, work: Work) -> None:
        """Give a submission the verdicts that are there; what must be graded stays its tasks."""
        mark = self._journal.applied(work.student)
        recorded = {name: key for name, (key, *_) in mark.notebooks.items() if key} if mark else {}
        work.regraded = self._force or recorded != work.keys
        for name, key in work.keys.items():
            own = self._journal.entry(work.student, name)
            stands = own is not None and own.key == key and not self._force
            verdict = self._earlier(key, own if stands else None)
            if verdict is None and key in self._unrecorded:
                verdict, stands = self._unrecorded[key], False
            if verdict is None:
                continue
            del work.tasks[name]
            work.verdicts[name] = replace(verdict, student=work.student)
            if not stands:
                work.fresh.add(name)
                work.copied = True

    def keep(self, key: str, verdict: Verdict) -> None:
        """Remember a verdict until those who share it are recorded."""
        self._unrecorded[key] = verdict

    def recorded(self, work: Work) -> None:
        """Take note that a submission was recorded, or failed for good."""
        if work.failure is None:
            self._graded_now.update(work.keys[name] for name in work.fresh)
        for key in work.keys.values():
            self._unrecorded.pop(key, None)

    def _earlier(self, key: str, own: Entry | None) -> Verdict | None:
        """Return the student's own verdict, or that on an identical submission."""
        candidates = [own]
        if not self._force or key in self._graded_now:
            candidates.append(self._journal.with_key(key))
        return next((v for entry in candidates if (v := self._recall(entry))), None)

    def _recall(self, entry: Entry | None) -> Verdict | None:
        """Return a verdict of the journal with its notebook, where that still stands."""
        if entry is None:
            return None
        try:
            verdict = self._journal.read(entry)
        except ValueError:
            return None
        if entry.sha256 is None:
            return verdict
        path = self._rules.autograded(entry.student) / f"{entry.notebook}.ipynb"
        try:
            content = path.read_bytes()
        except OSError:
            return None
        if digest(content) != entry.sha256:
            return None
        return replace(verdict, autograded=content)


def _stands(folder: Path, notebook: str, entry: Entry) -> bool:
    """Tell by its size whether the notebook of a verdict is still where it was written."""
    if entry.sha256 is None:
        return True
    try:
        return (folder / f"{notebook}.ipynb").stat().st_size == entry.size
    except OSError:
        return False
