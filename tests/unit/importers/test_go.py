"""Events of `go test -json` become jobs, also of packages that broke and runs cut off."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from holdall.recording import import_results
from holdall.testing.importers import imported
from holdall_plugins.importers.go import GoImporter
from holdall_plugins.stores.memory import MemoryRepository

RUN = Path(__file__).parents[2] / "data/importers/go/run.json"


def test_each_test_is_a_job_of_its_package() -> None:
    jobs = list(imported(GoImporter, RUN).jobs())

    assert [(job.id, str(job.outcome), job.duration) for job in jobs] == [
        ("example.com/lab.TestDisk", "pass", 0.25),
        ("example.com/lab.TestNet", "fail", 0.1),
        ("example.com/lab.TestNet/eth0", "fail", 0.1),
        ("example.com/lab.TestUSB", "skip", 0.0),
        ("example.com/lab.BenchmarkCopy", "pass", None),
        ("example.com/broken", "error", 0.0),
    ]
    assert {job.category for job in jobs} == {"example.com/lab", "example.com/broken"}


def test_messages_reasons_and_moments_are_those_of_the_events() -> None:
    jobs = {job.id.rpartition(".")[2]: job for job in imported(GoImporter, RUN).jobs()}

    assert jobs["TestNet/eth0"].comments == "net_test.go:12: no link on eth0"
    assert jobs["TestUSB"].last.skip_reason == "usb_test.go:8: no USB here"
    assert jobs["TestDisk"].last.started_at == pytest.approx(1772442000.2)
    assert b"undefined: y" in b"".join(record.data for record in jobs["com/broken"].io_log())


def test_a_benchmark_has_its_numbers_as_measurements() -> None:
    bench = list(imported(GoImporter, RUN).jobs())[4]

    assert [(each.name, each.value) for each in bench.measurements] == [
        ("ns/op", 1042),
        ("B/op", 96),
        ("allocs/op", 2),
    ]


def test_what_is_no_event_and_packages_without_tests_are_counted() -> None:
    done = import_results(RUN, MemoryRepository())

    assert done.left_out == {"lines that are no events": 1, "packages without tests": 1}


def test_a_test_without_an_end_has_crashed(tmp_path: Path) -> None:
    source = tmp_path / "cut.json"
    source.write_text("".join(RUN.read_text().splitlines(keepends=True)[:8]))

    jobs = list(imported(GoImporter, source).jobs())

    assert {str(job.outcome) for job in jobs} == {"crash"}
    assert jobs[0].comments == "the stream ended before the test did"


def test_a_test_that_prints_a_lot_keeps_all_of_it(tmp_path: Path) -> None:
    source = tmp_path / "loud.json"
    head = '{"Action":"%s","Package":"p","Test":"TestLoud"%s}\n'
    line = "x" * 999 + "\\n"
    source.write_text(
        head % ("run", "")
        + head % ("output", f',"Output":"{line}"') * 1000
        + head % ("pass", ',"Elapsed":1')
    )

    (job,) = imported(GoImporter, source).jobs()

    assert job.last.io_log_size == 1_000_000
    assert str(job.outcome) == "pass"


@pytest.mark.parametrize("printed", ["1" * 20_000, "1e999 ns/op", "x" * 20_000 + "/op"])
def test_what_a_benchmark_prints_besides_is_passed_over(tmp_path: Path, printed: str) -> None:
    source = tmp_path / "bench.json"
    head = '{"Time":"0001-01-01T00:00:00Z","Action":"%s","Package":"p","Test":"BenchmarkX"%s}\n'
    output = f',"Output":"{printed}"'
    source.write_text(head % ("run", "") + head % ("output", output) + head % ("bench", ""))

    begun = time.process_time()
    (job,) = imported(GoImporter, source).jobs()

    assert time.process_time() - begun < 2
    assert (str(job.outcome), job.measurements, job.last.started_at) == ("pass", (), None)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"Action":"explode","Package":"p"}', "line 2: the action 'explode' is none of"),
        ('{"Action":"pass"}', "line 2: the event names no package"),
        ('{"Action":"pass","Pack', "line 2: "),
        ('{"Action":7,"Package":"p"}', "line 2: Expected `str`"),
        ('{"Action":"pass","Package":"p","Test":"T","Elapsed":-1}', "line 2: execution_duration"),
    ],
)
def test_a_broken_event_has_its_line(tmp_path: Path, line: str, words: str) -> None:
    source = tmp_path / "broken.json"
    source.write_text('{"Action":"start","Package":"p"}\n' + line + "\n")

    with pytest.raises(ValueError, match=words):
        imported(GoImporter, source)


def test_counts_of_a_real_run_are_those_of_go() -> None:
    # What `go test -v` of the same packages counted: 13 PASS, 6 FAIL, 1 SKIP; and besides those
    # a package that did not build, one whose TestMain gave up, and a test that ran out of time.
    jobs = list(imported(GoImporter, RUN.with_name("lab.json")).jobs())

    assert Counter(str(job.outcome) for job in jobs) == {
        "pass": 13,
        "fail": 6,
        "skip": 1,
        "error": 2,
        "crash": 1,
    }
    assert jobs[0].comments == "broken/b_test.go:3:28: undefined: undefined"
    attributed = next(job for job in jobs if job.id.endswith("TestAttr"))
    assert [(each.name, each.value) for each in attributed.measurements] == [("key", "value")]
