"""The border between holdall and plugins: everything of a plugin is called inside it.

with calling(candidate.identity, "loading 'lab.yaml'") as call:
    provider = call.returned(loader.load("lab.yaml"), Provider)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Self, TypeVar, final

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


# They pass the border: our own errors say themselves what is wrong, and Ctrl-C is none.
_PASSING: Final = (HoldallError, KeyboardInterrupt)


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
        self, _kind: object, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._trace is not None:
            self._trace(*self._plugin, self._doing, error)
        passing = isinstance(error, _PASSING) or _is_end_of_caller(error, traceback)
        if error is None or passing or (self._passes is not None and self._passes(error)):
            return
        raise self._plugin.blame(self._doing, reason_of(error)) from error

    def returned(self, value: object, wanted: type[T]) -> T:
        """Return *value*, which the plugin returned, if it is a *wanted*; blame it otherwise."""
        if isinstance(value, wanted):
            return value
        article = "an" if wanted.__name__[0] in "AEIOaeio" else "a"
        name = "None" if wanted is type(None) else f"{article} {wanted.__name__}"
        raise self._plugin.blame(self._doing, f"it returned {shown(value)} and not {name}")


def _is_end_of_caller(error: BaseException | None, traceback: TracebackType | None) -> bool:
    """Whether a generator of ours is closed while it is inside the border: no plugin raised it."""
    return isinstance(error, GeneratorExit) and (traceback is None or traceback.tb_next is None)


def reason_of(error: BaseException) -> str:
    """Return the class and the message of an exception in one line, whatever its class does."""
    text = _read(lambda: " ".join(str(error).split()), "(its message can't be read)")
    return f"{type(error).__name__}: {text}".removesuffix(": ")


def shown(value: object) -> str:
    """Return *value* as messages show it, whatever its `__repr__` does."""
    text = _read(lambda: repr(value), f"an object of the class {type(value).__name__}")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _read(text: Callable[[], str], otherwise: str) -> str:
    """Return a text that the class of a stranger makes, or *otherwise* if it can't."""
    try:
        return text()
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - whatever it is, there is something to say meanwhile
        return otherwise


_LONGEST: Final = 200  # characters of a value in a message
