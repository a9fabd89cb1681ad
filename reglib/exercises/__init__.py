"""Contracts of the exercises: what each function must do, and the mistakes that we can name.

One module an assignment. A test cell is ``check(l2_penalty)``; see
:mod:`reglib.exercises.checking` for what a contract is made of.
"""
