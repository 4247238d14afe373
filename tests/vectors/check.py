"""Reads tests/vectors/ back with nothing but spec/ to go by: another implementation in small.

It shares no code with the programs. Contexts, kinds and field tables come from the pages themselves; how a
value is hashed, signed, sealed and packed is written down here once more, from their text.

usage: check.py ROOT-OF-THE-TREE
"""

import hashlib
import hmac
import re
import struct

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from ground import DONE, PAGES, ROOT, Cursor, blake, must, signed, unpack, vectors, xopen

# ---- spec/streams.md: records ----

HEADER = [
    ("version", 1), ("scope_kind", 1), ("audience", 1), ("reserved", 1), ("federation", 32),
    ("scope", 32), ("writer", 16), ("generation", 4), ("sequence", 8), ("previous", 32), ("head", 32),
    ("time", 8), ("expires", 8), ("commitment", 32), ("body_size", 4), ("body_hash", 32),
]  # fmt: skip


def check_table_of_header():
    rows = re.findall(r"^\| (\d+) \| (\d+) \| ", PAGES["streams"], re.M)
    at = 0
    for (offset, size), (_, ours) in zip(rows, HEADER, strict=True):
        must(int(offset) == at and int(size) == ours, "the table of the header")
        at += ours
    must(at == 244, "the size of the header")


class Record:
    def __init__(self, data):
        cursor = Cursor(data)
        self.header = cursor.take(244)
        self.signature = cursor.take(64)
        self.body = cursor.take(cursor.left())
        fields = Cursor(self.header)
        for name, size in HEADER:
            raw = fields.take(size)
            setattr(self, name, raw if size > 8 else int.from_bytes(raw, "big"))
        self.id = blake("RECORD", self.header)
        must(self.version == 1 and self.reserved == 0 and self.audience <= 2, "a header")
        must(not self.body or len(self.body) == self.body_size, "the size of a body")
        must(not self.body or blake("BODY", self.body) == self.body_hash, "the hash of a body")

    def is_signed_by(self, key):
        return signed("RECORD", self.header, key, self.signature)

    def open(self, key):
        if self.audience == 0:
            must(self.commitment == bytes(32), "the commitment of a clear record")
            return self.body
        must(blake("KEY_COMMITMENT", key) == self.commitment, "a key and its commitment")
        return xopen(key, self.body[:24], self.body[24:], self.header[:212])


def check_records(v):
    check_table_of_header()
    for name, kind, audience in (("board", 2, 1), ("mail", 4, 1), ("case", 3, 2), ("federation", 1, 0)):
        record = Record(v[f"record_{name}"])
        must(record.id == v[f"record_id_{name}"], f"the id of record_{name}")
        must((record.scope_kind, record.audience) == (kind, audience), f"the scope of record_{name}")
        must(record.is_signed_by(v["sign_key"]), f"the signature of record_{name}")
        must(record.open(v["record_key"]) == b"who has seen this?", f"the body of record_{name}")
        spoiled = bytearray(v[f"record_{name}"])
        spoiled[100] ^= 1
        must(not Record(bytes(spoiled)).is_signed_by(v["sign_key"]), "a spoiled header passes")
    record = Record(v["record_board"])
    must(record.scope == blake("BOARD_SCOPE", record.federation, b"hematology"), "a board's scope id")


# ---- spec/wire.md: frames ----


def position(c, rest):
    return [c.take(53)] + [c.number(size) for size in rest]


def records_of(c):
    out = []
    for _ in range(c.number(2)):
        flags = c.number(1)
        key = c.take(32) if flags & 1 else None
        out.append((key, c.sized(4)))
    return out


