"""Parquet files in Arrow, with the options of other readers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


def test_arrow_counts_the_outcomes_of_every_session(
    written: Callable[..., dict[str, Any]],
) -> None:
    dataset = pytest.importorskip("pyarrow.dataset", reason="pyarrow is not installed")
    for each in written("parquet", ".parquet").values():
        rows = dataset.dataset(each.path).to_table(columns=["outcome"]).to_pylist()
        assert Counter(row["outcome"] for row in rows) == Counter(
            str(job.outcome) for job in each.session.view().jobs()
        )
