"""What a page of the book asks for, and that nothing it shows is lost by asking for less."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
import tinycss2
from bs4 import BeautifulSoup
from regbook.assets import purged, used_names

from tests.book.built import pages

#: Bytes of a page before anybody scrolls, compressed as hosts do it.
LARGEST = 400_000
CHAPTERS = [name for name in pages() if name.startswith("chapters/")]


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        (".used{a:b}", True),
        (".gone{a:b}", False),
        (".used .gone{a:b}", False),
        ("p:not(.gone){a:b}", True),
        ("p::before{a:b}", True),
        ("#gone{a:b}", False),
        ("em{a:b}", False),
        (".opened{a:b}", True),
        ("[data-mode=dark] p>.used:hover{a:b}", True),
        ("@media print{.used{a:b}}", True),
        ("@media print{.gone{a:b}}", False),
        ("@font-face{src:url(x)}", True),
    ],
)
def test_a_rule_stays_if_a_page_or_a_script_can_use_it(rule, kept):
    names = used_names(iter(['<p id="here" class="used">']), iter(["x.add('opened')"]))
    assert ("".join(purged(tinycss2.parse_stylesheet(rule), names)) == rule) is kept


def test_of_a_list_of_selectors_those_stay_that_are_used():
    sheet = tinycss2.parse_stylesheet("/* why */ .used , .gone{a:b}")
    assert list(purged(sheet, {"used"})) == [".used{a:b}"]


@pytest.mark.parametrize("name", pages())
def test_a_page_asks_for_one_style_sheet_and_waits_for_no_script(site, name):
    page = BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
    styles = [tag["href"] for tag in page.select("link[rel=stylesheet]")]
    assert sum("site.css?v=" in style for style in styles) == 1
    if name != "search":
        assert all(tag.has_attr("defer") for tag in page.select("script[src]"))
        assert not page.select("script[src*=searchindex]")


def test_the_style_sheet_has_every_icon_of_the_pages_and_its_font_within(site):
    style = (site / "_static" / "site.css").read_text(encoding="utf-8")
    icons = {
        icon
        for name in pages()
        for icon in re.findall(r"\bfa-[a-z-]+", (site / f"{name}.html").read_text("utf-8"))
    } - {"fa-solid", "fa-lg"}
    assert len(icons) > 8
    assert not [icon for icon in icons if not re.search(rf"\.{icon}(?![\w-])", style)]
    assert "fontawesome/webfonts" not in style
    for address in re.findall(r'url\("?(?!data:)([^")]+)', style):
        assert (site / "_static" / address).exists(), address


@pytest.mark.browser
@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_is_light_and_does_not_jump(address, site, visit, name):
    view = visit()
    page = view.page
    shifts = """new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
      window.shifted = (window.shifted || 0) + entry.value;
    })).observe({ type: "layout-shift", buffered: true })"""
    page.add_init_script(shifts)
    view.open(f"{address}/{name}.html")
    page.wait_for_timeout(300)
    assert page.evaluate("window.shifted || 0") < 0.05
    files = {
        url.removeprefix(address + "/").partition("?")[0]
        for url in view.addresses
        if url.startswith(address)
    }
    assert len([file for file in files if "/photographs/" not in file]) < 15
    sizes = {file: compressed(site / file) for file in files}
    assert sum(sizes.values()) < LARGEST, sizes


def compressed(path: Path) -> int:
    """Return how many bytes of a file a host sends."""
    content = path.read_bytes()
    return len(content) if path.suffix in (".woff2", ".webp") else len(gzip.compress(content))


@pytest.mark.parametrize("name", pages())
def test_what_a_page_asks_for_at_once_is_light(site, name):
    """With all fonts, of which most pages need some; what waits until it is near is left out."""
    place = site / f"{name}.html"
    page = BeautifulSoup(place.read_text(encoding="utf-8"), "html.parser")
    asked = page.select("link[rel=stylesheet], script[src], img:not([loading=lazy])")
    addresses = {tag.get("href") or tag.get("src") for tag in asked}
    files = {place.parent / address.partition("?")[0] for address in addresses}
    fonts = site.glob("_static/fonts/*.woff2")
    sizes = {path.name: compressed(path) for path in (place, *files, *fonts)}
    assert len(sizes) > 5
    assert sum(sizes.values()) < LARGEST, sizes


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_a_photograph_comes_when_a_reader_comes_near(address, visit, width):
    view = visit(width)
    page = view.open(f"{address}/chapters/06-dropout-family.html")
    last = page.locator(".photograph:visible").last
    address_of_last = last.evaluate("(image) => image.src")
    assert address_of_last not in view.addresses
    last.scroll_into_view_if_needed()
    page.wait_for_function("(image) => image.naturalWidth > 0", arg=last.element_handle())
    drawn, around = last.bounding_box(), last.locator("xpath=..").bounding_box()
    assert drawn["width"] == pytest.approx(around["width"], abs=1)
    assert drawn["height"] == pytest.approx(around["height"], abs=1)
