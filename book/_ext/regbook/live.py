"""Python for the pages, and the scripts that use it: what the site has in ``_static/live/VERSION``.

The runtime is vendored in ``book/_live/vendor`` as it was published, with the bytecode of its
Python files beside it. What is served has the bytecode in place of the files, without tests and
headers; the library is packed as it is at the time.

The version is a hash of all that the folder is made from. Files in it never change, so that hosts
and browsers may keep them, and no page gets a script of another version than its own.
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import re
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

from sphinx.application import Sphinx

BOOK = Path(__file__).resolve().parents[2]
SOURCE = BOOK / "_live"
VENDOR = SOURCE / "vendor"
PLACE = "_static/live"
SITE_PACKAGES = "/lib/python3.12/site-packages"
VERSIONED = re.compile(rf"{PLACE}/[0-9a-f]{{16}}/")
KEEPER = "service-worker.js"
CORE = ("pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm")
#: Archives for the browser, and the wheels that they are made of.
ARCHIVES = {
    "numpy.zip": ("numpy",),
    "matplotlib.zip": (
        "matplotlib",
        "contourpy",
        "cycler",
        "kiwisolver",
        "packaging",
        "pillow",
        "pyparsing",
        "python_dateutil",
        "six",
    ),
}
LIBRARY = "reglib.zip"
#: Packages that are fetched when they are first imported.
ON_DEMAND = {
    "matplotlib": "matplotlib.zip",
    "mpl_toolkits": "matplotlib.zip",
    "PIL": "matplotlib.zip",
}
#: What no import needs.
UNUSED = ("/tests/", "/sample_data/", "/include/", "/f2py/", "/_pyinstaller/")
UNUSED_ENDS = (".pyi", ".h", ".a", ".c", ".pxd", ".ini.in", ".build")
#: The wheel's list of fonts, which saves looking through them: its number is that of a later
#: matplotlib, so that this one would not take it.
FONTS = "matplotlib/fontlist.json"
FONTS_VERSION = (b'"_version": 390', b'"_version": 330')
#: Of the book's own code, what draws figures for the page.
DRAWING = ("__init__.py", "figures.py", "inline_svg.py")
EARLIEST = (1980, 1, 1, 0, 0, 0)


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return a zip of the files, the same bytes for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            archive.writestr(
                zipfile.ZipInfo(name, EARLIEST), files[name], zipfile.ZIP_DEFLATED, compresslevel=9
            )
    return buffer.getvalue()


@cache
def bytecode() -> dict[str, dict[str, bytes]]:
    """Return the compiled modules of each vendored archive, by the archive's and their name."""
    found: dict[str, dict[str, bytes]] = {}
    with tarfile.open(
        fileobj=io.BytesIO(lzma.decompress((VENDOR / "compiled.tar.xz").read_bytes()))
    ) as tar:
        for member in tar:
            archive, _, name = member.name.partition("/")
            found.setdefault(archive, {})[name] = tar.extractfile(member).read()  # type: ignore[union-attr]
    return found


def served(path: Path) -> dict[str, bytes]:
    """Return the files of a vendored archive as a browser gets them."""
    modules = bytecode()[path.name.split("-")[0]]
    with zipfile.ZipFile(path) as archive:
        kept = {
            name: archive.read(name)
            for name in archive.namelist()
            if not name.endswith(("/", ".py", *UNUSED_ENDS)) and not unused(name)
        }
    if FONTS in kept:
        kept[FONTS] = kept[FONTS].replace(*FONTS_VERSION)
    return kept | {name: content for name, content in modules.items() if not unused(name)}


def unused(name: str) -> bool:
    """Return whether a file of an archive serves nobody in a browser."""
    return any(part in f"/{name}" for part in UNUSED)


def wheel(name: str) -> Path:
    """Return the vendored wheel of a distribution."""
    (path,) = VENDOR.glob(f"wheels/{name}-*.whl")
    return path


def scripts() -> list[Path]:
    """Return the scripts, styles and licences for pages and their worker."""
    return sorted(
        path
        for path in (*SOURCE.glob("*"), *SOURCE.glob("exercise/*"))
        if path.suffix in (".js", ".css", ".txt") and path.name != KEEPER
    )


