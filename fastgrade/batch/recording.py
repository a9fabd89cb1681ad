"""Recording a batch of submissions, in the order that makes a run safe to kill.

1. the folders in ``autograded/`` are replaced, each by a rename;
2. the verdicts go to the journal, and the disk confirms;
3. the grades go to the gradebook, in one transaction;
4. the journal notes that these submissions are done.

Killed before 2, a submission is graded again and its folder replaced again. Killed before 4, its
verdict is taken from the journal and written again, which changes nothing that was there. In no
case is a grade lost, doubled or half written.
"""

from __future__ import annotations

import time

from fastgrade.batch.journal import Applied, Journal
from fastgrade.batch.rules import Rules
from fastgrade.batch.work import Work
from fastgrade.course import autograded_folder, config, files
from fastgrade.course.gradebook import Gradebook, NotebookCells, NotebookScores, SubmissionScores

__all__ = ["Recorder"]

BATCH = 50
BATCH_SECONDS = 0.5


class Recorder:
    """Writes folders, journal and gradebook, a batch at a time.

    Parameters
    ----------
    rules : Rules
        Of the assignment.
    journal : Journal
        Of the assignment, open for writing.
    book : Gradebook
        Of the course.
    """

    def __init__(self, rules: Rules, journal: Journal, book: Gradebook) -> None:
        self._rules = rules
        self._journal = journal
        self._book = book
        self._waiting: list[Work] = []
        self._emptied = time.monotonic()

    def add(self, work: Work) -> None:
        """Take a submission that is complete, to be recorded with the next batch."""
        self._waiting.append(work)

    @property
    def is_waiting(self) -> bool:
        """Whether something is to be recorded."""
        return bool(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether a batch is there."""
        return len(self._waiting) >= BATCH

    @property
    def is_due(self) -> bool:
        """Whether a batch is there, or the first of it has waited long enough."""
        late = time.monotonic() - self._emptied > BATCH_SECONDS
        return self.is_full or (self.is_waiting and late)

    def record(self) -> list[Work]:
        """Record what waits and return it; a submission that cannot be recorded says why."""
        works, self._waiting = self._waiting, []
        self._emptied = time.monotonic()
        batch = [work for work in works if work.failure is None]
        if not batch:
            return works
        try:
            self._record(batch)
        except Exception:
            # One of these cannot be recorded: find out which, and spare the others.
            for work in batch:
                try:
                    self._record([work])
                except Exception as error:
                    work.failure = f"cannot be recorded: {type(error).__name__}: {error}"
        return works

    def _record(self, batch: list[Work]) -> None:
        for work in batch:
            self._write_folder(work)
        self._journal.add_verdicts(
            (work.keys[name], verdict)
            for work in batch
            for name, verdict in work.verdicts.items()
            if name in work.fresh
        )
        entries = [self._scores(work) for work in batch]
        self._book.write(self._rules.cells, entries)
        self._journal.add_applied(
            self._applied(work, entry) for work, entry in zip(batch, entries, strict=True)
        )

    def _write_folder(self, work: Work) -> None:
        destination = self._rules.autograded(work.student)
        autograded_folder.sweep(destination)
        autograded_folder.install(
            self._rules.course.coursedir,
            destination,
            {n: v.autograded for n, v in work.verdicts.items() if v.autograded is not None},
            files.merge(work.handed_in.files, self._rules.files),
            self._rules.course.autograde.permissions,
        )

    def _scores(self, work: Work) -> SubmissionScores:
        return SubmissionScores(
            work.student,
            work.handed_in.timestamp,
            {
                name: config.scores_of(work.verdicts[name], cells)
                if name in work.verdicts
                else None
                for name, cells in self._rules.cells.notebooks.items()
            },
            regraded=work.regraded,
        )

    def _applied(self, work: Work, entry: SubmissionScores) -> Applied:
        return Applied(
            work.student,
            work.fingerprint,
            {
                name: [work.keys.get(name), *_total(cells, entry.notebooks[name])]
                for name, cells in self._rules.cells.notebooks.items()
            },
            work.flags,
        )


def _total(cells: NotebookCells, scores: NotebookScores | None) -> tuple[int, float]:
    """Return the number of automatic scores in the gradebook, and their sum."""
    if scores is None:
        return len(cells.grades), 0.0
    known = [s for cell, s in scores.scores.items() if s is not None and cell in cells.grades]
    return len(known), sum(known)
