"""Feedback pages open anywhere, run nothing, ask nobody, and can be read by everybody."""

import base64
import io

import pytest
from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter
from nbformat import from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image
from traitlets.config import Config

from fastgrade.course.feedback import FeedbackExporter
from fastgrade.course.feedback_overview import overview
from fastgrade.course.formulas import mathml
from fastgrade.course.harmless_html import clean
from fastgrade.notebook.outputs import Outputs
from tests.fastgrade.classroom import RIGHT

OURS = 'c.GenerateFeedback.exporter_class = "fastgrade.course.feedback.FeedbackExporter"'
#: A filter for formgrader's pages; the feedback keeps its own.
FORMGRADER = (
    "c.HTMLExporter.filters = {'markdown2html': 'fastgrade.course.feedback.harmless_markdown'}"
)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


def picture(color="navy"):
    buffer = io.BytesIO()
    Image.new("RGB", (40, 20), color).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def exported(*cells):
    page, _ = FeedbackExporter(template_name="classic").from_notebook_node(
        new_notebook(cells=list(cells))
    )
    return BeautifulSoup(page, "html.parser")


def drawn(*outputs, count=7):
    return new_code_cell("draw()", outputs=list(outputs), execution_count=count)


def shown(**data):
    return new_output("display_data", {kind.replace("_", "/"): v for kind, v in data.items()})


# ---- what comes first ----


def graded(name, score, points, said):
    marks = {"grade": True, "grade_id": name, "score": score, "points": points, "solution": False}
    output = new_output("stream", text=said)
    return new_code_cell(
        "test()", outputs=[output] if said else [], metadata={"nbgrader": marks}, execution_count=1
    )


def test_the_page_begins_with_what_was_earned_and_what_to_look_at_next():
    notebook = new_notebook(
        cells=[
            new_markdown_cell("## Task 1: shrink"),
            graded("test-shrink", 1, 1, "shrink (zeros): right.\nmore"),
            graded("hidden-shrink", 0, 2, "shrink moves the sign, too.\nHint: look"),
            new_markdown_cell("## Task 2: sum"),
            graded("test-sum-a", 0, 1, "sum is not written yet."),
            graded("test-sum-b", 0, 3, "sum is not written yet."),
            graded("report", 0, 0, "all"),
            graded("test_quiet", 1, 1, ""),
        ]
    )
    tree = BeautifulSoup("", "html.parser")
    elements = overview(tree, notebook, ["Late: -1"])
    assert [element.get_text() for element in elements[:3]] == [
        "You earned 2 of 8 points; 2 of 5 tests are complete.",
        "Late: -1",
        "Look at this next: shrink moves the sign, too.",
    ]
    tables = elements[3:]
    rows = [[cell.get_text() for cell in row("td")] for table in tables for row in table("tr")]
    assert rows == [
        ["✓", "shrink (zeros): right.", "1 of 1"],
        ["○", "shrink moves the sign, too.", "0 of 2"],
        ["○", "sum is not written yet.", "0 of 4"],
        ["✓", "Test quiet", "1 of 1"],
    ]
    assert [table.caption.string for table in tables] == ["Task 1: shrink", "Task 2: sum"]


# ---- formulas ----


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        (r"\frac{\lambda}{2m} \sum_l (W_l)_{ij}^2", ["mfrac", "msub", "msubsup"]),
        (r"\lVert Xw - y \rVert^2", ["msup"]),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", ["mo"]),
        (r"\mathrm{sign}(w)\,|w| \le t", ["mi", "mspace"]),
    ],
)
def test_a_formula_becomes_mathml_and_keeps_its_source(source, parts):
    tree = BeautifulSoup(mathml(source, display=True), "html.parser")
    assert tree.math["display"] == "block"
    assert tree.math["alttext"] == source
    assert all(tree.find(part) for part in parts)


@pytest.mark.parametrize(
    "source",
    [
        r"\text{<script>alert(1)</script>}",
        r"\text{<img src=x onerror=alert(1)>}",
        r"\text{a<b}",
        "",
        " ",
        "x" * 5001,
        "{" * 4000,
        r"\left(" * 300,
    ],
)
def test_a_formula_that_is_none_is_shown_as_it_was_written(source):
    tree = BeautifulSoup(mathml(source), "html.parser")
    assert tree.find("math") is None or not tree.find(["script", "img"])
    if tree.find("math") is None:
        assert tree.code.text == source


@pytest.mark.parametrize("source", [r"\href{javascript:alert(1)}{x}", r"\style{color:red}{x}"])
def test_a_formula_brings_no_link_and_no_style(source):
    tree = BeautifulSoup(mathml(source), "html.parser")
    known = {"xmlns", "display", "alttext", "stretchy", "mathvariant"}
    assert all(set(element.attrs) <= known for element in tree.find_all(True))


