"""The command ``fastgrade``."""

from __future__ import annotations

import contextlib
import io
import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
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
from sqlalchemy.exc import SQLAlchemyError

import fastgrade
from fastgrade import _startup  # noqa: F401  before all that imports jsonschema
from fastgrade.batch.dask_pool import DaskPool
from fastgrade.batch.journal import JournalBusyError
from fastgrade.batch.local_pool import LocalPool, available_cpus
from fastgrade.batch.pool import PoolError
from fastgrade.batch.run import Run, Summary
from fastgrade.batch.versions import versions
from fastgrade.course.config import Course, CourseError, load_course
from fastgrade.course.gradebook import Gradebook, GradebookError, copy_gradebook, safe_url
from fastgrade.sandbox.protection import Protection, probe
from fastgrade.settings import LEVELS, Settings

# Exit statuses; click exits with 2 for a wrong command line.
SOME_FAILED, NO_COURSE, TOO_WEAK, BUSY, NO_CLUSTER, INTERRUPTED = 1, 3, 4, 5, 6, 130

EXIT_CODES = """\b
Exit status:
  0    every submission is graded (some may be flagged)
  1    some submissions could not be graded; the others were
  2    the command line is wrong
  3    the course, the assignment, a submission or the gradebook is not as it must be
  4    this machine protects less than the course demands, so hidden tests were not run
  5    another run is grading this assignment
  6    there is no usable Dask cluster at the address
  130  interrupted; what was graded is recorded, and the same command goes on from there
"""

EXAMPLES = """\b
Examples:
  fastgrade ps1                            grade what is new or has changed
  fastgrade ps1 --dry-run                  only say what would be graded
  fastgrade ps1 --students ada,bob         two students
  fastgrade ps1 --students 'group-3-*'     all whose name matches
  fastgrade ps1 --force                    grade everybody again
  fastgrade ps1 --workers 8                eight at once on this machine
  fastgrade ps1 --scheduler tcp://head:8786   on a Dask cluster
  fastgrade report ps1                     write a page about the results
  fastgrade doctor                         what this machine protects against
  fastgrade copy-gradebook URL             move from SQLite to PostgreSQL
"""

SHOWN = 20
_AT_FIRST_RUN = " (the first grading run sets this)"


class DefaultGroup(click.Group):
    """A group whose first argument may be an assignment instead of a command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Insert ``grade`` where no command is named."""
        first = args[0] if args else ""
        if first and first not in self.commands and first not in ("--help", "-h", "--version"):
            args = ["grade", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=DefaultGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=f"{EXAMPLES}\n\n{EXIT_CODES}",
    subcommand_metavar="ASSIGNMENT | COMMAND [ARGUMENTS]",
)
@click.version_option(fastgrade.__version__, prog_name="fastgrade")
def main() -> None:
    """Grade the submissions of an nbgrader course: fast, sandboxed, in parallel.

    With the name of an assignment, grades what was handed in for it. Run it in the folder of
    the course, where nbgrader_config.py stands. Only what is new or has changed is graded; a run
    that was interrupted, even by kill -9, goes on where it stopped.

    The options of grading are listed by `fastgrade grade --help`. An assignment that is called
    like a command is graded with `fastgrade grade NAME`.
    """
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal cannot show is no reason to stop.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


course_option = click.option(
    "--course",
    "root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    show_default="this folder",
    help="Folder of the course.",
)


@main.command(epilog=f"{EXAMPLES}\n\n{EXIT_CODES}")
@click.argument("assignment")
@click.option(
    "--students",
    multiple=True,
    metavar="NAMES",
    help="Only these: names or patterns with *, separated by commas. May be repeated.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="How many are graded at once on this machine.  [default: one for each CPU]",
)
@click.option("--scheduler", metavar="ADDRESS", help="Grade on the Dask cluster of this address.")
@click.option("--force", is_flag=True, help="Grade again what is graded already.")
@click.option("--dry-run", is_flag=True, help="Say what would be graded, and write nothing.")
@click.option("--quiet", is_flag=True, help="Print only what went wrong.")
@course_option
def grade(
    assignment: str,
    students: tuple[str, ...],
    workers: int | None,
    scheduler: str | None,
    force: bool,
    dry_run: bool,
    quiet: bool,
    root: Path,
) -> None:
    """Grade the submissions of ASSIGNMENT."""
    if workers is not None and scheduler is not None:
        raise click.UsageError("--workers is for this machine; a Dask cluster has its own.")
    chosen = tuple(name.strip() for some in students for name in some.split(",") if name.strip())
    if students and not chosen:
        raise click.UsageError("--students names nobody.")
    console = _console(quiet)
    with _failures():
        course = load_course(root)
        os.chdir(course.root)  # nbgrader's relative addresses start there
        progress, observe = _progress(console)
        with Run(course, assignment, chosen, force, observe) as run, progress:
            observe(run.summary)
            if dry_run:
                summary = run.plan()
            else:
                if scheduler is None and run.has_hidden_tests:
                    _demand_protection(run.settings)
                summary = _grade(run, workers, scheduler)
    if dry_run:
        _show_plan(console, assignment, summary)
        return
    _show_summary(console, assignment, course, summary)
    if summary.failed:
        sys.exit(SOME_FAILED)


