"""Flavours: what a file says beyond what every reader takes, and for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Flavour(NamedTuple):
    """What the readers of one kind take.

    Attributes:
        has_output: Whether a case has its output, and its earlier attempts with theirs; else its
            output stands in what it failed by.
        splits_names: Whether they take a class name apart at its dots, as if it were Java's.
        has_places: Whether a case says the file and the line of its definition.
        has_files: Whether a case names the files of its attachments and logs, for
            `attachments-base`.
        has_properties: Whether a case has properties.
    """

    has_output: bool = True
    splits_names: bool = False
    has_places: bool = False
    has_files: bool = False
    has_properties: bool = False


Name = Literal["portable", "jenkins", "gitlab", "github", "azure", "rich"]

FLAVOURS: Final[Mapping[Name, Flavour]] = {
    # The schema of windyroad has no room in a case but for what it failed by.
    "portable": Flavour(has_output=False, splits_names=True),
    # Its class names are a package and a class; `[[ATTACHMENT|path]]` is a convention of its own.
    "jenkins": Flavour(splits_names=True, has_files=True),
    # Shows class names as they are, links `file`, and takes over Jenkins' attachments.
    "gitlab": Flavour(has_places=True, has_files=True),
    # Actions put what failed beside the line of a file.
    "github": Flavour(has_places=True),
    "azure": Flavour(),
    "rich": Flavour(has_places=True, has_properties=True),
}
