"""A book is never stale: a change of what a chapter imports executes it again, a warning stays."""

from __future__ import annotations

import io
import json
import re
import shutil
from pathlib import Path

import pytest
from regbook import freshness
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from reglib._sources import Library
from tests import ROOT
from tests.book.built import undisturbed

CHAPTER = """\
---
file_format: mystnb
kernelspec:
  name: python3
---

# A chapter

```{code-cell} python3
import uuid
IMPORTS
print(uuid.uuid4())
```
"""
#: A library that is imported in each of the ways there are, and what nobody imports.
LIBRARY = {
    "__init__.py": "def __getattr__(name): ...\n",
    "layers/__init__.py": "from reglib.layers.base import Layer as Layer\n",
    "layers/base.py": "class Layer: ...\n",
    "experiments.py": "def run():\n    from reglib import datasets\n",
    "datasets.py": "",
    "textbook/__init__.py": "def __getattr__(name): ...\n",
    "textbook/l2.py": "from ._checks import check\n",
    "textbook/_checks.py": "def check(): ...\n",
    "textbook/dropout.py": "def dropout_forward(): ...\n",
    "exercises/__init__.py": "",
    "exercises/l2.py": "from reglib import textbook\n",
}


def write_library(root: Path) -> None:
    for name, text in LIBRARY.items():
        path = root / "reglib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def change(root: Path, name: str) -> None:
    with (root / "reglib" / name).open("a", encoding="utf-8") as file:
        file.write("# changed\n")


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A function that builds a small book, and gives what its cell printed and the warnings."""
    root = tmp_path / "project"
    write_library(root)
    source = root / "book"
    source.mkdir()
    monkeypatch.setattr(freshness, "ROOT", root)

    def build(imports: str = "", more: str = "") -> tuple[str, str]:
        text = CHAPTER.replace("IMPORTS", imports) + more
        page = source / "index.md"
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")
        warnings = io.StringIO()
        with undisturbed(), patch_docutils(), docutils_namespace():
            app = Sphinx(
                srcdir=source,
                confdir=None,
                outdir=root / "_build" / "html",
                doctreedir=root / "_build" / ".doctrees",
                buildername="html",
                confoverrides={
                    "extensions": ["myst_nb", "regbook"],
                    "html_theme": "basic",
                    "nb_execution_mode": "cache",
                },
                status=None,
                warning=warnings,
            )
            app.build()
        published = root / "_build" / "html" / "notebooks" / "index.ipynb"
        cells = json.loads(published.read_text(encoding="utf-8"))["cells"]
        (printed,) = [cell["outputs"][0]["text"] for cell in cells if cell["cell_type"] == "code"]
        return "".join(printed).strip(), warnings.getvalue()

    build.root = root
    return build


# The chapter fails where its own small library is not installed, so these name it in functions.
LAYERS = "def use():\n    from reglib import layers"


def test_a_chapter_is_executed_again_only_when_what_it_imports_has_changed(book):
    first, _ = book(LAYERS)
    assert book(LAYERS)[0] == first
    change(book.root, "layers/base.py")
    second, _ = book(LAYERS)
    assert second != first
    assert book(LAYERS)[0] == second


def test_a_change_of_what_a_chapter_does_not_import_executes_nothing(book):
    first, _ = book(LAYERS)
    for name in ("exercises/l2.py", "experiments.py", "datasets.py", "textbook/l2.py"):
        change(book.root, name)
    assert book(LAYERS)[0] == first


def test_a_change_counts_after_the_pages_were_thrown_away_too(book):
    first, _ = book(LAYERS)
    for name in ("html", ".doctrees"):
        shutil.rmtree(book.root / "_build" / name)
    change(book.root, "layers/base.py")
    assert book(LAYERS)[0] != first


def test_cells_that_are_taken_back_bring_no_stale_outputs_with_them(book):
    first, _ = book(LAYERS)
    book(LAYERS + "  # edited")
    change(book.root, "layers/base.py")
    book(LAYERS + "  # edited")
    assert book(LAYERS)[0] != first


def test_prose_can_change_without_execution_and_the_download_keeps_its_outputs(book):
    first, _ = book()
    assert book(more="\nMore words.\n")[0] == first
    shutil.rmtree(book.root / "_build" / "html")
    shutil.rmtree(book.root / "_build" / ".doctrees")
    assert book(more="\nMore words.\n")[0] == first


def test_a_warning_comes_back_until_it_is_cured(book):
    wrong = "\n{ref}`nowhere`\n"
    assert "nowhere" in book(more=wrong)[1]
    assert "nowhere" in book(more=wrong)[1]
    assert not book()[1]


TEXTBOOK = "textbook/__init__ textbook/l2 textbook/_checks"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import numpy", ""),
        ("from reglib import layers", "__init__ layers/__init__ layers/base"),
        ("from reglib.layers import Layer", "__init__ layers/__init__ layers/base"),
        ("import reglib.layers as l", "__init__ layers/__init__ layers/base"),
        ("from reglib.experiments import run", "__init__ experiments datasets"),
        (
            "from reglib.textbook import l2",
            "__init__ textbook/__init__ textbook/l2 textbook/_checks",
        ),
        (
            "from reglib.textbook import dropout_forward",
            "__init__ textbook/__init__ textbook/dropout",
        ),
        (
            "from reglib.textbook import looked_up",
            "__init__ textbook/__init__ textbook/l2 textbook/_checks textbook/dropout",
        ),
        (
            "from reglib import textbook",
            "__init__ textbook/__init__ textbook/l2 textbook/_checks textbook/dropout",
        ),
        ("if x:\n    import reglib.datasets as d", "__init__ datasets"),
    ],
)
def test_what_a_chapter_imports_is_followed_to_the_end(tmp_path, code, expected):
    write_library(tmp_path)
    files = Library(tmp_path / "reglib").files(code)
    assert files == {tmp_path / "reglib" / f"{name}.py" for name in expected.split()}


@pytest.mark.parametrize("code", ["import reglib", "import reglib.layers", "%run something"])
def test_where_the_source_does_not_tell_everything_counts(tmp_path, code):
    write_library(tmp_path)
    files = Library(tmp_path / "reglib").files(code)
    assert files == {tmp_path / "reglib" / name for name in LIBRARY}


def test_data_beside_the_modules_counts(tmp_path):
    write_library(tmp_path)
    data = tmp_path / "reglib" / "digits.npz"
    data.touch()
    assert data in Library(tmp_path / "reglib").files("from reglib import datasets")


@pytest.mark.parametrize("name", ["02-l2", "05-dropout", "review"])
def test_no_chapter_waits_for_an_exercise(name):
    text = (ROOT / "book" / "chapters" / f"{name}.md").read_text(encoding="utf-8")
    cells = re.findall(r"```\{code-cell\}[^\n]*\n(?:---.*?---\n)?(.*?)```", text, re.DOTALL)
    files = {path.relative_to(ROOT) for path in Library(ROOT / "reglib").files("\n".join(cells))}
    assert Path("reglib/layers/base.py") in files
    assert not [path for path in files if path.is_relative_to("reglib/exercises")]


def test_a_digest_depends_on_names_and_contents_and_not_on_order(tmp_path):
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("1", encoding="utf-8")
    two.write_text("2", encoding="utf-8")
    before = freshness.digest([one, two])
    assert freshness.digest([two, one]) == before
    one.write_text("2", encoding="utf-8")
    assert freshness.digest([one, two]) != before


def test_the_lock_counts_for_every_chapter():
    assert ROOT / "requirements" / "course.txt" in freshness.common_files()
