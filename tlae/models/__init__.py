"""Nets that rebuild or predict clips; each is one file under one contract (see ``contract``)."""
