"""Every command and every setting of the guide for instructors works as written."""

import re
import shlex
import shutil
import subprocess

import pytest

from fastgrade.cli import EXIT_CODES
from fastgrade.course.config import load_course
from fastgrade.settings import LEVELS, Limits
from tests import ROOT
from tests.fastgrade.classroom import BIN, counts, environment, run
from tests.fastgrade.cluster import own_port, told_address, wait_for_workers
from tests.processes import descendants

GUIDE = (ROOT / "book" / "instructors" / "grading.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


def commands():
    lines = "".join(blocks("console")).splitlines()
    assert all(line.startswith("$ ") for line in lines), lines
    return [line[2:] for line in lines]


@pytest.fixture
def course(tmp_path):
    """This course, without what working on it has left."""
    for name in ("solutions", "exercises", "submitted"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    return tmp_path


@pytest.mark.slow
def test_every_command_works_in_its_turn(course, postgres_server):
    address, create = postgres_server
    create("grades")
    scheduler = course / "scheduler.json"
    dask = ""
    background = []
    try:
        for command in commands():
            words = shlex.split(
                command.replace("127.0.0.1/grades", f"{address}/grades")
                .replace("tls://127.0.0.1:8786", dask)
                .replace("--port 8786", shlex.join(own_port(scheduler)))
            )
            if words[0] == "source":
                assert words[1] == ".venv/bin/activate"
                continue
            if words[0] == "dask":
                background.append(
                    subprocess.Popen(
                        [str(BIN / "dask"), *words[1:]],
                        cwd=course,
                        env=environment(),
                        stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL,
                    )
                )
                dask = dask or told_address(scheduler, background[0])
                if words[1] == "worker":
                    wait_for_workers(dask, course / "certificates", 1)
                continue
            if words[-2] == ">":
                (course / words[-1]).write_text(run(*words[:-2], cwd=course).stdout)
                continue
            done = run(*words, cwd=course)
            if words in (["fastgrade", "02-l2"], ["fastgrade", "02-l2", "--force"]):
                assert counts(done, "02-l2")["handed in"] == 7
            if words[1] == "copy-gradebook":
                with open(course / "nbgrader_config.py", "a") as config:
                    config.write(f'c.CourseDirectory.db_url = "{words[2]}"\n')
    finally:
        for process in reversed(background):
            below = descendants(process.pid)
            process.terminate()
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pid in below:
                subprocess.run(["kill", "-9", str(pid)], capture_output=True)
    assert (course / "report-02-l2.html").exists()
    assert (course / "grades.csv").exists()
    assert len(list((course / "feedback").glob("*/02-l2/02-l2.html"))) == 7


def test_every_setting_can_be_set(course):
    settings = "\n".join(blocks("python"))
    with open(course / "nbgrader_config.py", "a") as config:
        config.write(settings.replace('"postgresql', '"sqlite:///x.db" or "postgresql'))
    loaded = load_course(course)
    assert loaded.settings.for_assignment("05-dropout").limits.cell_seconds == 60


def test_every_limit_level_and_status_is_named():
    for limit in vars(Limits()):
        assert f"`{limit}`" in GUIDE
    for level in LEVELS:
        assert f"| `{level}` |" in GUIDE
    for status in re.findall(r"^  (\d+) ", EXIT_CODES, re.MULTILINE):
        assert re.search(rf"^\| {status} +\|", GUIDE, re.MULTILINE)
