"""What `make book` built, served on loopback and opened in headless Chromium."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from tests import ROOT
from tests.book.built import SITE, served, undisturbed


@pytest.fixture(scope="session")
def site() -> Path:
    """The built book; a failure that says what to do where there is none."""
    if not (SITE / "index.html").exists():
        pytest.fail(f"{SITE} holds no book: run `make book` first", pytrace=False)
    return SITE


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """The address of the served book, without a slash at its end."""
    with served(site) as address:
        yield address


@dataclass
class Visit:
    """A page, with everything that went wrong and every address asked for."""

    page: Any
    faults: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def open_plainly(self, url: str) -> Any:
        """Open an address where no script may run that could wait."""
        self.page.goto(url)
        return self.page

    def open(self, url: str) -> Any:
        """Open an address and wait until its fonts stand."""
        self.page.goto(url)
        self.page.evaluate(
            "async () => { await document.fonts.ready; await new Promise(requestAnimationFrame); }"
        )
        return self.page


@pytest.fixture
def visit(browser: Any) -> Iterator[Any]:
    """A function that gives a :class:`Visit` of some width and color scheme."""
    contexts = []

    def new(width: int = 1280, scheme: str = "light", script: bool = True) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        visit = Visit(page)
        page.on("pageerror", lambda error: visit.faults.append(f"error: {error}"))
        page.on(
            "console",
            lambda message: (
                visit.faults.append(f"console: {message.text}")
                if message.type in ("error", "warning")
                else None
            ),
        )
        page.on(
            "response",
            lambda response: (
                visit.faults.append(f"{response.status}: {response.url}")
                if response.status >= 400
                else None
            ),
        )
        page.on("request", lambda request: visit.addresses.append(request.url))
        return visit

    yield new
    for context in contexts:
        context.close()


@pytest.fixture
def open_page(visit, tmp_path):
    """A function that opens HTML of ours with the book's style and script."""
    static = ROOT / "book" / "_static"

    def open_page(html: str, **options):
        body = re.sub(r"<(link|script)[^>]*>(?:</script>)?", "", html)
        style = f'<link rel="stylesheet" href="{(static / "book.css").as_uri()}">'
        script = f'<script src="{(static / "book.js").as_uri()}"></script>'
        path = tmp_path / "page.html"
        path.write_text(body.replace("</head>", f"{style}{script}</head>"), encoding="utf-8")
        view = visit(**options)
        view.page.goto(path.as_uri())
        return view.page

    return open_page


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    """A function that builds one page and gives its HTML and the warnings."""

    def build(
        text: str,
        files: dict[str, str] | None = None,
        config: dict[str, Any] | None = None,
        folder: Path | None = None,
    ) -> tuple[str, str]:
        folder = folder or tmp_path_factory.mktemp("book")
        (folder / "index.md").write_text(text, encoding="utf-8")
        for name, content in (files or {}).items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(content, encoding="utf-8")
        warnings = io.StringIO()
        with undisturbed(), patch_docutils(), docutils_namespace():
            app = Sphinx(
                srcdir=folder,
                confdir=None,
                outdir=folder / "_build" / "html",
                doctreedir=folder / "_build" / ".doctrees",
                buildername="html",
                confoverrides={
                    "extensions": ["myst_nb", "sphinx_design", "regbook"],
                    "html_theme": "basic",
                    "myst_enable_extensions": ["colon_fence", "dollarmath"],
                    "nb_execution_mode": "cache",
                    "nb_execution_raise_on_error": True,
                    "numfig": True,
                    **(config or {}),
                },
                status=None,
                warning=warnings,
            )
            app.build()
        page = folder / "_build" / "html" / "index.html"
        html = page.read_text(encoding="utf-8") if page.exists() else ""
        return html, re.sub(r"\x1b\[[0-9;]*m", "", warnings.getvalue())

    return build
