"""Copy a gradebook from one database to another."""

from __future__ import annotations

from nbgrader import api
from sqlalchemy import Column, MetaData, String, Table, insert, inspect, select

from fastgrade.course.gradebook.database import GradebookError, open_engine, safe_url

COPY_ROWS = 5000


def copy_gradebook(source: str, target: str) -> dict[str, int]:
    """Copy a whole gradebook to another, empty database: from SQLite to PostgreSQL, say.

    Parameters
    ----------
    source, target : str
        Addresses of the two databases.

    Returns
    -------
    dict of str to int
        The number of rows copied, by table.

    Raises
    ------
    GradebookError
        If the source is no gradebook, or the target already holds one.
    """
    reading, writing = open_engine(source), open_engine(target)
    version = Table("alembic_version", MetaData(), Column("version_num", String(32)))
    try:
        if not inspect(reading).has_table("assignment"):
            raise GradebookError(f"no gradebook at {safe_url(source)}")
        if inspect(writing).get_table_names():
            raise GradebookError(f"database {safe_url(target)} is not empty")
        copied = {}
        with reading.connect() as old, writing.begin() as new:
            for table in (*api.Base.metadata.sorted_tables, version):
                table.create(new)
                copied[table.name] = 0
                for some in old.execute(select(table)).mappings().partitions(COPY_ROWS):
                    new.execute(insert(table), [dict(row) for row in some])
                    copied[table.name] += len(some)
        return copied
    finally:
        reading.dispose()
        writing.dispose()
