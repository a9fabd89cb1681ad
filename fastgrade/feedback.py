"""The name by which courses' configurations know `fastgrade.course.feedback`."""

from fastgrade.course.feedback import FeedbackExporter, harmless_markdown

__all__ = ["FeedbackExporter", "harmless_markdown"]
