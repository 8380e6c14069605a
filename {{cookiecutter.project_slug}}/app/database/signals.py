"""A command that is told to end cleans up first."""

import signal


def end_like_ctrl_c() -> None:
    """Let SIGTERM (of `timeout`, of a cancelled CI job) do what Ctrl-C does in this process.

    Its default ends a process on the spot, and its throwaway databases would stay behind.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
