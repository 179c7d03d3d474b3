"""Scores against labels, and the baselines that every net must beat."""
