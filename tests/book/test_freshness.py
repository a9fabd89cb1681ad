"""A book is never stale: a change of what a chapter imports executes it again, a warning stays."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest
from regbook import freshness
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

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
print(uuid.uuid4())
```
"""


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A function that builds a small book and gives what its cell printed and the warnings."""
    root = tmp_path / "project"
    (root / "reglib").mkdir(parents=True)
    (root / "reglib" / "layers.py").write_text("rate = 0.5\n", encoding="utf-8")
    source = root / "book"
    source.mkdir()
    (source / "index.md").write_text(CHAPTER, encoding="utf-8")
    files = freshness.imported_files
    monkeypatch.setattr(freshness, "imported_files", lambda: files(root))

    def build() -> tuple[str, str]:
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


def test_a_chapter_is_executed_again_only_when_what_it_imports_has_changed(book):
    first, _ = book()
    assert book()[0] == first
    (book.root / "reglib" / "layers.py").write_text("rate = 0.4\n", encoding="utf-8")
    second, _ = book()
    assert second != first
    assert book()[0] == second


def test_prose_can_change_without_execution_and_the_download_keeps_its_outputs(book):
    first, _ = book()
    page = book.root / "book" / "index.md"
    page.write_text(CHAPTER + "\nMore words.\n", encoding="utf-8")
    assert book()[0] == first
    shutil.rmtree(book.root / "_build" / "html")
    shutil.rmtree(book.root / "_build" / ".doctrees")
    assert book()[0] == first


def test_a_warning_comes_back_until_it_is_cured(book):
    page = book.root / "book" / "index.md"
    page.write_text(CHAPTER + "\n{ref}`nowhere`\n", encoding="utf-8")
    assert "nowhere" in book()[1]
    assert "nowhere" in book()[1]
    page.write_text(CHAPTER, encoding="utf-8")
    assert not book()[1]


def test_a_digest_depends_on_names_and_contents_and_not_on_order(tmp_path):
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("1", encoding="utf-8")
    two.write_text("2", encoding="utf-8")
    before = freshness.digest([one, two])
    assert freshness.digest([two, one]) == before
    one.write_text("2", encoding="utf-8")
    assert freshness.digest([one, two]) != before


def test_everything_in_the_library_and_the_lock_counts():
    names = {path.relative_to(freshness.ROOT).as_posix() for path in freshness.imported_files()}
    assert {"reglib/__init__.py", "reglib/layers/base.py", "requirements/course.txt"} <= names
    assert all(Path(freshness.ROOT, name).exists() for name in names)
