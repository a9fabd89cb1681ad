"""Each released notebook as a page on which it can be done.

The pages' sources are generated into the book's folder before Sphinx looks for pages, so that
their text is read as that of a chapter. Where a cell stood, a directive puts what the script in
``_live/exercise/`` brings to life; without it there is the code to read, and the notebook to take.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxDirective

from regbook.downloads import EXERCISES, ROOT, published, released, site_link
from regbook.exercise_notebook import Part, cells_needed, read_parts
from regbook.live import folder
from regbook.markup import Markup

SCRIPTS = (
    "elements.js",
    "exercise-store.js",
    "exercise-notebook.js",
    "exercise-output.js",
    "exercise.js",
)
STYLE = "exercise.css"
#: A browser that cannot read the scripts says so where the page offers the notebook. It is written
#: for such browsers.
TELLS_OLD_BROWSERS = """<script>window.addEventListener("error", function (event) {
  var words = document.querySelector(".exercise-too-old");
  if (words && /SyntaxError/.test(event.message)) words.hidden = false;
});</script>"""
#: What a notebook says of its own cells; the page says what its buttons do.
NOTEBOOK_ONLY = re.compile(
    r"^(?:How it works:\n\n|- .*(?:run the test cell below your answer|in a cell of your own).*\n)",
    re.MULTILINE,
)
#: The buttons of each kind of cell: what they do, and their words.
CHECK, RUN, HINT = ("check", "Check"), ("run", "Run"), ("hint", "Hint")
SHOW, RESET = ("show", "Show the failing input"), ("reset", "Reset")
BUTTONS = {"answer": (CHECK, RUN, HINT, SHOW, RESET), "code": (RUN,)}


def page_source(notebook: dict[str, Any]) -> str:
    """Return the source of a notebook's page."""
    blocks = []
    for part in read_parts(notebook["cells"]):
        if part.kind == "text":
            blocks.append(page_text(part.source))
            if len(blocks) == 1:
                blocks.append("```{exercise-begin}\n```")
        else:
            blocks.append(f"```{{exercise-cell}} {part.id}\n```")
    return "\n\n".join([*blocks, "```{exercise-end}\n```"]) + "\n"


def page_text(markdown: str) -> str:
    """Return a notebook's text for the page: its links lead to the book's pages.

    Examples
    --------
    >>> page_text("Read [L2](../../book/chapters/02-l2.md).")
    'Read [L2](../chapters/02-l2.md).'
    """
    return NOTEBOOK_ONLY.sub("", f"{markdown}\n").rstrip().replace("](../../book/", "](../")


def write_sources(app: Sphinx, config: Config) -> None:
    """Write the sources of all pages that have changed; remove those of which none is left."""
    folder = Path(app.srcdir, EXERCISES)
    if not config.exercise_pages:
        return
    folder.mkdir(exist_ok=True)
    texts = {f"{path.stem}.md": page_source(read(path.stem)) for path in released()}
    for name, text in texts.items():
        place = folder / name
        if not place.exists() or place.read_text(encoding="utf-8") != text:
            place.write_text(text, encoding="utf-8")
    for gone in {path.name for path in folder.glob("*.md")} - texts.keys():
        folder.joinpath(gone).unlink()


def notebook_path(name: str) -> Path:
    """Return the place of a released notebook."""
    return ROOT / EXERCISES / name / f"{name}.ipynb"


def read(name: str) -> dict[str, Any]:
    """Return a released notebook."""
    return json.loads(notebook_path(name).read_text(encoding="utf-8"))


@lru_cache
def parts_of(text: str) -> dict[str, Part]:
    """Return the parts of a notebook by the id of their cell."""
    return {part.id: part for part in read_parts(json.loads(text)["cells"])}


def page_data(name: str, text: str, base: str) -> dict[str, Any]:
    """Return what the page's script needs: the notebook as the site offers it, and its parts.

    Parameters
    ----------
    name : str
        The assignment.
    text : str
        Its released notebook. A page keeps what students write by the hash of this text.
    base : str
        The site's address, or nothing.
    """
    notebook, parts = json.loads(text), parts_of(text)
    graded = {cell["id"] for cell in notebook["cells"] if cell["metadata"]["nbgrader"].get("grade")}
    sources = {
        cell["id"]: "".join(cell["source"])
        for cell in notebook["cells"]
        if cell["cell_type"] == "code" and (cell["id"] in parts or cell["id"] not in graded)
    }
    answers = {part.id for part in parts.values() if part.kind == "answer"}
    needed = cells_needed(sources, answers)
    cells = {
        part.id: {
            "kind": part.kind,
            "needs": needed.get(part.id, []),
            "tests": [vars(test) for test in part.tests],
            "hint": part.hint,
            "show": part.show,
        }
        for part in parts.values()
        if part.kind != "text"
    }
    version = hashlib.sha256(text.encode()).hexdigest()[:12]
    notebook = json.loads(published(text, base))
    return {"name": name, "version": version, "cells": cells, "notebook": notebook}


