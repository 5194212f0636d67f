"""Open Test Reports against the schemas of the format, in xmllint and lxml."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="module")
def schema() -> Path:
    """Return the schema of events, which the schema of the core is beside."""
    folder = os.environ.get("HOLDALL_OTR_XSD")
    if not folder:
        pytest.skip("HOLDALL_OTR_XSD names no folder with core.xsd and events.xsd")
    return Path(folder) / "events.xsd"


@pytest.mark.parametrize("options", [[], ["logs=all", "log-max=40"]])
def test_xmllint_finds_every_report_valid(
    schema: Path,
    options: list[str],
    written: Callable[..., dict[str, Any]],
    program: Callable[[str], str],
    run: Callable[..., str],
) -> None:
    paths = [each.path for each in written("otr", ".xml", *options).values()]

    run(program("xmllint"), "--noout", "--schema", schema, *paths)


@pytest.mark.parametrize("options", [[], ["logs=all", "log-max=40"]])
def test_lxml_finds_every_report_valid(
    schema: Path, options: list[str], written: Callable[..., dict[str, Any]]
) -> None:
    by_schema = etree.XMLSchema(etree.parse(schema))
    for each in written("otr", ".xml", *options).values():
        by_schema.assertValid(etree.parse(each.path))
