"""The integrator's configuration: plugin policy, settings, stores and devices.

This is the one place that reads files, variables and options of the command
line for it; the library takes the values.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from holdall.cli.output import note
from holdall.cli.retention import read_retention
from holdall.cli.toml_file import TomlFile
from holdall.cli.tried import register_tried
from holdall.errors import ConfigurationError, PolicyError, near
from holdall.redaction import RedactionRules
from holdall.registry import PluginPolicy, Registry
from holdall.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdall.upkeep import Retention

FILE: Final = "holdall.toml"

_TRUTHS: Final = {"1": True, "yes": True, "true": True, "on": True}
_LIES: Final = {"": False, "0": False, "no": False, "false": False, "off": False}
_TABLES: Final = ("plugins", "settings", "stores", "devices", "redaction", "environment")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RULES: Final = ("alias", "allow", "block", "prefer", "strict")


class StoreTable(NamedTuple):
    """A store under a name of its own: `[stores.lab]`.

    Attributes:
        url: What it is; a wrapper's name and options where it has several inners.
        inner: Names or URLs of the stores behind the wrapper that *url* names.
        retention: Which sessions may go after a run; None for none.
    """

    url: str
    inner: tuple[str, ...] = ()
    location: str = ""
    retention: Retention | None = None


class DeviceTable(NamedTuple):
    """A device, and how it is reached: `[devices.dut-7]`.

    Attributes:
        runner: URL of the runner that performs its jobs; None where nobody said.
    """

    runner: str | None = None
    description: str = ""
    facts: Mapping[str, str] = MappingProxyType({})
    location: str = ""


class RedactionTable(NamedTuple):
    """What is masked before it is stored: `[redaction]`.

    Attributes:
        env: Names of variables whose values are secret.
        patterns: Regular expressions.
        keys: Names whose values are secret.
    """

    env: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


class Configuration(NamedTuple):
    """The configuration, merged from files, variables and options.

    Attributes:
        settings: By plugin id, what its table says and where it stands.
        environment: Variables that jobs see where the environment has none of the name.
    """

    policy: PluginPolicy = PluginPolicy()
    settings: Mapping[str, Settings] = MappingProxyType({})
    stores: Mapping[str, StoreTable] = MappingProxyType({})
    devices: Mapping[str, DeviceTable] = MappingProxyType({})
    redaction: RedactionTable = RedactionTable()
    environment: Mapping[str, str] = MappingProxyType({})

    def over(self, weaker: Configuration) -> Configuration:
        """Return both as one; of what both say, this one counts, settings key by key."""
        settings = dict(weaker.settings)
        for plugin_id, table in self.settings.items():
            known = settings.get(plugin_id)
            settings[plugin_id] = table.over(known) if known else table
        return Configuration(
            policy=self.policy.over(weaker.policy),
            settings=settings,
            stores={**weaker.stores, **self.stores},
            devices={**weaker.devices, **self.devices},
            environment={**weaker.environment, **self.environment},
            # Of secrets, either file may name more.
            redaction=RedactionTable(
                *(
                    (*ours, *theirs)
                    for ours, theirs in zip(self.redaction, weaker.redaction, strict=True)
                )
            ),
        )


def installed(*, strict: bool = True) -> Registry:
    """Return the registry of what is installed, as it is configured for this command.

    Args:
        strict: Refuse to go on where the rules are strict and there are problems;
            commands that look for the problems do not.
    """
    configuration = configured()
    loose = PluginPolicy(strict=None if strict else False)
    registry = Registry.discover(
        loose.over(configuration.policy),
        settings=configuration.settings,
        warn=lambda message: note(f"holdall: {message}"),
    )
    register_tried(registry)
    return registry


def configured() -> Configuration:
    """Return what is configured for the running command."""
    context = click.get_current_context(silent=True)
    chosen = context.find_root().params.get("no_plugins") if context else None
    return read_configuration(os.environ, Path.cwd(), no_plugins=chosen)


def read_configuration(
    environ: Mapping[str, str], folder: Path, *, no_plugins: str | None = None
) -> Configuration:
    """Return what is configured: command line over variables, project's and user's file.

    Args:
        no_plugins: What the option `--no-plugins` was given; `*` without a value.

    Raises:
        PolicyError, ConfigurationError: A file can't be read, or something in it means nothing.
    """
    policy = _excluded(no_plugins, "--no-plugins").over(_policy_of_variables(environ))
    configuration = Configuration(policy)
    for path in _files(folder):
        configuration = configuration.over(_read_file(path))
    return configuration


def _excluded(given: str | None, source: str) -> PluginPolicy:
    """Return the policy without all plugins but holdall's own, or without the ones named."""
    if given is None:
        return PluginPolicy()
    if given == "*":
        return PluginPolicy(only_own=source)
    return PluginPolicy.of(block=_split(given), location=source)


