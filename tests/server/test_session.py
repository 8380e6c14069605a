"""The engine obeys the settings, and a session neither commits, nor leaks a connection."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.database import get_db_session, get_engine, get_session_factory
from app.settings import get_settings
from dbkit import settings as kit_settings
from dbkit.connection import FairPool
from dbkit.connection import pool as pool_module
from support.projects import Project, ok
from support.servers import PostgresServer, free_port

Result = TypeVar("Result")
Configure = Callable[..., None]
db_session = asynccontextmanager(get_db_session)
COLLECTED = """
import asyncio, gc, threading, time
from sqlalchemy.ext.asyncio import create_async_engine
from dbkit.connection import FairPool

async def work():
    engine = create_async_engine(
        "sqlite+aiosqlite:///a.db", poolclass=FairPool, pool_size=1, max_overflow=0, pool_timeout=20
    )
    gc.disable()
    lost = [await engine.connect()]
    lost.append(lost)
    del lost
    threading.Timer(0.3, gc.collect).start()
    begun = time.monotonic()
    connection = await engine.connect()
    print("in time" if time.monotonic() - begun < 10 else "late")
    await connection.close()
    await engine.dispose()

asyncio.run(work())
"""


def forget() -> None:
    for cached in (get_settings, kit_settings.get_settings, get_engine, get_session_factory):
        cached.cache_clear()


@pytest.fixture
def configure(bare_environment: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """Set variables as a new process would find them."""

    def configure(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        forget()

    yield configure
    forget()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "test.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, file: Path, configure: Configure) -> str:
    """An empty database of either kind, configured."""
    if request.param == "sqlite":
        url = f"sqlite:///{file}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database()
    configure(DATABASE_URL=url)
    return url


@pytest.fixture
def postgresql(postgres_server: PostgresServer, configure: Configure) -> PostgresServer:
    """A server, its database `postgres` configured."""
    configure(DATABASE_URL=postgres_server.url())
    return postgres_server


def run(work: Callable[[], Awaitable[Result]]) -> Result:
    """Run `work` as one process would, and close the engine."""

    async def main() -> Result:
        try:
            return await work()
        finally:
            await get_engine().dispose()

    return asyncio.run(main())


def pool() -> FairPool:
    found = get_engine().pool
    assert isinstance(found, FairPool)
    return found


async def prepare() -> None:
    async with get_engine().begin() as connection:
        await connection.execute(text("CREATE TABLE notes (id INTEGER PRIMARY KEY, note TEXT)"))


async def insert(session: AsyncSession) -> None:
    await session.execute(text("INSERT INTO notes VALUES (1, 'x')"))


async def count() -> int:
    async with get_engine().connect() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM notes"))).scalar_one())


@pytest.mark.usefixtures("url")
def test_the_pool_is_as_large_and_as_patient_as_the_settings_say(configure: Configure) -> None:
    configure(DATABASE_POOL_SIZE="1", DATABASE_MAX_OVERFLOW="1", DATABASE_POOL_TIMEOUT="0.3")

    async def work() -> None:
        first, second = await get_engine().connect(), await get_engine().connect()
        assert pool().checkedout() == 2
        begun = time.monotonic()
        with pytest.raises(PoolTimeout):
            await get_engine().connect()
        assert 0.3 <= time.monotonic() - begun < 10
        await first.close()
        await second.close()

    run(work)


@pytest.mark.usefixtures("url")
def test_the_defaults_keep_five_connections_and_allow_ten_more_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def use_all() -> None:
        connections = [await get_engine().connect() for _ in range(15)]
        for connection in connections:
            await connection.close()

    async def work() -> None:
        monkeypatch.setattr(pool_module, "SURPLUS", 0.5)
        await use_all()
        assert (pool().checkedin(), pool().overflow()) == (15, 10)
        await asyncio.sleep(1.5)  # nobody uses the pool any more
        assert (pool().checkedin(), pool().overflow()) == (5, 0)

    run(work)


@pytest.mark.usefixtures("url")
def test_who_waits_for_a_connection_is_not_overtaken(configure: Configure) -> None:
    configure(DATABASE_POOL_SIZE="1", DATABASE_MAX_OVERFLOW="0")
    order: list[int] = []

    async def use(number: int) -> None:
        async with get_engine().connect():
            order.append(number)

    async def work() -> None:
        first = await get_engine().connect()
        waiting = [asyncio.create_task(use(number)) for number in (1, 2)]
        await asyncio.sleep(0.1)
        await first.close()
        await use(3)  # comes before those that were woken have run
        await asyncio.gather(*waiting)
        assert order == [1, 2, 3]

    run(work)


def test_a_connection_that_another_thread_collects_wakes_who_waits(sqlite_project: Project) -> None:
    result = sqlite_project.python("-W", "ignore", "-c", COLLECTED)
    assert "in time" in ok(result)


def test_who_waits_learns_at_once_that_no_connection_can_be_made(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://somebody:s3cr3t@127.0.0.1:{free_port()}/nothing")
    configure(DATABASE_POOL_SIZE="1", DATABASE_MAX_OVERFLOW="0", DATABASE_POOL_TIMEOUT="3")

    async def work() -> None:
        tries = await asyncio.gather(*(get_engine().connect() for _ in range(10)), return_exceptions=True)
        assert {type(each).__name__ for each in tries} == {"DatabaseUnavailable"}

    run(work)


@pytest.mark.usefixtures("url")
@pytest.mark.parametrize("echo", ["true", "false"])
def test_echo_logs_statements_and_never_their_values(
    configure: Configure, echo: str, caplog: pytest.LogCaptureFixture
) -> None:
    configure(DATABASE_ECHO=echo)

    async def work() -> None:
        async with db_session() as session:
            await session.execute(text("SELECT CAST(:value AS VARCHAR(80))"), {"value": "s3cr3t"})

    run(work)
    assert ("SELECT CAST(" in caplog.text) == (echo == "true")
    assert "s3cr3t" not in caplog.text


@pytest.mark.usefixtures("url")
def test_an_error_shows_no_value_of_a_statement() -> None:
    async def work() -> None:
        async with db_session() as session:
            await session.execute(text("SELECT :value FROM missing"), {"value": "s3cr3t"})

    with pytest.raises(DBAPIError) as error:
        run(work)
    assert "missing" in str(error.value)
    assert "s3cr3t" not in str(error.value)


@pytest.mark.usefixtures("url")
def test_a_session_commits_nothing_by_itself() -> None:
    async def work() -> None:
        await prepare()
        async with db_session() as session:
            await insert(session)
        assert await count() == 0
        async with db_session() as session:
            await insert(session)
            await session.commit()
        assert await count() == 1
        assert pool().checkedout() == 0

    run(work)


@pytest.mark.usefixtures("url")
def test_an_error_rolls_back_passes_on_and_gives_the_connection_back() -> None:
    async def fail(_session: AsyncSession) -> None:
        raise ZeroDivisionError

    async def request(rest: Callable[[AsyncSession], Awaitable[None]]) -> None:
        async with db_session() as session:
            await insert(session)
            await rest(session)

    async def work() -> None:
        await prepare()
        with pytest.raises(ZeroDivisionError):
            await request(fail)
        with pytest.raises(IntegrityError):
            await request(insert)
        assert await count() == 0
        assert pool().checkedout() == 0

    run(work)


@pytest.mark.usefixtures("url")
def test_a_session_that_is_still_held_after_its_request_is_closed() -> None:
    async def work() -> None:
        await prepare()
        generator = get_db_session()
        session = await anext(generator)
        await insert(session)
        assert pool().checkedout() == 1
        await generator.aclose()
        assert pool().checkedout() == 0
        assert not session.in_transaction()

    run(work)


@pytest.mark.usefixtures("url")
@pytest.mark.parametrize("moment", ["between two statements", "during a statement"])
def test_a_cancelled_request_gives_its_connection_back(moment: str) -> None:
    busy = asyncio.Event()

    async def request() -> None:
        async with db_session() as session:
            await insert(session)
            busy.set()
            if moment == "between two statements" or "sqlite" in get_engine().name:
                await asyncio.sleep(60)
            else:
                await session.execute(text("SELECT pg_sleep(60)"))

    async def work() -> None:
        await prepare()
        task = asyncio.create_task(request())
        await busy.wait()
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert pool().checkedout() == 0
        assert await count() == 0

    run(work)


@pytest.mark.usefixtures("url")
def test_an_object_stays_readable_after_a_commit() -> None:
    class Own(DeclarativeBase):
        pass

    class Note(Own):
        __tablename__ = "notes"
        id: Mapped[int] = mapped_column(primary_key=True)
        note: Mapped[str]

    async def work() -> str:
        await prepare()
        async with db_session() as session:
            note = Note(id=1, note="x")
            session.add(note)
            await session.commit()
            return note.note  # loading it would be I/O without an await: MissingGreenlet

    assert run(work) == "x"


def test_sqlite_enforces_foreign_keys_on_every_connection(configure: Configure, file: Path) -> None:
    configure(DATABASE_URL=f"sqlite:///{file}")

    async def work() -> None:
        async with get_engine().begin() as connection:
            await connection.execute(text("CREATE TABLE parents (id INTEGER PRIMARY KEY)"))
            await connection.execute(text("CREATE TABLE children (parent INTEGER REFERENCES parents)"))
        # The first connection is held, so that the second is another one.
        async with get_engine().connect() as first, get_engine().connect() as second:
            for connection in (first, second):
                with pytest.raises(IntegrityError, match="FOREIGN KEY"):
                    await connection.execute(text("INSERT INTO children VALUES (1)"))
                await connection.rollback()

    run(work)


HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("INSERT INTO notes VALUES (2, 'y')")
print("held", flush=True)
sys.stdin.readline()
connection.execute("COMMIT")
"""


