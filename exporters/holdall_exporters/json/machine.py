"""Facts about the machine, from the resource and attachment jobs of Checkbox's providers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from holdall.units import Record, parse_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from holdall.contracts import ExportContext
    from holdall.view import JobView, SessionView

    Records = list[dict[str, str]]

_SIZE: Final = re.compile(r"[0-9]{1,18}")
_NAMESPACE: Final = "com.canonical.certification::"


@dataclass(frozen=True)
class Machine:
    """The jobs that describe the machine, by id; of several devices the first that has one."""

    jobs: Mapping[str, JobView]
    context: ExportContext

    def software(self) -> dict[str, Any]:
        """Return the members that stand before the results."""
        return dict(self._from_records(_SOFTWARE))

    def hardware(self) -> dict[str, Any]:
        """Return the members that stand at the end."""
        members = {
            **dict(self._from_documents()),
            **dict(self._from_records(_HARDWARE)),
            **dict(self._from_texts()),
        }
        return {name: members[name] for name in _HARDWARE_ORDER if name in members}

    def _from_records(
        self, members: Mapping[str, tuple[str, Callable[[Records], object]]]
    ) -> Iterator[tuple[str, object]]:
        for name, (job_id, made_of) in members.items():
            records = self._records(job_id)
            value = made_of(records) if records else None
            if value is not None:
                yield name, value

    def _from_documents(self) -> Iterator[tuple[str, object]]:
        for name, job_id in _DOCUMENTS.items():
            value = self._document(job_id)
            if value is not None:
                yield name, value
        recovery = self._document("recovery_info_attachment_json")
        if isinstance(recovery, dict) and "image_version" in recovery:
            yield "image-version", str(recovery["image_version"])

    def _from_texts(self) -> Iterator[tuple[str, str]]:
        for name, job_id in _TEXTS.items():
            text = self._output(job_id).decode("utf-8", "backslashreplace").strip()
            if text:
                yield name, text

    def _records(self, job_id: str) -> Records:
        text = self._output(job_id).decode("utf-8", "backslashreplace")
        return [record.fields for record in parse_records(text) if isinstance(record, Record)]

    def _document(self, job_id: str) -> object:
        """Return the JSON that a job printed; None, and a warning, if it is none."""
        job = self.jobs.get(job_id)
        if job is None or job.outcome.skipped:
            return None
        try:
            document = msgspec.json.decode(self._output(job_id))
        except (ValueError, RecursionError) as error:
            self._left_out(job, str(error))
            return None
        if not isinstance(document, dict | list):
            self._left_out(job, "it is neither an object nor a list")
            return None
        return document

    def _left_out(self, job: JobView, reason: str) -> None:
        text = f"what {job.id!r} printed should be JSON and is left out: {reason}"
        self.context.warn("not-json", text)

    def _output(self, job_id: str) -> bytes:
        job = self.jobs.get(job_id)
        records = () if job is None else job.io_log()
        return b"".join(record.data for record in records if record.stream == "stdout")


def about_machine(view: SessionView, context: ExportContext) -> Machine:
    """Return the facts about the machine that the jobs of *view* printed."""
    jobs: dict[str, JobView] = {}
    for job in view.jobs():
        name = job.id.removeprefix(_NAMESPACE)
        if name in _TELLING and name != job.id and job.attempts:
            jobs.setdefault(name, job)
    return Machine(jobs, context)


def _packages(records: Records) -> object:
    return [
        {"name": record["name"], "version": record.get("version", "")}
        for record in records
        if "name" in record
    ]


def _memory(records: Records) -> object:
    sizes = {name: records[0].get(name, "") for name in ("swap", "total")}
    numbers = {name: int(size) for name, size in sizes.items() if _SIZE.fullmatch(size)}
    return numbers or None


# Members made of what a resource job found, and how.
_SOFTWARE: Final[Mapping[str, tuple[str, Callable[[Records], object]]]] = {
    "packages": ("package", _packages),
    "snap-packages": ("snap", lambda records: records),
    "distribution": ("lsb", lambda records: records[0]),
}
_HARDWARE: Final[Mapping[str, tuple[str, Callable[[Records], object]]]] = {
    "kernel": ("uname", lambda records: records[0].get("release")),
    "architecture": ("dpkg", lambda records: records[0].get("architecture")),
    "memory": ("meminfo", _memory),
    "processor": ("cpuinfo", lambda records: records[0]),
}
# Members that are the JSON an attachment job printed, and those that are its text.
_DOCUMENTS: Final[Mapping[str, str]] = {
    "dkms_info": "dkms_info_json",
    "devices": "udev_json",
    "raw-devices-dmi": "raw_devices_dmi_json",
    "modprobe-info": "modprobe_json",
    "pci_subsystem_id": "lspci_standard_config_json",
    "bto-info": "dell_bto_xml_attachment_json",
}
_TEXTS: Final[Mapping[str, str]] = {
    "kernel-cmdline": "kernel_cmdline_attachment",
    "buildstamp": "info/buildstamp",
}
_HARDWARE_ORDER: Final = (
    *("dkms_info", "devices", "raw-devices-dmi", "modprobe-info", "pci_subsystem_id"),
    *("kernel", "architecture", "memory", "processor"),
    *("kernel-cmdline", "bto-info", "image-version", "buildstamp"),
)
_TELLING: Final = frozenset(
    {
        *(job_id for job_id, _made_of in (*_SOFTWARE.values(), *_HARDWARE.values())),
        *_DOCUMENTS.values(),
        *_TEXTS.values(),
        "recovery_info_attachment_json",
    }
)
