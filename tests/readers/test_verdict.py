"""The verdict in grep and jq, and its badge in xmllint and the Nu checker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_grep_and_jq_find_the_same_word(
    written: Callable[..., dict[str, Any]], program: Callable[[str], str], run: Callable[..., str]
) -> None:
    words = written("global", ".txt")
    objects = written("global", ".json", "form=json")

    for name, word in words.items():
        found = run(program("grep"), "-x", "-E", "PASS|FAIL", word.path)
        read = run(program("jq"), "--raw-output", ".verdict", objects[name].path)
        assert found == read == word.path.read_text("ascii")


def test_xmllint_takes_the_badge(
    written: Callable[..., dict[str, Any]], program: Callable[[str], str], run: Callable[..., str]
) -> None:
    reports = written("global", ".svg", "form=badge")
    title = "string(//*[local-name()='title'])"

    for each in reports.values():
        found = run(program("xmllint"), "--xpath", title, each.path).strip()
        assert found in {"session: PASS", "session: FAIL"}


def test_the_nu_checker_takes_the_badge(
    written: Callable[..., dict[str, Any]],
    program: Callable[[str], str],
    node_module: Callable[[str], Path],
    run: Callable[..., str],
) -> None:
    checker = node_module("vnu-jar/build/dist/vnu.jar")
    reports = written("global", ".svg", "form=badge").values()
    badges = {each.path.read_bytes(): each.path for each in reports}  # there are but two

    run(program("java"), "-jar", checker, "--svg", "--Werror", *badges.values())