def test_sqlite_waits_while_another_process_writes(configure: Configure, file: Path) -> None:
    configure(DATABASE_URL=f"sqlite:///{file}")

    async def write() -> None:
        async with db_session() as session:
            await insert(session)
            await session.commit()

    async def work() -> None:
        async with get_engine().connect() as connection:
            patience = (await connection.execute(text("PRAGMA busy_timeout"))).scalar_one()
            assert patience > 5000  # what Python's driver grants by itself
        waiting = asyncio.create_task(write())
        await asyncio.sleep(1)
        assert not waiting.done()
        other.communicate("go on\n")
        await waiting
        assert await count() == 2

    run(prepare)
    command = [sys.executable, "-c", HOLD, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        run(work)
    assert other.returncode == 0


def test_a_connection_that_the_server_ended_is_replaced_unnoticed(postgresql: PostgresServer) -> None:
    async def backend() -> int:
        async with db_session() as session:
            return int((await session.execute(text("SELECT pg_backend_pid()"))).scalar_one())

    async def work() -> None:
        first = await backend()
        assert await backend() == first  # out of the pool
        postgresql.sql(f"SELECT pg_terminate_backend({first})")
        await asyncio.sleep(0.1)  # in which the loop hears of it
        second = await backend()
        assert second != first
        postgresql.restart()
        await asyncio.sleep(0.1)
        assert await backend() != second

    run(work)
