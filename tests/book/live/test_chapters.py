"""Every cell that a chapter offers to run does run in the page's Python."""

import json
from pathlib import Path

import pytest
from regbook.cells import chapters
from regbook.live_cells import of_page, plan

PAGES = {path.stem: plan(of_page(path)) for path in chapters()}


@pytest.mark.slow
def test_every_live_cell_of_every_chapter_runs(in_pyodide):
    script = Path(__file__).parent / "chapters.py"
    told = in_pyodide(script, given=json.dumps(PAGES)).splitlines()
    failed = {page: cells for page, cells in map(json.loads, told) if cells}
    assert len(told) == len(PAGES)
    assert failed == {}