def _grade(run: Run, workers: int | None, scheduler: str | None) -> Summary:
    def pool(settings: Settings) -> LocalPool | DaskPool:
        if scheduler is None:
            return LocalPool(settings, workers)
        try:
            return DaskPool(settings, scheduler)
        except PoolError as error:
            raise _StopError(NO_CLUSTER, str(error)) from None

    try:
        return run.grade(pool)
    except KeyboardInterrupt:
        done = run.summary.done
        raise _StopError(
            INTERRUPTED,
            f"interrupted after {done} of {run.summary.total}; the same command goes on from there",
        ) from None


@main.command()
@course_option
def doctor(root: Path) -> None:
    """Say what this machine and this course protect against, and what would raise it."""
    console = _console()
    protection = probe()
    table = Table("", "", box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_row("System", f"{platform.system()} {platform.release()}, {platform.machine()}")
    table.add_row("CPUs", str(available_cpus()))
    table.add_row("Software", ", ".join(f"{name} {v}" for name, v in versions().items()))
    with _failures():
        course = load_course(root)
        os.chdir(course.root)
        demanded = course.settings.minimum_protection
        _describe_course(table, course)
    console.print(table)
    console.print()
    _describe_protection(console, protection)
    if not protection.reaches(demanded):
        console.print(
            f"\n[bold red]The course demands {demanded!r}: hidden tests are refused here.[/]"
        )
        sys.exit(TOO_WEAK)
    console.print(f"\n[green]The course demands {demanded!r}: hidden tests may run here.[/]")


def _describe_course(table: Table, course: Course) -> None:
    table.add_row("Course", str(course.root))
    table.add_row("Gradebook", escape(safe_url(course.coursedir.db_url)))
    with contextlib.closing(Gradebook(course.coursedir.db_url)) as book:
        try:
            if not book.is_set_up():
                table.add_row("", "empty: run `nbgrader generate_assignment`")
                return
            mode, missing = book.journal_mode(), book.missing_indexes()
        except SQLAlchemyError as error:
            table.add_row("", f"[red]cannot be opened: {escape(_first_line(error))}[/]")
            return
    if mode is not None:
        table.add_row("", f"SQLite journal mode {mode}" + ("" if mode == "wal" else _AT_FIRST_RUN))
    indexes = f"{len(missing)} indexes missing{_AT_FIRST_RUN}" if missing else "indexes present"
    table.add_row("", indexes)


@main.command()
@click.argument("assignment")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the page.  [default: report-ASSIGNMENT.html in the course]",
)
@course_option
def report(assignment: str, output: Path | None, root: Path) -> None:
    """Write one self-contained HTML page about the results of ASSIGNMENT.

    It names students, so it is for instructors.
    """
    from fastgrade.batch.report import write_report

    output = output.absolute() if output else None
    with _failures():
        course = load_course(root)
        os.chdir(course.root)
        path = write_report(course, assignment, output)
    click.echo(f"Wrote {path}")


@main.command("copy-gradebook")
@click.argument("target")
@course_option
def copy(target: str, root: Path) -> None:
    r"""Copy the course's gradebook to the empty database at TARGET.

    \b
    Afterwards set the new address in nbgrader_config.py:
      c.CourseDirectory.db_url = "postgresql+psycopg2://teacher@host/grades"
    The old gradebook stays as it is.
    """
    with _failures():
        course = load_course(root)
        os.chdir(course.root)
        rows = copy_gradebook(course.coursedir.db_url, target)
    for table, number in rows.items():
        click.echo(f"{table}: {number}")
    click.echo(f"Copied {safe_url(course.coursedir.db_url)} to {safe_url(target)}")


# ---- what goes wrong ----


class _StopError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    """Turn what can go wrong into one line and a status."""
    try:
        yield
    except _StopError as error:
        _fail(error.status, str(error))
    except JournalBusyError as error:
        _fail(BUSY, str(error))
    except (CourseError, GradebookError, PoolError) as error:
        _fail(NO_COURSE, str(error))
    except SQLAlchemyError as error:
        _fail(NO_COURSE, f"the gradebook cannot be used: {_first_line(error)}")
    except KeyboardInterrupt:
        _fail(INTERRUPTED, "interrupted")


def _fail(status: int, message: str) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(
        f"[bold red]fastgrade:[/] {escape(message)}"
    )
    sys.exit(status)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _demand_protection(settings: Settings) -> None:
    protection = probe()
    if not protection.reaches(settings.minimum_protection):
        raise _StopError(
            TOO_WEAK,
            f"this machine reaches the protection {protection.level!r}, the course demands "
            f"{settings.minimum_protection!r} (c.FastGrade.minimum_protection), so hidden tests "
            f"are refused. {' '.join(protection.missing)}".rstrip(),
        )


# ---- what is shown ----


