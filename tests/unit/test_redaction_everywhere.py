"""A session whose every text is a secret: no report of any format, and no store, shows it."""

from __future__ import annotations

import enum
import io
import tarfile
import types
import typing
import zipfile
from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin
from urllib.parse import quote

import msgspec
import pytest

from holdall.exports import export
from holdall.journal import AnyEvent, DeviceRemoved, JobRemoved, Snapshot
from holdall.redaction import MASK, RedactionRules
from holdall.registry import Registry
from holdall.results import Attachment, IOLogRecord, JobResult, Measurement, Outcome
from holdall.testing.sessions import SampleSession

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REGISTRY = Registry.discover()
SECRET = 'Zyx"wv&ut/9 8'  # noqa: S105 - the subject
RULES = RedactionRules(secrets={"TOKEN": SECRET})

NO_TEXT = {Snapshot, DeviceRemoved, JobRemoved}
"""Events that hold others, or take away what is to be seen."""


def kinds_of_events() -> Iterator[type]:
    """Yield the class of every event that a journal may hold, the ones added later too."""
    for part in get_args(AnyEvent):
        yield from get_args(part) or (part,)


def made(kind: Any, name: str = "") -> Any:  # noqa: C901 - one for each type
    """Return a value of *kind* in which every text is the secret."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (typing.Union, types.UnionType):
        options = [option for option in inner if option is not type(None)]
        # A reference names a blob; with a string among them, a value is that.
        return (
            None if name in {"ref", "io_log_ref"} else made(str if str in options else options[0])
        )
    if origin is Literal:
        return inner[0]
    if origin is tuple:
        return (made(inner[0]),)
    if origin is dict:
        return {made(inner[0]): made(inner[1])}
    if kind is str:
        return SECRET
    if kind is bytes:
        return SECRET.encode()
    if kind is msgspec.Raw:
        return msgspec.Raw(msgspec.json.encode(SECRET))
    if kind is IOLogRecord:
        return IOLogRecord(0.1, "stdout", f"it is {SECRET}\n".encode())
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return Outcome.FAIL
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return struct(kind)
    return kind(1)


def struct(kind: type[msgspec.Struct]) -> Any:
    hints = typing.get_type_hints(kind)
    values = {name: made(hints[name], name) for name in kind.__struct_fields__}
    if kind is Measurement:
        values |= {"lower": None, "upper": None}
    if kind is Attachment:
        values["size"] = len(SECRET)
    if kind is JobResult:
        values["io_log_size"] = 0
    return kind(**values)


def session() -> SampleSession:
    return SampleSession(tuple(struct(kind) for kind in kinds_of_events() if kind not in NO_TEXT))


def forms(secret: str) -> Iterator[bytes]:
    """Yield what a reader may find a secret by, in lower case."""
    data = secret.encode()
    texts = [secret, quote(secret), quote(secret, safe=""), escape(secret), data.hex()]
    texts += [secret.replace('"', '\\"'), "".join(f"&#{ord(char)};" for char in secret)]
    for offset in range(3):
        coded = b64encode(bytes(offset) + data).decode()
        texts.append(coded[4 if offset else 0 : -4])
    yield from (text.lower().encode() for text in texts)
    yield secret.lower().encode("utf-16-le")


def contents(report: bytes) -> Iterator[bytes]:
    """Yield a report, and what is packed in it."""
    yield report
    if report[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(report)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield from contents(archive.read(name))
        return
    try:
        tar = tarfile.open(fileobj=io.BytesIO(report))  # noqa: SIM115
    except tarfile.TarError:
        return
    with tar:
        for member in tar:
            yield member.name.encode()
            file = tar.extractfile(member)
            yield from contents(file.read()) if file else ()


def assert_no_secret(data: bytes, source: str) -> None:
    for content in contents(data):
        for form in forms(SECRET):
            assert form not in content.lower(), f"{form!r} is in {source}"


@pytest.mark.parametrize(
    "exporter", sorted(candidate.id for candidate in REGISTRY.candidates("exporters"))
)
def test_no_format_shows_a_secret_that_is_every_text_of_the_session(
    exporter: str, tmp_path: Path
) -> None:
    target = tmp_path / "report"

    report = export(session(), exporter, target, registry=REGISTRY, redact=RULES)

    for path in (target, *target.rglob("*")):
        assert_no_secret(path.name.encode(), "a name")
        if path.is_file():
            assert_no_secret(path.read_bytes(), str(path))
    assert report.changes["redacted: secret TOKEN"] > 0
    assert SECRET not in str(report.as_dict())


def test_every_text_of_a_view_is_masked() -> None:
    stream = io.BytesIO()

    export(session(), "json", stream, registry=REGISTRY, redact=RULES)

    # As many as there are fields that the document has; a field that is passed over shows itself.
    assert stream.getvalue().count(MASK.encode()) > 30
