"""A command that is told to end cleans up first."""

import signal
import threading
from types import FrameType


def end_like_ctrl_c() -> None:
    """Let SIGTERM (of `timeout`, of a cancelled CI job) do what Ctrl-C does in this process.

    Its default ends a process on the spot, and its throwaway databases would stay behind. Whoever
    has decided otherwise, such as a server that calls Alembic, keeps what it has.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Do what Ctrl-C does at this moment: while asyncio runs, it cancels the main task.

    An exception out of the middle of its loop could take an answer of the server along, and who
    waits for that answer would wait for ever.
    https://docs.python.org/3/library/asyncio-runner.html#handling-keyboard-interruption
    """
    ctrl_c = signal.getsignal(signal.SIGINT)
    if not callable(ctrl_c):  # ignored, as in a job in the background
        ctrl_c = signal.default_int_handler
    ctrl_c(number, frame)
