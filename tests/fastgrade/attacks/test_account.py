"""The same as an ordinary account, whose submissions and grader are one user to the system."""

import os
import re
import shutil

import pytest

from fastgrade.sandbox.protection import probe
from tests.fastgrade.attacks.account import TOOLS, account
from tests.fastgrade.attacks.hostile import ATTACKS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not hasattr(os, "geteuid") or os.geteuid() != 0,
        reason="this is no root, who alone can make an account: the other tests are an account's",
    ),
    pytest.mark.skipif(
        not all(map(shutil.which, TOOLS)), reason=f"an account is made with {', '.join(TOOLS)}"
    ),
]

NAMES = [attack.name for attack in ATTACKS if attack.account]


@pytest.fixture(scope="module")
def ordinary():
    with account() as made:
        yield made


def attacked(ordinary, names, delegated=False):
    """Run attacks as the account; return how many have passed, and all that was said."""
    chosen = " or ".join(names)
    tests = ("tests/fastgrade/attacks/test_attacks.py", "-k", f"honest or touched or {chosen}")
    done = ordinary.python(
        "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, delegated=delegated
    )
    passed = re.search(r"(\d+) passed", done.stdout)
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    return int(passed[1]) if passed else 0, told


def test_doctor_says_what_an_account_lacks(ordinary):
    done = ordinary.python("-c", "from fastgrade.cli import main; main(['doctor'])")
    told = " ".join((done.stdout + done.stderr).split())
    assert "Control groups cannot be made" in told
    assert "Delegate=yes" in told


def test_attacks_on_an_account_achieve_nothing(ordinary):
    passed, told = attacked(ordinary, NAMES)
    levels = 2 if probe().level == "namespaces" and "does not reach" not in told else 1
    assert passed >= levels * len(NAMES), told


@pytest.mark.skipif(not probe().cgroups, reason="this machine has no control groups to delegate")
def test_an_account_can_use_control_groups_that_are_delegated_to_it(ordinary):
    code = "from fastgrade.sandbox.protection import probe; print(probe().cgroups, probe().missing)"
    assert ordinary.python("-c", code, delegated=True).stdout.split()[0] == probe().cgroups
    attacked(ordinary, ["memory-of-each-child", "threads-without-end"], delegated=True)
