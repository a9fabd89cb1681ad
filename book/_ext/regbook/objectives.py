"""From an objective to its section, its exercise and its test.

``{objectives}`` lists what a reader of a chapter will be able to do. Each objective ends with
``{practised}`section; test; test```: the heading under which it is taught and what tests it, which
is a function of the chapter's assignment, ``written answer``, or ``question 2`` of the page's quiz.
``{concept-map}`` is the table of all. An objective without a section or a test stops the build, and
so does a function of an assignment that serves no objective.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from docutils import nodes
from myst_parser.mdit_to_docutils.base import default_slugify
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from regbook.chapters import FOLDER
from regbook.components import RenamedBox
from regbook.downloads import ASSIGNMENT_ID, ROOT
from regbook.markup import Markup
from regbook.titles import chapter_number

logger = logging.getLogger(__name__)

COLUMNS = ("You will be able to", "Section", "Exercise", "Test")
WRITTEN = "written answer"
QUESTION = re.compile(r"question (\d+)")
ROLE = re.compile(r"\s*\{practised\}`([^`]+)`")
BOX = re.compile(r"^([:`]{3,})\{objectives\}[^\n]*\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
BOX_OF_ASSIGNMENT = re.compile(r"^[:`]{3,}\{assignment\} (\S+)$", re.MULTILINE)
CHECK = re.compile(r"^(check|hidden_points|check_hidden)\((\w+)(?:, \"(\w+)\")?", re.MULTILINE)


@dataclass
class Graded:
    """What an assignment tests of one answer, and what that earns."""

    aspects: list[str] = field(default_factory=list)
    hidden: bool = False
    points: float = 0

    def __str__(self) -> str:
        """Say what is tested and what it earns.

        Examples
        --------
        >>> str(Graded(["shrink", "zeros"], hidden=True, points=4))
        '`shrink`, `zeros`, hidden tests: 4 points'
        """
        what = [f"`{aspect}`" for aspect in self.aspects] or ["visible test"] * self.hidden
        what += ["hidden tests" if self.hidden else "by hand"]
        return f"{', '.join(what)}: {self.points:g} {'point' if self.points == 1 else 'points'}"


def graded(notebook: str) -> dict[str, Graded]:
    """Return what a source notebook grades, by the name of the function or ``written answer``."""
    found: dict[str, Graded] = {}
    for cell in json.loads(notebook)["cells"]:
        marks = cell["metadata"].get("nbgrader", {})
        if not marks.get("grade") or not marks["points"]:
            continue
        test = CHECK.search("".join(cell["source"]))
        one = found.setdefault(test[2] if test else WRITTEN, Graded())
        one.points += marks["points"]
        if test and test[1] == "check":
            one.aspects += [test[3]] if test[3] else []
        elif test:
            one.hidden = True
    return found


@dataclass(frozen=True)
class Objective:
    """What a reader will be able to do, and where it is taught and tested."""

    text: str
    section: str
    tests: tuple[str, ...]


def read_practised(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the section and the tests that ``{practised}`` names.

    Raises
    ------
    ValueError
        If it names no test.

    Examples
    --------
    >>> read_practised("The proximal step; proximal_step; question 2")
    ('The proximal step', ('proximal_step', 'question 2'))
    """
    section, *tests = (part.strip() for part in text.split(";"))
    if not section or not tests or not all(tests):
        raise ValueError(f"name a section and at least one test, `section; test`, got `{text}`")
    return section, tuple(tests)


@dataclass(frozen=True)
class Page:
    """A chapter's source, as far as objectives are concerned."""

    name: str
    text: str

    @property
    def title(self) -> str:
        """Its first heading."""
        return self.text.partition("\n# ")[2].partition("\n")[0]

    @cached_property
    def graded(self) -> dict[str, Graded]:
        """What its assignment grades, if it has one."""
        box = BOX_OF_ASSIGNMENT.search(self.text)
        if not box:
            return {}
        path = ROOT / "solutions" / box[1] / f"{box[1]}.ipynb"
        return graded(path.read_text(encoding="utf-8"))

    @property
    def objectives(self) -> Iterator[Objective]:
        """Its objectives."""
        box = BOX.search(self.text)
        for item in re.split(r"^- ", box[2], flags=re.MULTILINE)[1:] if box else ():
            practised = ROLE.search(item)
            if practised:
                section, tests = read_practised(practised[1])
                yield Objective(" ".join(ROLE.sub("", item).split()), section, tests)


def _anchor(test: str) -> str:
    question = QUESTION.fullmatch(test)
    return f"quiz-{question[1]}" if question else ASSIGNMENT_ID


def _code(test: str) -> bool:
    return test != WRITTEN and not QUESTION.fullmatch(test)


