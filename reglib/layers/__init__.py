"""Layers, under Keras's names."""