FRAMES = {  # type: (name in the vectors, how its fields are taken)
    0x01: ("hello", lambda c: (c.number(1), c.number(1), c.take(32), c.number(8), c.take(32), c.number(8))),
    0x02: ("heads_want", lambda c: (c.number(8), c.take(32))),
    0x03: ("heads", lambda c: [c.sized(2) for _ in range(c.number(1))]),
    0x0D: ("roster_part", lambda c: c.take(c.left())),
    0x04: ("summary", lambda c: (c.take(32), c.number(4))),
    0x05: ("streams", lambda c: [position(c, (8, 8, 8)) for _ in range(c.number(2))]),
    0x06: ("ack", lambda c: [position(c, (8, 8, 8)) for _ in range(c.number(2))]),
    0x07: ("want", lambda c: position(c, (8, 2))),
    0x08: ("records", records_of),
    0x09: ("status", lambda c: (*position(c, (8, 1)), c.take(32))),
    0x0A: ("item_want", lambda c: (c.take(32), c.take(32), c.number(4), c.number(2))),
    0x0B: ("item_chunk", lambda c: (c.take(32), c.take(32), c.number(4), c.take(32 * c.number(1)), c.take(c.left()))),
    0x0E: ("custody_leave", lambda c: (c.take(32), c.take(16), c.take(c.left()))),
    0x0F: ("custody_answer", lambda c: (c.take(32), c.number(1))),
    0x10: ("custody_withdraw", lambda c: [c.take(32) for _ in range(c.number(2))]),
    0x11: ("custody_collect", lambda c: c.number(8)),
    0x12: ("custody_envelope", lambda c: (c.number(8), c.take(c.left()))),
    0x13: ("custody_taken", lambda c: c.number(8)),
    0x0C: ("item_status", lambda c: (c.take(32), c.take(32), c.number(4), c.number(1))),
}


def check_frames(v):
    fields = {}
    for number, (name, take) in FRAMES.items():
        must(re.search(rf"\b{name.upper()} 0x{number:02x}\b", PAGES["wire"]), f"{name} in spec/wire.md")
        cursor = Cursor(v[name])
        must(cursor.number(1) == number, f"the type of {name}")
        fields[name] = take(cursor)
        must(cursor.left() == 0, f"bytes behind {name}")
    must(fields["hello"][3] == 7 and fields["hello"][5] == 1750000000000, "the fields of hello")
    must(fields["heads"] == [b"a signed head", b"and the next"], "the heads")
    must(fields["streams"][0][1:] == [9, 8, 0xBE03], "the position in streams")
    must(fields["want"][1:] == [4, 256], "the fields of want")
    must(fields["custody_leave"][2] == b"a sealed letter" and fields["custody_answer"][1] == 2, "what is left")
    must(fields["custody_envelope"] == (21, b"a sealed letter") and fields["custody_taken"] == 21, "what is collected")
    (key, whole), (none, bare) = fields["records"]
    must(Record(whole).open(key) == b"who has seen this?" and none is None, "the records")
    must(len(bare) == 308 and Record(bare).id == Record(whole).id, "the bare record")


# ---- spec/links.md: what nodes and relays say ----


def keys(c):
    return [c.take(32) for _ in range(c.number(2))]


def endpoints(c):
    return [c.sized(1) for _ in range(c.number(1))]


RELAY = {
    0x01: ("HELLO", lambda c: (c.number(2), c.number(2), c.take(32), c.number(8), c.take(32))),
    0x02: ("WATCH", keys),
    0x03: ("UNWATCH", keys),
    0x04: ("OFFER", endpoints),
    0x05: ("WHERE", lambda c: c.take(32)),
    0x06: ("FORWARD", lambda c: (c.take(32), c.take(c.left()))),
    0x07: ("PUBLISH", lambda c: (c.number(4), c.number(4), c.take(c.left()))),
    0x81: ("WELCOME", lambda c: (c.number(2), c.take(32), c.number(8), c.take(32), [c.number(4) for _ in range(6)])),
    0x82: ("PRESENCE", lambda c: [(c.take(32), c.number(1)) for _ in range(c.number(2))]),
    0x83: ("HINTS", lambda c: (c.take(32), endpoints(c))),
    0x84: ("DELIVER", lambda c: (c.take(32), c.take(c.left()))),
    0x85: ("CREDIT", lambda c: [(c.take(32), c.number(4)) for _ in range(c.number(2))]),
    0x86: ("STATUS", lambda c: (c.number(1), c.number(1), c.take(32), c.number(4), c.number(4))),
    0x87: ("HEAD", lambda c: (c.number(8), c.take(32))),
    0x88: ("PUBLISHED", lambda c: (c.number(2), c.number(8), c.take(32))),
}


def check_relay_frames():
    for number, (name, take) in RELAY.items():
        must(f"| 0x{number:02x} {name} |" in PAGES["links"], f"{name} in spec/links.md")
        cursor = Cursor((ROOT / "tests/fuzz/seeds/relay_frame" / name.lower()).read_bytes())
        must(cursor.number(1) == number, f"the type of the relay's {name}")
        take(cursor)
        must(cursor.left() == 0, f"bytes behind the relay's {name}")


