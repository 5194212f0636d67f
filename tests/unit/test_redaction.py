"""Redaction: no report shows a secret, in no form and however it was written."""

from __future__ import annotations

import io
import itertools
import json
from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdall.errors import ExportError, PluginCallError
from holdall.exports.bound import BoundExporter
from holdall.exports.pipeline import export
from holdall.exports.redact import RedactionRules
from holdall.hooks.calling import Hooks
from holdall.hooks.specs import hookimpl
from holdall.journal.events import (
    CategoryDefined,
    DeviceAdded,
    JobDefined,
    JobRecord,
    ResultRecorded,
    SessionCreated,
)
from holdall.registry import Identity
from holdall.registry.registry import Registry
from holdall.results import Attachment, IOLogRecord, JobResult, Measurement, Subtest
from holdall.testing.sessions import SampleSession, sample_session
from holdall_plugins.hooks.redaction import MASK, Redaction

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from holdall.contracts.exporters import ExportReport

REGISTRY = Registry.discover()
SECRET = 'p@ss/wörd+"1"'  # noqa: S105 - the subject of these tests


def session(
    *log: bytes, text: str = "", data: bytes = b"", facts: dict[str, str] | None = None
) -> SampleSession:
    """Return a session with *text* in every place that takes some."""
    record = JobRecord(id="j", summary=text, description=text, category_id="c")
    attachment = Attachment(name="a.txt", size=len(data), data=data)
    result = JobResult(
        outcome="fail",
        comments=text,
        skip_reason=text,
        io_log=tuple(IOLogRecord(0.1, "stdout", piece) for piece in log),
        attachments=(attachment,) if data else (),
        subtests=[Subtest(name=text, outcome="fail", message=text)],
        measurements=[Measurement(name=text, value=text, unit=text)],
    )
    return SampleSession(
        (
            SessionCreated(at=1, session_id="s", title=text),
            DeviceAdded(at=1, device="local", description=text, facts=facts or {}),
            CategoryDefined(at=1, id="c", name=text),
            JobDefined(at=1, job=record),
            ResultRecorded(at=1, job_id="j", result=result),
        )
    )


def reported(
    what: SampleSession, rules: RedactionRules, exporter: str = "json"
) -> tuple[str, ExportReport]:
    stream = io.BytesIO()
    report = export(what, exporter, stream, registry=REGISTRY, redact=rules)
    return stream.getvalue().decode("utf-8", "replace"), report


def log_of(text: str) -> str:
    records = json.loads(text)["jobs"][0]["attempts"][0]["io_log"]
    return "".join(each["text"] for each in records)


RULES = RedactionRules(secrets={"TOKEN": SECRET})


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(SECRET, id="plain"),
        pytest.param(quote(SECRET, safe=""), id="quoted"),
        pytest.param(quote(SECRET, safe="").lower(), id="quoted in lower case"),
        pytest.param(json.dumps(SECRET), id="json"),
        pytest.param(json.dumps(SECRET, ensure_ascii=False), id="json as UTF-8"),
        *(
            pytest.param(
                encode(b"x" * n + SECRET.encode() + b"yz").decode(), id=f"{encode.__name__} {n}"
            )
            for n in range(4)
            for encode in (b64encode, urlsafe_b64encode)
        ),
        pytest.param(b64encode(SECRET.encode()).decode(), id="base64 alone"),
    ],
)
def test_a_secret_is_found_in_every_form(form: str) -> None:
    text, report = reported(session(f"before {form} after\n".encode()), RULES)

    log = log_of(text)
    assert log.startswith("before ")
    assert log.endswith(" after\n")
    assert MASK in log
    assert report.changes == {"redacted: secret TOKEN": 1}
    assert form.strip('"') not in log


