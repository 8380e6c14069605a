"""The development database server: `up` starts it, `down` stops it and keeps the data.

Imports go one way:
up, down → access, notes, start, target → providers → cluster → state, env_file, errors.
A module imports another by its full name, since this package shows functions of the same names.
"""

from dbkit.devserver.down import down
from dbkit.devserver.errors import DevServerError, NothingToDo
from dbkit.devserver.up import up

__all__ = ["DevServerError", "NothingToDo", "down", "up"]
