"""Temporary folders of owners that were killed are removed, and no others."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

pytest.importorskip("fcntl")

from warmfork.folders import PrivateFolder

OWNER = """
import sys, time
sys.path[:] = sys.argv[1:]
from warmfork.folders import PrivateFolder
print(PrivateFolder("test-").path, flush=True)
time.sleep(600)
"""


def test_only_a_folder_that_nobody_holds_is_swept(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    command = [sys.executable, "-c", OWNER, *filter(None, sys.path), os.getcwd()]
    owner = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    kept = PrivateFolder("test-")
    left = Path(owner.stdout.readline().strip())
    (left / "file").write_text("x")
    long_ago = time.time() - 1000
    for folder in (kept.path, left):
        os.utime(folder, (long_ago, long_ago))
    PrivateFolder("test-").close()
    assert left.exists()
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    PrivateFolder("test-").close()
    assert not left.exists()
    assert kept.path.exists()
    assert kept.path.stat().st_mode & 0o777 == 0o700
    kept.close()
    assert not kept.path.exists()
