"""Synthetic footage of one fixed camera, with exact masks and labels of what is not normal."""
