from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from holdall.session.environment import ALWAYS, job_environ
from holdall.units import Job, make_unit
from holdall.units.provider import Provider

if TYPE_CHECKING:
    from collections.abc import Mapping

SHARE = Path("/share")


def environ(
    given: Mapping[str, str], provider: Provider | None = None, **fields: str
) -> dict[str, str]:
    job = make_unit({"id": "a", "plugin": "shell", "command": "true", **fields})
    assert isinstance(job, Job)
    return job_environ(job, provider, given, session_id="s-1", session_share=SHARE)


def test_a_command_sees_what_every_command_sees_and_nothing_else() -> None:
    given = {name: name.lower() for name in (*ALWAYS, "SECRET", "PYTHONPATH")}

    seen = environ(given)

    assert "SECRET" not in seen
    assert "PYTHONPATH" not in seen
    assert {name for name in ALWAYS if name in seen} == set(ALWAYS) - {"LC_ALL"}


def test_a_job_may_ask_for_more_by_name() -> None:
    seen = environ({"COLOUR": "red", "OTHER": "o"}, environ="COLOUR, MISSING")

    assert seen["COLOUR"] == "red"
    assert "OTHER" not in seen
    assert "MISSING" not in seen


def test_messages_are_in_english_unless_the_job_keeps_the_language() -> None:
    given = {"LANG": "de_DE.UTF-8", "LC_ALL": "de_DE.UTF-8"}

    english, own = environ(given), environ(given, flags="preserve-locale")

    assert (english["LANG"], english.get("LC_ALL")) == ("C.UTF-8", None)
    assert (own["LANG"], own["LC_ALL"]) == ("de_DE.UTF-8", "de_DE.UTF-8")


def test_a_command_knows_its_session_its_job_and_their_shared_folder() -> None:
    seen = environ({})

    assert seen["HOLDALL_SESSION"] == "s-1"
    assert seen["HOLDALL_JOB"] == "a"
    assert seen["HOLDALL_SESSION_SHARE"] == seen["PLAINBOX_SESSION_SHARE"] == "/share"


def test_the_programs_and_data_of_the_provider_are_at_hand() -> None:
    provider = Provider(
        "lab",
        namespace="lab",
        version="1",
        source="lab",
        read=tuple,
        bin_folder=Path("/lab/bin"),
        data_folder=Path("/lab/data"),
    )

    seen = environ({"PATH": "/usr/bin"}, provider)
    bare = environ({}, provider)

    assert seen["PATH"] == "/lab/bin:/usr/bin"
    assert bare["PATH"].startswith("/lab/bin:/")
    assert seen["HOLDALL_PROVIDER_DATA"] == seen["PLAINBOX_PROVIDER_DATA"] == "/lab/data"


def test_a_provider_without_folders_adds_nothing() -> None:
    provider = Provider("lab", namespace="lab", version="1", source="lab", read=tuple)

    assert environ({}, provider) == environ({})


def test_the_given_variables_are_left_as_they_are() -> None:
    given = {"PATH": "/usr/bin", "LC_ALL": "de"}

    environ(given)

    assert given == {"PATH": "/usr/bin", "LC_ALL": "de"}
