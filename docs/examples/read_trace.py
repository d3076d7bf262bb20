#!/usr/bin/env python3
"""Prints a trace of outdial (docs/traces.md): read_trace.py FILE. Python's standard library only."""
import struct
import sys

KINDS = ["", "start", "zone", "message", "commit", "reload", "end", "lost"]
SIZED = {0xC4: ">B", 0xC5: ">H", 0xC6: ">I", 0xD9: ">B", 0xDA: ">H", 0xDB: ">I",  # bytes, texts
         0xDC: ">H", 0xDD: ">I", 0xDE: ">H", 0xDF: ">I"}                          # arrays, maps
FIXED = {0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
         0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def value(data, at):
    """The msgpack value at `at`, and where the next one begins."""
    tag, at = data[at], at + 1
    if tag < 0x80 or tag >= 0xE0:
        return (tag if tag < 0x80 else tag - 0x100), at
    if tag in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[tag], at
    if tag in FIXED:
        return struct.unpack_from(FIXED[tag], data, at)[0], at + struct.calcsize(FIXED[tag])
    if tag in SIZED:
        size, at = struct.unpack_from(SIZED[tag], data, at)[0], at + struct.calcsize(SIZED[tag])
    else:
        size = tag & 0x1F if tag >= 0xA0 else tag & 0x0F
    if 0xC4 <= tag <= 0xC6:
        return data[at:at + size].hex(), at + size
    if 0xA0 <= tag < 0xC0 or 0xD9 <= tag <= 0xDB:
        return data[at:at + size].decode(), at + size
    is_map, items = tag < 0x90 or tag >= 0xDE, []
    for _ in range(size * (2 if is_map else 1)):
        item, at = value(data, at)
        items.append(item)
    return dict(zip(items[::2], items[1::2])) if is_map else items, at


def frames(file):
    while head := file.read(8):
        size, crc = struct.unpack("<II", head)
        body = file.read(size)
        if len(body) != size or crc32c(body) != crc:
            sys.exit("cut off or damaged here")
        yield body


with open(sys.argv[1], "rb") as trace:
    if trace.read(8) != b"OUTDIALT":
        sys.exit("not a trace")
    bodies = frames(trace)
    header = value(next(bodies), 0)[0]
    types = [entry[1] for entry in header[12]]
    for body in bodies:
        at = 0
        while at < len(body):
            record, at = value(body, at)
            if record[0] == 3:
                record[5] = types[record[5]]
            print(KINDS[record[0]], *record[1:])
