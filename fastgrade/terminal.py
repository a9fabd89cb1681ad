"""What the command shows: a bar while it grades, and one summary of the class at the end."""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from fastgrade.batch.audit import Audit
from fastgrade.batch.summary import Summary
from fastgrade.course.gradebook import Gradebook, Result
from fastgrade.sandbox.protection import Protection
from fastgrade.settings import LEVELS

SHOWN = 20


def console(quiet: bool = False) -> Console:
    """Return where results go; a file or a pipe has room for long lines."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 160
    return Console(quiet=quiet, highlight=False, width=width)


def complain(message: str) -> None:
    """Say what went wrong, in one line."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(
        f"[bold red]fastgrade:[/] {escape(message)}"
    )


def printable(text: str) -> str:
    """Return a text that a submission may have written in, with control characters spelled."""
    return escape("".join(c if c.isprintable() else repr(c)[1:-1] for c in text))


# ---- while it grades ----


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f}/s", style="progress.data.speed")


def progress_bar(where: Console) -> tuple[Progress, Callable[[Sequence[Summary]], None]]:
    """Return a bar over all submissions, and what moves it when summaries have changed."""
    progress = Progress(
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("done"),
        _Rate(),
        TimeRemainingColumn(compact=True),
        TextColumn("left"),
        TextColumn("{task.fields[failures]}", style="red"),
        console=where,
        transient=True,
        disable=where.quiet or not where.is_terminal,
    )
    bar = progress.add_task("grading", total=None, failures="")

    def observe(summaries: Sequence[Summary]) -> None:
        failed = sum(len(summary.failed) for summary in summaries)
        progress.update(
            bar,
            total=sum(summary.total for summary in summaries),
            completed=sum(summary.done + len(summary.planned) for summary in summaries),
            failures=f"{failed} failed" if failed else "",
        )

    return progress, observe


# ---- at the end ----


def show_plan(where: Console, summary: Summary) -> None:
    """Print what would be graded."""
    _show_notes(where, [summary])
    for student, why in summary.planned:
        where.print(f"{printable(student)}: {why}")
    for student, why in summary.failed:
        where.print(f"{printable(student)}: cannot be graded: {printable(why)}")
    where.print(
        f"{escape(summary.assignment)}: {len(summary.planned)} of {summary.total} submissions "
        f"would be graded or written; {summary.unchanged} are up to date. Nothing was written."
    )


def show_summary(where: Console, book: Gradebook, summaries: Sequence[Summary]) -> None:
    """Print how the class did: a row for each assignment, and what was odd below."""
    _show_notes(where, summaries)
    where.print(_table(book, summaries))
    _show_reused(where, summaries)
    seconds = sum(summary.seconds for summary in summaries)
    worked = sum(s.graded + s.identical + s.rewritten for s in summaries)
    rate = f" ({worked / seconds:.1f} submissions a second)" if worked and seconds else ""
    where.print(f"Took {seconds:.1f} s{rate}.")
    odd, failed = [], []
    for summary in summaries:
        about = f" ({escape(summary.assignment)})" if len(summaries) > 1 else ""
        for student, told in sorted(summary.flagged.items()):
            odd.append((printable(student) + about, "; ".join(told)))
        for student, reason in sorted(summary.failed):
            failed.append((printable(student) + about, reason))
    _show_some(where, "[yellow]flagged[/]", odd)
    # What failed is said even when all else is kept quiet.
    _show_some(Console(stderr=True, highlight=False), "[red]failed[/]", failed)


def _show_reused(where: Console, summaries: Sequence[Summary]) -> None:
    parts = {
        "identical to another, graded with it": sum(s.identical for s in summaries),
        "written again from the journal": sum(s.rewritten for s in summaries),
        "up to date": sum(s.unchanged for s in summaries),
    }
    told = [f"{number} {how}" for how, number in parts.items() if number]
    if told:
        where.print(f"Reused: {'; '.join(told)}.")


