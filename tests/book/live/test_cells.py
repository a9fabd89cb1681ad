"""Cells of a page that a reader can change and run."""

import shutil

import pytest
from regbook.cells import chapters
from regbook.live import folder
from regbook.live_cells import live_cells, of_page

from tests.book.built import served

PAGE = """---
file_format: mystnb
kernelspec:
  name: python3
---
# Cells

```{code-cell} ipython3
import numpy as np
import pandas as pd

n = 3
```

```{code-cell} ipython3
pd.Series([n])
```

```{code-cell} ipython3
---
tags: [hide-input]
---
np.arange(n)
```
"""


def test_at_least_half_of_the_cells_that_readers_see_run_in_the_page():
    shown = [cell for page in chapters() for cell in of_page(page) if cell.is_shown]
    live = [cell for cell in shown if not cell.lacks]
    assert 2 * len(live) >= len(shown) > 150


def test_what_needs_pandas_lacks_it_and_so_does_what_needs_that():
    cells = ["import pandas as pd", "x = 1\nt = pd.Series([x])", "t + 1", "x + 1", "t = 2", "t"]
    found = live_cells((source, ()) for source in cells)
    assert [cell.lacks for cell in found] == ["", "pandas", "pandas", "", "", ""]
    assert [cell.runs for cell in found] == ["", "x = 1", "", "x + 1", "t = 2", "t"]


@pytest.fixture(scope="module")
def address(build, live, tmp_path_factory):
    """The address of a site of one page with cells."""
    book = tmp_path_factory.mktemp("live")
    site = book / "_build" / "html"
    shutil.copytree(live, site / folder())
    build(PAGE, config={"live_python": True}, folder=book)
    with served(site) as address:
        yield address


@pytest.mark.browser
def test_a_reader_changes_a_cell_and_runs_it_after_those_above(address, visit):
    view = visit()
    page = view.open(f"{address}/index.html")
    assert not [url for url in view.addresses if "pyodide" in url or "cells/" in url]
    assert page.locator(".live-lacks").all_text_contents() == ["Not in the page: pandas"]
    cell = page.locator(".live-2")
    cell.get_by_role("button", name="Run it yourself").click()
    result = cell.locator(".live-result")
    result.get_by_text("array([0, 1, 2])").wait_for(timeout=120_000)
    cell.locator(".cm-content").fill("n + 4")
    page.keyboard.press("Shift+Enter")
    result.get_by_text("7", exact=True).wait_for(timeout=20_000)
    cell.locator(".cm-content").fill("n +\n1 / 0")
    cell.get_by_role("button", name="Run", exact=True).click()
    result.get_by_text("SyntaxError").wait_for(timeout=20_000)
    assert cell.locator(".failing-line").count() == 1
    # The favicon that a browser asks for is the only thing that this site has not.
    assert not [fault for fault in view.faults if fault.startswith("error:")]
    assert all(url.startswith(address) for url in view.addresses)


@pytest.mark.browser
def test_an_endless_loop_is_stopped_and_the_cells_above_run_again(address, visit):
    page = visit().open(f"{address}/index.html")
    cell = page.locator(".live-2")
    cell.get_by_role("button", name="Run it yourself").click()
    result = cell.locator(".live-result")
    result.get_by_text("array([0, 1, 2])").wait_for(timeout=120_000)
    cell.locator(".cm-content").fill("while True: pass")
    page.keyboard.press("Shift+Enter")
    cell.get_by_role("button", name="Stop").click()
    result.get_by_text("Stopped.").wait_for(timeout=20_000)
    cell.get_by_role("button", name="As it was").click()
    cell.get_by_role("button", name="Run", exact=True).click()
    result.get_by_text("array([0, 1, 2])").wait_for(timeout=120_000)


@pytest.mark.browser
def test_memory_that_is_there_is_had_and_a_page_come_back_to_runs_again(address, visit):
    page = visit().open(f"{address}/index.html")
    cell = page.locator(".live-2")
    result = cell.locator(".live-result")
    cell.get_by_role("button", name="Run it yourself").click()
    result.get_by_text("array([0, 1, 2])").wait_for(timeout=120_000)
    for source, expected in (
        ("int(np.ones(25_000_000).sum())", "25000000"),  # 200 MB
        ("np.ones(10**11)", "ran out of memory"),
    ):
        cell.locator(".cm-content").fill(source)
        page.keyboard.press("Shift+Enter")
        result.get_by_text(expected).first.wait_for(timeout=60_000)
    page.goto("about:blank")
    page.go_back()
    cell.get_by_role("button", name="Run").first.click()
    result.get_by_text("array([0, 1, 2])").wait_for(timeout=120_000)


@pytest.mark.browser
def test_a_page_from_a_file_says_how_to_serve_it(live, visit, tmp_path):
    page = tmp_path / "page.html"
    source = (live / "python.js").as_uri()
    page.write_text(f'<!doctype html><script src="{source}"></script>', encoding="utf-8")
    told = (
        visit()
        .open_plainly(page.as_uri())
        .evaluate("() => coursePython.start().catch((error) => [error.code, error.message])")
    )
    assert told[0] == "file"
    assert "make serve" in told[1]
