"""Pack `warmfork`, which lies beside this folder, with `fastgrade`: two packages, one wheel.

In the repository this folder is the package `fastgrade` itself. In a source archive it is the same
folder with `warmfork` in it, and hatchling has no setting for either.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class TwoPackages(BuildHookInterface):
    """Says which files go where."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add `warmfork` to a source archive, and both packages to a wheel."""
        if version == "editable":  # a path to the repository, which holds both
            return
        here = Path(self.root)
        beside = here.parent / "warmfork"
        warmfork = beside if beside.is_dir() else here / "warmfork"
        files = build_data["force_include"]
        files[str(warmfork)] = "warmfork"
        if self.target_name == "wheel":
            for path in here.iterdir():
                module = path.suffix == ".py" and path.name != Path(__file__).name
                module = module or path.name == "py.typed"
                package = (path / "__init__.py").exists() and path.name != "warmfork"
                if module or package:
                    files[str(path)] = f"fastgrade/{path.name}"
