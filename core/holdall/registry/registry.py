"""Plugins by name: listed without importing them, imported when asked for."""

from __future__ import annotations

import importlib
import warnings
from dataclasses import replace
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, NamedTuple, final

from holdall.deprecation import warn_deprecated
from holdall.errors import PluginLoadError, StrictPolicyError, UnknownPluginError
from holdall.registry.aliases import Alias, AliasTable, alias_fault
from holdall.registry.candidates import (
    APPLICATION,
    KINDS,
    Declared,
    PluginProblem,
    State,
    check_kind,
    id_fault,
    settle,
)
from holdall.registry.loading import check, imported, load_error
from holdall.registry.policy import EVERYTHING, THE_APPLICATION
from holdall.registry.resolution import Names
from holdall.registry.rules import unmatched
from holdall.settings import NO_SETTINGS
from holdall.tracing import NAMES, listener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from holdall.registry.aliases import AliasState
    from holdall.registry.candidates import Candidate
    from holdall.registry.discovery import Scan
    from holdall.registry.policy import PluginPolicy
    from holdall.registry.resolution import Resolution
    from holdall.settings import Settings

_FINE: Final = frozenset({State.READY, State.LOADED, State.BLOCKED})


class PolicyWarning(UserWarning):
    """A rule about plugins matches nothing."""


class _Outcome(NamedTuple):
    """The outcome of a load: the plugin, or why it failed."""

    version: str
    plugin: Any = None
    error: PluginLoadError | None = None


