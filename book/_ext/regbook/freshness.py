"""Chapters are executed again when what they import has changed, and a failed build stays failed.

Jupyter's cache knows a chapter's cells and nothing of what they import; Sphinx forgets the
warnings of pages it does not read again. Both would let a stale or broken book pass.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parents[3]
STAMP = "imports.sha256"


def digest(paths: Iterable[Path]) -> str:
    """Return a hash of the files' names and contents, whatever the order they come in."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(path.as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def imported_files(root: Path = ROOT) -> list[Path]:
    """Return what outputs depend on: reglib's modules, the lock, and the kernels' profile."""
    return [
        Path(__file__).parent / "kernel.py",
        *(path for path in root.joinpath("reglib").rglob("*.py")),
        *(path for path in [root / "requirements" / "course.txt"] if path.exists()),
    ]


def prepare(app: Sphinx, config: Config) -> None:
    """Make a change of imports, or of this package, a change of configuration."""
    config.regbook_imports = digest(imported_files())
    config.regbook_code = digest(Path(__file__).parent.rglob("*.py"))
    cache = Path(config.nb_execution_cache_path or Path(app.outdir).parent / ".jupyter_cache")
    stamp = cache / STAMP
    if cache.exists() and (
        not stamp.exists() or stamp.read_text(encoding="utf-8") != config.regbook_imports
    ):
        LOGGER.info("reglib or the lock has changed: every chapter will be executed again")
        shutil.rmtree(cache)
    cache.mkdir(parents=True, exist_ok=True)
    stamp.write_text(config.regbook_imports, encoding="utf-8")


def forget_failure(app: Sphinx, exception: Exception | None) -> None:
    """Read every page again next time if this build warned, so that it warns again."""
    if exception is not None or app._warncount:
        Path(app.doctreedir, "environment.pickle").unlink(missing_ok=True)


def setup(app: Sphinx) -> None:
    """Register the two hashes as values that rebuild every page when they change."""
    app.add_config_value("regbook_imports", "", "env", str)
    app.add_config_value("regbook_code", "", "env", str)
    app.connect("config-inited", prepare)
    app.connect("build-finished", forget_failure)
