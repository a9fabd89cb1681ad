"""A class: what must be done, where it is graded, in which order it is recorded, how it did."""