def library_files() -> dict[str, Path]:
    """Return reglib, the session and what draws figures, by their names in an archive."""
    root = BOOK.parent
    files = {
        path.relative_to(root).as_posix(): path
        for path in root.glob("reglib/**/*")
        if path.is_file() and path.suffix != ".pyc" and "skeleton" not in path.parts
    }
    files |= {path.name: path for path in SOURCE.glob("*.py")}
    return files | {f"regbook/{name}": BOOK / "_ext" / "regbook" / name for name in DRAWING}


@cache
def version() -> str:
    """Return the hash of all that is served, by what it is made from."""
    vendored = sorted(path for path in VENDOR.rglob("*") if path.is_file())
    content = hashlib.sha256()
    for path in (Path(__file__), *vendored, *scripts()):
        content.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    for name, path in sorted(library_files().items()):
        content.update(name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return content.hexdigest()[:16]


def folder() -> str:
    """Return the folder of this version, from the site's root."""
    return f"{PLACE}/{version()}"


def write(path: Path, made_from: Iterable[Path], make: Callable[[], bytes]) -> None:
    """Write a file unless it is newer than all that it is made from."""
    newest = max(source.stat().st_mtime for source in (*made_from, Path(__file__)))
    if not path.exists() or path.stat().st_mtime < newest:
        path.write_bytes(make())


def assemble(site: Path) -> Path:
    """Write all that pages need to run Python below a site, and return the folder of this version.

    What an older version had and this one has too is taken over, and the rest removed.
    """
    target = site / folder()
    for old in sorted(site.glob(f"{PLACE}/*")):
        if not target.exists() and (old / "stdlib.zip").exists():
            old.rename(target)
        elif old != target:
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    target.mkdir(parents=True, exist_ok=True)
    copies = [*scripts(), *(VENDOR / "pyodide" / name for name in CORE)]
    for path in copies:
        shutil.copyfile(path, target / path.name)
    compiled = VENDOR / "compiled.tar.xz"
    stdlib = VENDOR / "pyodide" / "python_stdlib.zip"
    write(target / "stdlib.zip", [compiled, stdlib], lambda: packed(served(stdlib)))
    for name, wheels in ARCHIVES.items():
        sources = [wheel(one) for one in wheels]
        write(target / name, [compiled, *sources], lambda: packed(merged(sources)))  # noqa: B023
    bytecode.cache_clear()
    library = {name: path.read_bytes() for name, path in library_files().items()}
    (target / LIBRARY).write_bytes(packed(library))
    lock = json.loads((VENDOR / "pyodide" / "pyodide-lock.json").read_text(encoding="utf-8"))
    # Packages come from our archives: the browser needs of the lock what names the build.
    lock["packages"] = {}
    (target / "lock.json").write_text(json.dumps(lock), encoding="utf-8")
    (target / "files.json").write_text(json.dumps(manifest(target), indent=1), encoding="utf-8")
    names = {path.name for path in copies} | {"stdlib.zip", LIBRARY, "lock.json", "files.json"}
    for path in target.iterdir():
        if path.name not in names | ARCHIVES.keys():
            path.unlink()
    ask_for_this_version(site)
    return target


def ask_for_this_version(site: Path) -> None:
    """Let pages that a build did not have to write ask for this version, too."""
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        if any(found != f"{folder()}/" for found in VERSIONED.findall(text)):
            path.write_text(VERSIONED.sub(f"{folder()}/", text), encoding="utf-8")


def merged(wheels: Iterable[Path]) -> dict[str, bytes]:
    """Return the files of several wheels as a browser gets them."""
    files: dict[str, bytes] = {}
    for path in wheels:
        files |= served(path)
    return files


def manifest(target: Path) -> dict[str, object]:
    """Return what the worker must know: the archives, and how many bytes come first."""
    first = ["numpy.zip", LIBRARY]
    counted = ["pyodide.asm.wasm", "stdlib.zip", "lock.json", *first]
    return {
        "sitePackages": SITE_PACKAGES,
        "first": first,
        "onDemand": ON_DEMAND,
        "total": sum((target / name).stat().st_size for name in counted),
    }


def offer(app: Sphinx, exception: Exception | None) -> None:
    """Put the runtime beside the pages, if there are pages and the site is to have it."""
    if exception is not None or app.builder.format != "html" or not app.config.live_python:
        return
    site = Path(app.outdir)
    assemble(site)
    # At the root: a worker keeps what lies beside and below it.
    shutil.copyfile(SOURCE / KEEPER, site / KEEPER)


def setup(app: Sphinx) -> None:
    """Register the copies."""
    app.add_config_value("live_python", False, "html", bool)
    app.connect("build-finished", offer)
