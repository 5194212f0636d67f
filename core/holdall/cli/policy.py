"""The integrator's rules about plugins: from the command line, variables and files.

This is the one place that reads them; the library takes a `Policy`.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from holdall.cli.output import note
from holdall.errors import PolicyError, near
from holdall.registry import Policy, Registry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FILE: Final = "holdall.toml"

_TRUTHS: Final = {"1": True, "yes": True, "true": True, "on": True}
_LIES: Final = {"": False, "0": False, "no": False, "false": False, "off": False}
_KEYS: Final = ("alias", "allow", "block", "prefer", "strict")


def installed(*, strict: bool = True) -> Registry:
    """Return the registry of what is installed, under the rules that apply to this command.

    Args:
        strict: Refuse to go on where the rules are strict and there are problems;
            commands that look for the problems do not.
    """
    context = click.get_current_context(silent=True)
    chosen = context.find_root().params.get("no_plugins", False) if context else False
    rules = policy(os.environ, Path.cwd(), no_plugins=chosen)
    if not strict:
        rules = Policy.over(Policy(strict=False), rules)
    return Registry.discover(rules, warn=lambda words: note(f"holdall: {words}"))


def policy(environ: Mapping[str, str], folder: Path, *, no_plugins: bool = False) -> Policy:
    """Return the rules that apply: command line over variables, project and user file.

    Raises:
        PolicyError: A file can't be read, or something in it means nothing.
    """
    found = Policy(only_own="--no-plugins") if no_plugins else Policy()
    found = found.over(_of_variables(environ))
    for path in _files(folder):
        found = found.over(_of_file(path))
    return found


def _of_variables(environ: Mapping[str, str]) -> Policy:
    name = "HOLDALL_NO_PLUGINS"
    given = environ.get(name, "").strip().lower()
    if given not in {**_TRUTHS, **_LIES}:
        raise PolicyError(name, f"it is {environ[name]!r} and should be 1 or 0")
    found = Policy(only_own=f"{name}={given}") if given in _TRUTHS else Policy()
    block = _words(environ.get("HOLDALL_PLUGINS_BLOCK", ""))
    allow = _words(environ.get("HOLDALL_PLUGINS_ALLOW", ""))
    found = found.over(Policy.of(block=block, where="HOLDALL_PLUGINS_BLOCK"))
    return found.over(Policy.of(allow=allow or None, where="HOLDALL_PLUGINS_ALLOW"))


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", text) if word]


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


def _of_file(path: Path) -> Policy:
    import tomllib

    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(str(path), str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        words = "it is not UTF-8" if isinstance(error, ValueError) else str(error.strerror)
        raise PolicyError(str(path), words) from error
    rules = content.get("plugins", {})
    if not isinstance(rules, dict):
        raise PolicyError(_where(path, text, "plugins"), f"it is {rules!r} and should be a table")
    found = Policy()
    for key, value in rules.items():
        where = _where(path, text, key)
        if key not in _KEYS:
            words = f"there is no such key{near(key, _KEYS)} (keys: {', '.join(_KEYS)})"
            raise PolicyError(where, words)
        given: dict[str, Any] = {key: _checked(key, value, where)}
        found = found.over(Policy.of(**given, where=where))
    return found


def _where(path: Path, text: str, key: str) -> str:
    """Return file, line and key, as far as the line can be told."""
    label = "plugins" if key == "plugins" else f"plugins.{key}"
    pattern = rf"^\s*(?:plugins\.)?{re.escape(key)}\s*[=.]|^\s*\[plugins\.{re.escape(key)}"
    for number, line in enumerate(text.splitlines(), start=1):
        if re.match(pattern, line):
            return f"{path}:{number}, {label}"
    return f"{path}, {label}"


def _checked(key: str, value: Any, where: str) -> Any:
    """Return what a key says, or refuse what can't be meant."""
    if key == "strict":
        if isinstance(value, bool):
            return value
        raise PolicyError(where, f"it is {value!r} and should be true or false")
    if key in {"allow", "block"}:
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return value
        raise PolicyError(where, f"it is {value!r} and should be a list of texts")
    pairs = dict(_flat(value)) if isinstance(value, dict) else {}
    if isinstance(value, dict) and all(isinstance(each, str) for each in pairs.values()):
        return pairs
    raise PolicyError(where, f'it is {value!r} and should be like {{"acme.md" = "acme"}}')


def _flat(table: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield a table with dotted keys as TOML reads them without quotes: as tables of tables."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{rest}", each) for rest, each in _flat(value))
        else:
            yield key, value
