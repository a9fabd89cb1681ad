"""What the docstrings of the book's extension show is what comes out."""

from __future__ import annotations

import doctest
from importlib import import_module
from pkgutil import iter_modules

import pytest
import regbook

MODULES = sorted(module.name for module in iter_modules(regbook.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_right(name):
    assert doctest.testmod(import_module(f"regbook.{name}")).failed == 0
