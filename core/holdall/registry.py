"""Plugins by name: listed without importing them, imported when asked for."""

from __future__ import annotations

import warnings
from dataclasses import replace
from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, final

from holdall.aliases import Alias, AliasTable
from holdall.candidates import KINDS, Declared, State, check_kind, settle
from holdall.errors import (
    PluginConflictError,
    PluginLoadError,
    PluginUnavailableError,
    UnknownPluginError,
)
from holdall.shapes import misfits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdall.candidates import Candidate


@final
class Registry:
    """The plugins of every kind, by name.

    Building a registry and listing it import no plugin, so a broken one can
    only fail the caller that asks for that very plugin. Every declared plugin
    is listed, with its state and the reason for it.
    """

    def __init__(self, declared: Iterable[Declared] = ()) -> None:
        entries = list(declared)
        self.aliases: Final = AliasTable(_alias(entry) for entry in entries if entry.is_alias)
        self._claims: Final[dict[tuple[str, str], list[Candidate]]] = {}
        self._objects: Final[dict[tuple[str, str], Any]] = {}
        self._warned: Final[set[str]] = set()
        self._lock: Final = RLock()
        for candidate in settle(entry for entry in entries if not entry.is_alias):
            self._claims.setdefault((candidate.kind, candidate.id), []).append(candidate)

    @classmethod
    def discover(cls) -> Registry:
        """Return the registry of everything that is installed; nothing is imported."""
        from holdall.discovery import declared_entry_points

        return cls(declared_entry_points())

    @classmethod
    def of(cls, *declared: Declared) -> Registry:
        """Return a registry of just these declarations."""
        return cls(declared)

    @classmethod
    def empty(cls) -> Registry:
        """Return a registry without plugins."""
        return cls()

    def candidates(self, kind: str) -> list[Candidate]:
        """Return every declared plugin of *kind*, usable or not, sorted by id."""
        check_kind(kind)
        found = [
            replace(candidate, aliases=self._aliases_of(candidate))
            for claims in self._claims.values()
            for candidate in claims
            if candidate.kind == kind
        ]
        return sorted(found, key=lambda candidate: (candidate.id, candidate.distribution))

    def _aliases_of(self, candidate: Candidate) -> tuple[str, ...]:
        return self.aliases.names(candidate.id) if candidate.kind == "exporters" else ()

    def resolve(self, kind: str, name: str) -> Candidate:
        """Return the one usable candidate that *name* means, without importing it.

        An exact id comes first, then an alias, one hop.

        Raises:
            UnknownPluginError: No distribution declares *name*; near names are in the message.
            PluginConflictError: Several distributions declare it.
            PluginUnavailableError: It is declared but may not be used.
        """
        check_kind(kind)
        plugin_id = name if (kind, name) in self._claims else self._target(kind, name)
        claims = self._claims.get((kind, plugin_id), [])
        usable = [claim for claim in claims if claim.state in {State.READY, State.LOADED}]
        if len(usable) == 1:
            return replace(usable[0], aliases=self._aliases_of(usable[0]))
        if any(claim.state is State.AMBIGUOUS for claim in claims):
            raise PluginConflictError(KINDS[kind], plugin_id, [claim.origin for claim in claims])
        for claim in claims:
            if claim.error is not None:
                raise claim.error
            raise PluginUnavailableError(KINDS[kind], plugin_id, claim.state, claim.reason)
        raise UnknownPluginError(KINDS[kind], name, self._names(kind))

    def _target(self, kind: str, name: str) -> str:
        if kind != "exporters":
            return name
        alias = self.aliases.get(name)
        if alias is None:
            claims = self.aliases.claims(name)
            if any(claim.state == "ambiguous" for claim in claims):
                origins = [f"{claim.distribution} for {claim.target!r}" for claim in claims]
                raise PluginConflictError("alias", name, origins)
            return name
        if alias.kind == "legacy" and name not in self._warned:
            self._warned.add(name)
            short = self.aliases.names(alias.target)[0]
            words = f"the exporter name {name!r} is deprecated, write {short!r}"
            warnings.warn(words, DeprecationWarning, stacklevel=4)
        return alias.target

    def _names(self, kind: str) -> list[str]:
        known = {candidate.id for candidate in self.candidates(kind)}
        return sorted((self.aliases.names(each) or (each,))[0] for each in known)

    def load(self, kind: str, name: str) -> Any:
        """Return the plugin that *name* means, imported and checked, always the same object.

        Raises:
            UnknownPluginError, PluginConflictError, PluginUnavailableError: As `resolve`.
            PluginLoadError: Its import failed or it is not such a plugin; the
                same again for every later call.
        """
        with self._lock:
            candidate = self.resolve(kind, name)
            key = (kind, candidate.id)
            if key not in self._objects:
                try:
                    self._objects[key] = _imported(candidate)
                except PluginLoadError as error:
                    self._settle(candidate, State(error.state), error.reason, error)
                    raise
                self._settle(candidate, State.LOADED, "", None)
            return self._objects[key]

    def _settle(
        self, candidate: Candidate, state: State, reason: str, error: PluginLoadError | None
    ) -> None:
        claims = self._claims[(candidate.kind, candidate.id)]
        place = next(
            i for i, claim in enumerate(claims) if claim.distribution == candidate.distribution
        )
        claims[place] = replace(claims[place], state=state, reason=reason, error=error)

    def register(self, kind: str, plugin_id: str, plugin: object) -> None:
        """Add a plugin of the running application: a class, or `module:attribute`.

        It takes the place of nothing: an id that is declared already becomes ambiguous.
        """
        check_kind(kind)
        target = plugin if isinstance(plugin, str) else f"{plugin!r}"
        declared = Declared(kind=kind, name=plugin_id, value=target, distribution="application")
        with self._lock:
            claims = self._claims.setdefault((kind, plugin_id), [])
            claims.append(next(settle([declared])))
            if len(claims) > 1:
                claims[:] = [
                    replace(claim, state=State.AMBIGUOUS, reason="declared more than once")
                    for claim in claims
                ]
            elif not isinstance(plugin, str):
                _check(claims[0], plugin)
                self._objects[(kind, plugin_id)] = plugin


