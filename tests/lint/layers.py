"""Which room may include which, and no header that includes itself round a corner."""

import os
import re

from tree import Finding, Plant

# room: the rooms it may include from
RECORDS = ("protocol", "protocol/roster", "protocol/record")
CORE = RECORDS + ("protocol/consult", "protocol/link", "protocol/core")
FEDERATION = CORE + ("store", "node/io", "node/federation")
DESK = FEDERATION + ("node/items", "node/attachment", "node/desk")
BELOW = {
    "protocol": ("protocol",),
    "protocol/roster": ("protocol", "protocol/roster"),
    "protocol/record": RECORDS,
    "protocol/consult": RECORDS + ("protocol/consult",),
    "protocol/link": RECORDS + ("protocol/link",),
    "protocol/core": CORE,
    "protocol/relay": ("protocol", "protocol/roster", "protocol/link", "protocol/relay"),
    "store": ("protocol", "protocol/record", "store"),
    "node/io": ("protocol", "node/io"),
    "node/federation": FEDERATION,
    "node/links": FEDERATION + ("node/links",),
    "node/items": FEDERATION + ("node/items",),
    "node/attachment": ("protocol", "node/io", "node/attachment"),
    "node/desk": DESK,
    "node/api": DESK + ("node/links", "node/api"),
    "node/cli": CORE + ("node/io", "node/cli"),
    "node": DESK + ("node/links", "node/api", "node"),
    "bootstrap": ("protocol", "protocol/roster", "protocol/link", "protocol/relay", "node/io",
                  "bootstrap"),
}

# a library's header: the rooms (or files) that may include it
LIBRARIES = {
    "lmdb.h": ("store",),
    "zmq.h": ("node/io",),
    "uv.h": ("node/io", "node", "bootstrap"),
    "ini.h": ("node/io",),
    "seccomp.h": ("node/io",),
    "linux/landlock.h": ("node/io",),
    "msgpack.h": ("protocol/pack.c",),
    "msgpack/": ("protocol/pack.c",),
    "microhttpd.h": ("node/api", "node/desk"),
    "jansson.h": ("node",),
    "curl/": ("node",),
    "utf8proc.h": ("node",),
    "png.h": ("node/attachment",),
    "jpeglib.h": ("node/attachment",),
    "qpdf/": ("node/attachment",),
    "systemd/": ("node/io", "node", "bootstrap"),
}

PROTOCOL_LIBC = ("assert.h", "limits.h", "sodium.h", "stdalign.h", "stdbool.h", "stddef.h",
                 "stdint.h", "stdnoreturn.h", "string.h")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


def includes(tree, path):
    """(line, quoted?, name) for each include."""
    text = tree.text(path)
    return [(text.count("\n", 0, m.start()) + 1, m.group(1) == '"', m.group(2))
            for m in INCLUDE.finditer(text)]


def check(tree):
    graph = {}
    for path in tree.sources():
        room = tree.room(path)
        graph[path] = []
        for line, quoted, name in includes(tree, path):
            if quoted:
                graph[path].append(name)
                yield from check_ours(tree, path, room, line, name)
            else:
                yield from check_library(path, room, line, name)
    yield from check_cycles(graph)


def check_ours(tree, path, room, line, name):
    if not tree.has(name):
        yield Finding(path, line, f'"{name}" is no path from the root',
                      'write #include "room/noun.h", from the root; <> for libraries')
        return
    if os.path.dirname(name) not in BELOW[room]:
        yield Finding(path, line, f"{room} must not include {name}",
                      f"{room} stands on {', '.join(BELOW[room])}; move what is shared down, or "
                      "hand it in as an argument")


def check_library(path, room, line, name):
    if room.startswith("protocol") and name not in PROTOCOL_LIBC and not name.startswith("msgpack"):
        yield Finding(path, line, f"protocol must not include <{name}>",
                      "the core is pure: let the shell do it and hand in the result")
    for library, places in LIBRARIES.items():
        if (name == library or library.endswith("/") and name.startswith(library)) \
                and not any(room == p or room.startswith(p + "/") for p in places) \
                and path not in places:
            yield Finding(path, line, f"<{name}> belongs to {' and '.join(places)}",
                          f"let a file of {places[0]} do it, behind its own header")


def check_cycles(graph):
    done, seen = set(), set()

    def walk(path, way):
        if path in way:
            cycle = way[way.index(path):] + [path]
            if frozenset(cycle) not in seen:
                seen.add(frozenset(cycle))
                yield Finding(path, 0, "include cycle: " + " -> ".join(cycle),
                              "declare the struct instead of including, or move the shared type "
                              "into a header below both")
            return
        if path in done or path not in graph:
            return
        for below in graph[path]:
            yield from walk(below, way + [path])
        done.add(path)

    for path in sorted(graph):
        yield from walk(path, [])


def plants(_tree):
    return [
        Plant({"protocol/planted.c": '#include "store/planted.h"\n', "store/planted.h": ""},
              "protocol/planted.c", "protocol must not include store"),
        Plant({"bootstrap/planted.c": '#include "store/planted.h"\n', "store/planted.h": ""},
              "bootstrap/planted.c", "bootstrap must not include store"),
        Plant({"bootstrap/planted.c": '#include "node/planted.h"\n', "node/planted.h": ""},
              "bootstrap/planted.c", "bootstrap must not include node"),
        Plant({"node/io/planted.c": '#include "node/planted.h"\n', "node/planted.h": ""},
              "node/io/planted.c", "node/io must not include node"),
        Plant({"store/planted.c": '#include "planted.h"\n', "store/planted.h": ""},
              "store/planted.c", "no path from the root"),
        Plant({"protocol/planted.c": "#include <time.h>\n"},
              "protocol/planted.c", "must not include <time.h>"),
        Plant({"node/planted.c": "#include <lmdb.h>\n"}, "node/planted.c", "belongs to store"),
        Plant({"protocol/planted.c": "#include <msgpack/pack.h>\n"},
              "protocol/planted.c", "belongs to protocol/pack.c"),
        Plant({"protocol/one.h": '#include "protocol/two.h"\n',
               "protocol/two.h": '#include "protocol/one.h"\n'},
              "protocol/", "include cycle"),
    ]
