"""Passwords in URLs, which no message, listing or session may show."""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "***"

# Greedy up to the last `@`, because keys of object stores have slashes in them.
_USER: Final = re.compile(r"(?P<before>://[^:/?#@\s]*:)(?P<secret>[^\s]*)@")
_OPTION: Final = re.compile(
    r"(?P<before>[?&;][\w.-]*?(?:pass|pwd|secret|token|key|credential|auth|signature|sig)[\w.-]*=)"
    r"(?P<secret>(?:(?!::)[^&;#\s'\"])+)",
    re.IGNORECASE,
)
_NO_SECRET: Final = re.compile(
    r"(?:file|path|name|method|mode|type|[_.-](?:id|env|command))=$", re.IGNORECASE
)
_PORT: Final = re.compile(r"\d*/")


def masked_url(text: str) -> str:
    """Return *text*, a URL or a message with some, without the passwords that are in URLs.

    Users stay, and so do options that only name where a secret is, such as `keyfile`.
    """
    if "://" not in text and "::" not in text:
        return text
    return _OPTION.sub(_masked_option, _USER.sub(_masked_user, text))


def _masked_user(match: re.Match[str]) -> str:
    if _PORT.match(match["secret"]):
        return match[0]  # `host:80/a@b` has a port, and no user
    return f"{match['before']}{HIDDEN}@"


def _masked_option(match: re.Match[str]) -> str:
    return match[0] if _NO_SECRET.search(match["before"]) else f"{match['before']}{HIDDEN}"
