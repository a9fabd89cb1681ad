"""What a student reads when a promise is broken, as plain text and as HTML."""

from __future__ import annotations

import html
import os
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reglib.exercises._findings import NOT_WRITTEN, Finding, Mistake

#: Messages are wrapped, because a notebook cuts long lines off.
_WIDTH = 88
#: The environment variable with the address of the book's site, where it is not beside us.
SITE_VARIABLE = "REGLIB_SITE"
#: From an exercise's folder to the chapters, in the folder of the course.
_BESIDE_US = "../../book"


@dataclass(frozen=True)
class Chapter:
    """Where to read about an exercise: a chapter of the book, and one of its sections."""

    number: int
    title: str
    page: str
    section: str = ""

    def __str__(self) -> str:
        section = f', "{self.section}"' if self.section else ""
        return f"chapter {self.number}, {self.title}{section}"

    @property
    def address(self) -> str:
        """The page's address: on the site that ``REGLIB_SITE`` names, or in the course's folder.

        Elsewhere nobody knows where the book is, and it is empty.

        Examples
        --------
        >>> os.environ["REGLIB_SITE"] = "https://example.org"
        >>> Chapter(3, "L1", "03-l1", "The proximal step").address
        'https://example.org/chapters/03-l1.html#the-proximal-step'
        >>> del os.environ["REGLIB_SITE"]
        """
        site = os.environ.get(SITE_VARIABLE, "").rstrip("/")
        anchor = re.sub(r"[^\w-]+", "-", self.section.lower()).strip("-")
        page = f"{site}/chapters/{self.page}.html"
        if not site:
            page = f"{_BESIDE_US}/chapters/{self.page}.md"
            if not os.path.exists(page):
                return ""
        return f"{page}#{anchor}" if anchor else page

    @property
    def reference(self) -> str:
        """What to read, and its address if there is one.

        Examples
        --------
        >>> Chapter(3, "L1", "03-l1", "The proximal step").reference
        'chapter 3, L1, "The proximal step"'
        """
        return f"{self} ({self.address})" if self.address else str(self)

    def _repr_html_(self) -> str:
        words, address = html.escape(str(self)), html.escape(self.address)
        return f'<a href="{address}">{words}</a>' if address else words


class CheckFailed(AssertionError):  # noqa: N818 - it is a verdict, read by students
    """A promise is broken; ``str`` is the message.

    Parameters
    ----------
    title : str
        The function's name and, if only one aspect was tested, that aspect's.
    broken : mapping
        The promises that are broken, each with what was found.
    chapter : Chapter
        Where to read.
    hidden : bool
        Whether the message must not tell what came and what was expected.

    Attributes
    ----------
    findings : tuple of Finding
        What was found, each thing once.
    mistakes : dict
        The names of all mistakes that were recognized, each with its hint.
    hint : str
        The first one's hint.
    """

    def __init__(
        self,
        title: str,
        broken: Mapping[str, Sequence[Finding]],
        chapter: Chapter,
        *,
        hidden: bool = False,
    ) -> None:
        self.title = f"{title}: not right yet{' on further inputs of the same kind' * hidden}."
        self.promises = tuple(broken)
        self.chapter = chapter
        self.is_displayed = False
        self.findings = _unique([found for findings in broken.values() for found in findings])
        named = [finding.mistake for finding in self.findings if finding.mistake is not None]
        self.mistakes = {mistake.name: mistake.hint for mistake in named}
        self.hint = named[0].hint if named else ""
        self._groups = _grouped(self.findings, hidden)
        if [finding.mistake for finding in self.findings] == [NOT_WRITTEN]:
            self.title = f"{self.findings[0].came}, so there are no points for it so far."
            self.promises = ()
            self._groups = [[("Hint", f"{NOT_WRITTEN.hint} Then run this cell again.")]]
        super().__init__(self._text())

    def _text(self) -> str:
        lines = [self.title]
        for promise in self.promises:
            lines.append(wrapped(f"What is tested: {promise}"))
        for number, group in enumerate(self._groups, start=1):
            bullet = f"{number}. " if len(self._groups) > 1 else ""
            lines += ["", *_told(bullet, group)]
        return "\n".join([*lines, "", f"Read: {self.chapter.reference}"])

    def _repr_html_(self) -> str:
        rows = [("What is tested", promise) for promise in self.promises]
        rows += [row for group in self._groups for row in group]
        told = "".join(
            f"<dt>{html.escape(label)}</dt><dd>{html.escape(text)}</dd>" for label, text in rows
        )
        return (
            f'<div class="reglib-check"><p><strong>{html.escape(self.title)}</strong></p>'
            f"<dl>{told}</dl><p>Read: {self.chapter._repr_html_()}</p></div>"
        )

    def _render_traceback_(self) -> list[str]:
        """Show a notebook the message alone, without the way through these modules."""
        return [self.title] if self.is_displayed else str(self).split("\n")


def shown_in_notebook(failed: CheckFailed) -> CheckFailed:
    """Display the message where a notebook can show HTML, and return it with little left to say."""
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        return failed
    if hasattr(get_ipython(), "kernel"):
        display({"text/html": failed._repr_html_(), "text/plain": str(failed)}, raw=True)
        failed.is_displayed = True
    return failed


def wrapped(text: str) -> str:
    """Return a text in lines that a notebook does not cut."""
    return textwrap.fill(text, _WIDTH)


def _unique(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return findings without those that name a mistake, or say something, once more."""
    found: dict[object, Finding] = {}
    for finding in findings:
        key = finding.mistake.name if finding.mistake else (finding.came, finding.expected)
        found.setdefault(key, finding)
    return tuple(found.values())


def _grouped(findings: Sequence[Finding], hidden: bool) -> list[list[tuple[str, str]]]:
    """Return what is told of findings, in pairs of a label and a text; equal values once."""
    by_values: dict[tuple[str, str], list[Mistake]] = {}
    for finding in findings:
        values = ("", "") if hidden else (finding.came, finding.expected)
        by_values.setdefault(values, []).extend([finding.mistake] if finding.mistake else [])
    groups = []
    for (came, expected), mistakes in by_values.items():
        rows = [("What came", came), ("Expected", expected)] if came else []
        for mistake in mistakes:
            rows += [("Looks like", f'"{mistake.name}". {mistake.why}'), ("Hint", mistake.hint)]
        if rows:
            groups.append(rows)
    return groups


def _told(bullet: str, rows: Sequence[tuple[str, str]]) -> list[str]:
    margin, lines = " " * len(bullet), []
    for label, text in rows:
        first, after = f"{bullet}{label + ':':<12}", f"{margin}{'':<12}"
        for line in text.split("\n"):
            lines += textwrap.wrap(
                line.strip(), _WIDTH, initial_indent=first, subsequent_indent=after
            )
            first = after
        bullet = margin
    return lines