def _policy_of_variables(environ: Mapping[str, str]) -> PluginPolicy:
    name = "HOLDALL_NO_PLUGINS"
    given = environ.get(name, "").strip()
    if given.lower() in _TRUTHS:
        policy = _excluded("*", f"{name}={given}")
    elif given.lower() in _LIES:
        policy = PluginPolicy()
    elif re.search(r"[.:,]", given):
        policy = _excluded(given, name)
    else:
        reason = f"it is {environ[name]!r} and should be 1 or 0, or ids of plugins"
        raise PolicyError(name, reason)
    block = _split(environ.get("HOLDALL_PLUGINS_BLOCK", ""))
    allow = _split(environ.get("HOLDALL_PLUGINS_ALLOW", ""))
    policy = policy.over(PluginPolicy.of(block=block, location="HOLDALL_PLUGINS_BLOCK"))
    return policy.over(PluginPolicy.of(allow=allow or None, location="HOLDALL_PLUGINS_ALLOW"))


def _split(text: str) -> list[str]:
    return [part for part in re.split(r"[\s,]+", text) if part]


def _files(folder: Path) -> Iterator[Path]:
    """Yield the project's file, from *folder* upward, and the user's."""
    users = users_folder() / FILE
    for above in (folder, *folder.parents):
        if (above / FILE).is_file():
            if above / FILE != users:
                yield above / FILE
            break
    if users.is_file():
        yield users


def users_folder() -> Path:
    """Return the folder of the user's configuration."""
    if sys.platform == "linux":  # what platformdirs says too, whose import listing would pay for
        base = os.environ.get("XDG_CONFIG_HOME", "").strip()
        return (Path(base) if base else Path.home() / ".config") / "holdall"
    from platformdirs import user_config_path

    return user_config_path("holdall")


