"""What a page of the book asks for, and that nothing it shows is lost by asking for less."""

from __future__ import annotations

import gzip
import re

import pytest
import tinycss2
from bs4 import BeautifulSoup
from regbook.assets import purged, used_names

from tests.book.built import pages

#: Bytes of a chapter, compressed as hosts do it, without the photographs that are part of its page.
LARGEST = 400_000
PHOTOGRAPH = re.compile(rb"data:image/webp;base64,[^\"]+")
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
    assert len(files) < 15
    sizes = {
        file: len(content if file.endswith("woff2") else gzip.compress(content))
        for file in files
        if (content := PHOTOGRAPH.sub(b"", (site / file).read_bytes()))
    }
    assert sum(sizes.values()) < LARGEST, sizes
