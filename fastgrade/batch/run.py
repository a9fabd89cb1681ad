"""One run over an assignment: read what was handed in, have it graded, record it.

`rules` is what all submissions are graded by, `work` one of them under way. `reuse` tells what need
not be graded, `dispatch` gives the rest to a pool, `recording` writes what came of it.
"""

from __future__ import annotations

import contextlib
import itertools
import statistics
import time
from collections import deque
from collections.abc import Callable, Sequence

from fastgrade.batch.dispatch import Dispatch
from fastgrade.batch.journal import Journal, path_of
from fastgrade.batch.local_pool import available_cpus
from fastgrade.batch.pool import Pool, PoolError, SharedPools
from fastgrade.batch.recording import Recorder
from fastgrade.batch.reuse import Reuse
from fastgrade.batch.rules import read_rules
from fastgrade.batch.selection import select
from fastgrade.batch.solution import SolutionCheck, check_solution, recorded_check
from fastgrade.batch.summary import Summary
from fastgrade.batch.work import NotReadError, Work, read_work
from fastgrade.course import compatibility
from fastgrade.course.config import Course, CourseError
from fastgrade.course.gradebook import Held
from fastgrade.course.submitted_folder import Submission
from fastgrade.course.writable import unwritable
from fastgrade.settings import Settings

__all__ = ["Run"]

WAIT_SECONDS = 0.2


