"""The daemon with tests/shims/io_shim.c between it and its disk.

$OUTDIAL_SHIMS is the folder of such libraries. Under a sanitizer it comes before the sanitizer's own.
"""

import mmap
import os
import struct

from outdial_daemon import Daemon, program_path

WORKS, EIO, ENOSPC, SHORT = range(4)  # enum shim_failure
CALLS = {0: "none", 1: "write", 2: "head", 3: "sync"}  # enum shim_call
FIELDS = ("at", "failure", "is_for_good", "calls", "failed_call")  # struct shim_control


class Control:
    """The calls on data.mdb that are to fail; `calls` counts them."""

    def __init__(self, path):
        self.path = path
        with open(path, "w+b") as file:
            file.write(bytes(8 * len(FIELDS)))
            file.flush()
            self.memory = mmap.mmap(file.fileno(), 8 * len(FIELDS))

    def get(self, field):
        return struct.unpack_from("=Q", self.memory, 8 * FIELDS.index(field))[0]

    def set(self, field, value):
        struct.pack_into("=Q", self.memory, 8 * FIELDS.index(field), value)

    def fail(self, ahead, failure, for_good=False):
        """The call after `ahead` others from now on fails."""
        self.set("failure", failure)
        self.set("is_for_good", int(for_good))
        self.set("failed_call", 0)
        self.set("at", self.get("calls") + 1 + ahead)

    def heal(self):
        self.set("at", 0)

    def failed_call(self):
        return CALLS[self.get("failed_call")]

    def close(self):
        self.memory.close()


def shim_environment(**settings):
    """What preloads the library: shim_environment(trace=path, no_sync="1", control=path)."""
    library = os.path.join(program_path("OUTDIAL_SHIMS"), "io_shim.so")
    environment = {"LD_PRELOAD": library}
    for name, value in settings.items():
        environment[f"OUTDIAL_SHIM_{name.upper()}"] = value
    if "ASAN_OPTIONS" in os.environ:
        environment["ASAN_OPTIONS"] = os.environ["ASAN_OPTIONS"] + ":verify_asan_link_order=0"
    return environment


class ShimDaemon(Daemon):
    """A daemon whose shim can be put in and taken out between two starts."""

    def __init__(self, **options):
        super().__init__(**options)
        self.plain = dict(self.environment)

    def use(self, **settings):
        self.environment = {**self.plain, **shim_environment(**settings)}

    def use_none(self):
        self.environment = dict(self.plain)
