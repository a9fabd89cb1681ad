"""The journal keeps every verdict that it has confirmed, whatever happens to the process."""

import os
import signal
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastgrade.batch.journal import Applied, Journal, JournalBusyError, path_of
from fastgrade.verdict import QuestionVerdict, Verdict
from tests import ROOT

MISTAKES = (("off by one", "look again"), ("sign", "mind it"))


def verdict(student="ada", notebook="problem", points=1.0, message="", content=b"{}"):
    question = QuestionVerdict("test_add", points, 2.0, False, message, "look again", MISTAKES)
    return Verdict(student, "ps1", notebook, (question,), ("a cell is missing",), content, 0.25)


@pytest.fixture
def path(tmp_path):
    return path_of(tmp_path, "ps1")


def test_a_verdict_comes_back_without_the_notebook(path):
    with Journal(path) as journal:
        journal.add_verdicts([("k1", verdict(message="é\ud800 <b>", content=b"12345"))])
    with Journal(path) as journal:
        entry = journal.entry("ada", "problem")
        assert (entry.key, entry.size) == ("k1", 5)
        read = journal.read(entry)
    assert read.questions == verdict(message="é\ud800 <b>").questions
    assert read.flags == ("a cell is missing",)
    assert read.autograded is None


def test_the_newest_verdict_counts(path):
    with Journal(path) as journal:
        journal.add_verdicts([("k1", verdict(points=1.0)), ("k2", verdict(points=2.0))])
        assert journal.read(journal.entry("ada", "problem")).points == 2.0
        assert journal.with_key("k1") is None
        assert journal.with_key("k2").student == "ada"
    with Journal(path) as journal:
        assert journal.read(journal.entry("ada", "problem")).points == 2.0
        assert len(journal) == 1


def test_an_equal_key_finds_another_students_verdict(path):
    with Journal(path) as journal:
        journal.add_verdicts([("same", verdict("ada")), ("same", verdict("bob"))])
        assert journal.with_key("same").student == "bob"
        assert journal.entry("cyd", "problem") is None


def test_what_was_applied_comes_back(path):
    mark = Applied("ada", "f" * 64, {"problem": ["k1", 2, 3.5]}, ["timestamp.txt is empty"])
    with Journal(path) as journal:
        journal.add_applied([mark])
        assert journal.applied("ada") == mark
    with Journal(path) as journal:
        assert journal.applied("ada") == mark
        assert journal.applied("bob") is None


@pytest.mark.parametrize("lost", [1, 2, 10, 100])
def test_a_line_that_was_cut_short_is_cut_off(path, lost):
    with Journal(path) as journal:
        journal.add_verdicts([("k1", verdict("ada"))])
        first = path.stat().st_size
        journal.add_verdicts([("k2", verdict("bob"))])
    os.truncate(path, path.stat().st_size - lost)
    with Journal(path) as journal:
        assert journal.entry("ada", "problem").key == "k1"
        assert journal.entry("bob", "problem") is None
        assert path.stat().st_size == first
        journal.add_verdicts([("k3", verdict("cyd"))])
    with Journal(path) as journal:
        assert {entry.student for entry in journal.entries()} == {"ada", "cyd"}
        assert journal.damaged == 0


def test_a_damaged_line_is_left_out_and_reported(path):
    with Journal(path) as journal:
        journal.add_verdicts([("k1", verdict("ada")), ("k2", verdict("bob"))])
    content = bytearray(path.read_bytes())
    content[50] ^= 1
    path.write_bytes(content)
    with Journal(path) as journal:
        assert journal.damaged == 1
        assert journal.entry("ada", "problem") is None
        assert journal.entry("bob", "problem").key == "k2"


def test_a_second_writer_is_refused(path):
    with Journal(path), pytest.raises(JournalBusyError, match="another run"):
        Journal(path)
    Journal(path).close()


def test_a_reader_needs_no_lock_and_creates_nothing(path):
    with Journal(path, readonly=True) as reader:
        assert len(reader) == 0
        with pytest.raises(ValueError, match="not open for writing"):
            reader.add_verdicts([("k1", verdict())])
    assert not path.exists()
    with Journal(path) as writer, Journal(path, readonly=True):
        writer.add_verdicts([("k1", verdict())])


def test_only_the_owner_can_read_it(path):
    Journal(path).close()
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


@settings(max_examples=50, deadline=None)
@given(
    names=st.lists(st.text(min_size=1), min_size=1, max_size=5),
    key=st.text(),
    message=st.text(),
)
def test_any_text_survives(tmp_path_factory, names, key, message):
    path = tmp_path_factory.mktemp("journal") / "j"
    with Journal(path) as journal:
        journal.add_verdicts([(key, verdict(name, message=message)) for name in names])
    with Journal(path) as journal:
        assert journal.damaged == 0
        for name in names:
            assert journal.read(journal.entry(name, "problem")).questions[0].message == message


WRITER = """
import sys
sys.path.insert(0, sys.argv[2])
from tests.fastgrade.batch.test_journal import verdict
from fastgrade.batch.journal import Journal
with Journal(sys.argv[1]) as journal:
    for number in range(100000):
        journal.add_verdicts([(f"k{number}", verdict(f"s{number}", message="x" * (number % 3000)))])
        print(number, flush=True)
"""


@pytest.mark.parametrize("confirmed", [1, 37, 200])
def test_kill_9_loses_nothing_that_was_confirmed(path, confirmed):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(ROOT)],
        stdout=subprocess.PIPE,
    )
    for _ in range(confirmed):
        last = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.wait()
    told = [int(line) for line in process.stdout.read().split(b"\n")[:-1] if line]
    last = max([last, *told])
    process.stdout.close()
    with Journal(path) as journal:
        assert journal.damaged == 0
        assert {f"s{n}" for n in range(last + 1)} <= {e.student for e in journal.entries()}
