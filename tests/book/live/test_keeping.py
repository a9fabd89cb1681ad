"""What a visit leaves in the browser, so that the next one needs no connection."""

import shutil

import pytest
from regbook.live import KEEPER, PLACE, SOURCE

from tests.book.built import served

PAGE = '<!doctype html><script src="_static/live/python.js"></script>'
KEPT = """
async () => {
  const names = [location.href, new URL("_static/live/python.js", location.href).href];
  return (await Promise.all(names.map((name) => caches.match(name)))).every(Boolean);
}
"""
OLD = "async () => (await caches.open('course-python-old')).put('/x', new Response(''))"
SUM = """
async () => {
  const cells = [{ name: "sum", source: "import numpy as np; int(np.arange(4).sum())" }];
  const done = await coursePython.run({ session: "s", cells });
  return done.cells[0].outputs[0].data["text/plain"];
}
"""


@pytest.mark.browser
def test_a_second_visit_runs_python_without_a_connection(live, visit, tmp_path):
    shutil.copytree(live, tmp_path / PLACE)
    shutil.copyfile(SOURCE / KEEPER, tmp_path / KEEPER)
    (tmp_path / "index.html").write_text(PAGE, encoding="utf-8")
    view = visit()
    with served(tmp_path) as address:
        page = view.open_plainly(f"{address}/index.html")
        assert page.evaluate(SUM) == "6"
        page.wait_for_function(KEPT)
    page.goto("about:blank")
    page.goto(f"{address}/index.html")  # there is no server any more
    assert page.evaluate(SUM) == "6"
    kept = page.evaluate("async () => (await caches.keys()).sort()")
    assert [name.rpartition("-")[0] for name in kept] == ["course", "course-python"]


@pytest.mark.browser
def test_another_version_of_the_runtime_takes_the_place_of_the_old(live, visit, tmp_path):
    shutil.copytree(live, tmp_path / PLACE)
    shutil.copyfile(SOURCE / KEEPER, tmp_path / KEEPER)
    (tmp_path / "index.html").write_text(PAGE, encoding="utf-8")
    with served(tmp_path) as address:
        page = visit().open_plainly(f"{address}/index.html")
        page.evaluate(OLD)
        assert page.evaluate(SUM) == "6"
        assert "course-python-old" not in page.evaluate("caches.keys()")
