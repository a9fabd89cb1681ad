"""What a student reads first on a page of feedback: what was earned, and what to look at next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from bs4 import BeautifulSoup, Tag
from nbformat import NotebookNode

HEADING = re.compile(r"^#{1,4}\s+(.+?)\s*#*$", re.MULTILINE)
TERMINAL = re.compile(r"\x1b\[[0-9;]*m")
LONGEST = 140  # signs of a first line that still is a name


@dataclass(frozen=True)
class Question:
    """A graded cell: the part it belongs to, what it says, where it is, and its points."""

    part: str
    words: str
    place: str
    earned: float
    points: float

    @property
    def complete(self) -> bool:
        """Whether nothing more can be earned."""
        return self.earned >= self.points


def questions(notebook: NotebookNode) -> Iterator[Question]:
    """Yield what can earn points in a graded notebook, in its order."""
    part = ""
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "markdown" and not marks.get("grade"):
            part = (HEADING.findall(cell.source) or [part])[-1]
        if (marks.get("grade") or marks.get("task")) and float(marks.get("points") or 0) > 0:
            yield Question(
                part,
                promise(cell),
                marks["grade_id"],
                float(marks.get("score") or 0),
                float(marks["points"]),
            )


def promise(cell: NotebookNode) -> str:
    """Return what a graded cell is about: the first line of what it said, or its name in words."""
    if cell.cell_type == "markdown":
        return "Your written answer"
    for output in cell.get("outputs", ()):
        said = output.get("text") or output.get("evalue") or ""
        lines = TERMINAL.sub("", "".join(said)).strip().splitlines()
        if lines and len(lines[0]) <= LONGEST:
            return lines[0].strip()
    return _in_words(cell.metadata.nbgrader.grade_id).capitalize()


def _in_words(name: str) -> str:
    return name.replace("-", " ").replace("_", " ")


def _comments(notebook: NotebookNode) -> Iterator[str]:
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        if marks.get("comment") and (marks.get("solution") or marks.get("task")):
            yield marks["grade_id"]


def overview(tree: BeautifulSoup, notebook: NotebookNode, more: list[str]) -> list[Tag]:
    """Return the elements that stand for nbgrader's list of cells; ``more`` follows the points."""
    asked = list(questions(notebook))
    open_ones = [question for question in asked if not question.complete]
    elements = [_element(tree, "p", line) for line in (_earned(asked), *more)]
    if open_ones:
        first = open_ones[0]
        line = _element(tree, "p", "Look at this next: ")
        line.append(_link(tree, first))
        elements.append(line)
    if commented := list(_comments(notebook)):
        line = _element(tree, "p", "Comments: ")
        for number, name in enumerate(commented):
            line.append(", " if number else "")
            line.append(_element(tree, "a", _in_words(name), href=f"#comment-{name}"))
        elements.append(line)
    for part, some in groupby(asked, key=lambda question: question.part):
        elements.append(_table(tree, part or "Questions", list(some)))
    return elements


def _earned(asked: list[Question]) -> str:
    earned, points = sum(q.earned for q in asked), sum(q.points for q in asked)
    done = sum(question.complete for question in asked)
    return f"You earned {earned:g} of {points:g} points; {done} of {len(asked)} tests are complete."


def _table(tree: BeautifulSoup, part: str, some: list[Question]) -> Tag:
    table = _element(tree, "table", "", **{"class": "overview"})
    table.append(_element(tree, "caption", part))
    # Tests that say the same, such as that nothing is written yet, are one line.
    for _, alike in groupby(some, key=lambda question: (question.words, question.complete)):
        these = list(alike)
        row = _element(tree, "tr", "")
        name = _element(tree, "td", "")
        name.append(_link(tree, these[0]))
        earned, points = sum(q.earned for q in these), sum(q.points for q in these)
        done = these[0].complete
        row.append(_element(tree, "td", "✓" if done else "○", **{"aria-hidden": "true"}))
        row.append(name)
        row.append(_element(tree, "td", f"{earned:g} of {points:g}", **{"class": "points"}))
        table.append(row)
    return table


def _link(tree: BeautifulSoup, question: Question) -> Tag:
    return _element(tree, "a", question.words, href=f"#{question.place}")


def _element(tree: BeautifulSoup, name: str, text: str, **attributes: str) -> Tag:
    element = tree.new_tag(name, attrs=attributes)
    if text:
        element.string = text
    return element
