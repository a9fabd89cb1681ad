"""What an instructor may write into nbgrader_config.py, and what is refused."""

from dataclasses import fields

import pytest
from traitlets import TraitError
from traitlets.config import Config
from traitlets.config.loader import DeferredConfigString

from fastgrade.settings import FastGrade, Limits, Settings, settings_from_config


def config(**settings):
    config = Config()
    for name, value in settings.items():
        config.FastGrade[name] = value
    return config


def test_defaults_are_those_of_settings():
    assert settings_from_config(Config()) == Settings()
    assert settings_from_config() == Settings()


def test_nbgrader_tells_what_every_setting_and_limit_means():
    told = " ".join(FastGrade.class_get_help().split())
    for item in fields(Limits):
        assert f"{item.name}: {item.metadata['help']}" in told
    followed = {item.name for item in fields(Settings) if item.metadata["nbgrader"]}
    assert followed == {"hidden_begin", "hidden_end", "solution_begin", "solution_end"}
    for item in fields(Settings):
        assert (f"--FastGrade.{item.name}=" in told) == (item.name not in followed)


def test_assignments_differ_in_limits_and_settings():
    course = settings_from_config(
        config(
            limits={"memory_mb": 300},
            assignments={"ps1": {"cell_seconds": 5, "forbidden_modules": ["answers"]}},
        )
    )
    ps1, ps2 = course.for_assignment("ps1"), course.for_assignment("ps2")
    assert (ps1.limits.cell_seconds, ps1.limits.memory_mb) == (5, 300)
    assert ps1.forbidden_modules == ("answers",)
    assert ps2.limits.cell_seconds == Limits().cell_seconds
    assert ps1.assignments == {}


def test_delimiters_of_hidden_tests_and_solutions_are_nbgraders():
    given = config()
    given.ClearHiddenTests.begin_test_delimeter = "VVV"
    given.ClearHiddenTests.end_test_delimeter = "AAA"
    given.ClearSolutions.begin_solution_delimeter = "<<<"
    given.ClearSolutions.end_solution_delimeter = ">>>"
    settings = settings_from_config(given)
    assert (settings.hidden_begin, settings.hidden_end) == ("VVV", "AAA")
    assert (settings.solution_begin, settings.solution_end) == ("<<<", ">>>")


def test_settings_travel_as_json():
    settings = settings_from_config(
        config(preload=["numpy", "json"], assignments={"ps1": {"mode": "kernel"}})
    )
    assert Settings.from_json(settings.to_json()) == settings


@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [(7, 7), (None, 86_400), (-1, 86_400), (DeferredConfigString("2"), 2)],
)
def test_nbgraders_time_limit_holds_unless_there_is_one_of_ours(timeout, seconds):
    given = config()
    given.Execute.timeout = timeout
    assert settings_from_config(given).limits.cell_seconds == seconds
    given.FastGrade.limits = {"cell_seconds": 3}
    assert settings_from_config(given).limits.cell_seconds == 3


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"lmits": {}}, "lmits"),
        ({"limits": {"memory": 3}}, "memory"),
        ({"limits": {"memory_mb": -1}}, "memory_mb must be positive"),
        ({"limits": {"cell_seconds": float("inf")}}, "cell_seconds must be positive and finite"),
        ({"limits": {"cell_seconds": "3"}}, "cell_seconds must be a number"),
        ({"limits": {"processes": True}}, "processes must be a number"),
        ({"assignments": {"ps1": {"cell_second": 3}}}, "cell_second"),
        ({"mode": "docker"}, "mode"),
        ({"minimum_protection": "total"}, "minimum_protection"),
        ({"minimum_protection": "namespaces", "namespaces": False}, "namespaces must be true"),
    ],
)
def test_what_cannot_be_is_refused_by_name(settings, complaint):
    with pytest.raises((ValueError, TypeError, TraitError), match=complaint):
        settings_from_config(config(**settings))


@pytest.mark.parametrize("name", ["preload", "forbidden_modules", "readable"])
def test_lists_are_not_strings(name):
    with pytest.raises(TypeError, match=f"{name} must be a list"):
        Settings(**{name: "numpy"})
