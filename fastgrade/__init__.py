"""Grade nbgrader courses fast, in parallel and in a sandbox.

A submission goes in as bytes and comes back as a `Verdict`. Student code runs in a sandboxed
fork of a warm process, the tests run in another process, and only plain data crosses between the
two. Nothing here knows a particular course: what it preloads, hides and allows stands in
``nbgrader_config.py``.

The modules, from the ground up:

- `processes`, `syscalls`, `landlock`, `seccomp` and `sandbox`: what a process may do;
- `course`, `verdict` and `notebooks`: settings, results and notebooks as plain data;
- `channel` and `wire`: what crosses between processes; `peer`, `answering`, `asking`: who speaks;
- `zygote`: a warm process that forks; `student`, `guard`, `displays`, `judge`: what its forks do;
- `instructor`, `submission` and `outputs`: from two notebooks to the cells to run, and back;
- `scratch`, `participants`, `marking`, `conductor` and `worker`: one submission;
- `folders`, `gradebook`, `stock` and `nbgrader_course`: what nbgrader keeps; `journal`: what we do;
- `scheduler`, `run`, `cli` and `report`: a class;
- `nbgrader_execute` and `feedback`: steps that nbgrader calls; `kernels`: warm kernels for a book.
"""

__version__ = "0.1.0"

#: Raised by one whenever the same submission could get another verdict; part of every key.
ENGINE = 3

__all__ = ["ENGINE", "__version__"]
