"""The book at an address, under a path, and without one."""

from __future__ import annotations

import functools
import http.server
import threading
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from regbook.hosting import MISSING, PICTURE, from_root

from reglib import __version__
from reglib.exercises._install_cell import WHEEL
from tests.book.built import SITE, pages

BASE = "https://example.org/course"
REPOSITORY = "https://github.com/someone/course"
TEXT = """# A page

What this page is about is said in its first paragraph, which is longer than sixty signs, and which
goes on until there are more words than anybody reads below a link that another has sent.

```{install}
```
"""


@pytest.fixture(scope="module")
def published(build):
    """A page of a book with an address, and the folder of its site."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BOOK_ADDRESS", f"{BASE}/")
        patch.setenv("BOOK_REPOSITORY", REPOSITORY)
        patch.setenv("BOOK_COMMIT", "0123456789abcdef")
        html, warnings = build(TEXT)
    assert not warnings
    return BeautifulSoup(html, "html.parser")


def test_a_published_page_says_where_it_is_and_what_it_is_about(published):
    meta = {
        tag.get("name") or tag.get("property"): tag["content"]
        for tag in published.select("meta[content]")
    }
    assert published.select_one("link[rel=canonical]")["href"] == f"{BASE}/index.html"
    assert meta["og:url"] == f"{BASE}/index.html"
    assert meta["og:image"] == f"{BASE}/{PICTURE}"
    assert meta["description"].startswith("What this page is about")
    assert 100 < len(meta["description"]) <= 162
    assert published.select_one(".install-line pre").get_text() == f"pip install {BASE}/{WHEEL}\n"


def test_an_address_that_is_none_stops_the_build(build, monkeypatch):
    monkeypatch.setenv("BOOK_ADDRESS", "example.org/course")
    with pytest.raises(Exception, match="BOOK_ADDRESS must be an address that begins with https"):
        build(TEXT)


@pytest.mark.parametrize("name", [*pages(), MISSING])
def test_every_page_of_the_site_says_what_it_is_about_and_which_edition_it_is(site, name):
    page = BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
    assert len(page.select_one("meta[name=description]")["content"]) > 15
    assert f"Edition {__version__}" in page.select_one("footer .edition").get_text()
    assert not page.select("link[rel=canonical]")


def test_the_page_for_what_is_missing_works_at_any_depth(site):
    html = from_root((site / "404.html").read_text(encoding="utf-8"), BASE)
    page = BeautifulSoup(html, "html.parser")
    links = [tag.get("href") or tag.get("src") for tag in page.select("[href], [src]")]
    assert len(links) > 40
    assert all(link.startswith(("/", "#", "http")) for link in links)
    assert (site / ".nojekyll").exists()


def test_a_site_map_lists_the_pages_a_reader_looks_for():
    from regbook.hosting import site_map

    found = [place.text for place in ElementTree.fromstring(site_map([f"{BASE}/a&b.html"])).iter()]
    assert found[-1] == f"{BASE}/a&b.html"


@pytest.mark.browser
def test_the_site_works_below_a_path(site, visit, tmp_path):
    (tmp_path / "course").symlink_to(SITE)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}/course"
        for name in ("index", "getting-started", "chapters/05-dropout", "search"):
            view = visit()
            page = view.open(f"{base}/{name}.html")
            assert not view.faults
            assert all(url.startswith((base, "data:", "blob:")) for url in view.addresses)
        page = visit().open(f"{base}/getting-started.html")
        line = page.locator(".install-line pre").inner_text().strip()
        assert line == f"pip install {base}/{WHEEL}"
        server.shutdown()
