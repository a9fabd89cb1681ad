"""Formgrader's button, pressed in a browser, grades with our engine, also beside a run."""

import contextlib
import json
import re
import socket
import subprocess
import time
import urllib.request
from collections import Counter

import pytest

from tests.fastgrade.classroom import BIN, RIGHT, WRONG, environment

OURS = ["from fastgrade.course.execute_step import use_fastgrade", "use_fastgrade(c)"]
HARMLESS = [
    "c.HTMLExporter.sanitize_html = True",
    "c.HTMLExporter.filters = {'markdown2html': 'fastgrade.course.feedback.harmless_markdown'}",
]
WRITTEN = """Because $a < b$ and **so on**.

<script>document.title = 'run'</script>
<img src="nowhere.png" onerror="document.title = 'run'">
<details open ontoggle="document.title = 'run'">more</details>
"""
NUMBER = 12

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture
def pages(classroom, tmp_path, request):
    """The address of a class's formgrader, served by Jupyter on loopback."""
    classroom.configure(*OURS, *getattr(request, "param", HARMLESS))
    for number in range(NUMBER):
        answers = WRONG if number % 3 == 0 else RIGHT
        classroom.hand_in(f"s{number:02}", {**answers, "why": f"Because of {number}."})
    server, address = None, None
    try:
        while address is None:
            server = start_jupyter(classroom.root, tmp_path)
            address = address_of(server, tmp_path / "runtime")
        yield f"{address}formgrader"
    finally:
        if server is not None:
            server.terminate()
            server.wait(600)


def start_jupyter(root, folder):
    """Start a server that ends if somebody takes its port before it does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with open(folder / "jupyter.log", "wb") as log:
        return subprocess.Popen(
            [
                *(BIN / "jupyter", "server", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
                *(f"--port={port}", "--port-retries=0"),
                *("--IdentityProvider.token=", "--ServerApp.password="),
                "--ServerApp.jpserver_extensions=nbgrader.server_extensions.formgrader=True",
            ],
            cwd=root,
            env=environment(
                JUPYTER_CONFIG_DIR=folder / "config", JUPYTER_RUNTIME_DIR=folder / "runtime"
            ),
            stdout=log,
            stderr=log,
        )


def address_of(server, runtime):
    """Wait for a server and return its address, or None if its port was taken."""
    told = runtime / f"jpserver-{server.pid}.json"
    patience = time.monotonic() + 600
    while time.monotonic() < patience:
        if server.poll() is not None:
            log = (runtime.parent / "jupyter.log").read_text()
            assert re.search("in use|not available", log), log
            return None
        with contextlib.suppress(OSError, ValueError):  # not yet, or half of what it tells
            address = json.loads(told.read_text())["url"]
            urllib.request.urlopen(f"{address}formgrader/manage_assignments", timeout=600).close()
            return address
        time.sleep(0.1)
    raise AssertionError("Jupyter does not answer")


@pytest.fixture
def table(pages, browser):
    """The page of all submissions."""
    page = browser.new_page()
    page.set_default_timeout(180_000)
    page.goto(f"{pages}/manage_submissions/ps1")
    page.wait_for_selector("td.autograde a")
    yield page
    page.close()


def press(page, student):
    """Press a student's button; return the title of the message and what the table says then."""
    row = page.locator("tr", has=page.locator("td.student-id", has_text=student))
    row.locator("td.autograde a").click()
    title = page.locator(".modal.in .modal-title")
    title.wait_for()
    told = title.inner_text()
    page.locator(".modal.in .modal-footer button").click()
    title.wait_for(state="detached")
    row.locator("td.score", has_text="/").wait_for()
    return told, row.locator("td.score").inner_text()


def rows(course):
    """How many records there are of each grade; and each student's points."""
    with course.gradebook() as book:
        submissions = book.assignment_submissions("ps1")
        grades = Counter(
            (submission.student_id, grade.name)
            for submission in submissions
            for notebook in submission.notebooks
            for grade in notebook.grades
        )
        return grades, sorted((s.student_id, s.score) for s in submissions)


def expected():
    return [(f"s{number:02}", 3.0 if number % 3 == 0 else 5.0) for number in range(NUMBER)]


def test_the_button_grades_one_submission(classroom, table):
    assert press(table, "s00") == ("Success", "3 / 6")
    assert press(table, "s01") == ("Success", "5 / 6")
    assert classroom.grades("s00")["test_add"][0] == 0
    text = (classroom.autograded("s00") / "arithmetic.ipynb").read_text()
    assert "one and two make three" in text
    assert "add(40" not in text, "the sandboxed engine leaves no hidden test behind"


def test_the_button_and_a_run_beside_it_lose_and_double_nothing(classroom, table):
    run = subprocess.Popen(
        [BIN / "fastgrade", "ps1", "--quiet", "--students", "s0[0-7]"],
        cwd=classroom.root,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    told = [press(table, student)[0] for student in ("s08", "s09", "s10", "s11")]
    _, complaint = run.communicate(timeout=300)
    assert told == ["Success"] * 4
    assert (run.returncode, complaint) == (0, "")
    grades, scores = rows(classroom)
    assert scores == expected()
    assert set(grades.values()) == {1}
    assert len(grades) == 3 * NUMBER
    # What the other has graded: either takes it over, and nothing changes.
    assert press(table, "s00") == ("Success", "3 / 6")
    classroom.fastgrade("ps1")
    assert rows(classroom) == (grades, scores)
    done = classroom.fastgrade("ps1", "--dry-run")
    assert f"{NUMBER} are up to date" in done.stdout


@pytest.mark.parametrize("pages", [HARMLESS, []], indirect=True, ids=["harmless", "as it comes"])
def test_what_an_answer_writes_runs_nowhere(classroom, pages, table):
    """Whoever grades it by hand may change grades, and so might its scripts."""
    protected = "HTMLExporter" in (classroom.root / "nbgrader_config.py").read_text()
    classroom.hand_in("s01", {**RIGHT, "why": WRITTEN})
    press(table, "s01")
    with classroom.gradebook() as book:
        (notebook,) = book.find_submission("ps1", "s01").notebooks
    table.goto(f"{pages}/submissions/{notebook.id}", wait_until="load")
    assert table.locator("strong", has_text="so on").count() == 1
    assert (table.title() == "run") is not protected
    assert (table.locator("[onerror], [ontoggle]").count() > 0) is not protected
    assert "Because $a < b$ and" in table.locator("body").inner_text()
