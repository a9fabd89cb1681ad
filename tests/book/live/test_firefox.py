"""Firefox runs the page's Python too: it starts, computes, and checks an answer."""

import http.server
import json
import shutil
import subprocess
import threading
from functools import partial

import pytest
from regbook.live import folder

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
PAGE = """<!doctype html><link rel="icon" href="data:,">
<script src="FOLDER/python.js"></script>
<script>
  const answer = "def l1_penalty(weights, lam, m):\\n" +
    "    return lam / m * sum(np.abs(W).sum() for W in weights)";
  const cells = [
    { name: "sum", source: "import numpy as np\\nint(np.arange(4).sum())" },
    { name: "answer", source: answer },
    { name: "check", source: "from reglib.exercises.l1 import check\\ncheck(l1_penalty)" },
    { name: "wrong", source: "1 / 0" },
  ];
  coursePython.run({ session: "s", cells, seconds: 120 })
    .then((done) => done.cells, (error) => `${error.code}: ${error.message}`)
    .then((told) => fetch("/told", { method: "POST", body: JSON.stringify(told) }));
</script>
"""


class Site(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, and keeps what the page posts."""

    def do_POST(self):
        told = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        self.server.told = json.loads(told)
        self.server.came.set()

    def log_message(self, format, *args):
        """Keep the tests' output clean."""


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(FIREFOX is None, reason="there is no Firefox; `make machine` installs Debian's")
def test_firefox_computes_and_checks(live, tmp_path):
    site = tmp_path / "site"
    shutil.copytree(live, site / folder())
    (site / "index.html").write_text(PAGE.replace("FOLDER", folder()), encoding="utf-8")
    (tmp_path / "profile").mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Site, directory=site)) as server:
        server.came = threading.Event()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/index.html"
        profile = str(tmp_path / "profile")
        firefox = subprocess.Popen(
            [FIREFOX, "--headless", "--no-remote", "--profile", profile, address],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert server.came.wait(180), "the page told nothing"
        finally:
            firefox.terminate()
            firefox.wait(30)
            server.shutdown()
    total, _, check, wrong = server.told
    assert total["outputs"][0]["data"]["text/plain"] == "6"
    assert check["outputs"][0]["text"] == "l1_penalty: right.\n"
    assert (wrong["error"]["name"], wrong["error"]["line"]) == ("ZeroDivisionError", 1)
