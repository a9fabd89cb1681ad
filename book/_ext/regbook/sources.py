"""The page "About": what other courses and books teach of the subject, and what this one does.

``sources.yml`` says what was found in the others, where, and when it was looked at. What is ours
is looked up in the chapters and the assignments at every build.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from regbook.markup import Markup

FILE = "sources.yml"
TEACHES = ("text", "code", "exercise")
#: What else a cell may say, and how it is shown.
OTHERWISE = {"named": "named", "absent": "absent", "unknown": "? unknown", "planned": "planned"}
IN_THE_FILE = {*OTHERWISE} - {"planned"}
FACTS = frozenset(
    {"name", "part", "title", "authors", "address", "edition", "copied", "looked_at", "how"}
)
FENCE = re.compile(
    r"^(`{3,})\{?(?:code-cell|reglib|python)\b.*?^\1$", re.MULTILINE | re.DOTALL | re.IGNORECASE
)


@dataclass(frozen=True)
class Cell:
    """What a source has of a technique, and where; a page of ours to link to, if there is one."""

    words: tuple[str, ...]
    place: str = ""
    page: str = ""

    @property
    def teaches(self) -> bool:
        """Whether it explains the technique, has code for it or asks for something."""
        return self.words[0] in TEACHES


@dataclass(frozen=True)
class Row:
    """A technique: what to look for in our chapters, and what the other sources have."""

    name: str
    here: dict[str, Any]
    cells: dict[str, Cell]


@dataclass(frozen=True)
class Table:
    """All sources, each with its facts, and all techniques."""

    sources: dict[str, dict[str, Any]]
    rows: list[Row]


def read_cell(text: str) -> Cell:
    """Return what a cell says.

    Examples
    --------
    >>> read_cell("text exercise @ 9.1.2, problem 9.2")
    Cell(words=('text', 'exercise'), place='9.1.2, problem 9.2', page='')
    >>> read_cell("absent").teaches
    False

    Raises
    ------
    ValueError
        If its words are none of those allowed, or if something is there and no place is given.
    """
    said, _, place = (part.strip() for part in text.partition("@"))
    words = tuple(said.split())
    some = words and words == tuple(word for word in TEACHES if word in words)
    if not some and said not in IN_THE_FILE:
        raise ValueError(
            f"a cell must say {', '.join(TEACHES)} or one of {', '.join(sorted(IN_THE_FILE))}, "
            f"got {text!r}"
        )
    if (some or said == "named") and not place:
        raise ValueError(f"a cell must say where, got {text!r}")
    return Cell(words, place)


def read_table(text: str) -> Table:
    """Return sources and techniques.

    Raises
    ------
    ValueError
        If a source lacks a fact, a date or a secure address, or a technique lacks a source.
    """
    content = yaml.safe_load(text)
    sources = content["sources"]
    for key, facts in sources.items():
        _check_source(key, facts)
    rows = []
    for entry in content["techniques"]:
        name, here = entry.pop("name"), entry.pop("here")
        if entry.keys() != sources.keys():
            differing = ", ".join(sorted(entry.keys() ^ sources.keys()))
            raise ValueError(f"{name!r} must have a cell for each source: {differing}")
        try:
            cells = {key: read_cell(entry[key]) for key in sources}
        except ValueError as error:
            raise ValueError(f"{name!r}: {error}") from error
        rows.append(Row(name, here, cells))
    return Table(sources, rows)


def _check_source(key: str, facts: dict[str, Any]) -> None:
    if facts.keys() != FACTS:
        raise ValueError(f"{key!r} must have {', '.join(sorted(facts.keys() ^ FACTS))} or not")
    if not facts["address"].startswith("https://"):
        raise ValueError(f"the address of {key!r} must begin with https, got {facts['address']!r}")
    for name in ("copied", "looked_at"):
        if not (isinstance(facts[name], date) or (name, facts[name]) == ("copied", "undated")):
            raise ValueError(f"{name} of {key!r} must be a date, got {facts[name]!r}")


def ours(here: dict[str, Any], book: Path) -> Cell:
    """Return what this course has of a technique, looked up in the chapter named.

    Parameters
    ----------
    here : dict
        Either ``chapter`` (its number) and what to look for: ``text``, a phrase; ``code``, a piece
        of its code; ``exercise``, a function that its assignment asks for. Or ``named``, a page
        that names the technique, and ``by``, its words. Or nothing.
    book : Path
        The folder of the book, with that of the exercises beside it.
    """
    if "named" in here:
        found = here["by"] in _prose(book / f"{here['named']}.md")
        return Cell(("named",), page=here["named"]) if found else Cell(("absent",))
    if not here:
        return Cell(("absent",))
    files = sorted(book.glob(f"chapters/{here['chapter']:02d}-*.md"))
    if not files:
        return Cell(("planned",), f"chapter {here['chapter']}")
    found = tuple(word for word in TEACHES if word in here and _has(files[0], word, here[word]))
    return Cell(found or ("absent",), page=f"chapters/{files[0].stem}")


def _prose(path: Path) -> str:
    return " ".join(path.read_text(encoding="utf-8").split()) if path.exists() else ""


def _has(chapter: Path, word: str, sought: str) -> bool:
    if word == "text":
        return sought.casefold() in _prose(chapter).casefold()
    if word == "code":
        text = chapter.read_text(encoding="utf-8")
        return any(sought in fence[0] for fence in FENCE.finditer(text))
    notebooks = chapter.parents[2].glob(f"exercises/{chapter.stem}/*.ipynb")
    asked = re.compile(rf"\b(?:def|class) {re.escape(sought)}\b")
    return any(asked.search(path.read_text(encoding="utf-8")) for path in notebooks)


class _FromTheFile(SphinxDirective):
    """What is made anew at every build, as a chapter may have come, gone or changed."""

    def table(self) -> Table:
        self.env.note_reread()
        try:
            return read_table(Path(self.env.srcdir, FILE).read_text(encoding="utf-8"))
        except ValueError as error:
            raise self.error(f"{self.name}: {error}") from error

    def ours(self, row: Row) -> Cell:
        return ours(row.here, Path(self.env.srcdir))

    def link(self, page: str) -> list[nodes.Node]:
        """Return a link to a page of the book: the chapter's number, or the page's title."""
        number = re.match(r"chapters/0*(\d+)", page)
        words = f"chapter {number[1]} </{page}>" if number else f"/{page}"
        return self.parse_inline(f"{{doc}}`{words}`")[0]


class SourcesTable(_FromTheFile):
    """``{sources-table}``: a row for each technique, a column for this course and each source."""

    def run(self) -> list[nodes.Node]:
        """Return a table that the keyboard can scroll."""
        table = self.table()
        heads = [("This course", "as built")] + [
            (facts["name"], facts["part"]) for facts in table.sources.values()
        ]
        top = [_element("th", "Technique", scope="col")] + [
            _element("th", name, part, scope="col") for name, part in heads
        ]
        caption = "What each source has of a technique, and where"
        body = [Markup("tr", self.cells(row)) for row in table.rows]
        whole = [
            _element("caption", caption),
            Markup("thead", [Markup("tr", top)]),
            Markup("tbody", body),
        ]
        return [
            Markup(
                "div",
                [Markup("table", whole, class_="sources")],
                class_="table-scroll sources-scroll",
                role="region",
                aria_label=caption,
                tabindex="0",
            )
        ]

    def cells(self, row: Row) -> Iterator[nodes.Node]:
        """Yield the cells of a row."""
        yield _element("th", row.name, scope="row")
        own = self.ours(row)
        link = self.link(own.page) if own.page else []
        yield _element("td", _words(own), own.place, *link)
        for cell in row.cells.values():
            yield _element("td", _words(cell), cell.place)


def _words(cell: Cell) -> str:
    return ", ".join(OTHERWISE.get(word, word) for word in cell.words)


def _element(tag: str, text: str, small: str = "", *more: nodes.Node, **attributes: Any) -> Markup:
    children: list[nodes.Node] = [nodes.Text(text)]
    if small or more:
        place = [nodes.Text(small)] if small else []
        children += [nodes.Text(" "), nodes.inline("", "", *place, *more, classes=["place"])]
    return Markup(tag, children, **attributes)


class SourcesBeyond(_FromTheFile):
    """``{sources-beyond}``: techniques that others teach and this course does not."""

    def run(self) -> list[nodes.Node]:
        """Return a list."""
        table = self.table()
        lines = []
        for row in table.rows:
            own = self.ours(row)
            others = [
                f"{table.sources[key]['name']} ({cell.place})"
                for key, cell in row.cells.items()
                if cell.teaches
            ]
            if others and not own.teaches and own.words != ("planned",):
                lines.append(f"- **{row.name}**: {'; '.join(others)}\n")
        return self.parse_text_to_nodes("".join(lines))


class SourcesList(_FromTheFile):
    """``{sources-list}``: each source with authors, address, edition and dates."""

    def run(self) -> list[nodes.Node]:
        """Return a list."""
        lines = []
        for facts in self.table().sources.values():
            copy = facts["copied"]
            seen = f"copy of {copy}" if copy != "undated" else "copy without a date"
            lines.append(
                f"- **{facts['name']}**: {facts['authors']}. [{facts['title']}]"
                f"({facts['address']}). {facts['edition'][:1].upper()}{facts['edition'][1:]}. "
                f"Read: {facts['part']}; {seen}, looked at on {facts['looked_at']}. "
                f"{facts['how']}\n"
            )
        return self.parse_text_to_nodes("".join(lines))


def setup(app: Sphinx) -> None:
    """Register the directives."""
    app.add_directive("sources-table", SourcesTable)
    app.add_directive("sources-beyond", SourcesBeyond)
    app.add_directive("sources-list", SourcesList)
