"""Servers: the only part of the package that knows a web framework."""
