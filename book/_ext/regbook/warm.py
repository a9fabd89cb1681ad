"""Which kernels execute the chapters, and what they have imported. Sphinx is not needed to ask."""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from pathlib import Path

PROVISIONER = "warm"
#: What most chapters import; a chapter that needs none of it starts no later for it.
PRELOAD = (
    "matplotlib.backends.backend_agg",
    "matplotlib.pyplot",
    "pandas.io.formats.html",
    "reglib.experiments",
    "reglib.layers",
    "reglib.models",
    "reglib.plotting",
    "reglib.textbook",
)


def plain() -> bool:
    """Return whether the reader of the environment asked for plain kernels."""
    return os.environ.get("BOOK_KERNELS", "") == "plain"


def choose_kernels(cache: Path) -> None:
    """Ask jupyter_client for warm kernels, if they are installed and nobody asked for others.

    Begin their imports at once if the cache is empty: there will be something to execute.
    """
    found = entry_points(group="jupyter_client.kernel_provisioners", name=PROVISIONER)
    if plain() or not found:
        return
    (provisioner,) = found
    os.environ.setdefault("JUPYTER_DEFAULT_PROVISIONER_NAME", PROVISIONER)
    os.environ.setdefault("FASTGRADE_PRELOAD", ",".join(PRELOAD))
    if os.environ["JUPYTER_DEFAULT_PROVISIONER_NAME"] == PROVISIONER and not any(
        cache.glob("executed/*")
    ):
        provisioner.load().start_warming()
