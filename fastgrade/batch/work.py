"""One submission under way: from its folder to tasks, and the verdicts that it has so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastgrade.batch.rules import Rules
from fastgrade.course import files, submitted_folder
from fastgrade.course.gradebook import Held
from fastgrade.course.submitted_folder import HandedIn, Submission
from fastgrade.engine import grader
from fastgrade.notebook.submission import read
from fastgrade.verdict import Submitted, Task, Verdict

__all__ = ["NotReadError", "Work", "read_work"]

#: Names of files that a sentence lists.
_SHOWN = 3


class NotReadError(ValueError):
    """What was handed in holds no notebook that can be read; the message says why."""


@dataclass
class Work:
    """A submission under way.

    Parameters
    ----------
    submission : Submission
        Whose it is, and where it stands.
    handed_in : HandedIn
        What was read there.
    fingerprint : str
        Hash of all that is recorded beside the verdicts.
    keys : dict of str to str
        For each notebook, the hash of all that its verdict depends on.
    tasks : dict of str to Task
        The notebooks that have no verdict and were not sent to be graded.
    verdicts : dict of str to Verdict
        Those that are there.
    fresh : set of str
        The notebooks whose verdicts the journal does not have for this student.
    regraded : bool
        Whether the verdicts are new to the gradebook.
    copied : bool
        Whether a verdict comes from an identical submission.
    failure : str or None
        Why it cannot be graded or recorded.
    """

    submission: Submission
    handed_in: HandedIn
    fingerprint: str
    keys: dict[str, str]
    tasks: dict[str, Task]
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    fresh: set[str] = field(default_factory=set)
    regraded: bool = False
    copied: bool = False
    failure: str | None = None

    @property
    def student(self) -> str:
        """The name of the student."""
        return self.submission.student

    @property
    def complete(self) -> bool:
        """Whether nothing is left to be graded."""
        return self.failure is not None or self.verdicts.keys() == self.keys.keys()

    @property
    def flags(self) -> list[str]:
        """What was odd about the folder that was handed in."""
        return [flag for _, flags in sorted(self.handed_in.flags.items()) for flag in flags]


def read_work(rules: Rules, submission: Submission, record: Held | None) -> Work:
    """Read a submission and compute what it would be graded under.

    Parameters
    ----------
    rules : Rules
        Of the assignment.
    submission : Submission
        Whose folder.
    record : Held, optional
        What the gradebook holds of it.

    Raises
    ------
    NotReadError
        If none of the assignment's notebooks is there, or one of them cannot be read.
    """
    limit_mb = rules.settings.limits.submission_mb
    handed_in = submitted_folder.read_submission(
        rules.course.coursedir, submission, rules.cells.notebooks, limit_mb << 20
    )
    read_of = {name: read(data, limit_mb) for name, data in handed_in.notebooks.items()}
    _demand_readable(handed_in, read_of)
    beside = {name: data for name, data in handed_in.files.items() if name != "timestamp.txt"}
    task_files = files.merge(beside, rules.files)
    tasks = {
        name: Task(
            assignment=rules.cells.name,
            student=submission.student,
            notebook=name,
            source=rules.sources[name],
            submission=submitted,
            files=task_files,
            instructors=tuple(rules.files),
            solution=rules.solution,
            beside=rules.beside.get(name, ()),
            scoring=rules.scoring.get(name, ()),
            aliased=rules.aliased.get(name, ()),
            warned=rules.warned.get(name, ()),
            looking=rules.looking.get(name, ()),
        )
        for name, submitted in read_of.items()
    }
    handed_in.notebooks.clear()  # what is used of them is in the tasks
    mark = files.fingerprint(
        files.merge(handed_in.files, rules.files),
        handed_in.timestamp or (record and record.timestamp),
        record and record.extension,
        rules.cells.duedate,
        sorted(handed_in.flags.items()),
        *rules.late,
    )
    keys = {name: grader.key(task, rules.settings) for name, task in tasks.items()}
    return Work(submission, handed_in, mark, keys, tasks)


def _demand_readable(handed_in: HandedIn, notebooks: Mapping[str, Submitted]) -> None:
    """Refuse what is no hand-in: a zero would say that it was read and found wrong."""
    told = "; no grade was recorded"
    for name, submitted in notebooks.items():
        if submitted.unreadable:
            why = "; ".join(handed_in.flags.get(name, ())) or submitted.unreadable
            raise NotReadError(f"{name}.ipynb could not be read: {why}{told}")
    if not notebooks:
        flags = "; ".join(flag for some in handed_in.flags.values() for flag in some)
        files = [name for name in handed_in.files if name != "timestamp.txt"]
        listed = ", ".join([*files[:_SHOWN], *(["..."] if len(files) > _SHOWN else [])])
        there = f" (there is {listed})" if files else ""
        raise NotReadError(f"no notebook could be read: {flags}{there}{told}")
