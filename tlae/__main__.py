"""`python -m tlae` is `tlae`."""

import sys

from tlae.cli import main

sys.exit(main())
