"""How fast submissions are graded: stock ``nbgrader autograde`` against ``fastgrade``.

``python benchmarks/grading.py light``       a light assignment, 200 submissions, interleaved
``python benchmarks/grading.py course``      an assignment of this course, beyond its bare cells
``python benchmarks/grading.py growth``      10, 100 and 1,000 submissions: time and memory

Both sides are the commands that an instructor types, with start-up, gradebook and notebooks, run
alternately on the same submissions. Ratios matter more than seconds: other work on the machine
slows both.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent

CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "benchmark"
c.FastGrade.preload = ["numpy"]
c.FastGrade.judge_preload = ["numpy"]
c.Execute.timeout = 30
"""
QUESTIONS = {
    "mean_square": (
        "def mean_square(x):\n    return float(np.mean(np.square(x)))",
        "assert np.isclose(mean_square(np.array([1.0, 2.0, 3.0])), 14 / 3)",
        "rng = np.random.default_rng(7)\nfor n in (1, 10, 1000):\n    x = rng.normal(size=n)\n"
        "    assert np.isclose(mean_square(x), (x**2).mean())",
    ),
    "normalize": (
        "def normalize(X):\n    return (X - X.mean(axis=0)) / X.std(axis=0)",
        "X = np.arange(12.0).reshape(4, 3)\nassert np.allclose(normalize(X).mean(axis=0), 0)",
        "X = np.random.default_rng(8).normal(3, 2, size=(50, 4))\n"
        "assert np.allclose(normalize(X).std(axis=0), 1)",
    ),
    "gradient_step": (
        "def gradient_step(w, g, lr=0.1):\n    return w - lr * g",
        "assert np.allclose(gradient_step(np.ones(3), np.ones(3)), 0.9)",
        "w, g = np.random.default_rng(9).normal(size=(2, 20))\n"
        "assert np.allclose(gradient_step(w, g, lr=0.3), w - 0.3 * g)",
    ),
}


def code(source: str, grade_id: str = "", **roles: object) -> dict:
    """Return a code cell."""
    tag = {"grade": False, "solution": False, "locked": False, "task": False, **roles}
    metadata = {"nbgrader": {"schema_version": 3, "grade_id": grade_id, **tag}} if grade_id else {}
    cell = {"cell_type": "code", "execution_count": None, "metadata": metadata, "outputs": []}
    return {**cell, "id": grade_id or "setup", "source": source}


