"""nbgrader's gradebook.

The tables, the columns and what they mean are nbgrader's: rows of :mod:`nbgrader.api` are inserted
and updated, and no table is added. What differs from ``nbgrader autograde`` is the number of
statements: one transaction for a batch of submissions where nbgrader opens nine database engines
for each, and indexes on the foreign keys, without which every look-up reads whole tables.

- `connection`: `Gradebook`, the one door;
- `writing`: the one writer, with nbgrader's rules of what is replaced;
- `reading`: what runs and reports ask;
- `database`: how it is opened, its indexes and SQLite's write-ahead log;
- `copying`: from one database to another;
- `records`, `tables`: what goes in and out, and where it stands.
"""

from fastgrade.course.gradebook.connection import Gradebook
from fastgrade.course.gradebook.copying import copy_gradebook
from fastgrade.course.gradebook.database import INDEXES, GradebookError, safe_url
from fastgrade.course.gradebook.records import (
    AssignmentCells,
    Held,
    NotebookCells,
    NotebookScores,
    QuestionResult,
    Result,
    SourceCell,
    SubmissionScores,
)

__all__ = [
    "INDEXES",
    "AssignmentCells",
    "Gradebook",
    "GradebookError",
    "Held",
    "NotebookCells",
    "NotebookScores",
    "QuestionResult",
    "Result",
    "SourceCell",
    "SubmissionScores",
    "copy_gradebook",
    "safe_url",
]
