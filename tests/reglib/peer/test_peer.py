"""The tests that Keras installs, run against reglib in a process without Keras."""

import fnmatch
import importlib.util
import os
import pathlib
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from reglib._absent import advice
from tests import ROOT
from tests.reglib.peer.peer_cases import FILES

PLUGIN = "tests.reglib.peer.shim"
# What the shim says where a name is missing.
MISSING = re.compile(r"reglib has no (\w+)\.(\w+)")

pytestmark = pytest.mark.keras


@pytest.fixture(scope="session")
def outcomes(tmp_path_factory):
    """What became of each case: {file: {Class.case: "" if it passed, else why not}}."""
    keras = importlib.util.find_spec("keras")
    if keras is None:
        pytest.skip("Keras is not installed: its tests cannot be run")
    source = pathlib.Path(keras.origin).parent / "src"
    directory = tmp_path_factory.mktemp("peer")
    # Copies, because a file within the package would load the package.
    for file in FILES:
        (directory / flat(file)).write_text((source / file).read_text())
    (directory / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            PLUGIN,
            "--junitxml=outcomes.xml",
            # A reason is read by its last line: pytest's own tracebacks take four times the run.
            "--tb=native",
            "--assert=plain",
        ],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=1800,  # it takes half a minute; only a hang is to end
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = {file: {} for file in FILES}
    by_module = {flat(file).removesuffix(".py"): file for file in FILES}
    for case in ElementTree.parse(directory / "outcomes.xml").iter("testcase"):
        module = case.get("classname").split(".")[0]
        trouble = [child for child in case if child.tag in ("failure", "error")]
        name = f"{case.get('classname').rpartition('.')[2]}.{case.get('name')}"
        found[by_module[module]][name] = "\n".join(t.text or "" for t in trouble)
    return found


def matches(case, pattern):
    """Whether a pattern fits a case's name: without its class, unless the pattern has a dot."""
    return fnmatch.fnmatch(case if "." in pattern else case.partition(".")[2], pattern)


def lacks(why):
    """Whether a case failed for want of a name that ``reglib.deviations`` lists as missing."""
    return any(advice(room, name) for room, name in MISSING.findall(why))


def flat(file):
    return file.replace("/", "__")


@pytest.mark.parametrize("file", FILES)
def test_every_case_of_keras_that_applies_passes(file, outcomes):
    applicable = {
        case: why
        for case, why in outcomes[file].items()
        if not (lacks(why) or any(matches(case, pattern) for pattern in FILES[file]))
    }
    assert applicable, "no case of the file applies: leave it out"
    failed = {case: why for case, why in applicable.items() if why}
    assert not failed, "\n\n".join(f"{case}:\n{why}" for case, why in failed.items())


@pytest.mark.parametrize("file", FILES)
def test_every_case_that_is_left_out_exists_and_fails(file, outcomes):
    for pattern in FILES[file]:
        matched = {c: why for c, why in outcomes[file].items() if matches(c, pattern)}
        assert matched, f"{pattern} matches no case"
        passed = [case for case, why in matched.items() if not why]
        assert not passed, f"{pattern} leaves out what passes: {passed}"
        known = all(map(lacks, matched.values()))
        assert not known, f"{pattern} repeats what reglib.deviations says"
