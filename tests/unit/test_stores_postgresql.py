"""What the store in PostgreSQL refuses, with a way out, and what it does with its server."""

from __future__ import annotations

import os
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from tests.servers import postgresql
from tests.servers.proxy import Proxy

from holdall import open_repository
from holdall.errors import (
    CorruptSessionError,
    FailedStorageError,
    LockedStorageError,
    StaleWriterError,
    StorageAccessError,
    StorageError,
    StorageFullError,
    StoreUrlError,
)
from holdall.testing.children import in_child
from holdall_plugins.stores.postgresql import PostgresqlRepository
from holdall_plugins.stores.postgresql.location import PostgresqlOptions
from holdall_plugins.stores.postgresql.migrations import MIGRATIONS, check, migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import Storage
    from holdall_plugins.stores.postgresql.migrations import Connection


@pytest.fixture
def repository() -> Iterator[PostgresqlRepository]:
    repository = PostgresqlRepository.from_url(postgresql.new_url())
    yield repository
    execute(repository, f'DROP SCHEMA IF EXISTS "{repository._location.schema}" CASCADE')


def execute(repository: PostgresqlRepository, *statements: str) -> list[tuple[Any, ...]]:
    """Return what the last statement gives, behind the store's back."""
    with psycopg.connect(postgresql.server().url(), autocommit=True) as connection:
        schema = [repository._location.schema]
        connection.execute("SELECT set_config('search_path', %s, false)", schema)
        for statement in statements[:-1]:
            connection.execute(statement.encode())
        cursor = connection.execute(statements[-1].encode())
        return cursor.fetchall() if cursor.description else []


def make_role(name: str, options: str) -> None:
    with psycopg.connect(postgresql.server().url(), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone():
            connection.execute(f"CREATE ROLE {name} LOGIN".encode())
        connection.execute(f"ALTER ROLE {name} {options}".encode())


def opened(url: str, **options: Any) -> PostgresqlRepository:
    return PostgresqlRepository.from_url(url, options=PostgresqlOptions(**options))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql:/x", "write postgresql://user@host:port/database"),
        ("postgresql://h/x?schma=y", "there is no option 'schma'; did you mean 'schema'?"),
        ("postgresql://h/x?volume=11", "options: retry_s, schema, timeout_s, and the parameters"),
        ("postgresql://h/x?retry_s=long", "retry_s is a number of seconds, not 'long'"),
        ("postgresql://h/x?schema=", "schema is a name of 1 to 63 bytes"),
        ("postgresql://h/x?schema=pg_x", "'pg_' begins those of the system"),
        ("postgresql://h/x?schema=a&schema=b", "the option 'schema' is given twice"),
        ("postgresql://h/x#y", "write '%23' for '#'"),
        ("postgresql://[h/x", "Invalid IPv6 URL"),
    ],
)
def test_a_url_that_says_nothing_usable_is_refused_with_a_way_out(url: str, reason: str) -> None:
    with pytest.raises(StoreUrlError) as caught:
        opened(url)

    assert reason in str(caught.value)


def test_no_url_or_location_has_a_password_in_it() -> None:
    repository = opened("postgresql://lab:SECRET@h:1/x?schema=s&sslpassword=SECRET&retry_s=0")

    assert repository.url == "postgresql://lab@h:1/x?schema=s&retry_s=0"
    assert repository._location.parameters["password"] == "SECRET"  # noqa: S105
    again = opened(repository.url, password="other")  # noqa: S106
    assert again._location.parameters["password"] == "other"  # noqa: S105


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("lab@", "guarded:SECRET@"), "check the user in the URL, and the password"),
        (("lab@", "nobody:SECRET@"), "make it with createuser"),
        (("/postgres?", "/none?"), "make the database with createdb"),
        (("127.0.0.1", "no-such-host.invalid"), "check the host in the URL"),
        ((":{port}/", ":1/"), "check that the server runs, and host and port in the URL"),
        (("127.0.0.1:{port}", ""), "check that the server runs, and the folder of its socket"),
    ],
)
def test_a_server_that_lets_nobody_in_is_told_at_once(
    change: tuple[str, str], reason: str
) -> None:
    port = postgresql.server().port
    execute(
        opened(postgresql.new_url()),
        "DROP ROLE IF EXISTS guarded",
        "CREATE ROLE guarded LOGIN PASSWORD 'x'",
    )
    url = postgresql.new_url("host=/no/such/folder" if not change[1] else "")
    url = url.replace(change[0].format(port=port), change[1].format(port=port))
    began = time.monotonic()

    for step in (lambda: list(opened(url).ids()), lambda: opened(url).create("session")):
        with pytest.raises(StorageAccessError) as caught:
            step()
        assert reason in str(caught.value)
        assert "SECRET" not in str(caught.value)
    assert time.monotonic() - began < 10