# ---- spec/links.md: a box (Noise_KK_25519_ChaChaPoly_SHA256) ----


class Noise:
    def __init__(self, prologue, initiator, responder):
        name = b"Noise_KK_25519_ChaChaPoly_SHA256"
        self.chain = self.hash = name.ljust(32, b"\0")
        for data in (prologue, initiator, responder):
            self.mix(data)
        self.key, self.nonce = None, 0

    def mix(self, data):
        self.hash = hashlib.sha256(self.hash + data).digest()

    def derive(self, secret):
        start = hmac.digest(self.chain, secret, "sha256")
        one = hmac.digest(start, b"\1", "sha256")
        return one, hmac.digest(start, one + b"\2", "sha256")

    def agree(self, own, other):
        self.chain, self.key = self.derive(own.exchange(X25519PublicKey.from_public_bytes(other)))
        self.nonce = 0

    def seal_nothing(self):
        out = ChaCha20Poly1305(self.key).encrypt(bytes(4) + struct.pack("<Q", self.nonce), b"", self.hash)
        self.mix(out)
        return out


def raw_public(key):
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def check_boxes(v):
    own = {n: X25519PrivateKey.from_private_bytes(v[n]) for n in v if re.search("secret|ephemeral", n)}
    public = {name: raw_public(key) for name, key in own.items()}
    s_i, s_r, e_i, e_r = "initiator_secret", "responder_secret", "initiator_ephemeral", "responder_ephemeral"
    must(blake("LINK_PROLOGUE", b"\1", v["federation"], v["relay_key"]) == v["prologue"], "the prologue")
    noise = Noise(v["prologue"], public[s_i], public[s_r])
    noise.mix(public[e_i])
    noise.agree(own[e_i], public[s_r])
    noise.agree(own[s_i], public[s_r])
    must(v["init"] == b"\1" + public[e_i] + noise.seal_nothing(), "INIT")
    noise.mix(public[e_r])
    noise.agree(own[e_i], public[e_r])
    noise.agree(own[s_i], public[e_r])
    must(v["resp"] == b"\2" + public[e_r] + noise.seal_nothing(), "RESP")
    there, back = noise.derive(b"")
    for name, key, count, first, plain in (
        ("keep", there, 0, b"\4", b""),
        ("data_from_initiator", there, 1, b"\3", v["frame"]),
        ("data_from_responder", back, 0, b"\3", v["frame"]),
        ("end_from_responder", back, 1, b"\5", b""),
    ):
        nonce = bytes(4) + struct.pack("<Q", count)
        must(v[name] == first + ChaCha20Poly1305(key).encrypt(nonce, plain, first), f"the box {name}")


# ---- spec/roster.md ----


