"""Calling hooks: observers one by one, each isolated from the others; wrappers around a work."""

from __future__ import annotations

import inspect
import logging
from contextlib import suppress
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar, cast

import pluggy

from holdall.errors import HoldallError, HookError, PluginCallError, PluginError, listed
from holdall.hooks import specs as hookspecs
from holdall.journal import PluginUsed
from holdall.registry import Identity, State, calling, reason_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from holdall.registry import Candidate, Registry

    Settings = Mapping[str, Any]


T = TypeVar("T")

_LOG: Final = logging.getLogger(__name__)

NO_SETTINGS: Final[Settings] = MappingProxyType({})


class HookFailure(NamedTuple):
    """A hook plugin that raised, or that could not be loaded.

    Attributes:
        hook: The hook that it raised in; empty if the plugin is not in use at all.
        origin: Distribution and version it comes from.
        error: What it raised, the first time.
        times: How often it raised there.
    """

    hook: str
    origin: str
    error: BaseException
    times: int = 1


class Hooks:
    """The listeners of one session manager.

    Attributes:
        failures: Observers that raised so far, and plugins that are not in use; each is
            logged too, once.
    """

    def __init__(self) -> None:
        self.failures: Final[list[HookFailure]] = []
        self._failing: Final[dict[tuple[str, str], int]] = {}
        self._manager: Final = _plugin_manager()
        self._plugins: Final[dict[str, Identity]] = {}

    def register(
        self,
        listener: object,
        *,
        plugin: Identity | None = None,
        settings: Settings = NO_SETTINGS,
    ) -> None:
        """Notify *listener*, an object or module with `@holdall.hookimpl` functions, from now on.

        Args:
            plugin: Which plugin it is, for messages; a listener of the application if not given.
            settings: What its `configure` hook gets.

        Raises:
            HookError: It can't be a listener, as `implemented_hooks` says, is registered
                already, or has settings and no `configure`; then none of its hooks is
                registered.
            PluginCallError: Its `configure` raised; then none of its hooks is registered.
        """
        if self._manager.is_registered(listener):
            owner = repr(listener) if plugin is None else plugin.origin
            raise HookError(owner, "it is registered already")
        if plugin is None:
            plugin = Identity("listener", _name_of(listener), f"the application ({listener!r})")
        name = f"{plugin.id} {id(listener):x}"
        with calling(plugin, "being registered"):
            _add(self._manager, listener, name, plugin.origin)
        self._plugins[name] = plugin
        try:
            self._configure(listener, plugin, settings)
        except BaseException:
            self.unregister(listener)
            raise

    def unregister(self, listener: object) -> None:
        """Notify *listener* no more.

        Raises:
            ValueError: It is not registered.
        """
        name = self._manager.get_name(listener)
        if name is None:
            raise ValueError(f"{listener!r} is not registered")
        self._manager.unregister(name=name)
        del self._plugins[name]

    def _configure(self, listener: object, plugin: Identity, settings: Settings) -> None:
        implementations = [
            implementation
            for implementation in self._implementations("configure")
            if implementation.plugin is listener
        ]
        if settings and not implementations:
            reason = f"it takes no settings (no hook 'configure'); remove {listed(settings)}"
            raise HookError(plugin.origin, reason)
        for implementation in implementations:
            with calling(plugin, "in 'configure'"):
                implementation.function(*_arguments(implementation, {"settings": settings}))

    def notify(self, hook: str, **facts: Any) -> None:
        """Call every implementation of an observer; one that raises is reported."""
        for implementation in self._implementations(hook):
            plugin = self._plugin(implementation)
            try:
                with calling(plugin, f"in {hook!r}"):
                    implementation.function(*_arguments(implementation, facts))
            except HoldallError as error:
                # The author needs the error that the observer raised, without ours around it.
                own = isinstance(error, PluginCallError) and error.__cause__ is not None
                raised = error.__cause__ if own else error
                self._observer_failed(hook, plugin.origin, raised or error)

    def _observer_failed(self, hook: str, origin: str, error: BaseException) -> None:
        """Report an observer the first time it fails, and count it from then on."""
        index = self._failing.setdefault((hook, origin), len(self.failures))
        if index == len(self.failures):
            self.failures.append(HookFailure(hook, origin, error))
            _LOG.error("the observer %r of %s failed", hook, origin, exc_info=error)
            return
        failure = self.failures[index]
        self.failures[index] = failure._replace(times=failure.times + 1)
        _LOG.debug("the observer %r of %s failed again", hook, origin, exc_info=error)

    def report_repeated(self) -> None:
        """Log how often each observer failed that failed more than once since the last time."""
        failures = [self.failures[index] for index in self._failing.values()]
        self._failing.clear()
        for failure in failures:
            if failure.times > 1:
                _LOG.error(
                    "the observer %r of %s failed %d times in all",
                    failure.hook,
                    failure.origin,
                    failure.times,
                )

    def wrap(self, hook: str, work: Callable[[], T], wanted: type[T], **facts: Any) -> T:
        """Do *work* inside all wrappers of *hook*, and return what the outermost one returns.

        The work is done once, or an error is raised: no wrapper can leave it out,
        or hide that it failed.

        Args:
            wanted: What the work, and every wrapper, returns.

        Raises:
            PluginCallError: A wrapper raised, swallowed an error, did not yield exactly
                once, or returned something else; what the work itself raises comes as it is.
        """
        wrapped = work
        # From the innermost outwards: each wrapper is around those that are built already.
        for implementation in reversed(self._implementations(hook)):
            plugin, arguments = self._plugin(implementation), _arguments(implementation, facts)
            function = cast("Callable[..., Generator[None, T, object]]", implementation.function)
            wrapped = _Wrapper(plugin, hook, function, arguments, wrapped, wanted).call
        return wrapped()

    def _implementations(self, hook: str) -> Sequence[pluggy.HookImpl]:
        """Return the implementations of *hook*; the first is called first, or outermost."""
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook)
        # Pluggy lists them as registered and calls the last one first.
        return caller.get_hookimpls()[::-1]

    def _plugin(self, implementation: pluggy.HookImpl) -> Identity:
        return self._plugins[implementation.plugin_name]


