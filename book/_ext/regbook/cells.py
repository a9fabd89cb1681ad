"""A chapter's own cells, executed outside of a build: to compute anew, or under stress."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from myst_nb.core.read import read_myst_markdown_notebook
from nbclient import NotebookClient
from nbformat import NotebookNode

from regbook.kernel import PROFILE

BOOK = Path(__file__).resolve().parents[2]
BUILD = BOOK.parent / "_build"
#: How a page with cells begins.
HEAD = "---\nfile_format: mystnb\n"


def chapters(names: Sequence[str] = ()) -> list[Path]:
    """Return the pages with cells, or those that are named, as in ``05-dropout``.

    Raises
    ------
    ValueError
        If there is no such chapter.
    """
    pages = [*sorted((BOOK / "chapters").glob("*.md")), *sorted(BOOK.glob("*.md"))]
    found = {path.stem: path for path in pages if path.read_text(encoding="utf-8").startswith(HEAD)}
    for name in names:
        if name not in found:
            raise ValueError(f"there is no chapter {name!r}; there are {', '.join(found)}")
    return [found[name] for name in names or found]


def read(path: Path) -> NotebookNode:
    """Return a chapter as a notebook, as the build reads it."""
    return read_myst_markdown_notebook(path.read_text(encoding="utf-8"), path=path)


def execute(
    notebook: NotebookNode, variables: Mapping[str, str], *, allow_errors: bool = False
) -> None:
    """Execute a notebook in a kernel of its own, in an empty folder, however long it takes.

    Raises
    ------
    CellExecutionError
        If a cell fails and errors are not allowed.
    """
    with TemporaryDirectory() as folder, TemporaryDirectory() as home:
        profile = Path(home, "profile_default", "ipython_kernel_config.py")
        profile.parent.mkdir()
        profile.write_text(PROFILE, encoding="utf-8")
        client = NotebookClient(
            notebook,
            timeout=None,
            allow_errors=allow_errors,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
        )
        client.execute(env={**os.environ, "IPYTHONDIR": home, **variables})
