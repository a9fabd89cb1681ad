"""From the instructor's notebook and a student's to the cells to run, and back with outputs."""
