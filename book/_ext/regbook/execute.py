"""Chapters are executed before they are read: several at a time, by kernels that are warm.

MyST-NB executes one chapter after the other, each in a new kernel that imports everything again.
Here the chapters that the cache does not know are executed first, and MyST-NB then finds them in
its cache. Whatever fails is left to MyST-NB, which reports it as it always does.

``BOOK_KERNELS=plain`` in the environment leaves everything to MyST-NB.
"""

from __future__ import annotations

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import TemporaryDirectory

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from myst_nb.core.config import NbParserConfig
from myst_nb.core.read import create_nb_reader
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
PROVISIONER = "warm"
#: What most chapters import; a chapter that needs none of it starts no later for it.
PRELOAD = (
    "matplotlib.backends.backend_agg",
    "matplotlib.pyplot",
    "pandas.io.formats.html",
    "seaborn",
    "sklearn.datasets",
    "reglib.experiments",
    "reglib.layers",
    "reglib.models",
    "reglib.plotting",
    "reglib.textbook",
)


@dataclass
class Chapter:
    """A page with cells, and how long they took once they have been executed."""

    path: Path
    notebook: NotebookNode
    seconds: float | None = None


def plain() -> bool:
    """Return whether the reader of the environment asked for plain kernels."""
    return os.environ.get("BOOK_KERNELS", "") == "plain"


def cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def choose_kernels(app: Sphinx, config: Config) -> None:
    """Ask jupyter_client for warm kernels, if they are installed and nobody asked for others."""
    if plain() or not entry_points(group="jupyter_client.kernel_provisioners", name=PROVISIONER):
        return
    os.environ.setdefault("JUPYTER_DEFAULT_PROVISIONER_NAME", PROVISIONER)
    os.environ.setdefault("FASTGRADE_PRELOAD", ",".join(PRELOAD))


def execute_ahead(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Execute the chapters about to be read that the cache does not know."""
    settings: NbParserConfig = env.mystnb_config
    if plain() or settings.execution_mode != "cache":
        return
    cache = get_cache(settings.execution_cache_path)
    chapters = []
    for docname in docnames:
        chapter = read_chapter(env, docname, settings)
        if chapter is None:
            continue
        try:
            cache.match_cache_notebook(chapter.notebook)
        except KeyError:
            chapters.append(chapter)
    if not chapters:
        return
    # The longest should not be the last to start.
    chapters.sort(key=lambda chapter: chapter.path.stat().st_size, reverse=True)
    began = time.monotonic()
    # A kernel that starts or ends mostly waits, so two share a processor.
    # In a thread of its own: whoever called Sphinx may have an event loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        waiting = [chapter for chapter in chapters if chapter.seconds is None]
        thread.submit(asyncio.run, execute_all(waiting, settings, 2 * cores())).result()
    done = [chapter for chapter in chapters if chapter.seconds is not None]
    for chapter in done:
        bundle = CacheBundleIn(
            chapter.notebook, str(chapter.path), data={"execution_seconds": chapter.seconds}
        )
        cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    LOGGER.info("executed %d chapters in %.1f s", len(done), time.monotonic() - began)


def read_chapter(env: BuildEnvironment, docname: str, settings: NbParserConfig) -> Chapter | None:
    """Return a page as a notebook, as MyST-NB reads it; None if it is none of ours to execute."""
    path = Path(env.doc2path(docname))
    text = path.read_text(encoding="utf-8")
    reader = create_nb_reader(str(path), env.myst_config, settings, text)
    if reader is None:
        return None
    notebook = reader.read(text)
    own = notebook.metadata.get(settings.metadata_key, {})
    if any(name.startswith("execution") for name in own):
        return None
    has_cells = any(cell.cell_type == "code" for cell in notebook.cells)
    return Chapter(path, notebook, seconds=None if has_cells else 0.0)


async def execute_all(chapters: list[Chapter], settings: NbParserConfig, at_once: int) -> None:
    """Execute chapters, so many at a time."""
    gate = asyncio.Semaphore(at_once)

    async def one(chapter: Chapter) -> None:
        async with gate:
            await execute(chapter, settings)

    await asyncio.gather(*(one(chapter) for chapter in chapters))


async def execute(chapter: Chapter, settings: NbParserConfig) -> None:
    """Execute a chapter; on failure leave it without a time."""
    began = time.monotonic()
    place = TemporaryDirectory() if settings.execution_in_temp else nullcontext(chapter.path.parent)
    with place as folder:
        client = NotebookClient(
            chapter.notebook,
            timeout=settings.execution_timeout,
            allow_errors=settings.execution_allow_errors,
            resources={"metadata": {"path": str(folder)}},
            record_timing=False,
        )
        try:
            await client.async_execute()
        except (CellControlSignal, DeadKernelError) as error:
            LOGGER.info("%s stopped with %s", chapter.path.name, type(error).__name__)
            return
    chapter.seconds = time.monotonic() - began


def setup(app: Sphinx) -> None:
    """Execute after Sphinx knows what it will read and before it reads it."""
    app.connect("config-inited", choose_kernels)
    app.connect("env-before-read-docs", execute_ahead)
