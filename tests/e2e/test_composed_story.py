"""A session goes through composed stores whose servers go away, and ends equal in all of them.

By hand, each step is printed:

    python -m tests.e2e.test_composed_story
"""

from __future__ import annotations

import json
import secrets
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.e2e.conftest import PATIENCE_S, command_line, write_provider
from tests.servers import postgresql, s3

from holdall import open_repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from subprocess import Popen

    from tests.e2e.conftest import Cli
    from tests.servers.s3 import Answer, Request

    from holdall.contracts import Repository

    Say = Callable[[str], None]

JOBS, FEW = 30, 12
PATIENT = "timeout_s=2&retry_s=20&connect_timeout=2"
SAFE = "compress::encrypt?key_file={folder}/lab.key::file://{folder}/safe"
"""Where the copy goes."""

SLOW = 21
"""The job in which a run is killed, so that some are left however slow the machine is."""

ENDINGS = {
    0: "head -c 300000 /dev/zero | tr '\\0' x | fold -w 100; sleep 0.05",
    1: "sleep 0.05; echo of {number}",
}
"""What a job does, by its number: some print much, and some are attachments."""


def definitions(folder: Path, jobs: int = JOBS) -> str:
    """Return quick jobs, which leave their numbers in a file when they run."""
    units = []
    for number in range(jobs):
        plugin = "attachment" if number % 7 == 3 else "shell"
        ends = ENDINGS[number % 5 != 0].format(number=number)
        if number == SLOW:
            ends = f"sleep 3; {ends}"
        command = f"echo {number} >> {folder}/ran; {ends}"
        units.append(f"id: job-{number:02}\nplugin: {plugin}\ncommand: {command}\n")
    return "\n".join(units)


def ran(folder: Path) -> list[int]:
    """Return the numbers of the jobs that ran, in their order."""
    path = folder / "ran"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def wait_until_ran(cli: Cli, count: int, child: Popen[str]) -> None:
    due = time.monotonic() + PATIENCE_S
    while len(ran(cli.folder)) < count:
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < due
        time.sleep(0.01)


def write_stores(cli: Cli, **tables: tuple[str, list[str]]) -> None:
    """Name stores in the `holdall.toml` of a command line."""
    lines = []
    for name, (url, inner) in tables.items():
        lines.append(f"[stores.{name}]\nurl = {json.dumps(url)}")
        if inner:
            lines.append(f"inner = {json.dumps(inner)}")
    (cli.folder / "holdall.toml").write_text("\n".join([*lines, ""]), encoding="utf-8")


def done(cli: Cli, *arguments: str, code: int = 0) -> str:
    """Run a command to its end, and return what it printed."""
    finished = cli(*arguments)
    assert finished.code == code, finished
    return finished.out


def report(cli: Cli, store: str) -> dict[str, object]:
    """Return the JSON report of the newest session of a store."""
    document: dict[str, object] = json.loads(done(cli, "export", "last", "json", "--store", store))
    return document


def outcomes(document: dict[str, object]) -> Counter[str]:
    jobs = document["jobs"]
    assert isinstance(jobs, list)
    return Counter(job["outcome"] for job in jobs)


def entries(repository: Repository) -> list[tuple[int, bytes]]:
    """Return all entries of the newest session, as they are stored."""
    session_id = next(repository.ids())
    with closing(repository.open(session_id, mode="r")) as storage:
        return list(storage.read())


