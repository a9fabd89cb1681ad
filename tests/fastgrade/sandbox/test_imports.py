"""Which modules of a course an answer may load."""

import pytest

from fastgrade.sandbox.imports import modules_outside
from fastgrade.settings import Settings


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with modules, a package in it, and a folder that holds data alone."""
    for name in ("helpers.py", "answers.py", "topics/plain.py", "topics/secret.py", "data/x.csv"):
        path = tmp_path / "course" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    for folder in ("course", "course/topics"):
        (tmp_path / folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / "course"


def test_what_is_not_allowed_is_refused(package):
    assert modules_outside(["course.helpers"]) == ["course.answers", "course.topics"]
    inside = modules_outside(["course.helpers", "course.topics.plain"])
    assert inside == ["course.answers", "course.topics.secret"]


def test_a_module_that_is_added_later_is_refused_without_being_named(package):
    allowed = ("course.helpers", "course.topics")
    assert modules_outside(allowed) == ["course.answers"]
    (package / "new_answers.py").write_text("")
    settings = Settings(allowed_modules=allowed, forbidden_modules=("json.tool",))
    assert settings.refused_modules == ("json.tool", "course.answers", "course.new_answers")


def test_whole_packages_and_none_refuse_nothing(package):
    assert modules_outside([]) == modules_outside(["course"]) == modules_outside(["absent.x"]) == []
