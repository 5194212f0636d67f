"""Tables of jobs as providers, for holdall."""

from __future__ import annotations

import csv
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from holdall.errors import ProviderLoadError
from holdall.units import Origin, Provider, ProviderProblem, make_unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdall.contracts import ProviderLoader
    from holdall.units import Unit

SUFFIX = ".table"
COLUMNS = "id;category;summary;command"


class TableLoader:
    """A job on each line, below a line that names the columns."""

    def accepts(self, source: str) -> bool:
        """Return whether *source* is a file that ends like one of ours."""
        return source.endswith(SUFFIX) and os.path.isfile(source)

    def load(self, source: str) -> Provider:
        """Return the provider; its units are read when they are first asked for.

        Raises:
            ProviderLoadError: There is no such file, or it has other columns.
        """
        path = Path(source).absolute()
        try:
            with path.open(encoding="utf-8") as file:
                columns = file.readline().strip()
        except (OSError, ValueError) as error:
            raise ProviderLoadError(source, str(error)) from error
        if columns != COLUMNS:
            raise ProviderLoadError(source, f"its first line is not {COLUMNS!r}")
        name = path.stem
        return Provider(
            name,
            namespace=f"acme.{name}",
            version="0",
            source=str(path),
            read=partial(units_in, path, f"acme.{name}"),
            folder=path.parent,
        )


def units_in(path: Path, namespace: str) -> Iterator[Unit | ProviderProblem]:
    """Yield a job for each line, or what is wrong with it, and a category for each heading."""
    seen: set[str] = set()
    with path.open(newline="", encoding="utf-8", errors="backslashreplace") as file:
        rows = csv.reader(file, delimiter=";")
        next(rows, None)
        while True:
            try:
                row = next(rows, None)
                if row is None:
                    return
                origin = Origin(str(path), rows.line_num)
                if len(row) != 4:
                    raise ValueError(f"it has {len(row)} columns and not 4")
                job_id, category, summary, command = row
                heading = "".join(filter(str.isalnum, category.lower())) or "other"
                if heading not in seen:
                    seen.add(heading)
                    fields = {"unit": "category", "id": heading, "name": category or "Other"}
                    yield make_unit(fields, namespace=namespace, origin=origin)
                fields = {"id": job_id, "category_id": heading, "summary": summary}
                fields |= {"plugin": "shell", "command": command}
                yield make_unit(fields, namespace=namespace, origin=origin)
            except (csv.Error, ValueError) as error:
                yield ProviderProblem(str(path), rows.line_num, "error", str(error))


if TYPE_CHECKING:
    _: type[ProviderLoader] = TableLoader