def _read_file(path: Path) -> Configuration:
    import tomllib

    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(str(path), str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8" if isinstance(error, ValueError) else str(error.strerror)
        raise PolicyError(str(path), reason) from error
    file = TomlFile(path, text)
    for name in content:
        if name not in _TABLES:
            reason = f"there is no such table{near(name, _TABLES)} (tables: {', '.join(_TABLES)})"
            raise ConfigurationError(file.location(name), reason)
    tables = {name: file.table(content.get(name, {}), name) for name in _TABLES}
    return Configuration(
        policy=_read_policy(file, tables["plugins"]),
        settings={
            plugin_id: Settings(values, file.location("settings", plugin_id))
            for plugin_id, values in _flat_tables(file, tables["settings"], "settings")
        },
        stores={
            name: _read_store(file, name, file.table(value, "stores", name))
            for name, value in tables["stores"].items()
        },
        devices={
            device_id: _read_device(file, device_id, file.table(value, "devices", device_id))
            for device_id, value in tables["devices"].items()
        },
        redaction=_read_redaction(file, tables["redaction"]),
        environment=_read_environment(file, tables["environment"]),
    )


def _read_policy(file: TomlFile, rules: dict[str, Any]) -> PluginPolicy:
    policy = PluginPolicy()
    file.known(rules, _RULES, "plugins")
    for key, value in rules.items():
        given: dict[str, Any] = {key: _rule(file, key, value)}
        policy = policy.over(PluginPolicy.of(**given, location=file.location("plugins", key)))
    return policy


def _rule(file: TomlFile, key: str, value: Any) -> Any:
    """Return what a key says, or refuse what can't be meant."""
    if key == "strict":
        if isinstance(value, bool):
            return value
        raise file.refuse(f"it is {value!r} and should be true or false", "plugins", key)
    if key in {"allow", "block"}:
        return file.texts(value, "plugins", key)
    pairs = dict(_flat(value)) if isinstance(value, dict) else {}
    if isinstance(value, dict) and all(isinstance(text, str) for text in pairs.values()):
        return pairs
    raise file.refuse(f'it is {value!r} and should be like {{"acme.md" = "acme"}}', "plugins", key)


def _read_redaction(file: TomlFile, table: dict[str, Any]) -> RedactionTable:
    file.known(table, RedactionTable._fields, "redaction")
    lists = {key: tuple(file.texts(value, "redaction", key)) for key, value in table.items()}
    for key, texts in lists.items():
        if not all(text.strip() for text in texts):
            raise file.refuse("none of them can be empty", "redaction", key)
    try:
        RedactionRules(patterns=lists.get("patterns", ()))
    except ValueError as error:
        raise file.refuse(str(error), "redaction", "patterns") from error
    return RedactionTable(**lists)


def _read_environment(file: TomlFile, table: dict[str, Any]) -> dict[str, str]:
    for name, value in table.items():
        if not is_variable(name):
            raise file.refuse("it can't be the name of a variable", "environment", name)
        if "\0" in file.string(value, "environment", name):
            raise file.refuse("no variable can hold a NUL", "environment", name)
    return table


def is_variable(name: str) -> bool:
    """Whether *name* can be that of a variable that shells read."""
    return bool(_VARIABLE.fullmatch(name))


def _read_store(file: TomlFile, name: str, table: dict[str, Any]) -> StoreTable:
    keys = ("stores", name)
    file.known(table, ("url", "inner", "retention"), *keys)
    if "url" not in table:
        raise file.refuse("it has no key 'url'", *keys)
    if "::" in name or ":" in name:
        raise file.refuse("the name of a store can't have a ':', which URLs have", *keys)
    return StoreTable(
        url=file.text(table["url"], *keys, "url"),
        inner=tuple(file.texts(table.get("inner", []), *keys, "inner")),
        location=file.location(*keys),
        retention=read_retention(file, table["retention"], *keys)
        if "retention" in table
        else None,
    )


def _read_device(file: TomlFile, device_id: str, table: dict[str, Any]) -> DeviceTable:
    keys = ("devices", device_id)
    file.known(table, ("runner", "description", "facts"), *keys)
    facts = file.table(table.get("facts", {}), *keys, "facts")
    for name, value in facts.items():
        file.text(value, *keys, "facts", name)
    runner = table.get("runner")
    return DeviceTable(
        runner=None if runner is None else file.text(runner, *keys, "runner"),
        description=file.string(table.get("description", ""), *keys, "description"),
        facts=facts,
        location=file.location(*keys),
    )


def _flat_tables(
    file: TomlFile, tables: dict[str, Any], *keys: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the settings of each plugin; an id without quotes is read as tables of tables."""
    for name, value in tables.items():
        table = file.table(value, *keys, name)
        plugin_id = ".".join((*keys[1:], name))
        nested = {key: item for key, item in table.items() if isinstance(item, dict)}
        if nested and len(nested) == len(table):
            yield from _flat_tables(file, table, *keys, name)
        else:
            yield plugin_id, table


def _flat(table: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield a table with dotted keys as TOML reads them without quotes: as tables of tables."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{rest}", text) for rest, text in _flat(value))
        else:
            yield key, value
