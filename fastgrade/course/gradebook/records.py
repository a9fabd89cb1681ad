"""What the gradebook knows of an assignment and its submissions, as plain records."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class SourceCell:
    """A cell as ``nbgrader generate_assignment`` recorded it."""

    name: str
    cell_type: str
    locked: bool
    source: str
    checksum: str | None


@dataclass(frozen=True)
class NotebookCells:
    """The cells of one notebook that carry a grade or a comment, by name."""

    id: str
    name: str
    grades: dict[str, str]
    comments: dict[str, str]
    max_scores: dict[str, float]
    sources: dict[str, SourceCell]

    def order(self) -> list[str]:
        """Return the names of the graded cells in the order of the notebook."""
        place = {name: index for index, name in enumerate(self.sources)}
        return sorted(self.grades, key=lambda name: (place.get(name, len(place)), name))


@dataclass(frozen=True)
class AssignmentCells:
    """An assignment as the gradebook knows it."""

    id: str
    name: str
    duedate: datetime.datetime | None
    notebooks: dict[str, NotebookCells]

    @property
    def max_score(self) -> float:
        """The points that the assignment is worth."""
        return sum(sum(n.max_scores.values()) for n in self.notebooks.values())


@dataclass(frozen=True, slots=True)
class NotebookScores:
    """What the autograder says about one notebook of one student.

    ``scores`` maps a grade cell to its automatic score, None where a human must grade.
    ``comments`` maps a solution cell to its automatic comment.
    """

    scores: dict[str, float | None]
    comments: dict[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SubmissionScores:
    """What is to be written for one student.

    A notebook that maps to None was not handed in. ``timestamp`` None keeps what is recorded.
    ``regraded`` False says that only the surroundings changed (a timestamp, a data file): what a
    human has settled then stays settled wherever the automatic score is the same.
    """

    student: str
    timestamp: datetime.datetime | None
    notebooks: dict[str, NotebookScores | None]
    regraded: bool = True


@dataclass(frozen=True, slots=True)
class Held:
    """What the gradebook holds of one student's submission."""

    timestamp: datetime.datetime | None
    extension: datetime.timedelta | None
    # notebook -> (number of automatic scores, their sum)
    scores: dict[str, tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Result:
    """A student's result for an assignment; ``score`` has the late penalty taken off."""

    student: str
    score: float
    max_score: float
    penalty: float
    needs_manual_grade: bool
    seconds_late: float


@dataclass(frozen=True)
class QuestionResult:
    """How a class did at one question."""

    notebook: str
    name: str
    max_score: float
    number: int
    mean: float
    full: int
    zero: int
    ungraded: int


def seconds_late(submission: dict[str, Any], duedate: datetime.datetime | None) -> float:
    """Return how long after it was due a submission came; zero for one in time."""
    if submission["timestamp"] is None or duedate is None:
        return 0.0
    due = duedate + (submission["extension"] or datetime.timedelta(0))
    return max(0.0, (submission["timestamp"] - due).total_seconds())
