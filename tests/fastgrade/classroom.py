"""A small nbgrader course that tests grade, made with nbgrader's own commands."""

import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.fastgrade import commands

BIN = Path(sys.executable).parent
CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "testing"
c.FastGrade.preload = ["numpy"]
"""
RIGHT = {
    "add": "def add(a, b):\n    return a + b\n",
    "double": "def double(a):\n    return 2 * a\n",
    "why": "Because.",
}
WRONG = {
    "add": "def add(a, b):\n    return a - b\n",
    "double": "def double(a):\n    return 2 * a\n",
    "why": "Because.",
}
HIDDEN = "assert add(40, 2) == 42"


def environment(**more):
    """The environment of a command: this Python's scripts first, one thread each."""
    return {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "COLUMNS": "200",
        **{name: str(value) for name, value in more.items()},
    }


def run(*command, cwd, check=True, **more):
    """Run one of the installed commands as a user does, and return what it did."""
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=cwd,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=900,
    )
    return _checked(done, check)


def run_warm(*command, cwd, check=True, **more):
    """Do the same in a fork of a process that has imported the command."""
    if any(name.startswith("PYTHON") for name in more):
        return run(*command, cwd=cwd, check=check, **more)  # Python reads them when it starts
    program = [str(BIN / command[0]), *command[1:]]
    return _checked(commands.run(command[0], program, cwd, environment(**more)), check)


def _checked(done, check):
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return done


def metadata(grade_id, points=None, solution=False, locked=None):
    grade = points is not None
    about = {
        "grade_id": grade_id,
        "grade": grade,
        "solution": solution,
        "locked": grade and not solution if locked is None else locked,
        "schema_version": 3,
        "task": False,
    }
    if grade:
        about["points"] = points
    return {"nbgrader": about}


def source_notebook():
    """Two functions with tests, one hidden, and a question that a human grades."""
    notebook = new_notebook(
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        }
    )
    notebook.cells = [
        new_markdown_cell("# Arithmetic"),
        new_code_cell(
            "def add(a, b):\n    ### BEGIN SOLUTION\n    return a + b\n    ### END SOLUTION\n",
            metadata=metadata("add", solution=True),
        ),
        new_code_cell(
            "assert add(1, 2) == 3, 'one and two make three'\n"
            f"### BEGIN HIDDEN TESTS\n{HIDDEN}\n### END HIDDEN TESTS",
            metadata=metadata("test_add", points=2),
        ),
        new_code_cell(
            "def double(a):\n    ### BEGIN SOLUTION\n    return 2 * a\n    ### END SOLUTION\n",
            metadata=metadata("double", solution=True),
        ),
        new_code_cell("assert double(1) == 2", metadata=metadata("test_double", points=3)),
        new_markdown_cell("Why?", metadata=metadata("why", points=1, solution=True)),
    ]
    return notebook


def counts(done, assignment="ps1"):
    """The row of an assignment in the summary that a run ends with, and what was reused for it."""
    lines = [re.split(r"\s{2,}", line.strip()) for line in done.stdout.splitlines()]
    (head,) = [line for line in lines if line[0] == "assignment"]
    if assignment == "all":
        head.remove("mean")
    (row,) = [line for line in lines if line[0] == assignment and len(line) == len(head)]
    found = dict(zip(head[1:], row[1:], strict=True))
    counted = {name: value if name == "mean" else int(value) for name, value in found.items()}
    reused = re.search(r"^Reused: (.*)\.$", done.stdout, re.MULTILINE)
    for part in reused[1].split("; ") if reused else ():
        number, _, how = part.partition(" ")
        counted[how] = int(number)
    return counted


class Classroom:
    """A course in a temporary folder."""

    def __init__(self, root):
        self.root = Path(root)

    @property
    def database(self):
        return self.root / "gradebook.db"

    def hand_in(self, student, answers, assignment="ps1", timestamp=None, notebook="arithmetic"):
        """Put the released notebook with some answers where nbgrader collects submissions."""
        released = self.root / "release" / assignment / "arithmetic.ipynb"
        content = nbformat.read(released, as_version=4)
        for cell in content.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            if name in answers:
                cell.source = answers[name]
        folder = self.folder(student, assignment)
        folder.mkdir(parents=True, exist_ok=True)
        nbformat.write(content, folder / f"{notebook}.ipynb")
        if timestamp:
            (folder / "timestamp.txt").write_text(timestamp)
        return folder

    def folder(self, student, assignment="ps1", step="submitted"):
        return self.root / step / student / assignment

    def autograded(self, student, assignment="ps1"):
        return self.folder(student, assignment, "autograded")

    def fastgrade(self, *arguments, check=True, **more):
        return run_warm("fastgrade", *arguments, cwd=self.root, check=check, **more)

    def without(self, module, *arguments):
        """Run fastgrade in a process where a module cannot be imported."""
        program = (
            "import sys\n"
            f"sys.modules[{module!r}] = None\n"
            "from fastgrade.cli import main\n"
            f"main({list(arguments)!r})\n"
        )
        return subprocess.run(
            [sys.executable, "-c", program],
            cwd=self.root,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=900,
        )

    def nbgrader(self, *arguments, check=True):
        return run_warm("nbgrader", *arguments, cwd=self.root, check=check)

    def configure(self, *lines):
        with open(self.root / "nbgrader_config.py", "a") as config:
            config.write("\n".join(["", *lines, ""]))

    def gradebook(self):
        from nbgrader.api import Gradebook

        return Gradebook(f"sqlite:///{self.database}", "testing")

    def score(self, student, assignment="ps1"):
        with self.gradebook() as book:
            return book.find_submission(assignment, student).score

    def is_recorded(self, student, assignment="ps1"):
        """Whether the gradebook has a row for what somebody handed in."""
        with self.gradebook() as book:
            return student in {row.student_id for row in book.assignment_submissions(assignment)}

    def grades(self, student, assignment="ps1"):
        """Each grade cell's automatic score, manual score and whether a human must look."""
        with self.gradebook() as book:
            submission = book.find_submission(assignment, student)
            return {
                grade.name: (grade.auto_score, grade.manual_score, grade.needs_manual_grade)
                for notebook in submission.notebooks
                for grade in notebook.grades
            }


def rows(database):
    """Everything in a gradebook that is not a random identifier, in a stable order."""
    query = """
        SELECT s.id, a.name, sa.timestamp, sa.extension, n.name, sn.flagged,
               sn.late_submission_penalty, b.name, b.type, {columns}
        FROM {table} x JOIN submitted_notebook sn ON x.notebook_id = sn.id
        JOIN submitted_assignment sa ON sn.assignment_id = sa.id
        JOIN student s ON sa.student_id = s.id JOIN assignment a ON sa.assignment_id = a.id
        JOIN notebook n ON sn.notebook_id = n.id JOIN base_cell b ON x.cell_id = b.id
        ORDER BY s.id, a.name, n.name, b.name, b.type
    """
    with sqlite3.connect(database) as connection:
        return [
            connection.execute(query.format(table=table, columns=columns)).fetchall()
            for table, columns in (
                ("grade", "x.auto_score, x.manual_score, x.extra_credit, x.needs_manual_grade"),
                ("comment", "x.auto_comment, x.manual_comment"),
            )
        ]
