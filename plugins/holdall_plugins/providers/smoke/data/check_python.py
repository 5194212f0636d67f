"""Checks of Python itself; exits with a reason if one fails."""

from __future__ import annotations

import hashlib
import platform
import sys

# Of the three letters abc, as NIST's examples for FIPS 180-4 print them.
KNOWN = {
    "sha224": "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
    "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "sha512": (
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
    ),
}


def check_version() -> str:
    """Check that Python is no older than the programs of this provider can do with."""
    version = platform.python_version()
    if sys.version_info < (3, 8):  # noqa: UP036 - it is not holdall's Python that runs this
        sys.exit(f"python3 is version {version}, 3.8 is needed")
    return f"{platform.python_implementation()} {version}"


def check_hash() -> str:
    """Check that checksums are those that the standard prints."""
    for name, known in KNOWN.items():
        digest = hashlib.new(name, b"abc").hexdigest()
        if digest != known:
            sys.exit(f"{name} of abc is {digest}, not {known}")
    return f"{', '.join(KNOWN)} of abc are right"


def check_modules() -> str:
    """Check that modules which need libraries of the system are there, and work."""
    try:
        import sqlite3
        import ssl
        import zlib
    except ImportError as exc:
        sys.exit(f"this Python was built without a module: {exc}")
    if zlib.decompress(zlib.compress(b"abc" * 1000)) != b"abc" * 1000:
        sys.exit("zlib does not give back what it was given")
    database = sqlite3.connect(":memory:")
    (answer,) = database.execute("select 6 * 7").fetchone()
    database.close()
    if answer != 42:
        sys.exit(f"sqlite says that 6 * 7 is {answer}")
    ssl.create_default_context()
    return f"{ssl.OPENSSL_VERSION}, zlib {zlib.ZLIB_VERSION}, sqlite {sqlite3.sqlite_version}"


if __name__ == "__main__":
    checks = {"version": check_version, "hash": check_hash, "modules": check_modules}
    print(checks[sys.argv[1]]())
