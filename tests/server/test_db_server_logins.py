"""Logins of `make db-up`: the role of the app, the superuser, and other users of the machine."""

import asyncio
import re
import stat
import subprocess
from pathlib import Path

import asyncpg
import pytest

from support.devserver_project import DevServerProject, needs_postgresql
from support.projects import environment, ok, refusal
from support.servers import free_port, running_server

pytestmark = [pytest.mark.slow, needs_postgresql]
PUBLISHED = "app:CHANGE_ME@"


def second_checkout(shop: DevServerProject) -> None:
    """What a clone has: no `.env`, and an example whose port is free on this machine."""
    (shop.path / ".env").unlink()
    example = shop.path / ".env.example"
    example.write_text(
        re.sub(
            r"(?m)^(DATABASE_URL=.*?:)5432/.*", rf"\g<1>{free_port()}/shop_dev", example.read_text("utf-8")
        ),
        "utf-8",
    )
    assert PUBLISHED in example.read_text("utf-8")


def password_in_env(shop: DevServerProject) -> str:
    found = re.search(r"^DATABASE_URL=.*//app:(.*)@", shop.env, re.MULTILINE)
    assert found
    return found[1]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_second_checkout_gets_an_env_of_its_own_and_a_role_that_may_little(shop: DevServerProject) -> None:
    second_checkout(shop)
    said = ok(shop.up()).splitlines()
    assert said[0] == "Made .env from .env.example, with a password of its own"
    shop.password = password_in_env(shop)
    assert len(shop.password) == 32
    expected = (shop.path / ".env.example").read_text("utf-8").replace("CHANGE_ME", shop.password)
    assert shop.env == expected
    assert mode(shop.path / ".env") == 0o600

    assert shop.sql("SELECT rolname FROM pg_roles WHERE rolsuper") == ["dbkit_admin"]
    may = "SELECT ARRAY[rolcreatedb, rolsuper, rolcreaterole, rolreplication, rolbypassrls]"
    assert shop.sql(f"{may} FROM pg_roles WHERE rolname = 'app'") == [[True, False, False, False, False]]
    assert shop.sql("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'shop_dev'") == ["app"]
    assert shop.sql("SELECT count(*) FROM pg_auth_members WHERE member = 'app'::regrole") == [0]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        shop.sql("COPY (SELECT 1) TO PROGRAM 'cat'")
    shop.sql("CREATE DATABASE another", database="postgres")  # as throwaway databases are made
    trusted = "SELECT name FROM pg_available_extension_versions WHERE trusted AND NOT installed LIMIT 1"
    for extension in shop.sql(trusted):
        shop.sql(f'CREATE EXTENSION "{extension}"')
    ok(shop.database("reset"))

    folder = shop.path / ".database"
    assert mode(folder) == 0o700
    assert {mode(folder / name) for name in ("admin", "mark", "log")} == {0o600}
    # What an older db-up left readable is closed.
    folder.chmod(0o755)
    (folder / "log").chmod(0o644)
    ok(shop.down())
    ok(shop.up())
    assert (mode(folder), mode(folder / "log")) == (0o700, 0o600)


@pytest.mark.parametrize("data", ["none", "old"])
def test_the_password_of_the_example_is_replaced_before_a_server_starts(
    shop: DevServerProject, data: str
) -> None:
    second_checkout(shop)
    env = shop.path / ".env"
    env.write_text((shop.path / ".env.example").read_text("utf-8"), "utf-8")
    shop.user.own(env)
    shop.password = "CHANGE_ME"
    if data == "old":
        ok(shop.up_as_before())
        shop.remember()
    said = ok(shop.up()).splitlines()
    assert "The password in .env was the one of .env.example; now it is one of its own" in said
    assert PUBLISHED not in shop.env
    assert mode(env) == 0o600
    with pytest.raises(asyncpg.InvalidPasswordError):
        shop.sql("SELECT 1")
    shop.password = password_in_env(shop)
    assert data == "none" or shop.remembers()
    assert shop.env == (shop.path / ".env.example").read_text("utf-8").replace("CHANGE_ME", shop.password)

    # The same in the environment alone cannot be edited.
    env.write_text((shop.path / ".env.example").read_text("utf-8"), "utf-8")
    url = f"postgresql+asyncpg://{PUBLISHED}127.0.0.1:{shop.port}/shop_dev"
    assert "'unset DATABASE_URL'" in refusal(shop.up(DATABASE_URL=url))


def test_the_password_of_the_example_is_kept_where_nothing_is_started(shop: DevServerProject) -> None:
    second_checkout(shop)
    env = shop.path / ".env"
    text = (shop.path / ".env.example").read_text("utf-8")
    env.write_text(text.replace("127.0.0.1", "10.0.0.1"), "utf-8")
    assert "nothing started" in ok(shop.up())
    env.unlink()
    assert "nothing started" in ok(shop.up(DATABASE_URL="postgresql://app:s3cret@10.0.0.1/shop"))
    assert not env.exists()
    (shop.path / ".env.example").write_text("DATABASE_URL=sqlite:///dev.db\n")
    assert ok(shop.up()).startswith("Made .env from .env.example\nSQLite")
    env.unlink()
    (shop.path / ".env.example").unlink()
    assert "there is neither .env nor .env.example" in refusal(shop.up())
    with running_server() as server:  # somebody's own, whose password is what all of them use
        server.sql("CREATE ROLE app LOGIN PASSWORD 'CHANGE_ME'; CREATE DATABASE shop_dev OWNER app")
        for file in (env, shop.path / ".env.example"):
            file.write_text(f"DATABASE_URL=postgresql://{PUBLISHED}127.0.0.1:{server.port}/shop_dev\n")
        assert "is not of db-up's making: nothing started" in ok(shop.up())
        assert PUBLISHED in env.read_text()


