"""Calling hooks: observers one by one, each isolated from the others."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pluggy

from holdall import hookspecs
from holdall.errors import HookError

if TYPE_CHECKING:
    from collections.abc import Callable

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
            self._refuse_wrappers(listener)
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

    def _refuse_wrappers(self, listener: object) -> None:
        for caller in self._manager.get_hookcallers(listener) or ():
            for implementation in caller.get_hookimpls():
                wraps = implementation.wrapper or implementation.hookwrapper
                if implementation.plugin is listener and wraps:
                    raise HookError("", f"{caller.name!r} only tells, so it can't be wrapped")

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


def nobody(hook: str, **facts: Any) -> None:
    """Tell nobody: there is no manager whose listeners could be told."""


if TYPE_CHECKING:
    Notify = Callable[..., None]
    _: Notify = nobody
