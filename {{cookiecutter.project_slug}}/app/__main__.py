"""`python -m app`, behind `make run`: serve with reload, after a look at the settings."""

import errno
import os
import socket
import sys

import uvicorn

from app import PROJECT
from dbkit.connection import app_database
from dbkit.errors import SettingsError


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def main() -> str | None:
    """Serve on `HOST` and `PORT`; returns what to print where the settings do not allow it."""
    host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        return f"PORT: not a port number: {port}"
    try:
        app_database()
    except SettingsError as error:
        return str(error)
    try:
        socket.create_server((host, int(port)), family=_family(host)).close()
    except OSError as error:
        reason = str(error.strerror or error).partition(" (")[0]  # the address stands there again
        advice = "; another port: make run PORT=8001" if error.errno == errno.EADDRINUSE else ""
        return f"{host}:{port}: {reason}{advice}"
    uvicorn.run(
        "app.main:app", host=host, port=int(port), reload=True, reload_dirs=[str(PROJECT / "app")]
    )
    return None


if __name__ == "__main__":
    sys.exit(main())
