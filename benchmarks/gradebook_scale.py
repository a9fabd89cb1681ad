"""Where time goes when a gradebook holds 20,000 or 100,000 submissions.

For each size this fills a gradebook and a journal with synthetic submissions, then

1. times what a run reads before it starts (journal, gradebook) and what a report asks;
2. takes further submissions through everything that the one writing process does for them
   (read, key, finish, score, folder, journal, gradebook), with verdicts that are ready at once,
   so that only the writer is timed;
3. has nbgrader's own autograder record some submissions into the same gradebook, execution turned
   off, before and after fastgrade's indexes are there.

From the writer's CPU time and the time that a worker needs for a submission (the best of thirty)
it says how many workers one writer can serve. The stages are CPU time, so that they mean the same
on a machine that is busy otherwise.

    python benchmarks/gradebook_scale.py
    python benchmarks/gradebook_scale.py --sizes 1000 --new 100
    python benchmarks/gradebook_scale.py --database postgresql+psycopg2://me@127.0.0.1/bench
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from sqlalchemy import text

from fastgrade.batch import work
from fastgrade.batch.journal import Applied, Journal, path_of
from fastgrade.batch.pool import Outcome
from fastgrade.batch.rules import Rules
from fastgrade.batch.run import Run
from fastgrade.batch.selection import select
from fastgrade.course import autograded_folder, config, submitted_folder
from fastgrade.course.config import Course, load_course
from fastgrade.course.gradebook import INDEXES, Gradebook, NotebookScores, SubmissionScores
from fastgrade.engine import grader as grading
from fastgrade.verdict import QuestionVerdict, Task, Verdict

BIN = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
QUESTIONS = 3
FILL = 2000
STAGES = ("read", "parse", "key", "finish", "score", "folder", "journal", "gradebook")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--new", type=int, default=1000, help="submissions taken through")
    parser.add_argument("--stock", type=int, default=5, help="submissions that nbgrader records")
    parser.add_argument("--database", help="address of an empty database instead of SQLite")
    options = parser.parse_args()
    for size in options.sizes:
        here = os.getcwd()
        with tempfile.TemporaryDirectory(prefix="gradebook-scale-") as folder:
            measure(Path(folder), size, options)
            os.chdir(here)
        if options.database:
            break  # one size for each empty database


def measure(root: Path, size: int, options: argparse.Namespace) -> None:
    """Fill a gradebook and print what things cost there."""
    print(f"\n{size:,} submissions of {QUESTIONS} questions", flush=True)
    make_course(root, options.database)
    course = load_course(root)
    os.chdir(root)
    with course.gradebook() as book:
        book.prepare()
        rate = fill(book, course, size)
        show("gradebook alone, batches of 2,000", f"{rate:,.0f} submissions a second of CPU")
        with book.engine.begin() as connection:
            for name in INDEXES:
                connection.execute(text(f"DROP INDEX {name}"))
        if options.stock:
            hand_in(root, [f"stock{n:03}" for n in range(2 * options.stock)])
            show("nbgrader's records, no indexes", per(stock(root, options.stock, 0)))
        with shown(f"adding {len(INDEXES)} indexes, once"):
            book.prepare()
        if options.stock:
            show("nbgrader's records, indexes", per(stock(root, options.stock, options.stock)))
        cells = book.assignment("ps1")
        for name, ask in (
            ("what a run asks of the gradebook", lambda: book.held(cells)),
            ("results for a report", lambda: book.results(cells)),
            ("questions for a report", lambda: book.questions(cells)),
        ):
            with shown(name):
                ask()
    path = path_of(root, "ps1")
    with shown(f"opening the journal, {path.stat().st_size / 1e6:.0f} MB"):
        Journal(path).close()
    hand_in(root, [f"new{n:05}" for n in range(options.new)])
    spent, loop, workers_seconds = take_through(course, options.new)
    for stage in STAGES:
        show(f"  {stage}", f"{1e3 * spent[stage] / options.new:6.2f} ms CPU")
    # What a run reads once, whatever the number of new submissions, stands above.
    cpu = (spent["cpu"] - spent["start"]) / options.new
    show("writer, of one submission", f"{1e3 * cpu:6.2f} ms CPU")
    show("  by the clock", f"{1e3 * loop / options.new:6.2f} ms (load {os.getloadavg()[0]:.1f})")
    show("one writer takes", f"{1 / cpu:,.0f} submissions a second of CPU")
    show("conducting one in the local pool", f"{1e3 * spent['conduct']:6.2f} ms CPU")
    both = cpu + spent["conduct"]
    show("writer and local pool take", f"{1 / both:,.0f} submissions a second of CPU")
    show("a worker takes", f"{1e3 * workers_seconds:.0f} ms for this light notebook")
    show("local workers that saturate them", f"{workers_seconds / both:.0f}")
    show("workers of a cluster that would", f"{workers_seconds / cpu:.0f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    show("peak memory of this process", f"{peak:.0f} MB")


def make_course(root: Path, database: str | None) -> None:
    """Make a course whose one assignment has three small questions."""
    notebook = new_notebook(
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        }
    )
    for number in range(QUESTIONS):
        answer = f"def f{number}(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION\n"
        notebook.cells += [
            new_code_cell(answer, metadata=about(f"f{number}", solution=True)),
            new_code_cell(f"assert f{number}(1) == 1", metadata=about(f"t{number}", points=2)),
        ]
    (root / "source" / "ps1").mkdir(parents=True)
    nbformat.write(notebook, root / "source" / "ps1" / "problem.ipynb")
    config = "c = get_config()\n"
    if database:
        config += f"c.CourseDirectory.db_url = {database!r}\n"
    (root / "nbgrader_config.py").write_text(config)
    nbgrader(root, "generate_assignment", "ps1")


def about(name: str, points: float | None = None, solution: bool = False) -> dict[str, Any]:
    tag = {
        "grade_id": name,
        "grade": points is not None,
        "solution": solution,
        "locked": not solution,
        "schema_version": 3,
        "task": False,
    }
    return {"nbgrader": tag if points is None else {**tag, "points": points}}


def nbgrader(root: Path, *arguments: str) -> None:
    done = subprocess.run(
        [str(BIN / "nbgrader"), *arguments],
        cwd=root,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.stderr)


def hand_in(root: Path, students: list[str]) -> None:
    """Put a notebook for each student where nbgrader collects them, each with its own answer."""
    released = (root / "release" / "ps1" / "problem.ipynb").read_text()
    for student in students:
        folder = root / "submitted" / student / "ps1"
        folder.mkdir(parents=True)
        answer = released.replace("# YOUR CODE HERE", f"return x  # {student}")
        (folder / "problem.ipynb").write_text(answer)


def fill(book: Gradebook, course: Course, size: int) -> float:
    """Write synthetic submissions and their verdicts; return the rate of the gradebook alone."""
    cells = book.assignment("ps1")
    scores = NotebookScores({f"t{n}": 2.0 for n in range(QUESTIONS)})
    questions = tuple(QuestionVerdict(f"t{n}", 2.0, 2.0, True) for n in range(QUESTIONS))
    seconds = 0.0
    with Journal(path_of(course.root, "ps1")) as journal:
        for start in range(0, size, FILL):
            names = [f"old{n:06}" for n in range(start, min(size, start + FILL))]
            began = time.process_time()
            book.write(cells, [SubmissionScores(s, None, {"problem": scores}) for s in names])
            seconds += time.process_time() - began
            journal.add_verdicts(
                (s, Verdict(s, "ps1", "problem", questions, (), b"{}", 0.03)) for s in names
            )
            journal.add_applied(
                Applied(s, "f" * 64, {"problem": [s, QUESTIONS, 6.0]}) for s in names
            )
    return size / seconds


class Ready:
    """A pool whose verdicts are there at once: what remains is the writer."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.done: list[Outcome] = []

    def __enter__(self) -> Ready:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def room(self) -> int:
        """Eight at a time."""
        return 8 - len(self.done)

    def submit(self, number: int, task: Task) -> None:
        """Take a task and have its verdict."""
        self.done.append(Outcome(number, replace(self.verdict, student=task.student)))

    def wait(self, timeout: float) -> list[Outcome]:
        """Return what was submitted."""
        done, self.done = self.done, []
        return done


