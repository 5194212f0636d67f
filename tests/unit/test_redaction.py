"""Redaction: no report shows a secret, in no form and however it was written."""

from __future__ import annotations

import io
import itertools
import json
import re
import tarfile
import zipfile
from base64 import b64encode, urlsafe_b64encode
from html import escape
from typing import TYPE_CHECKING, Any
from unicodedata import normalize
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from holdall.errors import ExportError, PluginCallError
from holdall.exports.bound import BoundExporter
from holdall.exports.pipeline import export
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
from holdall.redaction import Masker, RedactionRules
from holdall.redaction.forms import Secret, Text
from holdall.registry import Identity
from holdall.registry.registry import Registry
from holdall.results import Attachment, IOLogRecord, JobResult, Measurement, Subtest
from holdall.testing.sessions import SampleSession, sample_session
from holdall_plugins.hooks.redaction import MASK, Redaction

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from holdall.contracts.exporters import ExportReport
    from holdall.journal import AnyEvent

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


def hexed(data: bytes, between: str = "", before: str = "") -> str:
    return between.join(f"{before}{byte:02x}" for byte in data)


def wrapped(data: bytes, end: bytes = b"\n") -> bytes:
    """Return *data*, amid more, in base64 of 76 characters a line; the secret is over an end."""
    text = b64encode(b"x" * 50 + data + b"y" * 50)
    return end.join(text[at : at + 76] for at in range(0, len(text), 76))