class Objectives(RenamedBox):
    """``{objectives}``: what the reader will be able to do."""

    title, kind = "What you will be able to do", "objectives"

    def run(self) -> list[nodes.Node]:
        """Return the admonition, if each objective is taught and tested."""
        boxes = super().run()
        for item in boxes[0].findall(nodes.list_item):
            if not any(True for _ in item.findall(Practised)):
                raise self.error(
                    f"objectives: say at the end of {item.astext()!r} where it is taught and what "
                    "tests it, {practised}`section; test`; book/AUTHORING.md says more"
                )
        return boxes


class Practised(nodes.inline):
    """The links from an objective to its section and its tests."""


class PractisedRole(SphinxRole):
    """``{practised}`section; test; test` ``: where an objective is taught and what tests it."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the links."""
        try:
            section, tests = read_practised(self.text)
        except ValueError as error:
            message = self.inliner.reporter.error(f"practised: {error}", line=self.lineno)
            return [], [message]
        links = Practised(classes=["practised"], tests=tests)
        self.set_source_info(links)
        links += nodes.reference("", section, refid=nodes.make_id(section))
        for test in tests:
            words = nodes.literal("", test) if _code(test) else nodes.Text(test)
            links += [nodes.Text(" · "), nodes.reference("", "", words, refid=_anchor(test))]
        return [links], []


def check_page(app: Sphinx, document: nodes.document) -> None:
    """Warn of an objective that leads nowhere, and of a function that serves none."""
    everything = list(document.findall(Practised))
    if not everything:
        return
    page = _page(app.env, app.env.docname)
    places = set(document.ids) | {one["html"].get("id") for one in document.findall(Markup)}
    for practised in everything:
        for link in practised.findall(nodes.reference):
            if link["refid"] not in places:
                logger.warning("practised: this page has no %r", link.astext(), location=practised)
        for test in practised["tests"]:
            if not QUESTION.fullmatch(test) and test not in page.graded:
                logger.warning(
                    "practised: the assignment has no %r; it has %s",
                    test,
                    ", ".join(page.graded) or "no functions",
                    location=practised,
                )
    named = {test for practised in everything for test in practised["tests"]}
    for name in page.graded.keys() - named - {WRITTEN}:
        logger.warning("objectives: none says that %r tests it", name, location=app.env.docname)


def _page(env: BuildEnvironment, docname: str) -> Page:
    return Page(docname, Path(env.doc2path(docname)).read_text(encoding="utf-8"))


class ConceptMap(SphinxDirective):
    """``{concept-map}``: the objectives of all chapters, with section, exercise and test."""

    def run(self) -> list[nodes.Node]:
        """Return a table for each chapter."""
        self.env.note_reread()  # chapters come, go and change without a change of this page
        names = sorted(name for name in self.env.found_docs if name.startswith(f"{FOLDER}/"))
        pages = [_page(self.env, name) for name in names]
        return [part for page in pages for part in (self.heading(page), self.table(page))]

    def heading(self, page: Page) -> nodes.paragraph:
        """Return a link to the chapter."""
        number = chapter_number(page.name)
        title = f"{f'{number} · ' if number else ''}[{page.title}]({page.name}.md)"
        words, _ = self.parse_inline(title)
        return nodes.paragraph("", "", nodes.strong("", "", *words))

    def table(self, page: Page) -> nodes.table:
        """Return a chapter's table; an objective's cell is as high as it has tests."""
        body = nodes.tbody()
        for objective in page.objectives:
            section = f"[{objective.section}]({page.name}.md#{default_slugify(objective.section)})"
            spanning = [self.cell(objective.text), self.cell(section)]
            for cell in spanning:
                cell["morerows"] = len(objective.tests) - 1
            for test in objective.tests:
                exercise = self.cell(f"`{test}`" if _code(test) else test)
                what = str(page.graded.get(test, "feedback on each option"))
                body += nodes.row("", *spanning, exercise, self.cell(what))
                spanning = []
        head = nodes.thead("", nodes.row("", *map(self.cell, COLUMNS)))
        group = nodes.tgroup("", cols=len(COLUMNS))
        group += [nodes.colspec(colwidth=25) for _ in COLUMNS]
        group += [head, body]
        return nodes.table("", group, classes=["concept-map"])

    def cell(self, text: str) -> nodes.entry:
        """Return a cell with a line of Markdown."""
        words, _ = self.parse_inline(text)
        return nodes.entry("", nodes.paragraph("", "", *words))


def setup(app: Sphinx) -> None:
    """Register the directives and the role."""
    app.add_directive("objectives", Objectives)
    app.add_directive("concept-map", ConceptMap)
    app.add_role("practised", PractisedRole())
    app.connect("doctree-read", check_page)
