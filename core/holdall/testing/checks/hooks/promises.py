"""The promises of hook plugins: each function is one, and its first line names it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from holdall.errors import HoldallError, PluginCallError
from holdall.exports import export
from holdall.hooks import Hooks, implemented_hooks
from holdall.registry import Identity, reason_of
from holdall.testing.checks.hooks.session_life import EXPORTER, lived, registry_with
from holdall.testing.checks.outcomes import CheckFailed, CheckSkipped, require
from holdall.testing.sessions import sample_session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdall.contracts import ExportReport
    from holdall.registry import Candidate
    from holdall.testing.checks.hooks.session_life import Life

_WRAPPERS: Final = ("filter_view", "wrap_export")
_NO_SETTING: Final = "surely_no_plugin_has_this_setting"
_MANY: Final = 40


@dataclass(frozen=True, kw_only=True)
class HooksSubject:
    """A hook plugin to check.

    Attributes:
        plugin: The module or object with its hooks.
        settings: What a user would set for it.
        candidate: Its installed declaration; None for one that is not installed.
        slowest_ms: How much longer a checkpoint may take because of it.
    """

    plugin: object
    settings: Mapping[str, Any] = field(default_factory=dict)
    candidate: Candidate | None = None
    slowest_ms: float = 50.0

    @property
    def identity(self) -> Identity:
        """What it goes by in messages."""
        if self.candidate is not None:
            return self.candidate.identity
        return Identity("hook module", "listener", f"the application ({self.plugin!r})")

    @property
    def hooks(self) -> tuple[str, ...]:
        """The hooks that it implements."""
        return implemented_hooks(self.plugin, origin=self.identity.origin)

    def registered(self, settings: Mapping[str, Any]) -> Hooks:
        """Return hooks with it alone, registered with *settings*."""
        hooks = Hooks()
        hooks.register(self.plugin, plugin=self.identity, settings=settings)
        return hooks

    @cached_property
    def is_refused(self) -> bool:
        """Whether it can't be registered with its settings, which one check alone is to say."""
        try:
            self.registered(self.settings)
        except HoldallError:
            return True
        return False

    def require_registered(self) -> None:
        """Leave a check out that needs it registered, if it can't be.

        Raises:
            CheckSkipped: Its settings, or having none, keep it from being registered.
        """
        if self.is_refused:
            check = "takes_its_settings" if self.settings else "works_without_settings"
            raise CheckSkipped(f"it can't be registered; {check} says why")

    def lived(self, *, jobs: int = 4) -> Life:
        """Return what a session comes to that it listens to."""
        self.require_registered()
        return lived(registry_with(self.plugin, self.settings), jobs=jobs)

    def report(self, *, with_it: bool) -> tuple[bytes, ExportReport]:
        """Return a report on the sample session, and what is known of it."""
        self.require_registered()
        registry = registry_with(
            self.plugin if with_it else None, self.settings if with_it else {}
        )
        target = BytesIO()
        report = export(sample_session(), EXPORTER, target, registry=registry)
        return target.getvalue(), report


def implements_hooks_that_exist(subject: HooksSubject) -> None:
    """Each implementation is of a hook that exists, and takes arguments that it has."""
    require(subject.hooks, "it implements no hook")


def works_without_settings(subject: HooksSubject) -> None:
    """An installation that sets nothing for it is not disturbed."""
    subject.registered({})


def takes_its_settings(subject: HooksSubject) -> None:
    """It can be registered with the settings that a user would give it."""
    if not subject.settings:
        raise CheckSkipped(
            "nothing is set for it; --configured takes what holdall.toml sets, `settings` a test"
        )
    subject.registered(subject.settings)


def refuses_unknown_settings(subject: HooksSubject) -> None:
    """A setting that it does not know is refused by name: it is a misspelt one."""
    subject.require_registered()
    settings = {**subject.settings, _NO_SETTING: 1}
    try:
        subject.registered(settings)
    except HoldallError as error:
        reason = f"the setting {_NO_SETTING!r} is refused without being named: {error}"
        require(_NO_SETTING in str(error), reason)
    else:
        raise CheckFailed(f"the setting {_NO_SETTING!r} was taken")


def serves_several_sessions(subject: HooksSubject) -> None:
    """Each session manager registers it: one behind the other, and some at a time."""
    subject.require_registered()
    first = subject.registered(subject.settings)
    second = subject.registered(subject.settings)
    for hooks in (first, second):
        hooks.unregister(subject.plugin)
    subject.registered(subject.settings)


def raises_nothing_in_a_session(subject: HooksSubject) -> None:
    """A session that runs, is exported, loaded again and removed makes it raise nothing."""
    life = subject.lived()
    for failure in life.failures:
        words = f"{failure.hook or 'being registered'}: {reason_of(failure.error)}"
        raise CheckFailed(words) from failure.error
    for report in life.reports:
        if report.exception is not None:
            raise CheckFailed(str(report.exception)) from report.exception


def prints_nothing(subject: HooksSubject) -> None:
    """Standard output is the user's: a report may be going there."""
    printed = subject.lived().printed
    require(not printed, f"it printed {printed[:40]!r}")


def changes_no_result(subject: HooksSubject) -> None:
    """Results, comments and logs of the session are what they are without it."""
    without = lived(registry_with(None)).facts
    facts = subject.lived().facts
    for before, now in zip(without, facts, strict=False):
        require(before == now, f"it should be {before!r}, and is {now!r}"[:400])
    require(len(without) == len(facts), f"{len(without) - 1} jobs became {len(facts) - 1}")


def keeps_up(subject: HooksSubject) -> None:
    """A run waits for it no longer than its budget at each checkpoint."""
    took_ms = min(_late_ms(subject) for _ in range(2))  # one may meet a busy machine
    reason = (
        f"a checkpoint takes {took_ms:.0f} ms longer, and {subject.slowest_ms:.0f} ms are "
        "allowed; do slow work in a thread of your own"
    )
    require(took_ms < subject.slowest_ms, reason)


def _late_ms(subject: HooksSubject) -> float:
    life = subject.lived(jobs=_MANY // 8)
    return 1000 * life.seconds / life.checkpoints


def counts_what_it_changes(subject: HooksSubject) -> None:
    """A report is byte for byte what it is without it, or `changes` counts what it changed."""
    _needs(subject, *_WRAPPERS)
    without, _ = subject.report(with_it=False)
    data, report = subject.report(with_it=True)
    require(
        data == without or any(report.changes.values()),
        "the report differs, and nothing in `changes` says so",
    )


def lets_failures_pass(subject: HooksSubject) -> None:
    """An export that fails goes on to fail, with the error it failed with."""
    _needs(subject, *_WRAPPERS)
    subject.require_registered()
    registry = registry_with(subject.plugin, subject.settings)
    registry.register("exporters", "checks.failing", _Failing)
    try:
        export(sample_session(), "checks.failing", BytesIO(), registry=registry)
    except PluginCallError as error:
        if error.kind != "exporter":
            raise CheckFailed(str(error)) from error
        return
    raise CheckFailed("the export failed, and nobody learns of it")


def _needs(subject: HooksSubject, *hooks: str) -> None:
    if not set(hooks) & set(subject.hooks):
        raise CheckSkipped(f"it implements no hook {' or '.join(map(repr, hooks))}")


class _Failing:
    """An exporter that fails after its first bytes."""

    summary, suffix, media_type = "Fails", ".txt", "text/plain"

    def export(self, view: object, sink: Any, context: object) -> None:
        del view, context
        sink.write(b"so far\n")
        raise RuntimeError("the exporter of the check fails")
