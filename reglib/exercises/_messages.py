"""What a student reads when a promise is broken."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reglib.exercises._findings import NOT_WRITTEN, Finding, Mistake

#: Messages are wrapped, because a notebook cuts long lines off.
_WIDTH = 88


@dataclass(frozen=True)
class Chapter:
    """Where to read about an exercise."""

    number: int
    title: str
    page: str

    def __str__(self) -> str:
        return f"chapter {self.number}, {self.title} (book/chapters/{self.page}.md)"


class CheckFailed(AssertionError):  # noqa: N818 - it is a verdict, read by students
    """A promise is broken; ``str`` is the message.

    Attributes
    ----------
    findings : tuple of Finding
        What was found, each thing once.
    mistakes : tuple of str
        The names of all mistakes that were recognized.
    mistake : str or None
        The first of them.
    hint : str
        The first one's hint.
    """

    def __init__(
        self,
        name: str,
        topic: str,
        broken: Mapping[str, Sequence[Finding]],
        chapter: Chapter,
        *,
        hidden: bool = False,
    ) -> None:
        self.findings = _unique([found for findings in broken.values() for found in findings])
        named = [finding.mistake for finding in self.findings if finding.mistake is not None]
        self.mistakes = tuple(mistake.name for mistake in named)
        self.mistake = self.mistakes[0] if named else None
        self.hint = named[0].hint if named else ""
        title = f"{name} ({topic})" if topic else name
        super().__init__(_message(title, list(broken), self.findings, chapter, hidden))

    def _render_traceback_(self) -> list[str]:
        """Show a notebook the message alone, without the way through these modules."""
        return str(self).split("\n")


def _unique(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return findings without those that name a mistake, or say something, once more."""
    found: dict[object, Finding] = {}
    for finding in findings:
        key = finding.mistake.name if finding.mistake else (finding.came, finding.expected)
        found.setdefault(key, finding)
    return tuple(found.values())


def _message(
    title: str,
    promises: Sequence[str],
    findings: Sequence[Finding],
    chapter: Chapter,
    hidden: bool,
) -> str:
    if [finding.mistake for finding in findings] == [NOT_WRITTEN]:
        return (
            f"{findings[0].came}, so there are no points for it so far.\n"
            f"Hint: {NOT_WRITTEN.hint} Then run this cell again.\n"
            f"Read: {chapter}"
        )
    where = " on further inputs of the same kind" if hidden else ""
    lines = [f"{title}: not right yet{where}."]
    lines += [f"What is tested: {promise}" for promise in promises]
    seen: dict[tuple[str, str], list[Mistake]] = {}
    for finding in findings:
        values = ("", "") if hidden else (finding.came, finding.expected)
        seen.setdefault(values, []).extend([finding.mistake] if finding.mistake else [])
    for number, ((came, expected), mistakes) in enumerate(seen.items(), start=1):
        bullet = f"{number}. " if len(seen) > 1 else ""
        lines += ["", *_told(bullet, came, expected, mistakes)]
    return "\n".join([*lines, "", f"Read: {chapter}"])


def _told(bullet: str, came: str, expected: str, mistakes: Sequence[Mistake]) -> list[str]:
    parts = [("What came:", came), ("Expected:", expected)] if came else []
    for mistake in mistakes:
        parts += [("Looks like:", f'"{mistake.name}". {mistake.why}'), ("Hint:", mistake.hint)]
    margin, lines = " " * len(bullet), []
    for label, text in parts:
        first, after = f"{bullet}{label:<12}", f"{margin}{'':<12}"
        for line in text.split("\n"):
            lines += textwrap.wrap(
                line.strip(), _WIDTH, initial_indent=first, subsequent_indent=after
            )
            first = after
        bullet = margin
    return lines