class _Wrapper(NamedTuple, Generic[T]):
    """One wrapper around the work, or around the next wrapper."""

    plugin: Identity
    hook: str
    function: Callable[..., Generator[None, T, object]]
    arguments: Sequence[Any]
    inner: Callable[[], T]
    wanted: type[T]

    def call(self) -> T:
        """Return what the wrapper makes of the result of what it is around."""
        with self._calling():
            generator = self.function(*self.arguments)
        with self._calling():
            try:
                next(generator)
            except StopIteration:
                raise self._blame("it returned before it yielded") from None
        try:
            result = self.inner()
        except KeyboardInterrupt as error:
            with suppress(PluginCallError):  # it goes on, whatever the wrapper makes of it
                self._throw(generator, error)
            raise
        except BaseException as error:
            self._throw(generator, error)
            raise
        with self._calling() as call:
            try:
                generator.send(result)
            except StopIteration as end:
                return call.returned(end.value, self.wanted)
            generator.close()
            raise self._blame("it yielded twice")

    def _throw(self, generator: Generator[None, T, object], error: BaseException) -> None:
        """Let the wrapper see *error*; it may raise another one, and nothing else.

        Raises:
            PluginCallError: It swallowed the error.
        """
        # A wrapper that lets an error pass raises the very same one again.
        with calling(self.plugin, self._doing, passes=lambda raised: raised is error):
            try:
                generator.throw(error)
            except StopIteration:
                raise self._blame(f"it swallowed {_in_short(error)}") from error
            generator.close()
            raise self._blame("it yielded twice") from error

    @property
    def _doing(self) -> str:
        return f"in {self.hook!r}"

    def _calling(self) -> calling:
        return calling(self.plugin, self._doing)

    def _blame(self, cause: str) -> PluginCallError:
        return self.plugin.blame(self._doing, cause)


def _in_short(error: BaseException) -> str:
    if isinstance(error, PluginCallError):
        return f"the failure of the {error.kind} {error.name!r} ({error.cause})"
    return reason_of(error)


def _arguments(implementation: pluggy.HookImpl, facts: Mapping[str, Any]) -> list[Any]:
    return [facts[name] for name in implementation.argnames]


