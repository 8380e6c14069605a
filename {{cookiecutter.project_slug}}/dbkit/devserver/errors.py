"""How `up` and `down` end without a server started or stopped."""


class DevServerError(Exception):
    """Says what went wrong and what to do about it, in one line without a secret."""


class NothingToDo(Exception):
    """Says why there is nothing to start or stop, in one line; this is no failure."""
