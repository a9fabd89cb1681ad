"""A course with secrets in it, and a grader with tight limits."""

import sys

import pytest

from fastgrade.engine.grader import Grader
from fastgrade.sandbox.protection import probe
from tests.fastgrade.attacks.attacked import make_course, settings_of


@pytest.fixture(scope="session")
def classroom(tmp_path_factory):
    """The course and the folder of the victim."""
    return make_course(tmp_path_factory.mktemp("attacks"))


@pytest.fixture(scope="session", params=["sandbox", "namespaces"])
def grader(request, classroom):
    """A grader at each level of protection that this machine can give."""
    if not probe().reaches(request.param):
        pytest.skip(f"this machine does not reach the level {request.param!r}")
    sys.path.append(str(classroom.course))
    try:
        with Grader(settings_of(classroom, namespaces=request.param == "namespaces")) as grader:
            yield grader
    finally:
        sys.path.remove(str(classroom.course))