def test_a_password_comes_from_the_settings(repository: PostgresqlRepository) -> None:
    make_role("guarded", "SUPERUSER PASSWORD 'right'")
    url = repository.url.replace("lab@", "guarded@")

    with closing(opened(url, password="right").create("session")) as storage:  # noqa: S106
        assert "right" not in storage.where


def test_a_schema_that_may_not_be_made_is_told_with_what_to_ask_for(
    repository: PostgresqlRepository,
) -> None:
    make_role("poor", "NOSUPERUSER")
    poor = opened(repository.url.replace("lab@", "poor@"))

    with pytest.raises(StorageAccessError, match=r'CREATE SCHEMA .* AUTHORIZATION "poor"'):
        poor.create("session")
    execute(repository, f'CREATE SCHEMA "{repository._location.schema}" AUTHORIZATION poor')
    poor.create("session").close()
    assert list(poor.ids()) == ["session"]


def test_who_reads_makes_nothing(repository: PostgresqlRepository) -> None:
    guarded = open_repository(repository.url)

    assert not repository.exists()
    assert list(guarded.ids()) == []
    with pytest.raises(LookupError):
        guarded.open("session", mode="r")
    with pytest.raises(LookupError):
        guarded.remove("session")
    assert not repository.exists()
    repository.create("session").close()
    assert repository.exists()


def test_the_schema_of_a_newer_holdall_is_refused(repository: PostgresqlRepository) -> None:
    repository.create("session").close()
    execute(repository, "INSERT INTO migrations (name) VALUES ('m0999_add_wings')")

    for step in (
        repository.ids,
        lambda: repository.create("x"),
        lambda: repository.open("session"),
    ):
        with pytest.raises(StorageAccessError, match=r"m0999_add_wings.*upgrade holdall"):
            step()


def test_tables_of_something_else_are_left_alone(repository: PostgresqlRepository) -> None:
    schema = repository._location.schema
    execute(repository, f'CREATE SCHEMA "{schema}"', "CREATE TABLE sessions (x int)")

    with pytest.raises(StorageAccessError, match="something else; choose another"):
        repository.create("session")

    assert execute(repository, "SELECT to_regclass('migrations')") == [(None,)]


def test_migrations_are_made_once_and_in_order(repository: PostgresqlRepository) -> None:
    repository.create("session").close()

    def m0002_add_colour(connection: Connection) -> None:
        connection.execute("ALTER TABLE sessions ADD colour text")

    later = (*MIGRATIONS, m0002_add_colour)
    with psycopg.connect(postgresql.server().url(), autocommit=True) as connection:
        schema = [repository._location.schema]
        connection.execute("SELECT set_config('search_path', %s, false)", schema)
        assert check(connection, repository._location, later) == len(MIGRATIONS)
        for _ in range(2):
            migrate(connection, repository._location, later)
        assert check(connection, repository._location, later) == len(later)
    assert execute(repository, "SELECT colour FROM sessions") == [(None,)]