def take_through(course: Course, number: int) -> tuple[Counter[str], float, float]:
    """Take new submissions through the writer; return its stages, its time and a worker's."""
    spent: Counter[str] = Counter()
    submissions = select(course, ["ps1"], ["new*"])["ps1"]
    with Run(course, "ps1", submissions) as running, contextlib.ExitStack() as stack:
        task = work.read_work(running.rules, submissions[0], None).tasks["problem"]
        with grading.Grader(running.rules.settings) as grader:
            verdict = grader.grade(task)
            busy = time.process_time()
            workers_seconds = min(grader.grade(task).seconds for _ in range(30))
            spent["conduct"] = (time.process_time() - busy) / 30
        for stage, owner, name in (
            ("read", submitted_folder, "read_submission"),
            ("parse", work, "read"),
            ("key", grading, "key"),
            ("finish", Rules, "finish"),
            ("score", config, "scores_of"),
            ("folder", autograded_folder, "install"),
            ("journal", Journal, "_append"),
            ("gradebook", Gradebook, "write"),
            ("start", Gradebook, "held"),
            ("start", Journal, "_load"),
        ):
            stack.enter_context(timed(spent, stage, owner, name))
        busy = time.process_time()
        with clock() as seconds:
            summary = running.grade(lambda settings: Ready(verdict))
        spent["cpu"] = time.process_time() - busy
        assert summary.graded == number, summary
    return spent, seconds(), workers_seconds