def points(number: float) -> str:
    """Return a number of points in words.

    Examples
    --------
    >>> points(1), points(0.5), points(2.0)
    ('1 point', '0.5 points', '2 points')
    """
    return f"{number:g} point{'s' * (number != 1)}"


def buttons(acts: Iterable[tuple[str, str]], label: str) -> Markup:
    """Return a row of buttons, which the script shows."""
    row = [
        Markup("button", [nodes.Text(words)], type="button", data_act=act, class_=f"act-{act}")
        for act, words in acts
    ]
    return Markup(
        "div", row, class_="exercise-buttons", role="group", aria_label=label, hidden=True
    )


class _OfNotebook(SphinxDirective):
    """A directive of a generated page."""

    @property
    def assignment(self) -> str:
        return self.env.docname.rpartition("/")[2]

    def notebook_text(self) -> str:
        path = notebook_path(self.assignment)
        self.env.note_dependency(str(path))
        return path.read_text(encoding="utf-8")

    def _line(self, text: str, kind: str) -> nodes.paragraph:
        return nodes.paragraph("", "", *self.parse_inline(text)[0], classes=[kind])


class ExerciseCell(_OfNotebook):
    """``{exercise-cell} id``: the place of a notebook's cell, with its tests."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the cell as it is without a script, and the rest for the script to show."""
        part = parts_of(self.notebook_text())[self.arguments[0]]
        body = self._written(part) if part.kind == "written" else self._code(part)
        names = {"class_": f"exercise-cell exercise-{part.kind}", "data_cell": part.id}
        return [Markup("div", body, role="group", aria_label=self._label(part), **names)]

    def _label(self, part: Part) -> str:
        kinds = {"answer": "Your answer", "written": "Your answer in words", "open": "Your choice"}
        return f"{kinds.get(part.kind, 'Given code')}: {part.id}"

    def _code(self, part: Part) -> list[nodes.Node]:
        block = nodes.literal_block(part.source, part.source, language="python")
        body: list[nodes.Node] = [Markup("div", [block], class_="exercise-code")]
        if part.kind == "answer" or part.shows:
            body.append(buttons(BUTTONS[part.kind], f"For {part.id}"))
        if part.tests:
            body.append(self._tests(part))
        return [*body, Markup("div", class_="exercise-result", tabindex="-1")]

    def _tests(self, part: Part) -> Markup:
        items = [
            Markup(
                "li",
                [
                    Markup("span", class_="test-mark", aria_hidden="true"),
                    Markup("span", [nodes.Text(test.promise)], class_="test-promise"),
                    Markup("span", [nodes.Text(points(test.points))], class_="test-points"),
                ],
                data_test=test.id,
            )
            for test in part.tests
        ]
        if part.hidden:
            more = f"the same on more inputs, when your work is graded: {points(part.hidden)}"
            promise = Markup("span", [nodes.Text(more)], class_="test-promise")
            items.append(Markup("li", [promise], class_="test-hidden"))
        return Markup("ul", items, class_="exercise-tests", aria_label="What is tested")

    def _written(self, part: Part) -> list[nodes.Node]:
        text = nodes.paragraph("", part.source)
        return [Markup("div", [text], class_="exercise-words")]


