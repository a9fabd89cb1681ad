"""Grade nbgrader courses fast, in parallel and in a sandbox.

A submission goes in as bytes and comes back as a `Verdict`. Student code runs in a sandboxed
fork of a warm process, the tests run in another process, and only plain data crosses between the
two. Nothing here knows a particular course: what it preloads, hides and allows stands in
``nbgrader_config.py``.

The rooms, from the ground up (`warmfork` beside this package brings the warm processes):

- `settings`, `verdict`: what a course sets, what goes into the engine and what comes out of it;
- `sandbox`: what a process may do, read, write, use up and import;
- `rpc`: what crosses between the two processes of a submission;
- `notebook`: from two notebooks to the cells to run, and back;
- `engine`: one submission;
- `course`: what nbgrader keeps: configuration, gradebook, folders, feedback;
- `batch`: a class: what is graded, by whom, in which order it is recorded, how it did;
- `terminal`, `cli`: what the command shows, and the command.
"""

__version__ = "0.1.0"

#: Raised by one whenever the same submission could get another verdict; part of every key.
ENGINE = 8

__all__ = ["ENGINE", "__version__"]
