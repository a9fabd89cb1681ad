"""What crosses between a student's process and the judge's, and how they talk."""


class WireError(ValueError):
    """The bytes are not a value that may cross, or the value may not cross."""
