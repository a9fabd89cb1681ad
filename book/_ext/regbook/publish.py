"""Every chapter is offered as the notebook that was executed for it.

When the build has finished, the notebooks are written beside the pages.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import nbformat
from jupyter_cache import get_cache
from sphinx.application import Sphinx

NOTEBOOKS = "notebooks"


def write_notebooks(app: Sphinx, outdir: Path) -> None:
    """Write each chapter as a notebook with its outputs.

    MyST-NB's own copy has none where they came from the cache, so they are merged in here.
    """
    executed = Path(app.env.mystnb_config.output_folder)
    cache = get_cache(app.env.mystnb_config.execution_cache_path)
    for docname in notebook_pages(app):
        path = executed / f"{docname}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        # A notebook that is not in the cache was not executed through it, and has its outputs.
        with contextlib.suppress(KeyError):
            _, notebook = cache.merge_match_into_notebook(notebook)
        drop_drawings(notebook)
        target = outdir / NOTEBOOKS / f"{docname}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def drop_drawings(notebook: nbformat.NotebookNode) -> None:
    """Leave a figure's PNG alone, which every viewer of notebooks shows; the rest is the page's."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                output["data"].pop("text/html", None)


def notebook_pages(app: Sphinx) -> list[str]:
    """Return the pages that have cells."""
    executed = Path(app.env.mystnb_config.output_folder)
    return sorted(
        docname
        for docname, metadata in app.env.metadata.items()
        if "kernelspec" in metadata and (executed / f"{docname}.ipynb").exists()
    )


def offer_downloads(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Replace the theme's download buttons by ones that say what one gets."""
    buttons = context.get("header_buttons")
    if buttons is None:
        return
    for group in buttons:
        if group.get("label") != "download-buttons":
            continue
        offered = []
        if pagename in notebook_pages(app):
            offered.append(
                {
                    "type": "link",
                    "url": context["pathto"](f"{NOTEBOOKS}/{pagename}.ipynb", 1),
                    "text": "Download notebook",
                    "icon": "fas fa-book",
                    "label": "download-notebook-button",
                }
            )
        for button in group["buttons"]:
            if button["label"] == "download-source-button":
                offered.append({**button, "text": "Markdown source"})
            elif button["label"] == "download-pdf-button":
                offered.append({**button, "text": "Print or save as PDF"})
        group["buttons"] = offered


def publish(app: Sphinx, exception: Exception | None) -> None:
    """Write the notebooks, if there are pages."""
    if exception is not None or app.builder.format != "html":
        return
    write_notebooks(app, Path(app.outdir))


def setup(app: Sphinx) -> None:
    """Register the buttons and the copies."""
    # The theme adds its buttons at 501.
    app.connect("html-page-context", offer_downloads, priority=502)
    app.connect("build-finished", publish)