def _name_of(listener: object) -> str:
    return listener.__name__ if isinstance(listener, ModuleType) else type(listener).__name__


def _plugin_manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager("holdall")
    manager.add_hookspecs(hookspecs)
    return manager


def implemented_hooks(listener: object, *, origin: str = "") -> tuple[str, ...]:
    """Return the hooks that *listener* implements, sorted, without calling any.

    Args:
        origin: Distribution and version it comes from, for messages.

    Raises:
        HookError: An implementation is of no hook, takes arguments that its hook does not
            have, wraps an observer, or would never run; or there is none at all.
    """
    return tuple(sorted(_add(_plugin_manager(), listener, "listener", origin or repr(listener))))


def _add(manager: pluggy.PluginManager, listener: object, name: str, origin: str) -> list[str]:
    """Register *listener* whole or not at all, and return the hooks that it implements.

    Raises:
        HookError: As `implemented_hooks`.
    """
    if isinstance(listener, type):
        raise HookError(origin, f"it is the class {listener.__name__!r}; give an instance of it")
    try:
        manager.register(listener, name=name)
        manager.check_pending()
        callers = manager.get_hookcallers(listener) or []
        for caller in callers:
            _check_kind(caller, listener)
    except (pluggy.PluginValidationError, ValueError, HookError) as error:
        _forget(manager, listener, name)
        reason = error.reason if isinstance(error, HookError) else str(error)
        raise HookError(origin, reason) from error
    except BaseException:  # of an attribute, at which pluggy looks to see whether it is a function
        _forget(manager, listener, name)
        raise
    if not callers:
        _forget(manager, listener, name)
        raise HookError(origin, "nothing of it is marked with @holdall.hookimpl")
    return [caller.name for caller in callers]


def _forget(manager: pluggy.PluginManager, listener: object, name: str) -> None:
    if manager.get_plugin(name) is listener:
        manager.unregister(name=name)


def _check_kind(caller: pluggy.HookCaller, listener: object) -> None:
    """Refuse a wrapper around what is only notified, and what would never run."""
    hook = caller.name
    implementation = next(own for own in caller.get_hookimpls() if own.plugin is listener)
    function = implementation.function
    wraps = implementation.wrapper or implementation.hookwrapper
    if hook in hookspecs.WRAPPERS:
        if not implementation.wrapper:
            how = "mark it with hookimpl(wrapper=True)"
            raise HookError("", f"{hook!r} can only be wrapped; {how}")
    elif wraps:
        raise HookError("", f"{hook!r} only tells, so it can't be wrapped")
    elif inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function):
        raise HookError("", f"{hook!r} is a generator or coroutine, which would never run")


def installed_hooks(registry: Registry) -> Hooks:
    """Return the listeners that are installed, as `load_hooks` registers them."""
    hooks = Hooks()
    load_hooks(hooks, registry)
    return hooks


def load_hooks(hooks: Hooks, registry: Registry) -> list[Candidate]:
    """Register every installed hook module with *hooks*, and return those that could be.

    One that cannot be loaded hinders nothing; it is among `hooks.failures`. One that another
    stands for, such as the second installation of one distribution, is passed over. Each
    gets what is set for it by its hook `configure`.
    """
    registered = []
    for candidate in registry.candidates("hooks"):
        if candidate.state is State.SHADOWED:
            continue
        try:
            hooks.register(
                registry.load("hooks", candidate.id),
                plugin=candidate.identity,
                settings=registry.settings(candidate.id).values,
            )
        except PluginError as error:
            hooks.failures.append(HookFailure("", candidate.origin, error))
            # Each export of a run loads the hooks again.
            _LOG.error("%s; the plugin is not used", error, extra={"once": True})
        else:
            registered.append(candidate)
    return registered


def plugin_used(candidate: Candidate, *, at: float) -> PluginUsed:
    """Return the event that names a plugin, its distribution and its target."""
    return PluginUsed(
        at=at,
        kind=candidate.kind,
        id=candidate.id,
        distribution=candidate.distribution,
        version=candidate.version,
        target=candidate.target,
    )


def nobody(hook: str, **facts: Any) -> None:
    """Notify nobody: what a state without a manager calls."""


if TYPE_CHECKING:
    Notify = Callable[..., None]
    _: Notify = nobody
