"""Chapters are executed beside Sphinx, with the outputs that MyST-NB would have got."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from regbook import execute, warm
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.docutils import docutils_namespace, patch_docutils

from tests.book.built import undisturbed

HEAD = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n\n"
PAGE = HEAD + "# {title}\n\n```{{code-cell}} python3\n{code}\n```\n"


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A function that builds pages and gives what their cells printed and the build's log.

    Its ``hooks`` are functions by the event that Sphinx is to call them at.
    """
    for name in ("JUPYTER_DEFAULT_PROVISIONER_NAME", "FASTGRADE_PRELOAD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(warm, "PRELOAD", ("matplotlib.pyplot",))
    source = tmp_path / "book"
    source.mkdir()
    hooks: dict[str, Callable[..., None]] = {}

    def build(kernels: str, **cells: str) -> tuple[dict[str, str], str]:
        monkeypatch.setenv("BOOK_KERNELS", kernels)
        toctree = "\n".join(cells)
        index = f"# A book\n\n```{{toctree}}\n{toctree}\n```\n"
        (source / "index.md").write_text(index, encoding="utf-8")
        for name, code in cells.items():
            page = PAGE.format(title=name, code=code)
            (source / f"{name}.md").write_text(page, encoding="utf-8")
        log = io.StringIO()
        out = tmp_path / f"build-{kernels}"
        with undisturbed(), patch_docutils(), docutils_namespace():
            app = Sphinx(
                srcdir=source,
                confdir=None,
                outdir=out / "html",
                doctreedir=out / ".doctrees",
                buildername="html",
                confoverrides={
                    "extensions": ["myst_nb", "regbook"],
                    "html_theme": "basic",
                    "nb_execution_mode": "cache",
                    "nb_execution_in_temp": True,
                },
                status=log,
                warning=log,
            )
            for event, function in hooks.items():
                app.connect(event, function)
            app.build()
        printed = {}
        for name in cells:
            notebook = json.loads((out / "html" / "notebooks" / f"{name}.ipynb").read_text())
            outputs = [o for c in notebook["cells"] for o in c.get("outputs", [])]
            # In one piece, since a busy kernel sends what is printed in several.
            text = "".join("".join(o.get("text", [])) for o in outputs)
            others = [o.get("data", {}).get("image/png", o["output_type"]) for o in outputs]
            printed[name] = json.dumps([text, *(o for o in others if o != "stream")])
        return printed, re.sub(r"\x1b\[[0-9;]*m", "", log.getvalue())

    build.hooks = hooks
    return build


MEET = """\
import time
from pathlib import Path

here = Path({folder!r})
here.joinpath({mine!r}).touch()
end = time.monotonic() + 60
while not here.joinpath({other!r}).exists() and time.monotonic() < end:
    time.sleep(0.05)
print("met" if here.joinpath({other!r}).exists() else "alone")
"""


def test_chapters_run_side_by_side(book, tmp_path):
    """Each waits for the other, which one after the other could not."""
    one, two = (
        MEET.format(folder=str(tmp_path), mine=mine, other=other)
        for mine, other in (("first", "second"), ("second", "first"))
    )
    printed, log = book("warm", one=one, two=two)
    assert all("met" in text for text in printed.values())
    assert "executed 2 chapters" in log


def test_other_pages_are_read_while_a_chapter_runs(book, tmp_path):
    """The chapter waits for the reading of a page that would have come after it."""
    book.hooks["source-read"] = lambda app, name, source: tmp_path.joinpath(name).touch()
    code = MEET.format(folder=str(tmp_path), mine="chapter", other="index")
    printed, _ = book("warm", a_chapter=code)
    assert "met" in printed["a_chapter"]


def test_nothing_runs_on_when_a_build_is_broken_off(book):
    def stop(app, name, source):
        raise RuntimeError("broken off")

    book.hooks["source-read"] = stop
    before = set(threading.enumerate())
    with pytest.raises(ExtensionError, match="broken off"):
        book("warm", chapter="import time\ntime.sleep(3600)")
    left = [thread for thread in threading.enumerate() if thread not in before]
    assert not [thread for thread in left if "run_forever" in thread.name]


def test_pages_are_written_by_several_processes_and_their_warnings_are_heard(book, tmp_path):
    def remember(app, page, *_):
        tmp_path.joinpath(f"{page.replace('/', '-')}.pid").write_text(str(os.getpid()))
        if page == "two":
            logging.getLogger("sphinx.test").warning("something about %s", page)

    book.hooks["html-page-context"] = remember
    _, log = book("warm", one="1", two="2", three="3")
    writers = {tmp_path.joinpath(f"{page}.pid").read_text() for page in ("one", "two", "three")}
    assert str(os.getpid()) not in writers
    assert "something about two" in log


def test_outputs_are_those_of_plain_kernels_one_by_one(book):
    code = (
        "import os\nimport matplotlib.pyplot as plt\nprint(os.listdir(), 2**0.5)\n"
        "plt.figure(figsize=(2, 1))\nplt.plot([1, 2]);"
    )
    warm, log = book("warm", one=code)
    plain, other = book("plain", one=code)
    assert warm == plain
    assert "executed 1 chapters" in log
    assert "executed 1 chapters" not in other


def test_a_chapter_that_fails_is_reported_by_name_and_stops_no_other(book):
    printed, log = book("warm", good="print('fine')", bad="1 / 0")
    assert "bad.md" in log
    assert "Executing notebook failed: CellExecutionError" in log
    assert "fine" in printed["good"]


STUMBLES = """\
import os, runpy, sys
from pathlib import Path

try:
    Path(__file__).with_suffix(".first").touch(exist_ok=False)
except FileExistsError:
    runpy.run_module("ipykernel_launcher", run_name="__main__")
else:
    os._exit(1)
"""


def test_a_chapter_whose_kernel_does_not_start_is_left_to_myst_nb(book, tmp_path, monkeypatch):
    launcher = tmp_path / "stumbles.py"
    launcher.write_text(STUMBLES, encoding="utf-8")
    specification = tmp_path / "kernels" / "python3" / "kernel.json"
    specification.parent.mkdir(parents=True)
    command = [sys.executable, str(launcher), "-f", "{connection_file}"]
    described = {"argv": command, "display_name": "Stumbles", "language": "python"}
    specification.write_text(json.dumps(described), encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    printed, log = book("warm", one="print('fine')")
    assert "fine" in printed["one"]
    assert "one.md stopped with RuntimeError" in log
    assert "executed 1 chapters" not in log


def test_what_the_cache_knows_is_not_executed_again(book):
    code = "import uuid\nprint(uuid.uuid4())"
    first, _ = book("warm", one=code)
    second, log = book("warm", one=code)
    assert second == first
    assert "executed" not in log


@pytest.mark.parametrize("name", warm.PRELOAD)
def test_what_is_imported_ahead_exists(name):
    assert importlib.import_module(name)


def test_a_choice_of_the_environment_is_respected(monkeypatch, tmp_path):
    monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", "local-provisioner")
    monkeypatch.setenv("FASTGRADE_PRELOAD", "")
    monkeypatch.setenv("BOOK_KERNELS", "")
    config = SimpleNamespace(nb_execution_cache_path=tmp_path)
    execute.choose_kernels(None, config)
    assert os.environ["JUPYTER_DEFAULT_PROVISIONER_NAME"] == "local-provisioner"


def test_the_collector_rests_during_a_build_and_works_again_after_it(book):
    seen = []
    book.hooks["source-read"] = lambda *_: seen.append(gc.isenabled())
    book("warm", one="1")
    assert seen
    assert not any(seen)
    assert gc.isenabled()


def test_a_plain_build_leaves_the_collector_and_the_writing_alone(book):
    seen = []
    book.hooks["source-read"] = lambda *_: seen.append(gc.isenabled())
    book.hooks["html-page-context"] = lambda *_: seen.append(os.getpid() == this)
    this = os.getpid()
    book("plain", one="1")
    assert len(seen) >= 4
    assert all(seen)


def test_chapters_are_read_in_the_order_in_which_they_are_begun(book):
    read = []
    book.hooks["source-read"] = lambda app, name, source: read.append(name)
    book("warm", short="1", longest="2" * 300, longer="3" * 200)
    assert read == ["index", "longest", "longer", "short"]


def test_kernels_are_chosen_before_there_is_a_sphinx():
    code = "import sys, regbook.warm; print(sorted({'sphinx', 'nbclient'} & set(sys.modules)))"
    folder = Path(execute.__file__).parents[1]
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == "[]\n"


@pytest.mark.parametrize(
    ("arguments", "folder"),
    [
        ([], Path(execute.__file__).parents[3] / "_build"),
        (["-W", "--path-output", "there"], Path("there/_build")),
        (["--path-output=there", "-q"], Path("there/_build")),
    ],
)
def test_the_head_start_looks_for_results_where_the_build_puts_them(arguments, folder):
    path = Path(execute.__file__).parents[2] / "build.py"
    specification = importlib.util.spec_from_file_location("build_the_book", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    assert module.build_folder(arguments) == folder