def _table(book: Gradebook, summaries: Sequence[Summary]) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.show_footer = len(summaries) > 1
    counts = [_counts(summary) for summary in summaries]
    results = [book.results(book.assignment(summary.assignment)) for summary in summaries]
    waiting = [sum(result.needs_manual_grade for result in some) for some in results]
    table.add_column("assignment", footer="all", no_wrap=True)
    for name in counts[0]:
        total = sum(some[name] for some in counts)
        table.add_column(name, footer=_colored(name, total), justify="right")
    table.add_column("mean", justify="right", no_wrap=True)
    table.add_column("by hand", footer=str(sum(waiting)), justify="right")
    for summary, some, scored, by_hand in zip(summaries, counts, results, waiting, strict=True):
        table.add_row(
            escape(summary.assignment),
            *(_colored(name, number) for name, number in some.items()),
            _mean(scored),
            str(by_hand),
        )
    return table


def _counts(summary: Summary) -> dict[str, int]:
    return {
        "handed in": summary.total,
        "graded": summary.graded,
        "reused": summary.reused,
        "failed": len(summary.failed),
        "flags": len(summary.flagged),
    }


def _mean(results: Sequence[Result]) -> str:
    """Return the mean score, and what there was to be had."""
    if not results:
        return ""
    return f"{statistics.fmean(result.score for result in results):.2f} of {results[0].max_score:g}"


def _colored(name: str, number: int) -> str:
    color = {"failed": "red", "flags": "yellow"}.get(name)
    return f"[{color}]{number}[/]" if color and number else str(number)


def _show_notes(where: Console, summaries: Sequence[Summary]) -> None:
    for note in dict.fromkeys(note for summary in summaries for note in summary.notes):
        where.print(f"[dim]{printable(note)}[/]")


def _show_some(where: Console, what: str, items: Sequence[tuple[str, str]]) -> None:
    for student, told in items[:SHOWN]:
        where.print(f"{what} {student}: {printable(told)}")
    if len(items) > SHOWN:
        where.print(f"{what} and {len(items) - SHOWN} more; see `fastgrade report`")


def show_audit(where: Console, found: Sequence[Audit]) -> bool:
    """Print which wrong answers pass; return whether there are any."""
    table = Table("test", "notebook", "passes though it is wrong", box=SIMPLE_HEAD)
    for test in found:
        if test.passing:
            table.add_row(escape(test.test), escape(test.notebook), ", ".join(test.passing))
    if table.row_count:
        where.print(table)
    untried = [test.test for test in found if not test.tried]
    if untried:
        where.print(f"Nothing to replace: {escape(', '.join(untried))}")
    where.print(f"{table.row_count} of {len(found)} tests let wrong answers pass.")
    return bool(table.row_count)


def show_protection(where: Console, protection: Protection) -> None:
    """Print what protection is there and what is missing, one line each."""
    groups = f"cgroups {protection.cgroups}" if protection.cgroups else "cgroups"
    version = f"Landlock {protection.landlock}" if protection.landlock else "Landlock"
    parts = [
        (protection.fork, "fork", "a fresh process for every question, in milliseconds"),
        (protection.level != "none", "limits", "memory, CPU time, files, output"),
        (protection.landlock > 0, version, "student code sees only the files it may see"),
        (protection.seccomp, "seccomp", "only system calls that answers need"),
        (protection.notify, "seccomp notify", "new processes are counted exactly"),
        (protection.bubblewrap, "bubblewrap", "each submission sees itself alone"),
        (bool(protection.cgroups), groups, "each has its own memory, threads, processor"),
        (protection.root, "root", "each submission gets a user of its own"),
    ]
    where.print(f"Protection: [bold]{protection.level}[/] (of {', '.join(LEVELS)})")
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    for there, name, what in parts:
        table.add_row("[green]yes[/]" if there else "[yellow]no[/]", name, what)
    where.print(table)
    if protection.missing:
        where.print("\nWhat would raise it:")
    for sentence in protection.missing:
        where.print(f"  - {escape(sentence)}")
