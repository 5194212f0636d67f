"""A plugin in a file of no distribution, for its author to try: `--plugin module.py:Class`."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdall.errors import HookError, PluginLoadError, PluginUnavailableError
from holdall.hooks import hookimpl, implemented_hooks
from holdall.registry import METHODS, TRIED, State, id_fault, misfits, reason_of

if TYPE_CHECKING:
    from types import ModuleType

    from holdall.registry import Candidate, Registry

_FORM: Final = re.compile(r"(?:(?P<id>[^=/\\]+)=)?(?P<path>.+?\.py)(?::(?P<attribute>[\w.]+))?")


class Tried(NamedTuple):
    """A plugin as `--plugin` names it.

    Attributes:
        id: As the user gave it; empty to make one of the file's name.
        path: The module's file.
        attribute: The class, or the object, in it; empty for the module itself.
    """

    id: str
    path: Path
    attribute: str

    @classmethod
    def of(cls, text: str) -> Tried:
        """Return what *text* means: `[ID=]path/to/module.py[:Class]`.

        Raises:
            PluginUnavailableError: It has another form, or there is no such file.
        """
        form = _FORM.fullmatch(text)
        if form is None:
            reason = "it should look like path/to/module.py:Class, or ID=path/to/module.py:Class"
            raise PluginUnavailableError("plugin", text, State.INVALID, reason)
        path = Path(form["path"])
        if not path.is_file():
            raise PluginUnavailableError(
                "plugin", text, State.INVALID, f"there is no file {str(path.absolute())!r}"
            )
        if set(path.stem) & set(":."):
            reason = f"no module can be called {path.stem!r}; rename the file"
            raise PluginUnavailableError("plugin", text, State.INVALID, reason)
        return cls(form["id"] or "", path, form["attribute"] or "")

    def id_as(self, kind: str) -> str:
        """Return the id that the plugin goes by, of whatever kind it was found to be."""
        stem = self.path.parent.name if self.path.stem == "__init__" else self.path.stem
        word = re.sub(r"[^a-z0-9_]+", "_", stem.lower()).strip("_") or "plugin"
        return self.id or (f"try.{word}" if kind == "exporters" else word)


def try_plugin(registry: Registry, text: str) -> Candidate:
    """Import a plugin from a file, and register it as one of the distribution `TRIED`.

    Args:
        text: `[ID=]path/to/module.py[:Class]`; without a class the module is a listener. The
            kind is the one whose methods it has. Without an id it is `try.module` for an
            exporter, and `module` otherwise.

    Raises:
        PluginUnavailableError: There is no such file, or the policy refuses it; nothing of it
            was imported.
        PluginLoadError: Its import failed, or it is no plugin of any kind.
    """
    tried = Tried.of(text)
    module = _dotted(tried.path)
    refusal = registry.policy.refusal(tried.id, TRIED, module)
    if refusal:
        raise PluginUnavailableError("plugin", text, State.BLOCKED, refusal)
    plugin = _imported(tried, module)
    kind = _kind_of(tried, plugin)
    plugin_id = tried.id_as(kind)
    fault = id_fault(kind, plugin_id)
    if fault:
        raise _failed(tried, State.INVALID, fault)
    if kind == "hooks":
        _check_hooks(tried, plugin)
    target = f"{module}:{tried.attribute}" if tried.attribute else module
    registry.register(kind, plugin_id, target, distribution=TRIED, version=str(tried.path))
    registry.load(kind, plugin_id)
    return registry.resolve(kind, plugin_id)


def _kind_of(tried: Tried, plugin: Any) -> str:
    """Return the kind that a plugin was written as: that whose methods it has.

    What is no class, or has marked functions, can only be a listener.

    Raises:
        PluginLoadError: It has the methods of no kind.
    """
    mark = f"{hookimpl.project_name}_impl"
    if not isinstance(plugin, type) or any(hasattr(each, mark) for each in vars(plugin).values()):
        return "hooks"

    def likeness(kind: str) -> tuple[float, int]:
        names = METHODS[kind]
        has = sum(callable(getattr(plugin, name, None)) for name in names)
        return has / len(names), -len(misfits(kind, plugin))

    likeliest = max(METHODS, key=likeness)
    if not likeness(likeliest)[0]:
        known = "; ".join(f"{kind} have {', '.join(names)}" for kind, names in METHODS.items())
        raise _failed(tried, State.INVALID, f"it has the methods of no plugin: {known}")
    return likeliest


def _check_hooks(tried: Tried, plugin: Any) -> None:
    """Refuse what listens to nothing; the file may hold a class that was meant.

    Raises:
        PluginLoadError: It does.
    """
    try:
        implemented_hooks(plugin)
    except HookError as error:
        classes = [
            name
            for name, member in getattr(plugin, "__dict__", {}).items()
            if isinstance(member, type) and member.__module__ == getattr(plugin, "__name__", "")
        ]
        meant = f"; or did you mean {tried.path}:{classes[-1]}" if classes else ""
        raise _failed(tried, State.INVALID, f"{error.reason}{meant}") from error


def _dotted(path: Path) -> str:
    """Return the name that a module is imported by: with those of the packages it is in."""
    names = [] if path.stem == "__init__" else [path.stem]
    return ".".join([*(folder.name for folder in _packages(path)), *names])


def _packages(path: Path) -> list[Path]:
    """Return the folders of the packages that a file is in, the outermost first."""
    folders: list[Path] = []
    for folder in path.absolute().parents:
        if not (folder / "__init__.py").is_file():
            break
        folders.insert(0, folder)
    return folders


def _imported(tried: Tried, name: str) -> Any:
    """Import a module from its file, as Python would if its folder were that of the program.

    Raises:
        PluginLoadError: It raised, or another module of that name comes first.
    """
    packages = _packages(tried.path)
    folder = str(packages[0].parent if packages else tried.path.absolute().parent)
    if folder not in sys.path:
        sys.path.append(folder)  # behind all others, so that it hides no module of theirs
    writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        module = import_module(name)
        _check_file(tried, module)
        plugin: Any = module
        for part in filter(None, tried.attribute.split(".")):
            plugin = getattr(plugin, part)
    except (KeyboardInterrupt, PluginLoadError):
        raise
    except BaseException as error:
        raise _failed(tried, State.BROKEN, f"its import raised {reason_of(error)}") from error
    finally:
        sys.dont_write_bytecode = writes_bytecode
    return plugin


def _check_file(tried: Tried, module: ModuleType) -> None:
    """Refuse another module of the same name that Python found first.

    Raises:
        PluginLoadError: It is one.
    """
    found = Path(getattr(module, "__file__", None) or "Python itself")
    if not found.exists() or not found.samefile(tried.path):
        reason = f"the name {module.__name__!r} is taken by the module of {found}; rename the file"
        raise _failed(tried, State.INVALID, reason)


def _failed(tried: Tried, state: State, reason: str) -> PluginLoadError:
    return PluginLoadError(
        "plugin", tried.attribute or tried.path.stem, state, f"{TRIED} {tried.path}", reason
    )
