"""The examples in the grader's docstrings are true."""

import doctest
import pkgutil
from importlib import import_module

import fastgrade
import warmfork


def test_the_examples_give_what_they_show():
    found = [
        import_module(module.name)
        for package in (fastgrade, warmfork)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        if not module.name.endswith("__main__")
    ]
    outcomes = [doctest.testmod(module) for module in found]
    assert [
        module.__name__ for module, outcome in zip(found, outcomes, strict=True) if outcome.failed
    ] == []
    assert sum(outcome.attempted for outcome in outcomes) > 10
