"""What people are told of a database that cannot be used: what it is, and what they can do.

tests/store/data/tls.crt and tls.key are a certificate for 127.0.0.1 that nobody else trusts, and its key.
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hallway.errors import Unavailable
from hallway.store.postgres.address import read_address
from hallway.store.postgres.session import connect as connected
from hallway.store.postgres.session import used_by_hand
from tests.peers.ports import free_port
from tests.postgres_server import PostgresServer, account
from tests.store.databases import Connect
from tests.store.homes import until

DATA = Path(__file__).parents[1] / "data"
CERTIFICATE = DATA / "tls.crt"


async def nothing(_connection: object) -> None:
    """To see whether it can be used."""


async def refusal(url: str) -> str:
    with pytest.raises(Unavailable) as error:
        await used_by_hand(read_address(url), nothing)
    assert "ss:word" not in error.value.message
    assert "Errno" not in error.value.message
    assert "by itself" not in error.value.message
    return error.value.message


@pytest.fixture(scope="module")
def with_tls() -> Iterator[PostgresServer]:
    """A server of its own that speaks TLS."""
    server = PostgresServer()
    for ending in ("crt", "key"):
        path = server.directory / "data" / f"server.{ending}"
        shutil.copy(DATA / f"tls.{ending}", path)
        path.chmod(0o600)
        user = account()
        if user is not None:
            shutil.chown(path, user)
    server.start()
    server.sql("ALTER SYSTEM SET ssl = on")
    server.stop()
    server.start()
    yield server
    server.remove()


def no_host(*_asked: object, **_how: object) -> list[object]:
    """Some networks know every name, and others take their time to know none."""
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


async def test_a_server_that_nobody_is_at(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "nobody takes connections there; try again then" in await refusal(
        f"postgresql://ann:x@127.0.0.1:{free_port()}/home"
    )
    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", no_host)
        assert "there is no such host; mend it in the URL" in await refusal("postgresql://ann:x@nowhere.invalid/home")
    wrong = await refusal(database.replace("ss:word", "nope"))
    assert "password authentication failed" in wrong
    assert "mend user and password in the URL" in wrong


async def test_a_server_without_tls(database: str) -> None:
    assert "it speaks no TLS; set that up on the server" in await refusal(f"{database}?sslmode=require")
    assert "there is no file /nowhere.pem that the hub may read" in await refusal(
        f"{database}?sslmode=verify-ca&sslrootcert=/nowhere.pem"
    )


async def test_a_server_with_tls(with_tls: PostgresServer) -> None:
    url = with_tls.new_database()
    for options in (f"sslmode=verify-full&sslrootcert={CERTIFICATE}", "sslmode=require", "sslmode=prefer"):
        link = await connected(read_address(f"{url}?{options}"), "hallway reads", reads=True)
        assert await link.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        await link.close()
    elsewhere = url.replace("127.0.0.1", "localhost")
    strict = f"{elsewhere}?sslmode=verify-full&sslrootcert={CERTIFICATE}"
    assert "its certificate is not trusted; name the certificates that are" in await refusal(strict)


async def test_a_database_that_cannot_hold_every_text(postgres_server: PostgresServer) -> None:
    postgres_server.sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    assert "kept in LATIN1, which cannot hold every text" in await refusal(postgres_server.url("latin"))
    assert postgres_server.sql("SELECT to_regnamespace('hallway') IS NULL", "latin") == "t"


async def test_a_user_that_may_not_make_the_schema(postgres_server: PostgresServer, database: str) -> None:
    postgres_server.sql("CREATE ROLE weak LOGIN PASSWORD 'weak'")
    told = await refusal(database.replace("ann:p%40ss:word", "weak:weak"))
    assert "permission denied for database" in told
    assert "let the user make and write the schema" in told


async def test_a_server_that_may_only_be_read_is_told_and_used_again_when_it_takes_writes(connect: Connect) -> None:
    mortal = PostgresServer()
    mortal.start()
    try:
        server = await connect(mortal.new_database())
        mortal.stop()
        (mortal.directory / "data" / "standby.signal").touch()
        mortal.start()
        await until(lambda: "it can only be read now" in str(server.condition.problem))
        assert not server.condition.connected
        mortal.sql("SELECT pg_promote()")
        await until(lambda: server.condition.connected)
        await server.close()
    finally:
        mortal.remove()
