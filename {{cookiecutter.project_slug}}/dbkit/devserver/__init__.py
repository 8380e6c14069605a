"""The development database server behind `make db-up` and `make db-down`.

`up.py` is the road; each step of it is a module beside it.
"""


class Failure(Exception):
    """What went wrong and what to do about it, in one line without a secret."""


class NothingToDo(Exception):
    """Why there is nothing to start or stop, in one line; no failure."""
