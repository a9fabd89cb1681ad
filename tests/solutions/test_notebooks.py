"""The notebooks: normalized, paired with their contracts, and released as they are generated."""

import ast
import importlib
import json
import os
import re
import subprocess
import sys

import pytest

from reglib.exercises._install_cell import install_cell
from reglib.exercises.normalize import main, normalize
from tests import ROOT

SOLUTIONS = sorted((ROOT / "solutions").glob("*/*.ipynb"))
RELEASED = sorted((ROOT / "exercises").glob("*/*.ipynb"))
ASSIGNMENTS = [path.stem for path in SOLUTIONS]


def read(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["text"] = "".join(cell["source"])
        cell["nbgrader"] = cell["metadata"].get("nbgrader", {})
    return notebook


def graded_by_tests(notebook):
    """Return the cells that test an answer; a written one has a cell that is graded by hand."""
    return [
        cell
        for cell in notebook["cells"]
        if cell["nbgrader"].get("grade")
        and not cell["nbgrader"].get("solution")
        and cell["id"] != "report"
    ]


def checks(notebook):
    """Return (module, hidden, function, aspect) of every test cell."""
    found = []
    for cell in graded_by_tests(notebook):
        module = re.search(
            r"from (reglib\.exercises\.\w+) import (check|hidden_points)\n", cell["text"]
        )
        call = ast.parse(cell["text"].split("\n### END")[0]).body[-1].value
        aspect = call.args[1].value if len(call.args) > 1 else None
        found.append((module[1], module[2] == "hidden_points", call.args[0].id, aspect))
    return found


def test_every_assignment_is_there_and_released():
    assert [path.stem for path in RELEASED] == ASSIGNMENTS
    for path in (*SOLUTIONS, *RELEASED):
        assert path.parent.name == path.stem
        assert [p.name for p in path.parent.iterdir() if p.name[0] != "."] == [path.name]


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_solutions_are_normalized(path):
    text = path.read_text(encoding="utf-8")
    assert text == normalize(text)


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_every_aspect_of_every_contract_is_tested_once_and_every_function_hidden_too(path):
    found = checks(read(path))
    (name,) = {module for module, *_ in found}
    tasks = importlib.import_module(name).ASSIGNMENT.exercises
    visible = [(function, aspect) for _, hidden, function, aspect in found if not hidden]
    expected = []
    for task in tasks.values():
        names = [aspect.name for aspect in task.aspects]
        expected += [(task.name, aspect if len(names) > 1 else None) for aspect in names]
    assert sorted(visible, key=str) == sorted(expected, key=str)
    assert sorted(function for _, hidden, function, _ in found if hidden) == sorted(tasks)


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_the_points_are_the_contracts_and_half_of_them_are_hidden(path):
    notebook = read(path)
    found = checks(notebook)
    tasks = importlib.import_module(found[0][0]).ASSIGNMENT.exercises
    for cell, (_, hidden, function, aspect) in zip(graded_by_tests(notebook), found, strict=True):
        aspects = [a for a in tasks[function].aspects if aspect in (None, a.name)]
        assert cell["nbgrader"]["points"] == sum(a.points for a in aspects), cell["id"]
        assert hidden or len(aspects) == 1
    visible = sum(aspect.points for task in tasks.values() for aspect in task.aspects)
    intro = next(cell["text"] for cell in notebook["cells"] if cell["id"] == "intro")
    (written,) = (cell["nbgrader"]["points"] for cell in by_hand(notebook))
    assert f"**{visible:g} points in the tests that you see, as many in hidden ones" in intro
    assert f"and {written:g} for a written answer that is graded by hand. Plan about" in intro
    paragraphs = intro.split("\n\n")
    assert len(set(paragraphs)) == len(paragraphs)


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_a_program_to_mend_runs_shows_its_symptom_and_earns_nothing(path, capsys):
    notebook = read(path)
    texts = {cell["id"]: cell["text"] for cell in notebook["cells"]}
    scope = {"__name__": "notebook"}
    for cell in notebook["cells"]:
        wanted = cell["nbgrader"].get("solution") or cell["id"] in ("setup", "classmate", "symptom")
        if cell["cell_type"] == "code" and wanted:
            exec(compile(cell["text"], cell["id"], "exec"), scope)
    assert capsys.readouterr().out
    order = [cell["id"] for cell in notebook["cells"]]
    function = order[order.index("symptom") + 2]
    task = importlib.import_module(checks(notebook)[0][0]).ASSIGNMENT.exercises[function]
    (program,) = (name for name in scope if name.endswith("_by_a_classmate"))
    assert f"def {program}(" in texts["classmate"]
    examined = task.examination(scope[program], None, [0])
    assert set(examined.broken) == {aspect.name for aspect in task.aspects}
    known = {mistake.name for mistake in task.mistakes}
    for findings in examined.broken.values():
        assert {finding.mistake.name for finding in findings} <= known


def by_hand(notebook):
    return [
        cell
        for cell in notebook["cells"]
        if cell["nbgrader"].get("grade") and cell["nbgrader"].get("solution")
    ]


RUBRIC = re.compile(r"\n+### BEGIN MARK SCHEME\n.*### END MARK SCHEME$", re.DOTALL)


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_a_written_answer_has_a_rubric_that_students_do_not_get(path):
    source = read(path)["cells"]
    released = {
        cell["id"]: cell
        for cell in read(ROOT / "exercises" / path.parent.name / path.name)["cells"]
    }
    (answer,) = by_hand({"cells": source})
    question = source[source.index(answer) - 1]
    assert RUBRIC.search(question["text"])
    assert RUBRIC.sub("", question["text"]) == released[question["id"]]["text"].rstrip()
    assert answer["cell_type"] == "markdown"
    assert released[answer["id"]]["text"] == "Write your answer here, in place of this line."


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_a_cell_that_fails_does_not_keep_the_others_from_running(path):
    """JupyterLab's Run All stops at an error unless the cell is marked."""
    for cell in read(path)["cells"]:
        if cell["cell_type"] == "code" and (
            cell["nbgrader"].get("grade") or "plotting.reveal" in cell["text"]
        ):
            assert cell["metadata"]["tags"] == ["raises-exception"]


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_the_first_code_cell_gets_the_library_where_it_is_missing(path):
    first = next(cell for cell in read(path)["cells"] if cell["cell_type"] == "code")
    assert first["text"] == install_cell()
    assert first["nbgrader"]["locked"]  # or a grader would install what a student typed there


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_what_answers_need_is_imported_apart_from_what_pictures_need(path):
    texts = {cell["id"]: cell["text"] for cell in read(path)["cells"]}
    assert "import numpy as np" in texts["setup"]
    assert "matplotlib" not in texts["setup"]
    assert "import matplotlib.pyplot as plt" in texts["setup-pictures"]
    assert "prediction = None" in texts["prediction"]
    assert texts["picture-draw"].endswith("plotting.reveal(draw, prediction)")


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_cells_are_short_and_every_function_has_a_task(path):
    notebook = read(path)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and not cell["nbgrader"].get("solution"):
            assert cell["text"].count("\n") < 28
    prose = "".join(cell["text"] for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    for _, _, function, _ in checks(notebook):
        assert f"`{function}" in prose
    chapter = ROOT / "book" / "chapters" / f"{path.stem}.md"
    assert f"../../book/chapters/{chapter.name}" in prose
    assert chapter.exists()


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_a_released_notebook_holds_no_answer_and_no_hidden_test(path):
    notebook = read(path)
    for cell in notebook["cells"]:
        assert "SOLUTION" not in cell["text"]
        assert "HIDDEN" not in cell["text"]
        assert "hidden_points" not in cell["text"]
        assert "MARK SCHEME" not in cell["text"]
        if cell["nbgrader"].get("solution") and cell["cell_type"] == "code":
            assert "raise NotImplementedError(" in cell["text"]
            assert "replace this line with your answer" in cell["text"]
        assert cell.get("outputs", []) == []


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_the_answers_of_the_solution_notebooks_earn_full_marks(name, capsys):
    """Runs the solution and test cells in one namespace, as a kernel would."""
    scope = {}
    for cell in read(ROOT / "solutions" / name / f"{name}.ipynb")["cells"]:
        wanted = cell["nbgrader"].get("solution") or cell["nbgrader"].get("grade")
        if cell["cell_type"] == "code" and (wanted or cell["id"] in ("setup", "classmate")):
            exec(compile(cell["text"], cell["id"], "exec"), scope)
    assert "right" in capsys.readouterr().out


WITH_NUMPY_AND_MATPLOTLIB = """
import json, sys
others = ("IPython", "jax", "keras", "pandas", "scipy", "seaborn", "sklearn", "statsmodels", "tqdm")
class Refuse:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in others:
            raise ModuleNotFoundError(f"An exercise imports {name}", name=name)
sys.meta_path.insert(0, Refuse)
scope = {}
for name, code in json.load(sys.stdin):
    exec(compile(code, name, "exec"), scope)
    if name == "prediction":
        scope["prediction"] = "a picture"
assert "matplotlib.pyplot" in sys.modules
"""

# What Windows has not, taken away once the libraries are there that know what to do without.
WITHOUT_POSIX = """
import os, signal, sys, time
import matplotlib.backends.backend_agg, matplotlib.pyplot, numpy
for name in "fcntl grp posix pty pwd resource syslog termios tty".split():
    sys.modules[name] = None  # an import of it fails
for module, names in {
    os: "chown fork forkpty getegid geteuid getgid getloadavg getpgid getuid killpg mkfifo nice "
        "pipe2 register_at_fork sched_getaffinity setsid statvfs sysconf uname wait",
    signal: "SIGALRM SIGKILL alarm pthread_sigmask setitimer",
    time: "tzset",
}.items():
    for name in names.split():
        delattr(module, name)
"""


@pytest.mark.slow
@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_an_exercise_needs_numpy_and_matplotlib_no_other_library_and_no_posix_system(path):
    """Every cell of it: its data and what it draws with are imported when they are asked for."""
    cells = [(c["id"], c["text"]) for c in read(path)["cells"] if c["cell_type"] == "code"]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_POSIX + WITH_NUMPY_AND_MATPLOTLIB],
        input=json.dumps(cells), capture_output=True, text=True, check=False,
        cwd=ROOT, env={**os.environ, "MPLBACKEND": "agg"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_normalizing_strips_outputs_and_stray_metadata(tmp_path, capsys):
    cell = {
        "cell_type": "code",
        "id": "random",
        "execution_count": 3,
        "outputs": [{"output_type": "stream", "name": "stdout", "text": ["hello"]}],
        "metadata": {
            "tags": ["x", "raises-exception"],
            "nbgrader": {"grade_id": "mine", "grade": True},
        },
        "source": "x = 1\nx\n\n",
    }
    notebook = {"cells": [cell], "metadata": {"widgets": {}}, "nbformat": 4, "nbformat_minor": 4}
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(notebook))
    assert main(["--check", str(tmp_path)]) == 1
    assert "is not normalized" in capsys.readouterr().out
    assert main([str(path)]) == 0
    (thin,) = json.loads(path.read_text())["cells"]
    assert thin == {
        "cell_type": "code",
        "id": "mine",
        "execution_count": None,
        "outputs": [],
        "metadata": {
            "nbgrader": {"grade_id": "mine", "grade": True},
            "tags": ["raises-exception"],
        },
        "source": ["x = 1\n", "x"],
    }
    assert main(["--check", str(tmp_path)]) == 0


def test_normalizing_refuses_what_is_no_notebook():
    with pytest.raises(ValueError, match="format 4"):
        normalize("{}")
    twice = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ""}
    with pytest.raises(ValueError, match="unique, got a twice"):
        normalize(json.dumps({"cells": [twice, twice], "nbformat": 4}))
