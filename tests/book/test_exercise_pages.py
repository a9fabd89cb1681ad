"""The exercise pages: from the first wrong answer to the grade of the notebook that they give."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from regbook.downloads import released
from regbook.exercise_notebook import read_parts
from regbook.exercise_pages import page_source, read

from tests import ROOT
from tests.book.accessibility import COLORS, violations

NAME = "02-l2"
#: Weights that cancel: the mistake has a name.
WRONG = (
    "def l2_penalty(weights, lam, m):\n    return lam / (2 * m) * sum(np.sum(W) for W in weights)"
)
FAILS = "def l2_penalty(weights, lam, m):\n    total = 0\n    return total + weights"
ENDLESS = "while True:\n    pass"


def answers(name: str = NAME) -> dict[str, str]:
    """Return the reference's answers by cell."""
    cells = json.loads((ROOT / "solutions" / name / f"{name}.ipynb").read_text("utf-8"))["cells"]
    return {
        cell["id"]: "".join(cell["source"])
        for cell in cells
        if cell["metadata"].get("nbgrader", {}).get("solution")
    }


class Exercise:
    """An exercise page in a browser, used with the keyboard."""

    def __init__(self, page, address: str, name: str = NAME) -> None:
        self.page = page
        page.goto(f"{address}/exercises/{name}.html")
        self.wait_until_alive()

    def wait_until_alive(self) -> None:
        self.page.wait_for_selector("html[data-exercise]")
        self.page.keyboard.press("Shift")  # the editors wait for somebody
        self.page.wait_for_selector("html[data-exercise=ready]")

    def cell(self, name: str):
        return self.page.locator(f'[data-cell="{name}"]')

    def write(self, name: str, text: str) -> None:
        field = self.cell(name).locator(".cm-content, textarea")
        field.focus()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)

    def text(self, name: str) -> str:
        return "\n".join(self.cell(name).locator(".cm-line").all_inner_texts())

    def press(self, name: str, key: str) -> str:
        """Press a key in an editor, wait until it is done, and return what came of it."""
        self.cell(name).locator(".cm-content").focus()
        self.page.keyboard.press(key)
        return self.result(name)

    def click(self, name: str, button: str) -> str:
        self.cell(name).get_by_role("button", name=button, exact=True).press("Enter")
        return self.result(name)

    def result(self, name: str) -> str:
        self.page.wait_for_function("!document.querySelector('.is-busy')", timeout=120_000)
        return self.cell(name).locator(".exercise-result").inner_text()

    @property
    def points(self) -> str:
        return self.page.locator(".points-count").inner_text()

    def download(self, folder: Path) -> Path:
        with self.page.expect_download() as download:
            self.page.get_by_role("button", name="Download my notebook").first.press("Enter")
        path = folder / download.value.suggested_filename
        download.value.save_as(path)
        return path

    def open(self, path: Path) -> str:
        notes = self.page.locator(".exercise-note")
        known = notes.count()
        with self.page.expect_file_chooser() as chooser:
            self.page.get_by_role("button", name="Open my notebook").press("Enter")
        chooser.value.set_files(path)
        notes.nth(known).wait_for()
        return notes.last.inner_text()


@pytest.fixture
def exercise(address, visit):
    return Exercise(visit().page, address)


@pytest.mark.parametrize("path", released(), ids=lambda path: path.stem)
def test_every_cell_of_a_notebook_has_its_place_on_its_page(path):
    """A text stands there itself, a test with its answer, a hidden test as its points."""
    notebook = read(path.stem)
    source, parts = page_source(notebook), read_parts(notebook["cells"])
    placed = {part.id for part in parts} | {test.id for part in parts for test in part.tests}
    for cell in notebook["cells"]:
        hidden = "".join(cell["source"]).startswith("# When your work is graded")
        assert cell["id"] in placed or hidden or cell["id"] == "install"
    assert all(f"exercise-cell}} {part.id}\n" in source for part in parts if part.kind != "text")
    assert all(test.promise != test.id for part in parts for test in part.tests)
    visible = sum(test.points for part in parts for test in part.tests)
    assert visible == sum(part.hidden for part in parts) > 0


