"""What nbgrader keeps of a course, and the steps that it calls.

- `config`: ``nbgrader_config.py`` as a course; `compatibility`: which of nbgrader's settings count;
- `gradebook`: the grades;
- `submitted_folder`, `source_folder`, `autograded_folder`: nbgrader's folders, one module each;
- `execute_step`, `feedback`, `grades_export`: what nbgrader itself can call;
- `downloads`, `uploads`: the same, for what comes from Canvas and Moodle and what goes there.
"""
