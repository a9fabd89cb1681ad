"""Where the built book is, and a build that leaves other tests alone."""

from __future__ import annotations

import functools
import http.server
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.provisioning import KernelProvisionerFactory

from tests import ROOT

SITE = ROOT / "_build" / "html"

# Jupyter Book finds the book's own extension through _config.yml, the tests through this.
sys.path.insert(0, str(ROOT / "book" / "_ext"))


def pages(holding: tuple[str, ...] = ()) -> list[str]:
    """Names of the built pages, or of those that hold any of some words, for parametrized tests.

    Where no book is built it is the index alone, whose tests then say what is missing.
    """
    if not SITE.exists():
        return ["index"]
    # The page for what is missing has links that hold at any depth, but not in a folder.
    skipped = ("_static/", "_modules/", "notebooks/", "404.html")
    names = (path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
    return sorted(
        name.removesuffix(".html")
        for name in names
        if not name.startswith(skipped)
        and (not holding or any(word in (SITE / name).read_text("utf-8") for word in holding))
    )


@contextmanager
def undisturbed() -> Iterator[None]:
    """Undo what a build sets for its kernels, so that other tests start theirs as ever."""
    before = dict(os.environ)
    KernelProvisionerFactory.clear_instance()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        KernelProvisionerFactory.clear_instance()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Keep the tests' output clean."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback; the address has no slash at its end."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