def test_a_replica_is_read_and_not_written_and_settings_that_lose_sessions_are_refused() -> None:
    server = postgresql.new_server()
    server.start()
    url = server.url("schema=lab")
    try:
        with closing(opened(url).create("session")) as storage:
            storage.append([b"entry"], expect=0)
        for name in ("fsync", "full_page_writes"):
            server.stop()
            server.start(**{name: "off"})
            with pytest.raises(StorageAccessError, match=f"{name} is off.*set {name} = on"):
                opened(url).open("session")
        server.stop_as_replica()
        server.start()
        with pytest.raises(StorageAccessError, match=r"replica.*name the primary"):
            opened(url).open("session")
        assert list(opened(url).ids()) == ["session"]
        with closing(opened(url).open("session", mode="r")) as reader:
            assert list(reader.read()) == [(1, b"entry")]
            assert reader.wait(1, timeout=0.1) == 1  # type: ignore[attr-defined]
    finally:
        server.remove()


def test_a_session_that_may_not_be_written_is_told(repository: PostgresqlRepository) -> None:
    repository.create("session").close()
    options = "options=-c%20default_transaction_read_only%3Don"

    with pytest.raises(StorageAccessError, match="read-only; set default_transaction_read_only"):
        opened(f"{repository.url}&{options}").open("session")


def test_commits_that_are_acknowledged_early_are_not_taken(
    repository: PostgresqlRepository,
) -> None:
    options = "options=-c%20synchronous_commit%3Doff"
    with closing(opened(f"{repository.url}&{options}").create("session")) as storage:
        [(setting,)] = storage._database.rows("SHOW synchronous_commit")  # type: ignore[attr-defined]

    assert setting == "on"


def fails_with(repository: PostgresqlRepository, code: str, table: str, times: int) -> None:
    """Let the server refuse what is put into a table with the error of that code."""
    execute(
        repository,
        "CREATE SEQUENCE refusals",
        f"""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('refusals') <= {times} THEN
                RAISE EXCEPTION 'refused' USING ERRCODE = '{code}';
            END IF;
            RETURN NEW;
        END $$
        """,
        f"CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()",
    )


@pytest.mark.parametrize("code", ["40001", "40P01"])
def test_what_others_came_between_is_done_again(
    repository: PostgresqlRepository, code: str
) -> None:
    with closing(repository.create("session")) as storage:
        fails_with(repository, code, "entries", 3)

        assert storage.append([b"entry"], expect=0) == 1
        assert list(storage.read()) == [(1, b"entry")]


def test_a_full_disk_changes_nothing_and_the_storage_goes_on(
    repository: PostgresqlRepository,
) -> None:
    with closing(repository.create("session")) as storage:
        fails_with(repository, "53100", "entries", 1)

        with pytest.raises(StorageFullError):
            storage.append([b"entry"], expect=0)

        assert storage.append([b"entry"], expect=0) == 1


def test_a_server_that_does_not_come_back_ends_the_handle_and_says_so(
    repository: PostgresqlRepository,
) -> None:
    with Proxy(postgresql.server().port) as proxy:
        url = f"{repository.url}&retry_s=0.3".replace(
            f":{postgresql.server().port}/", f":{proxy.port}/"
        )
        storage = opened(url).create("session")
        reader = opened(url).open("session", mode="r")
        proxy.close()

        with pytest.raises(StorageAccessError):
            list(reader.read())
        for _ in range(2):
            with pytest.raises(FailedStorageError, match="open the session again"):
                storage.append([b"entry"], expect=0)
        storage.close()
        reader.close()
    with closing(repository.open("session")) as again:
        assert again.append([b"entry"], expect=0) == 1


def test_a_writer_whose_connection_was_lost_goes_on_unless_another_one_came(
    repository: PostgresqlRepository,
) -> None:
    storage = repository.create("session")
    execute(repository, END_CONNECTIONS)
    assert storage.append([b"one"], expect=0) == 1
    with pytest.raises(LockedStorageError, match="process"):
        repository.open("session")
    execute(repository, END_CONNECTIONS)
    time.sleep(0.1)

    with closing(repository.open("session")) as other:
        other.append([b"other"], expect=1)
        with pytest.raises(StaleWriterError):
            storage.append([b"two"], expect=1)
        with pytest.raises(StaleWriterError):
            storage.append([b"two"], expect=2)
        assert list(other.read()) == [(1, b"one"), (2, b"other")]
    storage.close()


