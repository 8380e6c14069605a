"""`python -m app`, behind `make run`: serve with reload, after a look at the settings."""

import os
import sys

import uvicorn

from app import PROJECT
from app.database.url import app_database
from app.settings import SettingsError


def main() -> str | None:
    """Serve on `HOST` and `PORT`; returns what to print where the settings do not allow it."""
    host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        return f"PORT: not a port number: {port}"
    try:
        app_database()
    except SettingsError as error:
        return str(error)
    uvicorn.run(
        "app.main:app", host=host, port=int(port), reload=True, reload_dirs=[str(PROJECT / "app")]
    )
    return None


if __name__ == "__main__":
    sys.exit(main())
