from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdall.session.environment import job_environ
from holdall.units import Job, make_unit
from holdall.units.provider import Provider

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SHARE = Path("/share")


def environ(
    given: Mapping[str, str],
    provider: Provider | None = None,
    *,
    providers: Sequence[Provider] = (),
    normal_user: str = "",
    **fields: str,
) -> dict[str, str]:
    made = {"id": "a", "plugin": "shell", "command": "true", **fields}
    job = make_unit(made, namespace=provider.namespace if provider else "lab")
    assert isinstance(job, Job)
    return job_environ(
        *(job, provider, given),
        session_id="s-1",
        session_share=SHARE,
        providers=providers,
        normal_user=normal_user,
    )


def lab(name: str = "lab", namespace: str = "lab", *, with_folders: bool = True) -> Provider:
    folder = Path("/", name)
    return Provider(
        name,
        namespace=namespace,
        version="1",
        source=name,
        read=tuple,
        folder=folder,
        bin_folder=folder / "bin",
        data_folder=folder / "data" if with_folders else None,
        units_folder=folder / "units",
        locale_folder=folder / "locale" if with_folders else None,
        gettext_domain="lab-words" if with_folders else "",
    )


def test_a_command_sees_all_variables_of_its_caller() -> None:
    given = {"HOME": "/root", "PYTHONPATH": "/p", "LC_ALL": "de_DE.UTF-8", "OF_MY_OWN": "x"}

    seen = environ(given)

    assert seen.items() >= given.items()


def test_the_report_of_a_job_that_started_this_holdall_is_not_the_jobs() -> None:
    assert "HOLDALL_REPORT" not in environ({"HOLDALL_REPORT": "/outer"})


def test_the_field_environ_changes_nothing_for_the_account_that_runs_holdall() -> None:
    given = {"COLOUR": "red"}

    assert environ(given) == environ(given, environ="COLOUR, MISSING")


@pytest.mark.parametrize("flags", ["", "preserve-locale"])
def test_the_language_is_that_of_the_caller(flags: str) -> None:
    given = {"LANG": "de_DE.UTF-8", "LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de:en"}

    assert environ(given, flags=flags).items() >= given.items()


def test_reset_locale_takes_away_every_language_and_the_translations_of_the_provider() -> None:
    given = {"LANG": "de_DE.UTF-8", "LC_ALL": "de", "LC_TIME": "fr", "LANGUAGE": "de:en"}

    seen = environ(given, lab(), flags="reset-locale")

    assert {name: text for name, text in seen.items() if name.startswith(("LANG", "LC_"))} == {
        "LANG": "C.UTF-8"
    }
    assert not seen.keys() & environ(given, lab()).keys() & {"TEXTDOMAIN", "TEXTDOMAINDIR"}


def test_a_command_knows_its_session_its_job_and_their_shared_folder() -> None:
    seen = environ({})

    assert seen["HOLDALL_SESSION"] == "s-1"
    assert seen["HOLDALL_JOB"] == "lab::a"
    assert seen["HOLDALL_SESSION_SHARE"] == seen["PLAINBOX_SESSION_SHARE"] == "/share"
    assert seen["SYSTEMD_IGNORE_CHROOT"] == "1"


def test_the_normal_user_is_told_where_one_is_known() -> None:
    assert environ({}, normal_user="ann")["NORMAL_USER"] == "ann"
    assert "NORMAL_USER" not in environ({})


def test_the_folders_and_translations_of_the_provider_are_told() -> None:
    seen = environ({"PATH": "/usr/bin"}, lab())

    assert seen["PATH"] == "/lab/bin:/usr/bin"
    assert seen["HOLDALL_PROVIDER_DATA"] == seen["PLAINBOX_PROVIDER_DATA"] == "/lab/data"
    assert seen["PLAINBOX_PROVIDER_UNITS"] == "/lab/units"
    assert seen["CHECKBOX_SHARE"] == "/lab"
    assert seen["TEXTDOMAIN"] == seen["PLAINBOX_PROVIDER_GETTEXT_DOMAIN"] == "lab-words"
    assert seen["TEXTDOMAINDIR"] == seen["PLAINBOX_PROVIDER_LOCALE_DIR"] == "/lab/locale"


def test_what_a_provider_does_not_have_is_not_told() -> None:
    seen = environ({}, lab(with_folders=False))

    assert "PLAINBOX_PROVIDER_DATA" not in seen
    assert "TEXTDOMAIN" not in seen
    assert "TEXTDOMAINDIR" not in seen


def test_programs_of_all_providers_of_the_namespace_are_at_hand_in_their_order() -> None:
    own = lab("second")
    others = [lab("first"), own, lab("third"), lab("stranger", "elsewhere")]

    seen = environ({"PATH": "/usr/bin"}, own, providers=others)

    assert seen["PATH"] == "/first/bin:/second/bin:/third/bin:/usr/bin"


def test_without_a_search_path_the_systems_own_follows_the_programs() -> None:
    assert environ({}, lab())["PATH"].startswith("/lab/bin:/")


def test_a_provider_without_folders_adds_nothing() -> None:
    provider = Provider("lab", namespace="lab", version="1", source="lab", read=tuple)

    assert environ({}, provider) == environ({})


def test_the_given_variables_are_left_as_they_are() -> None:
    given = {"PATH": "/usr/bin", "LC_ALL": "de"}

    environ(given, lab(), flags="reset-locale")

    assert given == {"PATH": "/usr/bin", "LC_ALL": "de"}
