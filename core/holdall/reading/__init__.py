"""The kit for authors of importers: files of strangers read piece by piece, never trusted."""

from typing import TYPE_CHECKING

from holdall.doors import lazy_door

if TYPE_CHECKING:
    from holdall.reading.archives import MOST_MEMBERS, TarFiles, first_tar_name
    from holdall.reading.documents import LONGEST_ITEM, json_items, json_pairs, json_parts
    from holdall.reading.lines import LONGEST_LINE, text_lines
    from holdall.reading.nodes import XmlNode, xml_nodes
    from holdall.reading.packing import Unpacking, packing_of
    from holdall.reading.text import LongText
    from holdall.reading.values import file_below, moment_of, seconds_of
    from holdall.reading.xml import End, Root, Start, Text, XmlStep, xml_root, xml_steps
else:
    __getattr__, __dir__ = lazy_door(
        __name__,
        {
            ".archives": ("MOST_MEMBERS", "TarFiles", "first_tar_name"),
            ".documents": ("LONGEST_ITEM", "json_items", "json_pairs", "json_parts"),
            ".lines": ("LONGEST_LINE", "text_lines"),
            ".nodes": ("XmlNode", "xml_nodes"),
            ".packing": ("Unpacking", "packing_of"),
            ".text": ("LongText",),
            ".values": ("file_below", "moment_of", "seconds_of"),
            ".xml": ("End", "Root", "Start", "Text", "XmlStep", "xml_root", "xml_steps"),
        },
    )

__all__ = [
    "LONGEST_ITEM",
    "LONGEST_LINE",
    "MOST_MEMBERS",
    "End",
    "LongText",
    "Root",
    "Start",
    "TarFiles",
    "Text",
    "Unpacking",
    "XmlNode",
    "XmlStep",
    "file_below",
    "first_tar_name",
    "json_items",
    "json_pairs",
    "json_parts",
    "moment_of",
    "packing_of",
    "seconds_of",
    "text_lines",
    "xml_nodes",
    "xml_root",
    "xml_steps",
]
