"""Whatever goes wrong has a message and an exit code of its own, and what was recorded stays."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import Cli

GOOD = """\
id: good
plugin: shell
command: echo fine
"""

# Prints the peak memory of the command it runs, in bytes, at the end of standard error.
PEAK = """\
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(peak * (1 if sys.platform == "darwin" else 1024), file=sys.stderr)
sys.exit(code)
"""

# Runs a command that may write no file longer than so many KiB.
LIMITED = ("bash", "-c", 'ulimit -f "$0" && exec "$@"')


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(
            ["run", "smoke", "--export", "htm"],
            2,
            "no exporter is called 'htm'; did you mean 'html'? (installed: agent, allure, csv, "
            "ctrf, global, html, json, junit, markdown, ndjson, otr, parquet, tap, tar, "
            "template, testplan, text, xlsx)",
            id="exporter",
        ),
        pytest.param(
            ["run", "smoek"],
            2,
            "no provider is called 'smoek' and no such path exists; did you mean 'smoke'? "
            "(installed: smoke; a path or loader:path works too)",
            id="provider",
        ),
        pytest.param(
            ["run", "smoke", "--plan", "smok"],
            2,
            "no test plan is called 'smok'; did you mean 'smoke'? (there are: "
            "holdall.smoke::smoke, holdall.smoke::smoke-manual, holdall.smoke::smoke-quick)",
            id="plan",
        ),
        pytest.param(
            ["run", "smoke", "--job", "nothing/.*"],
            2,
            "nothing to run for job 'nothing/.*': no loaded provider has such a job",
            id="job",
        ),
        pytest.param(
            ["run", "smoke", "--job", "("],
            2,
            "nothing to run for job '(': ",
            id="job-pattern",
        ),
        pytest.param(
            ["run", "smoke", "--store", "flie:///x"],
            2,
            "no store is called 'flie'; did you mean 'file'? (installed: az, compress, encrypt, "
            "faulty, file, gs, latency, memory, mirror, overlay, postgresql, readonly, s3, "
            "sqlite, tiered) (while opening the store 'flie:///x')",
            id="store-scheme",
        ),
        pytest.param(
            ["run", "smoke", "--store", "file://relative"],
            2,
            "cannot open the store 'file://relative': write file:///, an absolute path, and "
            "'%23' for '#'",
            id="store-url",
        ),
        pytest.param(
            ["export", "last", "text"],
            3,
            "no session is called 'last' in {store}; `holdall sessions list` shows them",
            id="session",
        ),
        pytest.param(
            ["resume"],
            3,
            "cannot resume: no session in {store} is unfinished; "
            "`holdall sessions list` shows what is there",
            id="nothing-to-resume",
        ),
    ],
)
def test_an_unknown_name_is_told_with_what_there_is(
    holdall: Cli, arguments: list[str], code: int, words: str
) -> None:
    found = holdall(*arguments)

    assert (found.code, found.out) == (code, "")
    assert found.err.startswith(
        "holdall: " + words.format(store=holdall.environ["HOLDALL_STORE"])
    ), found.err
    assert found.err.count("\n") == 1
    assert holdall.sessions() == []


def test_a_name_that_means_two_sessions_is_refused(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    holdall("run", provider(GOOD))
    holdall("run", provider(GOOD))

    found = holdall("export", "holdall-", "text")

    assert (found.code, found.out) == (3, "")
    assert "'holdall-' is the beginning of 2 sessions in" in found.err
    assert found.err.endswith("give more of the id\n")
    assert all(session in found.err for session in holdall.sessions())


def test_an_empty_name_means_no_session(holdall: Cli, provider: Callable[[str], str]) -> None:
    holdall("run", provider(GOOD))

    found = holdall("sessions", "rm", "")

    assert (found.code, found.out) == (3, "")
    assert "no session is called ''" in found.err
    assert len(holdall.sessions()) == 1


def test_a_store_below_a_file_is_refused(holdall: Cli) -> None:
    file = holdall.folder / "file"
    file.touch()

    found = holdall("run", "smoke", "--store", f"file://{file}/store")

    assert found.code == 3
    assert found.err == (
        f"holdall: cannot make the folder {file}/store: Not a directory; it, or something on the "
        "way to it, is no folder, or a link to one\n"
    )


def test_a_store_that_is_not_writable_is_refused(holdall: Cli) -> None:
    holdall.store.mkdir(mode=0o500)
    if os.access(holdall.store, os.W_OK):
        pytest.skip("this user may write wherever it likes")

    found = holdall("run", "smoke")

    assert found.code == 3
    assert f"cannot create a session in {holdall.store}: Permission denied; give" in found.err


@pytest.mark.parametrize(
    ("within", "wrapper", "words"),
    [
        pytest.param(
            [*LIMITED, "20"],
            "",
            "an append failed: File too large; what was acknowledged is safe, open the session",
            id="file-too-large",
        ),
        pytest.param(
            [],
            "faulty?full=9::",
            "was told to find no room; what was recorded before is safe, make room and resume the",
            id="disk-full",
        ),
    ],
)
def test_a_full_store_ends_the_run_and_keeps_what_was_recorded(
    holdall: Cli, provider: Callable[[str], str], within: list[str], wrapper: str, words: str
) -> None:
    names = [f"job{number}" for number in range(9)]
    job = "id: {}\nplugin: shell\ncommand: head -c 3000 /dev/zero\n\n"
    source = provider("".join(map(job.format, names)))

    full = holdall("run", source, "--store", f"{wrapper}file://{holdall.store}", within=within)
    recorded = [outcomes for outcomes in holdall.outcomes().values() if outcomes]
    resumed = holdall("resume")

    assert full.code == 3
    assert words in full.err
    assert 1 <= len(recorded) < len(names)
    assert resumed.code in {0, 1}  # 1 if it was a result that did not fit, and not a start
    outcomes = holdall.outcomes()
    assert [outcomes[name] for name in names[: len(recorded)]] == [["pass"]] * len(recorded)
    assert all(map(outcomes.get, names))


def test_a_locked_session_names_the_process_that_has_it(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    started = holdall.folder / "started"
    os.mkfifo(started)
    source = provider(f"id: slow\nplugin: shell\ncommand: echo > {started}; sleep 600\n")
    with holdall.start("run", source) as child:
        started.read_text()

        resumed = holdall("resume", "last")
        removed = holdall("sessions", "rm", "last")
        exported = holdall("export", "last", "text")
        child.terminate()
        child.communicate()

    for refused in (resumed, removed):
        assert refused.code == 3
        assert f"it is in use by process {child.pid}; wait until that process" in refused.err
    assert exported.code == 0, exported
    assert len(holdall.sessions()) == 1


def damage(holdall: Cli, *, part: float = 0.5) -> bytes:
    """Change one byte of the newest session's journal, so far into it; return all of them."""
    (journal,) = holdall.store.glob(f"{holdall.sessions()[0]}.session/journal-*")
    data = bytearray(journal.read_bytes())
    data[int(len(data) * part)] ^= 1
    journal.write_bytes(data)
    return bytes(data)


