"""One run over a class: what must be done, who does it, and in which order it is recorded.

The order is what makes a run safe to kill. For a batch of submissions,

1. the folders in ``autograded/`` are replaced, each by a rename;
2. the verdicts go to the journal, and the disk confirms;
3. the grades go to the gradebook, in one transaction;
4. the journal notes that these submissions are done.

Killed before 2, a submission is graded again and its folder replaced again. Killed before 4, its
verdict is taken from the journal and written again, which changes nothing that was there. In no
case is a grade lost, doubled or half written.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

import nbformat

from fastgrade.batch.journal import Applied, Entry, Journal, digest, path_of
from fastgrade.batch.pool import Outcome, Pool, PoolError
from fastgrade.course import (
    autograded_folder,
    compatibility,
    files,
    source_folder,
    submitted_folder,
)
from fastgrade.course.config import Course, CourseError, instructor_source, scores_of
from fastgrade.course.gradebook import AssignmentCells, Held, NotebookScores, SubmissionScores
from fastgrade.course.submitted_folder import HandedIn, Submission
from fastgrade.engine import grader
from fastgrade.notebook.submission import read
from fastgrade.settings import Settings
from fastgrade.verdict import Submitted, Task, Verdict

BATCH = 50
BATCH_SECONDS = 0.5
# How many submissions are held in memory while an identical one is being graded.
WAITING = 200
WAIT_SECONDS = 0.2


@dataclass
class Summary:
    """What a run did."""

    total: int = 0
    graded: int = 0
    identical: int = 0
    rewritten: int = 0
    unchanged: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    flagged: dict[str, list[str]] = field(default_factory=dict)
    planned: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def done(self) -> int:
        """Submissions that need nothing more."""
        return self.graded + self.identical + self.rewritten + self.unchanged + len(self.failed)


@dataclass
class _Work:
    """A submission under way."""

    submission: Submission
    handed_in: HandedIn
    submitted: dict[str, Submitted]
    fingerprint: str
    keys: dict[str, str]
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    fresh: set[str] = field(default_factory=set)
    regraded: bool = False
    copied: bool = False
    failure: str | None = None

    @property
    def complete(self) -> bool:
        return self.failure is not None or self.verdicts.keys() == self.keys.keys()


class Run:
    """Grade the submissions of an assignment.

    Parameters
    ----------
    course : Course
        Where.
    assignment : str
        What to grade.
    students : tuple of str
        Names or globs; none stands for everybody.
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
        students: tuple[str, ...] = (),
        force: bool = False,
        observe: Callable[[Summary], None] = lambda summary: None,
    ) -> None:
        refusal = compatibility.refusal(course.autograde)
        if refusal is not None:
            raise CourseError(refusal)
        self.course = course
        self.assignment = assignment
        self.force = force or course.autograde.force
        self.summary = Summary()
        unused = compatibility.without_effect(course.autograde)
        if unused:
            self.summary.notes.append(f"Without effect here: {', '.join(unused)}.")
        self._hooks = compatibility.Hooks(course.autograde, self.summary.notes.append)
        self.settings = course.settings.for_assignment(assignment)
        self._observe = observe
        self._book = course.gradebook()
        self._cells: AssignmentCells = self._book.assignment(assignment)
        chosen = self._choose(students)
        self.summary.total = len(chosen)
        self._submissions = [s for s in chosen if _is_text(s.student)]
        self.summary.failed += [
            (s.student, "the name of the student's folder is no text in UTF-8")
            for s in chosen
            if not _is_text(s.student)
        ]
        self._files = source_folder.instructor_files(
            course.coursedir,
            assignment,
            course.autograde.exclude_overwriting.get(assignment, []),
        )
        self._sources = {name: self._source(name) for name in self._cells.notebooks}
        self._finishers = course.finishers()
        config = course.autograde.config
        self._late_rules = [
            repr(config.get(name)) for name in ("AssignLatePenalties", "LateSubmissionPlugin")
        ]
        if not compatibility.penalizes_late(course.autograde):
            self._late_rules.append("none")
        self._flying: dict[int, tuple[str, list[tuple[_Work, str]]]] = {}
        self._by_key: dict[str, int] = {}
        self._graded_now: set[str] = set()
        # Verdicts that an identical submission may have before the journal has them.
        self._unrecorded: dict[str, Verdict] = {}
        self._ready: list[_Work] = []
        self._waiting = 0
        self._numbers = 0
        self._flushed = time.monotonic()

    def close(self) -> None:
        """Give the gradebook back."""
        self._book.close()

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # ---- what there is ----

    def _choose(self, students: tuple[str, ...]) -> list[Submission]:
        found = submitted_folder.find_submissions(self.course.coursedir, self.assignment)
        if not students:
            if not found:
                where = self.course.coursedir.submitted_directory
                raise CourseError(f"nobody has handed in {self.assignment!r} in {where}/")
            return found
        chosen = [s for s in found if any(fnmatchcase(s.student, p) for p in students)]
        unknown = [
            pattern
            for pattern in students
            if not any(fnmatchcase(s.student, pattern) for s in chosen)
        ]
        if unknown:
            raise CourseError(
                f"no submission of {self.assignment!r} by {', '.join(unknown)}"
                f" ({len(found)} others are there)"
            )
        return chosen

    def _source(self, notebook: str) -> bytes:
        try:
            source = source_folder.source_notebook(self.course.coursedir, self.assignment, notebook)
        except OSError as error:
            raise CourseError(f"the instructor's notebook cannot be read: {error}") from None
        recorded, edited = instructor_source(source, self._cells.notebooks[notebook])
        if edited:
            self.summary.notes.append(
                f"Edited since they were recorded: {', '.join(edited)}. What counts is the "
                f"record, until you run `nbgrader generate_assignment {self.assignment} --force`."
            )
        return recorded

    @property
    def has_hidden_tests(self) -> bool:
        """Whether the assignment has tests that students must not see."""
        mark = self.settings.hidden_begin.encode()
        return any(mark in source for source in self._sources.values())

    # ---- plan ----

    def plan(self) -> Summary:
        """Say what a run would do, and write nothing at all."""
        started = time.monotonic()
        path = self._journal_path()
        with Journal(path, readonly=True) as journal:
            held = self._book.held(self._cells, {s.student for s in self._submissions})
            for submission in self._submissions:
                work = self._attempt(submission, held)
                if work is None:
                    continue
                student = submission.student
                if not self.force and self._is_current(journal, work, held):
                    self.summary.unchanged += 1
                elif all(journal.entry(student, name) is None for name in work.keys):
                    self.summary.planned.append((student, "new"))
                elif self.force:
                    self.summary.planned.append((student, "forced"))
                elif any(
                    (entry := journal.entry(student, name)) is None or entry.key != key
                    for name, key in work.keys.items()
                ):
                    self.summary.planned.append((student, "changed"))
                else:
                    self.summary.planned.append((student, "to be written again"))
                self._flag(work, [])
                self._observe(self.summary)
        self.summary.seconds = time.monotonic() - started
        return self.summary

    def _journal_path(self) -> Path:
        return path_of(self.course.root, self.assignment)

    # ---- grade ----

    def grade(self, make_pool: Callable[[Settings], contextlib.AbstractContextManager]) -> Summary:
        """Grade what needs it.

        Parameters
        ----------
        make_pool : callable
            Called with the settings once it is known that there is work; returns a pool to be
            used as a context manager.

        Raises
        ------
        JournalBusyError
            If another run is grading this assignment.
        PoolError
            If no submission can be graded; what was graded before is recorded.
        """
        started = time.monotonic()
        with Journal(self._journal_path()) as journal, contextlib.ExitStack() as stack:
            self.summary.notes += self._book.prepare()
            if journal.damaged:
                self.summary.notes.append(
                    f"{journal.damaged} damaged lines of the journal were left out; what they "
                    "held is graded again."
                )
            held = self._book.held(self._cells, {s.student for s in self._submissions})
            queue = deque(self._submissions)
            pool: Pool | None = None
            try:
                while queue or self._flying or self._ready:
                    while queue and self._has_room(pool):
                        work = self._attempt(queue.popleft(), held)
                        if work is None:
                            continue
                        if not self.force and self._is_current(journal, work, held):
                            self.summary.unchanged += 1
                            self._flag_recorded(journal, work)
                            self._observe(self.summary)
                            continue
                        if self._call_hook("pre", work.submission):
                            work = self._attempt(work.submission, held)  # it may have changed it
                            if work is None:
                                continue
                        tasks = self._reuse(journal, work)
                        if work.complete:
                            self._ready.append(work)
                        elif pool is None:
                            pool = stack.enter_context(make_pool(self.settings))
                        for name in tasks:
                            self._submit(pool, work, name)
                        if len(self._ready) >= BATCH:
                            self._flush(journal)
                    if self._flying and pool is not None:
                        for outcome in pool.wait(WAIT_SECONDS):
                            self._land(outcome)
                    if self._is_time() or not (queue or self._flying):
                        self._flush(journal)
            except (KeyboardInterrupt, PoolError):
                self._flush(journal)
                raise
            finally:
                self.summary.seconds = time.monotonic() - started
        return self.summary

    def _has_room(self, pool: Pool | None) -> bool:
        return (pool is None or pool.room() > 0) and self._waiting < WAITING

    def _is_time(self) -> bool:
        late = time.monotonic() - self._flushed > BATCH_SECONDS
        return len(self._ready) >= BATCH or (bool(self._ready) and late)

    def _attempt(self, submission: Submission, held: dict[str, Held]) -> _Work | None:
        """Read a submission; whatever that comes to is no reason to stop the others."""
        try:
            return self._work(submission, held)
        except Exception as error:
            reason = f"cannot be read: {type(error).__name__}: {error}"
            self.summary.failed.append((submission.student, reason))
            self._observe(self.summary)
            return None

    def _work(self, submission: Submission, held: dict[str, Held]) -> _Work:
        """Read a submission and compute what it would be graded under."""
        handed_in = submitted_folder.read_submission(
            self.course.coursedir,
            submission,
            self._cells.notebooks,
            self.settings.limits.submission_mb * 2**20,
        )
        submitted = {
            name: read(data, self.settings.limits.submission_mb)
            for name, data in handed_in.notebooks.items()
        }
        handed_in.notebooks.clear()
        record = held.get(submission.student)
        mark = files.fingerprint(
            files.merge(handed_in.files, self._files),
            handed_in.timestamp or (record and record.timestamp),
            record and record.extension,
            self._cells.duedate,
            sorted(handed_in.flags.items()),
            *self._late_rules,
        )
        keys = {
            name: grader.key(self._task(submission, handed_in, name, content), self.settings)
            for name, content in submitted.items()
        }
        return _Work(submission, handed_in, submitted, mark, keys)

    def _task(
        self, submission: Submission, handed_in: HandedIn, notebook: str, content: Submitted
    ) -> Task:
        return Task(
            assignment=self.assignment,
            student=submission.student,
            notebook=notebook,
            source=self._sources[notebook],
            submission=content,
            files=files.merge(
                {name: data for name, data in handed_in.files.items() if name != "timestamp.txt"},
                self._files,
            ),
            instructors=tuple(self._files),
        )

    def _is_current(self, journal: Journal, work: _Work, held: dict[str, Held]) -> bool:
        """Tell whether journal, gradebook and folder all agree with what was handed in."""
        student = work.submission.student
        mark, record = journal.applied(student), held.get(student)
        if mark is None or record is None or mark.fingerprint != work.fingerprint:
            return False
        folder = self._folder(student)
        for name in self._cells.notebooks:
            key, number, total = mark.notebooks.get(name, (None, -1, 0.0))
            if key != work.keys.get(name):
                return False
            recorded = record.scores.get(name, (0, 0.0))
            if recorded[0] != number or abs(recorded[1] - total) > 1e-6:
                return False
            entry = journal.entry(student, name)
            if key is not None and (entry is None or not _stands(folder, name, entry)):
                return False
        return folder.is_dir()

    def _reuse(self, journal: Journal, work: _Work) -> list[str]:
        """Take from the journal what it has, and return the notebooks that must be graded."""
        student = work.submission.student
        mark = journal.applied(student)
        recorded = {name: key for name, (key, *_) in mark.notebooks.items() if key} if mark else {}
        work.regraded = self.force or recorded != work.keys
        tasks = []
        for name, key in work.keys.items():
            own = journal.entry(student, name)
            stands = own is not None and own.key == key and not self.force
            if stands:
                candidates = [own, journal.with_key(key)]
            elif not self.force or key in self._graded_now:
                candidates = [journal.with_key(key)]
            else:
                candidates = []
            verdict = next((v for entry in candidates if (v := self._recall(journal, entry))), None)
            if verdict is None and key in self._unrecorded:
                verdict, stands = self._unrecorded[key], False
            if verdict is None:
                tasks.append(name)
                continue
            work.verdicts[name] = replace(verdict, student=student)
            if not stands:
                work.fresh.add(name)
                work.copied = True
        return tasks

    def _recall(self, journal: Journal, entry: Entry | None) -> Verdict | None:
        """Return a verdict of the journal with its notebook, where that still stands."""
        if entry is None:
            return None
        try:
            verdict = journal.read(entry)
        except ValueError:
            return None
        if entry.sha256 is None:
            return verdict
        try:
            content = (self._folder(entry.student) / f"{entry.notebook}.ipynb").read_bytes()
        except OSError:
            return None
        if digest(content) != entry.sha256:
            return None
        return replace(verdict, autograded=content)

    def _submit(self, pool: Pool | None, work: _Work, name: str) -> None:
        assert pool is not None
        key = work.keys[name]
        self._waiting += 1
        number = self._by_key.get(key)
        if number is not None:
            self._flying[number][1].append((work, name))
        else:
            self._numbers += 1
            self._flying[self._numbers] = key, [(work, name)]
            self._by_key[key] = self._numbers
            content = work.submitted[name]
            pool.submit(self._numbers, self._task(work.submission, work.handed_in, name, content))
        del work.submitted[name]  # sent, and not needed here any more

    def _land(self, outcome: Outcome) -> None:
        if outcome.fatal:
            raise PoolError(outcome.reason)
        key, waiting = self._flying.pop(outcome.number)
        self._by_key.pop(key, None)
        self._waiting -= len(waiting)
        verdict = outcome.verdict
        reason = outcome.reason
        if verdict is not None:
            try:
                verdict = self._unrecorded[key] = self._finish(verdict)
            except Exception as error:
                verdict, reason = None, f"cannot be finished: {type(error).__name__}: {error}"
        for position, (work, name) in enumerate(waiting):
            was_complete = work.complete
            if verdict is None:
                work.failure = reason
            else:
                work.verdicts[name] = replace(verdict, student=work.submission.student)
                work.fresh.add(name)
                work.copied = work.copied or position > 0
            if work.complete and not was_complete:
                self._ready.append(work)

    def _finish(self, verdict: Verdict) -> Verdict:
        """Apply the course's own preprocessors to an autograded notebook."""
        if verdict.autograded is None:
            return verdict
        notebook = nbformat.v4.reads(verdict.autograded.decode())
        resources = {
            "unique_key": verdict.notebook,
            "nbgrader": {
                "student": verdict.student,
                "assignment": verdict.assignment,
                "notebook": verdict.notebook,
                "db_url": self.course.coursedir.db_url,
            },
        }
        for finisher in self._finishers:
            notebook, resources = finisher(notebook, resources)
        return replace(verdict, autograded=(nbformat.v4.writes(notebook) + "\n").encode())

    # ---- record ----

    def _flush(self, journal: Journal) -> None:
        """Record what is ready; a submission that cannot be recorded is reported, not the end."""
        ready, self._ready = self._ready, []
        self._flushed = time.monotonic()
        for work in ready:
            if work.failure is not None:
                self.summary.failed.append((work.submission.student, work.failure))
        batch = [work for work in ready if work.failure is None]
        if batch:
            try:
                self._record(journal, batch)
            except Exception:
                # One of these cannot be recorded: find out which, and spare the others.
                for work in batch:
                    try:
                        self._record(journal, [work])
                    except Exception as error:
                        reason = f"cannot be recorded: {type(error).__name__}: {error}"
                        self.summary.failed.append((work.submission.student, reason))
                        work.failure = reason
        for work in batch:
            if work.failure is None:
                self._graded_now.update(work.keys[name] for name in work.fresh)
                self._count(work)
                self._call_hook("post", work.submission)
        for work in ready:
            for key in work.keys.values():
                self._unrecorded.pop(key, None)
        self._observe(self.summary)

    def _call_hook(self, when: str, submission: Submission) -> bool:
        notebooks = sorted(str(path) for path in submission.path.glob("*.ipynb"))
        return self._hooks.call(when, self.assignment, submission.student, notebooks)

    def _record(self, journal: Journal, batch: list[_Work]) -> None:
        for work in batch:
            destination = self._folder(work.submission.student)
            autograded_folder.sweep(destination)
            autograded_folder.install(
                self.course.coursedir,
                destination,
                {n: v.autograded for n, v in work.verdicts.items() if v.autograded is not None},
                files.merge(work.handed_in.files, self._files),
                self.course.autograde.permissions,
            )
        journal.add_verdicts(
            (work.keys[name], verdict)
            for work in batch
            for name, verdict in work.verdicts.items()
            if name in work.fresh
        )
        entries = [self._scores(work) for work in batch]
        self._book.write(self._cells, entries)
        journal.add_applied(
            Applied(
                work.submission.student,
                work.fingerprint,
                {
                    name: [work.keys.get(name), *self._total(name, entry.notebooks[name])]
                    for name in self._cells.notebooks
                },
                [sentence for _, told in sorted(work.handed_in.flags.items()) for sentence in told],
            )
            for work, entry in zip(batch, entries, strict=True)
        )

    def _scores(self, work: _Work) -> SubmissionScores:
        return SubmissionScores(
            work.submission.student,
            work.handed_in.timestamp,
            {
                name: scores_of(work.verdicts[name], cells) if name in work.verdicts else None
                for name, cells in self._cells.notebooks.items()
            },
            regraded=work.regraded,
        )

    def _total(self, name: str, scores: NotebookScores | None) -> tuple[int, float]:
        """Return the number of automatic scores in the gradebook, and their sum."""
        cells = self._cells.notebooks[name]
        if scores is None:
            return len(cells.grades), 0.0
        known = [s for cell, s in scores.scores.items() if s is not None and cell in cells.grades]
        return len(known), sum(known)

    def _count(self, work: _Work) -> None:
        if not work.fresh and work.keys:
            self.summary.rewritten += 1
        elif work.copied:
            self.summary.identical += 1
        else:
            self.summary.graded += 1
        self._flag(work, [flag for v in work.verdicts.values() for flag in v.flags])

    def _flag(self, work: _Work, more: list[str]) -> None:
        told = [flag for _, flags in sorted(work.handed_in.flags.items()) for flag in flags]
        if told or more:
            self.summary.flagged[work.submission.student] = told + more

    def _flag_recorded(self, journal: Journal, work: _Work) -> None:
        more: list[str] = []
        for name in work.keys:
            entry = journal.entry(work.submission.student, name)
            if entry is not None:
                with contextlib.suppress(ValueError):
                    more += journal.read(entry).flags
        self._flag(work, more)

    def _folder(self, student: str) -> Path:
        return autograded_folder.locate(self.course.coursedir, self.assignment, student)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _stands(folder: Path, notebook: str, entry: Entry) -> bool:
    """Tell by its size whether the notebook of a verdict is still where it was written."""
    if entry.sha256 is None:
        return True
    try:
        return (folder / f"{notebook}.ipynb").stat().st_size == entry.size
    except OSError:
        return False
