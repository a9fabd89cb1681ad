"""The versions that all who grade one class must share, so that equal answers get equal grades."""

from __future__ import annotations

import functools
import importlib.metadata
import sys

import fastgrade


@functools.cache
def versions() -> dict[str, str]:
    """Return the versions that all who grade one class must share."""
    packages = ("nbgrader", "nbformat", "ipython", "numpy")
    return {
        "python": ".".join(map(str, sys.version_info[:2])),
        "fastgrade": fastgrade.__version__,
        "engine": str(fastgrade.ENGINE),
        **{name: _version(name) for name in packages},
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def difference(here: dict[str, str], there: dict[str, str]) -> str:
    """Say in which versions another process differs from this one."""
    different = ", ".join(
        f"{name} {there.get(name)} instead of {here[name]}"
        for name in sorted(here)
        if here[name] != there.get(name)
    )
    return f"it has {different}, so grades could differ"