def _alias(entry: Declared) -> Alias:
    return Alias(entry.name, entry.value, "third-party", entry.distribution, *entry.alias_state)


def _imported(candidate: Candidate) -> Any:
    """Import what the candidate names; whatever its import raises is kept at this border."""
    module_name, _, attribute = candidate.target.partition(":")
    try:
        found: Any = import_module(module_name)
        for part in filter(None, attribute.split(".")):
            found = getattr(found, part)
    except KeyboardInterrupt:
        raise
    except ModuleNotFoundError as error:
        state, reason = _missing(candidate, module_name, error)
        raise _load_error(candidate, state, reason) from error
    except BaseException as error:
        reason = f"{type(error).__name__}: {error}"
        raise _load_error(candidate, State.BROKEN, f"its import raised {reason}") from error
    _check(candidate, found)
    return found


def _check(candidate: Candidate, found: object) -> None:
    problems = misfits(candidate.kind, found)
    if problems:
        raise _load_error(candidate, State.INVALID, "; ".join(problems))


def _missing(
    candidate: Candidate, module_name: str, error: ModuleNotFoundError
) -> tuple[State, str]:
    missing = error.name or str(error)
    if missing.partition(".")[0] == module_name.partition(".")[0]:
        return State.BROKEN, f"its import raised {type(error).__name__}: {error}"
    if candidate.extras:
        extras = ",".join(candidate.extras)
        command = f'pip install "{candidate.distribution}[{extras}]"'
        return State.MISSING_DEPENDENCY, f"the module {missing!r} is not installed; {command}"
    return State.MISSING_DEPENDENCY, (
        f"the module {missing!r} is not installed, and {candidate.distribution} does not say "
        f"that it needs it; install it, and tell the authors of {candidate.distribution}"
    )


def _load_error(candidate: Candidate, state: State, reason: str) -> PluginLoadError:
    return PluginLoadError(KINDS[candidate.kind], candidate.id, state, candidate.origin, reason)
