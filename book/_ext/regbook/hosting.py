"""What a site needs at an address: canonical links, a site map, a page for what is missing.

Three variables of the environment say where a book is published and from what, so that the same
sources make any site; without them the book works on any host and offline.

``BOOK_ADDRESS``      the site, as in https://example.org/course
``BOOK_REPOSITORY``   its sources, as in https://github.com/someone/course
``BOOK_COMMIT``       which of them
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from xml.sax.saxutils import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxDirective

from reglib import __version__
from reglib.exercises._install_cell import WHEEL

ROOT = Path(__file__).resolve().parents[3]
MISSING = "404"
PICTURE = "_static/share.png"
SHORTEST, LONGEST = 60, 160  # signs of a description
UNLISTED = frozenset({MISSING, "search", "genindex"})
RELATIVE = re.compile(r'\b(href|src|action|data-content_root)="(?!#|/|\w+:)(?:\./)?([^"]*)"')


def read_environment(app: Sphinx, config: Config) -> None:
    """Let the environment say where the book is published.

    Raises
    ------
    ValueError
        If an address is none.
    """
    config.html_baseurl = _address("BOOK_ADDRESS", config.html_baseurl)
    config.book_repository = _address("BOOK_REPOSITORY", config.book_repository)
    config.book_commit = os.environ.get("BOOK_COMMIT", "") or config.book_commit


def _address(name: str, otherwise: str) -> str:
    value = os.environ.get(name, "") or otherwise
    if value and urlsplit(value).scheme not in ("http", "https"):
        raise ValueError(f"{name} must be an address that begins with https://, got {value!r}")
    return value.rstrip("/")


def describe(doctree: nodes.document | None, title: str, book: str) -> str:
    """Return what a page is about, in a line for those who find it elsewhere.

    The page's first paragraph of some length without a formula, cut after a word; its title where
    there is none.
    """
    for paragraph in doctree.findall(nodes.paragraph) if doctree else ():
        if next(paragraph.findall(nodes.math), None):
            continue  # as text it would be its source
        text = " ".join(paragraph.astext().split())
        if len(text) >= SHORTEST and isinstance(paragraph.parent, nodes.section):
            return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0] + " …"
    return f"{title}: a page of {book}" if title != book else book


def describe_page(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Tell the page's templates what it is about, and where its source is."""
    config = app.config
    title = re.sub(r"<[^>]+>", "", context.get("title", ""))
    book = config.html_title or config.project
    context.setdefault("description", describe(doctree, title, book))
    context["share_picture"] = config.html_baseurl and f"{config.html_baseurl}/{PICTURE}"
    context["edition"] = __version__
    context["commit"] = config.book_commit
    context["repository"] = config.book_repository
    source = Path(app.env.doc2path(pagename)) if pagename in app.env.found_docs else None
    if config.book_repository and source and source.is_file() and source.is_relative_to(ROOT):
        path = quote(source.relative_to(ROOT).as_posix())
        context["edit_address"] = f"{config.book_repository}/edit/main/{path}"
    if config.book_repository:
        context["report_address"] = (
            f"{config.book_repository}/issues/new?template=bug.yml&title={quote(pagename)}:%20"
        )


def missing_page(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield the page that a host shows in the place of one that is missing."""
    yield MISSING, {"title": "This page is missing"}, "missing.html"


def from_root(html: str, base: str) -> str:
    """Return a page whose links hold wherever it is shown.

    Examples
    --------
    >>> from_root('<a href="why.html">', "https://example.org/course")
    '<a href="/course/why.html">'
    """
    root = urlsplit(base).path.rstrip("/")
    return RELATIVE.sub(lambda found: f'{found[1]}="{root}/{found[2]}"', html)


def site_map(addresses: list[str]) -> str:
    """Return the list of pages that search engines read."""
    pages = "".join(f"<url><loc>{escape(address)}</loc></url>\n" for address in addresses)
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return f'<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="{space}">\n{pages}</urlset>\n'


def draw_picture(path: Path, title: str) -> None:
    """Draw what stands beside a link: the title, over weights that two penalties shrink."""
    import matplotlib
    import numpy as np
    from matplotlib.figure import Figure

    from reglib.plotting.style import INK, PALETTE, PANEL

    with matplotlib.rc_context({"font.family": "sans-serif"}):
        figure = Figure(figsize=(12, 6.3), dpi=100, facecolor=PANEL)
        axes = figure.add_axes((0.07, 0.08, 0.86, 0.5))
        strength = np.linspace(0, 1, 200)
        for weight in np.linspace(-0.95, 0.95, 12):
            soft = np.sign(weight) * np.maximum(abs(weight) - strength, 0)
            axes.plot(strength, soft, color=PALETTE[0], lw=2.5)
            axes.plot(strength, weight / (1 + 4 * strength), color=PALETTE[1], lw=2.5, ls="--")
        axes.axis("off")
        figure.text(0.07, 0.78, title, color=INK, size=42, weight="bold")
        said = "Predict it, derive it, write it in NumPy, measure it"
        figure.text(0.07, 0.67, said, color=INK, size=24)
        figure.savefig(path, metadata={"Software": None})


def write(app: Sphinx, exception: Exception | None) -> None:
    """Put beside the pages what hosts and search engines look for."""
    if exception is not None or app.builder.format != "html":
        return
    outdir, base = Path(app.outdir), app.config.html_baseurl
    # Without it GitHub leaves out every folder whose name begins with an underscore.
    outdir.joinpath(".nojekyll").touch()
    missing = outdir / f"{MISSING}.html"
    missing.write_text(from_root(missing.read_text(encoding="utf-8"), base), encoding="utf-8")
    for name in ("sitemap.xml", "robots.txt"):
        outdir.joinpath(name).unlink(missing_ok=True)
    robots = "User-agent: *\nAllow: /\n"
    if base:
        pages = sorted(_listed(outdir))
        listed = [f"{base}/{'' if page == 'index.html' else page}" for page in pages]
        outdir.joinpath("sitemap.xml").write_text(site_map(listed), encoding="utf-8")
        draw_picture(outdir / PICTURE, app.config.html_title or app.config.project)
        robots += f"Sitemap: {base}/sitemap.xml\n"
    outdir.joinpath("robots.txt").write_text(robots, encoding="utf-8")


def _listed(outdir: Path) -> Iterator[str]:
    for path in outdir.rglob("*.html"):
        page = path.relative_to(outdir)
        if page.parts[0] != "_static" and page.with_suffix("").as_posix() not in UNLISTED:
            yield page.as_posix()


class Install(SphinxDirective):
    """``{install}``: the line that installs the library from this site.

    Where the site's address is not known when the book is built, the page's script completes it.
    """

    def run(self) -> list[nodes.Node]:
        """Return the line as a block that can be copied."""
        base = self.config.html_baseurl
        wheel = f"{base}/{WHEEL}" if base else WHEEL
        line = f"pip install {wheel}"
        return [nodes.literal_block(line, line, language="bash", classes=["install-line"])]


def setup(app: Sphinx) -> None:
    """Read the environment before the theme reads the configuration; write after all pages."""
    app.add_config_value("book_repository", "", "html", str)
    app.add_config_value("book_commit", "", "html", str)
    app.add_directive("install", Install)
    app.connect("config-inited", read_environment, priority=100)
    app.connect("html-collect-pages", missing_page)
    app.connect("html-page-context", describe_page)
    app.connect("build-finished", write, priority=960)
