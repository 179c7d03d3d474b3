"""Nets and seeds beside trivial baselines, in one table."""
