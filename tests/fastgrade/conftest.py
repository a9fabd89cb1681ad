"""A course for each test, and servers that are started once."""

import shutil

import nbformat
import pytest

from tests.fastgrade import postgres
from tests.fastgrade.classroom import CONFIG, Classroom, run_warm, source_notebook


@pytest.fixture(scope="session")
def released_course(tmp_path_factory):
    """The course after `nbgrader generate_assignment ps1`; copied for every test."""
    root = tmp_path_factory.mktemp("released")
    (root / "nbgrader_config.py").write_text(CONFIG)
    (root / "source" / "ps1").mkdir(parents=True)
    nbformat.write(source_notebook(), root / "source" / "ps1" / "arithmetic.ipynb")
    run_warm("nbgrader", "generate_assignment", "ps1", cwd=root)
    return root


@pytest.fixture
def classroom(released_course, tmp_path):
    """A course of its own for one test."""
    root = tmp_path / "course"
    shutil.copytree(released_course, root)
    return Classroom(root)


@pytest.fixture(scope="session")
def postgres_server():
    """A PostgreSQL server on loopback: its address, and what makes a database in it."""
    with postgres.server() as server:
        yield server
