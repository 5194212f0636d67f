"""Print a record for each place where files are kept; fail if one has less room than is asked."""

from __future__ import annotations

import argparse
import shutil
import sys

PLACES = {"root": "/", "tmp": "/tmp"}


def main() -> int:
    """Print the records, and return the exit code: 0 passes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--at-least", type=int, default=0, metavar="MIB")
    parser.add_argument("place", nargs="?", choices=PLACES)
    asked = parser.parse_args()
    for name in [asked.place] if asked.place else PLACES:
        free = shutil.disk_usage(PLACES[name]).free >> 20
        print(f"name: {name}\npath: {PLACES[name]}\nfree: {free}\n")
        if free < asked.at_least:
            print(f"{asked.at_least} MiB are needed at {PLACES[name]}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