@given(cuts=st.lists(st.integers(0, 40), max_size=6))
def test_a_secret_is_found_however_the_log_was_cut(cuts: list[int]) -> None:
    data = b"some words " + SECRET.encode() + b" and more"
    edges = sorted({0, len(data), *(min(each, len(data)) for each in cuts)})
    pieces = [data[a:b] for a, b in itertools.pairwise(edges)]

    text, report = reported(session(*pieces), RULES)

    assert log_of(text) == f"some words {MASK} and more"
    assert report.changes == {"redacted: secret TOKEN": 1}


@pytest.mark.parametrize("offset", [0, 5, 65_530, 65_536, 131_066, 262_140, 262_144])
def test_a_secret_is_found_at_the_edges_of_what_is_searched_at_a_time(offset: int) -> None:
    data = b"." * offset + SECRET.encode() + b"-" * 300_000
    pieces = [data[n : n + 4096] for n in range(0, len(data), 4096)]

    text, report = reported(session(*pieces), RULES)

    assert log_of(text) == "." * offset + MASK + "-" * 300_000
    assert report.changes == {"redacted: secret TOKEN": 1}


def test_the_streams_are_searched_each_on_its_own() -> None:
    records = (
        IOLogRecord(0.1, "stdout", b"hun"),
        IOLogRecord(0.2, "stderr", b"warning\n"),
        IOLogRecord(0.3, "stdout", b"ter2!\n"),
    )
    what = sample_session()._replace(
        events=(
            SessionCreated(at=1, session_id="s"),
            JobDefined(at=1, job=JobRecord(id="j")),
            ResultRecorded(at=1, job_id="j", result=JobResult(outcome="fail", io_log=records)),
        )
    )

    text, _report = reported(what, RedactionRules(secrets={"P": "hunter2"}))

    logged = json.loads(text)["jobs"][0]["attempts"][0]["io_log"]
    assert [(each["delay"], each["text"]) for each in logged] == [
        (0.1, MASK),
        (0.2, "warning\n"),
        (0.3, "!\n"),
    ]


@pytest.mark.parametrize("exporter", ["html", "json", "junit", "tar", "text", "xlsx"])
def test_no_format_shows_a_secret_that_stands_in_every_text(exporter: str) -> None:
    secret = "hunter2-hunter3"  # noqa: S105 - the same
    what = session(
        secret.encode(), text=f"a {secret} b", data=secret.encode(), facts={"note": secret}
    )
    rules = RedactionRules(secrets={"TOKEN": secret})

    stream = io.BytesIO()
    report = export(what, exporter, stream, registry=REGISTRY, redact=rules)

    for content in unpacked(exporter, stream.getvalue()):
        assert secret.encode() not in content
        assert b64encode(secret.encode()) not in content
    assert report.changes["redacted: secret TOKEN"] >= 8
    assert secret not in str(report.as_dict())


def unpacked(exporter: str, report: bytes) -> list[bytes]:
    import tarfile
    import zipfile

    if exporter == "xlsx":
        with zipfile.ZipFile(io.BytesIO(report)) as book:
            return [book.read(name) for name in book.namelist()]
    if exporter == "tar":
        with tarfile.open(fileobj=io.BytesIO(report)) as tar:
            return [found.read() for each in tar if (found := tar.extractfile(each))]
    return [report]


def test_regexes_and_keys_are_masked_and_counted_by_rule() -> None:
    rules = RedactionRules(patterns=(r"ghp_\w+", r"\b\d{4}-\d{4}\b"), keys=("password", "api-key"))
    log = b'ghp_abc ghp_d\n1234-5678\npassword: hunter2, x=1\n{"Password": "a b"} api-key=k&y=2'

    text, report = reported(session(log, facts={"PASSWORD": "swordfish"}), rules)

    assert log_of(text) == (
        f'{MASK} {MASK}\n{MASK}\npassword: {MASK}, x=1\n{{"Password": {MASK}}} api-key={MASK}&y=2'
    )
    assert "swordfish" not in text
    assert report.changes == {
        "redacted: regex 1": 2,
        "redacted: regex 2": 1,
        "redacted: key password": 3,
        "redacted: key api-key": 1,
    }


