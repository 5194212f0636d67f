"""`holdall plugins show` and `why`: one plugin, and how a name is resolved to it."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING, Any

import click

from holdall.cli.configuration import installed
from holdall.cli.exits import PLUGIN, exit_code, message
from holdall.cli.options import json_option
from holdall.cli.output import note, print_json, print_line, print_table
from holdall.cli.plugins.listing import as_row
from holdall.errors import (
    HookError,
    PluginError,
    PluginLoadError,
    ProviderError,
    UnknownPluginError,
)
from holdall.languages import N_
from holdall.registry import KINDS, State, calling, installation, stranger

if TYPE_CHECKING:
    from holdall.contracts import AnyExporter
    from holdall.errors import HoldallError
    from holdall.registry import Candidate, Registry, Resolution

# What is shown of a plugin, by its name in JSON.
_NAMES = {
    "kind": N_("kind"),
    "id": N_("id"),
    "aliases": N_("aliases"),
    "state": N_("state"),
    "reason": N_("reason"),
    "distribution": N_("distribution"),
    "version": N_("version"),
    "target": N_("target"),
    "where": N_("where"),
    "extras": N_("extras"),
    "installed": N_("installed"),
    "owner": N_("owner"),
    "summary": N_("summary"),
    "suffix": N_("suffix"),
    "media_type": N_("media_type"),
    "output": N_("output"),
    "hooks": N_("hooks"),
    "units": N_("units"),
}

kind_option = click.option(
    "--kind",
    type=click.Choice(sorted(KINDS)),
    metavar="KIND",
    help="The kind it is of, where several kinds have the name.",
)


def meant(registry: Registry, name: str, kind: str | None) -> Resolution:
    """Return what a name means, of whatever kind it is.

    Raises:
        UnknownPluginError: No kind has it.
    """
    resolutions = [
        registry.explain(plugin_kind, name) for plugin_kind in ([kind] if kind else KINDS)
    ]
    known = [
        resolution
        for resolution in resolutions
        if not isinstance(resolution.error, UnknownPluginError)
    ]
    if len(known) > 1:
        kinds = _(" or ").join(f"--kind {resolution.kind}" for resolution in known)
        message = _("several kinds of plugins are called {name!r}; say {kinds}")
        raise click.UsageError(message.format(name=name, kinds=kinds))
    return known[0] if known else resolutions[0]


@click.command()
@click.argument("name", metavar="ID")
@kind_option
@json_option
def show(name: str, kind: str | None, *, as_json: bool) -> int:
    """Show what is known of one plugin, an exporter's options and a listener's hooks.

    It is imported for them; one that can't be is shown without.
    """
    registry = installed(strict=False)
    resolution = meant(registry, name, kind)
    found = claims(registry, resolution)
    facts = [_facts(claim, registry) for claim in found]
    problem = ""
    if resolution.candidate is not None:
        shown = facts[found.index(resolution.candidate)]
        try:
            shown.update(_of_plugin(resolution.candidate, registry))
        except PluginLoadError as error:
            shown.update(state=error.state, reason=error.reason)
            problem = str(error)
        except (PluginError, ProviderError) as error:
            problem = message(error)
    if as_json:
        print_json(facts)
    else:
        _print(facts)
    if problem:
        note(f"holdall: {problem}")
    return PLUGIN if problem or resolution.candidate is None else 0


@click.command()
@click.argument("name")
@kind_option
@json_option
def why(name: str, kind: str | None, *, as_json: bool) -> int:
    """Show step by step what a name resolves to, or why it resolves to nothing.

    The last step is to import it.
    """
    registry = installed(strict=False)
    resolution = meant(registry, name, kind)
    error, code = resolution.error, PLUGIN
    steps = [(step.what, step.text) for step in resolution.steps]
    if resolution.candidate is not None:
        problem = _load_problem(resolution.candidate, registry)
        code = PLUGIN if problem else 0
        steps.append(("load", "it can be loaded" if problem is None else message(problem)))
    if as_json:
        print_json(
            {
                "kind": resolution.kind,
                "name": resolution.name,
                "id": resolution.candidate.id if resolution.candidate else None,
                "steps": [{"what": what, "words": text} for what, text in steps],
            }
        )
    else:
        print_table((_("STEP"), _("WHAT IS KNOWN")), steps)
    return exit_code(error) or PLUGIN if error is not None else code


def _load_problem(candidate: Candidate, registry: Registry) -> HoldallError | None:
    """Return why a plugin can't be loaded; None if it can."""
    try:
        _of_plugin(candidate, registry)
    except (PluginError, ProviderError) as error:
        return error
    return None


