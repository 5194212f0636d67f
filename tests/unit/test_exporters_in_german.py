"""Reports for people in German: the same reports, with no English word left in them."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import tarfile
from gettext import GNUTranslations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from lxml import html
from python_calamine import CalamineWorkbook
from tests.unit.report_readers import READERS, whole_report
from tests.unit.test_exporters_all import FORMATS, REGISTRY

import holdall
import holdall_exporters
from holdall.errors import UnknownLanguageError
from holdall.exports.pipeline import export
from holdall.journal.events import (
    DeviceAdded,
    JobDefined,
    JobRecord,
    JobStarted,
    PlanRecord,
    PlansChanged,
    ProviderAdded,
    ResultRecorded,
    SessionCreated,
)
from holdall.languages import load_catalog
from holdall.redaction.rules import RedactionRules
from holdall.results import Attachment, IOLogRecord, JobResult, Outcome
from holdall.testing.sessions import START, SampleSession, big_session, sample_session
from holdall.testing.strategies import hostile_sessions
from holdall.writing.cleaning import cell_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from holdall.exports.bound import Session
    from holdall.journal.events import AnyEvent

HUMAN = {
    "html": [],
    "markdown": ["budget=4k"],
    "text": ["slowest=2"],
    "xlsx": ["attempts=all"],
    "global": ["form=reasons"],
    "testplan": [],
}
MACHINE = {
    "tap": [],
    "ndjson": [],
    "csv": [],
    "agent": [],
    "otr": ["logs=all"],
    "ctrf": [],
    "json": [],
    "junit": ["logs=all"],
    "global": [],
    "tar": ["contents=json,junit", "compression=none"],
    "parquet": [],
}


def report(session: Session, name: str, options: Iterable[str] = (), lang: str = "de") -> bytes:
    stream = io.BytesIO()
    export(session, name, stream, options=[*options, f"lang={lang}"], registry=REGISTRY)
    return stream.getvalue()


def words_in(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]{3,}", text.lower()))


def english_words() -> set[str]:
    """Return the words that only the messages have, and the German of them never."""
    english: set[str] = set()
    german: set[str] = set()
    for package in (holdall, holdall_exporters):
        (folder,) = package.__path__
        path = f"{folder}/locale/de/LC_MESSAGES/{package.__name__}.mo"
        with Path(path).open("rb") as file:
            known: Mapping[Any, str] = vars(GNUTranslations(file))["_catalog"]
        for message, text in known.items():
            if message:
                found = message[0] if isinstance(message, tuple) else message
                english |= words_in(re.sub(r"\{.*?\}", " ", found.rpartition("\x04")[2]))
                german |= words_in(re.sub(r"\{.*?\}", " ", text))
    return english - german - {"holdall", "fail"}  # our name, and the word of the verdict


def wordless_session() -> SampleSession:
    """Return a session with everything in it, whose own texts have no word of any language."""
    ids = [f"q1::{number}" for number in range(len(Outcome) + 3)]
    log = (IOLogRecord(0.1, "stdout", b"q2 " * 60_000),)
    note = Attachment(name="q3", media_type="q/4", size=2, data=b"q5")
    results = [
        JobResult(
            outcome=outcome, comments="q6", skip_reason="q7", return_code=1, attachments=[note]
        )
        for outcome in Outcome
    ]
    results += [JobResult(outcome="crash", interrupted_by=by) for by in ("killed", "rebooted")]
    results.append(
        JobResult(
            outcome="fail", io_log=log, io_log_dropped=9, execution_duration=3.0, started_at=1.0
        )
    )
    events: list[AnyEvent] = [
        SessionCreated(at=START, session_id="q8", title="q9"),
        DeviceAdded(at=START, device="q10", description="q11", facts={"q12": "q13"}),
        DeviceAdded(at=START, device="q14"),
        PlansChanged(at=START, plans=(PlanRecord(id="q15", name="q16"),)),
        ProviderAdded(at=START, device="q10", name="q17", namespace="q", version="1"),
    ]
    for job_id, result in zip(ids, results, strict=True):
        job = JobRecord(id=job_id, description="q18", certification_status="blocker")
        events.append(JobDefined(at=START, device="q10", job=job))
        events.append(ResultRecorded(at=START, device="q10", job_id=job_id, result=result))
        events.append(ResultRecorded(at=START, device="q10", job_id=job_id, result=result))
    events.append(JobStarted(at=START, device="q10", job_id=ids[0]))
    return SampleSession(tuple(events))


def shown_in_html(found: bytes) -> list[str]:
    """Return the texts of a page: what is read, what is heard, what its script says."""
    page: Any = html.document_fromstring(found.decode())
    data = page.get_element_by_id("data")
    first = (data.text or "").split("\n")[0]
    labels = json.loads(gzip.decompress(base64.b64decode(first)))["labels"]
    texts = page.xpath("//text()[not(parent::script) and not(parent::style)]")
    heard = page.xpath("//@aria-label | //@placeholder")
    return [
        *texts,
        *heard,
        data.get("data-said"),
        *(word for each in labels for word in each[1:3]),
    ]


def shown_in_xlsx(found: bytes) -> list[str]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(found))
    rows = [row for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python()]
    return [*book.sheet_names, *(str(cell) for row in rows for cell in row)]


def said_by_the_script(text: str) -> str:
    """Return what a page's script says, without the names that it knows it by."""
    return re.sub(r'"\w+":|\{\w+\}', " ", text)


