"""What other front ends than the command line share with it: `holdall.toml`, and its words.

A front end is started by a person, in a folder, with options of its own. What it calls here
reads the same files and variables as `holdall` does, so that a store has one name in both.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from holdall.cli.configuration import RedactionTable, configured, installed
from holdall.errors import ConfigurationError
from holdall.redaction import NOTHING_SECRET
from holdall.stores import NamedStore, default_url, open_repository

if TYPE_CHECKING:
    from collections.abc import Collection

    from holdall.contracts import Repository
    from holdall.redaction import RedactionRules
    from holdall.registry import Registry

__all__ = ["Surroundings", "message", "redaction_rules", "session_named", "surroundings"]


class Surroundings(NamedTuple):
    """What is installed and configured where a front end was started.

    Attributes:
        registry: The installed plugins, by the rules of `holdall.toml`.
        repository: The store that was asked for.
    """

    registry: Registry
    repository: Repository


def surroundings(store: str = "") -> Surroundings:
    """Return the plugins, and the store that *store* means.

    Args:
        store: A URL, or a name of `holdall.toml`; without one that of the variable
            `HOLDALL_STORE`, or the store in the user's data folder.

    Raises:
        HoldallError: A file can't be read, or the store can't be opened.
    """
    registry = installed()
    stores = {
        name: NamedStore(table.url, table.inner) for name, table in configured().stores.items()
    }
    url = store or os.environ.get("HOLDALL_STORE", "") or default_url()
    return Surroundings(registry, open_repository(url, registry=registry, stores=stores))


def redaction_rules(
    patterns: Collection[str] = (), variables: Collection[str] = (), keys: Collection[str] = ()
) -> RedactionRules:
    """Return what is to be masked, by these and by the table `redaction` of `holdall.toml`.

    Raises:
        ConfigurationError: A variable has no value, or a pattern is no regular expression.
    """
    table = configured().redaction
    if not (patterns or variables or keys) and table == RedactionTable():
        return NOTHING_SECRET
    from click import UsageError

    from holdall.cli.redaction import rules_of

    try:
        return rules_of(patterns, variables, keys, table)
    except UsageError as error:
        raise ConfigurationError("redaction", error.format_message()) from error


def session_named(repository: Repository, text: str) -> str:
    """Return the id of the session that *text* means: an id, its beginning, or `last`.

    Raises:
        UnknownSessionError: It means none, or several.
    """
    from holdall.cli.options import find_session

    return find_session(repository, text)


def message(error: BaseException) -> str:
    """Return the message of *error* in one line, with the notes that were added on its way."""
    from holdall.cli import exits

    return exits.message(error)
