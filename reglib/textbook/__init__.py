"""The functions of the textbooks: examples are columns, weights live in a ``parameters`` dict.

Each module is a topic: :mod:`~reglib.textbook.network` (a plain network, any depth),
:mod:`~reglib.textbook.shrinkage` (L2), :mod:`~reglib.textbook.sparsity` (L1) and so on. What a
module defines under a public name can be imported from here.

A topic is loaded when one of its names is first asked for. So a course can let students use the
plain network while the answers of its exercises stay out of reach.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

#: Read from the text of the modules: to import them all would load what is to stay out of reach.
_HOMES = {
    name: path.stem
    for path in sorted(Path(__file__).parent.glob("[!_]*.py"))
    for name in re.findall(r"^(?:class|def) ([^\W_]\w*)", path.read_text("utf-8"), re.MULTILINE)
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
