"""The vendored runtime is what others published, and its bytecode is what that compiles to."""

import hashlib
import json
import lzma
import zipfile

from regbook.live import ARCHIVES, VENDOR, packed, served, wheel

from tests.book.live.conftest import node

LOCK = json.loads((VENDOR / "pyodide" / "pyodide-lock.json").read_text(encoding="utf-8"))


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_wheel_is_the_official_one():
    official = {one["file_name"]: one["sha256"] for one in LOCK["packages"].values()}
    wheels = sorted(VENDOR.glob("wheels/*"))
    assert len(wheels) == sum(map(len, ARCHIVES.values()))
    for path in wheels:
        assert sha256(path) == official[path.name], path.name


def test_every_file_of_the_core_has_the_hash_that_was_noted_when_it_came():
    lines = (VENDOR / "pyodide" / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    noted = dict(reversed(line.split()) for line in lines)
    present = {path.name for path in VENDOR.glob("pyodide/*")} - {"SHA256SUMS"}
    assert noted == {name: sha256(VENDOR / "pyodide" / name) for name in present}


def test_the_bytecode_is_what_the_runtime_compiles(tmp_path):
    made = tmp_path / "compiled.tar"
    node(VENDOR / "compile.mjs", made)
    kept = lzma.decompress((VENDOR / "compiled.tar.xz").read_bytes())
    assert hashlib.sha256(made.read_bytes()).digest() == hashlib.sha256(kept).digest()


def test_a_served_archive_has_each_module_as_bytecode_and_is_the_same_each_time():
    files = served(wheel("numpy"))
    with zipfile.ZipFile(wheel("numpy")) as archive:
        modules = {name for name in archive.namelist() if name.endswith(".py")}
    assert {f"{name}c" for name in modules if "/tests/" not in name} >= {
        name for name in files if name.endswith(".pyc")
    }
    assert "numpy/__init__.pyc" in files
    assert not any(name.endswith((".py", ".pyi", ".h")) for name in files)
    assert packed(files) == packed(dict(reversed(files.items())))


def test_what_is_loaded_first_is_light_enough(live):
    import gzip

    first = ("pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "stdlib.zip", "numpy.zip")
    sizes = {
        name: len(gzip.compress((live / name).read_bytes())) for name in (*first, "reglib.zip")
    }
    assert sum(sizes.values()) < 12e6, sizes


def test_licenses_and_sources_of_everything_vendored_are_named():
    told = (VENDOR / "README.md").read_text(encoding="utf-8").lower().replace("-", "_")
    for path in VENDOR.glob("wheels/*"):
        name, version = path.name.split("-")[:2]
        assert any(name in line and version in line for line in told.splitlines()), path.name
    for name in ("Pyodide-MPL-2.0.txt", "Python-PSF-2.0.txt"):
        assert (VENDOR / "licenses" / name).stat().st_size > 10_000
