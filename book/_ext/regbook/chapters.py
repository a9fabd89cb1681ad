"""The first page's list of chapters: cards, and a path that leads from one to the next.

Both are made of what the chapters say of themselves: their title, and in their front matter
``name`` (a word or two), ``gist`` (two words more), ``question`` and ``family`` (the color).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, pairwise
from pathlib import Path

import jinja2
import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from regbook.components import picture
from regbook.titles import chapter_number

FOLDER = "chapters"
#: What regularizes, and the color of the page's palette that stands for it.
FAMILIES = {
    "measurement": "ink",
    "penalty": "accent",
    "noise": "warm",
    "time": "plum",
    "data": "good",
    "review": "ink",
}
IN_A_ROW = 6


@dataclass(frozen=True)
class Chapter:
    """What a chapter says of itself."""

    page: str
    title: str
    name: str
    gist: str
    question: str
    family: str

    @property
    def mark(self) -> str:
        """Its number, from the file's name; a page without one has its initial.

        Examples
        --------
        >>> Chapter("02-l2", "L2: small weights", "L2", "small weights", "Why?", "penalty").mark
        '2'
        """
        return chapter_number(f"{FOLDER}/{self.page}") or self.name[0]

    @property
    def color(self) -> str:
        """The name of its color."""
        return FAMILIES[self.family]


def read_chapter(text: str, page: str) -> Chapter:
    """Return what a chapter says of itself.

    Raises
    ------
    ValueError
        If its front matter lacks something, or names a family that there is not.
    """
    _, front, body = text.split("---\n", 2)
    said = yaml.safe_load(front)
    missing = {"name", "gist", "question", "family"} - said.keys()
    if missing:
        raise ValueError(f"the front matter of {page} must say {', '.join(sorted(missing))}")
    if said["family"] not in FAMILIES:
        raise ValueError(
            f"the family of {page} must be one of {', '.join(FAMILIES)}, got {said['family']!r}"
        )
    title = re.search(r"^# (.+)$", body, re.MULTILINE)
    if not title:
        raise ValueError(f"{page} must have a title")
    return Chapter(page, title[1], said["name"], said["gist"], said["question"], said["family"])


def read_chapters(folder: Path) -> list[Chapter]:
    """Return all chapters of a folder in the order of their file names."""
    return [
        read_chapter(path.read_text(encoding="utf-8"), path.stem)
        for path in sorted(folder.glob("*.md"))
    ]


@dataclass(frozen=True)
class Station:
    """Where a chapter stands on the path."""

    chapter: Chapter
    x: int
    y: int
    name_at: tuple[int, int]


def in_rows(chapters: Sequence[Chapter]) -> list[Station]:
    """Return stations in rows, walked to and fro."""
    stations = []
    for number, chapter in enumerate(chapters):
        row, column = divmod(number, IN_A_ROW)
        if row % 2:
            column = IN_A_ROW - 1 - column
        x, y = 85 + 126 * column, 190 + 150 * row
        stations.append(Station(chapter, x, y - 14 * (column % 2), name_at=(x, y + 50)))
    return stations


def in_a_column(chapters: Sequence[Chapter]) -> list[Station]:
    """Return stations one below the other, for a narrow screen."""
    return [
        Station(chapter, 60 + 16 * (number % 2), y, name_at=(130, y - 3))
        for number, (chapter, y) in enumerate(zip(chapters, count(140, 72), strict=False))
    ]


def line_through(stations: Sequence[Station], *, down: bool) -> str:
    """Return the path of an SVG from station to station, ``down`` the page or in rows."""
    steps = [f"M{stations[0].x} {stations[0].y}"]
    for here, there in pairwise(stations):
        halfway_x, halfway_y = (here.x + there.x) // 2, (here.y + there.y) // 2
        if down:
            control = f"{here.x} {halfway_y} {there.x} {halfway_y}"
        elif abs(here.y - there.y) > 100:  # to the next row, around the outside
            outside = here.x + (88 if here.x > 400 else -88)
            control = f"{outside} {here.y} {outside} {there.y}"
        else:
            control = f"{halfway_x} {here.y} {halfway_x} {there.y}"
        steps.append(f"C{control} {there.x} {there.y}")
    return "".join(steps)


def drawings(chapters: Sequence[Chapter]) -> tuple[str, str]:
    """Return the path as a drawing for wide screens, and as one for narrow screens."""
    template = jinja2.Template(
        (Path(__file__).parent / "learning_path.svg.jinja").read_text(encoding="utf-8"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    layouts = (False, in_rows(chapters)), (True, in_a_column(chapters))
    wide, narrow = (
        template.render(stations=stations, narrow=down, line=line_through(stations, down=down))
        for down, stations in layouts
    )
    return wide, narrow


class _ListOfChapters(SphinxDirective):
    """What is made anew at every build, as a chapter may have come, gone or changed."""

    def chapters(self) -> list[Chapter]:
        self.env.note_reread()
        try:
            return read_chapters(Path(self.env.srcdir, FOLDER))
        except ValueError as error:
            raise self.error(f"{self.name}: {error}") from error


class LearningPath(_ListOfChapters):
    """``{learning-path}``: the chapters as stations of a path."""

    def run(self) -> list[nodes.Node]:
        """Return a figure."""
        chapters = self.chapters()
        stations = "; ".join(
            f"{f'chapter {one.mark}, ' * one.mark.isdigit()}{one.name}, {one.gist}"
            for one in chapters
        )
        return [
            picture(
                "A path leads from a dashed curve that bends through every noisy point to a calm "
                f"curve through their middle. Its stations are {stations}.",
                *drawings(chapters),
            )
        ]


class ChapterCards(_ListOfChapters):
    """``{chapter-cards}``: a card for each chapter, with the question that it answers."""

    def run(self) -> list[nodes.Node]:
        """Return a grid."""
        cards = [
            f":::{{grid-item-card}} {f'{one.mark} · ' * one.mark.isdigit()}{one.title}\n"
            f":link: {FOLDER}/{one.page}\n:link-type: doc\n\n{one.question}\n:::\n"
            for one in self.chapters()
        ]
        grid = "::::{grid} 1 1 2 2\n:gutter: 3\n:class-container: chapter-cards\n\n"
        return self.parse_text_to_nodes(grid + "\n".join(cards) + "::::\n")


def setup(app: Sphinx) -> None:
    """Register the directives."""
    app.add_directive("learning-path", LearningPath)
    app.add_directive("chapter-cards", ChapterCards)