def carried_far(folder: Path, server: postgresql.Server, say: Say) -> None:
    """Record, kill the server and then the run, ship, copy, pack, unpack, resume, export."""
    cli = command_line(folder)
    lab = write_provider(folder, definitions(folder))
    key = folder / "lab.key"
    key.write_text(secrets.token_hex(32), encoding="ascii")
    key.chmod(0o600)
    near, far = f"file://{folder}/near", server.url(f"schema=story&{PATIENT}")
    write_stores(
        cli,
        near=(near, []),
        far=(far, []),
        lab=("tiered?close_s=1", ["near", "far"]),
        safe=(SAFE.format(folder=folder), []),
    )
    with cli.start("run", lab, "--store", "lab") as child:
        wait_until_ran(cli, 8, child)
        server.kill()
        wait_until_ran(cli, 15, child)
        server.start()
        wait_until_ran(cli, SLOW + 1, child)
        child.kill()
    say(f"server killed and started, then the run killed after {len(ran(folder))} jobs")

    say("shipped: " + done(cli, "sessions", "ship", "--store", "lab").strip())
    assert done(cli, "sessions", "ship", "--store", "lab") == "every session is far\n"
    assert entries(open_repository(near)) == entries(open_repository(far))
    document = report(cli, "near")
    counts = outcomes(document)
    assert counts["pass"] >= 21
    assert counts["none"] == JOBS - counts["pass"] >= 5
    say(f"near and far: {len(entries(open_repository(far)))} entries each, {dict(counts)}")

    done(cli, "sessions", "copy", "last", "--store", "lab", "--to", "safe")
    kept = b"".join(path.read_bytes() for path in (folder / "safe").rglob("*") if path.is_file())
    assert b"xxxx" not in kept
    assert b"job-00" not in kept
    done(cli, "sessions", "pack", "last", "--store", "safe", "-o", "night.holdall.zip")
    (folder / "elsewhere").mkdir()
    other = command_line(folder / "elsewhere")
    archive = str(folder / "night.holdall.zip")
    done(other, "sessions", "unpack", archive)
    stores = {"far": cli, "lab": cli, "safe": cli, str(other.environ["HOLDALL_STORE"]): other}
    for store, reader in stores.items():
        assert report(reader, store) == document
        checked = done(reader, "sessions", "check", "--deep", "--store", store)
        say(f"equal report, and sound: {store}: {checked.strip()}")

    resumed_elsewhere(other, say)
    assert report(cli, "lab") == document
    numbers = ran(folder)
    assert len(numbers) == len(set(numbers))  # none ran twice
    assert len(numbers) >= JOBS - 1  # the one in flight may have been killed before it said so


def resumed_elsewhere(other: Cli, say: Say) -> None:
    """Go on with the session in another home, and copy it on."""
    finished = other("resume", "last")
    assert finished.code in (0, 1), finished  # 1 if the job that was in flight counts as crashed
    store = other.environ["HOLDALL_STORE"]
    document = report(other, store)
    counts = outcomes(document)
    assert counts["pass"] + counts["crash"] == JOBS
    assert counts["crash"] <= 1
    further = f"sqlite:///{other.folder}/further.db"
    done(other, "sessions", "copy", "last", "--to", further)
    assert report(other, further) == document
    say(f"resumed elsewhere: {dict(counts)}; its copy in sqlite has an equal report")


@contextmanager
def own_server() -> Iterator[postgresql.Server]:
    server = postgresql.new_server()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.mark.timeout(120)
def test_a_session_is_carried_far_over_an_outage_and_goes_on_elsewhere(tmp_path: Path) -> None:
    with own_server() as server:
        carried_far(tmp_path, server, lambda _line: None)


class Outage:
    """What a bucket's proxy does with requests: it cuts them all while the server is away."""

    def __init__(self) -> None:
        self.is_away = False

    def __call__(self, _request: Request) -> Answer:
        return s3.Answer(reaches=False, is_cut=True) if self.is_away else s3.PASSES


