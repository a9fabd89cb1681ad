"""The built book as files: what it links to is there, what it shows has words."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from regbook.alt_text import fault

from tests.book.built import pages

CHAPTERS = [name for name in pages() if name.startswith("chapters/")]


class _Elements(HTMLParser):
    """Every start tag of a page with its attributes, and every id."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.ids = [a["id"] for _, a in self.elements if a.get("id")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


@pytest.fixture(scope="session")
def elements(site):
    """A function that parses a page once."""
    parsed: dict[Path, _Elements] = {}

    def get(path: Path) -> _Elements:
        if path not in parsed:
            parsed[path] = _Elements(path)
        return parsed[path]

    return get


@pytest.mark.parametrize("name", pages())
def test_every_link_within_the_site_leads_somewhere(site, elements, name):
    here = site / f"{name}.html"
    broken = []
    for _, attributes in elements(here).elements:
        for key in ("href", "src"):
            url = urlsplit(attributes.get(key) or "")
            if url.scheme or url.netloc or not (url.path or url.fragment):
                continue
            target = (here.parent / unquote(url.path)).resolve() if url.path else here
            if not target.exists() or (
                url.fragment
                and target.suffix == ".html"
                and unquote(url.fragment) not in elements(target).ids
            ):
                broken.append(attributes[key])
    assert not broken


@pytest.mark.parametrize("name", pages())
def test_nothing_is_loaded_from_another_host(site, elements, name):
    outside = [
        attributes.get("src") or attributes.get("href")
        for tag, attributes in elements(site / f"{name}.html").elements
        if tag in ("script", "link", "img", "iframe", "source")
        and urlsplit(attributes.get("src") or attributes.get("href") or "").netloc
    ]
    assert not outside


@pytest.mark.parametrize("name", pages())
def test_every_picture_says_what_it_shows(site, elements, name):
    silent = [
        attributes.get("src")
        for tag, attributes in elements(site / f"{name}.html").elements
        if tag == "img"
        # The drawing around a photograph has its words.
        and not {"logo__image", "photograph"} & set((attributes.get("class") or "").split())
        and fault(attributes.get("alt"), attributes.get("src") or "")
    ]
    assert not silent


@pytest.mark.parametrize("name", pages())
def test_ids_are_unique(site, elements, name):
    ids = elements(site / f"{name}.html").ids
    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_has_the_number_of_its_file_in_title_and_sidebar(site, name):
    page = BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
    shown = page.select_one("nav.bd-docs-nav .current > a").get_text().strip()
    heading = page.select_one("article h1").get_text()
    file = name.removeprefix("chapters/")
    number = f"{int(file[:2])}. " if file[:2].isdigit() else ""
    for title in (shown, heading, page.title.get_text()):
        assert re.match(r"(\d+\. )?", title)[0] == number


def test_a_reference_to_a_chapter_is_its_title_alone(site):
    page = (site / "chapters" / "review.html").read_text(encoding="utf-8")
    assert '<span class="std std-ref">L2: small weights</span>' in page


@pytest.mark.parametrize("name", CHAPTERS)
def test_no_box_repeats_its_heading(site, name):
    page = BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
    for title in page.select("article section [class$=-title]"):
        heading = title.find_parent("section").find(["h1", "h2", "h3"])
        assert title.get_text().strip() not in heading.get_text()


def test_a_summary_is_named_by_its_words(site):
    page = BeautifulSoup((site / "chapters/02-l2.html").read_text(encoding="utf-8"), "html.parser")
    summaries = page.select("article summary")
    assert summaries
    assert not [summary for summary in summaries if summary.get("aria-label")]
    assert all(summary.get_text().strip() for summary in summaries)


def test_references_link_to_what_is_online(site):
    page = BeautifulSoup((site / "references.html").read_text(encoding="utf-8"), "html.parser")
    entries = page.select(".citation")
    linked = [entry for entry in entries if entry.select("a[href^='https://']")]
    assert len(entries) > 30
    assert len(entries) - len(linked) <= 2  # two sources have no lasting address
    assert page.select("a[href='https://doi.org/10.1162/neco.1995.7.1.108']")


def test_a_citation_is_followed_by_a_link_to_the_source(site):
    page = BeautifulSoup((site / "chapters/02-l2.html").read_text(encoding="utf-8"), "html.parser")
    cited = page.select("article a[href*='references.html#'][title]")
    online = [one for one in cited if "doi:" in one["title"] or "URL:" in one["title"]]
    assert len(online) > 5
    for citation in online:
        link = citation.find_next_sibling("a")
        address = link["href"].removeprefix("https://doi.org/")
        assert address in citation["title"]
        assert link["aria-label"] == f"{citation.get_text()} online"


def test_thebe_and_the_icon_script_are_left_out(site):
    text = (site / "index.html").read_text(encoding="utf-8")
    assert "thebe" not in text.lower()
    assert "fontawesome.js" not in text


def test_style_sheets_name_no_other_host(site):
    outside = [
        (path.name, url)
        for path in site.joinpath("_static").rglob("*.css")
        for url in re.findall(
            r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^)\"']+)",
            path.read_text(encoding="utf-8"),
        )
    ]
    assert not outside


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_can_be_downloaded_as_an_executed_notebook(site, name):
    notebook = json.loads((site / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] is not None for cell in cells)
    assert not [
        output for cell in cells for output in cell["outputs"] if output["output_type"] == "error"
    ]
    page = (site / f"{name}.html").read_text(encoding="utf-8")
    assert f"notebooks/{name}.ipynb" in page
    assert "Download notebook" in page


def test_no_path_of_the_builder_is_published(site):
    home = str(site.parents[1])
    leaks = [
        path.relative_to(site).as_posix()
        for suffix in ("*.html", "*.ipynb", "*.js", "*.txt", "*.inv")
        for path in site.rglob(suffix)
        if home in path.read_text(encoding="utf-8", errors="ignore")
    ]
    assert not leaks


def public_modules() -> list[str]:
    """The modules of reglib that a user imports; the exercises' contracts have their own place."""
    import pkgutil

    import reglib

    return sorted(
        f"reglib.{module.name}"
        for module in pkgutil.iter_modules(reglib.__path__)
        if not module.name.startswith("_") and module.name != "exercises"
    )


@pytest.mark.parametrize("name", public_modules())
def test_every_public_name_is_in_the_reference(site, name):
    import importlib

    from regbook.api import public_names

    module = importlib.import_module(name)
    stem = name.removeprefix("reglib.")
    pages = [*site.glob(f"reference/{stem}.html"), *site.glob(f"reference/{stem}-*.html")]
    assert pages, f"add book/reference/{stem}.rst"
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    assert not [n for n in public_names(module) if f'id="{name}.{n}"' not in text]
