"""`python scripts/train.py key=value ...` is `tlae train`: a start for scripts of your own."""

import sys

from tlae.cli import main

sys.exit(main(["train", *sys.argv[1:]]))
