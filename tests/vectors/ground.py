"""Hashes, signatures, packed values and ciphers as spec/wire.md has them; for check.py."""

import hashlib
import re
import struct
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

ROOT = Path(sys.argv[1])
PAGES = {page.stem: page.read_text() for page in (ROOT / "spec").glob("*.md")}
DONE = []


def must(holds, what):
    DONE.append(what)
    if not holds:
        sys.exit(f"vectors: {what}")


def vectors(name):
    lines = (ROOT / "tests/vectors" / name).read_text().splitlines()
    return {k: bytes.fromhex(v) for k, v in (x.split("=") for x in lines if x and x[0] != "#")}


# ---- spec/wire.md: hashes, signatures, packed values ----

CONTEXTS = dict(re.findall(r"^\| ([A-Z_]+) \| `(consilium/1 [^`]+)` \|", PAGES["wire"], re.M))


def framing(context, *parts):
    parts = (CONTEXTS[context].encode(), *parts)
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def blake(context, *parts, key=b""):
    return hashlib.blake2b(framing(context, *parts), digest_size=32, key=key).digest()


def signed(context, message, key, signature):
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, framing(context, message))
        return True
    except InvalidSignature:
        return False


class Cursor:
    """Takes fields off the front of bytes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        must(self.at + size <= len(self.data), "ends early")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def sized(self, size):
        return self.take(self.number(size))

    def left(self):
        return len(self.data) - self.at


def unpack_one(cursor, depth=0):
    must(depth <= 8, "too deep")
    tag = cursor.number(1)
    if tag < 0x80:
        return tag
    if 0xCC <= tag <= 0xCF:
        size = 1 << tag - 0xCC
        value = cursor.number(size)
        must(value >= (1 << 8 * size // 2 if size > 1 else 0x80), "a number that is too long")
        return value
    if tag in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[tag]
    for fixed, mask, longer, kind in (
        (0xA0, 0x1F, (0xD9, 0xDA, 0xDB), "text"),
        (None, 0, (0xC4, 0xC5, 0xC6), "bytes"),
        (0x90, 0x0F, (None, 0xDC, 0xDD), "list"),
        (0x80, 0x0F, (None, 0xDE, 0xDF), "map"),
    ):
        if fixed is not None and tag & ~mask == fixed:
            count, least = tag & mask, 0
        elif tag in longer:
            step = longer.index(tag)
            count = cursor.number(1 << step)
            least = (mask + 1, 1 << 8, 1 << 16)[step] if step or kind == "text" else 0
            least = mask + 1 if kind in ("list", "map") and step == 1 else least
        else:
            continue
        must(count >= least, "a length that is too long")
        if kind == "text":
            return cursor.take(count).decode("utf-8")
        if kind == "bytes":
            return cursor.take(count)
        if kind == "list":
            return [unpack_one(cursor, depth + 1) for _ in range(count)]
        pairs = []
        for _ in range(count):
            key = unpack_one(cursor, depth + 1)
            must(isinstance(key, int) and (not pairs or pairs[-1][0] < key), "keys out of order")
            pairs.append((key, unpack_one(cursor, depth + 1)))
        return dict(pairs)
    must(False, f"a tag {tag:#x} that may not be")


def unpack(data):
    cursor = Cursor(data)
    value = unpack_one(cursor)
    must(cursor.left() == 0, "bytes behind a packed value")
    return value


# ---- XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) over the ChaCha20-Poly1305 of the library ----


def hchacha(key, nonce):
    s = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))

    def turn(a, b, c, d):
        for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = s[x] + s[y] & 0xFFFFFFFF
            s[z] ^= s[x]
            s[z] = (s[z] << n | s[z] >> 32 - n) & 0xFFFFFFFF

    for _ in range(10):
        for i in range(4):
            turn(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            turn(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<8I", *s[:4], *s[12:])


def xopen(key, nonce, sealed, bound):
    inner = hchacha(key, nonce[:16])
    return ChaCha20Poly1305(inner).decrypt(bytes(4) + nonce[16:], sealed, bound)