def test_a_damaged_journal_is_reported_with_the_place_and_left_as_it_is(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    holdall("run", provider(GOOD))
    session = holdall.sessions()[0]
    data = damage(holdall)
    (journal,) = holdall.store.glob("*/journal-*")
    entry = data[: len(data) // 2].count(b"\n")  # the header is no entry

    for arguments in (
        ["export", "last", "text"],
        ["resume", "last"],
        ["sessions", "show", "last"],
    ):
        found = holdall(*arguments)

        assert (found.code, found.out) == (3, "")
        assert found.err.startswith(
            f"holdall: the session '{session}' is damaged at {journal}, line "
        )
        assert f": entry {entry} does not fit its checksum; nothing was changed, " in found.err
    assert journal.read_bytes() == data


def test_a_damaged_session_hinders_no_other(holdall: Cli, provider: Callable[[str], str]) -> None:
    holdall("run", provider(GOOD))
    bad = holdall.sessions()[0]
    damage(holdall, part=0.99)  # a list sees what is at the ends
    holdall("run", provider(GOOD))

    listed = {each["id"]: each for each in json.loads(holdall("sessions", "list", "--json").out)}

    assert len(listed) == 2
    assert listed.pop(bad)["state"] == "damaged"
    assert [each["state"] for each in listed.values()] == ["finished"]
    assert holdall("export", *listed, "global").out == "PASS\n"
    assert holdall("sessions", "rm", bad).code == 0


def test_a_torn_last_line_costs_nothing_that_was_acknowledged(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    holdall("run", provider(GOOD))
    (journal,) = holdall.store.glob("*/journal-*")
    (journal.parent / "lock").unlink()  # it says that the session was closed, so nothing is torn
    with journal.open("ab") as file:
        file.write(b'{"sum":"0123')

    exported = holdall("export", "last", "global")
    resumed = holdall("resume", "last")

    assert (exported.code, exported.out) == (0, "PASS\n")
    assert resumed.code == 0
    assert holdall.outcomes() == {"good": ["pass"]}


def test_a_broken_record_costs_only_itself(holdall: Cli, provider: Callable[[str], str]) -> None:
    source = provider(f"{GOOD}\nneither a field nor a comment\n\nid: odd\nplugin: magic\n")

    found = holdall("run", source)

    # What was to run and can't is an error; one that nobody can tell the id of is told alone.
    assert found.code == 1
    assert holdall.outcomes() == {"good": ["pass"], "odd": ["error"]}
    assert found.err.startswith(
        f"lab: 2 errors; `holdall providers show pxu:{source}` lists them\n"
    )
    shown = holdall("providers", "show", f"pxu:{source}").out
    assert f"{source}/jobs.pxu:5: error: neither a field nor" in shown
    assert f"{source}/jobs.pxu:8: error: job 'lab::odd' can't be performed: the plugin" in shown


def test_a_folder_without_definitions_is_refused(holdall: Cli) -> None:
    empty = holdall.folder / "empty"
    empty.mkdir()

    found = holdall("run", f"pxu:{empty}")

    assert found.code == 2
    assert found.err == (
        f"holdall: cannot load a provider from '{empty}': it holds neither a .provider file nor "
        ".pxu files; give the folder that does\n"
    )


@pytest.mark.parametrize(
    ("command", "outcome", "words"),
    [
        pytest.param(
            "no-such-command-at-all",
            "fail",
            "exit code 127: the command, or one that it calls, was not found",
            id="not-found",
        ),
        pytest.param(
            "/etc/passwd",
            "fail",
            "exit code 126: the command was found but can't be executed",
            id="not-executable",
        ),
        pytest.param("kill -SEGV $$", "crash", "it was killed by the signal SIGSEGV", id="killed"),
    ],
)
def test_a_command_that_cannot_end_well_tells_why(
    holdall: Cli, provider: Callable[[str], str], command: str, outcome: str, words: str
) -> None:
    found = holdall("run", provider(f"id: odd\nplugin: shell\ncommand: {command}\n\n{GOOD}"))

    assert found.code == 1
    assert holdall.outcomes() == {"odd": [outcome], "good": ["pass"]}
    assert next(holdall.jobs()).last.comments == words
    assert f"lab::odd: {words}\n" in found.err


def test_a_job_that_writes_too_much_is_cut_in_bounded_memory_and_that_is_told(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    size, most = 80_000_000, 64 * 2**20
    source = provider(f"id: loud\nplugin: shell\ncommand: head -c {size} /dev/zero\n\n{GOOD}")

    found = holdall("run", source, within=[sys.executable, "-c", PEAK])

    assert found.code == 0, found
    *lines, peak = found.err.splitlines()
    assert lines[0].endswith(f" ({size - most:,} bytes of its output were not kept)")
    assert int(peak) < most
    loud, good = holdall.jobs()
    assert (loud.last.io_log_size, loud.last.io_log_dropped) == (most, size - most)
    assert good.last.io_log_dropped == 0
    exported = holdall("export", "last", "json=r.json", within=[sys.executable, "-c", PEAK])
    assert exported.code == 0, exported
    assert int(exported.err) < most


def test_a_job_that_ignores_sigterm_is_killed_after_its_time(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    pid = holdall.folder / "pid"
    command = f"trap '' TERM; echo $$ > {pid}; echo begun; while :; do sleep 0.1; done"
    source = provider(f"id: stubborn\nplugin: shell\ncommand: {command}\n\n{GOOD}")

    found = holdall("run", source, "--timeout", "0.3")

    assert found.code == 1
    words = "it took longer than 0.3 s, did not end when asked to, and was killed"
    assert f"[1/2] crashed  lab::stubborn: {words}\n" in found.err
    assert holdall.outcomes() == {"stubborn": ["crash"], "good": ["pass"]}
    (stubborn, _good) = holdall.jobs()
    assert b"".join(record.data for record in stubborn.last.result.io_log) == b"begun\n"
    assert not Path(f"/proc/{pid.read_text().strip()}").exists()


def test_a_job_that_needs_a_person_is_skipped_where_there_is_none(
    holdall: Cli, provider: Callable[[str], str]
) -> None:
    found = holdall("run", provider(f"id: look\nplugin: manual\n_summary: Look\n\n{GOOD}"))

    assert found.code == 0, found
    explicit = holdall(
        "run", provider("id: look\nplugin: manual\n_summary: Look\n"), "--job", "look"
    )
    assert explicit.code == 1
    assert "lab::look: it needs a person, and there is no terminal to ask at\n" in explicit.err


def test_standard_output_that_is_closed_early_is_no_traceback(holdall: Cli) -> None:
    holdall("run", "smoke", "--job", "executable")

    found = holdall("export", "last", "json", within=["bash", "-c", '"$@" | true', "-"])

    assert "Traceback" not in found.err


def test_what_is_too_much_for_python_costs_its_own_unit(holdall: Cli, tmp_path: Path) -> None:
    digits = "9" * 5000
    (tmp_path / "a.yaml").write_text(
        "%YAML 1.1\n---\nid: a\nplugin: shell\nsummary: A\ncommand: 'true'\n---\n"
        f"id: b\nsummary: !!timestamp x\n---\nid: c\nsummary: 0x{'f' * 20_000}\n---\n"
        f"id: d\nsummary: {'1:' * 300}1.5\n"
    )
    (tmp_path / "b.pxu").write_text(
        "id: e\nplugin: shell\ncommand: true\n"
        r'siblings: [{"id": "f\ud800", "summary": "\udcff"}]'
        f"\n\nid: g\nplugin: shell\ncommand: true\nsiblings: {digits}\n\n"
        f"unit: setup job\nid: h\ncommand: true\nrequires_manifest: {'[' * 3000}\n"
    )

    done = holdall("run", str(tmp_path))

    assert done.code == 1
    outcomes = {job_id: tried[-1] for job_id, tried in holdall.outcomes().items()}
    assert outcomes == {"a": "pass", "e": "pass", r"f\ud800": "pass", "g": "pass", "h": "error"}
    for line in ("a.yaml:9: ", "a.yaml:12: ", "a.yaml:15: ", "b.pxu:14: "):
        assert line in done.err
