"""What axe-core, a checker of accessibility, finds wrong with a page."""

from __future__ import annotations

from functools import cache

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
# All that a color scheme can change.
COLORS = ("color-contrast", "link-in-text-block")
# To a reader of the page a drawing is one picture with a name; its thousands of lines, which no
# rule is about, would take the checker a minute.
EMPTY_DRAWINGS = """document.querySelectorAll("article figure svg").forEach((svg) => {
  svg.replaceChildren(...svg.querySelectorAll(":scope > title, :scope > desc"));
})"""


@cache
def axe():
    """The checker, read once."""
    from axe_playwright_python.sync_playwright import Axe

    return Axe()


def violations(page, rules: tuple[str, ...] = RULES, within: str | None = None) -> list[str]:
    """What axe-core finds wrong with a page, or a part of it, one line each."""
    # Without its preload axe asks for imported style sheets a second time, at a wrong address.
    options = {"runOnly": list(rules), "preload": False, "resultTypes": ["violations"]}
    page.evaluate(EMPTY_DRAWINGS)
    found = axe().run(page, context=within, options=options).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:160]}"
        for violation in found
        for node in violation["nodes"]
    ]