PLAIN = 'pa55 w"rd/<ünd>&'
LETTERS = "Hunter2xyzzy"
FORMS = {
    "colours": "\x1b[1m".join(PLAIN),
    "links": PLAIN[:4] + "\x1b]8;;http://x\x1b\\" + PLAIN[4:],
    "returns": "\r".join(PLAIN),
    "overstruck": "".join(f"{char}\b{char}" for char in PLAIN),
    "corrected": PLAIN[:4] + "oops\b\b\b\b" + PLAIN[4:],
    "soft hyphens": "\xad".join(PLAIN),
    "upper": PLAIN.upper(),
    "lower": PLAIN.lower(),
    "decomposed": normalize("NFD", PLAIN),
    "hex": hexed(PLAIN.encode()),
    "hex, upper": hexed(PLAIN.encode()).upper(),
    "hex, colons": hexed(PLAIN.encode(), ":"),
    "hex, blanks": hexed(PLAIN.encode(), " "),
    "hex, lines": hexed(PLAIN.encode(), "\n"),
    "hex, C": hexed(PLAIN.encode(), ", ", "0x"),
    "hex, UTF-16": hexed(PLAIN.encode("utf-16-le")),
    "escaped bytes": hexed(PLAIN.encode(), "", "\\x"),
    "octal": "".join(f"\\{byte:03o}" for byte in PLAIN.encode()),
    "percent": hexed(PLAIN.encode(), "", "%"),
    "percent, upper": hexed(PLAIN.encode(), "", "%").upper(),
    "percent, form": quote_plus(PLAIN),
    "percent, twice": quote(quote(PLAIN)),
    "json": json.dumps(PLAIN),
    "json in json": json.dumps(json.dumps(PLAIN)),
    "json, all": "".join(f"\\u{ord(char):04x}" for char in PLAIN),
    "python": repr(PLAIN),
    "html": escape(PLAIN),
    "html, named": escape(PLAIN).replace("ü", "&uuml;"),
    "html, decimal": "".join(f"&#{ord(char)};" for char in PLAIN),
    "html, hex": "".join(f"&#x{ord(char):x};" for char in PLAIN),
    "base64, wrapped": wrapped(PLAIN.encode()).decode(),
    "base64, CRLF": wrapped(PLAIN.encode(), b"\r\n").decode(),
    "base64, indented": wrapped(PLAIN.encode(), b"\n    ").decode(),
    "base64, in JSON": json.dumps(wrapped(PLAIN.encode()).decode()),
    "base64, in a URL": quote(b64encode(PLAIN.encode())),
    "base64url": urlsafe_b64encode(PLAIN.encode()).decode(),
    "base64, UTF-16": b64encode(PLAIN.encode("utf-16-le")).decode(),
    "visible NULs": "\u2400".join(LETTERS),
    "escaped NULs": "\\x00".join(LETTERS),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_masked_in_every_form_that_can_be_read(form: str) -> None:
    secret = LETTERS if "NULs" in form else PLAIN
    rules = RedactionRules(secrets={"TOKEN": secret})

    text, report = reported(session(f"before {FORMS[form]} behind\n".encode()), rules)

    log = log_of(text)
    # What is around a secret in base64 stays, and so do the quotes of JSON.
    around = r"""[\w=+/\s"'\\-]*"""
    assert re.fullmatch(rf"before {around}\[redacted\]{around} behind\n", log)
    assert report.changes == {"redacted: secret TOKEN": 1}
    kept = log.replace(MASK, "").removeprefix("before ").removesuffix(" behind\n")
    assert len(kept) <= (0 if "base64" not in form else len(FORMS[form]) - len(PLAIN)) + 8


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-16", "latin-1"])
def test_a_secret_is_masked_in_the_bytes_of_an_encoding(encoding: str) -> None:
    data = f"before {PLAIN} behind".encode(encoding)
    rules = RedactionRules(secrets={"TOKEN": PLAIN})

    _text, report = reported(session(data, data=data), rules)

    assert report.changes == {"redacted: secret TOKEN": 2}


ASCII = 'pa55 w"rd/<und>&'
CUT = {
    "colours": "\x1b[1m".join(ASCII),
    "html": escape(ASCII),
    "percent": hexed(ASCII.encode(), "", "%"),
    "json": json.dumps(json.dumps(ASCII)),
    "hex": hexed(ASCII.encode(), ":"),
    "base64": b64encode(ASCII.encode()).decode(),
}


@pytest.mark.parametrize("form", CUT)
@given(cuts=st.lists(st.tuples(st.integers(1, 200), st.booleans()), max_size=6))
def test_a_form_is_masked_however_streams_and_writes_cut_it(
    form: str, cuts: list[tuple[int, bool]]
) -> None:
    data = CUT[form].encode()
    ends = {0: False, **dict(cuts), len(data): False}
    edges = sorted(end for end in ends if end <= len(data))
    records = tuple(
        IOLogRecord(0.1, "stderr" if ends[start] else "stdout", data[start:end])
        for start, end in itertools.pairwise(edges)
    )
    masker = Masker(RedactionRules(secrets={"TOKEN": ASCII}))

    shown = b"".join(record.data for record in masker.records(records))

    assert shown.strip(b'\\"') == MASK.encode()


def test_a_key_is_masked_in_json_within_json_and_amid_colours() -> None:
    log = (
        json.dumps(json.dumps({"password": "hunter2 x", "user": "me"}))
        + "\npassword\x1b[0m: \x1b[31mhunter3\x1b[0m behind\n"
    )

    text, _report = reported(session(log.encode()), RedactionRules(keys=("password",)))

    assert "hunter" not in text
    assert "me" in log_of(text)
    assert log_of(text).endswith(" behind\n")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password: [x] more", "password: [redacted] more"),
        ('password=["a", "b"], c', "password=[redacted], c"),
        ("password: [[a], [b]] more", "password: [redacted] more"),
        ('{"password": {"a": "b"}}', '{"password": [redacted]}'),
        ("{a: {password: x}}", "{a: {password: [redacted]}}"),
        ("[password=x]", "[password=[redacted]]"),
        ("password: a]b}c more", "password: [redacted] more"),
    ],
)
def test_a_value_in_brackets_is_masked_whole_and_a_mask_stays_as_it_is(
    text: str, shown: str
) -> None:
    masker = Masker(RedactionRules(keys=("password",)))

    masked = masker.text(text)

    assert masked == shown
    assert masker.text(masked) == shown


