"""Scoring as frames arrive: ``tlae.Live``."""
