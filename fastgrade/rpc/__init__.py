"""What crosses between a student's process and the judge's, and how either side serves it."""
