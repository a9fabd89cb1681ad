"""What the site serves to run Python with, and a node that runs it without a browser."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import ROOT
from tests.book.built import SITE

HERE = Path(__file__).parent
PYTHON_MJS = HERE / "python.mjs"


def node(script: Path, *arguments: object, given: str = "") -> str:
    """Return what a script prints under the node that Playwright brings along."""
    from playwright._impl._driver import compute_driver_executable

    program = Path(compute_driver_executable()[0])
    if not program.exists():
        pytest.fail(f"{program} is missing: playwright's wheel brings it; run `make setup`")
    command = [str(program), str(script), *map(str, arguments)]
    done = subprocess.run(command, input=given, capture_output=True, text=True, cwd=ROOT)
    # A fault in Pyodide prints its script, a line of a million characters.
    assert done.returncode == 0, "\n".join(line[:500] for line in done.stderr.splitlines()[-20:])
    return done.stdout


@pytest.fixture(scope="session")
def live() -> Path:
    """The folder of the site with all that pages need to run Python, as it is now."""
    from regbook.live import assemble

    return assemble(SITE)


@pytest.fixture(scope="session")
def in_pyodide(live: Path) -> Callable[..., str]:
    """A function that runs a script under Pyodide and returns what it prints."""

    def run(script: Path, given: str = "") -> str:
        return node(PYTHON_MJS, live, script, given=given)

    return run
