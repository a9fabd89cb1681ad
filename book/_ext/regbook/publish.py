"""Everything that a page needs or links to is served from the site.

When the build has finished, the executed notebook of every chapter and the exercises are copied
beside the pages.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from jupyter_cache import get_cache
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from regbook.markup import Markup

ROOT = Path(__file__).resolve().parents[3]
NOTEBOOKS = "notebooks"
EXERCISES = "exercises"
#: A chapter as a notebook in the course folder links to it.
CHAPTER_LINK = re.compile(r"\.\./\.\./book/([\w/-]+)\.md")


def copy_if_changed(source: Path, target: Path) -> None:
    """Copy a file unless the target holds the same bytes."""
    if target.exists() and target.read_bytes() == source.read_bytes():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def with_site_links(notebook: str, base: str) -> str:
    """Return an exercise's notebook with its links to chapters as links to their pages.

    With an address of the site for ``base`` they open wherever the notebook is downloaded to;
    without one, from the notebook's place on the site.

    Examples
    --------
    >>> with_site_links("[L2](../../book/chapters/02-l2.md)", "")
    '[L2](../../chapters/02-l2.html)'
    >>> with_site_links("[L2](../../book/chapters/02-l2.md)", "https://example.org/course")
    '[L2](https://example.org/course/chapters/02-l2.html)'
    """
    start = base.rstrip("/") + "/" if base else "../../"
    return CHAPTER_LINK.sub(lambda found: f"{start}{found[1]}.html", notebook)


def copy_exercises(outdir: Path, base: str) -> None:
    """Copy the exercise notebooks and what lies beside them; drop those that are gone."""
    source, target = ROOT / EXERCISES, outdir / EXERCISES
    files = (
        {
            path.relative_to(source)
            for path in source.rglob("*")
            if path.is_file()
            and not any(part.startswith(".") for part in path.parts[len(source.parts) :])
        }
        if source.exists()
        else set()
    )
    for name in files:
        if name.suffix == ".ipynb":
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            text = (source / name).read_text(encoding="utf-8")
            (target / name).write_text(with_site_links(text, base), encoding="utf-8")
        else:
            copy_if_changed(source / name, target / name)
    if target.exists():
        for path in target.rglob("*"):
            if path.is_file() and path.relative_to(target) not in files:
                path.unlink()


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
        target = outdir / NOTEBOOKS / f"{docname}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


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


class SiteLink(nodes.General, nodes.Element):
    """A link to a file of the site that is no page; its address depends on the page."""


def _visit_link(translator: Any, node: SiteLink) -> None:
    builder = translator.builder
    page = builder.get_target_uri(builder.current_docname)
    base = "../" * page.count("/")
    translator.body.append(f'<a class="{node["kind"]}" href="{base}{node["path"]}" download>')


def _depart_link(translator: Any, node: SiteLink) -> None:
    translator.body.append("</a>")


def _pass(translator: Any, node: SiteLink) -> None:
    """Say nothing of the link itself."""


class Assignment(SphinxDirective):
    """``{assignment} 05-dropout``: the way from a chapter to its exercise."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return a box with the download and the command that opens the notebook."""
        name = self.arguments[0]
        relative = f"{EXERCISES}/{name}/{name}.ipynb"
        if not ROOT.joinpath(relative).exists():
            raise self.error(f"assignment: there is no {relative}")
        link = SiteLink("", nodes.Text(f"Download {name}.ipynb"))
        link["path"], link["kind"] = relative, "assignment-download"
        command = f".venv/bin/jupyter lab {relative}"
        parts = [
            Markup("p", [nodes.Text("Your turn")], class_="assignment-title"),
            *self.parse_content_to_nodes(),
            Markup(
                "p",
                [link, nodes.Text(" or, in the course folder, run "), nodes.literal("", command)],
                class_="assignment-how",
            ),
        ]
        return [Markup("div", parts, class_="assignment", role="group", aria_label="Exercise")]


def publish(app: Sphinx, exception: Exception | None) -> None:
    """Copy what the pages need, if there are pages."""
    if exception is not None or app.builder.format != "html":
        return
    outdir = Path(app.outdir)
    copy_exercises(outdir, app.config.html_baseurl)
    write_notebooks(app, outdir)


def setup(app: Sphinx) -> None:
    """Register the directive, the buttons and the copies."""
    app.add_node(
        SiteLink,
        html=(_visit_link, _depart_link),
        text=(_pass, _pass),
        latex=(_pass, _pass),
        man=(_pass, _pass),
        texinfo=(_pass, _pass),
    )
    app.add_directive("assignment", Assignment)
    # The theme adds its buttons at 501.
    app.connect("html-page-context", offer_downloads, priority=502)
    app.connect("build-finished", publish)
