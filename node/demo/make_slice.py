#!/usr/bin/env python3
"""Writes ct.png: a drawing in the grey levels of a CT, axial through the base of the skull, with a
mass at sphenoid and clivus. It is made of ellipses and shows no person.

A text chunk and a date are planted, with the word PLANTED, so that the demo can show that they stay.

    python3 make_slice.py ct.png
"""
import math
import struct
import sys
import zlib

SIZE = 320
# centre x, centre y, half width, half height, turned by degrees, grey; later ones lie above
SHAPES = [
    (160, 164, 118, 142, 0, 96),    # skin
    (160, 164, 112, 136, 0, 232),   # skull
    (160, 166, 103, 127, 0, 112),   # brain
    (116, 66, 26, 30, 12, 60),      # orbits
    (204, 66, 26, 30, -12, 60),
    (116, 62, 19, 20, 0, 128),      # eyes
    (204, 62, 19, 20, 0, 128),
    (160, 66, 14, 38, 0, 10),       # nasal cavity
    (160, 70, 3, 36, 0, 190),       # septum
    (142, 78, 5, 20, 4, 20),        # ethmoid cells
    (178, 78, 5, 20, -4, 20),
    (98, 178, 44, 15, 28, 220),     # petrous bones
    (222, 178, 44, 15, -28, 220),
    (88, 182, 12, 5, 28, 15),       # mastoid air
    (232, 182, 12, 5, -28, 15),
    (160, 122, 46, 36, 0, 158),     # the mass, where sphenoid and clivus were
    (146, 132, 22, 20, 20, 172),
    (184, 114, 18, 14, -30, 150),
    (160, 126, 13, 9, 0, 128),      # necrosis
    (130, 146, 8, 4, 30, 226),      # what is left of the bone
    (192, 144, 7, 3, -20, 226),
    (160, 186, 24, 20, 0, 122),     # brainstem
    (160, 208, 9, 6, 0, 80),        # fourth ventricle
    (128, 236, 34, 30, -10, 118),   # cerebellum
    (192, 236, 34, 30, 10, 118),
]


def covers(shape, x, y):
    cx, cy, a, b, turn, _ = shape
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    dx, dy = x - cx, y - cy
    return ((dx * c + dy * s) / a) ** 2 + ((dy * c - dx * s) / b) ** 2 <= 1


def grey(x, y):
    value = 4
    for shape in SHAPES:
        if covers(shape, x, y):
            value = shape[5]
    grain = (x * 7919 + y * 104729 + x * y * 31) % 5 - 2
    return max(0, min(255, value + (grain if value > 8 else 0)))


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


rows = b"".join(b"\0" + bytes(grey(x, y) for x in range(SIZE)) for y in range(SIZE))
with open(sys.argv[1], "wb") as out:
    out.write(b"\x89PNG\r\n\x1a\n")
    out.write(chunk(b"IHDR", struct.pack(">IIBBBBB", SIZE, SIZE, 8, 0, 0, 0, 0)))
    out.write(chunk(b"tEXt", b"Comment\0PLANTED workstation 3, PLANTED technician"))
    out.write(chunk(b"tIME", struct.pack(">HBBBBB", 2012, 12, 1, 12, 0, 0)))
    out.write(chunk(b"IDAT", zlib.compress(rows, 9)))
    out.write(chunk(b"IEND", b""))
