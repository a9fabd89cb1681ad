"""Regularization in NumPy, under Keras's names."""

__version__ = "0.1.0"
