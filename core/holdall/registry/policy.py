"""The integrator's policy: which plugins may be used, and which of two is preferred.

A policy is a value. It is applied before anything is imported; reading files
and environment variables is the command line's business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OWN_DISTRIBUTION: Final = "holdall"
"""The distribution of the built-ins."""

TRIED: Final = "--plugin"
"""The distribution of plugins in files that the user named: `dist:--plugin` in a rule."""

SUBJECTS: Final = ("", "dist", "target")
"""What a rule may be about: an id, a distribution, a module."""

THE_APPLICATION: Final = "the application's policy"
"""Where a rule was written that the running application gave itself."""


def normalised(distribution: str) -> str:
    """Return the name of a distribution as all its spellings compare."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


class Rule(NamedTuple):
    """One line of a policy, and where it was written.

    Attributes:
        text: `acme.*` for ids, `dist:acme-*` for distributions, `target:acme.*` for modules.
        location: `/etc/lab/holdall.toml, plugins.block`, say.
    """

    text: str
    location: str = THE_APPLICATION

    @classmethod
    def of(cls, text: str, location: str) -> Rule:
        """Return the rule *text*, whatever blanks it has and however `dist:` is written."""
        subject, colon, pattern = text.strip().partition(":")
        return cls(f"{subject.strip().lower()}:{pattern.strip()}" if colon else subject, location)

    @property
    def is_about(self) -> str:
        """What the rule names: `dist`, `target`, or nothing for the id of a plugin."""
        return self.text.rpartition(":")[0].partition(":")[0]

    def fault(self) -> str:
        """Say why the rule can match nothing, whatever is installed; nothing if it can."""
        if self.is_about not in SUBJECTS:
            return f"{self.is_about + ':'!r} is none of {', '.join(filter(None, SUBJECTS))}"
        if not self.text.removeprefix(f"{self.is_about}:"):
            return "it names nothing"
        if not self.is_about and self.text != self.text.lower():
            return f"ids are lower-case; write {self.text.lower()!r}"
        return ""

    def matches(self, plugin_id: str, distribution: str, target: str) -> bool:
        """Whether the rule is about this plugin."""
        pattern = self.text.removeprefix(f"{self.is_about}:")
        if self.is_about == "dist":
            return fnmatchcase(normalised(distribution), normalised(pattern))
        if self.is_about == "target":
            return fnmatchcase(target.partition(":")[0], pattern)
        return fnmatchcase(plugin_id, self.text)

    def __str__(self) -> str:
        return f"the rule {self.text!r} ({self.location})"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginPolicy:
    """Rules about plugins; without any, everything that is installed may be used.

    Attributes:
        allow: Only what one of these matches may be used; None for everything.
            holdall's own plugins are always allowed.
        block: What one of these matches may not be used; beats `allow`.
        prefer: For an id that several distributions declare, the one that is meant;
            the only way to replace one of holdall's own plugins.
        alias: Other names for exporters; they win over all other aliases.
        strict: Whether any problem with any plugin is an error.
        only_own: Why nothing but holdall's own plugins may be used; empty if others may.
    """

    allow: tuple[Rule, ...] | None = None
    block: tuple[Rule, ...] = ()
    prefer: Mapping[str, Rule] = field(default_factory=dict)
    alias: Mapping[str, Rule] = field(default_factory=dict)
    strict: bool | None = None
    only_own: str = ""

    @classmethod
    def of(
        cls,
        *,
        allow: Iterable[str] | None = None,
        block: Iterable[str] = (),
        prefer: Mapping[str, str] | None = None,
        alias: Mapping[str, str] | None = None,
        strict: bool | None = None,
        location: str = THE_APPLICATION,
    ) -> PluginPolicy:
        """Return the policy with these rules.

        Args:
            location: Where the rules were written, for messages.
        """
        return cls(
            allow=None if allow is None else tuple(Rule.of(text, location) for text in allow),
            block=tuple(Rule.of(text, location) for text in block),
            prefer={key: Rule.of(text, location) for key, text in (prefer or {}).items()},
            alias={key: Rule.of(text, location) for key, text in (alias or {}).items()},
            strict=strict,
        )

    def over(self, weaker: PluginPolicy) -> PluginPolicy:
        """Return both policies as one; where they disagree, this one counts.

        What either blocks is blocked.
        """
        return replace(
            self,
            allow=weaker.allow if self.allow is None else self.allow,
            block=(*self.block, *weaker.block),
            prefer={**weaker.prefer, **self.prefer},
            alias={**weaker.alias, **self.alias},
            strict=weaker.strict if self.strict is None else self.strict,
            only_own=self.only_own or weaker.only_own,
        )

    def without_names_of(self, location: str) -> PluginPolicy:
        """Return the policy without what *location* prefers, and without its aliases."""
        return replace(
            self,
            prefer={key: rule for key, rule in self.prefer.items() if rule.location != location},
            alias={key: rule for key, rule in self.alias.items() if rule.location != location},
        )

    def refusal(self, plugin_id: str, distribution: str, target: str) -> str:
        """Say why a plugin may not be used; nothing if it may."""
        for rule in self.block:
            if rule.matches(plugin_id, distribution, target):
                return f"blocked by {rule}"
        if distribution == OWN_DISTRIBUTION:
            return ""
        if self.only_own:
            return f"{self.only_own}: only holdall's own plugins are used"
        if self.allow is None or any(
            rule.matches(plugin_id, distribution, target) for rule in self.allow
        ):
            return ""
        location = self.allow[0].location if self.allow else "the policy"
        return f"no rule of {location} allows it"

    def preferred(self, plugin_id: str) -> Rule | None:
        """Return the rule that says whose plugin *plugin_id* is; its text is a distribution."""
        return self.prefer.get(plugin_id)


EVERYTHING: Final = PluginPolicy()
"""The policy without rules."""
