"""`python -m dbkit`: see `python -m dbkit --help`."""

import gc
import sys

if __name__ == "__main__":
    # Most objects of a command are modules, which live as long as it does: looking for garbage
    # after every 700 new ones, while they are imported, takes a tenth of its time, and after every
    # 50,000 still a thirtieth.
    gc.set_threshold(200_000)

    from dbkit.cli import main

    sys.exit(main())