def notebook(answers: dict[str, str]) -> str:
    """Return the light assignment with these answers."""
    cells = [code("import numpy as np")]
    for name, (_, visible, hidden) in QUESTIONS.items():
        test = f"{visible}\n### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS"
        cells.append(code(answers[name], name, solution=True))
        cells.append(code(test, f"test-{name}", grade=True, locked=True, points=2))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return json.dumps(
        {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    )


def make_course(folder: Path, students: int) -> None:
    """Write a course with the light assignment and its submissions.

    Every submission is a text of its own: equal ones would be graded once only.
    """
    (folder / "nbgrader_config.py").write_text(CONFIG)
    source = folder / "source/light"
    source.mkdir(parents=True)
    right = {name: texts[0] for name, texts in QUESTIONS.items()}
    (source / "light.ipynb").write_text(notebook(right))
    run(folder, "nbgrader", "generate_assignment", "light")
    for number in range(students):
        answers = {name: f"{text}\n\n# submission {number}" for name, text in right.items()}
        if number % 4 == 1:
            answers["normalize"] = f"def normalize(X):\n    return X - X.mean()  # {number}"
        if number % 10 == 3:
            answers["mean_square"] = f"def mean_square(x):\n    return undefined  # {number}"
        place = folder / f"submitted/s{number:04d}/light"
        place.mkdir(parents=True)
        (place / "light.ipynb").write_text(notebook(answers))


ACCOUNT = Path(f"/sys/fs/cgroup/cpuacct/benchmark-{os.getpid()}")


@contextlib.contextmanager
def account() -> Iterator[bool]:
    """Count the CPU time of commands in a control group, where one can be made."""
    with contextlib.suppress(OSError):
        ACCOUNT.mkdir()
    try:
        yield ACCOUNT.exists()
    finally:
        with contextlib.suppress(OSError):
            ACCOUNT.rmdir()


def cpu() -> float:
    """Return the CPU seconds of all commands that were run so far, with all they started.

    Without a group of their own, what nobody has waited for is not in it: most of what grading
    forks is ended with its namespace.
    """
    if ACCOUNT.exists():
        return int((ACCOUNT / "cpuacct.usage").read_text()) / 1e9
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _join_account() -> None:
    with contextlib.suppress(OSError):
        (ACCOUNT / "tasks").write_text("0")


def run(folder: Path, *command: str) -> float:
    """Run a command of this environment in a folder; return its seconds."""
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        environment[name] = "1"
    start = time.perf_counter()
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        preexec_fn=_join_account,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    return time.perf_counter() - start


def grades(folder: Path) -> dict[str, float]:
    """Return the score of every student, as exported."""
    run(folder, "nbgrader", "export")
    with open(folder / "grades.csv", newline="") as file:
        return {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}


class Memory(threading.Thread):
    """Watches the proportional memory (PSS) of this process's descendants."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._stop_asked = threading.Event()

    def run(self) -> None:
        """Look twenty times a second."""
        while not self._stop_asked.wait(0.05):
            self.peak = max(self.peak, sum(_pss(pid) for pid in _descendants(os.getpid())))

    def stop(self) -> float:
        """Return the peak in MB."""
        self._stop_asked.set()
        self.join()
        return self.peak / 1024


def _descendants(root: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{entry}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
                parents.setdefault(int(fields[1]), []).append(int(entry))
    found, waiting = [], [root]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def _pss(pid: int) -> int:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file:
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def light(students: int, slices: int, turns: int, workers: int) -> None:
    """Compare throughput on a light assignment, the two sides taking turns."""
    with tempfile.TemporaryDirectory() as place, account() as is_counted:
        stock, fast = Path(place) / "stock", Path(place) / "fast"
        for folder in (stock, fast):
            folder.mkdir()
            make_course(folder, students)
        stock_seconds, fast_seconds, stock_cpu, fast_cpu = [], [], [], []
        size = -(-students // slices)
        for number in range(min(slices, turns)):
            names = [f"s{index:04d}" for index in range(number * size, (number + 1) * size)]
            names = [name for name in names if (stock / "submitted" / name).exists()]
            # Stock grades its slice in one run: the others are moved out of its sight.
            hidden = stock / "waiting"
            (stock / "submitted").rename(hidden)
            for name in names:
                shutil.copytree(hidden / name, stock / "submitted" / name)
            before = cpu()
            seconds = run(stock, "nbgrader", "autograde", "light")
            stock_cpu.append((cpu() - before) / len(names))
            shutil.rmtree(stock / "submitted")
            hidden.rename(stock / "submitted")
            stock_seconds.append(seconds / len(names))
            before = cpu()
            seconds = run(fast, "fastgrade", "light", "--force", "--workers", str(workers))
            fast_cpu.append((cpu() - before) / students)
            fast_seconds.append(seconds / students)
            print(
                f"  slice {number + 1}: stock {stock_seconds[-1] * 1e3:.0f} ms a submission, "
                f"fastgrade {fast_seconds[-1] * 1e3:.1f} ms, "
                f"{stock_seconds[-1] / fast_seconds[-1]:.1f} times the throughput",
                flush=True,
            )
        # In a run of its own: to add up the memory of many forks takes a third of their time.
        watch = Memory()
        watch.start()
        run(fast, "fastgrade", "light", "--force", "--workers", str(workers))
        memory = watch.stop()
        ours = grades(fast)
        stocks = {
            student: score for student, score in grades(stock).items() if score or turns >= slices
        }
        equal = all(ours[student] == score for student, score in stocks.items())
        ratios = [a / b for a, b in zip(stock_seconds, fast_seconds, strict=True)]
        print(
            f"light, {students} submissions, {workers} workers: "
            f"stock {statistics.mean(stock_seconds) * 1e3:.0f} ms, "
            f"fastgrade {statistics.mean(fast_seconds) * 1e3:.1f} ms a submission; "
            f"median ratio {statistics.median(ratios):.1f}; "
            f"CPU{'' if is_counted else ' of what is waited for'} "
            f"{statistics.mean(stock_cpu) * 1e3:.0f} and {statistics.mean(fast_cpu) * 1e3:.1f} ms; "
            f"peak memory {memory:.0f} MB (PSS); "
            f"grades {'equal' if equal else 'DIFFER'}"
        )


def course(assignment: str, rounds: int) -> None:
    """Measure one assignment of this course beyond the bare execution of its cells."""
    sys.path.insert(0, str(ROOT))
    from traitlets.config.loader import PyFileConfigLoader

    from fastgrade.engine.grader import Grader
    from fastgrade.settings import settings_from_config
    from fastgrade.verdict import Task

    folder = next((ROOT / "solutions").glob(f"{assignment}*"))
    source = next(folder.glob("*.ipynb")).read_bytes()
    config = PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()
    task = Task(folder.name, "reference", folder.name, source, source)
    with Grader(settings_from_config(config).for_assignment(folder.name)) as grader:
        verdict = grader.grade(task)
        bare_process = _Bare(source)
        bare, graded = [], []
        for _ in range(rounds):
            bare.append(bare_process.seconds())
            start = time.perf_counter()
            grader.grade(task)
            graded.append(time.perf_counter() - start)
        bare_process.close()
    extra = [b - a for a, b in zip(bare, graded, strict=True)]
    print(
        f"{folder.name}: {verdict.points:g} of {verdict.max_points:g} points, "
        f"{len(verdict.questions)} questions; bare cells {statistics.median(bare) * 1e3:.0f} ms, "
        f"graded {statistics.median(graded) * 1e3:.0f} ms; beyond the cells: median "
        f"{statistics.median(extra) * 1e3:.0f} ms, least {min(extra) * 1e3:.0f} ms"
    )


class _Bare:
    """A warm process that executes all cells of a notebook, tests too, in one namespace."""

    _PROGRAM = """
import io, json, sys, time
import matplotlib; matplotlib.use("agg")
import matplotlib.pyplot as plt
cells = ["".join(c["source"]) for c in json.loads(sys.stdin.readline())["cells"]
         if c["cell_type"] == "code"]
def once():
    start, out, sys.stdout = time.perf_counter(), sys.stdout, io.StringIO()
    names = {"__name__": "__main__"}
    try:
        for cell in cells:
            exec(compile(cell, "<cell>", "exec"), names)
            for number in plt.get_fignums():
                plt.figure(number).savefig(io.BytesIO(), format="png", bbox_inches="tight")
            plt.close("all")
    finally:
        sys.stdout = out
    return time.perf_counter() - start
once()
for _ in sys.stdin:
    print(once(), flush=True)
"""

    def __init__(self, source: bytes):
        self._process = subprocess.Popen(
            [sys.executable, "-c", self._PROGRAM],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._send(json.dumps(json.loads(source)))

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def seconds(self) -> float:
        """Execute the cells once more; return the seconds."""
        self._send("")
        assert self._process.stdout is not None
        return float(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def growth(sizes: list[int], workers: int) -> None:
    """Show how time and memory grow with the class."""
    for size in sizes:
        with tempfile.TemporaryDirectory() as place:
            make_course(Path(place), size)
            watch = Memory()
            watch.start()
            seconds = run(Path(place), "fastgrade", "light", "--workers", str(workers))
            peak = watch.stop()
            again = run(Path(place), "fastgrade", "light", "--workers", str(workers))
        print(
            f"{size:5d} submissions: {seconds:.1f} s, {seconds / size * 1e3:.1f} ms each; "
            f"peak memory {peak:.0f} MB (PSS); nothing changed: {again:.1f} s",
            flush=True,
        )


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=("light", "course", "growth"))
    parser.add_argument("--students", type=int, default=200)
    parser.add_argument("--slices", type=int, default=4, help="parts in which stock grades")
    parser.add_argument("--turns", type=int, default=1000, help="stop after as many slices")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--assignment", default="05")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1000])
    arguments = parser.parse_args()
    if arguments.part == "light":
        light(arguments.students, arguments.slices, arguments.turns, arguments.workers)
    elif arguments.part == "course":
        course(arguments.assignment, arguments.rounds)
    else:
        growth(arguments.sizes, arguments.workers)


if __name__ == "__main__":
    main()
