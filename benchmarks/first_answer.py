"""`python -m benchmarks.first_answer app.main:app`: starts a server, and ends it at its first 200."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measuring import Comparison, Side, users_environment
from support.projects import Project, ok
from support.servers import PostgresServer

LONGEST = 30.0  # seconds
APPS = Path(__file__).resolve().parent / "apps"


def first_answer(baked: Path, folder: Path, server: PostgresServer) -> Comparison:
    """Compare the time from a process's start to its first answer; ours looks at its revisions before."""
    project = Project.adopt(baked, folder / "started", server.create_database())
    ok(project.python("-m", "dbkit", "migrate"))
    variables = {**users_environment(), "DATABASE_URL": project.url, "ENVIRONMENT": "production"}
    variables["PYTHONPATH"] = os.pathsep.join(sys.path)

    def side(*application: str) -> Side:
        command = [sys.executable, "-m", "benchmarks.first_answer", *application]
        return Side(command, project.path, variables, proof=lambda said: said == "200\n")

    title = "from a process's start to its first 200"
    return Comparison(title, side("app.main:app"), side("plain:app", "--app-dir", str(APPS)), goal=1.4)


def main() -> None:
    """Print the status of the first answer."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", *sys.argv[1:], "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        print(_status(port))
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def _status(port: int) -> int:
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status
        except OSError:
            time.sleep(0.005)
        finally:
            connection.close()
    sys.exit(f"no answer within {LONGEST:.0f} s")


if __name__ == "__main__":
    main()
