"""The list of references holds what the book cites, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

BOOK = Path(__file__).parents[2] / "book"


def test_every_entry_of_the_bibliography_is_cited():
    entries = re.findall(r"^@\w+\{([^,]+),", (BOOK / "references.bib").read_text(), re.MULTILINE)
    assert entries
    text = "\n".join(page.read_text(encoding="utf-8") for page in BOOK.rglob("*.md"))
    groups = re.findall(r"\{cite:\w+\}`([^`]+)`", text)
    cited = {key.strip() for group in groups for key in group.split(",")}
    assert set(entries) <= cited, f"nobody cites {sorted(set(entries) - cited)}"
