"""The command ``fastgrade``."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import platform
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError
from traitlets import TraitError

import fastgrade
from fastgrade import (
    _startup,  # noqa: F401  before all that imports jsonschema
    terminal,
)
from fastgrade.batch.audit import WRONG, audit_assignment
from fastgrade.batch.certificates import CertificateError, flags, make
from fastgrade.batch.dask_pool import DaskPool
from fastgrade.batch.journal import JournalBusyError
from fastgrade.batch.local_pool import LocalPool, available_cpus
from fastgrade.batch.pool import Pool, PoolError, SharedPools
from fastgrade.batch.run import Run
from fastgrade.batch.selection import select
from fastgrade.batch.solution import recorded_checks
from fastgrade.batch.summary import Summary
from fastgrade.batch.versions import versions
from fastgrade.course.config import Course, CourseError, load_course
from fastgrade.course.gradebook import Gradebook, GradebookError, copy_gradebook, safe_url
from fastgrade.sandbox.protection import probe
from fastgrade.settings import Settings

# Exit statuses; click exits with 2 for a wrong command line.
SOME_FAILED, NO_COURSE, TOO_WEAK, BUSY, NO_CLUSTER, INTERRUPTED = 1, 3, 4, 5, 6, 130

EXIT_CODES = """\b
Exit status:
  0    every submission is graded (some may be flagged)
  1    some submissions could not be graded; the others were. Or: wrong answers pass an audit
  2    the command line is wrong
  3    the course, the assignment, a submission or the gradebook is not as it must be
  4    this machine protects less than the course demands, or a secret is not set or not
       kept, so hidden tests were not run
  5    another run is grading this assignment; others were graded
  6    there is no usable Dask cluster at the address
  130  interrupted; what was graded is recorded, and the same command goes on from there
"""

EXAMPLES = """\b
Examples:
  fastgrade ps1                            grade what is new or has changed
  fastgrade ps1 ps2                        two assignments, one summary
  fastgrade --all                          all that somebody has handed in
  fastgrade ps1 --dry-run                  only say what would be graded
  fastgrade ps1 --students ada,bob         two students
  fastgrade ps1 --students 'group-3-*'     all whose name matches
  fastgrade ps1 --force                    grade everybody again
  fastgrade ps1 --workers 8                eight at once on this machine
  fastgrade ps1 --scheduler tls://head:8786   on a Dask cluster
  fastgrade report ps1                     write a page about the results
  fastgrade certificates FOLDER            make what a Dask cluster needs


@main.command()
  fastgrade audit ps1                      which wrong answers its tests let pass
  fastgrade doctor                         what this machine protects against
  fastgrade copy-gradebook URL             move from SQLite to PostgreSQL
"""

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
    subcommand_metavar="ASSIGNMENT... | COMMAND [ARGUMENTS]",
)
@click.version_option(fastgrade.__version__, prog_name="fastgrade")
def main() -> None:
    """Grade the submissions of an nbgrader course: fast, sandboxed, in parallel.

    With names of assignments, or --all, grades what was handed in for them. Run it in the folder of
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
@click.argument("assignments", nargs=-1, metavar="[ASSIGNMENT]...")
@click.option("--all", "everything", is_flag=True, help="All that somebody has handed in.")
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
@click.option(
    "--certificates",
    type=click.Path(file_okay=False, path_type=Path),
    default="certificates",
    show_default=True,
    help="Folder of the cluster's key and certificate.",
)
@click.option("--force", is_flag=True, help="Grade again what is graded already.")
@click.option("--dry-run", is_flag=True, help="Say what would be graded, and write nothing.")
@click.option("--quiet", is_flag=True, help="Print only what went wrong.")
@course_option
def grade(
    assignments: tuple[str, ...],
    everything: bool,
    students: tuple[str, ...],
    workers: int | None,
    scheduler: str | None,
    certificates: Path,
    force: bool,
    dry_run: bool,
    quiet: bool,
    root: Path,
) -> None:
    """Grade the submissions of one ASSIGNMENT or several: names, or patterns with *."""
    if everything == bool(assignments):
        raise click.UsageError("Name assignments, or say --all.")
    if workers is not None and scheduler is not None:
        raise click.UsageError("--workers is for this machine; a Dask cluster has its own.")
    chosen = tuple(name.strip() for some in students for name in some.split(",") if name.strip())
    if students and not chosen:
        raise click.UsageError("--students names nobody.")
    console = terminal.console(quiet)
    with _failures(), contextlib.ExitStack() as stack:
        course = load_course(root)
        os.chdir(course.root)  # nbgrader's relative addresses start there
        progress, show = terminal.progress_bar(console)
        runs: list[Run] = []

        def observe(_: Summary) -> None:
            show([run.summary for run in runs])

        for name, found in select(course, assignments or ("*",), chosen).items():
            runs.append(stack.enter_context(Run(course, name, found, force, observe)))
        if dry_run:
            with progress:
                summaries = [run.plan(workers) for run in runs]
            for summary in summaries:
                terminal.show_plan(console, summary)
            return
        _demand_secrets(runs)
        if scheduler is None:
            _demand_protection(runs)
        finished: list[Summary] = []
        try:
            with progress:
                show([run.summary for run in runs])
                status = _grade(runs, _pools(stack, workers, scheduler, certificates), finished)
        finally:
            if finished:
                with course.gradebook() as book:
                    terminal.show_summary(console, book, finished)
    if not status and any(summary.failed for summary in finished):
        status = SOME_FAILED
    sys.exit(status)


