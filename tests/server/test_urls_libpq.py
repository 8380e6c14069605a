"""What a URL that libpq takes means to us is what it means to libpq itself, or it is refused."""

import ctypes
import ctypes.util
from itertools import product

import pytest

from dbkit.connection.url import DatabaseURLError, parse_database_url

pytestmark = pytest.mark.usefixtures("bare_environment")


class Option(ctypes.Structure):
    """https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PQCONNDEFAULTS"""

    _fields_ = [
        *((name, ctypes.c_char_p) for name in ("keyword", "envvar", "compiled", "val", "label", "dispchar")),
        ("dispsize", ctypes.c_int),
    ]


@pytest.fixture(scope="session")
def libpq() -> ctypes.CDLL:
    """The library of this machine."""
    name = ctypes.util.find_library("pq")
    if name is None:
        pytest.skip("no libpq on this machine")
    library = ctypes.CDLL(name)
    library.PQconninfoParse.restype = ctypes.POINTER(Option)
    library.PQconninfoParse.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    library.PQconninfoFree.argtypes = [ctypes.POINTER(Option)]
    return library


USERS = [
    "",
    "@",
    "u@",
    ":@",
    "u:@",
    ":p@",
    "u:p@",
    "u%40x:p%3A%2F%23%25@",
    "%C3%9F:%F0%9F%9A%80@",
    "u:p%@",
    "u:%00@",
]
HOSTS = [
    *(
        "",
        "h",
        "h:",
        "h:7",
        ":7",
        "a,b",
        "a:1,b",
        "a,b:2",
        "a:1,b:2",
        "a,",
        ",b",
        "%68",
        "h%2",
        "127.0.0.1:6000",
    ),
    *(
        "[::1]",
        "[::1]:7",
        "[::1],h:2",
        "[::1",
        "[]",
        "[::1]z",
        "::1",
        "%2Frun",
        "%2Frun%2Fpg:7",
        "h:x",
        "h:99999",
    ),
]
NAMES = ["", "/", "/d", "/d%20e", "/%2Fd", "/d%zz", "/d/e", "/%"]
QUERIES = [
    *(
        "",
        "?",
        "?host=g",
        "?host=/run",
        "?host=g,f",
        "?host=",
        "?port=8",
        "?port=8,9",
        "?host=g&port=8",
        "?port=",
    ),
    *(
        "?user=v",
        "?user=",
        "?password=q%26",
        "?dbname=e",
        "?dbname=",
        "?u%73er=v",
        "?application_name=a+b%20c",
    ),
    *(
        "?sslmode=require",
        "?connect_timeout=3",
        "?connect_timeout",
        "?bogus=1",
        "?user=v&user=w",
        "?&user=v",
        "?=x",
    ),
    *("?user=v=w", "?user=v&", "?options=-c%20a%3Db", "?options=-c%20a=b", "?target_session_attrs=any"),
]


def libpqs_meaning(library: ctypes.CDLL, text: str) -> dict[str, object] | None:
    """What libpq reads, its lists of hosts and ports taken apart as its manual says; None: refused."""
    options = library.PQconninfoParse(text.encode(), None)
    if not options:
        return None
    said: dict[str, str] = {}
    number = 0
    while options[number].keyword:
        if options[number].val is not None:
            said[options[number].keyword.decode()] = options[number].val.decode()
        number += 1
    library.PQconninfoFree(options)
    hosts, ports = said.get("host", "").split(","), said.get("port", "").split(",")
    if len(ports) == 1:
        ports *= len(hosts)
    if len(hosts) != len(ports) or not all(port.isdigit() or not port for port in ports):
        return None  # it says so when it connects
    addresses = [(host, int(port or 5432)) for host, port in zip(hosts, ports, strict=True)]
    return {
        "user": said.get("user"),
        "password": said.get("password"),
        "dbname": said.get("dbname"),
        "addresses": addresses,
    }


def our_meaning(text: str) -> dict[str, object] | None:
    try:
        database = parse_database_url(text)
    except DatabaseURLError:
        return None
    hosts = database.connect_args.get("host", [database.url.host])
    ports = database.connect_args.get("port", [database.url.port])
    return {
        "user": database.url.username,
        "password": database.url.password,
        "dbname": database.url.database,
        "addresses": [(host or "", port or 5432) for host, port in zip(hosts, ports, strict=True)],
    }


def test_each_url_means_what_it_means_to_libpq_or_is_refused(libpq: ctypes.CDLL) -> None:
    others, agreed = [], 0
    for parts in product(USERS, HOSTS, NAMES, QUERIES):
        text = "postgresql://" + "".join(parts)
        ours = our_meaning(text)
        if ours is None:
            continue
        theirs = libpqs_meaning(libpq, text)
        if theirs is None:  # such as options=-c a=b, whose second = we understand
            continue
        if without_empty(ours) == without_empty(theirs):
            agreed += 1
        else:
            others.append((text, ours, theirs))
    assert others == []
    assert agreed > 10_000


def without_empty(meaning: dict[str, object]) -> dict[str, object]:
    """Leave out what is empty, which libpq takes as not said."""
    return {name: value for name, value in meaning.items() if value}
