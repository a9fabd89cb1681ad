"""What a visit leaves in the browser, so that the next one needs no connection, and of what age."""

import shutil

import pytest
from regbook.live import KEEPER, PLACE, SOURCE, folder

from tests.book.built import served

PAGE = '<!doctype html><script src="FOLDER/python.js"></script>'
KEPT = """
async () => {
  const names = [location.href, new URL("FOLDER/python.js", location.href).href];
  return (await Promise.all(names.map((name) => caches.match(name)))).every(Boolean);
}
""".replace("FOLDER", folder())
SUM = """
async () => {
  const cells = [{ name: "sum", source: "import numpy as np; int(np.arange(4).sum())" }];
  const done = await coursePython.run({ session: "s", cells });
  return done.cells[0].outputs[0].data["text/plain"];
}
"""


def put(live, site, version):
    """Let a site have one version of the runtime, and a page of that version."""
    shutil.rmtree(site / PLACE, ignore_errors=True)
    shutil.copytree(live, site / version)
    shutil.copyfile(SOURCE / KEEPER, site / KEEPER)
    (site / "index.html").write_text(PAGE.replace("FOLDER", version), encoding="utf-8")


@pytest.mark.browser
def test_a_second_visit_runs_python_without_a_connection(live, visit, tmp_path):
    put(live, tmp_path, folder())
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
def test_a_page_never_runs_another_version_than_its_own(live, visit, tmp_path):
    """All that a visit fetched is of the page's version, and the browser keeps one version."""
    old, new = f"{PLACE}/0000000000000000", folder()
    put(live, tmp_path, old)
    view = visit()
    with served(tmp_path) as address:
        page = view.open_plainly(f"{address}/index.html")
        assert page.evaluate(SUM) == "6"
        put(live, tmp_path, new)
        page.evaluate("coursePython.stop()")
        assert page.evaluate(SUM) == "6", "a page that is open goes on with what is kept"
        view.addresses.clear()
        page.goto(f"{address}/index.html")
        assert page.evaluate(SUM) == "6"
    fetched = [url for url in view.addresses if PLACE in url]
    assert len(fetched) > 6
    assert all(f"/{new}/" in url for url in fetched)
    kept = page.evaluate("async () => (await caches.keys()).sort()")
    assert kept == ["course-pages", f"course-python-{new.rpartition('/')[2]}"]


@pytest.mark.browser
def test_a_page_whose_version_is_gone_says_so(live, visit, tmp_path):
    put(live, tmp_path, f"{PLACE}/0000000000000000")
    with served(tmp_path) as address:
        page = visit().open_plainly(f"{address}/index.html")
        put(live, tmp_path, folder())
        told = page.evaluate("coursePython.start().catch((error) => error.message)")
    assert "load this page anew" in told
