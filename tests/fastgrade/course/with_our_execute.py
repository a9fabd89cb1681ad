"""Run nbgrader's own tests of autograde with our Execute in its place.

A pytest plugin, from an empty folder, with this environment's ``bin`` on PATH (nbgrader finds
alembic there)::

    PYTHONPATH=REPOSITORY/tests/fastgrade python -m pytest -p with_our_execute \
        --pyargs nbgrader.tests.apps.test_nbgrader_autograde
"""

from nbgrader.converters import Autograde

from fastgrade.course.execute_step import Execute

_steps = list(Autograde().autograde_preprocessors)
Autograde.autograde_preprocessors.default_args = ([Execute, *_steps[1:]],)
