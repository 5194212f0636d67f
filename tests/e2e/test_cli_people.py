"""Jobs that need a person, each through a pseudo-terminal and with real processes."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import Cli, Terminal

    Provider = Callable[[str], str]
    Start = Callable[..., Terminal]

DECISION = "What came out?"
START = "Ready?"
RETRY = "Run again? Numbers such as 1 3-5, [a]ll, or Enter to finish: "


def definition(job_id: str, plugin: str, **fields: str) -> str:
    texts = {"id": job_id, "plugin": plugin, "_summary": f"About {job_id}", **fields}
    lines = "\n".join(f"{name}: {text}" for name, text in texts.items())
    return f"{lines}\n\n"


GUIDED = {
    "_purpose": "For a good reason.",
    "_steps": "Do it.",
    "_verification": "Did it go well?",
}


def comments(holdall: Cli) -> dict[str, str | None]:
    return {job.id.partition("::")[2]: job.comments or None for job in holdall.jobs()}


def log(holdall: Cli, job_id: str) -> bytes:
    for job in holdall.jobs():
        if job.id == f"lab::{job_id}":
            return b"".join(record.data for record in job.io_log())
    raise AssertionError(f"there is no job {job_id!r}")


# What is shown, and in which order


@pytest.mark.parametrize(
    ("plugin", "sequence"),
    [
        ("manual", ["PURPOSE", "STEPS", "VERIFICATION", DECISION]),
        ("user-interact", ["PURPOSE", "STEPS", START, "it ran"]),
        (
            "user-interact-verify",
            ["PURPOSE", "STEPS", START, "it ran", "VERIFICATION", DECISION],
        ),
        ("user-verify", ["PURPOSE", "it ran", "VERIFICATION", DECISION]),
    ],
)
def test_a_job_is_introduced_run_and_decided_on_in_the_order_of_its_plugin(
    holdall: Cli, provider: Provider, terminal: Start, plugin: str, sequence: list[str]
) -> None:
    command = {} if plugin == "manual" else {"command": "echo it ran"}
    run = terminal("run", provider(definition("a", plugin, **GUIDED, **command)), "--job", "a")
    if START in sequence:
        run.wait_for(START)
        run.type("\n")
    if DECISION in sequence:
        run.wait_for(DECISION)
        run.type("p\n")

    assert run.end() == 0
    positions = [run.plain.index(words) for words in sequence]
    assert positions == sorted(positions)
    others = {"PURPOSE", "STEPS", "VERIFICATION", START, DECISION} - set(sequence)
    assert [words for words in others if words in run.plain] == []
    assert holdall.outcomes() == {"a": ["pass"]}


def test_a_job_without_a_purpose_shows_its_description(
    provider: Provider, terminal: Start
) -> None:
    job = definition("a", "manual", _description="Look around.")
    run = terminal("run", provider(job), "--job", "a")

    run.wait_for(DECISION)

    assert "DESCRIPTION:\r\nLook around.\r\n" in run.shown
    assert "PURPOSE" not in run.shown


def test_the_introduction_says_which_job_it_is_of_what_category_and_how_long_the_rest_takes(
    provider: Provider, terminal: Start
) -> None:
    category = "unit: category\nid: light\n_name: Light tests\n\n"
    lamp = definition("lamp", "manual", category_id="light", estimated_duration="90")
    rest = definition("rest", "shell", command="true", estimated_duration="1h")
    vague = definition("vague", "shell", command="true")
    run = terminal("run", provider(category + lamp + rest), "--job", ".*")
    run.wait_for(DECISION)

    other = terminal("run", provider(category + lamp + rest + vague), "--job", ".*")
    other.wait_for(DECISION)

    assert "[1/2] About lamp\r\nlab::lamp; Light tests; about 1:02:00 left\r\n" in run.shown
    assert "at least 1:02:00 left" in other.shown


def test_output_is_shown_as_it_comes(provider: Provider, terminal: Start) -> None:
    job = definition("a", "shell", command="echo begun; sleep 600")
    run = terminal("run", provider(job), "--job", "a")

    run.wait_for("begun\r\n")


def test_what_a_job_writes_is_no_command_to_the_terminal(
    provider: Provider, terminal: Start
) -> None:
    job = definition("a", "user-verify", command=r"printf '\033]0;title\007\033[31mred\tß\n'")
    run = terminal("run", provider(job), "--job", "a")

    run.wait_for(DECISION)

    assert "red\tß\r\n" in run.shown
    assert "\x1b]0" not in run.ever_shown
    assert "\x07" not in run.ever_shown


@pytest.mark.parametrize(
    ("plugin", "flags", "given", "is_shown"),
    [
        ("shell", "", [], True),
        ("resource", "", [], False),
        ("attachment", "", [], False),
        ("resource", "use-chunked-io", [], True),
        ("shell", "suppress-output", [], False),
        ("resource", "", ["--output", "show"], True),
        ("shell", "", ["--output", "hide-automated"], False),
        ("shell", "use-chunked-io", ["--output", "hide-automated"], True),
    ],
)
def test_the_output_of_a_job_is_shown_or_hidden(
    provider: Provider,
    terminal: Start,
    plugin: str,
    flags: str,
    given: list[str],
    *,
    is_shown: bool,
) -> None:
    job = definition("a", plugin, command="echo key: value", flags=flags)
    run = terminal("run", provider(job), "--job", "a", *given)

    assert run.end() == 0
    assert ("key: value" in run.plain) is is_shown


# The terminal of a command


def test_a_command_that_asks_reads_from_the_terminal(
    holdall: Cli, provider: Provider, terminal: Start
) -> None:
    command = 'test -t 0; echo "tty: $?"; read -p "Number: " n; echo "read $n"'
    run = terminal(
        "run", provider(definition("a", "user-interact", command=command)), "--job", "a"
    )
    run.wait_for(START)
    run.type("\n")
    run.wait_for("Number: ")
    run.type("42\n")

    assert run.end() == 0
    assert log(holdall, "a") == b"tty: 0\nNumber: read 42\n"


def test_an_automated_command_has_nothing_to_read(
    holdall: Cli, provider: Provider, terminal: Start
) -> None:
    run = terminal("run", provider(definition("a", "shell", command="cat")), "--job", "a")

    assert run.end() == 0
    assert holdall.outcomes() == {"a": ["pass"]}


def test_a_command_that_turned_the_echo_off_does_not_leave_it_so(
    provider: Provider, terminal: Start
) -> None:
    jobs = definition("a", "user-verify", command="stty -echo; echo quiet")
    run = terminal("run", provider(jobs), "--job", "a")
    run.wait_for(DECISION)
    run.type("c\n")
    run.wait_for("Comments: ")

    run.type("it can be seen\n")
    run.wait_for(DECISION)

    assert "it can be seen" in run.shown


def test_ctrl_c_ends_the_command_and_the_run_goes_on(
    holdall: Cli, provider: Provider, terminal: Start
) -> None:
    jobs = definition("a", "shell", command="echo begun; sleep 600") + definition(
        "b", "shell", command="true"
    )
    run = terminal("run", provider(jobs), "--job", "a", "--job", "b")
    run.wait_for("begun")

    run.type("\x03")

    assert run.end() == 1
    assert "this job ends, and the run goes on" in run.plain
    assert holdall.outcomes() == {"a": ["crash"], "b": ["pass"]}
    assert comments(holdall)["a"] == "it was ended by Ctrl-C at the terminal"
    assert log(holdall, "a") == b"begun\n"


def test_ctrl_c_twice_ends_the_run(holdall: Cli, provider: Provider, terminal: Start) -> None:
    command = "trap '' TERM; echo begun; sleep 600"
    jobs = definition("a", "shell", command=command) + definition(
        "b", "shell", command="echo begun; sleep 600"
    )
    run = terminal("run", provider(jobs), "--job", "a", "--job", "b")
    run.wait_for("begun")
    run.type("\x03")
    run.wait_for("begun")

    run.type("\x03")

    assert run.end() == 130
    assert "interrupted; go on with: holdall resume" in run.plain
    assert holdall.outcomes() == {"a": ["crash"], "b": []}


# Decisions


@pytest.mark.parametrize(("code", "outcome"), [(0, "pass"), (3, "fail")])
def test_enter_takes_the_outcome_that_the_exit_code_suggests(
    holdall: Cli, provider: Provider, terminal: Start, code: int, outcome: str
) -> None:
    job = definition("a", "user-verify", command=f"exit {code}")
    run = terminal("run", provider(job), "--job", "a")
    run.wait_for(f"(Enter: {outcome}ed): ")
    run.type("\n")
    if code:
        run.wait_for("Comments: ")
        run.type("\n")
        run.wait_for(RETRY)
        run.type("\n")

    run.end()

    assert holdall.outcomes() == {"a": [outcome]}


def test_enter_decides_nothing_where_no_command_ran(
    holdall: Cli, provider: Provider, terminal: Start
) -> None:
    run = terminal("run", provider(definition("a", "manual")), "--job", "a")
    run.wait_for(DECISION)
    run.type("\n")
    run.wait_for(DECISION)
    run.type("what?\n")
    run.wait_for("'what?' is no answer here")
    run.wait_for(DECISION)
    run.type("passed\n")

    assert run.end() == 0
    assert holdall.outcomes() == {"a": ["pass"]}


@pytest.mark.parametrize(
    ("fields", "answer", "is_needed"),
    [
        ({"certification-status": "blocker"}, "f", True),
        ({"certification-status": "blocker"}, "s", True),
        ({"flags": "explicit-fail"}, "f", True),
        ({"flags": "explicit-fail"}, "s", False),
        ({}, "f", False),
        ({}, "s", False),
    ],
)
def test_a_comment_is_needed_where_the_job_matters(
    holdall: Cli,
    provider: Provider,
    terminal: Start,
    fields: dict[str, str],
    answer: str,
    *,
    is_needed: bool,
) -> None:
    run = terminal("run", provider(definition("a", "manual", **fields)), "--job", "a")
    run.wait_for(DECISION)
    run.type(f"{answer}\n")
    run.wait_for("Comments: ")
    run.type("\n")
    if is_needed:
        run.wait_for("needs a comment")
        run.wait_for(DECISION)
        run.type(f"{answer}\n")
        run.wait_for("Comments: ")
        run.type("it flickers\n")
    run.wait_for(RETRY)
    run.type("\n")

    assert run.end() == 1
    assert comments(holdall) == {"a": "it flickers" if is_needed else None}


def test_a_suggested_fail_of_a_blocker_needs_a_comment_too(
    holdall: Cli, provider: Provider, terminal: Start
) -> None:
    blocker = {"certification-status": "blocker"}
    job = definition("a", "user-verify", command="false", **blocker)
    run = terminal("run", provider(job), "--job", "a")
    run.wait_for("(Enter: failed): ")
    run.type("\n")
    run.wait_for("Comments: ")
    run.type("\n")
    run.wait_for("needs a comment")

    run.wait_for(DECISION)
    run.type("p\n")

    assert run.end() == 0
    assert comments(holdall) == {"a": None}


def test_the_status_that_a_plan_sets_is_the_one_that_matters(
    provider: Provider, terminal: Start
) -> None:
    plan = "unit: test plan\nid: p\n_name: P\ninclude: a certification-status=blocker\n\n"
    run = terminal("run", provider(plan + definition("a", "manual")), "--plan", "p")
    run.wait_for(DECISION)
    run.type("f\n")
    run.wait_for("Comments: ")

    run.type("\n")

    run.wait_for("needs a comment")


def test_a_comment_may_come_first_and_at_the_start(
    holdall: Cli, provider: Provider, terminal: Start
) -> None:
    job = definition("a", "user-interact-verify", command="true")
    run = terminal("run", provider(job), "--job", "a")
    run.wait_for(START)
    run.type("c\n")
    run.wait_for("Comments: ")
    run.type("dock 3\n")
    run.wait_for(START)
    run.type("\n")
    run.wait_for(DECISION)

    run.type("f\n")
    run.wait_for(RETRY)
    run.type("\n")

    assert run.end() == 1
    assert comments(holdall) == {"a": "dock 3"}


def test_a_job_may_be_skipped_before_its_command_runs(
    holdall: Cli, provider: Provider, terminal: Start
) -> None:
    job = definition("a", "user-interact", command="touch $PLAINBOX_SESSION_SHARE/ran")
    run = terminal("run", provider(job), "--job", "a")
    run.wait_for(START)
    run.type("s\n")
    run.wait_for("Comments: ")
    run.type("no dock\n")
    run.wait_for(RETRY)
    run.type("\n")

    assert run.end() == 1
    assert holdall.outcomes() == {"a": ["skip"]}
    assert comments(holdall) == {"a": "no dock"}
    assert list(holdall.store.rglob("ran")) == []


def test_a_command_can_be_run_again_which_is_still_one_attempt(
    holdall: Cli, provider: Provider, terminal: Start
) -> None:
    command = "n=$PLAINBOX_SESSION_SHARE/n; echo x >> $n; echo run $(wc -l < $n)"
    run = terminal("run", provider(definition("a", "user-verify", command=command)), "--job", "a")
    run.wait_for("run 1")
    run.wait_for(DECISION)
    run.type("r\n")
    run.wait_for("run 2")
    run.wait_for(DECISION)
    run.type("p\n")

    assert run.end() == 0
    assert holdall.outcomes() == {"a": ["pass"]}
    assert log(holdall, "a") == b"run 2\n"


def test_back_leads_to_the_question_before_and_then_on(
    holdall: Cli, provider: Provider, terminal: Start
) -> None:
    jobs = (
        definition("a", "manual")
        + definition("b", "shell", command="true")
        + definition("c", "user-verify", command="echo of c")
        + definition("d", "manual")
    )
    run = terminal("run", provider(jobs), *(f"--job={name}" for name in "abcd"))
    run.wait_for("[1/4]")
    run.wait_for(DECISION)
    assert "[b]ack" not in run.shown
    run.type("p\n")
    run.wait_for(DECISION)
    run.type("p\n")
    run.wait_for("[4/4]")
    run.wait_for(DECISION)
    run.type("b\n")
    run.wait_for("[3/4] About c")
    run.wait_for(DECISION)
    run.type("b\n")
    run.wait_for("[1/4] About a")
    run.wait_for(DECISION)
    run.type("f\n")
    run.wait_for("Comments: ")
    run.type("on second thoughts\n")
    run.wait_for("[3/4] About c")
    run.wait_for(DECISION)
    run.type("p\n")
    run.wait_for("[4/4] About d")
    run.wait_for(DECISION)
    run.type("p\n")
    run.wait_for(RETRY)
    run.type("\n")

    assert run.end() == 1
    assert holdall.outcomes() == {
        "a": ["pass", "fail"],
        "b": ["pass"],
        "c": ["pass", "pass"],
        "d": ["pass"],
    }
    assert log(holdall, "c") == b"of c\n"


# What is typed or pasted before a question is shown

WAITS = "echo begun; until test -e $PLAINBOX_SESSION_SHARE/go; do sleep 0.05; done"


def let_go(holdall: Cli) -> None:
    (share,) = holdall.store.rglob("*share*")
    (share / "go").touch()


def test_what_is_typed_while_a_job_runs_decides_nothing(
    holdall: Cli, provider: Provider, terminal: Start
) -> None:
    jobs = definition("a", "shell", command=WAITS) + definition("b", "manual")
    run = terminal("run", provider(jobs), "--job", "a", "--job", "b")
    run.wait_for("begun")
    run.type("p\np\n")
    run.wait_for("p\r\np\r\n")
    let_go(holdall)
    run.wait_for(DECISION)
    run.type("s\n")
    run.wait_for("Comments: ")
    run.type("seen\n")
    run.wait_for(RETRY)
    run.type("\n")

    assert run.end() == 0
    assert holdall.outcomes() == {"a": ["pass"], "b": ["skip"]}
    assert comments(holdall)["b"] == "seen"


def test_what_a_command_did_not_read_is_no_verdict(
    holdall: Cli, provider: Provider, terminal: Start
) -> None:
    command = f'read -p "Number: " n; {WAITS}'
    run = terminal(
        "run", provider(definition("a", "user-interact-verify", command=command)), "--job", "a"
    )
    run.wait_for(START)
    run.type("\n")
    run.wait_for("Number: ")
    run.type("42\nf\nit broke\n")
    run.wait_for("it broke\r\n")
    let_go(holdall)
    run.wait_for(DECISION)
    run.type("p\n")

    assert run.end() == 0
    assert comments(holdall) == {"a": None}


def test_lines_that_are_pasted_decide_one_question(
    holdall: Cli, provider: Provider, terminal: Start
) -> None:
    jobs = "".join(definition(name, "manual") for name in "abc")
    run = terminal("run", provider(jobs), *(f"--job={name}" for name in "abc"))
    run.wait_for(DECISION)
    run.type("p\n" * 9)
    run.wait_for("[2/3] About b")
    run.wait_for(DECISION)
    run.type("f\nnot this\np\n")
    run.wait_for("Comments: ")
    run.type("dim\n")
    run.wait_for("[3/3] About c")
    run.wait_for(DECISION)
    run.type("p\n1\n")
    run.wait_for(RETRY)
    run.type("\n")

    assert run.end() == 1
    assert holdall.outcomes() == {"a": ["pass"], "b": ["fail"], "c": ["pass"]}
    assert comments(holdall)["b"] == "dim"


# Going away, and coming back


def paused(run: Terminal) -> int:
    run.type("q\n")
    return run.end()


def terminated(run: Terminal) -> int:
    run.child.send_signal(signal.SIGTERM)
    return run.end()


def hung_up(run: Terminal) -> int:
    return run.hang_up()


def without_more_lines(run: Terminal) -> int:
    run.type("\x04")
    return run.end()


def killed(run: Terminal) -> int:
    run.child.kill()
    return run.end()


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("leave", "code"),
    [
        (paused, 1),
        (terminated, 130),
        (hung_up, 130),
        (without_more_lines, 130),
        (killed, -signal.SIGKILL),
    ],
)
@pytest.mark.parametrize("plugin", ["manual", "user-verify", "user-interact-verify"])
def test_a_question_that_nobody_answered_is_asked_again_with_what_the_command_wrote(
    holdall: Cli,
    provider: Provider,
    terminal: Start,
    *,
    leave: Callable[[Terminal], int],
    code: int,
    plugin: str,
) -> None:
    ran = "echo ran >> $PLAINBOX_SESSION_SHARE/ran; echo output; exit 4"
    jobs = definition("a", plugin, **({} if plugin == "manual" else {"command": ran}))
    lab = provider(jobs + definition("b", "shell", command="true"))
    run = terminal("run", lab, "--job", "a", "--job", "b")
    if plugin == "user-interact-verify":
        run.wait_for(START)
        run.type("\n")
    run.wait_for(DECISION)

    assert leave(run) == code
    assert holdall.outcomes() == {"a": [], "b": []}
    resumed = terminal("resume")
    resumed.wait_for("[1/2] About a")
    resumed.wait_for(DECISION)
    assert plugin == "manual" or "exit code 4: failed" in resumed.plain
    resumed.type("p\n")

    assert resumed.end() == 0
    assert holdall.outcomes() == {"a": ["pass"], "b": ["pass"]}
    if plugin != "manual":
        assert log(holdall, "a") == b"output\n"
        (ran_file,) = holdall.store.rglob("ran")
        assert ran_file.read_text() == "ran\n"


@pytest.mark.sampled(2)
@pytest.mark.parametrize("leave", [paused, hung_up, killed])
@pytest.mark.parametrize("plugin", ["manual", "user-interact", "user-verify"])
def test_what_was_said_of_a_job_is_part_of_the_question_that_is_asked_again(
    holdall: Cli,
    provider: Provider,
    terminal: Start,
    *,
    leave: Callable[[Terminal], int],
    plugin: str,
) -> None:
    command = {} if plugin == "manual" else {"command": "true"}
    lab = provider(definition("a", plugin, **command))
    question = START if plugin == "user-interact" else DECISION
    run = terminal("run", lab, "--job", "a")
    run.wait_for(question)
    run.type("c\n")
    run.wait_for("Comments: ")
    run.type("dock 3\n")
    run.wait_for(question)
    leave(run)

    resumed = terminal("resume")
    resumed.wait_for("Comments so far: dock 3")
    resumed.wait_for(question)
    resumed.type("\n" if plugin == "user-interact" else "p\n")

    assert resumed.end() == 0
    assert comments(holdall) == {"a": "dock 3"}


def test_an_outcome_that_was_chosen_is_suggested_when_its_comment_was_interrupted(
    holdall: Cli, provider: Provider, terminal: Start
) -> None:
    lab = provider(definition("a", "manual", flags="explicit-fail"))
    run = terminal("run", lab, "--job", "a")
    run.wait_for(DECISION)
    run.type("f\n")
    run.wait_for("Comments: ")
    killed(run)

    resumed = terminal("resume")
    resumed.wait_for("Enter: failed")
    resumed.type("\n")
    resumed.wait_for("Comments: ")
    resumed.type("no picture\n")
    resumed.wait_for(RETRY)
    resumed.type("\n")

    assert resumed.end() == 1
    assert holdall.outcomes() == {"a": ["fail"]}
    assert comments(holdall) == {"a": "no picture"}


def test_what_was_said_before_a_command_outlives_its_crash(
    holdall: Cli, provider: Provider, terminal: Start
) -> None:
    lab = provider(definition("a", "user-interact", command="echo begun; sleep 600"))
    run = terminal("run", lab, "--job", "a")
    run.wait_for(START)
    run.type("c\n")
    run.wait_for("Comments: ")
    run.type("dock 3\n")
    run.wait_for(START)
    run.type("\n")
    run.wait_for("begun")
    run.child.kill()  # the command lives, and has the terminal
    run.child.wait()

    holdall("resume")

    assert comments(holdall) == {"a": "the run ended while this job ran; dock 3"}


def test_what_was_said_stays_where_nobody_can_be_asked_again(
    holdall: Cli, provider: Provider, terminal: Start
) -> None:
    lab = provider(definition("a", "manual"))
    run = terminal("run", lab, "--job", "a")
    run.wait_for(DECISION)
    run.type("c\n")
    run.wait_for("Comments: ")
    run.type("dock 3\n")
    run.wait_for(DECISION)
    paused(run)

    holdall("resume")

    assert comments(holdall) == {"a": "dock 3"}


def test_a_secret_in_what_was_said_is_masked_before_it_is_stored(
    holdall: Cli, provider: Provider, terminal: Start
) -> None:
    run = terminal(
        *("run", provider(definition("a", "manual")), "--job", "a", "--redact", "pin [0-9]+")
    )
    run.wait_for(DECISION)
    run.type("c\n")
    run.wait_for("Comments: ")
    run.type("it has pin 4711\n")
    run.wait_for(DECISION)
    paused(run)

    stored = b"".join(path.read_bytes() for path in holdall.store.rglob("*") if path.is_file())

    assert b"4711" not in stored
    resumed = terminal("resume", "--redact", "pin [0-9]+")
    resumed.wait_for("Comments so far: it has [redacted]")


def test_what_was_said_goes_with_the_command_that_is_run_again(
    holdall: Cli, provider: Provider, terminal: Start
) -> None:
    run = terminal("run", provider(definition("a", "user-verify", command="true")), "--job", "a")
    run.wait_for(DECISION)
    run.type("c\n")
    run.wait_for("Comments: ")
    run.type("dock 3\n")
    run.wait_for(DECISION)
    run.type("r\n")
    run.wait_for("Comments so far: dock 3")
    run.wait_for(DECISION)
    run.type("p\n")

    assert run.end() == 0
    assert comments(holdall) == {"a": "dock 3"}


def test_a_job_that_was_not_begun_is_introduced_again(
    holdall: Cli, provider: Provider, terminal: Start
) -> None:
    lab = provider(definition("a", "user-interact", command="true"))
    run = terminal("run", lab, "--job", "a")
    run.wait_for(START)

    assert paused(run) == 1
    assert "the session is saved; go on with: holdall resume" in run.plain
    resumed = terminal("resume")
    resumed.wait_for(START)
    resumed.type("\n")

    assert resumed.end() == 0
    assert holdall.outcomes() == {"a": ["pass"]}


def test_a_command_that_was_interrupted_crashed_as_before(
    holdall: Cli, provider: Provider, terminal: Start
) -> None:
    lab = provider(definition("a", "user-verify", command="echo begun; sleep 600"))
    run = terminal("run", lab, "--job", "a")
    run.wait_for("begun")

    run.child.kill()  # the command lives, and has the terminal
    assert run.child.wait() == -signal.SIGKILL
    assert holdall("resume").code == 1
    assert holdall.outcomes() == {"a": ["crash"]}


def test_a_question_stays_undecided_where_nobody_can_answer_it(
    holdall: Cli, provider: Provider, terminal: Start
) -> None:
    lab = provider(definition("a", "user-verify", command="echo output"))
    run = terminal("run", lab, "--job", "a")
    run.wait_for(DECISION)
    paused(run)

    resumed = holdall("resume")

    assert resumed.code == 1
    assert holdall.outcomes() == {"a": ["undecided"]}
    assert log(holdall, "a") == b"output\n"


# Nobody there


def test_without_a_terminal_a_verification_is_undecided_and_the_verdict_says_so(
    holdall: Cli, provider: Provider
) -> None:
    jobs = definition("a", "user-verify", command="echo output") + definition(
        "b", "shell", command="true"
    )

    done = holdall("run", provider(jobs), "--job", "a", "--job", "b", "--export", "text")

    assert done.code == 1
    assert holdall.outcomes() == {"a": ["undecided"], "b": ["pass"]}
    assert "verdict: FAIL\n    1 job is undecided: lab::a\n" in done.out
    assert log(holdall, "a") == b"output\n"


@pytest.mark.parametrize("plugin", ["manual", "user-interact", "user-interact-verify"])
def test_without_a_terminal_a_job_for_a_person_is_skipped_and_that_is_said(
    holdall: Cli, provider: Provider, plugin: str
) -> None:
    jobs = definition("a", plugin, command="true") + definition("b", "shell", command="true")

    done = holdall("run", provider(jobs), "--job", "a", "--job", "b")

    assert done.code == 0
    assert holdall.outcomes() == {"a": ["skip"], "b": ["pass"]}
    assert "PASS: 1 skip, 1 pass\n" in done.err
    assert "1 job needs a person, and was skipped: lab::a\n" in done.err


# At the end


def test_failed_jobs_can_be_run_again_with_what_they_depend_on(
    holdall: Cli, provider: Provider, terminal: Start
) -> None:
    mended = "test -e $PLAINBOX_SESSION_SHARE/mended"
    jobs = (
        definition("mend", "manual")
        + definition("base", "shell", command=f"{mended} || {{ touch ${{_}}; exit 1; }}")
        + definition("other", "shell", command="false")
        + definition("above", "shell", command="true", depends="base")
    ).replace("${_}", "$PLAINBOX_SESSION_SHARE/mended")
    names = ("mend", "base", "other", "above")
    run = terminal("run", provider(jobs), *(f"--job={name}" for name in names))
    run.wait_for(DECISION)
    run.type("p\n")
    run.wait_for(RETRY)
    assert "1  failed  lab::base\r\n" in run.shown
    assert "2  failed  lab::other\r\n" in run.shown
    assert "3  skipped (failed dependency)  lab::above\r\n" in run.shown
    run.type("7\n")
    run.wait_for("'7' is no answer here")
    run.wait_for(RETRY)
    run.type("3\n")
    run.wait_for(RETRY)
    run.type("\n")

    assert run.end() == 1
    assert holdall.outcomes() == {
        "mend": ["pass"],
        "base": ["fail", "pass"],
        "other": ["fail"],
        "above": ["skipped-dependency", "pass"],
    }


def interrupted(run: Terminal) -> int:
    run.type("\x03")
    return run.end()


@pytest.mark.parametrize("leave", [paused, interrupted, without_more_lines, terminated, hung_up])
def test_who_leaves_at_the_last_question_ends_the_run_as_with_no(
    holdall: Cli, provider: Provider, terminal: Start, *, leave: Callable[[Terminal], int]
) -> None:
    holdall.environ["XDG_CURRENT_DESKTOP"] = "any"
    jobs = definition("a", "manual") + definition("b", "shell", command="false")
    given = ("--job", "a", "--job", "b", "--export", "text=report.txt", "--install-autostart=xdg")
    run = terminal("run", provider(jobs), *given)
    run.wait_for(DECISION)
    assert list((holdall.folder / "home").rglob("*.desktop"))
    run.type("p\n")
    run.wait_for(RETRY)

    assert leave(run) == 1
    assert "1 pass" in (holdall.folder / "report.txt").read_text()
    assert list((holdall.folder / "home").rglob("*.desktop")) == []
    assert "go on with" not in run.plain
    assert holdall.outcomes() == {"a": ["pass"], "b": ["fail"]}


def test_a_run_that_asked_nobody_ends_without_a_question(
    provider: Provider, terminal: Start
) -> None:
    run = terminal("run", provider(definition("a", "shell", command="false")), "--job", "a")

    assert run.end() == 1
    assert "Run again?" not in run.plain


def test_the_person_is_asked_in_german(holdall: Cli, provider: Provider, terminal: Start) -> None:
    holdall.environ |= {"LANG": "de_DE.UTF-8", "LANGUAGE": "de"}
    run = terminal("run", provider(definition("a", "user-verify", command="true")), "--job", "a")
    run.wait_for("Wie ging es aus?")
    assert "[p] bestanden" in run.plain
    run.type("p\n")

    assert run.end() == 0
