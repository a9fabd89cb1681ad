"""Print the built book: its pages in one document, and that by Chromium.

The library name by name and the exercises' pages stay on the screen. The document is printed twice:
only the first print says on which sheet a page begins, and the second one says so in the contents.

``CHROMIUM`` in the environment names another browser of its family than the one that is found.
"""

from __future__ import annotations

import os
import posixpath
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag
from pypdf import PdfReader

HERE = Path(__file__).resolve().parent
SITE = HERE.parent / "_build" / "html"
TARGET = HERE.parent / "_build" / "book.pdf"
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
#: Attributes that name an element of the same page, or several.
POINTERS = ("for", "aria-labelledby", "aria-describedby", "aria-controls", "headers")


def pages_in_order(site: Path) -> dict[str, BeautifulSoup]:
    """Return the pages of the table of contents by name, each as the one before it says."""
    pages: dict[str, BeautifulSoup] = {}
    name = "index.html"
    while name not in pages:
        pages[name] = BeautifulSoup((site / name).read_text(encoding="utf-8"), "html.parser")
        following = pages[name].find("link", rel="next")
        if following is None:
            break
        name = target_of(name, following["href"])[0]
    return pages


def target_of(name: str, href: str) -> tuple[str, str]:
    """Return the page and the place on it that a page's link leads to.

    Examples
    --------
    >>> target_of("chapters/02-l2.html", "../glossary.html#term-bias")
    ('glossary.html', 'term-bias')
    >>> target_of("chapters/02-l2.html", "#sources")
    ('chapters/02-l2.html', 'sources')
    """
    url = urlsplit(href)
    path = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(url.path)))
    return path if url.path else name, unquote(url.fragment)


def anchor(name: str, place: str = "") -> str:
    """Return what a place of a page is called in the one document.

    Examples
    --------
    >>> anchor("chapters/02-l2.html", "sources")
    'chapters-02-l2--sources'
    """
    page = name.removesuffix(".html").replace("/", "-")
    return f"{page}--{place}" if place else page


def combine(site: Path, sheets: Mapping[str, int] | None = None) -> str:
    """Return the pages as one document that lies beside the first.

    Parameters
    ----------
    site : Path
        The built book.
    sheets : mapping, optional
        On which sheet of paper a page begins, for the contents.
    """
    pages = pages_in_order(site)
    first = pages["index.html"]
    contents = first.find("nav", class_="bd-docs-nav")
    for part in contents.select("li li"):  # what one looks up on the screen
        pages.pop(target_of("index.html", part.a["href"])[0])
        part.decompose()
    printed = BeautifulSoup(
        '<!DOCTYPE html><html data-theme="light"><head><meta charset="utf-8"></head><body>'
        '<main class="bd-main"><div class="bd-content"><div class="bd-article-container">'
        '<div class="bd-article"></div></div></div></main></body></html>',
        "html.parser",
    )
    printed.html["lang"] = first.html.get("lang", "en")
    printed.head.append(first.title)
    for link in first.find_all("link", rel="stylesheet"):
        printed.head.append(link)
    book = printed.find("div", class_="bd-article")
    book.append(contents_page(contents, pages, sheets or {}))
    for name, page in pages.items():
        article = page.find("article", class_="bd-article")
        article.name = "section"
        article["class"] = ["printed-page"]
        move(article, name, pages)
        article["id"] = anchor(name)
        book.append(article)
    book.insert(0, book.find(id=anchor("index.html")).extract())
    return str(printed)


def contents_page(contents: Tag, pages: dict[str, BeautifulSoup], sheets: Mapping[str, int]) -> Tag:
    """Return the sidebar's list of pages as a list of links within the document."""
    for unwanted in contents.select("summary, .bd-sidenav__home-link, script"):
        unwanted.decompose()
    for details in contents.find_all("details"):
        details.decompose()
    move(contents, "index.html", pages)
    for link in contents.find_all("a", href=True):
        number = BeautifulSoup('<span class="printed-sheet"></span>', "html.parser").span
        number.string = str(sheets.get(link["href"][1:], ""))
        link.append(number)
    contents.attrs = {"class": ["printed-contents"], "aria-label": "Contents"}
    return contents


def move(part: Tag, name: str, pages: dict[str, BeautifulSoup]) -> None:
    """Give what a page names, links to and shows the names of the one document."""
    for unwanted in part.find_all("script"):
        unwanted.decompose()
    for element in part.find_all(True):
        if element.get("id"):
            element["id"] = anchor(name, element["id"])
        for pointer in POINTERS:
            if element.get(pointer):
                places = element[pointer]
                places = places.split() if isinstance(places, str) else places
                element[pointer] = " ".join(anchor(name, place) for place in places)
        if element.get("src"):
            element.attrs.pop("loading", None)  # nobody scrolls through paper
            element["src"] = target_of(name, element["src"])[0]
        if element.name == "a" and element.get("href") and not urlsplit(element["href"]).scheme:
            page, place = target_of(name, element["href"])
            if page in pages:
                element["href"] = f"#{anchor(page, place)}"
            else:  # a file of the site, which no paper holds
                del element["href"]
        if element.name == "use":
            element["href"] = f"#{anchor(name, element['href'].removeprefix('#'))}"
        for attribute, value in element.attrs.items():
            if isinstance(value, str) and "url(#" in value:
                element[attribute] = value.replace("url(#", f"url(#{anchor(name)}--")


def find_browser() -> str:
    """Return the browser to print with.

    Raises
    ------
    SystemExit
        If there is none; it says what to do.
    """
    wanted = os.environ.get("CHROMIUM")
    for name in [wanted] if wanted else BROWSERS:
        if found := shutil.which(name):
            return found
    sys.exit(
        f"There is no browser {wanted!r}."
        if wanted
        else "The book is printed by Chromium, and there is none. Install it (Debian and Ubuntu: "
        "sudo apt-get install chromium), or name a browser of its family: "
        "make pdf CHROMIUM=/path/to/chrome"
    )


def print_document(browser: str, document: Path, target: Path) -> None:
    """Print a document with an outline and no header of the browser's own.

    Raises
    ------
    SystemExit
        If nothing was printed.
    """
    target.unlink(missing_ok=True)
    with TemporaryDirectory() as profile:
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
            f"--user-data-dir={profile}",
            "--generate-pdf-document-outline",
            "--no-pdf-header-footer",
            f"--print-to-pdf={target}",
            document.resolve().as_uri(),
        ]
        done = subprocess.run(command, capture_output=True, text=True)
    if not target.exists():
        sys.exit(f"{browser} has printed nothing:\n{done.stderr[-2000:]}")


def sheets_of(printed: Path) -> dict[str, int]:
    """Return on which sheet each place of a printed document is that a link leads to."""
    reader = PdfReader(printed)
    places = reader.named_destinations.items()
    return {name.lstrip("/"): 1 + reader.get_destination_page_number(at) for name, at in places}


def print_book(site: Path, browser: str, target: Path) -> None:
    """Print a built book."""
    document = site / f"printed-{os.getpid()}.html"
    try:
        document.write_text(combine(site), encoding="utf-8")
        print_document(browser, document, target)
        document.write_text(combine(site, sheets_of(target)), encoding="utf-8")
        print_document(browser, document, target)
    finally:
        document.unlink()


def main() -> None:
    """Print the book that `make book` has built."""
    if not (SITE / "index.html").exists():
        sys.exit(f"{SITE} holds no book: run `make book` first")
    print_book(SITE, find_browser(), TARGET)
    print(f"The printed book  {TARGET}")


if __name__ == "__main__":
    main()