def mirrored(folder: Path, quorum: str, *, comes_back: bool, say: Say) -> None:
    """Record to a mirror whose bucket goes away, for a time or for the rest of the run."""
    cli = command_line(folder)
    cli.environ.update(AWS_ACCESS_KEY_ID="tests", AWS_SECRET_ACCESS_KEY="tests")  # noqa: S106
    lab = write_provider(folder, definitions(folder, FEW))
    outage = Outage()
    with s3.proxy(outage) as between:
        bucket = between.url(query=f"retry_s={20 if comes_back else 1}")
        database = f"sqlite:///{folder}/lab.db"
        write_stores(
            cli,
            database=(database, []),
            bucket=(bucket, []),
            both=(f"mirror{quorum}", ["database", "bucket"]),
        )
        with cli.start("run", lab, "--store", "both") as child:
            wait_until_ran(cli, 4, child)
            outage.is_away = True
            if comes_back:
                time.sleep(0.5)
                outage.is_away = False
            _out, errors = child.communicate(timeout=PATIENCE_S)
            assert child.returncode == 0, errors
        outage.is_away = False
        if not comes_back:
            assert "takes no further part in the session" in errors
            assert report(cli, "database") != report(cli, "bucket")
            say("left out of the session: the bucket")
        say("repaired: " + done(cli, "sessions", "repair", "--store", "both").strip())
        document = report(cli, "both")
        assert outcomes(document) == {"pass": FEW}
        for store in ("database", "bucket"):
            assert report(cli, store) == document
        say(f"{dict(outcomes(document))} in both, with equal reports")
    assert ran(folder) == list(range(FEW))


@pytest.mark.parametrize(
    ("quorum", "comes_back"),
    [
        pytest.param("", True, id="for-a-time", marks=pytest.mark.soak),
        pytest.param("?quorum=1", False, id="to-the-end"),
    ],
)
@pytest.mark.timeout(120)
def test_a_mirrored_session_goes_on_while_its_bucket_is_away(
    tmp_path: Path, quorum: str, *, comes_back: bool
) -> None:
    mirrored(tmp_path, quorum, comes_back=comes_back, say=lambda _line: None)


def replayed(folder: Path, say: Say) -> None:
    """Record to an overlay of tiers of a mirror: the base keeps every byte."""
    cli = command_line(folder)
    lab = write_provider(folder, definitions(folder))
    write_stores(
        cli,
        one=(f"file://{folder}/one", []),
        two=(f"sqlite:///{folder}/two.db", []),
        both=("mirror", ["one", "two"]),
        carried=("tiered?close_s=5", [f"file://{folder}/near", "both"]),
        replay=("overlay", ["readonly::carried", f"file://{folder}/bench"]),
    )
    with cli.start("run", lab, "--store", "carried") as child:
        wait_until_ran(cli, 10, child)
        child.kill()
    done(cli, "sessions", "ship", "--store", "carried")
    document = report(cli, "carried")

    assert cli("resume", "last", "--store", "replay").code in (0, 1)

    counts = outcomes(report(cli, "replay"))
    assert counts["pass"] + counts["crash"] == JOBS
    for store in ("carried", "both", "one", "two", f"file://{folder}/near"):
        assert report(cli, store) == document
    say(f"base: {dict(outcomes(document))} as before, replayed: {dict(counts)}")


@pytest.mark.soak
@pytest.mark.timeout(120)
def test_a_session_of_stores_three_deep_is_replayed_over_them(tmp_path: Path) -> None:
    replayed(tmp_path, lambda _line: None)


def main() -> None:
    """Tell the stories."""

    def say(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    with tempfile.TemporaryDirectory(prefix="holdall-story-") as place, own_server() as server:
        folders = [Path(place, name) for name in ("tiered", "waits", "left", "deep")]
        for folder in folders:
            folder.mkdir()
        say("tiered of file and PostgreSQL")
        carried_far(folders[0], server, say)
        say("mirror of sqlite and a bucket, which goes away for a second")
        mirrored(folders[1], "", comes_back=True, say=say)
        say("mirror of sqlite and a bucket, which goes away for the rest of the run")
        mirrored(folders[2], "?quorum=1", comes_back=False, say=say)
        say("overlay over tiers of a file store and a mirror")
        replayed(folders[3], say)


if __name__ == "__main__":
    main()
