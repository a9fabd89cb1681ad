"""A class is graded again when what its tests are made of has changed."""

import pytest

from fastgrade.engine.grader import fingerprint


@pytest.mark.parametrize("name", ["__init__.py", "contracts.py", "data/digits.npz"])
def test_a_package_that_is_worked_on_counts_by_all_its_files(tmp_path, monkeypatch, name):
    package = tmp_path / "coursework"
    (package / "data").mkdir(parents=True)
    for file in ("__init__.py", "contracts.py", "data/digits.npz"):
        (package / file).write_bytes(b"# 1")
    monkeypatch.syspath_prepend(tmp_path)
    before = fingerprint(["coursework.contracts"])
    (package / "contracts.cpython-311.pyc").write_bytes(b"compiled")
    assert fingerprint(["coursework.contracts"]) == before
    (package / name).write_bytes(b"# 2")
    assert fingerprint(["coursework.contracts"]) != before
