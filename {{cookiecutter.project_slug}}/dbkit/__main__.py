"""`python -m dbkit`: see `python -m dbkit --help`."""

import sys

from dbkit.cli import main

if __name__ == "__main__":
    sys.exit(main())
