"""Warm processes that fork: import once, then a new process in milliseconds.

- `zygote`: a warm process that forks on request;
- `processes`, `channel`: what it stands on: processes by number, frames of JSON with open files;
- `jupyter_kernels`: Jupyter kernels that are such forks;
- `displays`: how libraries show things that were imported before there was a notebook.

Linux only.
"""

__version__ = "0.1.0"
