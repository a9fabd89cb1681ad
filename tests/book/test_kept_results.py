"""Results ship with the book: a build finds them, says so, and computes what has changed."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from regbook import recompute
from regbook.kept_results import read_log
from regbook.recompute import compare
from sphinx.application import Sphinx
from sphinx.errors import ConfigError
from sphinx.util.docutils import docutils_namespace, patch_docutils

from reglib._result_cache import ResultCache
from tests import ROOT
from tests.book.built import undisturbed

PAGE = """\
---
file_format: mystnb
kernelspec:
  name: python3
---

# A page

```{code-cell} python3
from pathlib import Path

from reglib import experiments

FACTOR = 2

def score(seed, rate):
    with Path(COUNT).open("a") as file:
        file.write("once ")
    return FACTOR * seed + rate

frame = experiments.run(score, [{"rate": 0.5}], seeds=3)
experiments.state(total=f"{frame['score'].sum():.1f}")
```

Together {result}`total`.
"""


@pytest.fixture
def book(tmp_path, monkeypatch, capsys):
    """A function that builds a page: how often it computed, its text and what was printed."""
    source = tmp_path / "book"
    (source / "chapters").mkdir(parents=True)
    (source / "index.md").write_text("# A book\n\n```{toctree}\nchapters/one\n```\n")
    count = tmp_path / "count"

    def build(kernels="warm", change=lambda text: text, anew=True):
        monkeypatch.setenv("BOOK_KERNELS", kernels)
        page = change(PAGE.replace("COUNT", repr(str(count))))
        (source / "chapters" / "one.md").write_text(page, encoding="utf-8")
        if anew:
            shutil.rmtree(tmp_path / "_build", ignore_errors=True)
        count.write_text("")
        warnings = io.StringIO()
        with undisturbed(), patch_docutils(), docutils_namespace():
            app = Sphinx(
                srcdir=source,
                confdir=None,
                outdir=tmp_path / "_build" / "html",
                doctreedir=tmp_path / "_build" / ".doctrees",
                buildername="html",
                confoverrides={
                    "extensions": ["myst_nb", "regbook"],
                    "html_theme": "basic",
                    "nb_execution_mode": "cache",
                    "results_folder": "results",
                },
                status=None,
                warning=warnings,
            )
            app.build()
        assert not warnings.getvalue()
        html = (tmp_path / "_build" / "html" / "chapters" / "one.html").read_text("utf-8")
        total = re.search(r'Together <span class="result">([\d.]+)</span>', html)[1]
        return len(count.read_text().split()), total, capsys.readouterr().out.strip()

    build.results = source / "results" / "one"
    return build


@pytest.mark.parametrize("kernels", ["warm", "plain"])
def test_a_build_finds_the_results_of_another_and_says_so(book, kernels):
    assert book(kernels) == (
        3,
        "7.5",
        "chapters/one: kept results of 0 of 1 experiments; computed: score (3 of 3 runs)",
    )
    assert book(kernels) == (0, "7.5", "chapters/one: kept results of 1 of 1 experiments")


@pytest.mark.parametrize(
    ("old", "new", "computed", "total"),
    [
        ("FACTOR = 2", "FACTOR = 3", 3, "10.5"),
        ('"rate": 0.5', '"rate": 0.7', 3, "8.1"),
        ("seeds=3", "seeds=4", 1, "14.0"),
        ("Together", "Altogether: Together", 0, "7.5"),
        ("FACTOR = 2", "FACTOR = 2  # a comment\nOTHER = 3", 0, "7.5"),
    ],
)
def test_who_changes_a_number_in_a_cell_gets_a_fresh_run(book, old, new, computed, total):
    book()
    assert book(change=lambda text: text.replace(old, new))[:2] == (computed, total)
    assert book()[:2] == (0, "7.5")


def test_an_edit_of_the_text_inserts_what_the_cached_outputs_hold(book):
    book()
    shutil.rmtree(book.results)
    edit = "Altogether. Together"
    assert book(change=lambda text: text.replace("Together", edit), anew=False) == (0, "7.5", "")


def test_a_result_that_was_edited_is_not_believed(book):
    book()
    (path,) = book.results.glob("*.jsonl")
    path.write_text(path.read_text().replace('"score": 2.5', '"score": 9.5'))
    assert book() == (
        1,
        "7.5",
        "chapters/one: kept results of 0 of 1 experiments; "
        "computed: score (1 of 3 runs, 1 damaged)",
    )


def test_no_book_is_built_under_stress(book, monkeypatch):
    monkeypatch.setenv("REGLIB_STRESS", "1")
    with pytest.raises(ConfigError, match="not built under stress"):
        book()


# Compared with what was kept


@pytest.fixture
def folders(tmp_path):
    return tmp_path / "kept", tmp_path / "fresh"


def write(folder: Path, scores: dict[str, list[float]], function=None) -> None:
    cache = ResultCache(folder, function or write)
    for name, values in scores.items():
        for seed, value in enumerate(values):
            cache.put(name, {"name": name}, seed, [{"score": value, "other": 1.0}])


def told(folders) -> tuple[list[str], bool]:
    lines = list(compare(*folders))
    words = [re.sub(r"-[0-9a-f]{16}", "", line.strip()) for line, _ in lines]
    return words, any(beyond for _, beyond in lines)


def test_equal_results_are_the_same(folders):
    for folder in folders:
        write(folder, {"a": [1.0, 2.0], "b": [3.0]})
    assert told(folders) == (["write: 3 runs the same"], False)


def test_a_mean_may_move_by_half_its_standard_error(folders):
    write(folders[0], {"a": [1.0, 3.0], "b": [1.0]})
    write(folders[1], {"a": [1.9, 3.0], "b": [1.0]})
    assert told(folders) == (["write: 2 runs the same, 1 other"], False)


def test_a_mean_that_moves_further_is_told(folders):
    write(folders[0], {"a": [1.0, 3.0]})
    write(folders[1], {"a": [1.0, 4.2]})
    words, beyond = told(folders)
    assert words[1] == "a, score: its mean went from 2 to 2.6, with a standard error of 1"
    assert len(words) == 2
    assert beyond


def test_a_single_run_may_move_by_a_millionth(folders):
    write(folders[0], {"a": [1.0]})
    write(folders[1], {"a": [1.0 + 1e-7]})
    assert not told(folders)[1]
    write(folders[1], {"a": [1.0 + 1e-5]})
    assert told(folders)[1]


def test_a_result_that_is_no_longer_finite_is_told(folders):
    write(folders[0], {"a": [1.0, 2.0]})
    write(folders[1], {"a": [1.0, float("nan")]})
    words, beyond = told(folders)
    assert words[1] == "a, score: other seeds are finite"
    assert beyond


def test_what_is_new_or_no_longer_used_is_told(folders):
    write(folders[0], {"a": [1.0]})
    write(folders[0], {"a": [1.0, 2.0]}, told)
    write(folders[1], {"a": [1.0]}, compare)
    write(folders[1], {"a": [1.0], "b": [2.0]}, told)
    words, beyond = told(folders)
    assert words == [
        "compare: new",
        "told: 1 runs the same, 1 new, 1 removed",
        "write: nothing uses it any more, removed",
    ]
    assert not beyond


def test_all_is_computed_anew_and_what_nothing_uses_leaves(tmp_path, monkeypatch, capsys):
    chapter = tmp_path / "chapters" / "one.md"
    chapter.parent.mkdir()
    chapter.write_text(PAGE.replace("COUNT", repr(str(tmp_path / "count"))), encoding="utf-8")
    kept = tmp_path / "results"
    monkeypatch.setattr(recompute.cells, "BOOK", tmp_path)
    monkeypatch.setattr(recompute.cells, "BUILD", tmp_path / "_build")
    monkeypatch.setattr(recompute, "RESULTS", kept)
    write(kept / "one", {"stale": [1.0]})
    built = [tmp_path / "_build" / name for name in (".jupyter_cache", ".doctrees")]
    for folder in built:
        folder.mkdir(parents=True)
    for _ in range(2):
        assert recompute.main(["one"]) == 0
    out = capsys.readouterr().out
    assert "nothing uses it any more" in out
    assert "3 runs the same" in out
    assert (tmp_path / "count").read_text() == "once " * 6
    assert [path.name.partition("-")[0] for path in (kept / "one").iterdir()] == ["score"]
    assert not [folder for folder in built if folder.exists()]


def test_a_chapter_that_is_not_there_is_named_and_nothing_lost(capsys):
    assert recompute.main(["99-nothing"]) == 2
    assert "there is no chapter '99-nothing'; there are 00-overfitting, " in capsys.readouterr().err


def test_no_page_uses_other_results_than_are_kept(site):
    """`make experiments` removes what nothing uses any more."""
    runs = site.parent / "runs"
    logs = list(runs.rglob("*.jsonl"))
    assert logs
    for log in logs:
        used = {line["file"] for line in read_log(log)}
        kept = {path.name for path in (ROOT / "book" / "results" / log.stem).iterdir()}
        assert kept == used, log.relative_to(runs)


def test_what_was_computed_is_committed():
    """Otherwise whoever has a fresh clone computes it again."""
    if not (ROOT / ".git").exists():
        pytest.skip("the course is no repository here, so there is nothing to commit to")
    command = ["git", "status", "--porcelain", "--", "book/results"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == ""
