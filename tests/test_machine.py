"""What the tests need of the machine is brought, or the command that brings it is named."""

import os
import subprocess
import sys

import pytest

from tests import ROOT


def brought(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "tests.machine", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.mark.browser
def test_nothing_is_said_where_all_is_there():
    done = brought()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.browser
def test_what_cannot_be_brought_is_told_with_the_command_to_type(tmp_path):
    """No program is on the path and nobody answers: neither Debian's packages nor a download."""
    done = brought(
        PATH=str(tmp_path),
        PLAYWRIGHT_BROWSERS_PATH=str(tmp_path),
        PLAYWRIGHT_DOWNLOAD_HOST="http://127.0.0.1:9",
        PIP_INDEX_URL="http://127.0.0.1:9",
        PIP_RETRIES="0",
    )
    assert done.returncode == 1
    command = f"{sys.executable} -m playwright install chromium"
    assert f"Running {command}" in done.stdout
    assert "The tests need a browser" in done.stderr
    assert f"Please type: {command}" in done.stderr
    assert "There is no bubblewrap" in done.stdout, "which the tests can do without"


def test_a_python_that_can_make_environments_needs_nothing():
    done = brought("venv")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
