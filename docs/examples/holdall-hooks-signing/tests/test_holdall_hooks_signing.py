from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from holdall import SessionManager
from holdall.errors import PluginCallError
from holdall.testing import HooksContract

from holdall_hooks_signing import SigningListener, listener

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text("s3cret\n")
    return path


class TestSigningListener(HooksContract):
    """It keeps the promises of every hook plugin."""

    plugin = listener

    @pytest.fixture
    def given_settings(self, key_file: Path) -> Mapping[str, Any]:
        return {"key_file": str(key_file)}


@pytest.fixture
def manager(key_file: Path) -> Iterator[SessionManager]:
    with SessionManager.create("memory://signing") as made:
        made.hooks.register(SigningListener(), settings={"key_file": str(key_file)})
        yield made


def test_a_report_gets_a_signature(manager: SessionManager, tmp_path: Path) -> None:
    report = tmp_path / "report.txt"

    manager.create_exporter("text").export_to(report)

    digest = sha256(report.read_bytes()).hexdigest()
    signature = (tmp_path / "report.txt.hmac").read_text().strip()
    assert signature == hmac.new(b"s3cret", digest.encode(), "sha256").hexdigest()


def test_without_a_key_nothing_is_exported(
    manager: SessionManager, key_file: Path, tmp_path: Path
) -> None:
    key_file.write_text("")

    with pytest.raises(PluginCallError, match="there is no key"):
        manager.create_exporter("text").export_to(tmp_path / "report.txt")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["key"]