def _console(quiet: bool = False) -> Console:
    """Return where results go; a file or a pipe has room for long lines."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 160
    return Console(quiet=quiet, highlight=False, width=width)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f}/s", style="progress.data.speed")


def _progress(console: Console) -> tuple[Progress, Callable[[Summary], None]]:
    progress = Progress(
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("done"),
        _Rate(),
        TimeRemainingColumn(compact=True),
        TextColumn("left"),
        TextColumn("{task.fields[failures]}", style="red"),
        console=console,
        transient=True,
        disable=console.quiet or not console.is_terminal,
    )
    bar = progress.add_task("grading", total=None, failures="")

    def observe(summary: Summary) -> None:
        failures = f"{len(summary.failed)} failed" if summary.failed else ""
        done = summary.done + len(summary.planned)
        progress.update(bar, total=summary.total, completed=done, failures=failures)

    return progress, observe


def _show_plan(console: Console, assignment: str, summary: Summary) -> None:
    _show_notes(console, summary)
    for student, why in summary.planned:
        console.print(f"{_printable(student)}: {why}")
    console.print(
        f"{escape(assignment)}: {len(summary.planned)} of {summary.total} submissions would be "
        f"graded or written; {summary.unchanged} are up to date. Nothing was written."
    )


def _show_notes(console: Console, summary: Summary) -> None:
    for note in summary.notes:
        console.print(f"[dim]{_printable(note)}[/]")


def _show_summary(console: Console, assignment: str, course: Course, summary: Summary) -> None:
    _show_notes(console, summary)
    worked = summary.graded + summary.identical + summary.rewritten
    handed_in = "1 submission" if summary.total == 1 else f"{summary.total} submissions"
    table = Table(title=f"{escape(assignment)}: {handed_in}", show_header=False)
    table.add_column(justify="left")
    table.add_column(justify="right")
    table.add_row("graded", str(summary.graded))
    if summary.identical:
        table.add_row("identical to another, graded with it", str(summary.identical))
    if summary.rewritten:
        table.add_row("written again from the journal", str(summary.rewritten))
    table.add_row("up to date", str(summary.unchanged))
    table.add_row("flagged", str(len(summary.flagged)), style="yellow" if summary.flagged else "")
    table.add_row("failed", str(len(summary.failed)), style="red" if summary.failed else "")
    scores, max_score, waiting = _scores(course, assignment)
    if scores:
        table.add_section()
        table.add_row("mean score", f"{statistics.fmean(scores):.2f} of {max_score:g}")
        table.add_row("median score", f"{statistics.median(scores):.2f}")
        table.add_row("waiting for a human grader", str(waiting))
    table.add_section()
    rate = f" ({worked / summary.seconds:.1f} a second)" if worked and summary.seconds else ""
    table.add_row("time", f"{summary.seconds:.1f} s{rate}")
    console.print(table)
    _show_some(console, "flagged", [(s, "; ".join(f)) for s, f in sorted(summary.flagged.items())])
    # What failed is said even when all else is kept quiet.
    _show_some(Console(stderr=True, highlight=False), "failed", sorted(summary.failed))


def _show_some(console: Console, what: str, items: list[tuple[str, str]]) -> None:
    color = "red" if what == "failed" else "yellow"
    for student, told in items[:SHOWN]:
        console.print(f"[{color}]{what}[/] {_printable(student)}: {_printable(told)}")
    if len(items) > SHOWN:
        console.print(f"[{color}]{what}[/] and {len(items) - SHOWN} more; see `fastgrade report`")


def _printable(text: str) -> str:
    """Return a text that a submission may have written in, with control characters spelled."""
    return escape("".join(c if c.isprintable() else repr(c)[1:-1] for c in text))


def _scores(course: Course, assignment: str) -> tuple[list[float], float, int]:
    with course.gradebook() as book:
        rows = book.results(book.assignment(assignment))
    return (
        [row.score for row in rows],
        rows[0].max_score if rows else 0.0,
        sum(row.needs_manual_grade for row in rows),
    )


def _describe_protection(console: Console, protection: Protection) -> None:
    """Print what is there and what is missing, one line each."""
    groups = f"cgroups {protection.cgroups}" if protection.cgroups else "cgroups"
    version = f"Landlock {protection.landlock}" if protection.landlock else "Landlock"
    parts = [
        (protection.fork, "fork", "a fresh process for every question, in milliseconds"),
        (protection.level != "none", "limits", "memory, CPU time, files, output"),
        (protection.landlock > 0, version, "student code sees only the files it may see"),
        (protection.seccomp, "seccomp", "no sockets, no signals to others, no tracing"),
        (protection.notify, "seccomp notify", "new processes are counted exactly"),
        (protection.bubblewrap, "bubblewrap", "namespaces for processes and network"),
        (bool(protection.cgroups), groups, "memory and processes counted for all at once"),
        (protection.root, "root", "each submission gets a user of its own"),
    ]
    console.print(f"Protection: [bold]{protection.level}[/] (of {', '.join(LEVELS)})")
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    for there, name, what in parts:
        table.add_row("[green]yes[/]" if there else "[yellow]no[/]", name, what)
    console.print(table)
    if protection.missing:
        console.print("\nWhat would raise it:")
    for sentence in protection.missing:
        console.print(f"  - {escape(sentence)}")


if __name__ == "__main__":
    main()
