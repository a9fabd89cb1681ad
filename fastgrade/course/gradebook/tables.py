"""nbgrader's tables, and a grade's score as nbgrader computes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nbgrader import api
from sqlalchemy import case, func

# SQLite refuses statements with more than 32,766 parameters; older builds, more than 999.
IN_CLAUSE = 500

COURSE = api.Course.__table__
ASSIGNMENT = api.Assignment.__table__
NOTEBOOK = api.Notebook.__table__
BASE_CELL = api.BaseCell.__table__
GRADE_CELL = api.GradeCell.__table__
TASK_CELL = api.TaskCell.__table__
SOURCE_CELL = api.SourceCell.__table__
STUDENT = api.Student.__table__
SUBMISSION = api.SubmittedAssignment.__table__
SUBMITTED = api.SubmittedNotebook.__table__
GRADE = api.Grade.__table__
COMMENT = api.Comment.__table__

# A grade's score as nbgrader computes it: the human's word first, extra credit on top.
_EXTRA = func.coalesce(GRADE.c.extra_credit, 0.0)
SCORE = case(
    (GRADE.c.manual_score.is_not(None), GRADE.c.manual_score + _EXTRA),
    (GRADE.c.auto_score.is_not(None), GRADE.c.auto_score + _EXTRA),
    else_=0.0,
)
UNGRADED = GRADE.c.manual_score.is_(None) & GRADE.c.auto_score.is_(None)


def slices(items: Sequence[str]) -> Iterable[Sequence[str]]:
    """Yield parts that are short enough for one statement."""
    for start in range(0, len(items), IN_CLAUSE):
        yield items[start : start + IN_CLAUSE]