@contextlib.contextmanager
def timed(spent: Counter[str], stage: str, owner: Any, name: str) -> Iterator[None]:
    """Add up the CPU time that a function takes."""
    real = getattr(owner, name)

    def measured(*args: Any, **more: Any) -> Any:
        began = time.thread_time()
        try:
            return real(*args, **more)
        finally:
            spent[stage] += time.thread_time() - began

    setattr(owner, name, measured)
    try:
        yield
    finally:
        setattr(owner, name, real)


STOCK = """
import sys, time
from nbgrader.apps import NbGrader
from nbgrader.converters import Autograde
app = NbGrader()
app.log_level = "CRITICAL"
app.initialize([])
app.config.Execute.enabled = False
began = None
for student in sys.argv[1:]:
    app.coursedir.student_id, app.coursedir.assignment_id = student, "ps1"
    Autograde(coursedir=app.coursedir, parent=app).start()
    began = began or time.perf_counter()
print((time.perf_counter() - began) / (len(sys.argv) - 2))
"""


def stock(root: Path, number: int, first: int) -> float:
    """Return the seconds that nbgrader's autograder needs for a submission, nothing executed."""
    students = [f"stock{n:03}" for n in range(first, first + number)]
    done = subprocess.run(
        [sys.executable, "-c", STOCK, *students],
        cwd=root,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return float(done.stdout.splitlines()[-1])


@contextlib.contextmanager
def clock() -> Iterator[Callable[[], float]]:
    """Time a block; what is yielded returns the seconds, for good once the block has ended."""
    began, ended = time.perf_counter(), None
    try:
        yield lambda: (ended or time.perf_counter()) - began
    finally:
        ended = time.perf_counter()


@contextlib.contextmanager
def shown(name: str) -> Iterator[None]:
    """Print the CPU time of a block, and what the clock said."""
    busy = time.process_time()
    with clock() as seconds:
        yield
    show(name, f"{time.process_time() - busy:6.2f} s CPU ({seconds():.2f} s by the clock)")


def per(seconds: float) -> str:
    return f"{1e3 * seconds:6.0f} ms a submission"


def show(name: str, value: str) -> None:
    print(f"  {name:40} {value}", flush=True)


if __name__ == "__main__":
    main()
