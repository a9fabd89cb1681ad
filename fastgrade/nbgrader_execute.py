"""The name by which courses' configurations know `fastgrade.course.execute_step`."""

from fastgrade.course.execute_step import Execute, use_fastgrade

__all__ = ["Execute", "use_fastgrade"]
