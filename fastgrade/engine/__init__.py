"""One submission: the processes that take part, and what comes of it.

- `grader`: bytes in, a verdict out, and what a verdict depends on;
- `session`: the order in which cells run and questions are asked;
- `student_session`, `judge_session`, `questions`: the student's cells, the instructor's statements,
  and a test that meets both;
- `usage`: the limits on disk and memory; `outcomes`: how processes, cells and tests may end;
- `scoring`: points, messages and outputs;
- `start`, `participants`: the processes, seen from the grader;
- `student_process` with `student_shell` and `student_outputs`, `judge_process`: what runs in them.
"""
