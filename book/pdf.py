"""Print the built book: every page in one document, and that by Chromium.

``CHROMIUM`` in the environment names another browser of its family than the one that is found.
"""

from __future__ import annotations

import os
import posixpath
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

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


def combine(site: Path) -> str:
    """Return all pages as one document that lies beside the first."""
    pages = pages_in_order(site)
    first = pages["index.html"]
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
    contents = first.find("nav", class_="bd-docs-nav")
    nested = {
        target_of("index.html", link["href"])[0]
        for link in contents.select("li li > a")
        if not link["href"].startswith("#")
    }
    book.append(contents_page(contents, pages))
    for name, page in pages.items():
        article = page.find("article", class_="bd-article")
        article.name = "section"
        article["class"] = ["printed-page", *(["nested"] if name in nested else [])]
        move(article, name, pages)
        article["id"] = anchor(name)
        if name in nested:
            lower_headings(article)
        book.append(article)
    book.insert(0, book.find(id=anchor("index.html")).extract())
    return str(printed)


def contents_page(contents: Tag, pages: dict[str, BeautifulSoup]) -> Tag:
    """Return the sidebar's list of pages as a list of links within the document."""
    for unwanted in contents.select("summary, .bd-sidenav__home-link, script"):
        unwanted.decompose()
    for details in contents.find_all("details"):
        details.unwrap()
    move(contents, "index.html", pages)
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
            element["src"] = target_of(name, element["src"])[0]
        if element.name == "a" and element.get("href") and not urlsplit(element["href"]).scheme:
            page, place = target_of(name, element["href"])
            if page in pages:
                element["href"] = f"#{anchor(page, place)}"
            else:  # a file of the site, which no paper holds
                del element["href"]
        for attribute, value in element.attrs.items():
            if isinstance(value, str) and "url(#" in value:
                element[attribute] = value.replace("url(#", f"url(#{anchor(name)}--")


def lower_headings(part: Tag) -> None:
    """Put a page one level lower in the outline."""
    for level in range(5, 0, -1):
        for heading in part.find_all(f"h{level}"):
            heading.name = f"h{level + 1}"


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


def main() -> None:
    """Print the built book."""
    if not (SITE / "index.html").exists():
        sys.exit(f"{SITE} holds no book: run `make book` first")
    browser = find_browser()
    document = SITE / "printed.html"
    document.write_text(combine(SITE), encoding="utf-8")
    try:
        print_document(browser, document, TARGET)
    finally:
        document.unlink()
    print(f"The printed book  {TARGET}")


if __name__ == "__main__":
    main()
