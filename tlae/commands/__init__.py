"""One file per command, each with ``run(cfg)``; the table of commands stands in ``tlae.cli``."""