@final
class Registry:
    """The plugins of every kind, by name.

    Building a registry and listing it import no plugin, so a broken one can
    only fail the caller that asks for that very plugin. Every declared plugin
    is listed, with its state and the reason for it. Threads may share one.
    """

    def __init__(
        self,
        declared: Iterable[Declared] = (),
        *,
        policy: PluginPolicy = EVERYTHING,
        problems: Iterable[PluginProblem] = (),
        settings: Mapping[str, Settings] | None = None,
    ) -> None:
        declared = list(declared)
        for entry in declared:
            if not isinstance(entry, Declared):
                raise TypeError(f"a registry is made of Declared, not of {entry!r}")
        self.policy: Final = policy
        self._settings: Final = dict(settings or {})
        self._source: Callable[[], Scan] | None = None
        self._scanned = (declared, list(problems))
        self._registered: Final[list[Declared]] = []
        self._warn_later: Callable[[str], object] | None = None
        self._reported: Final[set[str]] = set()
        self._outcomes: Final[dict[tuple[str, ...], _Outcome]] = {}
        self._warned: Final[set[str]] = set()
        self._lock: Final = RLock()
        self._loading: Final[dict[tuple[str, ...], RLock]] = {}
        self._settle()

    @classmethod
    def discover(
        cls,
        policy: PluginPolicy = EVERYTHING,
        *,
        settings: Mapping[str, Settings] | None = None,
        warn: Callable[[str], object] | None = None,
    ) -> Registry:
        """Return the registry of everything that is installed; nothing is imported.

        Args:
            policy: What may be used; no environment and no file is read for it.
            settings: What is set for plugins, by their ids.
            warn: Called for each rule that matches nothing; by default emits a `PolicyWarning`.
                What the application prefers, and its aliases, may be of plugins that it is
                going to register, so these are checked when the first name is resolved.

        Raises:
            StrictPolicyError: The policy is strict, and there are problems.
        """
        from holdall.registry.discovery import scan

        scanned = scan()
        registry = cls(
            scanned.declared, policy=policy, problems=scanned.problems, settings=settings
        )
        registry._source = scan
        registry._warn_later = warn or _warn
        registry._check_rules(policy.without_names_of(THE_APPLICATION))
        if policy.strict and registry.problems():
            raise StrictPolicyError([str(problem) for problem in registry.problems()])
        return registry

    @classmethod
    def given(cls, registry: Registry | None) -> Registry:
        """Return *registry*, or that of everything installed if the caller gave none."""
        return cls.discover() if registry is None else registry

    @classmethod
    def of(cls, *declared: Declared, policy: PluginPolicy = EVERYTHING) -> Registry:
        """Return a registry of just these declarations."""
        return cls(declared, policy=policy)

    @classmethod
    def empty(cls) -> Registry:
        """Return a registry without plugins."""
        return cls()

    @property
    def aliases(self) -> AliasTable:
        """The other names for exporters."""
        return self._names.aliases

    def settings(self, plugin_id: str) -> Settings:
        """Return what is set for the plugin of that id."""
        return self._settings.get(plugin_id, NO_SETTINGS)

    def candidates(self, kind: str) -> list[Candidate]:
        """Return every declared plugin of *kind*, usable or not, sorted by id."""
        check_kind(kind)
        names = self._names
        declared = [
            replace(candidate, aliases=names.aliases_of(candidate))
            for candidate in self._all()
            if candidate.kind == kind
        ]
        return sorted(
            declared, key=lambda plugin: (plugin.id, plugin.distribution, plugin.location)
        )

    def resolve(self, kind: str, name: str) -> Candidate:
        """Return the one usable candidate that *name* means, without importing it.

        An exact id comes first, then an alias, one hop.

        Raises:
            UnknownPluginError: No distribution declares *name*; near names are in the message.
            PluginConflictError: Several distributions declare it.
            PluginUnavailableError: It is declared but may not be used.
            PluginLoadError: It was loaded before, and that failed.
        """
        if self._warn_later is not None:
            self._check_rules(self.policy)
            self._warn_later = None
        resolution = self.explain(kind, name)
        trace = listener(NAMES)
        if trace is not None:
            trace.debug("%s", resolution)
        if resolution.legacy is not None:
            self._deprecated(resolution.legacy)
        return resolution.get()

    def explain(self, kind: str, name: str) -> Resolution:
        """Return what *name* means, with every step that led there; raises for no name."""
        check_kind(kind)
        return self._names.explain(kind, name)

    def problems(self) -> list[PluginProblem]:
        """Return everything that is wrong, as far as is known without importing.

        A plugin that was loaded, or failed to, is known better from then on.
        """
        known = list(self._scanned[1])
        known += [
            PluginProblem(
                KINDS[candidate.kind],
                candidate.id,
                candidate.origin,
                str(candidate.state),
                candidate.reason,
            )
            for candidate in self._all()
            if candidate.state not in _FINE
        ]
        known += [
            PluginProblem("alias", alias.name, alias.distribution, alias.state, alias.reason)
            for alias in self.aliases.entries
            if alias.kind in {"third-party", "configured"}
            and alias.state not in {"ready", "blocked"}
        ]
        return [*known, *unmatched(self.policy, self._all(), self.aliases, self._settings)]

    def load(self, kind: str, name: str) -> Any:
        """Return the plugin that *name* means, imported and checked, always the same object.

        Raises:
            UnknownPluginError, PluginConflictError, PluginUnavailableError: As `resolve`.
            PluginLoadError: Its import failed or it is not such a plugin; the
                same again for every later call.
        """
        if kind == "providers":
            raise ValueError("providers are data and never imported; see holdall.load_provider")
        candidate = self.resolve(kind, name)
        key = _key(candidate)
        with self._lock:
            loading = self._loading.setdefault(key, RLock())
        with loading:  # of this plugin alone: a slow import holds up nobody else
            outcome = self._outcomes.get(key)
            if outcome is None:
                outcome = _load(candidate)
                with self._lock:
                    self._outcomes[key] = outcome
                    self._settle()
        if outcome.error is not None:
            raise outcome.error
        return outcome.plugin

    def _check_rules(self, policy: PluginPolicy) -> None:
        """Warn, once for each, of the rules that match nothing."""
        for problem in unmatched(policy, self._all(), self.aliases, self._settings):
            if self._warn_later is not None and problem.reason not in self._reported:
                self._reported.add(problem.reason)
                self._warn_later(problem.reason)

    def register(
        self,
        kind: str,
        plugin_id: str,
        plugin: object,
        *,
        distribution: str = APPLICATION,
        version: str = "",
    ) -> None:
        """Add a plugin of the running application: a class, or `module:attribute`.

        It replaces nothing: an id that is declared already becomes
        ambiguous, and one of holdall's own stays what it is, unless the policy
        prefers `application`. The same plugin twice is the same as once.

        Args:
            distribution: Where it says that it comes from, in listings and to the policy.
            version: The version of that.

        Raises:
            PluginLoadError: The id is none for that kind, or the class is no plugin of that
                kind; nothing was added.
        """
        check_kind(kind)
        target = plugin if isinstance(plugin, str) else self._target_of(plugin)
        declared = Declared(
            kind=kind, name=plugin_id, value=target, distribution=distribution, version=version
        )
        candidate = next(settle([declared]))
        # Everything that can be refused is checked before anything changes.
        fault = id_fault(kind, plugin_id)
        if fault:
            raise load_error(candidate, State.INVALID, fault)
        if not isinstance(plugin, str):
            check(candidate, plugin)
        with self._lock:
            self._registered.append(declared)
            if not isinstance(plugin, str):
                self._outcomes[_key(candidate)] = _Outcome("", plugin)
            self._settle()

    def _target_of(self, plugin: object) -> str:
        """Return what names a registered object, and no other one that is registered."""
        name = getattr(plugin, "__qualname__", None) or repr(plugin)
        target = f"{getattr(plugin, '__module__', '')}:{name}"
        if any(
            key[-1] == target and outcome.plugin is not plugin
            for key, outcome in self._outcomes.items()
        ):
            return f"{target} at {id(plugin):#x}"
        return target

    def unregister(self, kind: str, plugin_id: str) -> None:
        """Take out every plugin that the application registered under *plugin_id*.

        Objects that were loaded from it stay usable.

        Raises:
            UnknownPluginError: The application registered none; what is installed can only
                be blocked by the policy.
        """
        check_kind(kind)
        with self._lock:
            kept = [d for d in self._registered if (d.kind, d.name) != (kind, plugin_id)]
            if len(kept) == len(self._registered):
                known = sorted(d.name for d in self._registered if d.kind == kind)
                hint = "the application registered none of that name"
                raise UnknownPluginError(KINDS[kind], plugin_id, known, hint)
            self._registered[:] = kept
            unregistered = (kind, plugin_id, APPLICATION)
            for key in [key for key in self._outcomes if key[:3] == unregistered]:
                del self._outcomes[key]
            self._settle()

    def refresh(self) -> None:
        """Look again at what is installed; what was loaded stays loaded.

        A plugin whose load failed is tried anew by the next that asks for it.
        """
        importlib.invalidate_caches()
        # Not under the lock: a slow disk must not hold up those who resolve names.
        scanned = self._source() if self._source is not None else None
        with self._lock:
            if scanned is not None:
                self._scanned = (scanned.declared, scanned.problems)
            for key in [
                key for key, outcome in self._outcomes.items() if outcome.error is not None
            ]:
                del self._outcomes[key]
            self._settle()

    def _all(self) -> list[Candidate]:
        return [candidate for claims in self._names.claims.values() for candidate in claims]

    def _settle(self) -> None:
        """Work out what each name means; readers see the old state or the new one."""
        declared = [*self._scanned[0], *self._registered]
        claims: dict[tuple[str, str], list[Candidate]] = {}
        for candidate in settle((entry for entry in declared if not entry.is_alias), self.policy):
            known = _with_outcome(candidate, self._outcomes.get(_key(candidate)))
            claims.setdefault((known.kind, known.id), []).append(known)
        aliases = [_alias(entry, self.policy) for entry in declared if entry.is_alias]
        for name, rule in self.policy.alias.items():
            fault = alias_fault(name)
            state: AliasState = "invalid" if fault else "ready"
            aliases.append(Alias(name, rule.text, "configured", rule.location, state, fault))
        # One assignment: those who read names take no lock.
        self._names = Names(claims, AliasTable(aliases), self.policy)

    def _deprecated(self, alias: Alias) -> None:
        with self._lock:
            if alias.name in self._warned:
                return
            self._warned.add(alias.name)
        short = (self.aliases.names(alias.target) or (alias.target,))[0]
        warn_deprecated(f"the exporter name {alias.name!r} is deprecated, write {short!r}")


