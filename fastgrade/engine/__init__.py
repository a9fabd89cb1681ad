"""One submission: the processes that take part, and what comes of it."""