def test_a_cut_log_shows_no_half_of_a_secret() -> None:
    log = b"x" * 90 + b"hunter2-hunter3" + b"y" * 200

    stream = io.BytesIO()
    export(
        session(log),
        "json",
        stream,
        options=["log-max=97", "log-head=97"],
        registry=REGISTRY,
        redact=RedactionRules(secrets={"P": "hunter2-hunter3"}),
    )

    assert b"hunter" not in stream.getvalue()


def test_an_attachment_too_large_to_be_searched_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("holdall_plugins.hooks.redaction.LARGEST_ATTACHMENT", 3)

    text, report = reported(session(data=b"hunter2"), RedactionRules(secrets={"P": "hunter2"}))

    assert json.loads(text)["jobs"][0]["attempts"][0]["attachments"] == []
    assert report.changes["attachments too large to be searched"] == 1


def test_secrets_of_a_manager_are_masked_by_the_object_that_was_registered() -> None:
    hooks = Hooks()
    hooks.register(Redaction(RedactionRules(secrets={"P": "hunter2"})))

    stream = io.BytesIO()
    report = BoundExporter(session(b"hunter2"), "json", registry=REGISTRY, hooks=hooks).export_to(
        stream
    )

    assert b"hunter2" not in stream.getvalue()
    assert report.changes == {"redacted: secret P": 1}


def test_without_the_plugin_that_masks_nothing_is_exported() -> None:
    bound = BoundExporter(
        session(), "json", registry=REGISTRY, hooks=Hooks(), redact=RedactionRules(keys=("x",))
    )

    with pytest.raises(ExportError, match="nothing masks anything"):
        bound.export_to(io.BytesIO())


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"secrets": {"A": " "}}, "the secret 'A' is empty"),
        ({"patterns": ("(",)}, "no regular expression"),
        ({"patterns": ("x*",)}, "matches nothing at all"),
        ({"keys": ("",)}, "a key to mask can't be empty"),
    ],
)
def test_rules_that_can_mask_nothing_or_everything_are_refused(
    rules: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        RedactionRules(**rules)


def test_rules_show_no_secret() -> None:
    assert SECRET not in repr(RULES)


class Failing:
    """A redactor with a fault."""

    @hookimpl(wrapper=True)
    def filter_view(self) -> Generator[None, Any, Any]:
        yield
        raise ZeroDivisionError("no mask")


class Late:
    """A wrapper that fails once everything was written."""

    @hookimpl(wrapper=True)
    def wrap_export(self) -> Generator[None, Any, Any]:
        yield
        raise ZeroDivisionError("after the end")


class Recorder:
    """A wrapper that notes when it was called."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    @hookimpl(wrapper=True)
    def wrap_export(self, exporter_id: str) -> Generator[None, Any, Any]:
        self.calls.append(f"before {exporter_id}")
        result = yield
        self.calls.append("after")
        return result


def hooks_with(listeners: Sequence[object]) -> Hooks:
    hooks = Hooks()
    for each in listeners:
        hooks.register(each, plugin=Identity("hook module", "acme", "acme 1.0"))
    return hooks


@pytest.mark.parametrize("listener", [Failing(), Late()])
def test_a_wrapper_that_fails_fails_the_export_and_leaves_the_old_file(
    listener: object, tmp_path: Any
) -> None:
    target = tmp_path / "report.json"
    target.write_text("old")
    bound = BoundExporter(session(), "json", registry=REGISTRY, hooks=hooks_with([listener]))

    with pytest.raises(PluginCallError, match=r"acme 1\.0.*ZeroDivisionError"):
        bound.export_to(target)

    assert target.read_text() == "old"


def test_a_wrapper_is_around_the_export() -> None:
    recorder = Recorder()
    bound = BoundExporter(session(), "json", registry=REGISTRY, hooks=hooks_with([recorder]))

    bound.export_to(io.BytesIO())

    assert recorder.calls == ["before holdall.json", "after"]
