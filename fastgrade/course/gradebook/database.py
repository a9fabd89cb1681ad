"""The database of a gradebook: how it is opened, and what it needs before the first grade."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url

# A reader such as the formgrader may hold SQLite's lock for a moment.
LOCK_PATIENCE_SECONDS = 60

# The foreign keys that no unique constraint already leads with.
INDEXES = {
    "ix_fastgrade_assignment_course": ("assignment", "course_id"),
    "ix_fastgrade_notebook_assignment": ("notebook", "assignment_id"),
    "ix_fastgrade_base_cell_notebook": ("base_cell", "notebook_id"),
    "ix_fastgrade_source_cell_notebook": ("source_cell", "notebook_id"),
    "ix_fastgrade_submitted_assignment_student": ("submitted_assignment", "student_id"),
    "ix_fastgrade_submitted_notebook_assignment": ("submitted_notebook", "assignment_id"),
    "ix_fastgrade_grade_notebook": ("grade", "notebook_id"),
    "ix_fastgrade_comment_notebook": ("comment", "notebook_id"),
}


class GradebookError(RuntimeError):
    """The gradebook cannot be used as it is; the message says what to do."""


def safe_url(db_url: str | URL) -> str:
    """Return a database address that can be shown: without the password."""
    return make_url(db_url).render_as_string(hide_password=True)


def open_engine(db_url: str) -> Engine:
    """Return a connection to a database.

    Raises
    ------
    GradebookError
        If the Python package for such a database is missing.
    """
    if make_url(db_url).get_backend_name() != "sqlite":
        try:
            return create_engine(db_url, pool_pre_ping=True)
        except ModuleNotFoundError as error:
            needs = f"gradebook {safe_url(db_url)} needs the Python package {error.name}"
            install = "pip install 'fastgrade[postgres]'"
            if error.name == "psycopg2":
                raise GradebookError(f"{needs}: {install}") from None
            raise GradebookError(
                f"{needs}; after {install} you may write postgresql+psycopg2:// in its address"
            ) from None
    engine = create_engine(db_url, connect_args={"timeout": LOCK_PATIENCE_SECONDS})

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: Any) -> None:
        # With WAL, NORMAL survives a killed process; only a power cut may lose the last
        # transactions, and the journal, which is forced to disk, brings those back.
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


def is_set_up(engine: Engine) -> bool:
    """Tell whether the database holds a gradebook."""
    return inspect(engine).has_table("assignment")


def demand(engine: Engine, assignment: str = "") -> None:
    """Make sure that the database holds a gradebook.

    Raises
    ------
    GradebookError
        If it does not.
    """
    if not is_set_up(engine):
        command = f"nbgrader generate_assignment {assignment}".rstrip()
        raise GradebookError(f"gradebook {safe_url(engine.url)} is empty: run `{command}`")


def prepare(engine: Engine) -> list[str]:
    """Set SQLite's journal to WAL and add the missing indexes.

    Returns
    -------
    list of str
        One sentence for each change that was made.

    Raises
    ------
    GradebookError
        If the database holds no gradebook.
    """
    demand(engine)
    done = []
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            before = connection.execute(text("PRAGMA journal_mode")).scalar()
            if before != "wal":
                after = connection.execute(text("PRAGMA journal_mode=WAL")).scalar()
                if after == "wal":
                    done.append("The gradebook now uses SQLite's write-ahead log (WAL).")
    missing = missing_indexes(engine)
    if missing:
        with engine.begin() as connection:
            for name in missing:
                table, column = INDEXES[name]
                connection.execute(text(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({column})"))
        done.append(f"Added {len(missing)} indexes on the gradebook's foreign keys.")
    return done


def missing_indexes(engine: Engine) -> list[str]:
    """Return the names of the indexes that the gradebook lacks."""
    inspector = inspect(engine)
    present: set[str | None] = set()
    for table in {table for table, _ in INDEXES.values()}:
        present |= {index["name"] for index in inspector.get_indexes(table)}
    return [name for name in INDEXES if name not in present]


def journal_mode(engine: Engine) -> str | None:
    """Return SQLite's journal mode, or None for another database."""
    if engine.dialect.name != "sqlite":
        return None
    with engine.connect() as connection:
        return connection.execute(text("PRAGMA journal_mode")).scalar()
