"""Facts about telling processes apart."""

from __future__ import annotations

import os
import subprocess
import sys

import msgspec
import pytest

from holdall.journal.events import Process
from holdall.processes import is_alive, process_mark, start_time, this_process


def test_this_process_is_alive_and_says_when_it_started() -> None:
    mark = this_process()

    assert mark.pid == os.getpid()
    assert mark.started
    assert mark.boot_id
    assert is_alive(mark)


def test_a_mark_survives_being_stored() -> None:
    mark = this_process()

    stored = msgspec.json.decode(msgspec.json.encode(mark), type=Process)

    assert stored == mark
    assert is_alive(stored)


def test_a_process_that_was_collected_is_dead() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        mark = process_mark(child.pid)
        assert mark is not None
        assert is_alive(mark)

    assert not is_alive(mark)
    assert process_mark(child.pid) is None


def test_a_process_nobody_collected_yet_is_dead() -> None:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)

    mark = process_mark(child)

    assert mark is None
    os.waitpid(child, 0)


@pytest.mark.parametrize("field", ["started", "boot_id"])
def test_another_process_of_the_same_number_is_not_taken_for_it(field: str) -> None:
    mark = msgspec.structs.replace(this_process(), **{field: "something else"})

    assert not is_alive(mark)


def test_what_a_mark_leaves_empty_is_not_compared() -> None:
    assert is_alive(Process(pid=os.getpid()))


def test_a_program_cannot_fake_its_start_time_by_its_name() -> None:
    name = b"x) R 1 1 1 (y) z"
    rest = b" S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 7777 23"

    assert start_time(b"41 (" + name + b")" + rest) == "7777"


def test_a_zombie_has_no_start_time() -> None:
    rest = b" Z 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 7777 23"

    assert start_time(b"41 (sh)" + rest) is None
