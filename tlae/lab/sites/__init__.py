"""Weeks of drawn stills of one fixed camera: a car park and a garden, by day and by night."""