def _warn(reason: str) -> None:
    warnings.warn(reason, PolicyWarning, stacklevel=4)


def _key(candidate: Candidate) -> tuple[str, ...]:
    return candidate.kind, candidate.id, candidate.distribution, candidate.target


def _load(candidate: Candidate) -> _Outcome:
    try:
        return _Outcome(candidate.version, imported(candidate))
    except PluginLoadError as error:
        return _Outcome(candidate.version, error=error)


def _with_outcome(candidate: Candidate, outcome: _Outcome | None) -> Candidate:
    """Return a candidate that could be loaded in the state that its load left it in."""
    if outcome is None or candidate.state is not State.READY:
        return candidate
    error = outcome.error
    if error is not None:
        return replace(candidate, state=State(error.state), reason=error.reason, error=error)
    if outcome.version == candidate.version:
        return replace(candidate, state=State.LOADED)
    reason = f"{candidate.version} is installed by now; start again to use it"
    return replace(candidate, state=State.LOADED, version=outcome.version, reason=reason)


def _alias(entry: Declared, policy: PluginPolicy) -> Alias:
    state, reason = entry.alias_state
    refusal = policy.refusal(entry.value, entry.distribution, "")
    if refusal and state == "ready":
        state, reason = "blocked", refusal
    return Alias(entry.name, entry.value, "third-party", entry.distribution, state, reason)
