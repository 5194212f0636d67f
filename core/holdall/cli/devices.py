"""`--device ID[=RUNNER]`: the devices that jobs run on, and the runner of each."""

from __future__ import annotations

from gettext import gettext as _
from typing import TYPE_CHECKING

import click

from holdall.cli.configuration import DeviceTable, configured
from holdall.errors import SharedMachineError, UnknownPluginError
from holdall.registry import TRIED
from holdall.session import SessionDeviceContext, open_runner
from holdall.units import LOCAL, Device
from holdall.view import SessionView

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from holdall.journal import PluginUsed
    from holdall.registry import Registry
    from holdall.session import BoundRunner, SessionManager
    from holdall.units import Provider


def devices_of(given: Sequence[str], registry: Registry) -> list[Device]:
    """Return the devices that the user named, as they are configured, or this machine.

    Raises:
        SharedMachineError: Several of them would be this machine.
        RunnerUrlError, PluginError: A runner is unavailable.
    """
    tables = configured().devices
    devices = []
    for device_id, runner in _named_runners(given or (LOCAL,)).items():
        table = tables.get(device_id, DeviceTable())
        url = runner or table.runner or LOCAL
        devices.append(Device(device_id, table.description, dict(table.facts), url))
    _open_runners({device.id: device.runner for device in devices}, registry)
    return devices


def runners_of(manager: SessionManager, given: Sequence[str]) -> dict[str, BoundRunner]:
    """Return the runners that a session goes on with: as the user says, or as configured.

    Raises:
        SharedMachineError, RunnerUrlError, PluginError: As `devices_of`.
    """
    named, tables = _named_runners(given), configured().devices
    devices = {context.device.id: context.device for context in manager.device_context_list}
    for device_id in named:
        if device_id not in devices:
            message = _("the session has no device {id!r} (devices: {known})")
            known = ", ".join(devices)
            raise click.UsageError(message.format(id=device_id, known=known))
    configured_runners = {device_id: table.runner for device_id, table in tables.items()}
    urls = {
        device_id: named.get(device_id) or configured_runners.get(device_id) or device.runner
        for device_id, device in devices.items()
    }
    try:
        return _open_runners(urls, manager.registry)
    except UnknownPluginError as error:
        for used in SessionView.of(manager.storage).plugins:
            if used.kind == "runners" and used.id == error.name:
                error.add_note(_way_to(used))
        raise


def _way_to(used: PluginUsed) -> str:
    """Say where a plugin came from that took part in a session and is gone."""
    if used.distribution == TRIED:
        text = _("the session was run with it by --plugin; repeat that, with the file {file!r}")
        return text.format(file=used.version)
    text = _("the session was run with it by {origin}; install that")
    return text.format(origin=f"{used.distribution} {used.version}".strip())


def _named_runners(given: Iterable[str]) -> dict[str, str]:
    """Return what `ID[=RUNNER]` arguments mean: a runner's URL by device id, or nothing."""
    named = {}
    for text in given:
        device_id, equals, runner = text.partition("=")
        if not device_id or (equals and not runner):
            raise click.UsageError(_("{text!r} is not ID or ID=RUNNER").format(text=text))
        named[device_id] = runner
    return named


def _open_runners(urls: Mapping[str, str], registry: Registry) -> dict[str, BoundRunner]:
    """Return the runner of each device, before anything runs; only one may be this machine's."""
    shared = [device_id for device_id, url in urls.items() if url == LOCAL]
    if len(shared) > 1:
        raise SharedMachineError(shared)
    return {device_id: open_runner(url, registry) for device_id, url in urls.items()}


def add_devices(
    manager: SessionManager, devices: Iterable[Device], providers: Iterable[Provider]
) -> None:
    """Let *devices* take part in the session, each with all the providers."""
    for under_test in devices:
        context = SessionDeviceContext(device=under_test)
        for provider in providers:
            context.add_provider(provider)
        manager.add_device_context(context)