def test_ids_that_differ_in_secrets_alone_stay_apart_and_are_the_same_everywhere() -> None:
    events: list[AnyEvent] = [
        SessionCreated(at=1, session_id="s"),
        DeviceAdded(at=1, device="dut-hunter2"),
        CategoryDefined(at=1, id="c-hunter2", name="A hunter2"),
    ]
    for number, job_id in enumerate(["get/hunter2", "get/hunter3", "get/other"]):
        record = JobRecord(id=job_id, category_id="c-hunter2", summary=f"S{number}")
        events.append(JobDefined(at=1, device="dut-hunter2", job=record))
        result = JobResult(outcome="fail", comments=f"see {job_id}", io_log=[(0, "stdout", b"x")])
        events.append(ResultRecorded(at=1, device="dut-hunter2", job_id=job_id, result=result))
    rules = RedactionRules(secrets={"A": "hunter2", "B": "hunter3"})

    shown = json.loads(reported(SampleSession(tuple(events)), rules)[0])
    again = json.loads(reported(SampleSession(tuple(events)), rules)[0])
    junit = reported(SampleSession(tuple(events)), rules, "junit")[0]

    ids = [f"get/{MASK}", f"get/{MASK}-2", "get/other"]
    assert [job["id"] for job in shown["jobs"]] == ids
    assert shown["jobs"] == again["jobs"]
    assert {job["device"] for job in shown["jobs"]} == {f"dut-{MASK}"}
    assert all(job_id in junit for job_id in ids)
    assert "hunter" not in json.dumps(shown) + junit


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


@pytest.mark.parametrize(
    "exporter",
    [
        "tap",
        "ndjson",
        "csv",
        "agent",
        "otr",
        "markdown",
        "ctrf",
        "html",
        "json",
        "junit",
        "tar",
        "text",
        "xlsx",
        "testplan",
        "parquet",
        "allure",
    ],
)
def test_no_format_shows_a_secret_that_stands_in_every_text(exporter: str, tmp_path: Path) -> None:
    secret = "hunter2-hunter3"  # noqa: S105 - the same
    what = session(
        secret.encode(), text=f"a {secret} b", data=secret.encode(), facts={"note": secret}
    )
    rules = RedactionRules(secrets={"TOKEN": secret})

    target = tmp_path / "report"
    report = export(what, exporter, target, registry=REGISTRY, redact=rules)

    for content in unpacked(exporter, target):
        assert secret.encode() not in content
        assert b64encode(secret.encode()) not in content
    assert report.changes["redacted: secret TOKEN"] >= (4 if exporter == "testplan" else 8)
    assert secret not in str(report.as_dict())


def unpacked(exporter: str, report: Path) -> list[bytes]:
    if report.is_dir():
        return [path.name.encode() + path.read_bytes() for path in report.iterdir()]
    if zipfile.is_zipfile(report):
        with zipfile.ZipFile(report) as book:
            return [book.read(name) for name in book.namelist()]
    if exporter == "tar":
        with tarfile.open(report) as tar:
            return [found.read() for each in tar if (found := tar.extractfile(each))]
    if exporter == "parquet":
        table = pytest.importorskip("pyarrow.parquet").read_table(report)
        return [repr(table.to_pylist()).encode(), repr(table.schema.metadata).encode()]
    return [report.read_bytes()]


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


def test_a_title_of_the_caller_is_masked_too() -> None:
    stream = io.BytesIO()
    rules = RedactionRules(secrets={"P": "hunter2"})

    export(
        session(), "json", stream, options=["title=of hunter2"], registry=REGISTRY, redact=rules
    )

    assert json.loads(stream.getvalue())["session"]["title"] == f"of {MASK}"


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


@settings(deadline=None)
@given(secret=st.binary(min_size=4, max_size=12), before=st.binary(max_size=3), behind=st.binary())
@example(secret=b"abc>>>>?", before=b"", behind=b"")
def test_any_secret_is_found_in_both_alphabets_of_base64(
    secret: bytes, before: bytes, behind: bytes
) -> None:
    text = secret.decode("latin-1")
    form = Secret(text)

    for encode in (b64encode, urlsafe_b64encode):
        encoded = encode(before + text.encode() + behind).decode()
        assert list(form.spans(Text(encoded)))
