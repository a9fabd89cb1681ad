"""Results of experiments that ship with the book; a line for each chapter says what was computed.

``results_folder`` in the configuration names a folder beside the chapters. Each chapter keeps its
results in a folder of its own there, see :func:`reglib.experiments.run`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ConfigError

from regbook.warm import plain

VARIABLES = ("REGLIB_CACHE", "REGLIB_RUN_LOG")


def environment(env: BuildEnvironment, docname: str) -> dict[str, str]:
    """Return what tells the experiments of a page where their results are, and where to log."""
    if not env.config.results_folder:
        return {}
    name = docname.rpartition("/")[2]
    log = _log(env, docname)
    log.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(env.srcdir, env.config.results_folder, name)
    return dict(zip(VARIABLES, (str(folder), str(log)), strict=True))


def summary(docname: str, lines: Iterable[dict[str, Any]]) -> str:
    """Return in a line which experiments of a page were found and which were computed.

    Examples
    --------
    >>> found = {"experiment": "score", "runs": 24, "computed": 0, "damaged": 0}
    >>> summary("02-l2", [found, found | {"experiment": "fit", "computed": 3, "damaged": 1}])
    '02-l2: kept results of 1 of 2 experiments; computed: fit (3 of 24 runs, 1 damaged)'
    """
    lines = list(lines)
    computed = [
        f"{line['experiment']} ({line['computed']} of {line['runs']} runs"
        + (f", {line['damaged']} damaged)" if line["damaged"] else ")")
        for line in lines
        if line["computed"]
    ]
    kept = f"{docname}: kept results of {len(lines) - len(computed)} of {len(lines)} experiments"
    return f"{kept}; computed: {', '.join(computed)}" if computed else kept


def read_log(path: Path) -> list[dict[str, Any]]:
    """Return what the experiments of a page logged."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _log(env: BuildEnvironment, docname: str) -> Path:
    assert env.app is not None
    return Path(env.app.outdir).resolve().parent / "runs" / f"{docname}.jsonl"


def forget(env: BuildEnvironment, docname: str) -> None:
    """Forget what a page that is about to be executed logged before."""
    _log(env, docname).unlink(missing_ok=True)


class Report:
    """What the chapters log while this build executes them."""

    def __init__(self) -> None:
        self.began = 0.0

    def begin(self, app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
        """Remember since when."""
        self.began = time.time()

    def choose(self, app: Sphinx, docname: str, source: list[str]) -> None:
        """Tell a kernel that MyST-NB starts itself."""
        if variables := environment(app.env, docname):
            if plain():
                forget(app.env, docname)
            os.environ.update(variables)

    def end(self, app: Sphinx, exception: Exception | None) -> None:
        """Print a line for each page that was executed, however quiet the build is."""
        for docname in sorted(app.env.all_docs):
            log = _log(app.env, docname)
            if log.exists() and log.stat().st_mtime >= self.began:
                print(f"  {summary(docname, read_log(log))}", flush=True)
        for name in VARIABLES:
            os.environ.pop(name, None)


def refuse_stress(app: Sphinx, config: Config) -> None:
    """Build no book of numbers that were computed to test its claims."""
    if os.environ.get("REGLIB_STRESS"):
        raise ConfigError("REGLIB_STRESS is set: a book is not built under stress")


def setup(app: Sphinx) -> None:
    """Register the folder and the report."""
    report = Report()
    app.add_config_value("results_folder", "", "env", str)
    app.connect("config-inited", refuse_stress)
    # Before the chapters are begun.
    app.connect("env-before-read-docs", report.begin, priority=400)
    app.connect("source-read", report.choose)
    app.connect("build-finished", report.end)
