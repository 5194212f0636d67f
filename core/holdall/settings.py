"""Settings of plugins, and the location that each was read from."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from holdall.errors import ConfigurationError, listed, near

if TYPE_CHECKING:
    from collections.abc import Mapping


class Settings(NamedTuple):
    """The table of one plugin: defaults of an exporter's options, or what its `Options` say.

    Attributes:
        location: `/etc/lab/holdall.toml:3, settings.acme.markdown`, say.
    """

    values: Mapping[str, Any]
    location: str = "the application's settings"

    def over(self, weaker: Settings) -> Settings:
        """Return both as one; of a key that both have, this one's value counts."""
        return Settings({**weaker.values, **self.values}, self.location)


def options_of(plugin: object, settings: Settings) -> Any:
    """Return the `Options` of a plugin as they are set; None if it has no such class.

    Raises:
        ConfigurationError: A key is none of its options, or a value can't be one.
    """
    options = getattr(plugin, "Options", None)
    if options is None:
        if settings.values:
            raise ConfigurationError(settings.location, "the plugin has no options")
        return None
    names = [name for mark in _FIELDS for name in _names_of(options, mark)]
    for name in settings.values:
        if name not in names:
            reason = f"there is no option {name!r}{near(name, names)} (options: {listed(names)})"
            raise ConfigurationError(settings.location, reason)
    import msgspec

    try:
        return msgspec.convert(dict(settings.values), options, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(settings.location, str(error)) from error


def _names_of(options: type, mark: str) -> list[str]:
    fields = getattr(options, mark, ())
    return [getattr(field, "name", field) for field in fields]


# Where a dataclass, a msgspec Struct and an attrs class keep their fields.
_FIELDS: Final = ("__dataclass_fields__", "__struct_fields__", "__attrs_attrs__")

NO_SETTINGS: Final = Settings(MappingProxyType({}), "")
"""Those of a plugin for which nothing is set."""
