"""Chapters are executed while Sphinx works: several at a time, by kernels that are warm.

MyST-NB executes one chapter after the other, each in a new kernel that imports everything again,
and Sphinx waits. Here the chapters that the cache does not know are begun before the first page is
read, in a thread, and are read last; MyST-NB then finds them in its cache. Whatever fails is left
to MyST-NB, which reports it as it always does.

``BOOK_KERNELS=plain`` in the environment leaves everything to MyST-NB.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from myst_nb.core.config import NbParserConfig
from myst_nb.core.read import create_nb_reader
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from regbook import warm
from regbook.kept_results import environment, forget

LOGGER = logging.getLogger(__name__)


@dataclass
class Chapter:
    """A page with cells, and how long they took once they have been executed."""

    path: Path
    notebook: NotebookNode
    seconds: float | None = None


def cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def choose_kernels(app: Sphinx, config: Config) -> None:
    """Choose what jupyter_client will start, and begin what can be begun."""
    cache = config.nb_execution_cache_path or Path(app.outdir).parent / ".jupyter_cache"
    warm.choose_kernels(Path(cache))


class Ahead:
    """The chapters that are being executed beside Sphinx."""

    def __init__(self) -> None:
        self.running: dict[str, Future[None]] = {}
        self.chapters: dict[str, Chapter] = {}
        self.done = 0
        self.began = 0.0
        self.loop: asyncio.AbstractEventLoop | None = None
        self.thread: threading.Thread | None = None

    def begin(self, app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
        """Begin the chapters about to be read that the cache does not know; read them last."""
        settings: NbParserConfig = env.mystnb_config
        if warm.plain() or settings.execution_mode != "cache":
            return
        self.chapters = unknown_chapters(env, docnames, settings)
        if not self.chapters:
            return
        # The largest first: the longest should not be the last to start. They are read in the same
        # order, each while later ones are still running.
        names = sorted(self.chapters, key=lambda name: -self.chapters[name].path.stat().st_size)
        docnames[:] = [*(name for name in docnames if name not in self.chapters), *names]
        self.done, self.began = 0, time.monotonic()
        # In a thread of its own: whoever called Sphinx may have an event loop running in this one.
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        # One more than there are processors: kernels wait for messages now and then. Not all at a
        # time, or they would all end together and leave one processor to read and write.
        gate = asyncio.Semaphore(cores() + 1)
        for name in names:
            forget(env, name)
            variables = {**os.environ, **environment(env, name)}
            task = execute(self.chapters[name], settings, gate, variables)
            self.running[name] = asyncio.run_coroutine_threadsafe(task, self.loop)

    def wait(self, app: Sphinx, docname: str, source: list[str]) -> None:
        """Wait for a chapter about to be read and hand it to the cache."""
        if docname not in self.running:
            return
        self.running.pop(docname).result()
        chapter = self.chapters[docname]
        if chapter.seconds is not None:
            bundle = CacheBundleIn(
                chapter.notebook, str(chapter.path), data={"execution_seconds": chapter.seconds}
            )
            cache = get_cache(app.env.mystnb_config.execution_cache_path)
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
            self.done += 1
        if not self.running:
            LOGGER.info("executed %d chapters in %.1f s", self.done, time.monotonic() - self.began)
            self.end()

    def end(self, *_: object) -> None:
        """End the thread, and what nobody will read any more."""
        if self.loop is None or self.thread is None:
            return
        asyncio.run_coroutine_threadsafe(_cancel_all(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()
        self.loop = self.thread = None
        self.running.clear()


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def unknown_chapters(
    env: BuildEnvironment, docnames: list[str], settings: NbParserConfig
) -> dict[str, Chapter]:
    """Return those of the pages that have cells and are not in the cache."""
    cache = get_cache(settings.execution_cache_path)
    chapters = {}
    for docname in docnames:
        chapter = read_chapter(env, docname, settings)
        if chapter is None:
            continue
        try:
            cache.match_cache_notebook(chapter.notebook)
        except KeyError:
            chapters[docname] = chapter
    return chapters


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


async def execute(
    chapter: Chapter,
    settings: NbParserConfig,
    gate: asyncio.Semaphore,
    variables: dict[str, str],
) -> None:
    """Execute a chapter when there is room; on failure leave it without a time."""
    if chapter.seconds is not None:
        return
    async with gate:
        began = time.monotonic()
        with (
            TemporaryDirectory() if settings.execution_in_temp else nullcontext(chapter.path.parent)
        ) as folder:
            client = NotebookClient(
                chapter.notebook,
                timeout=settings.execution_timeout,
                allow_errors=settings.execution_allow_errors,
                resources={"metadata": {"path": str(folder)}},
                record_timing=False,
            )
            try:
                await client.async_execute(env=variables)
            except (CellControlSignal, RuntimeError) as error:
                # A cell failed, or the kernel ended or never answered (both RuntimeError).
                LOGGER.info("%s stopped with %s", chapter.path.name, type(error).__name__)
                return
        chapter.seconds = time.monotonic() - began


def setup(app: Sphinx) -> None:
    """Execute from when Sphinx knows what it will read, and wait where it reads it."""
    ahead = Ahead()
    app.connect("config-inited", choose_kernels)
    app.connect("env-before-read-docs", ahead.begin)
    app.connect("source-read", ahead.wait)
    app.connect("build-finished", ahead.end)
