"""A class: what must be done, where it is graded, in which order it is recorded, how it did.

- `selection`, `rules`, `work`: what is to be done, by which rules, and one submission under way;
- `reuse`: what is graded already;
- `dispatch`, with `local_pool` and `dask_pool`: who grades;
- `recording`, `journal`: folders, journal and gradebook, safe to kill at any moment;
- `run`: the loop over these; `summary`: what it did;
- `report`: the page about a class.
"""