def claims(registry: Registry, resolution: Resolution) -> list[Candidate]:
    """Return everything that claims the id that a name resolves to.

    Raises:
        PluginError: Nothing does.
    """
    wanted = _id_of(resolution)
    found = [claim for claim in registry.candidates(resolution.kind) if claim.id == wanted]
    if not found:
        raise resolution.error or UnknownPluginError(KINDS[resolution.kind], resolution.name)
    return found


def _id_of(resolution: Resolution) -> str:
    if resolution.candidate is not None:
        return resolution.candidate.id
    return str(getattr(resolution.error, "name", resolution.name))


def _facts(candidate: Candidate, registry: Registry) -> dict[str, Any]:
    row = as_row(candidate, registry, everything=True)
    return {
        **row,
        "extras": list(candidate.extras),
        "installed": installation(candidate.location),
        "owner": stranger(candidate),
    }


def _of_plugin(candidate: Candidate, registry: Registry) -> dict[str, Any]:
    """Return the facts that only the loaded plugin has; a provider is read."""
    if candidate.kind == "providers":
        from holdall.providers import load_provider

        provider = load_provider(candidate.id, registry=registry)
        return {"state": str(State.LOADED), "units": str(len(provider.unit_list))}
    plugin = registry.load(candidate.kind, candidate.id)
    if candidate.kind == "hooks":
        from holdall.hooks import implemented_hooks

        try:
            hooks = implemented_hooks(plugin, origin=candidate.origin)
        except HookError as error:
            raise PluginLoadError(
                KINDS["hooks"], candidate.id, State.INVALID, candidate.origin, error.reason
            ) from error
        return {"state": str(State.LOADED), "hooks": list(hooks)}
    if candidate.kind == "exporters":
        return _of_exporter(candidate, plugin)
    return {"state": str(State.LOADED)}


def _of_exporter(candidate: Candidate, exporter: type[AnyExporter]) -> dict[str, Any]:
    from msgspec.structs import asdict

    from holdall.exports import ViewOptions, describe_options, options_class_of, options_schema

    options = options_class_of(exporter)
    with calling(candidate.identity, "describing its options"):
        rows = describe_options(options)
        schema = options_schema(candidate.id, options)
    own = {row.name for row in rows}
    shared = [row for row in describe_options(ViewOptions) if row.name not in own]
    return {
        "state": str(State.LOADED),
        "summary": exporter.summary,
        "suffix": exporter.suffix,
        "media_type": exporter.media_type,
        "output": getattr(exporter, "output", "file"),
        "options": [asdict(row) for row in rows],
        "shared_options": [asdict(row) for row in shared],
        "options_schema": schema,
    }


def _print(facts: list[dict[str, Any]]) -> None:
    width = max(14, *(len(_(name)) + 2 for name in _NAMES.values()))
    for number, plugin in enumerate(facts):
        if number:
            print_line()
        for key, value in plugin.items():
            text = ", ".join(map(str, value)) if isinstance(value, list) else value
            if key == "suffix" and not text:
                text = _("none")
            if text and "option" not in key:
                print_line(f"{_(_NAMES[key]) + ':':<{width}}{text}")
        for head, key in (
            (_("OPTION"), "options"),
            (_("OPTION OF ALL EXPORTERS"), "shared_options"),
        ):
            if plugin.get(key):
                print_line()
                columns = (head, _("TYPE"), _("DEFAULT"), _("MEANS"))
                print_table(columns, [tuple(option.values()) for option in plugin[key]])
