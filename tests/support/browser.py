"""Chromium without a window, spoken to by a pipe: what a page loads, logs, and how wide it is.

https://chromedevtools.github.io/devtools-protocol/
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    "--remote-debugging-pipe",
)


class Browser:
    """One page of a browser, and the events it has sent."""

    def __init__(self, answers: BinaryIO, commands: BinaryIO) -> None:
        self._answers, self._commands = answers, commands
        self._buffer = b""
        self._number = 0
        self._session = ""
        self.events: list[dict[str, Any]] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: object) -> dict[str, Any]:
        """Send a command, and return its result; events that come first are kept."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            command["sessionId"] = self._session
        self._commands.write(json.dumps(command).encode() + b"\0")
        self._commands.flush()
        while (message := self._read()).get("id") != self._number:
            self.events.append(message)
        assert "error" not in message, message
        result: dict[str, Any] = message["result"]
        return result

    def open(self, address: str, *, width: int, scheme: str) -> None:
        """Load a page at this width, as somebody does who prefers `light` or `dark`."""
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=844, deviceScaleFactor=1, mobile=False
        )
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.send("Emulation.setEmulatedMedia", features=[feature])
        self.events.clear()
        self.send("Page.navigate", url=address)
        while not self.named("Page.loadEventFired"):
            self.events.append(self._read())

    def evaluate(self, expression: str) -> object:
        """Return the value of an expression in the page."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        value: object = answer["result"].get("value")
        return value

    def named(self, *methods: str) -> list[dict[str, Any]]:
        """The parameters of the events of these names."""
        return [event["params"] for event in self.events if event.get("method") in methods]

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            data = os.read(self._answers.fileno(), 1 << 16)
            assert data, "the browser has ended"
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message


@contextmanager
def running_browser(folder: Path) -> Iterator[Browser]:
    """Start a browser whose profile is in a folder; the test is skipped where there is none."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("no Chromium is installed")
    reads, answers = os.pipe()
    commands, writes = os.pipe()
    # It reads commands from 3 and writes to 4. Bash puts them there, whichever numbers these are.
    script = f'exec "$@" 3<&{commands} 4>&{answers}'
    process = subprocess.Popen(
        [
            "bash",
            "-c",
            script,
            "bash",
            program,
            *OPTIONS,
            f"--user-data-dir={folder}",
            "--remote-debugging-pipe",
        ],
        pass_fds=(commands, answers),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(commands)
    os.close(answers)
    try:
        with (
            os.fdopen(reads, "rb") as told,
            os.fdopen(writes, "wb") as typed,
        ):  # at their end the browser ends
            yield Browser(told, typed)
    finally:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
