"""Checks of the disk; exits with a reason if one fails."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

MIB = 1 << 20


def check_free() -> str:
    """Check that there is room for the files of jobs, and for temporary ones."""
    reports = []
    for folder in (str(Path.cwd()), tempfile.gettempdir()):
        free = shutil.disk_usage(folder).free
        if free < 64 * MIB:
            sys.exit(f"only {free // MIB} MiB are free at {folder}, 64 are needed")
        reports.append(f"{free // MIB} MiB are free at {folder}")
    return "\n".join(reports)


def check_write_read() -> str:
    """Check that a file holds what was written to it."""
    content = os.urandom(4 * MIB)
    path = Path("random.bin")
    try:
        with path.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        written, read = (hashlib.sha256(data).hexdigest() for data in (content, path.read_bytes()))
    finally:
        path.unlink()
    if written != read:
        sys.exit(f"wrote bytes with the checksum {written} and read some with {read}")
    return f"4 MiB written and read, sha256 {read}"


def check_temporary() -> str:
    """Check that a temporary file is its owner's alone, and made only once."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "once")
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
        os.close(os.open(str(path), flags, 0o600))
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            sys.exit(f"a file made for its owner alone has the mode {mode:o}")
        try:
            os.close(os.open(str(path), flags, 0o600))
        except FileExistsError:
            return f"a file in {tempfile.gettempdir()} was made once, with mode {mode:o}"
    sys.exit("a file that must not exist was made although it did")


if __name__ == "__main__":
    checks = {"free": check_free, "write-read": check_write_read, "temporary": check_temporary}
    print(checks[sys.argv[1]]())