@pytest.mark.parametrize("name", HUMAN)
def test_no_english_word_is_left(name: str) -> None:
    found = report(wordless_session(), name, HUMAN[name])
    readers = {"html": shown_in_html, "xlsx": shown_in_xlsx, "testplan": shown_in_xlsx}
    texts = readers.get(name, lambda it: [it.decode()])
    words = words_in(said_by_the_script(" ".join(texts(found))))

    assert len(words) >= 10
    assert words & english_words() == set()


def test_the_search_for_english_words_finds_them() -> None:
    words = words_in(
        said_by_the_script(" ".join(shown_in_html(report(wordless_session(), "html", lang="en"))))
    )

    assert words & english_words() >= {
        "failed",
        "crashed",
        "device",
        "attempts",
        "printed",
        "search",
    }


@pytest.mark.parametrize("name", MACHINE)
def test_a_report_for_machines_is_the_same_in_every_language(name: str) -> None:
    english = report(sample_session(), name, MACHINE[name], lang="en")

    assert report(sample_session(), name, MACHINE[name], lang="de") == english
    assert report(sample_session(), name, MACHINE[name], lang="xx") == english


def test_an_archive_has_german_pages_and_the_same_data() -> None:
    def members(lang: str) -> dict[str, bytes]:
        data = report(sample_session(), "tar", lang=lang)
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            found = ((each.name, tar.extractfile(each)) for each in tar)
            return {name.rpartition("/")[2]: file.read() for name, file in found if file}

    english, german = members("en"), members("de")

    pages = [name for name in english if name.endswith(".html")]
    assert len(pages) == 1
    assert b'<html lang="de">' in german[pages[0]]
    for ending in (".json", ".xml"):
        for name in english:
            if name.endswith(ending) and "manifest" not in name:
                assert german[name] == english[name]


@settings(max_examples=10, deadline=None)
@given(session=hostile_sessions())
@pytest.mark.parametrize("name", [each for each in FORMATS if each != "xlsx"])
def test_any_session_gives_a_german_report_that_can_be_read(
    name: str, session: SampleSession
) -> None:
    READERS[name](whole_report(session, name, "lang=de"), session)


@settings(max_examples=10, deadline=None)
@given(session=hostile_sessions())
def test_any_session_gives_a_german_workbook_that_can_be_read(session: SampleSession) -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(report(session, "xlsx")))

    rows = book.get_sheet_by_name("Ergebnisse").to_python()[1:]
    wanted = [cell_text(job.id).replace("_x005F_", "_") for job in session.view().jobs()]
    assert [row[2] for row in rows] == wanted


@pytest.mark.parametrize("name", HUMAN)
def test_an_unknown_language_is_an_error_and_the_older_report_stays(
    name: str, tmp_path: Path
) -> None:
    target = tmp_path / "report"
    target.write_bytes(b"older")
    options = [*HUMAN[name], "lang=xx"]

    with pytest.raises(UnknownLanguageError, match="languages: de, en"):
        export(sample_session(), name, target, options=options, registry=REGISTRY)

    assert target.read_bytes() == b"older"


def test_the_page_says_its_language_and_writes_numbers_in_it() -> None:
    page: Any = html.document_fromstring(report(big_session(1250), "html", lang="de-AT").decode())
    said = json.loads(page.get_element_by_id("data").get("data-said") or "")

    assert page.get("lang") == "de"
    assert page.xpath("string(//dl[@class='meta'])").count("Tests1.250\n") == 1
    assert (said["thousands"], said["point"]) == (".", ",")
    assert said["forms"]["jobs"] == ["{count} Tests", "{count} Test"]
    assert [said["forms"]["jobs"][int(each)] for each in said["which"][:3]] == [
        "{count} Tests",
        "{count} Test",
        "{count} Tests",
    ]


