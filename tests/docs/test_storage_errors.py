"""The arguments of storage errors, which authors of stores raise, are in the reference."""

from __future__ import annotations

import inspect

from tests.docs.test_reference import code, rows, section

from holdall.errors import StorageError, storage


def test_the_arguments_of_each_storage_error_are_documented() -> None:
    table = rows(section("stores", "Arguments of errors"))

    assert [(code(call), code(parent)) for call, parent in table] == calls()


def calls() -> list[tuple[str, str]]:
    """Return how each storage error is made, and what it is one of."""
    kinds = [
        kind
        for kind in vars(storage).values()
        if isinstance(kind, type) and issubclass(kind, StorageError) and kind is not StorageError
    ]
    return [(f"{kind.__name__}{arguments(kind)}", kind.__bases__[0].__name__) for kind in kinds]


def arguments(kind: type) -> inspect.Signature:
    given = inspect.signature(kind).parameters.values()
    return inspect.Signature([argument.replace(annotation=argument.empty) for argument in given])
