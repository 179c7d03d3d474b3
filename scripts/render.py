"""`python scripts/render.py key=value ...` is `tlae render`: a start for scripts of your own."""

import sys

from tlae.cli import main

sys.exit(main(["render", *sys.argv[1:]]))
