"""Checks that memory keeps what is written to it; exits with a reason if it does not."""

from __future__ import annotations

import sys

MIB = 1 << 20
SIZE = 32 * MIB


def check_fill() -> str:
    """Check that every byte of a large piece of memory keeps its value."""
    for value in (0x00, 0xFF, 0x55, 0xAA):
        filled = bytearray([value]) * SIZE
        kept = filled.count(value)
        if kept != SIZE:
            sys.exit(f"{SIZE - kept} of {SIZE} bytes lost the value {value:#04x}")
    pattern = bytes(range(256)) * (MIB // 256)
    filled = bytearray(pattern) * (SIZE // MIB)
    for start in range(0, SIZE, MIB):
        if filled[start : start + MIB] != pattern:
            sys.exit(f"the pattern is damaged between bytes {start} and {start + MIB}")
    return f"{SIZE // MIB} MiB kept five patterns"


if __name__ == "__main__":
    print(check_fill())
