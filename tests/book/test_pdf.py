"""`make pdf`: the whole book on paper, with an outline, page numbers and links that lead inside."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from bs4 import BeautifulSoup
from pypdf import PdfReader

from book import pdf
from tests import ROOT

A4 = (595, 842)


@pytest.fixture(scope="module")
def printed(site, tmp_path_factory):
    """The book as Chromium prints it."""
    from playwright.sync_api import sync_playwright

    browser = shutil.which("chromium")
    if browser is None:
        with sync_playwright() as playwright:
            browser = playwright.chromium.executable_path
    target = tmp_path_factory.mktemp("pdf") / "book.pdf"
    pdf.print_book(site, browser, target)
    return PdfReader(target)


@pytest.fixture(scope="module")
def combined(site):
    """All pages in one document."""
    return BeautifulSoup(pdf.combine(site), "html.parser")


def titles(outline):
    """The titles of an outline's highest level, in order."""
    return [entry.title for entry in outline if not isinstance(entry, list)]


def plain(text):
    """A title without spaces, of which Chromium loses those at the end of a line."""
    return re.sub(r"[\s#]+", "", text)


def test_every_page_to_read_is_printed_once_and_in_order(site, combined):
    sidebar = BeautifulSoup((site / "index.html").read_text(encoding="utf-8"), "html.parser")
    links = sidebar.select("nav.bd-docs-nav a")
    listed = [pdf.target_of("index.html", a["href"])[0] for a in links if a["href"] != "#"]
    listed = [name for name in listed if not re.match(r"reference/(?!index)|exercises/", name)]
    assert len(listed) > 10
    printed = [section["id"] for section in combined.select(".printed-page")]
    assert printed == [pdf.anchor(name) for name in ["index.html", *listed]]


def test_names_are_unique_and_links_lead_inside_or_to_the_web(combined):
    names = [element["id"] for element in combined.find_all(id=True)]
    assert len(names) == len(set(names))
    targets = [a["href"] for a in combined.find_all("a", href=True)]
    inside = {target[1:] for target in targets if target.startswith("#")}
    assert len(inside) > 100
    assert not inside - set(names)
    assert all(target.startswith(("#", "https://", "http://")) for target in targets)


def test_what_a_drawing_borrows_is_there(combined):
    names = {element["id"] for element in combined.find_all(id=True)}
    borrowed = {use["href"].removeprefix("#") for use in combined.find_all("use")}
    assert len(borrowed) > 50
    assert not borrowed - names


def test_labels_still_belong_to_their_inputs(combined):
    names = {element["id"] for element in combined.find_all("input", id=True)}
    labels = [label["for"] for label in combined.find_all("label", attrs={"for": True})]
    assert labels
    assert not set(labels) - names


def test_a_place_that_two_pages_have_is_two_places(tmp_path):
    page = (
        "<html><head><title>T</title>{next}</head><body>"
        '<nav class="bd-docs-nav"><a href="#">A</a><a href="b.html">B</a></nav>'
        '<article class="bd-article">{body}</article></body></html>'
    )
    first = '<h1 id="top">A</h1><a href="b.html#top">there</a><a href="notes.ipynb">file</a>'
    second = '<h1 id="top">B</h1><a href="#top">here</a>'
    second += '<svg><path fill="url(#top)"/><use href="#top"/></svg>'
    link = '<link rel="next" href="b.html">'
    (tmp_path / "index.html").write_text(page.format(next=link, body=first))
    (tmp_path / "b.html").write_text(page.format(next="", body=second))
    document = BeautifulSoup(pdf.combine(tmp_path), "html.parser")
    assert [h["id"] for h in document.find_all("h1")] == ["index--top", "b--top"]
    assert document.find("a", string="there")["href"] == "#b--top"
    assert document.find("a", string="here")["href"] == "#b--top"
    assert not document.find("a", string="file").has_attr("href")
    assert document.find("path")["fill"] == "url(#b--top)"
    assert document.find("use")["href"] == "#b--top"


def plain_lines(text):
    """The lines of a sheet without spaces."""
    return [plain(line) for line in text.splitlines()]


@pytest.mark.slow
@pytest.mark.browser
def test_the_outline_has_every_page_and_its_sections(combined, printed):
    headings = [plain(h.get_text()) for h in combined.find_all("h1")]
    assert [plain(title) for title in titles(printed.outline)] == headings
    chapter = next(i for i, e in enumerate(printed.outline) if "L2" in getattr(e, "title", ""))
    assert len(titles(printed.outline[chapter + 1])) > 5


@pytest.mark.slow
@pytest.mark.browser
def test_pages_are_numbered_sheets_of_paper_without_an_empty_one(printed):
    assert 80 < len(printed.pages) < 400
    for number, page in enumerate(printed.pages, start=1):
        assert (round(page.mediabox.width), round(page.mediabox.height)) == pytest.approx(A4, abs=2)
        text = page.extract_text().strip()
        assert text.startswith(str(number)) or text.endswith(str(number))
        assert len(text) > len(str(number))


@pytest.mark.slow
@pytest.mark.browser
def test_chapters_start_on_a_page(printed):
    chapters = [e for e in printed.outline if re.match(r"\d+\. ", getattr(e, "title", ""))]
    assert chapters
    for chapter in chapters:
        page = printed.pages[printed.get_destination_page_number(chapter)]
        assert plain(chapter.title) in plain(page.extract_text())[: len(chapter.title) + 12]


@pytest.mark.slow
@pytest.mark.browser
def test_the_contents_say_on_which_sheet_a_page_begins(printed, combined):
    sheets = {
        plain(entry.title): printed.get_destination_page_number(entry) + 1
        for entry in printed.outline
        if not isinstance(entry, list)
    }
    lines = [
        line for sheet in printed.pages[:6] for line in plain_lines(sheet.extract_text()) if line
    ]
    listed = [plain(a.get_text()) for a in combined.select(".printed-contents a")]
    for title in (title for title in listed if title in sheets):
        assert f"{title}{sheets[title]}" in lines


@pytest.mark.slow
@pytest.mark.browser
def test_links_of_the_paper_lead_inside_it_or_to_the_web(printed):
    inside, outside = 0, []
    for page in printed.pages:
        for note in page.get("/Annots") or []:
            action = note.get_object().get("/A", {})
            if "/URI" in action:
                outside.append(action["/URI"])
            else:
                inside += 1
    assert inside > 200
    assert any("doi.org" in address for address in outside)
    assert not [address for address in outside if not address.startswith(("https://", "http://"))]


def test_without_a_browser_it_says_what_to_do(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(pdf, "BROWSERS", ("chromium",))
    with pytest.raises(SystemExit, match="apt-get install chromium"):
        pdf.find_browser()
    monkeypatch.setenv("CHROMIUM", "/no/browser")
    with pytest.raises(SystemExit, match="no browser '/no/browser'"):
        pdf.find_browser()


def test_a_browser_that_prints_nothing_is_a_failure(tmp_path):
    with pytest.raises(SystemExit, match="has printed nothing"):
        pdf.print_document(shutil.which("true"), tmp_path / "x.html", tmp_path / "x.pdf")


def test_make_knows_pdf():
    done = subprocess.run(["make", "-n", "pdf"], cwd=ROOT, capture_output=True, text=True)
    assert "book/pdf.py" in done.stdout
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True)
    assert "make pdf" in done.stdout
