"""Scaffolds and the examples of the pages, built, installed and used in a fresh environment."""

from __future__ import annotations

import hmac
import json
import sysconfig
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.venvs import ROOT, fresh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.venvs import Venv

EXAMPLES = ROOT / "docs" / "examples"
SCRIPTS = Path(sysconfig.get_path("scripts"))

SCAFFOLDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "exporter": ("trial.notes", ()),
    "hooks": ("trial_hooks", ()),
    "runner": ("trial_runner", ("--url", "trial_runner:nice -n 1")),
    "importer": ("trial_importer", ("--source", "tests/samples/results.jsonl")),
    "repository": ("trial_store", ()),
    "wrapper": ("trial_wrapper", ()),
    "provider": ("trial_provider", ()),
    "provider_loader": (
        "trial_loader",
        ("--source", "tests/samples/sample.trial_loader"),
    ),
}
"""By kind: the name that is scaffolded, and what `plugins check` is given besides."""

SOME = {
    "repository": "without_a_folder or driven_out or every_entry or blob_comes_back",
    "wrapper": "its_url or capabilities or every_entry or takes_long or no_number",
}
"""By kind: the tests of a scaffold to run, where all of them take long."""

CHECKED = ("exporter", "hooks")
"""Kinds that are checked here; for others the test of their page does it, which takes its time."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Venv:
    """An environment with holdall, a scaffolded package of each kind, and every example."""
    made = fresh(tmp_path_factory.mktemp("lab"))
    for kind, (name, _more) in SCAFFOLDS.items():
        folder = made.folder / "scaffolds" / kind
        done = made.holdall("plugins", "new", kind, name, "--directory", str(folder))
        assert done.code == 0, done.err
    scaffolds = [made.folder / "scaffolds" / kind for kind in SCAFFOLDS]
    made.install(*scaffolds, *(path.parent for path in EXAMPLES.glob("*/pyproject.toml")))
    return made


@pytest.mark.sampled(2)
@pytest.mark.parametrize("kind", SCAFFOLDS)
def test_a_scaffolded_package_passes_its_own_tests(lab: Venv, kind: str) -> None:
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly")
    fewer = ("-k", SOME[kind]) if kind in SOME else ()

    tests = lab.run(
        lab.python, "-m", "pytest", *options, *fewer, cwd=lab.folder / "scaffolds" / kind
    )

    assert (tests.code, "passed" in tests.out) == (0, True), tests.out


@pytest.mark.parametrize("kind", CHECKED)
def test_a_scaffolded_package_passes_the_checks_of_its_kind(lab: Venv, kind: str) -> None:
    name, more = SCAFFOLDS[kind]

    holdall = lab.python.parent / "holdall"
    folder = lab.folder / "scaffolds" / kind
    checked = lab.run(holdall, "plugins", "check", name, *more, cwd=folder)

    assert (checked.code, "checks passed" in checked.out) == (0, True), checked.out + checked.err


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("example", "some"),
    [
        ("holdall-exporter-acme-markdown", "not promise"),
        ("holdall-exporter-acme-site", "not promise"),
        ("holdall-hooks-signing", ""),
        ("holdall-runner-prefix", "not promise"),
        ("holdall-wrapper-zipped", "smaller or is_damage or can_not_be or its_url"),
    ],
)
def test_an_example_passes_its_own_tests(lab: Venv, example: str, some: str) -> None:
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-k", some)

    tests = lab.run(lab.python, "-m", "pytest", *options, cwd=EXAMPLES / example)

    assert (tests.code, "passed" in tests.out) == (0, True), tests.out


def test_the_tools_find_nothing_wrong_with_scaffolds_and_examples(lab: Venv) -> None:
    folders = [lab.folder / "scaffolds" / kind for kind in SCAFFOLDS]
    folders += [path.parent for path in EXAMPLES.glob("*/pyproject.toml")]
    sources = [str(file) for folder in folders for file in folder.rglob("*.py")]
    config = ("--config-file", str(folders[0] / "pyproject.toml"), "--explicit-package-bases")
    commands = (
        ("ruff", "check", "--no-cache", *map(str, folders)),
        ("ruff", "format", "--check", "--no-cache", *map(str, folders)),
        ("mypy", *config, "--cache-dir", str(lab.folder / "mypy"), *sources),
    )
    if not all((SCRIPTS / command[0]).exists() for command in commands):
        pytest.skip("ruff and mypy are not installed")

    done = [lab.run(SCRIPTS / command[0], *command[1:]) for command in commands]

    assert [each.out + each.err for each in done if each.code] == []


def test_the_example_exporters_write_a_list_and_a_folder(lab: Venv) -> None:
    configured(lab, "")
    lab.holdall("testing", "make-session", "--jobs", "10", "--devices", "2")
    plain = {"HOLDALL_PLUGINS_BLOCK": "signing"}

    listed = lab.holdall("export", "last", "md", "-O", "md.bullet=*", **plain)
    site = lab.holdall("export", "last", "acme.site=site", "--verify", **plain)

    assert listed.out.splitlines()[:3] == ["# 10 jobs", "", "* pass `com.example::job/0`"]
    assert site.code == 0, site.err
    pages = {path.name for path in (lab.folder / "home" / "site").glob("*.html")}
    assert pages == {"index.html", "device-1.html", "device-2.html"}


def test_the_example_of_a_store_is_what_is_scaffolded(lab: Venv) -> None:
    example, folder = EXAMPLES / "holdall-repository-batches", lab.folder / "batches"

    lab.holdall("plugins", "new", "repository", "batches", "--directory", str(folder))

    paths = [path.relative_to(example) for path in example.rglob("*.py")]
    assert len(paths) == 4
    assert {path: (folder / path).read_text() for path in paths} == {
        path: (example / path).read_text() for path in paths
    }


class _Keeping(BaseHTTPRequestHandler):
    """Keeps the documents that it is sent."""

    received: list[Any]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Write nothing to the output of the tests."""


