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
# Half of a chapter's elements are words of code, in a dozen classes. One of each class in each kind
# of block is looked at; the others become plain text of the block, which is looked at, too.
FEW_WORDS_OF_CODE = """(() => {
  const kept = new Set();
  document.querySelectorAll("pre").forEach((block) => {
    const box = block.closest(".admonition, details, .sd-tab-content, .cell_output, .cell_input");
    block.querySelectorAll("span[class]").forEach((word) => {
      const kind = [word.className, block.parentElement.className, box?.className].join("|");
      if (word.childElementCount) return;
      if (kept.has(kind)) word.replaceWith(word.textContent);
      else kept.add(kind);
    });
  });
})()"""
# A formula is one thing with a name, too; the first of each kind is looked at from within.
FEW_FORMULAS = """["span.math", "div.math"].forEach((kind) => {
  [...document.querySelectorAll(`${kind} math`)].slice(1).forEach((formula) => {
    formula.replaceChildren();
  });
})"""


@cache
def axe():
    """The checker, read once."""
    from axe_playwright_python.sync_playwright import Axe

    return Axe()


def violations(
    page,
    rules: tuple[str, ...] = RULES,
    within: str | None = None,
    without: tuple[str, ...] = (),
) -> list[str]:
    """What axe-core finds wrong with a page, or a part of it, one line each."""
    options = {
        "runOnly": list(rules),
        "rules": {rule: {"enabled": False} for rule in without},
        # Without its preload axe asks for imported style sheets a second time, at a wrong address.
        "preload": False,
        "resultTypes": ["violations"],
    }
    for simpler in (EMPTY_DRAWINGS, FEW_WORDS_OF_CODE, FEW_FORMULAS):
        page.evaluate(simpler)
    found = axe().run(page, context=within, options=options).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:160]}"
        for violation in found
        for node in violation["nodes"]
    ]
