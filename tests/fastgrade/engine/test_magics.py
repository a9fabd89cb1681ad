"""What notebooks may hold beside Python: shell commands, magics, questions to the user."""

import json

import pytest

from fastgrade.engine.grader import Grader
from fastgrade.settings import Limits, Settings
from fastgrade.verdict import Task
from tests.fastgrade.cells import code, notebook


@pytest.fixture(scope="module")
def grader():
    with Grader(Settings(limits=Limits(cell_seconds=10, memory_mb=600))) as grader:
        yield grader


def outputs(grader, source):
    """Run a student's cell and one after it; return the first one's outputs and all points."""
    notebook_bytes = notebook(
        code(source, "answer", solution=True),
        code("after = 1", "after", solution=True),
        code("assert after == 1", "test", grade=True, locked=True, points=1),
    )
    verdict = grader.grade(Task("ps1", "ada", "ps1", notebook_bytes, notebook_bytes))
    return json.loads(verdict.autograded)["cells"][0]["outputs"], verdict.points


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("!echo hi", "Not run: echo hi\n"),
        ("listing = !ls", "Not run: ls\n"),
        ("%%bash\necho hi", "Not run: bash\n"),
        ("%%sh\necho hi", "Not run: sh\n"),
        ("%%script python3 -B\nprint(1)", "Not run: python3 -B\n"),
        ("%%perl\nprint 1", "Not run: perl\n"),
        ("%sx echo hi;", "Not run: echo hi;\n"),
        ("%ls", "Not run: ls"),
        ("%pip install a-package", "-m pip install a-package\n"),
        ("!" + "x" * 200, "Not run: " + "x" * 77 + "...\n"),
    ],
)
def test_shell_commands_are_not_run_say_so_and_fail_nothing(grader, source, told):
    found, points = outputs(grader, source)
    text = "".join("".join(o["text"]) for o in found if o.get("name") == "stderr")
    assert told in text
    assert "Shell commands are not run while a notebook is graded" in text
    assert not any(o["output_type"] == "error" for o in found)
    assert points == 1


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("%timeit -n 1 -r 1 sum(range(10))", "per loop"),
        ("%%timeit -n 1 -r 1\nsum(range(10))", "per loop"),
        ("%time x = 1 + 1", "Wall time"),
        ("%load_ext autoreload\n%autoreload 2\nprint('loaded')", "loaded"),
        ("%%writefile note.txt\nhello\n", "Writing note.txt"),
        ("%%capture caught\nprint('x')", ""),
        ("%matplotlib inline", ""),
        ("import asyncio\nawait asyncio.sleep(0)\nprint('awaited')", "awaited"),
    ],
)
def test_magics_that_stay_in_python_work(grader, source, output):
    found, points = outputs(grader, source)
    assert all(o["output_type"] == "stream" and o["name"] == "stdout" for o in found), found
    assert output in "".join("".join(o["text"]) for o in found)
    assert points == 1


@pytest.mark.parametrize("ask", ["input('name? ')", "import getpass\ngetpass.getpass()"])
def test_nobody_answers_questions(grader, ask):
    (found,), points = outputs(grader, ask)
    assert found["ename"] == "StdinNotImplementedError"
    assert points == 1


REFUSALS = [
    "import subprocess\nsubprocess.run(['echo', 'hi'])",
    "import os\nos.popen('echo hi')",
    "import os\nos.execv('/bin/echo', ['echo', 'hi'])",
    "import multiprocessing\nmultiprocessing.Pool(2)",
    "open('/etc/shadow', 'w')",
    "import socket\nsocket.create_connection(('127.0.0.1', 9))",
]


@pytest.mark.parametrize("start", REFUSALS)
def test_what_is_refused_is_an_error_and_the_student_is_told_why(grader, start):
    (found, told), points = outputs(grader, start)
    assert found["ename"] == "PermissionError"
    assert told["name"] == "stderr"
    assert "it starts no other programs, reaches no network, and uses" in "".join(told["text"])
    assert points == 1


def test_an_address_that_cannot_be_looked_up_is_explained(grader):
    found, _ = outputs(grader, "import urllib.request as u\nu.urlopen('http://host.invalid')")
    assert found[0]["ename"] in ("URLError", "PermissionError")
    assert "reaches no network" in "".join(found[-1]["text"])


def test_no_other_error_is_called_a_refusal(grader):
    (found,), _ = outputs(grader, "try:\n    {}['x']\nexcept KeyError:\n    1 / 0")
    assert found["ename"] == "ZeroDivisionError"


def test_a_ring_of_errors_holds_nobody_up(grader):
    ring = (
        "first, second = ValueError(1), ValueError(2)\n"
        "first.__cause__, second.__cause__ = second, first\nraise first"
    )
    (found, *_), points = outputs(grader, ring)
    assert (found["ename"], points) == ("ValueError", 1)


def test_a_refusal_in_a_test_explains_itself(grader):
    answer = "import subprocess\ndef f():\n    return subprocess.run(['ls'])"
    asked = notebook(
        code(answer, "answer", solution=True),
        code("assert f() == 1", "test", grade=True, locked=True, points=1),
    )
    (question,) = grader.grade(Task("ps1", "ada", "ps1", asked, asked)).questions
    assert question.points == 0
    assert "starts no other programs" in question.hint
