"""The border between holdall and plugins: everything of a plugin is called inside it.

with calling(candidate.identity, "loading 'lab.yaml'") as call:
    provider = call.returned(loader.load("lab.yaml"), Provider)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn, Self, TypeVar, final

from holdall.errors import HoldallError, PluginCallError
from holdall.tracing import call_begun

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

T = TypeVar("T")


class Identity(NamedTuple):
    """Which plugin is called, for the error that blames it.

    Attributes:
        kind: The word for one of its kind, such as `exporter`.
        origin: Distribution and version.
    """

    kind: str
    id: str
    origin: str

    def blame(self, doing: str, cause: str) -> PluginCallError:
        """Return the error that says that the plugin failed while *doing* something."""
        return PluginCallError(self.kind, self.id, self.origin, doing, cause)


# They pass the border: our own errors say themselves what is wrong, and these two are no errors.
_PASSING: Final = (HoldallError, KeyboardInterrupt, GeneratorExit)


@final
class calling:  # noqa: N801 - read as a word: `with calling(plugin, "exporting")`
    """Call a plugin inside this block; whatever it raises becomes an error that names it.

    `SystemExit` is caught too. `KeyboardInterrupt` and the errors of holdall,
    which the contracts list, stay what they are.

    Args:
        doing: What the plugin is called for, such as `exporting`.
        passes: Whether an exception is not the plugin's own, say one that a
            callback of the application raised.

    Raises:
        PluginCallError: The plugin raised, or returned what its contract does not allow.
    """

    __slots__ = ("_doing", "_passes", "_plugin", "_trace")

    def __init__(
        self,
        plugin: Identity,
        doing: str,
        *,
        passes: Callable[[BaseException], bool] | None = None,
    ) -> None:
        self._plugin = plugin
        self._doing = doing
        self._passes = passes

    def __enter__(self) -> Self:
        self._trace = call_begun()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._trace is not None:
            self._trace(*self._plugin, self._doing, error)
        if error is None or isinstance(error, _PASSING):
            return
        if self._passes is None or not self._passes(error):
            self._plugin_failed(error)

    def returned(self, value: object, wanted: type[T]) -> T:
        """Return *value*, which the plugin returned, if it is a *wanted*; blame it otherwise."""
        if isinstance(value, wanted):
            return value
        article = "an" if wanted.__name__[0] in "AEIOaeio" else "a"
        name = "None" if wanted is type(None) else f"{article} {wanted.__name__}"
        raise self._plugin.blame(self._doing, f"it returned {shown(value)} and not {name}")

    def _plugin_failed(self, error: BaseException) -> NoReturn:
        raise self._plugin.blame(self._doing, reason_of(error)) from error


def reason_of(error: BaseException) -> str:
    """Return the class and the message of an exception in one line, whatever its class does."""
    try:
        message = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - the class is a stranger's, and so is its `__str__`
        message = "(its message can't be read)"
    return f"{type(error).__name__}: {message}"


def shown(value: object) -> str:
    """Return *value* as messages show it, whatever its `__repr__` does."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - as above
        text = f"an object of the class {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


_LONGEST: Final = 200  # characters of a value in a message
