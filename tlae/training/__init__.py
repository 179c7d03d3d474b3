"""Fitting a net to the normal footage of one camera."""