class ExerciseBegin(_OfNotebook):
    """``{exercise-begin}``: how far one is, and what can be done with the whole notebook."""

    def run(self) -> list[nodes.Node]:
        """Return the bar with the points, the buttons, and the way to the notebook."""
        tests = [test for part in parts_of(self.notebook_text()).values() for test in part.tests]
        possible = f"{sum(test.points for test in tests):g}"
        meter = Markup(
            "div",
            [Markup("div", class_="points-fill")],
            class_="points-meter",
            role="progressbar",
            aria_label="Points in the tests that you see",
            aria_valuemin="0",
            aria_valuenow="0",
            aria_valuemax=possible,
        )
        count = Markup("span", [nodes.Text(f"0 of {possible} points")], class_="points-count")
        state = Markup("span", class_="exercise-state")
        stop = Markup(
            "button",
            [nodes.Text("Stop")],
            type="button",
            data_act="stop",
            class_="act-stop",
            hidden=True,
        )
        bar = Markup("div", [count, meter, state, stop], class_="exercise-bar", hidden=True)
        how = self._line(
            "Write your answers below, in the page; nothing has to be installed. **Check** tests "
            "an answer and says what is wrong with it and why. **Run** shows what your code "
            "prints. **Hint** helps a little, and a second time a little more. What you write "
            "stays in this browser, on this machine.",
            "exercise-how",
        )
        work = buttons(
            [
                ("check-all", "Check all"),
                ("download", "Download my notebook"),
                ("open", "Open my notebook"),
            ],
            "The whole exercise",
        )
        notes = Markup("div", class_="exercise-notes")
        status = Markup("p", role="status", class_="exercise-status")
        old = "This browser is too old for exercises in the page. The notebook needs none of it."
        too_old = Markup("p", [nodes.Text(old)], class_="exercise-too-old", hidden=True)
        parts = [how, work, notes, status, too_old, self._notebook()]
        box = Markup("div", parts, class_="exercise-begin")
        return [bar, box]

    def _notebook(self) -> nodes.paragraph:
        path = f"{EXERCISES}/{self.assignment}/{self.assignment}.ipynb"
        link = site_link(f"{self.assignment}.ipynb", path, "assignment-download")
        how, _ = self.parse_inline("; {doc}`/do-the-exercises` says how.")
        words = nodes.Text("You can also do it in JupyterLab or on Colab, with the notebook ")
        return nodes.paragraph("", "", words, link, *how, classes=["exercise-elsewhere"])


class ExerciseEnd(_OfNotebook):
    """``{exercise-end}``: the notebook to hand in, and what the script needs."""

    def run(self) -> list[nodes.Node]:
        """Return a row with the button, and the data."""
        data = page_data(self.assignment, self.notebook_text(), self.config.html_baseurl)
        text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
        script = f'<script type="application/json" id="exercise-data">{text}</script>'
        work = buttons(
            [("check-all", "Check all"), ("download", "Download my notebook")], "Hand in"
        )
        how = self._line(
            "What you hand in is your notebook: the one that you would have done in JupyterLab, "
            "with the answers that you wrote here.",
            "exercise-how",
        )
        return [
            Markup("div", [how, work], class_="exercise-end"),
            nodes.raw("", script, format="html"),
        ]


class ExerciseList(SphinxDirective):
    """``{exercise-list}``: a link to each exercise's page, and the points of its visible tests."""

    def run(self) -> list[nodes.Node]:
        """Return a list."""
        self.env.note_reread()  # exercises come and go without a change of this page
        lines = [f"- {self._item(path.stem)}" for path in released()]
        return self.parse_text_to_nodes("\n".join(lines))

    def _item(self, name: str) -> str:
        parts = read_parts(read(name)["cells"])
        possible = sum(test.points for part in parts for test in part.tests)
        return f"{{doc}}`/{EXERCISES}/{name}` ({points(possible)})"


def add_script(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Let a page of an exercise load its style and its script."""
    if not (app.config.exercise_pages and pagename.startswith(f"{EXERCISES}/")):
        return
    address = context["pathto"]
    tags = [f'<link rel="stylesheet" href="{address(f"{folder()}/{STYLE}", 1)}">']
    tags += [TELLS_OLD_BROWSERS]
    tags += [
        f'<script defer src="{address(f"{folder()}/{name}", 1)}"></script>' for name in SCRIPTS
    ]
    context["metatags"] = context.get("metatags", "") + "\n".join(tags)


def setup(app: Sphinx) -> None:
    """Register the directives, and the generation of the pages."""
    # Jupyter Book's configuration says True; other builds with this extension have no such pages.
    app.add_config_value("exercise_pages", False, "env", bool)
    app.add_directive("exercise-begin", ExerciseBegin)
    app.add_directive("exercise-cell", ExerciseCell)
    app.add_directive("exercise-end", ExerciseEnd)
    app.add_directive("exercise-list", ExerciseList)
    # Before the table of contents is read, which lists what there is.
    app.connect("config-inited", write_sources, priority=800)
    app.connect("html-page-context", add_script)
