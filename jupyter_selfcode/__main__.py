"""`python -m jupyter_selfcode`: the command line."""

import sys

from .hosts.cli.main import main

sys.exit(main())
