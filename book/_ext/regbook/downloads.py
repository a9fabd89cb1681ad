"""What students take home from the site: the exercises' notebooks, and the wheel that runs them.

The wheel lies at the root of the site and each notebook in ``exercises/``. A notebook knows the
site's address if the configuration says it (``baseurl``), or if the page's script could tell when
it was downloaded; else it works with the wheel beside it.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from docutils import nodes
from hatchling.builders.wheel import WheelBuilder
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

from regbook.markup import Markup
from regbook.titles import fill_title
from reglib.exercises._install_cell import WHEEL, install_cell

ROOT = Path(__file__).resolve().parents[3]
EXERCISES = "exercises"
#: The id of a chapter's way to its exercise.
ASSIGNMENT_ID = "assignment"
#: A notebook in the course's folder links to a chapter of the book.
CHAPTER_LINK = re.compile(r"\[([^]]+)\]\(\.\./\.\./book/([\w/-]+)\.md((?:#[\w-]+)?)\)")


def with_site_links(markdown: str, base: str) -> str:
    """Return a text with its links to chapters as links to their pages on the site.

    A notebook that is downloaded from a site without a known address has nothing to link to.

    Examples
    --------
    >>> with_site_links("[L2](../../book/chapters/02-l2.md)", "https://example.org/course")
    '[L2](https://example.org/course/chapters/02-l2.html)'
    >>> with_site_links("[L2](../../book/chapters/02-l2.md)", "")
    'L2'
    """
    linked = rf"[\1]({base.rstrip('/')}/\2.html\3)" if base else r"\1"
    return CHAPTER_LINK.sub(linked, markdown)


def published(notebook: str, base: str) -> str:
    """Return the text of a released notebook as the site offers it.

    Parameters
    ----------
    notebook : str
        Its text in ``exercises/``.
    base : str
        The site's address, or nothing.
    """
    parsed = json.loads(notebook)
    for cell in parsed["cells"]:
        source = "".join(cell["source"])
        if cell["id"] == "install":
            source = install_cell(base)
        elif cell["cell_type"] == "markdown":
            source = with_site_links(source, base)
        cell["source"] = source.splitlines(keepends=True)
    return json.dumps(parsed, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def released() -> list[Path]:
    """Return the exercises' notebooks by name."""
    return sorted(ROOT.joinpath(EXERCISES).glob("[!.]*/[!.]*.ipynb"))


def copy_exercises(outdir: Path, base: str) -> None:
    """Write the notebooks of the exercises; drop those that are gone."""
    target = outdir / EXERCISES
    for old in target.glob("*/"):  # beside them lie the exercises' pages
        shutil.rmtree(old)
    for path in released():
        place = target / path.relative_to(ROOT / EXERCISES)
        place.parent.mkdir(parents=True)
        place.write_text(published(path.read_text(encoding="utf-8"), base), encoding="utf-8")


def build_wheel(outdir: Path) -> None:
    """Build the wheel of the library into a folder; the same sources give the same bytes."""
    for old in outdir.glob("reglib-*.whl"):
        old.unlink()
    with tempfile.TemporaryDirectory() as scratch:
        builder = WheelBuilder(str(ROOT))
        (built,) = map(Path, builder.build(directory=scratch, versions=["standard"]))
        # The name that every notebook has for it.
        shutil.copyfile(built, outdir / WHEEL)


class SiteLink(nodes.General, nodes.Element):
    """A link to a file of the site that is no page; its address depends on the page."""


def site_link(text: str, path: str, kind: str = "") -> SiteLink:
    """Return a link that downloads a file of the site."""
    return SiteLink("", nodes.Text(text), path=path, kind=kind)


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
    """``{assignment} 05-dropout``: the way from a chapter to its exercise, page and notebook."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return a box with the page, the download and what to do with it."""
        name = self.arguments[0]
        relative = f"{EXERCISES}/{name}/{name}.ipynb"
        if not ROOT.joinpath(relative).exists():
            raise self.error(f"assignment: there is no {relative}")
        way, _ = self.parse_inline(self.way(name))
        link = site_link(f"download {name}.ipynb", relative, "assignment-download")
        parts = [
            fill_title(Markup("p", class_="assignment-title"), "Your turn"),
            *self.parse_content_to_nodes(),
            nodes.paragraph("", "", *way, link, nodes.Text("."), classes=["assignment-how"]),
        ]
        names = {"class_": "assignment", "id": ASSIGNMENT_ID}
        return [Markup("div", parts, role="group", aria_label="Exercise", **names)]

    def way(self, name: str) -> str:
        """Return the words that lead to the page and go on to the notebook."""
        if not self.config.exercise_pages:
            return "{doc}`/getting-started` says how to open it: "
        return (
            f"**{{doc}}`Do it in the page </{EXERCISES}/{name}>`**, with nothing to install. Or in "
            "Jupyter ({doc}`how </do-the-exercises>`): "
        )


class Assignments(SphinxDirective):
    """``{assignments}``: the notebooks of all exercises, to download."""

    def run(self) -> list[nodes.Node]:
        """Return a list of links."""
        self.env.note_reread()  # notebooks come and go without a change of this page
        listed = nodes.bullet_list()
        for path in released():
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            title = "".join(cells[0]["source"]).partition("\n")[0].lstrip("# ")
            link = site_link(path.name, path.relative_to(ROOT).as_posix(), "assignment-download")
            listed += nodes.list_item("", nodes.paragraph("", f"{title}: ", link))
        return [listed]


class Wheel(SphinxRole):
    """``{wheel}`reglib```: the wheel's name, which has the version in it, as a link to it."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the link."""
        return [site_link(WHEEL, WHEEL)], []


def offer(app: Sphinx, exception: Exception | None) -> None:
    """Put everything beside the pages, if there are pages."""
    if exception is None and app.builder.format == "html":
        copy_exercises(Path(app.outdir), app.config.html_baseurl)
        build_wheel(Path(app.outdir))


def setup(app: Sphinx) -> None:
    """Register the directives and the role."""
    app.add_node(
        SiteLink,
        html=(_visit_link, _depart_link),
        text=(_pass, _pass),
        latex=(_pass, _pass),
        man=(_pass, _pass),
        texinfo=(_pass, _pass),
    )
    app.add_directive("assignment", Assignment)
    app.add_directive("assignments", Assignments)
    app.add_role("wheel", Wheel())
    app.connect("build-finished", offer)
