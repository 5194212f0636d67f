"""Every promise that `plugins check` looks at is on its page."""

from __future__ import annotations

from tests.docs.check_tables import PAGE, page


def test_every_check_of_every_kind_is_listed_and_no_other() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run tests/docs/check_tables.py"
