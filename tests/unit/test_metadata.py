from __future__ import annotations

from typing import Any

import pytest

from holdall.session.metadata import SessionMetaData


def test_metadata_starts_empty() -> None:
    metadata = SessionMetaData()

    assert (metadata.title, metadata.flags, metadata.app_blob) == (None, set(), b"")
    assert metadata.encoded() == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", 3),
        ("flags", ["incomplete"]),
        ("running_job_name", b"x"),
        ("app_blob", "text"),
        ("app_id", 1),
        ("custom_joblist", 1),
        ("rejected_jobs", "a"),
        ("last_job_start_time", "now"),
        ("remaining_todo_jobs", None),
    ],
)
def test_a_wrong_type_is_refused(field: str, value: Any) -> None:
    with pytest.raises(TypeError, match=field):
        setattr(SessionMetaData(), field, value)


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(AttributeError, match="colour"):
        SessionMetaData().colour = "red"
    with pytest.raises(TypeError, match="colour"):
        SessionMetaData(colour="red")


def test_a_whole_number_is_a_time() -> None:
    assert SessionMetaData(last_job_start_time=3).last_job_start_time == 3.0


def test_what_is_encoded_can_be_applied() -> None:
    metadata = SessionMetaData(
        title="t", flags={"b", "a"}, app_blob=b"\x00\xff", rejected_jobs=["x"], app_id="app"
    )
    other = SessionMetaData()

    other.apply(metadata.encoded())

    assert other.encoded() == metadata.encoded()
    assert other.flags == {"a", "b"}
    assert other.app_blob == b"\x00\xff"


@pytest.mark.parametrize(("field", "value"), [("flags", {3}), ("rejected_jobs", ["a", None])])
def test_a_list_with_something_else_than_words_is_refused(field: str, value: Any) -> None:
    with pytest.raises(TypeError, match=field):
        setattr(SessionMetaData(), field, value)


def test_a_set_that_was_changed_in_place_is_checked_before_it_is_stored() -> None:
    metadata = SessionMetaData()
    flags: Any = metadata.flags
    flags.add(3)

    with pytest.raises(TypeError, match="3 is none"):
        metadata.encoded()