def test_every_way_to_write_a_formula_in_markdown_is_typeset():
    page = exported(
        new_markdown_cell("In a line $a_1$ and *not* \\\\(b\\\\), costs \\$5.\n\n$$c^2$$\n"),
        new_markdown_cell("\\begin{align*} d &= e \\\\ f &= g \\end{align*}"),
        new_markdown_cell("| head |\n|---|\n| $h$ |"),
        drawn(shown(text_latex="$\\displaystyle i^2$", text_plain="i**2")),
    )
    assert len(page.find_all("math")) == 6
    assert "$5" in page.text
    assert page.find("td").math is not None


# ---- what is harmless ----


@pytest.mark.parametrize(
    ("source", "cleaned"),
    [
        ("<b onclick='x()'>bold</b>", "<b>bold</b>"),
        ("<script>alert(1)</script>after", "after"),
        (
            "<style>b{}</style><table><thead><tr><th>h</th></tr></thead></table>",
            "<table><thead><tr><th>h</th></tr></thead></table>",
        ),
        ('<a href="javascript:alert(1)">x</a>', "<a>x</a>"),
        ('<a href=" data:text/html,x">x</a>', "<a>x</a>"),
        ('<a href="da\tta:text/html,x">x</a>', "<a>x</a>"),
        ('<a href="https://a.b/c">x</a>', '<a href="https://a.b/c">x</a>'),
        ('<img src="http://a.b/c.png">', "<img>"),
        ('<img src="//a.b/c.png">', "<img>"),
        ('<img src="\\\\a.b/c.png">', "<img>"),
        ('<img src="/etc/hosts">', "<img>"),
        ('<img src="../../bob/x.png">', "<img>"),
        ('<img src="data:text/html,x">', "<img>"),
        ('<img alt="a" src="plot.png">', '<img alt="a" src="plot.png">'),
        ('<img src="data:image/png;base64,AA==">', '<img src="data:image/png;base64,AA==">'),
        ('<p style="background:url(http://a.b)">x</p>', "<p>x</p>"),
        ('<iframe src="http://a.b"></iframe><svg onload="x()"><b>c</b></svg>', ""),
        ("<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>", ""),
        ('<form action="http://a.b"><input autofocus onfocus="x()">t</form>', "t"),
        ("1 < 2 & 3", "1 &lt; 2 &amp; 3"),
    ],
)
def test_cleaning_keeps_what_is_harmless(source, cleaned):
    assert clean(source) == cleaned


def test_no_text_of_a_submission_is_taken_for_a_formulas_place():
    page = exported(
        new_markdown_cell("$x$ formula-0-0. formula-0000000000000000-0."),
        drawn(new_output("stream", name="stdout", text="formula-0000000000000000-0.")),
    )
    assert len(page.find_all("math")) == 1
    assert page.text.count("formula-") == 3


@pytest.mark.parametrize(
    "source",
    [
        "![$a onerror=alert(1) b$](plot.png)",
        "<b title='$a onclick=alert(1) b$'>x</b>",
        '[x](https://a.b "$a onclick=alert(1) b$")',
        '<img alt="$a$ onerror=alert(1) $b$" src="plot.png">',
        "<b\ntitle='\n$$\na onclick=alert(1) b\n$$\n'>x</b>",
    ],
)
def test_a_formula_in_an_attribute_stays_text(source):
    page = exported(new_markdown_cell(source))
    for element in page.find_all(True):
        assert not [name for name in element.attrs if name.startswith("on")]
        assert not any("formula-" in str(value) for value in element.attrs.values())


def test_a_missing_attachment_is_no_reason_to_have_no_page():
    page = exported(new_markdown_cell("![gone](attachment:gone.png) but here"))
    assert "but here" in page.text


def test_every_picture_says_which_cell_has_drawn_it():
    svg = '<svg xmlns="http://www.w3.org/2000/svg"/>'
    page = exported(
        drawn(shown(image_png=picture()), shown(**{"image_svg+xml": svg}), count=3),
        drawn(shown(image_png=picture(), text_html="<p>a table</p>"), count=4),
    )
    pictures = page.find_all("img")
    assert [p["alt"] for p in pictures] == [
        "Picture drawn by code cell 3",
        "Picture drawn by code cell 3, number 2",
    ]
    kinds = [p["src"].partition(";")[0] for p in pictures]
    assert kinds == ["data:image/png", "data:image/svg+xml"]


def test_a_malformed_picture_is_no_reason_to_have_no_page():
    output = shown(image_png=picture())
    output["metadata"]["image/png"] = {"width": "wide", "height": 20}
    assert exported(drawn(output)).img["height"] == "20"


