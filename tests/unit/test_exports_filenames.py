"""File names of ids: safe everywhere, and different for different ids."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdall.testing.sessions import HOSTILE_IDS
from holdall.writing.files import file_name

IDS = st.text(st.one_of(st.characters(), st.sampled_from("./~%:aA-")), max_size=200)


@given(IDS)
def test_a_name_is_one_plain_part_of_a_path(text: str) -> None:
    name = file_name(text)

    assert name == Path(name).name
    assert name.isascii()
    assert 0 < len(name) < 160
    assert name[0] not in ".-"


@given(st.lists(IDS, max_size=5, unique=True))
def test_different_ids_have_names_that_differ_in_more_than_case(ids: list[str]) -> None:
    assert len({file_name(text).lower() for text in ids}) == len(ids)


def test_hostile_ids_have_different_names() -> None:
    assert len({file_name(text).lower() for text in HOSTILE_IDS}) == len(HOSTILE_IDS)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("notes.txt", "notes.txt", id="plain"),
        pytest.param("com.example::disk/read", "com.example%3a%3adisk%2fread", id="job id"),
        pytest.param("../x", "%2e.%2fx", id="out of the folder"),
        pytest.param("", "~e3b0c44298fc", id="empty"),
        pytest.param("Shot.PNG", "Shot~f04eee64612d.PNG", id="the ending stays"),
        pytest.param("a~b", "a%7eb", id="tilde"),
    ],
)
def test_names_can_be_read(text: str, name: str) -> None:
    assert file_name(text) == name
