"""Checks of clocks, randomness and load; exits with a reason if one fails."""

from __future__ import annotations

import math
import os
import sys
import time

START_OF_2024 = 1_704_067_200
MOST_DRIFT_S = 5  # a busy machine may stop us for a while between two readings


def check_clock() -> str:
    """Check that both clocks go forward, and about equally fast."""
    wall, begun = time.time(), time.monotonic()
    if wall < START_OF_2024:
        sys.exit(f"the wall clock has never been set, it says {time.ctime(wall)}")
    before = begun
    while before - begun < 0.25:
        now = time.monotonic()
        if now < before:
            sys.exit(f"the monotonic clock went back by {before - now} s")
        before = now
        time.sleep(0.001)
    passed, wall_passed = time.monotonic() - begun, time.time() - wall
    if abs(passed - wall_passed) > MOST_DRIFT_S:
        sys.exit(f"the wall clock went on by {wall_passed:.3f} s while {passed:.3f} s passed")
    return f"{passed:.3f} s passed, {wall_passed:.3f} s of them on the wall clock"


def check_entropy() -> str:
    """Check that random bytes look random; 4 % are twenty standard deviations."""
    first, second = os.urandom(4096), os.urandom(4096)
    if first == second:
        sys.exit("the same random bytes came twice")
    bits = format(int.from_bytes(first + second, "big"), "b").count("1")
    share = bits / (8 * 8192)
    if not 0.46 < share < 0.54:
        sys.exit(f"{share:.1%} of the bits are set, which is too far from half of them")
    return f"{share:.1%} of the bits are set"


def check_load() -> str:
    """Check that the load averages are three numbers that make sense."""
    try:
        loads = os.getloadavg()
    except OSError:
        return "the system keeps no load average, which is its right"
    if not all(math.isfinite(load) and load >= 0 for load in loads):
        sys.exit(f"the load averages are {loads}, which can't be")
    return "load averages " + ", ".join(f"{load:.2f}" for load in loads)


if __name__ == "__main__":
    checks = {"clock": check_clock, "entropy": check_entropy, "load": check_load}
    print(checks[sys.argv[1]]())