def _grade(runs: Sequence[Run], pools: SharedPools, finished: list[Summary]) -> int:
    """Grade one assignment after the other; return the exit status so far."""
    status = 0
    for run in runs:
        try:
            finished.append(run.grade(pools.get))
        except JournalBusyError as error:
            terminal.complain(str(error))  # the others are nobody else's
            status = BUSY
        except KeyboardInterrupt:
            done, total = (
                sum(getattr(r.summary, name) for r in runs) for name in ("done", "total")
            )
            raise _StopError(
                INTERRUPTED,
                f"interrupted after {done} of {total}; the same command goes on from there",
            ) from None
    return status


def _pools(
    stack: contextlib.ExitStack, workers: int | None, scheduler: str | None, certificates: Path
) -> SharedPools:
    def make(settings: Settings) -> contextlib.AbstractContextManager[Pool]:
        if scheduler is None:
            return LocalPool(settings, workers)
        try:
            return DaskPool(settings, scheduler, certificates)
        except PoolError as error:
            raise _StopError(NO_CLUSTER, str(error)) from None

    return stack.enter_context(SharedPools(make))


@main.command()
@course_option
def doctor(root: Path) -> None:
    """Say what this machine and this course protect against, and what would raise it."""
    console = terminal.console()
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
    terminal.show_protection(console, protection)
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
    for assignment, check in recorded_checks(course.root).items():
        beside = ", ".join(f"{test.test} in {test.notebook}" for test in check.examined.beside)
        told = f"{assignment}: {check.places}" + (f": {beside}" if beside else "")
        table.add_row("Tests", escape(told))


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


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
def certificates(folder: Path) -> None:
    """Make a key and a certificate in the new FOLDER, which all machines of a cluster need.

    Copy the folder to each of them, and to nobody else: whoever has it can take part.
    """
    try:
        make(folder)
    except CertificateError as error:
        raise click.ClickException(str(error)) from None
    options = " ".join(f"--{name} {file}" for name, file in flags(folder).items())
    click.echo(f"Made {folder}. Start Dask with it on every machine:")
    click.echo(f"  dask scheduler --protocol tls {options}")
    click.echo(f"  dask worker tls://HEAD:8786 {options}")


@main.command()
@click.argument("assignment")
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice(WRONG),
    help="A kind that is right in this course, such as 'changed arguments'. May be repeated.",
)
@course_option
def audit(assignment: str, allow: tuple[str, ...], root: Path) -> None:
    """Try cheap wrong answers against every test of ASSIGNMENT, and say which of them pass.

    They are made of your own solution: nothing, empty arrays and lists, not-a-numbers, small
    integers, an object that equals everything, changed arguments, the first answer again.
    """
    console = terminal.console()
    with _failures(), contextlib.ExitStack() as stack:
        course = load_course(root)
        os.chdir(course.root)
        pools = _pools(stack, None, None, Path())
        kinds = [kind for kind in WRONG if kind not in allow]
        found = audit_assignment(course, assignment, pools.open, kinds)
    if terminal.show_audit(console, found):
        sys.exit(SOME_FAILED)


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
    except TraitError as error:
        _fail(NO_COURSE, f"a setting in nbgrader_config.py cannot be used: {_named(error)}")
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT):
            raise
        _fail(NO_COURSE, f"{error.filename or 'a file'} cannot be used: {error.strerror}")
    except SQLAlchemyError as error:
        _fail(
            NO_COURSE,
            f"the gradebook cannot be used: {_first_line(error)}; c.CourseDirectory.db_url says "
            "where it is, and SQLite writes beside it even to read",
        )
    except KeyboardInterrupt:
        _fail(INTERRUPTED, "interrupted")


def _fail(status: int, message: str) -> None:
    terminal.complain(message)
    sys.exit(status)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _named(error: TraitError) -> str:
    """Return what traitlets says of a setting, by the name that it has in the configuration."""
    owner = r"(?:an? (?P<kind>\w+)|<(?:\w+\.)*(?P<class>\w+) object at \w+>) instance"
    return re.sub(
        rf"The '(?P<name>\w+)' trait of {owner}",
        lambda found: f"c.{found['kind'] or found['class']}.{found['name']}",
        _first_line(error),
    )


def _demand_secrets(runs: Sequence[Run]) -> None:
    """Stop where students could work out what hidden tests hold."""
    for settings in (run.rules.settings for run in runs if run.rules.has_hidden_tests):
        unset = [name for name in settings.secrets if not settings.judge_environment.get(name)]
        if unset:
            raise _StopError(
                TOO_WEAK,
                f"hidden tests are refused: the secret {unset[0]} is not set, so anybody can work "
                "out their inputs. c.FastGrade.secrets names it; the guide says how to make one.",
            )
        for path in map(Path, settings.secret_files):
            if path.exists() and path.stat().st_mode & 0o077:
                raise _StopError(
                    TOO_WEAK,
                    f"hidden tests are refused: other users can read {path} "
                    f"(c.FastGrade.secret_files); run `chmod 600 {path}`.",
                )


def _demand_protection(runs: Sequence[Run]) -> None:
    protection = probe()
    for rules in (run.rules for run in runs):
        demanded = rules.settings.minimum_protection
        if rules.has_hidden_tests and not protection.reaches(demanded):
            raise _StopError(
                TOO_WEAK,
                f"this machine reaches the protection {protection.level!r}, the course demands "
                f"{demanded!r} (c.FastGrade.minimum_protection), so hidden tests are refused. "
                f"{' '.join(protection.missing)}".rstrip(),
            )


if __name__ == "__main__":
    main()
