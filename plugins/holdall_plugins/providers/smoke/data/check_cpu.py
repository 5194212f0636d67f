"""Checks of the processor; exits with a reason if one fails."""

from __future__ import annotations

import os
import sys

PRIMES_BELOW_A_MILLION = 78498
DIGITS_OF_PI_900_TO_950 = "59825349042875546873115956286388235378759375195778"


def check_count() -> str:
    """Check that there is a processor, and that one may be used."""
    count = os.cpu_count()
    if not count:
        sys.exit("the system does not tell how many processors it has")
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else count
    if usable < 1:
        sys.exit("this process may use no processor")
    return f"{count} processors, {usable} of them for this process"


def check_compute() -> str:
    """Check that computing the same twice gives what is known to be right."""
    known = (PRIMES_BELOW_A_MILLION, DIGITS_OF_PI_900_TO_950)
    for turn in ("first", "second"):
        computed = (primes_below(1_000_000), pi(1000)[900:950])
        if computed != known:
            sys.exit(f"the {turn} time it found {computed}, not {known}")
    return "{} primes below a million, digits 900 to 950 of pi are {}".format(*known)


def primes_below(limit: int) -> int:
    """Return how many primes there are below *limit*."""
    sieve = bytearray([1]) * limit
    sieve[0:2] = b"\0\0"
    for number in range(2, int(limit**0.5) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, limit, number)))
    return sum(sieve)


def pi(places: int) -> str:
    """Return the decimal places of pi, by Machin's formula."""
    unit = 10 ** (places + 10)
    value = 4 * (4 * arctan_of_inverse(5, unit) - arctan_of_inverse(239, unit))
    return str(value)[1 : places + 1]


def arctan_of_inverse(number: int, unit: int) -> int:
    """Return arctan(1 / number), in units."""
    term = total = unit // number
    divisor, sign = 1, 1
    while term:
        term //= number * number
        divisor, sign = divisor + 2, -sign
        total += sign * (term // divisor)
    return total


if __name__ == "__main__":
    print({"count": check_count, "compute": check_compute}[sys.argv[1]]())