def test_a_german_text_tells_reasons_counts_and_durations() -> None:
    lines = report(sample_session(), "text").decode().splitlines()

    assert (
        "    3 Versuche: fehlgeschlagen, abgestürzt (unterbrochen: Neustart), bestanden" in lines
    )
    assert "Urteil: FAIL" in lines
    assert any(line.startswith("42 Tests in 1 h 06 min: 13 fehlgeschlagen, ") for line in lines)
    assert any(
        "    0,25 s  " in line and line.endswith("(com.example::outcome-fail)") for line in lines
    )
    assert "    1 Test gestartet und nicht beendet: dut-7: com.example::in-flight" in lines


def test_jobs_without_a_category_have_a_german_heading() -> None:
    view = wordless_session().view()

    assert {job.category for job in view.jobs()} == {"Uncategorised"}
    assert {job.category for job in view.with_catalog(load_catalog("de")).jobs()} == {
        "Ohne Kategorie"
    }
    assert {job.category for job in view.jobs()} == {"Uncategorised"}


def test_groups_and_tallies_speak_as_their_view_does() -> None:
    view = sample_session().view().with_catalog(load_catalog("de"))

    assert view.tallies[0] == (Outcome.FAIL, "fehlgeschlagen", 13)
    assert (None, "läuft", 1) in view.tallies
    labels = {job.label for group in view.groups() for job in group.jobs()}
    assert "abgestürzt (unterbrochen: Neustart)" in labels
    assert labels == {job.label for job in view.jobs()}
    assert {each.label for group in view.groups() for each in group.tallies} <= {
        each.label for each in view.tallies
    }


def secret_session() -> SampleSession:
    """Return a session whose texts, output and an id hold a secret."""
    result = JobResult(
        outcome="fail",
        comments="by s3cret",
        io_log=[IOLogRecord(0.0, "stdout", b"with s3cret " + b"x" * 900)],
    )
    events: list[AnyEvent] = [
        SessionCreated(at=START, session_id="q", title="of s3cret"),
        DeviceAdded(at=START, device="q1", description="on s3cret", facts={"q2": "s3cret"}),
    ]
    for job_id in ("s3cret", "q3"):
        events.append(JobDefined(at=START, device="q1", job=JobRecord(id=job_id)))
        events.append(ResultRecorded(at=START, device="q1", job_id=job_id, result=result))
    return SampleSession(tuple(events))


def masked_report(name: str, lang: str, **options: str) -> str:
    stream = io.BytesIO()
    rules = RedactionRules(secrets={"TOKEN": "s3cret"})
    options = {"lang": lang, **options}
    export(secret_session(), name, stream, options=options, redact=rules, registry=REGISTRY)
    return stream.getvalue().decode()


def test_marks_of_what_is_masked_or_left_out_are_german_and_ids_stay() -> None:
    page: Any = html.document_fromstring(masked_report("html", "de", only="fail"))

    title = page.xpath("string(//h1)")
    assert title == "of [geschwärzt] [2 von 2 Tests: fail]"
    assert (
        page.xpath("string(//section[starts-with(@class, 'cause')]/h3/bdi)") == "by [geschwärzt]"
    )
    assert page.xpath("string(//dl[@class='facts']//dd)") == "[geschwärzt]"
    assert "with [geschwärzt] xxx" in page.xpath("string(//article//pre)")
    assert page.xpath("string(//article/*[self::h3 or self::h4]/bdi)") == "[redacted]"
    cut = masked_report("html", "de", log_max="100000", **{"log-total": "200"})
    assert "Bytes der Ausgabe weggelassen]" in cut


def test_marks_in_a_document_for_programs_are_english_in_every_language() -> None:
    options = {"only": "fail", "log-total": "200"}
    english = masked_report("json", "en", **options)

    assert masked_report("json", "de", **options) == english
    assert json.loads(english)["session"]["title"] == "of [redacted] [2 of 2 jobs: fail]"
    assert "bytes of output left out]" in english


def test_what_is_masked_is_counted_once_in_whatever_language() -> None:
    rules = RedactionRules(secrets={"TOKEN": "s3cret"})
    changes = [
        export(
            secret_session(),
            "html",
            io.BytesIO(),
            options={"lang": lang},
            redact=rules,
            registry=REGISTRY,
        ).changes
        for lang in ("en", "de")
    ]

    assert changes[0] == changes[1]
    assert changes[0]["redacted: secret TOKEN"] == 8
