"""One PostgreSQL database cluster: its data directory, account, programs, process and port."""

from dbkit.devserver.cluster.account import Account, choose_account
from dbkit.devserver.cluster.data_directory import create_data_directory, read_major_version
from dbkit.devserver.cluster.login import set_login
from dbkit.devserver.cluster.pg_ctl import ServerExited, start_server
from dbkit.devserver.cluster.probe import (
    NoAnswer,
    RunningServer,
    create_database,
    identify_server,
    identify_slow_server,
)
from dbkit.devserver.cluster.process import find_server, read_port, stop_server
from dbkit.devserver.cluster.programs import OLDEST, Programs, check_programs

__all__ = [
    "OLDEST",
    "Account",
    "NoAnswer",
    "Programs",
    "RunningServer",
    "ServerExited",
    "check_programs",
    "choose_account",
    "create_data_directory",
    "create_database",
    "find_server",
    "identify_server",
    "identify_slow_server",
    "read_major_version",
    "read_port",
    "set_login",
    "start_server",
    "stop_server",
]
