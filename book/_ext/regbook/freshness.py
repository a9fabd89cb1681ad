"""A chapter is executed again when what it imports has changed, and a failed build stays failed.

Jupyter's cache knows a chapter's cells and nothing of what they import; Sphinx forgets the
warnings of pages it does not read again. Both would let a stale or broken book pass.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from jupyter_cache import get_cache
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from regbook.execute import read_chapter
from reglib._sources import Library

LOGGER = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parents[3]
STAMPS = "imports.json"


def digest(paths: Iterable[Path]) -> str:
    """Return a hash of names and contents of files, in any order and wherever they lie."""
    total = hashlib.sha256()
    for path in sorted(paths):
        name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        total.update(name.as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def common_files() -> list[Path]:
    """Return what the outputs of every chapter depend on: the lock, the kernels, the drawing."""
    lock = ROOT / "requirements" / "course.txt"
    ours = [Path(__file__).with_name(name) for name in ("kernel.py", "figures.py", "inline_svg.py")]
    return [*ours, *([lock] if lock.exists() else [])]


def prepare(app: Sphinx, config: Config) -> None:
    """Make a change of those, or of this package, a change of configuration."""
    config.regbook_common = digest(common_files())
    config.regbook_code = digest(Path(__file__).parent.rglob("*.py"))


class Imports:
    """What the chapters that are about to be read import."""

    def __init__(self) -> None:
        self.files: dict[str, set[Path]] = {}

    def check(self, app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
        """Drop from the cache what was executed with other files than there are now."""
        settings = env.mystnb_config
        if settings.execution_mode != "cache":
            return
        library = Library(ROOT / "reglib")
        cache = get_cache(settings.execution_cache_path)
        path = Path(settings.execution_cache_path, STAMPS)
        stamps = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        for docname in docnames:
            chapter = read_chapter(env, docname, settings)
            if chapter is None:
                continue
            cells = [c.source for c in chapter.notebook.cells if c.cell_type == "code"]
            self.files[docname] = library.files("\n".join(cells))
            stamp = digest([*self.files[docname], *common_files()])
            _, key = cache.create_hashed_notebook(chapter.notebook)
            if stamps.get(key) != stamp:
                with suppress(KeyError):
                    cache.remove_cache(cache.match_cache_notebook(chapter.notebook).pk)
                    LOGGER.info("%s: what it imports has changed", docname)
            stamps[key] = stamp
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(stamps, indent=1), encoding="utf-8")

    def note(self, app: Sphinx, docname: str, source: list[str]) -> None:
        """Let Sphinx read a chapter again when one of its files has changed."""
        for path in self.files.get(docname, ()):
            app.env.note_dependency(str(path))


def forget_failure(app: Sphinx, exception: Exception | None) -> None:
    """Read every page again next time if this build warned, so that it warns again."""
    if exception is not None or app._warncount:
        Path(app.doctreedir, "environment.pickle").unlink(missing_ok=True)


def setup(app: Sphinx) -> None:
    """Register the two hashes as values that rebuild every page when they change."""
    imports = Imports()
    app.add_config_value("regbook_common", "", "env", str)
    app.add_config_value("regbook_code", "", "env", str)
    app.connect("config-inited", prepare)
    app.connect("env-before-read-docs", imports.check)
    app.connect("source-read", imports.note)
    app.connect("build-finished", forget_failure)
