"""`holdall export`: what the command line adds to an export."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import Cli

TALKER = """
unit: job
id: talker
plugin: shell
_summary: Says too much
command: echo the token is hunter2-hunter3; echo 'password: swordfish'; false
"""


@pytest.fixture
def session(holdall: Cli, provider: Callable[[str], str]) -> Cli:
    assert holdall("run", provider(TALKER)).code == 1
    return holdall


def with_variables(cli: Cli, **variables: str) -> Cli:
    return replace(cli, environ={**cli.environ, **variables})


def test_secrets_of_variables_and_keys_are_masked_and_counted(session: Cli) -> None:
    cli = with_variables(session, TOKEN="hunter2-hunter3")  # noqa: S106 - the subject

    found = cli(
        *("export", "last", "json=report.json", "--redact-env", "TOKEN"),
        *("--redact-key", "password", "--redact", "to+ken", "--verify"),
    )

    text = (cli.folder / "report.json").read_text()
    assert found.code == 0
    assert json.loads(text)["job_count"] == 1
    for secret in ("hunter2", "swordfish", "token"):
        assert secret not in text
        assert secret not in found.err
    assert "redacted: secret TOKEN 1 x" in found.err


@pytest.mark.parametrize(
    "options", [("--redact-env", "NO_SUCH_VARIABLE"), ("--redact", "("), ("--redact-key", "")]
)
def test_what_can_not_be_masked_is_wrong_usage(session: Cli, options: tuple[str, ...]) -> None:
    found = session("export", "last", "json", *options)

    assert found.code == 2
    assert found.out == ""


def test_colours_follow_the_variables_of_the_user(session: Cli) -> None:
    forced = with_variables(session, FORCE_COLOR="1")
    refused = with_variables(session, FORCE_COLOR="1", NO_COLOR="1")

    assert "\x1b[1;31mfailed" in forced("export", "last", "text").out
    assert "\x1b" not in forced("export", "last", "text", "-O", "color=never").out
    assert "\x1b" not in refused("export", "last", "text").out
    assert "\x1b" not in session("export", "last", "text").out


def test_options_of_plainbox_are_taken_with_a_warning(session: Cli) -> None:
    found = session("export", "last", "text", "-O", "with-io-log")

    assert "the token is hunter2-hunter3" in found.out
    assert "write 'logs=all'" in found.err