def pages_of(outputs):
    """The two pages on which somebody sees what a cell has displayed."""
    cell = new_code_cell("draw()", outputs=[from_dict(item) for item in outputs.finish()])
    harmless = {"markdown2html": "fastgrade.course.feedback.harmless_markdown"}
    formgrader = Config({"HTMLExporter": {"sanitize_html": True, "filters": harmless}})
    for exporter in (
        FeedbackExporter(template_name="classic"),
        HTMLExporter(template_name="classic", config=formgrader),
    ):
        yield exporter.from_notebook_node(new_notebook(cells=[cell]))[0]


@pytest.mark.parametrize("malformed", [None, 1, "x", [], ["x"], {}, {"model_id": 1}, {"x": {}}])
@pytest.mark.parametrize(
    "place", ["image/png", "text/html", "filenames", "application/vnd.jupyter.widget-view+json"]
)
def test_nothing_displayed_is_a_reason_to_have_no_page(place, malformed):
    outputs = Outputs(100_000, 1)
    for data, metadata in (
        ({place: malformed, "text/plain": "shown"}, {}),
        ({"image/png": picture(), "text/plain": "x"}, {place: malformed}),
        ({"text/html": "<b>bold</b>"}, {place: malformed}),
    ):
        content = {"data": data, "metadata": metadata}
        outputs.take({"say": "display_data", "content": content})
    for page in pages_of(outputs):
        assert page.count("<b>bold</b>") == 1
        assert "data:image/png" in page


EVIL = '1 onload=x() onerror=x() "><script>x()</script><img src=x onerror=x() a="'


@pytest.mark.parametrize(
    "kind",
    [
        *("image/png", "image/jpeg", "image/gif", "image/svg+xml", "text/html", "text/latex"),
        *("text/plain", "text/markdown", "application/javascript", "application/pdf", EVIL),
    ],
)
def test_nothing_displayed_breaks_out_of_its_place(kind):
    about = dict.fromkeys(["width", "height", "alt", "unconfined", "needs_background", EVIL], EVIL)
    outputs = Outputs(100_000, 1)
    for metadata in ({kind: about}, {**about, "isolated": True}):
        content = {"data": {kind: EVIL, "text/plain": EVIL}, "metadata": metadata}
        outputs.take({"say": "display_data", "content": content})
    outputs.take({"say": "stream", "content": {"name": "stdout", "text": f"\x1b[{EVIL}m{EVIL}"}})
    error = {"ename": EVIL, "evalue": EVIL, "traceback": [f"\x1b[31m{EVIL}\x1b[{EVIL}m"]}
    outputs.take({"say": "error", "content": error})
    for page in pages_of(outputs):
        for element in BeautifulSoup(page, "html.parser").body.find_all(True):
            assert not [name for name in element.attrs if name.startswith("on")]
            assert element.name != "script" or "x()" not in element.text


def test_the_size_of_a_picture_stays():
    size = {"width": 320, "height": "50%"}
    outputs = Outputs(100_000, 1)
    content = {"data": {"image/png": picture()}, "metadata": {"image/png": size}}
    outputs.take({"say": "display_data", "content": content})
    assert outputs.finish()[0]["metadata"] == {"image/png": size}


# ---- the page that nbgrader writes ----


@pytest.fixture
def page(classroom):
    """The feedback to a submission that draws, displays and writes whatever it can."""
    code = (
        "import matplotlib.pyplot as plt\n"
        "from IPython.display import HTML, Math, display\n"
        "display(HTML('<script>document.title = \"run\"</script><b>bold</b>'))\n"
        "display(Math('x^2'))\n"
        "plt.plot([1, 2]); plt.show()\n"
    )
    why = (
        "Because $\\lambda \\ge 0$.\n\n<script>document.title = 'run'</script>\n"
        "<img src='http://198.51.100.1/a.png' alt='far'>\n"
        "![near](http://198.51.100.1/b.png)\n"
    )
    classroom.hand_in("ada", {**RIGHT, "add": code + RIGHT["add"], "why": why})
    classroom.configure(OURS, FORMGRADER)
    classroom.fastgrade("ps1")
    done = classroom.nbgrader("generate_feedback", "ps1")
    assert "sanitize_html" not in done.stderr
    assert "lternative text" not in done.stderr
    return classroom.folder("ada", step="feedback") / "arithmetic.html"


@pytest.mark.slow
@pytest.mark.browser
def test_a_page_asks_nobody_runs_nothing_and_is_accessible(page, browser):
    from axe_playwright_python.sync_playwright import Axe

    asked = []
    view = browser.new_page()
    view.on("request", lambda request: asked.append(request.url))
    view.goto(page.as_uri(), wait_until="load")
    title = view.title()
    formulas = view.locator("math").count()
    widths = view.evaluate("[...document.images].map(i => i.naturalWidth)")
    scripts = view.locator("script").count()
    found = Axe().run(view, options={"runOnly": RULES, "preload": False}).response
    view.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert title == "arithmetic"
    assert scripts == 0
    assert formulas == 2
    assert sum(width > 0 for width in widths) == 1
    assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found["violations"]] == []
