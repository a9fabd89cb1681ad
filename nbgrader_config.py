"""nbgrader's settings for this course; `make exercises`, `make grade` and `fastgrade` read them."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

c = get_config()

root = Path(__file__).resolve().parent
c.CourseDirectory.root = str(root)
c.CourseDirectory.course_id = "regularization"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "*.md"]

# nbgrader starts `alembic` by name to make a new gradebook: it stands beside this Python.
os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ.get("PATH", "")

# One BLAS thread in each kernel: the arrays are small, and a class is graded in parallel.
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# The seeds of hidden tests follow from this secret. Set the variable, or write the secret into
# the file `.course_secret` beside this one; git ignores it. Without either, hidden tests would
# draw from a seed that anybody can work out from reglib, so fastgrade refuses them, unless it is
# told that this is the sample class. Keep the secret for as long as you may regrade.
secret = root / ".course_secret"
if secret.exists():
    os.environ.setdefault("REGLIB_COURSE_SECRET", secret.read_text(encoding="utf-8").strip())

c.ClearSolutions.code_stub = {
    "python": (
        "# Write your answer here and delete the next line.\n"
        'raise NotImplementedError("Not written yet: replace this line with your answer.")'
    )
}
c.ClearSolutions.text_stub = "Write your answer here, in place of this line."

# The rubric of a written answer stands between BEGIN and END MARK SCHEME in the cell that asks:
# the release and the feedback lose it, the autograded notebook, which formgrader shows, keeps it.
c.ClearMarkScheme.enforce_metadata = False

# A tag on a test cell would skip it, and a test that is not run gives full marks.
c.Execute.skip_cells_with_tag = ""
c.Execute.timeout = 20
c.Execute.interrupt_on_timeout = True
# Output on stderr in a test cell costs all its points; a warning is no wrong answer.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = r"(?s).*"

# Feedback shows what came of the tests, not the hidden tests themselves, and no rubric.
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ClearMarkScheme",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
# Pages that open offline, run no script, and show formulas without help from another host.
c.GenerateFeedback.exporter_class = "fastgrade.course.feedback.FeedbackExporter"

# fastgrade. Student code may use the library, but not the answers that it holds.
c.FastGrade.preload = [
    "numpy",
    "matplotlib.pyplot",
    "reglib.datasets",
    "reglib.plotting",
    "reglib.textbook.network",
]
library = Path(find_spec("reglib").origin).parent
contracts = sorted((library / "exercises").glob("[!_]*.py"))
c.FastGrade.judge_preload = ["numpy", *(f"reglib.exercises.{path.stem}" for path in contracts)]
# What answers may use of reglib, with what that imports; the rest holds answers, or may one day.
c.FastGrade.allowed_modules = [
    "reglib._absent",
    "reglib._arguments",
    "reglib._content",
    "reglib._result_cache",
    "reglib._serialization",
    "reglib._sources",
    "reglib._student_t",
    "reglib._typing",
    "reglib._validation",
    "reglib.activations",
    "reglib.datasets",
    "reglib.deviations",
    "reglib.experiments",
    "reglib.plotting",
    "reglib.textbook._checks",
    "reglib.textbook.network",
]
c.FastGrade.limits = {"cell_seconds": c.Execute.timeout}
# Messages in feedback link to the book where the second one holds the address of its site.
c.FastGrade.judge_environment = {
    name: os.environ[name] for name in ("REGLIB_COURSE_SECRET", "REGLIB_SITE") if name in os.environ
}
c.FastGrade.secrets = [] if "REGLIB_SAMPLE_CLASS" in os.environ else ["REGLIB_COURSE_SECRET"]
c.FastGrade.secret_files = [str(secret)]

# Nothing that an answer displays or writes may run in the browser of whoever grades by hand.
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = {"markdown2html": "fastgrade.course.feedback.harmless_markdown"}

# Names may come from files that students named: no formula, no second row.
c.ExportApp.plugin_class = "fastgrade.course.grades_export.GradesExport"
