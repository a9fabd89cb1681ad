"""What goes into the engine and what comes out of it, as plain frozen records.

`Task` is one submission, complete: a worker needs no shared disk. `Submitted` is what is used of
the notebook in it, once that has been read. `Verdict` is all that the writer of grades needs. They
travel as JSON, never as pickles, so that reading one back cannot run anything.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

__all__ = ["QuestionVerdict", "Submitted", "Task", "Verdict"]


@dataclass(frozen=True)
class Submitted:
    """What is used of a submitted notebook.

    Parameters
    ----------
    cells : tuple of dict
        Each with ``type``, ``source``, ``grade_id`` (or None), ``id`` and ``attachments``.
    flags : tuple of str
        What was odd about it.
    unreadable : str
        Why nothing could be read of it; empty where something could.
    """

    cells: tuple[dict[str, Any], ...] = ()
    flags: tuple[str, ...] = ()
    unreadable: str = ""


@dataclass(frozen=True)
class Task:
    """One submitted notebook and all that is needed to grade it.

    Parameters
    ----------
    assignment, student, notebook : str
        Whose notebook this is; `notebook` is the name without ``.ipynb``.
    source : bytes
        The instructor's notebook with nbgrader's metadata, solutions and hidden tests.
    submission : bytes or Submitted
        What the student handed in, which may be anything at all, or what has been read of it.
    files : dict of str to bytes
        Other files of the assignment, by path relative to the notebook.
    instructors : tuple of str
        Names of those files that are the instructor's, which tests may import.
    solution : {"unknown", "passes", "itself"}
        Whether the instructor's solution is known to pass all tests, or is what is graded here.
    beside : tuple of str
        Tests that run beside the answer, by their ``grade_id``.
    scoring : tuple of str
        Tests whose last value is a number of points.
    aliased : tuple of pairs
        Tests, and in what way copies may not stand for objects of the solution in them.
    warned : tuple of str
        Tests in which the solution prints a warning.
    looking : tuple of str
        Tests that look into objects of the solution's own, beyond their items.
    """

    assignment: str
    student: str
    notebook: str
    source: bytes
    submission: bytes | Submitted
    files: dict[str, bytes] = field(default_factory=dict)
    instructors: tuple[str, ...] = ()
    solution: str = "unknown"
    beside: tuple[str, ...] = ()
    scoring: tuple[str, ...] = ()
    aliased: tuple[tuple[str, str], ...] = ()
    warned: tuple[str, ...] = ()
    looking: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Return the task as one JSON document."""
        given = self.submission
        return json.dumps(
            {
                "assignment": self.assignment,
                "student": self.student,
                "notebook": self.notebook,
                "source": _encode(self.source),
                "submission": _encode(given) if isinstance(given, bytes) else asdict(given),
                "files": {name: _encode(data) for name, data in self.files.items()},
                "instructors": self.instructors,
                "solution": self.solution,
                "beside": self.beside,
                "scoring": self.scoring,
                "aliased": self.aliased,
                "warned": self.warned,
                "looking": self.looking,
            }
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> Task:
        """Return the task that `to_json` wrote.

        Raises
        ------
        ValueError
            If `text` is not such a document.
        """
        data = _object(text, "task")
        try:
            given = data["submission"]
            return cls(
                assignment=str(data["assignment"]),
                student=str(data["student"]),
                notebook=str(data["notebook"]),
                source=_decode(data["source"]),
                submission=_submitted(given) if isinstance(given, dict) else _decode(given),
                files={str(name): _decode(text) for name, text in data["files"].items()},
                instructors=tuple(map(str, data["instructors"])),
                solution=str(data["solution"]),
                beside=tuple(map(str, data["beside"])),
                scoring=tuple(map(str, data["scoring"])),
                aliased=tuple((str(test), str(kind)) for test, kind in data["aliased"]),
                warned=tuple(map(str, data["warned"])),
                looking=tuple(map(str, data["looking"])),
            )
        except (KeyError, TypeError, AttributeError, binascii.Error) as error:
            raise ValueError(f"task must be what Task.to_json wrote, got {error!r}") from error


@dataclass(frozen=True)
class QuestionVerdict:
    """The outcome of one graded cell.

    Parameters
    ----------
    grade_id : str
        nbgrader's name of the cell.
    points : float
        Points earned, in [0, max_points].
    max_points : float
        Points to be had.
    passed : bool or None
        Whether all points were earned; None where a person has to grade.
    message : str
        What to tell the student. Never holds hidden source.
    hint : str
        Where to look next; may be empty.
    mistakes : tuple of pairs
        Each misconception that the test recognized: its name and its hint.
    scored : bool
        Whether the points are what the test's last value says.
    aliased : tuple of str
        In what ways the copies that the judge had may not stand for the answer's objects.
    warned : bool
        Whether it printed a warning.
    looked : bool
        Whether the test has looked into objects of the answer's own, beyond their items.
    """

    grade_id: str
    points: float
    max_points: float
    passed: bool | None
    message: str = ""
    hint: str = ""
    mistakes: tuple[tuple[str, str], ...] = ()
    scored: bool = False
    aliased: tuple[str, ...] = ()
    warned: bool = False
    looked: bool = False


@dataclass(frozen=True)
class Verdict:
    """The outcome of one submission.

    Parameters
    ----------
    student, assignment, notebook : str
        Whose notebook this is.
    questions : tuple of QuestionVerdict
        One a graded cell, in the instructor's order.
    flags : tuple of str
        Plain sentences for the instructor: a missing cell, a time-out, an unreadable file.
    autograded : bytes or None
        The autograded notebook; None when nothing could be rebuilt.
    seconds : float
        Wall time of the whole submission.
    """

    student: str
    assignment: str
    notebook: str
    questions: tuple[QuestionVerdict, ...]
    flags: tuple[str, ...] = ()
    autograded: bytes | None = None
    seconds: float = 0.0

    @property
    def points(self) -> float:
        """Sum of the points earned by autograded questions."""
        return sum(question.points for question in self.questions)

    @property
    def max_points(self) -> float:
        """Sum of the points to be had."""
        return sum(question.max_points for question in self.questions)

    def to_json(self) -> str:
        """Return the verdict as one JSON document."""
        data = asdict(self)
        data["autograded"] = None if self.autograded is None else _encode(self.autograded)
        return json.dumps(data)

    @classmethod
    def from_json(cls, text: str | bytes) -> Verdict:
        """Return the verdict that `to_json` wrote.

        Raises
        ------
        ValueError
            If `text` is not such a document.
        """
        data = _object(text, "verdict")
        try:
            autograded = data["autograded"]
            return cls(
                student=str(data["student"]),
                assignment=str(data["assignment"]),
                notebook=str(data["notebook"]),
                questions=tuple(_question(question) for question in data["questions"]),
                flags=tuple(str(flag) for flag in data["flags"]),
                autograded=None if autograded is None else _decode(autograded),
                seconds=float(data["seconds"]),
            )
        except (KeyError, TypeError, binascii.Error) as error:
            raise ValueError(
                f"verdict must be what Verdict.to_json wrote, got {error!r}"
            ) from error


def _question(data: dict[str, Any]) -> QuestionVerdict:
    # A journal of an earlier version holds more, and names no mistakes.
    known = {item.name: data[item.name] for item in fields(QuestionVerdict) if item.name in data}
    mistakes = tuple((str(name), str(hint)) for name, hint in known.pop("mistakes", ()))
    aliased = tuple(map(str, known.pop("aliased", ())))
    return QuestionVerdict(**known, mistakes=mistakes, aliased=aliased)


def _submitted(data: dict[str, Any]) -> Submitted:
    return Submitted(
        tuple(dict(cell) for cell in data["cells"]),
        tuple(map(str, data["flags"])),
        str(data["unreadable"]),
    )


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decode(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _object(text: str | bytes, name: str) -> dict[str, Any]:
    data = json.loads(text)
    if not isinstance(data, dict):
        raise ValueError(f"{name} must be a JSON object, got {type(data).__name__}")
    return data