def grade(notebook: Path, folder: Path) -> list[float | None]:
    """Return the scores of a notebook by nbgrader, and by fastgrade."""
    folder.mkdir()
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    shutil.copytree(ROOT / "solutions" / NAME, folder / "solutions" / NAME)
    place = folder / "submitted" / "student" / NAME / f"{NAME}.ipynb"
    place.parent.mkdir(parents=True)
    shutil.copy(notebook, place)
    scores = []
    for command in (
        ["nbgrader", "generate_assignment", NAME],
        ["nbgrader", "autograde", NAME],
        ["fastgrade.cli", NAME],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=folder, env=dict(os.environ, REGLIB_COURSE_SECRET="s-of-a-test"),
            capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        if "generate_assignment" not in command:
            with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
                scores.append(book.find_submission(NAME, "student").score)
    return scores


@pytest.mark.slow
@pytest.mark.browser
def test_an_exercise_done_wrongly_then_rightly_is_graded_with_all_points(address, visit, tmp_path):
    view = visit()
    exercise = Exercise(view.page, address)
    python = ("worker.js", "pyodide", ".zip")
    early = [url for url in view.addresses if any(part in url for part in python)]
    assert not early, "Python comes when it is asked"
    exercise.write("l2_penalty", WRONG)
    told = exercise.press("l2_penalty", "Control+Enter")
    assert "weights summed as they are" in told
    status = view.page.locator(".exercise-status", has_text="weights summed as they are")
    status.wait_for(state="attached")  # said a moment after it is shown
    assert exercise.points == "0 of 9 points"
    assert "Hint 1 of 2" in exercise.click("l2_penalty", "Hint")
    assert "arguments: {'weights'" in exercise.click("l2_penalty", "Show the failing input")
    assert not violations(view.page, within="article")

    for name, text in answers().items():
        exercise.write(name, text)
    view.page.get_by_role("button", name="Check all").first.press("Enter")
    view.page.wait_for_selector(".exercise-bar.is-complete", timeout=120_000)
    assert exercise.points == "9 of 9 points"
    assert "First write down your prediction" in exercise.click("picture-draw", "Run")
    exercise.write("prediction", 'prediction = "none"')
    exercise.click("picture-draw", "Run")
    assert exercise.cell("picture-draw").locator(".exercise-result svg").first.is_visible()
    assert "9 of 9 points" in exercise.click("report", "Run")

    view.page.reload()
    exercise.wait_until_alive()
    assert exercise.points == "9 of 9 points"
    notebook = exercise.download(tmp_path)
    mine, theirs = json.loads(notebook.read_text("utf-8")), read(NAME)
    written = {**answers(), "prediction": 'prediction = "none"'}
    for cell, given in zip(mine["cells"], theirs["cells"], strict=True):
        if cell["id"] in written:
            assert "".join(cell["source"]) == written[cell["id"]]
        elif cell["cell_type"] == "code" and cell["id"] != "install":
            assert cell["source"] == given["source"]
        assert {**cell, "source": []} == {**given, "source": []}
    assert not view.faults
    assert all(url.startswith((address, "blob:", "data:")) for url in view.addresses)
    assert grade(notebook, tmp_path / "course") == [18, 18]


RUN_ALL = """async (notebooks) => {
  const ends = {};
  for (const [session, cells] of Object.entries(notebooks)) {
    const done = await coursePython.run({ session, cells, seconds: 120 });
    const last = done.cells.at(-1);
    const drawn = JSON.stringify(done.cells).split("<svg").length - 1;
    ends[session] = [last.name, last.error && last.error.traceback, drawn > 0];
  }
  return ends;
}"""


@pytest.mark.slow
@pytest.mark.browser
def test_every_notebook_with_its_answers_runs_to_its_last_cell_and_draws(exercise):
    notebooks = {}
    for path in released():
        sources = {
            cell["id"]: "".join(cell["source"])
            for cell in read(path.stem)["cells"]
            if cell["cell_type"] == "code"
        }
        written = {name: text for name, text in answers(path.stem).items() if name in sources}
        sources |= {**written, "prediction": "prediction = 'any'"}
        notebooks[path.stem] = [{"name": name, "source": text} for name, text in sources.items()]
    exercise.click("symptom", "Run")  # starts Python
    ends = exercise.page.evaluate(RUN_ALL, notebooks)
    assert ends == {name: ["report", None, True] for name in notebooks}


@pytest.mark.browser
def test_what_is_typed_is_code_and_no_command_of_the_page(exercise):
    exercise.write("l2_penalty", "return ")
    exercise.page.keyboard.type("lam / m")
    assert exercise.text("l2_penalty") == "return lam / m"


def test_what_fails_is_pointed_at_and_a_loop_without_end_is_stopped(exercise):
    exercise.write("l2_penalty", FAILS)
    assert "Go to line 3" in exercise.press("l2_penalty", "Control+Enter")
    marked = exercise.cell("l2_penalty").locator(".failing-line")
    assert marked.inner_text().strip() == "return total + weights"
    exercise.write("l2_penalty", "def l2_penalty(weights, lam, m)\n    return 0")
    assert "SyntaxError" in exercise.press("l2_penalty", "Shift+Enter")
    assert marked.inner_text() == "def l2_penalty(weights, lam, m)"

    exercise.write("l2_penalty", ENDLESS)
    exercise.cell("l2_penalty").get_by_role("button", name="Run", exact=True).press("Enter")
    exercise.page.get_by_text("Running…").wait_for()
    exercise.page.get_by_role("button", name="Stop").press("Enter")
    assert exercise.result("l2_penalty") == "Stopped."
    exercise.write("l2_penalty", answers()["l2_penalty"])
    assert "Right. 1 point of 1." in exercise.press("l2_penalty", "Control+Enter")
    assert exercise.points == "1 of 9 points"
    exercise.page.keyboard.type("\n")
    assert exercise.points == "0 of 9 points", "other code has not been checked"


@pytest.mark.browser
def test_opening_takes_each_answer_to_its_cell_and_names_what_has_none(exercise, tmp_path):
    notebook = read(NAME)
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    cells["l2_penalty"]["source"] = ["def l2_penalty(weights, lam, m):\n", "    return 1"]
    cells["l2_penalty"]["id"] = "another"  # what counts is nbgrader's grade_id
    cells["written-answer"]["source"] = "Ten times less."
    notebook["cells"].remove(cells["map_lambda"])
    notebook["cells"].append({"cell_type": "code", "metadata": {}, "source": ["helper = 1"]})
    path = tmp_path / "mine.ipynb"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    told = exercise.open(path)
    assert "2 answers taken from mine.ipynb: l2_penalty, written-answer" in told
    assert "It has no cell for map_lambda" in told
    assert "No place for: a cell of your own" in told
    assert exercise.text("l2_penalty").endswith("    return 1")
    assert exercise.cell("written-answer").locator("textarea").input_value() == "Ten times less."

    told = exercise.open(ROOT / "exercises" / "05-dropout" / "05-dropout.ipynb")
    assert (
        "05-dropout.ipynb is “Assignment 5: dropout”, and this page is “Assignment 2: L2”" in told
    )
    assert "README.md is no notebook" in exercise.open(ROOT / "README.md")
    assert exercise.text("l2_penalty").endswith("    return 1")


@pytest.mark.browser
def test_answers_to_an_older_version_are_offered_and_a_second_tab_follows(address, visit):
    view = visit()
    exercise = Exercise(view.page, address)
    old = {
        "answers": {"l2_penalty": "old = 1", "gone": "lost = 2"},
        "saved": "2026-01-02T03:04:05Z",
    }
    view.page.evaluate(
        "([place, text]) => localStorage.setItem(place, text)",
        [f"exercise/{NAME}/older", json.dumps({**old, "passed": {}, "revision": 1})],
    )
    view.page.reload()
    exercise.wait_until_alive()
    assert exercise.text("l2_penalty").startswith("def l2_penalty")
    view.page.get_by_role("button", name="Bring in").press("Enter")
    assert exercise.text("l2_penalty") == "old = 1"
    assert "No place for: gone" in view.page.locator(".exercise-note").inner_text()

    second = Exercise(view.page.context.new_page(), address)
    assert second.text("l2_penalty") == "old = 1"
    second.write("l2_penalty", "new = 2")
    view.page.get_by_text("new = 2").wait_for()
    exercise.click("l2_penalty", "Reset")
    assert exercise.text("l2_penalty").startswith("def l2_penalty")
    second.page.get_by_text("raise NotImplementedError").first.wait_for()
    exercise.click("l2_penalty", "Bring it back")
    assert exercise.text("l2_penalty") == "new = 2"

    # A tab that slept through the other's change writes on: that change is kept, and said.
    view.page.evaluate(
        """() => {
          const data = document.getElementById("exercise-data").textContent;
          const { name, version } = JSON.parse(data);
          const place = `exercise/${name}/${version}`;
          const theirs = { answers: { l2_penalty: "theirs = 3" }, passed: {}, revision: 99 };
          localStorage.setItem(place, JSON.stringify(theirs));
        }"""
    )
    exercise.write("l2_penalty", "mine = 4")
    view.page.get_by_text("Another tab has changed this exercise too").first.wait_for()
    assert exercise.text("l2_penalty") == "mine = 4"
    kept = view.page.evaluate("Object.values(localStorage).join()")
    assert "theirs = 3" in kept


@pytest.mark.browser
def test_without_a_script_the_stub_and_the_notebook_are_there(address, visit):
    page = visit(script=False).open_plainly(f"{address}/exercises/{NAME}.html")
    assert page.get_by_text("def l2_penalty(weights, lam, m):").is_visible()
    assert page.get_by_role("link", name=f"{NAME}.ipynb").is_visible()
    assert not page.get_by_role("button", name="Check").count()


@pytest.mark.browser
def test_opened_as_a_file_the_page_says_what_to_do(site, visit):
    exercise = Exercise(visit().page, site.as_uri())
    assert "make serve" in exercise.click("l2_penalty", "Check")


@pytest.mark.browser
def test_an_old_browser_is_told_what_it_cannot_do(address, visit):
    page = visit().page
    page.add_init_script("delete window.WebAssembly")
    assert "needs a newer browser" in Exercise(page, address).click("l2_penalty", "Check")
    # One that cannot even read the scripts.
    page.route("**/elements.js", lambda route: route.fulfill(body="a syntax of later years"))
    page.reload()
    page.get_by_text("This browser is too old").wait_for()
    assert page.get_by_role("link", name=f"{NAME}.ipynb").is_visible()


@pytest.mark.browser
def test_a_checked_page_is_accessible_on_a_phone_and_in_the_dark(address, visit):
    page = visit(390).page
    exercise = Exercise(page, address)
    exercise.write("l2_penalty", WRONG)
    exercise.press("l2_penalty", "Control+Enter")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not violations(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    assert not violations(page, COLORS)
