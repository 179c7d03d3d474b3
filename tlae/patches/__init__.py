"""A detector for stills: every place compared with the same place at other times."""
