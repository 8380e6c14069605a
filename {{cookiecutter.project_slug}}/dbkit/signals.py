"""A command that is told to end cleans up first."""

import signal
import threading


def end_like_ctrl_c() -> None:
    """Let SIGTERM (of `timeout`, of a cancelled CI job) do what Ctrl-C does in this process.

    Its default ends a process on the spot, and its throwaway databases would stay behind. Whoever
    has decided otherwise, such as a server that calls Alembic, keeps what it has.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
