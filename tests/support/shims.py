"""Libraries of tests/shims that stand between a daemon and its machine, and what steers them."""

import mmap
import os
import struct
import unittest


def preload(name):
    """The environment of a daemon with this shim."""
    folder = os.environ.get("OUTDIAL_SHIMS")
    path = os.path.join(folder or "", f"{name}.so")
    if not folder or not os.path.exists(path):
        raise unittest.SkipTest("$OUTDIAL_SHIMS is not set")
    if "TSAN_OPTIONS" in os.environ:
        raise unittest.SkipTest("ThreadSanitizer has the first word about every call")
    environment = {"LD_PRELOAD": path}
    if "ASAN_OPTIONS" in os.environ:
        environment["ASAN_OPTIONS"] = os.environ["ASAN_OPTIONS"] + ":verify_asan_link_order=0"
    return environment


class FailingMalloc:
    """tests/shims/failing_malloc.c: refuses the pieces of memory that it is told to."""

    EVER = (1 << 64) - 1

    def __init__(self, folder):
        path = os.path.join(folder, "malloc")
        with open(path, "w+b") as file:
            file.write(bytes(24))
            file.flush()
            self.map = mmap.mmap(file.fileno(), 24)
        self.environment = {**preload("failing_malloc"), "OUTDIAL_MALLOC_CONTROL": path}

    def arm(self, number, count=1):
        """From now on the `number`th piece is refused, and so many of them."""
        self.map[:] = struct.pack("<QQQ", 0, number, count)

    def disarm(self):
        """Returns how many pieces have been asked for since it was armed."""
        asked, _, _ = struct.unpack("<QQQ", self.map[:])
        self.map[8:] = bytes(16)
        return asked


class SteppingClock:
    """tests/shims/stepping_clock.c: a wall clock that is set while the daemon runs."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "steps")
        os.mkfifo(self.path)
        self.environment = {**preload("stepping_clock"), "OUTDIAL_CLOCK_STEPS": self.path}
        self.offset = 0

    def step(self, seconds):
        """The daemon's wall clock is set forward, or back."""
        self.offset += seconds
        with open(self.path, "w", encoding="ascii") as file:
            file.write(f"{self.offset}\n")
