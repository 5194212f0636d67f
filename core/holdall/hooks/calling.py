"""Calling hooks: observers one by one, each isolated from the others; wrappers not."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pluggy

from holdall.errors import HoldallError, HookError, PluginCallError, PluginError
from holdall.hooks import specs as hookspecs
from holdall.journal import PluginUsed

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdall.registry import Candidate, Registry


_LOG: Final = logging.getLogger(__name__)


class HookFailure(NamedTuple):
    """An observer that raised, and what it raised."""

    hook: str
    origin: str
    error: Exception


class Hooks:
    """The listeners of one session manager.

    Attributes:
        failures: Observers that raised so far; each is logged too.
    """

    def __init__(self) -> None:
        self.failures: Final[list[HookFailure]] = []
        self._manager: Final = pluggy.PluginManager("holdall")
        self._manager.add_hookspecs(hookspecs)
        self._origins: Final[dict[str, str]] = {}

    def register(self, listener: object, *, origin: str = "") -> None:
        """Tell *listener*, an object or module with `@holdall.hookimpl` functions, from now on.

        Args:
            origin: Distribution and version it comes from, for messages.

        Raises:
            HookError: An implementation is of no hook, takes arguments that its hook does
                not have, or wraps an observer; then nothing of the listener is registered.
        """
        name = f"{origin or type(listener).__name__} {id(listener):x}"
        words = origin or repr(listener)
        if self._manager.is_registered(listener):
            raise HookError(words, "it is registered already")
        try:
            self._manager.register(listener, name=name)
            self._manager.check_pending()
            self._check_wrappers(listener)
        except (pluggy.PluginValidationError, ValueError, HookError) as error:
            if self._manager.get_plugin(name) is listener:
                self._manager.unregister(name=name)
            reason = error.reason if isinstance(error, HookError) else str(error)
            raise HookError(words, reason) from error
        self._origins[name] = words

    def unregister(self, listener: object) -> None:
        """Tell *listener* nothing any more.

        Raises:
            ValueError: It is not registered.
        """
        name = self._manager.get_name(listener)
        if name is None:
            raise ValueError(f"{listener!r} is not registered")
        self._manager.unregister(name=name)

    def _check_wrappers(self, listener: object) -> None:
        for caller in self._manager.get_hookcallers(listener) or ():
            for implementation in caller.get_hookimpls():
                if implementation.plugin is not listener:
                    continue
                wraps = implementation.wrapper or implementation.hookwrapper
                if wraps and caller.name in hookspecs.OBSERVERS:
                    raise HookError("", f"{caller.name!r} only tells, so it can't be wrapped")
                if not implementation.wrapper and caller.name in hookspecs.WRAPPERS:
                    how = "mark it with hookimpl(wrapper=True)"
                    raise HookError("", f"{caller.name!r} can only be wrapped; {how}")

    def notify(self, hook: str, **facts: Any) -> None:
        """Call every implementation of an observer; one that raises is reported."""
        for implementation in reversed(getattr(self._manager.hook, hook).get_hookimpls()):
            arguments = [facts[name] for name in implementation.argnames]
            try:
                implementation.function(*arguments)
            except Exception as error:  # noqa: BLE001 - the border to a stranger's code
                origin = self._origins.get(implementation.plugin_name, implementation.plugin_name)
                self.failures.append(HookFailure(hook, origin, error))
                _LOG.exception("the observer %r of %s failed", hook, origin)

    def wrap(self, hook: str, work: Callable[..., Any], **facts: Any) -> Any:
        """Do *work* inside all wrappers of *hook*, and return what the outermost one returns.

        Args:
            work: Takes any of *facts*, by name.

        Raises:
            PluginCallError: A wrapper raised; what the work itself raises comes as it is.
        """
        try:
            return getattr(self._manager.hook, hook).call_extra([work], facts)
        except Exception as error:
            culprit = self._raised_in(hook, error)
            if culprit is None or isinstance(error, HoldallError):
                raise
            cause = f"{type(error).__name__}: {error}"
            raise PluginCallError("hook", hook, culprit, "around an export", cause) from error

    def _raised_in(self, hook: str, error: Exception) -> str | None:
        """Return where the wrapper comes from that *error* passed through last, if it did any."""
        frames = traceback.walk_tb(error.__traceback__)
        codes = [frame.f_code for frame, _line in frames]
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            if getattr(implementation.function, "__code__", None) in codes:
                name: str = implementation.plugin_name
                return self._origins.get(name, name)
        return None


def installed_hooks(registry: Registry) -> Hooks:
    """Return the listeners that are installed, as `load_hooks` registers them."""
    hooks = Hooks()
    load_hooks(hooks, registry)
    return hooks


def load_hooks(hooks: Hooks, registry: Registry) -> list[Candidate]:
    """Register every installed hook module with *hooks*, and return those that could be.

    One that cannot be loaded hinders nothing; it is among `hooks.failures`.
    """
    registered = []
    for candidate in registry.candidates("hooks"):
        try:
            hooks.register(registry.load("hooks", candidate.id), origin=candidate.origin)
        except PluginError as error:
            hooks.failures.append(HookFailure("", candidate.origin, error))
            _LOG.error("%s", error)
        else:
            registered.append(candidate)
    return registered


def plugin_used(found: Candidate, *, at: float) -> PluginUsed:
    """Return the event that names a plugin, its distribution and its target."""
    return PluginUsed(
        at=at,
        kind=found.kind,
        id=found.id,
        distribution=found.distribution,
        version=found.version,
        target=found.target,
    )


def nobody(hook: str, **facts: Any) -> None:
    """Tell nobody: there is no manager whose listeners could be told."""


if TYPE_CHECKING:
    Notify = Callable[..., None]
    _: Notify = nobody
