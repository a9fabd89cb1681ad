"""An ordinary account of this machine, with a Python of its own, for as long as it is needed."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from fastgrade.sandbox.cgroups import hierarchy
from tests import ROOT

__all__ = ["Account", "account"]

NAME = "fastgrade-test"
TOOLS = ("useradd", "userdel", "setpriv", "unshare")


class Account:
    """An account whose programs see this project and Python's packages where it may read them.

    Parameters
    ----------
    place : Path
        A folder that any user may enter.
    """

    def __init__(self, place: Path):
        self.place = place
        home = place / "home"
        #: What is bound to what: an installation may lie where root alone can go.
        self._bound = {
            Path(sys.base_prefix): place / "python",
            Path(sysconfig.get_path("purelib")): place / "packages",
            ROOT: place / "project",
        }
        for folder in (home, *self._bound.values()):
            folder.mkdir()
        shutil.chown(home, NAME, NAME)
        self._environment = {
            "PATH": os.defpath,
            "HOME": str(home),
            "TMPDIR": str(home),
            "LD_LIBRARY_PATH": str(place / "python/lib"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
        }
        python = Path(os.path.realpath(sys.executable)).relative_to(sys.base_prefix)
        self._run(
            [str(place / "python" / python), "-m", "venv", "--without-pip", str(home / "own")]
        )
        own = home / "own/bin/python"
        code = "import sysconfig; print(sysconfig.get_path('purelib'))"
        packages = Path(self._run([str(own), "-c", code]).stdout.strip())
        lines = f"{place / 'packages'}\n{place / 'project'}\n"
        (packages / "project.pth").write_text(lines)
        self._python = str(own)

    def _run(self, command: Sequence[str], before: str = "") -> subprocess.CompletedProcess[str]:
        binds = "\n".join(f"mount --bind {old} {new}" for old, new in self._bound.items())
        script = f'set -e\n{binds}\n{before}\ncd {self.place / "project"}\nexec "$@"'
        drop = ["setpriv", "--reuid", NAME, "--regid", NAME, "--clear-groups"]
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", script, "sh", *drop, *command],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )

    def python(self, *arguments: str, delegated: bool = False) -> subprocess.CompletedProcess[str]:
        """Run the account's Python in the project, if asked in control groups that are its own."""
        before = ""
        for folder in self._groups() if delegated else ():
            files = f"{folder} {folder}/cgroup.procs"
            before += f"mkdir -p {folder}; chown {NAME} {files}; echo $$ > {folder}/cgroup.procs\n"
        return self._run([self._python, *arguments], before)

    def _groups(self) -> list[Path]:
        where = hierarchy()
        return [folder / NAME for folder in set(where.folders.values())] if where else []

    def close(self) -> None:
        """Remove its control groups."""
        for folder in self._groups():
            with contextlib.suppress(OSError):
                folder.rmdir()


@contextlib.contextmanager
def account() -> Iterator[Account]:
    """Make the account, and remove it with all that it has."""
    place = Path(tempfile.mkdtemp(prefix="fastgrade-account-", dir="/var/tmp"))
    place.chmod(0o755)
    shell = ["--shell", "/usr/sbin/nologin"]
    subprocess.run(["useradd", "--system", "--no-create-home", *shell, NAME], check=True)
    made = None
    try:
        made = Account(place)
        yield made
    finally:
        if made is not None:
            made.close()
        subprocess.run(["userdel", NAME], check=True)
        shutil.rmtree(place)
