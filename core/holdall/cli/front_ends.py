"""What other front ends than the command line share with it: `holdall.toml`, and its words.

A front end is started by a person, in a folder, with options of its own. What it calls here
reads the same files and variables as `holdall` does, so that a store has one name in both.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from click import UsageError

from holdall.cli.configuration import configured, installed
from holdall.cli.exits import message
from holdall.cli.options import find_session
from holdall.cli.redaction import rules_of
from holdall.errors import ConfigurationError
from holdall.stores import NamedStore, default_url, open_repository

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdall.contracts import Repository
    from holdall.redaction import RedactionRules
    from holdall.registry import Registry

__all__ = ["Surroundings", "find_session", "message", "redaction_rules", "surroundings"]


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
    patterns: Iterable[str] = (), variables: Iterable[str] = (), keys: Iterable[str] = ()
) -> RedactionRules:
    """Return what is to be masked, by these and by the table `redaction` of `holdall.toml`.

    Raises:
        ConfigurationError: A variable has no value, or a pattern is no regular expression.
    """
    try:
        return rules_of(patterns, variables, keys, configured().redaction)
    except UsageError as error:
        raise ConfigurationError("redaction", error.format_message()) from error