@pytest.fixture
def server() -> Iterator[tuple[str, list[Any]]]:
    """Return the address of a web server on this machine, and what it was sent."""
    received: list[Any] = []
    handler = type("Handler", (_Keeping,), {"received": received})
    with HTTPServer(("127.0.0.1", 0), handler) as made:
        Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"http://127.0.0.1:{made.server_port}/", received
        made.shutdown()


def configured(lab: Venv, text: str) -> None:
    (lab.folder / "home" / "holdall.toml").write_text(text)


def test_the_example_webhook_notifies_a_server(lab: Venv, server: tuple[str, list[Any]]) -> None:
    url, received = server
    configured(lab, f'[settings.webhook]\nurl = "{url}"\n')

    done = lab.holdall("run", "smoke", "--job", "executable")

    assert done.code == 0, done.err
    sent = [(record["job"], record["outcome"]) for record in received]
    assert sent == [("holdall.smoke::executable", "pass")]


def test_the_example_signing_signs_reports_and_exports_none_without_a_key(lab: Venv) -> None:
    home = lab.folder / "home"
    configured(lab, '[settings.signing]\nkey_file = "key"\n')
    (home / "key").write_text("s3cret")
    lab.holdall("run", "smoke", "--job", "executable")

    done = lab.holdall("export", "last", "text=report.txt")
    (home / "key").unlink()
    refused = lab.holdall("export", "last", "text=other.txt")

    digest = sha256((home / "report.txt").read_bytes()).hexdigest()
    signature = hmac.new(b"s3cret", digest.encode(), "sha256").hexdigest()
    assert (done.code, (home / "report.txt.hmac").read_text()) == (0, f"{signature}\n")
    assert (refused.code, "'signing' of holdall-hooks-signing" in refused.err) == (4, True)
    assert not (home / "other.txt").exists()


def test_the_example_importer_makes_a_report_of_a_table(lab: Venv) -> None:
    folder = EXAMPLES / "holdall-importer-rack"
    sample = str(folder / "tests" / "samples" / "night.csv")

    done = lab.holdall("import", sample, "--json")
    report = lab.holdall("export", "last", "junit", HOLDALL_PLUGINS_BLOCK="signing")
    tests = lab.run(lab.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder)

    (row,) = json.loads(done.out)
    assert (row["importers"], row["verdict"]) == (["rack"], "FAIL")
    assert 'name="fan/noise"' in report.out
    assert tests.code == 0, tests.out


def test_the_example_prefix_performs_jobs_behind_its_command(lab: Venv) -> None:
    configured(lab, "")
    device = ("--device", "slow=prefix:env ABOVE=all")

    done = lab.holdall("run", "smoke", "--job", "executable", *device)
    refused = lab.holdall("run", "smoke", "--job", "executable", "--device", "slow=prefix:")

    assert (done.code, "PASS: 1 pass" in done.err + done.out) == (0, True), done.err
    assert refused.code != 0
    assert "write prefix:COMMAND" in refused.err


def test_the_example_zipped_stores_no_entry_as_it_is(lab: Venv) -> None:
    configured(lab, "")
    url = f"zipped::{(lab.folder / 'zipped').as_uri()}"

    done = lab.holdall("run", "smoke", "--job", "executable", "--store", url)
    report = lab.holdall("export", "last", "text", "--store", url)

    journals = [path.read_bytes() for path in (lab.folder / "zipped").rglob("journal-*")]
    assert (done.code, report.code) == (0, 0), done.err + report.err
    assert "holdall.smoke::executable" in report.out
    assert [b"executable" in journal for journal in journals] == [False]


def test_the_example_batches_keeps_a_session(lab: Venv) -> None:
    configured(lab, "")
    url = f"batches://{lab.folder / 'batches-store'}"

    done = lab.holdall("run", "smoke", "--job", "executable", "--store", url)
    report = lab.holdall("export", "last", "text", "--store", url)

    assert (done.code, report.code) == (0, 0), done.err + report.err
    assert "holdall.smoke::executable" in report.out


def test_the_example_provider_ships_what_its_jobs_call(lab: Venv) -> None:
    configured(lab, "")
    done = lab.holdall("run", "disks", "--json", HOLDALL_PLUGINS_BLOCK="webhook signing")
    checked = lab.holdall("plugins", "check", "disks")

    assert json.loads(done.out)["outcomes"] == {"pass": 4}
    assert "disks of holdall-provider-disks 0.1.0: 10 of 10 checks passed" in checked.out


def test_the_example_loader_runs_a_table(lab: Venv) -> None:
    configured(lab, "")
    sample = str(EXAMPLES / "holdall-provider-loader-table/tests/samples/burnin.table")
    done = lab.holdall("run", sample, "--json", HOLDALL_PLUGINS_BLOCK="webhook signing")

    assert json.loads(done.out)["outcomes"] == {"pass": 3}
