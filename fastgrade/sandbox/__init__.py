"""What a process of a submission may do, read, write, use up and import."""


class SandboxError(RuntimeError):
    """The protection that the course asks for cannot be had here."""
