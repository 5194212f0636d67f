"""Load the providers that a user names, and those of a stored session again."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from gettext import gettext as _
from gettext import ngettext
from typing import TYPE_CHECKING, Final

import click

from holdall.cli.exits import message
from holdall.cli.output import note
from holdall.errors import HoldallError, UnknownLanguageError
from holdall.exports import units_in
from holdall.languages import NN_, load_catalog
from holdall.providers import found_providers, load_provider

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdall.journal import ProviderAdded
    from holdall.registry import Registry
    from holdall.units import Provider
    from holdall.view import SessionView

_MOST_SHOWN: Final = 20
# How many problems of a kind a provider has.
_PROBLEMS: Final = {
    "error": NN_("{count} error", "{count} errors"),
    "warning": NN_("{count} warning", "{count} warnings"),
}


def load_sources(sources: Iterable[str], registry: Registry, lang: str = "") -> list[Provider]:
    """Return the providers that *sources* name, those of this machine included.

    Raises:
        UsageError: *lang* is no name of a language.
    """
    if lang and not lang.replace("-", "").replace("_", "").isalnum():
        text = _("{lang!r} is no language; write one like 'de' or 'pt-BR'")
        raise click.UsageError(text.format(lang=lang))
    return [
        load_provider(source, registry=registry, lang=lang, environ=os.environ)
        for source in sources
    ]


def found_names(registry: Registry) -> list[str]:
    """Return the names of the providers that are installed as Checkbox's are.

    Those that can't be used are noted.
    """
    names = []
    for found in found_providers(registry, os.environ):
        if found.state == "ready":
            names.append(found.name)
        elif found.state != "shadowed":
            text = _("the provider {name} at {source} is left out: {reason}")
            reason = text.format(name=found.name, source=found.source, reason=found.reason)
            note(f"holdall: {reason}")
    return names


def report_options(providers: Iterable[Provider]) -> list[str]:
    """Return the options that let reports speak as the texts of *providers* do."""
    languages = (provider.source.partition("?lang=")[2] for provider in providers)
    lang = next(filter(None, languages), "")
    try:
        load_catalog(lang or "en")
    except UnknownLanguageError:
        return []
    return [f"lang={lang}"] if lang else []


def report_problems(providers: Iterable[Provider]) -> None:
    """Say which definitions are lost, and how much else is wrong."""
    for provider in providers:
        problems = provider.problems
        counts = Counter(problem.severity for problem in problems)
        if counts:
            what = ", ".join(
                ngettext(*_PROBLEMS[severity], count).format(count=count)
                for severity, count in counts.items()
            )
            text = _("{provider}: {problems}; `{command}` lists them")
            command = shlex.join(["holdall", "providers", "show", provider.source])
            note(text.format(provider=provider.name, problems=what, command=command))
        lost = [problem for problem in problems if problem.severity == "error"]
        for problem in lost[:_MOST_SHOWN]:
            note(f"holdall: {problem}")


def providers_of(
    view: SessionView, sources: Sequence[str], registry: Registry
) -> dict[str, list[Provider]]:
    """Return the providers of each device, from what was given or from what the journal says.

    A device of which it says nothing has those that were given: its session was imported.
    """
    given = load_sources(sources, registry)
    by_device: dict[str, list[Provider]] = {device.id: [] for device in view.devices}
    loaded: dict[tuple[str, str], Provider] = {}
    for event in view.providers:
        matching = [provider for provider in given if provider.name == event.name]
        if not matching:
            key = (event.loader, event.source)
            if key not in loaded:
                loaded[key] = loaded_again(view, event, registry)
            matching = [loaded[key]]
        by_device.setdefault(event.device, []).extend(matching)
    return {device: providers or given for device, providers in by_device.items()}


def loaded_again(view: SessionView, event: ProviderAdded, registry: Registry) -> Provider:
    """Load a provider of the session; where its loader is gone, say who brought it."""
    try:
        return load_provider(event.source, registry=registry)
    except HoldallError as error:
        gone = registry.explain("provider_loaders", event.loader).candidate is None
        for used in view.plugins:
            if gone and (used.kind, used.id) == ("provider_loaders", event.loader):
                whose = f"{used.distribution} {used.version}"
                command = f'pip install "{used.distribution}=={used.version}"'
                error.add_note(f"the session was read by {event.loader!r} of {whose}: {command}")
        if not gone:
            error.add_note("the session says so; give --source PATH if it is elsewhere now")
        raise


def providers_with_units(
    view: SessionView, names: Iterable[str], sources: Sequence[str], registry: Registry
) -> list[Provider]:
    """Return the providers of the exporter units among *names*, as far as they can be found.

    They are looked for in what was given, then where the session says that the
    providers of their namespaces were. An export whose unit is not found says so itself.
    """
    providers = load_sources(sources, registry)
    known = units_in(providers)
    missing = {
        name.rpartition("::")[0]
        for name in names
        if name not in known and registry.explain("exporters", name).candidate is None
    }
    events = {(provider.loader, provider.source): provider for provider in view.providers}
    for event in events.values():
        if event.namespace and event.namespace in missing:
            try:
                provider = loaded_again(view, event, registry)
            except HoldallError as error:
                note(f"holdall: {message(error)}")
                continue
            if provider.version != event.version:
                template = _("{name} is {version} now; the session had {earlier}")
                change = template.format(
                    name=event.name, version=provider.version, earlier=event.version
                )
                note(f"holdall: {change}")
            providers.append(provider)
    return providers
