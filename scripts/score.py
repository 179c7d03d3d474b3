"""`python scripts/score.py key=value ...` is `tlae score`: a start for scripts of your own."""

import sys

from tlae.cli import main

sys.exit(main(["score", *sys.argv[1:]]))