class Run:
    """Grade submissions of an assignment.

    Parameters
    ----------
    course : Course
        Where.
    assignment : str
        What to grade.
    submissions : sequence of Submission, optional
        Some of those that were handed in; by default all.
    force : bool
        Whether to grade again what is graded already.
    observe : callable
        Called with the summary whenever it changes.

    Raises
    ------
    CourseError
        If a setting of the course cannot be honored, a notebook of the instructor cannot be read,
        or nobody has handed in.
    GradebookError
        If the gradebook does not know the assignment.
    """

    def __init__(
        self,
        course: Course,
        assignment: str,
        submissions: Sequence[Submission] | None = None,
        force: bool = False,
        observe: Callable[[Summary], None] = lambda summary: None,
    ) -> None:
        if submissions is None:
            submissions = select(course, [assignment])[assignment]
        self.summary = Summary(assignment, total=len(submissions))
        self._submissions = submissions
        self._force = force or course.autograde.force
        self._observe = observe
        self._book = course.gradebook()
        tell = self.summary.notes.append
        self.rules = read_rules(course, assignment, self._book, tell)
        self._hooks = compatibility.Hooks(course.autograde, tell)

    def close(self) -> None:
        """Give the gradebook back."""
        self._book.close()

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def plan(self, workers: int | None = None) -> Summary:
        """Say what a run with so many workers would do, and write nothing at all."""
        started = time.monotonic()
        with self._journal(readonly=True) as journal:
            self._foresee_solution()
            held = self._held()
            reuse = Reuse(self.rules, journal, self._force)
            for submission in self._submissions:
                work = self._read(submission, held)
                if work is None:
                    continue
                if reuse.is_current(work, held.get(work.student)):
                    self.summary.unchanged += 1
                else:
                    self.summary.planned.append((work.student, reuse.reason(work)))
                self._flag(work, [])
                self._observe(self.summary)
            self._estimate(journal, workers or available_cpus())
        self.summary.seconds = time.monotonic() - started
        return self.summary

    def _estimate(self, journal: Journal, workers: int) -> None:
        """Say how long grading would take, and how much work it is, by what it took before."""
        known = [journal.read(entry).seconds for entry in itertools.islice(journal.entries(), 50)]
        number = len(self.summary.planned)
        if number and known:
            each = statistics.fmean(known)
            minutes = number * each / workers / 60
            told = f"{minutes:.0f} min" if minutes >= 2 else f"{60 * minutes:.0f} s"
            self.summary.notes.append(
                f"{number} submissions would take about {told} with {workers} at once, or "
                f"{number * each / 3600:.2g} hours of one core, at {each:.1f} s each by the last "
                f"{len(known)}."
            )
        elif number:
            self.summary.notes.append(f"{number} submissions; how long is known after the first.")

    def grade(
        self, make_pool: Callable[[Settings], contextlib.AbstractContextManager[Pool]]
    ) -> Summary:
        """Grade what needs it.

        Parameters
        ----------
        make_pool : callable
            Called with the settings once it is known that there is work; returns a pool to be
            used as a context manager.

        Raises
        ------
        CourseError
            If the instructor's own solution does not get full marks, or nothing can be written.
        JournalBusyError
            If another run is grading this assignment.
        PoolError
            If no submission can be graded; what was graded before is recorded.
        """
        started = time.monotonic()
        obstacle = unwritable(self.rules.course.coursedir)
        if obstacle is not None:
            raise CourseError(obstacle)
        with self._journal() as journal, SharedPools(make_pool) as pools:
            self._prepare(journal)
            self._check_solution(pools.open)
            reuse = Reuse(self.rules, journal, self._force)
            recorder = Recorder(self.rules, journal, self._book)
            dispatch = Dispatch(lambda: pools.open(self.rules.settings), self.rules.finish)
            try:
                self._grade_all(reuse, dispatch, recorder)
            except (KeyboardInterrupt, PoolError):
                self._record(recorder, reuse)
                raise
            finally:
                self.summary.seconds = time.monotonic() - started
        return self.summary

    def _check_solution(self, open_pool: Callable[[Settings], Pool]) -> None:
        if self.rules.settings.check_solution:
            self._go_by(check_solution(self.rules, open_pool))

    def _foresee_solution(self) -> None:
        if self.rules.settings.check_solution:
            check = recorded_check(self.rules)
            if check is not None:
                self._go_by(check)
            else:
                self.summary.notes.append("The instructor's own solution would be graded first.")

    def _go_by(self, check: SolutionCheck) -> None:
        self.rules = check.applied(self.rules)
        self.summary.notes += [check.note] if check.note else []

    def _journal(self, readonly: bool = False) -> Journal:
        return Journal(path_of(self.rules.course.root, self.rules.cells.name), readonly)

    def _held(self) -> dict[str, Held]:
        """Return what the gradebook holds of the submissions."""
        students = {s.student for s in self._submissions if _is_text(s.student)}
        return self._book.held(self.rules.cells, students)

    def _prepare(self, journal: Journal) -> None:
        self.summary.notes += self._book.prepare()
        if journal.damaged:
            self.summary.notes.append(
                f"{journal.damaged} damaged lines of the journal were left out; what they "
                "held is graded again."
            )

    def _grade_all(self, reuse: Reuse, dispatch: Dispatch, recorder: Recorder) -> None:
        held = self._held()
        queue = deque(self._submissions)
        while queue or dispatch.is_busy or recorder.is_waiting:
            while queue and dispatch.has_room():
                work = self._take(queue.popleft(), held, reuse)
                if work is None:
                    continue
                if work.complete:
                    recorder.add(work)
                else:
                    dispatch.send(work)
                if recorder.is_full:
                    self._record(recorder, reuse)
            for key, verdict, complete in dispatch.receive(WAIT_SECONDS):
                if verdict is not None:
                    reuse.keep(key, verdict)
                for work in complete:
                    recorder.add(work)
            if recorder.is_due or not (queue or dispatch.is_busy):
                self._record(recorder, reuse)

    def _take(self, submission: Submission, held: dict[str, Held], reuse: Reuse) -> Work | None:
        """Read a submission; return it if there is something to do, with what can be reused."""
        work = self._read(submission, held)
        if work is None:
            return None
        if reuse.is_current(work, held.get(work.student)):
            self.summary.unchanged += 1
            self._flag(work, reuse.recorded_flags(work))
            self._observe(self.summary)
            return None
        if self._call_hook("pre", submission):
            work = self._read(submission, held)  # it may have changed it
        if work is not None:
            reuse.fill(work)
        return work

    def _read(self, submission: Submission, held: dict[str, Held]) -> Work | None:
        """Read a submission; whatever that comes to is no reason to stop the others."""
        try:
            if _is_text(submission.student):
                return read_work(self.rules, submission, held.get(submission.student))
            reason = "the name of the student's folder is no text in UTF-8"
        except NotReadError as error:
            reason = str(error)
        except Exception as error:
            reason = f"cannot be read: {type(error).__name__}: {error}"
        self.summary.failed.append((submission.student, reason))
        self._observe(self.summary)
        return None

    def _record(self, recorder: Recorder, reuse: Reuse) -> None:
        for work in recorder.record():
            reuse.recorded(work)
            if work.failure is not None:
                self.summary.failed.append((work.student, work.failure))
                continue
            self._count(work)
            self._call_hook("post", work.submission)
        self._observe(self.summary)

    def _count(self, work: Work) -> None:
        if not work.fresh and work.keys:
            self.summary.rewritten += 1
        elif work.copied:
            self.summary.identical += 1
        else:
            self.summary.graded += 1
        self._flag(work, [flag for v in work.verdicts.values() for flag in v.flags])

    def _flag(self, work: Work, more: list[str]) -> None:
        if work.flags or more:
            self.summary.flagged[work.student] = work.flags + more

    def _call_hook(self, when: str, submission: Submission) -> bool:
        notebooks = sorted(str(path) for path in submission.path.glob("*.ipynb"))
        return self._hooks.call(when, self.rules.cells.name, submission.student, notebooks)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
