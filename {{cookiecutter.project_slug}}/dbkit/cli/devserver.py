"""`python -m dbkit.devserver up|down`."""

import sys

from dbkit.errors import DatabaseUnavailable
from dbkit.errors import SettingsError
from dbkit.devserver import Failure, NothingToDo
from dbkit.devserver.down import down
from dbkit.devserver.up import up

COMMANDS = {"up": up, "down": down}


def main(arguments: list[str]) -> int:
    """Run one command; its result is a line on stdout, a failure one on stderr and 1."""
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        print("usage: python -m dbkit.devserver up|down", file=sys.stderr)
        return 2
    (command,) = arguments
    try:
        print(COMMANDS[command]())
    except NothingToDo as note:
        print(note)
    except (Failure, SettingsError, DatabaseUnavailable) as failure:
        print(f"db-{command}: {failure}", file=sys.stderr)
        return 1
    except OSError as error:  # a full disk, a folder that is somebody else's
        where = f"{error.filename}: " if error.filename else ""
        print(f"db-{command}: {where}{error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"db-{command}: interrupted; run it again", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
