"""Runs Python commands in forked children of a process that has imported the libraries already.

Importing Alembic, SQLAlchemy and the drivers is most of what `python -m alembic current` costs. Here a
server (`server.py`) imports them once, and forks a child for each command. The child takes over the
caller's arguments, environment, folder, umask and standard streams, and then runs the module as
`python -m` does. Only libraries are imported in advance, never a module of a project.

Two roads lead to the server: `ForkServer.run` in the tests' own process, and the program `python` in the
environment of test projects (`client.py`), which is what make calls. Whatever a child could not do as a
process of its own does is left to a real process: see `client.py`. `tests/commands/test_forked.py` runs
the same commands both ways and compares.
"""

from support.forking.launcher import ForkServer as ForkServer
from support.forking.launcher import environment_with_client as environment_with_client