def test_a_lost_env_or_another_password_in_it_locks_nobody_out(shop: DevServerProject) -> None:
    ok(shop.up())
    shop.remember()
    pid = shop.pid
    (shop.path / ".env").write_text(shop.env.replace(shop.password, "another-one"))
    shop.password = "another-one"
    ok(shop.up())
    assert shop.pid == pid  # nobody's connections were closed
    assert shop.remembers()

    ok(shop.down())
    port = shop.port
    second_checkout(shop)
    example = shop.path / ".env.example"
    example.write_text(re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{port}", example.read_text("utf-8")), "utf-8")
    ok(shop.up())
    shop.password = password_in_env(shop)
    assert shop.remembers()

    # Another user, too, who is told whose the database is.
    (shop.path / ".env").write_text(shop.env.replace("//app:", "//somebody:"))
    said = ok(shop.up())
    assert "Note: the database shop_dev belongs to app, and somebody may change nothing in it" in said
    shop.admin_sql("REASSIGN OWNED BY app TO somebody")
    assert "Note" not in ok(shop.up())
    (shop.path / ".env").write_text(shop.env.replace("//somebody:", "//dbkit_admin:"))
    assert "dbkit_admin in DATABASE_URL in .env is the server's superuser" in refusal(shop.up())


def test_data_of_an_older_db_up_goes_on_working_and_says_so(shop: DevServerProject) -> None:
    ok(shop.up_as_before())
    shop.remember()
    for step in (shop.up, shop.down, shop.up):
        said = ok(step())
        assert step == shop.down or "Note: app is a superuser of this server" in said
        assert step == shop.down or f"move {shop.data} away" in said
    assert shop.remembers()
    ok(shop.database("reset"))
    env = shop.env
    (shop.path / ".env").write_text(env.replace(shop.password, "another"))
    pid = shop.pid
    said = refusal(shop.up())
    assert "refuses the user or the password in .env" in said
    assert f"move {shop.data} away" in said
    assert shop.pid == pid
    ok(shop.down())
    assert "refuses the user or the password in .env" in refusal(shop.up())
    (shop.path / ".env").write_text(env)
    ok(shop.up())


def test_db_shell_is_a_superusers_on_this_projects_own_server_only(shop: DevServerProject) -> None:
    ok(shop.up())

    def shell(statement: str) -> str:
        result = subprocess.run(
            ["make", "--old-file=.venv/.installed", "--silent", "db-shell", "ADMIN=1"],
            cwd=shop.path,
            env=environment(HOME=str(shop.user.home)),
            input=statement,
            capture_output=True,
            encoding="utf-8",
            **shop.user.options,
        )
        return ok(result)

    assert "dbkit_admin on shop_dev" in shell("SELECT current_user || ' on ' || current_database();")
    with running_server() as server:
        said = refusal(shop.database("shell", "--admin", DATABASE_URL=server.url()))
        assert "ADMIN=1 is for its own server only" in said
    assert "SQLite has no superuser" in refusal(shop.database("shell", "--admin", DATABASE_URL="sqlite://"))
    (shop.path / ".database" / "admin").unlink()
    assert ".database/admin, the superuser's password, is not there" in refusal(
        shop.database("shell", "--admin")
    )


def test_a_superuser_who_is_connected_is_named_as_what_hinders_a_reset(shop: DevServerProject) -> None:
    ok(shop.up())
    shop.remember()

    async def reset_meanwhile() -> None:
        admin = (shop.path / ".database" / "admin").read_text()
        login = f"dbkit_admin:{admin}@127.0.0.1:{shop.port}"
        connection = await asyncpg.connect(f"postgresql://{login}/shop_dev")
        said = refusal(await asyncio.to_thread(shop.database, "reset"))
        assert "nobody while a superuser is connected, as 'make db-shell ADMIN=1' is" in said
        await connection.close()

    asyncio.run(reset_meanwhile())
    assert shop.remembers()


def test_a_foreign_server_on_the_port_before_db_up_is_told_from_this_projects_own(
    shop: DevServerProject,
) -> None:
    with running_server() as server:
        shop.write_env(server.port)
        said = refusal(shop.database("test"))
        assert (
            f"127.0.0.1:{server.port}: the server refused the password (user app, database shop_dev)" in said
        )
        assert said.endswith("'make db-up' starts this project's own server, beside one that is not")
        elsewhere = server.url(user="app", password="s3cret")
        assert "db-up" not in refusal(shop.database("test", DATABASE_URL=elsewhere))
        ok(shop.up())
        assert shop.port != server.port
        ok(shop.database("test"))


def test_an_env_that_others_can_read_is_told(shop: DevServerProject) -> None:
    (shop.path / ".env").chmod(0o640)
    assert "Note: other users can read the password in .env: 'chmod 600 .env'" in ok(shop.up())
