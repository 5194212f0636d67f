"""Errors of finding, choosing, importing and calling plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdall.errors.root import HoldallError, listed, near
from holdall.errors.urls import masked_url

if TYPE_CHECKING:
    from collections.abc import Sequence


class PluginError(HoldallError):
    """A plugin can't be found, chosen, imported or called."""


class UnknownPluginError(PluginError, LookupError):
    """No installed distribution declares the requested plugin."""

    def __init__(self, kind: str, name: str, known: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(kind, name, known, hint)
        self.kind = kind
        self.name = name
        self.known = tuple(known)
        self.hint = hint

    def __str__(self) -> str:
        hint = f"; {self.hint}" if self.hint else near(self.name, self.known)
        return f"no {self.kind} is called {self.name!r}{hint} (installed: {listed(self.known)})"


class PluginConflictError(PluginError):
    """Several distributions declare one name, and no policy chooses among them.

    Attributes:
        remedy: The line below `[plugins]` in `holdall.toml` that says it.
        undo: What to do about it: `uninstall all but one`, say, `of them`.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        origins: Sequence[str],
        remedy: str = "",
        undo: str = "uninstall all but one",
    ) -> None:
        super().__init__(kind, name, origins, remedy, undo)
        self.kind = kind
        self.name = name
        self.origins = tuple(origins)
        self.remedy = remedy
        self.undo = undo

    def __str__(self) -> str:
        also = f", or say which with {self.remedy} below [plugins] in holdall.toml"
        return (
            f"cannot choose the {self.kind} {self.name!r}: {' and '.join(self.origins)} both "
            f"declare it; {self.undo} of them{also if self.remedy else ''}"
        )


class PluginUnavailableError(PluginError):
    """The plugin is declared but unavailable; its state says why."""

    def __init__(self, kind: str, name: str, state: str, reason: str, origin: str = "") -> None:
        super().__init__(kind, name, state, reason, origin)
        self.kind = kind
        self.name = name
        self.state = state
        self.reason = reason
        self.origin = origin

    def __str__(self) -> str:
        whose = f"{self.name!r} of {self.origin}" if self.origin else repr(self.name)
        return f"cannot use the {self.kind} {whose}, it is {self.state}: {self.reason}"


class PluginLoadError(PluginError):
    """The plugin failed to import, or does not satisfy its kind's contract."""

    def __init__(self, kind: str, name: str, state: str, origin: str, reason: str) -> None:
        super().__init__(kind, name, state, origin, reason)
        self.kind = kind
        self.name = name
        self.state = state
        self.origin = origin
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot load the {self.kind} {self.name!r} of {self.origin}: {self.reason}"


class PolicyError(PluginError):
    """A policy for plugins is unreadable or invalid."""

    def __init__(self, location: str, reason: str) -> None:
        super().__init__(location, reason)
        self.location = location
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot apply the plugin policy of {self.location}: {self.reason}"


class ConfigurationError(PluginError):
    """A setting of the integrator is invalid."""

    def __init__(self, location: str, reason: str) -> None:
        super().__init__(location, reason)
        self.location = location
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot use what is configured in {self.location}: {self.reason}"


class StrictPolicyError(PluginError):
    """A strict policy found problems with the installed plugins."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        problems = "; ".join(self.problems)
        return (
            f"cannot go on under a strict policy for plugins: {problems}; mend these, or unset "
            "'strict'"
        )


class HookError(PluginError):
    """A listener can't be registered; none of its hooks is."""

    def __init__(self, listener: str, reason: str) -> None:
        super().__init__(listener, reason)
        self.listener = listener
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot register the hooks of {self.listener}: {self.reason}"


class PluginCallError(PluginError):
    """A plugin raised, or broke its contract, when it was called."""

    def __init__(self, kind: str, name: str, origin: str, doing: str, cause: str) -> None:
        self.kind, self.name, self.origin = kind, name, origin
        # Drivers of databases name the whole URL in what they raise.
        self.doing = masked_url(doing)
        self.cause = masked_url(cause)
        super().__init__(kind, name, origin, self.doing, self.cause)

    def __str__(self) -> str:
        return (
            f"the {self.kind} {self.name!r} of {self.origin} failed {self.doing}: {self.cause}; "
            "this is a fault of the plugin, report it to its authors"
        )