def test_a_fork_that_ends_leaves_the_writer_its_connection(
    repository: PostgresqlRepository,
) -> None:
    storage = repository.create("session")

    def use() -> None:
        with pytest.raises(FailedStorageError):
            storage.append([b"child"], expect=0)
        storage.close()

    assert in_child(use) == 0
    pid = storage._database._connection.info.backend_pid  # type: ignore[attr-defined]
    assert storage.append([b"parent"], expect=0) == 1
    assert storage._database._connection.info.backend_pid == pid  # type: ignore[attr-defined]
    storage.close()


def test_who_waits_is_told_of_entries_and_the_others_are_told_nothing(
    repository: PostgresqlRepository,
) -> None:
    storage = repository.create("session")
    reader: Any = repository.open("session", mode="r")
    assert reader.wait(0, timeout=0.05) == 0
    assert reader.wait(7, timeout=5) == 0

    for head in range(3):
        thread = threading.Timer(0.1, append, (storage, head))
        thread.start()
        began = time.monotonic()
        assert reader.wait(head, timeout=20) == head + 1
        assert time.monotonic() - began < 5
        thread.join()

    thread = threading.Timer(0.1, storage.compact, (b"snapshot",), {"expect": 3})
    thread.start()
    assert reader.wait(3, timeout=20) == 4
    thread.join()
    storage.close()
    thread = threading.Timer(0.1, repository.remove, ("session",))
    thread.start()
    with pytest.raises(StorageError):
        reader.wait(4, timeout=20)
    thread.join()
    reader.close()


END_CONNECTIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holdall'
"""


def append(storage: Storage, head: int) -> None:
    storage.append([b"entry"], expect=head)


def test_what_a_writer_stored_before_it_was_driven_out_is_not_acknowledged_again(
    repository: PostgresqlRepository,
) -> None:
    with closing(repository.create("session")) as storage:
        append(storage, 0)
        with (
            closing(repository.open("session", take_over=True)),
            pytest.raises(StaleWriterError),
        ):
            append(storage, 0)


def test_a_snapshot_that_reads_back_differently_drops_nothing(
    repository: PostgresqlRepository,
) -> None:
    with closing(repository.create("session")) as storage:
        append(storage, 0)
        execute(
            repository,
            """
            CREATE FUNCTION changed() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN NEW.data = 'other'; RETURN NEW; END $$
            """,
            "CREATE TRIGGER changed BEFORE INSERT ON entries FOR EACH ROW EXECUTE "
            "FUNCTION changed()",
        )

        with pytest.raises(CorruptSessionError, match="reads back differently"):
            storage.compact(b"snapshot", expect=1)

        assert len(list(storage.read())) == 1


def test_missing_rows_are_told(repository: PostgresqlRepository) -> None:
    with closing(repository.create("session")) as storage:
        storage.append([b"%d" % number for number in range(10)], expect=0)
        reader: Any = repository.open("session", mode="r")
        for number, reason in ((10, "from 10 to 10"), (5, "from 5 to 5"), (1, "from 1 to 1")):
            execute(repository, f"DELETE FROM entries WHERE n = {number}")  # noqa: S608
            with pytest.raises(StorageError, match=f"the entries {reason} are missing"):
                list(reader.read())
        reader.close()


def test_a_listing_takes_large_ends_in_pages(repository: PostgresqlRepository) -> None:
    for number in range(6):
        with closing(repository.create(f"session-{number}")) as storage:
            storage.append([os.urandom(3 << 20), b"last"][number % 2 :], expect=0)

    ends = {each.id: each for each in repository.summaries()}

    assert len(ends) == 6
    assert all(each.is_whole and each.last[-1] == b"last" for each in ends.values())
    assert len(ends["session-0"].last) == 2


def test_a_damaged_end_is_no_whole_one(repository: PostgresqlRepository) -> None:
    for session_id in ("whole", "damaged"):
        with closing(repository.create(session_id)) as storage:
            storage.append([b"1", b"2", b"3"], expect=0)
    execute(repository, "DELETE FROM entries WHERE n = 3 AND session = 2")

    assert {each.id: each.is_whole for each in repository.summaries()} == {
        "whole": True,
        "damaged": False,
    }