def top_of(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else bytes(32)
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return blake("MERKLE_NODE", top_of(leaves[:half]), top_of(leaves[half:]))


def root_of(leaves):
    return blake("MERKLE_NODE", struct.pack(">Q", len(leaves)), top_of(leaves))


def fingerprint(value):
    return " ".join(f"{n % 100000:05}" for n in struct.unpack(">8I", value))


def head_of(data, officers=None, threshold=None):
    """The body of a signed head, and its id; signed by those who may."""
    body, signatures = unpack(data)
    head = unpack(body)
    officers, threshold = officers or head[12], threshold or len(head[12])
    must(len(head) == 14 and head[0] == 1 and head[12] == sorted(set(head[12])), "the shape of a head")
    places = [place for place, _ in signatures]
    must(places == sorted(set(places)) and len(places) >= threshold, "enough officers signed a head")
    must(all(signed("HEAD", body, officers[p], s) for p, s in signatures), "the signatures of a head")
    return head, blake("HEAD", body)


def chain_of(heads):
    """Each head and its id, from the founding one on."""
    out = []
    for data in heads:
        before = out[-1] if out else None
        head, name = head_of(data, *(before[0][12], before[0][11]) if before else ())
        must(head[2] == len(out) + 1, "the epochs of a chain")
        must(head[3] == (before[1] if before else None), "the head before")
        must(head[1] == (out[0][1] if before else None), "the federation of a head")
        out.append((head, name))
    return out


def inclusion_of(data, chain):
    """The member's entry that the proof shows at one of the heads."""
    name, packed, (index, count, siblings) = unpack(data)
    head = next(head for head, other in chain if other == name)
    value, siblings = blake("MERKLE_LEAF", packed), list(siblings)

    def climb(at, size):
        if size == 1:
            return value
        half = 1 << (size - 1).bit_length() - 1
        if at < half:
            left = climb(at, half)
            return blake("MERKLE_NODE", left, siblings.pop(0))
        right = climb(at - half, size - half)
        return blake("MERKLE_NODE", siblings.pop(0), right)

    top = climb(index, count)
    must(count == head[7] and not siblings, "the shape of a proof")
    must(blake("MERKLE_NODE", struct.pack(">Q", count), top) == head[6], "a proof of membership")
    return unpack(packed), head


def items_of(data):
    cursor, out = Cursor(data), []
    while cursor.left():
        kind = cursor.number(1)
        out.append((kind, cursor.sized(4)))
    return out


def check_roster(v):
    leaves = [blake("MERKLE_LEAF", bytes([i])) for i in range(5)]
    for i, leaf in enumerate(leaves):
        must(leaf == v[f"merkle_leaf_{i}"], "a leaf")
        must(root_of(leaves[: i + 1]) == v[f"merkle_root_of_{i + 1}"], "a root")
    must(root_of([]) == v["merkle_root_of_none"], "the root of none")
    members = [v["member_1"], v["member_2"], v["member_3"]]
    must(root_of([blake("MERKLE_LEAF", m) for m in members]) == v["members_root"], "the members root")
    for name, context in (("settings", "SETTINGS"), ("transport_list", "TRANSPORT_LIST"), ("cuts", "CUTS")):
        must(blake(context, v[name]) == v[name.split("_")[0] + "_hash"], f"the hash of {name}")
    chain = chain_of([v["founding_head"], v["second_head"]])
    (_, federation), (head, name) = chain
    must(federation == v["federation"] and name == v["second_head_id"], "the ids of the heads")
    must(head[6:11] == [v["members_root"], 3, v["settings_hash"], v["transport_hash"], v["cuts_hash"]], "what a head names")
    must(fingerprint(federation) == v["federation_fingerprint_text"].decode(), "a fingerprint")
    entries = [unpack(m) for m in members]
    must([len(e) for e in entries] == [13] * 3 and entries[0][0] < entries[1][0], "the entries")
    settings = unpack(v["settings"])
    listed = {e[4]: 1 for e in entries if e[7] == 1} | {k: 2 for k in settings[4]} | {k: 3 for k, _, _ in settings[3]}
    must(b"".join(k + bytes([listed[k]]) for k in sorted(listed)) == v["transport_list"], "the transport list")
    check_travelling(v, chain, entries)


def check_travelling(v, chain, entries):
    part = Cursor(v["delta_part"])
    must([part.take(32), part.take(32)] == [chain[1][1], chain[0][1]], "the heads of a delta")
    must((part.number(4), part.number(1)) == (0, 1), "index and last of a delta part")
    kinds = [kind for kind, _ in items_of(part.take(part.left()))]
    must(kinds == sorted(kinds) and set(kinds) <= {1, 2, 3}, "the items of a delta")
    member, head = inclusion_of(v["inclusion"], chain)
    must(member == entries[1] and head == chain[1][0], "the inclusion")

    file = Cursor(v["invitation"])
    must(file.take(23) == b"consilium invitation 1\n", "the first line of an invitation")
    federation, node = file.take(32), file.take(16)
    heads = [file.sized(4) for _ in range(file.number(4))]
    snapshot = items_of(file.sized(8))
    must(file.left() == 0 and chain_of(heads)[0][1] == federation, "the chain of an invitation")
    must([data for kind, data in snapshot if kind == 3] == [v["member_1"], v["member_2"], v["member_3"]], "its members")
    last = chain_of(heads)[-1][1]
    must(blake("FINGERPRINT", federation, node, last) == v["invitation_fingerprint"], "its fingerprint")

    body, signature = unpack(v["join_request"])
    request = unpack(body)
    must(len(request) == 10 and signed("JOIN_REQUEST", body, request[4], signature), "a request to join")
    must(blake("JOIN_REQUEST", body) == v["join_fingerprint"], "the fingerprint of a request")


# ---- spec/consult.md: kinds, contents, statements ----

KINDS = {n: int(k, 16) for n, k in re.findall(r"^\| ([A-Z_]+) \| (0x[0-9a-f]{4}) \|", PAGES["consult"], re.M)}
FIELD = r"^\| (\d+) \| `(\w+)` \| (yes|no) \| ([^|]+) \|([^|]*)\|$"


def tables():
    """{name of a content: {key: (field, required, type)}} as the page lists them."""
    out = {}
    heading = r"(?:### ([A-Z_]+)|\*([a-z ]+)\*:|The (issue|request) inside an?[^:]*:)"
    for match in re.finditer(rf"{heading}\n\n\| key [^\n]*\n[^\n]*\n((?:\|[^\n]*\n)+)", PAGES["consult"]):
        rows = re.findall(FIELD, match[4], re.M)
        out[match[1] or match[2] or match[3]] = {int(k): (f, r == "yes", t.strip()) for k, f, r, t, _ in rows}
    return out


TABLES = tables()


def check_value(value, kind, where):
    if size := re.fullmatch(r"id of (\d+) bytes", kind):
        must(isinstance(value, bytes) and len(value) == int(size[1]), f"{where}: an id")
    elif size := re.fullmatch(r"(bytes|text|line) up to (\d+) bytes", kind):
        raw = value if size[1] == "bytes" else value.encode()
        must(0 < len(raw) <= int(size[2]), f"{where}: a size")
        allowed = "\n\t" if size[1] == "text" else ""
        must(size[1] == "bytes" or all(c in allowed or ord(c) >= 32 for c in value), f"{where}: a character")
    elif kind.startswith("code: "):
        must(value in [int(n) for n in re.findall(r"(?:: |, )(\d+) ", kind)], f"{where}: a code")
    elif kind.startswith("list of "):
        for one in value:
            check_value(one, kind[8:], where)
    elif kind[0] == "*":
        check_content(value, kind.strip("*"))
    else:
        expected = {"number": int, "time": int, "truth": bool}.get(kind, str)
        must(isinstance(value, expected), f"{where}: a {kind}")


def check_content(value, name):
    table = TABLES[name]
    for key, (field, required, kind) in table.items():
        must(key in value or not required, f"{name}.{field} lacks")
        if key in value:
            check_value(value[key], kind, f"{name}.{field}")
    must(set(value) <= set(table), f"{name} has other fields")


class Statement:
    def __init__(self, data):
        cursor = Cursor(data)
        self.kind, self.flags, zero = cursor.number(2), cursor.number(1), cursor.number(1)
        self.content = cursor.sized(4)
        must(self.flags <= 1 and zero == 0, "the head of a statement")
        if self.flags:
            self.cert_id, self.time, self.signature = cursor.take(32), cursor.take(8), cursor.take(64)
        size, rest = cursor.at, cursor.take(cursor.left())
        sizes = [c for c in (512, 1024, 2048, 4096) if c >= size]
        must(len(data) == (sizes[0] if self.kind == KINDS["ANNOUNCEMENT"] else size), "the padding")
        must(not any(rest), "padding of zeros")

    def is_signed_by(self, key, federation, scope_kind, scope, node):
        message = struct.pack(">H", self.kind) + federation + bytes([scope_kind]) + scope + node
        return signed("STATEMENT", message + self.cert_id + self.time + self.content, key, self.signature)


def certificate_of(content, federation, institution_key):
    outer = unpack(content)
    issue = unpack(outer[1])
    request = unpack(issue[1])
    for value, name in ((outer, "CERTIFICATE"), (issue, "issue"), (request, "request")):
        check_content(value, name)
    must(signed("CERTIFICATE", outer[1], institution_key, outer[2]), "the institution's signature")
    must(signed("CERTIFICATE_REQUEST", issue[1], request[3], issue[2]), "the proof of possession")
    must(request[1] == federation, "the federation of a certificate")
    return blake("CERTIFICATE", outer[1]), request


def check_consult(v):
    for name in KINDS:
        if name in TABLES:
            check_content(unpack(v[name]), name)
    federation, requester = v["federation"], v["requester"]
    must(blake("CASE_ID", federation, requester, v["opening"]) == v["case_id"], "the case id")
    opened = unpack(v["OPEN"])
    must((opened[1], opened[2]) == (v["opening"], requester), "the opening")
    check_content(unpack(opened[3]), "ANNOUNCEMENT")
    manifest = unpack(v["MANIFEST"])
    parts = [manifest.get(3, "").encode(), manifest[1].encode()]
    for item in manifest.get(2, []):
        parts += [item[1], item[2].encode(), item[3].encode(), struct.pack(">Q", item[4])]
    must(blake("MANIFEST", *parts) == v["manifest_root"], "the root of a manifest")
    cert_id, request = certificate_of(v["CERTIFICATE"], federation, v["institution_key"])
    must(cert_id == v["cert_id"] and request[3] == v["clinician_key"], "the certificate")
    opinion = Statement(v["opinion_statement"])
    must(opinion.kind == KINDS["OPINION"] and opinion.content == v["OPINION"], "the opinion's statement")
    must(opinion.is_signed_by(v["clinician_key"], federation, 3, v["case_id"], v["opinion_writer"]), "its signature")
    must(not opinion.is_signed_by(v["clinician_key"], federation, 3, v["case_id"], requester), "a moved opinion passes")
    must(Statement(v["announcement_statement"]).content == v["ANNOUNCEMENT"], "a padded announcement")


# ---- spec/consult.md, section 8: an opinion that stands alone ----


def check_opinion(name):
    file = Cursor((ROOT / "tests/fuzz/seeds/opinion_file" / name).read_bytes())
    must(file.take(20) == b"consilium opinion 1\n", "the first line of an opinion")
    opinion, key = Record(file.sized(4)), file.take(32)
    certificate = Record(file.sized(4))
    receipt = None
    if file.number(1):
        opening, receipt = file.take(32), Record(file.sized(4))
        receipt_key = file.take(32)
    proofs = [file.sized(4) for _ in range(file.number(1))]
    chain = chain_of([file.sized(4) for _ in range(file.number(4))])
    must(file.left() == 0, "bytes behind an opinion")
    federation = chain[0][1]
    members = {m[0]: m for m, _ in (inclusion_of(proof, chain) for proof in proofs) if m[7] == 1}
    author = members[opinion.writer]
    must(opinion.is_signed_by(author[3]) and opinion.federation == federation, "the record of an opinion")
    must(certificate.writer == opinion.writer and certificate.is_signed_by(author[3]), "the certificate's record")
    statement = Statement(opinion.open(key))
    cert_id, request = certificate_of(Statement(certificate.open(None)).content, federation, author[3])
    must((cert_id, request[2]) == (statement.cert_id, opinion.writer), "whose certificate it is")
    check_content(unpack(statement.content), "OPINION")
    must(statement.is_signed_by(request[3], federation, 3, opinion.scope, opinion.writer), "the clinician's signature")
    if receipt:
        case_id = blake("CASE_ID", federation, receipt.writer, opening)
        must(case_id == opinion.scope == receipt.scope, "the case of a receipt")
        must(receipt.is_signed_by(members[receipt.writer][3]), "the signature of a receipt")
        taken = unpack(Statement(receipt.open(receipt_key)).content)[1]
        must([opinion.writer, opinion.id, KINDS["OPINION"]] in [[t[1], t[2], t[3]] for t in taken], "what was taken in")


# ---- spec/items.md ----


def check_items(v):
    index, size = struct.pack(">I", 0), len(v["item_plain"])
    shape = struct.pack(">QI", size, 1)
    key = blake("ITEM_KEY", b"key" + index, key=v["item_key"])
    nonce = blake("ITEM_KEY", b"non" + index, key=v["item_key"])[:24]
    must(xopen(key, nonce, v["item_chunk"], shape + index) == v["item_plain"], "a chunk")
    must(blake("ITEM_LEAF", v["item_chunk"]) == v["item_leaf"], "a leaf of an item")
    must(blake("ITEM", b"root", shape, v["item_leaf"]) == v["item_id"], "the id of an item")
    a, b, c = (blake("ITEM_LEAF", bytes([i])) for i in range(3))
    top = blake("ITEM", b"node", blake("ITEM", b"node", a, b), c)
    must(blake("ITEM", b"root", struct.pack(">QI", 122849, 3), top) == v["item_id_of_3"], "the id over three")


check_records(vectors("wire.txt"))
check_frames(vectors("wire.txt"))
check_relay_frames()
check_boxes(vectors("boxed.txt"))
check_roster(vectors("roster.txt"))
check_consult(vectors("consult.txt"))
check_opinion("plain")
check_opinion("with_receipt")
check_items(vectors("items.txt"))
print(f"vectors: {len(DONE)} checks")
