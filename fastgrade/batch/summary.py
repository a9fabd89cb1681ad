"""What a run over one assignment did, or would do."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Summary:
    """What became of the submissions of an assignment."""

    assignment: str = ""
    total: int = 0
    graded: int = 0
    identical: int = 0
    rewritten: int = 0
    unchanged: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    flagged: dict[str, list[str]] = field(default_factory=dict)
    planned: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def reused(self) -> int:
        """Submissions whose verdict was there already."""
        return self.identical + self.rewritten + self.unchanged

    @property
    def done(self) -> int:
        """Submissions that need nothing more."""
        return self.graded + self.reused + len(self.failed)
