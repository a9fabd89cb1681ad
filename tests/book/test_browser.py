"""The built book in headless Chromium: desktop and phone, light and dark."""

from __future__ import annotations

import pytest

from tests.book.accessibility import COLORS, violations
from tests.book.built import pages

pytestmark = pytest.mark.browser

WIDTHS = {"desktop": 1280, "phone": 390}
# All pages in all widths and schemes would take minutes: all pages in one, these in each.
LOOKED_AT = [
    name
    for name in pages()
    if name.startswith(("index", "why", "getting-started", "chapters/", "instructors/"))
]


def opened(view, address, name):
    """Return a page that was opened without error and asked no other host."""
    page = view.open(f"{address}/{name}.html")
    own = (address + "/", "data:", "blob:")
    assert all(url.startswith(own) for url in view.addresses), view.addresses
    assert not view.faults
    return page


@pytest.mark.parametrize("name", LOOKED_AT)
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_a_page_opens_without_error_is_accessible_and_fits(address, visit, name, width):
    page = opened(visit(width), address, name)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # Answers are part of the page: open them before it is judged.
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    for question in page.locator("form.quiz-form").all():
        question.locator("label").first.click()
    if width != max(WIDTHS.values()):  # no width changes a color
        assert not violations(page, without=COLORS)
        return
    assert not violations(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    assert not violations(page, COLORS)


@pytest.mark.parametrize("name", [n for n in pages() if n not in LOOKED_AT])
def test_a_page_to_look_things_up_in_opens_without_error_is_accessible_and_fits(
    address, visit, name
):
    page = opened(visit(), address, name)
    assert not violations(page)
    for width in WIDTHS.values():
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_there_is_one_search_box(address, visit, width):
    page = visit(width).open(f"{address}/index.html")
    assert page.locator(".search-button__button:visible").count() == 1


def test_search_finds_a_chapter_by_its_subject(address, visit):
    view = visit()
    page = view.open(f"{address}/search.html?q=dropout")
    page.wait_for_selector("ul.search li a")
    found = page.locator("ul.search li a").all_inner_texts()
    assert any("Dropout" in title for title in found)
    assert not view.faults


def test_the_color_button_changes_the_page_for_good(address, visit):
    view = visit()
    page = view.open(f"{address}/index.html")
    seen = set()
    for _ in range(3):
        page.locator(".theme-switch-button").first.click()
        seen.add(page.evaluate("document.documentElement.dataset.mode"))
    assert seen == {"light", "dark", "auto"}
    while page.evaluate("document.documentElement.dataset.mode") != "dark":
        page.locator(".theme-switch-button").first.click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_chapters_can_be_reached_on_a_phone(address, visit):
    page = visit(390).open(f"{address}/index.html")
    chapter = page.locator("#pst-primary-sidebar-modal a", has_text="Dropout").first
    page.locator(".primary-toggle").click()
    chapter.click()
    page.wait_for_url("**/chapters/05-dropout.html")


def test_a_keyboard_reaches_the_article_first(address, visit):
    page = visit().open(f"{address}/index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main-content"


@pytest.mark.parametrize("name", [n for n in pages() if n.startswith("chapters/")])
def test_no_line_of_code_scrolls_on_a_large_screen(address, visit, name):
    page = visit().open(f"{address}/{name}.html")
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    wide = "(blocks) => blocks.filter((b) => b.scrollWidth > b.clientWidth).map((b) => b.innerText)"
    assert not page.locator("article pre").evaluate_all(wide)
