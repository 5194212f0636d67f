"""Checks of processes and signals; exits with a reason if one fails."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

PATIENCE_S = 30  # a busy machine is slow, not broken


def check_spawn() -> str:
    """Check that output and exit code of programs arrive."""
    for code in (0, 1, 42):
        command = ["/bin/sh", "-c", f"echo told {code}; exit {code}"]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
        if (done.returncode, done.stdout) != (code, f"told {code}\n"):
            sys.exit(f"a shell told to exit with {code} gave {done}")
    return "three shells told what they were asked for"


def check_signal() -> str:
    """Check that signals reach this process, and end another."""
    caught: list[int] = []
    signal.signal(signal.SIGUSR1, lambda number, _frame: caught.append(number))
    os.kill(os.getpid(), signal.SIGUSR1)
    deadline = time.monotonic() + PATIENCE_S
    while not caught and time.monotonic() < deadline:
        time.sleep(0.01)
    if caught != [signal.SIGUSR1]:
        sys.exit(f"sent SIGUSR1 to this process, and it caught {caught}")
    child = subprocess.Popen(["/bin/sh", "-c", "read line"], stdin=subprocess.PIPE)
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=PATIENCE_S)
    if child.returncode != -signal.SIGKILL:
        sys.exit(f"a child sent SIGKILL ended with {child.returncode}")
    return "SIGUSR1 was caught, SIGKILL ended a child"


if __name__ == "__main__":
    print({"spawn": check_spawn, "signal": check_signal}[sys.argv[1]]())
