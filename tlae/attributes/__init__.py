"""A detector of measured attributes: how things move, how large they are, where, how long."""
