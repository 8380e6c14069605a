"""The development Redis: `up` starts it beside the database, `down` stops it and keeps nothing.

What is in Redis may be lost, so there is no data to guard: a changed password or port is a new
server. Imports go one way: up, down → docker, server → address, programs.
"""

from dbkit.devserver.redis.down import down
from dbkit.devserver.redis.up import up

__all__ = ["down", "up"]
