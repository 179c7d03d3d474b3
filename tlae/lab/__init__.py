"""Measuring apparatus: drawn scenes, planted anomalies, nuisances, benchmarks.

No core module imports it.
"""
