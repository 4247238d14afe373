"""Which folder may include which, and no header that includes itself indirectly."""

import os
import re

from tree import Finding, Plant

# folder: the folders it may include from
BASE = ("protocol/base",)
ROSTER = BASE + ("protocol/member", "protocol/roster")
RECORD = BASE + ("protocol/member", "protocol/record")
CONTENTS = ROSTER + ("protocol/record", "protocol/contents")
STEP = RECORD + ("protocol/step",)
STATE = CONTENTS + ("protocol/consult", "protocol/wire", "protocol/step", "protocol/state")
REPLICATION = STATE + ("protocol/replication",)
CASES = REPLICATION + ("protocol/cases",)
CUSTODY = REPLICATION + ("protocol/custody",)
ENGINE = CASES + ("protocol/custody", "protocol/engine")
STORE_DISK = BASE + ("store/disk",)
STORE_WRITE = STORE_DISK + ("store/write",)
STORE = STORE_WRITE + ("store",)
ROWS = ROSTER + ("protocol/record", "protocol/step", "store", "node/rows")
RUNTIME = ENGINE + ("store", "node/os", "node/rows", "node/runtime")
ERASURE = RUNTIME + ("node/audit", "node/erasure")
DRIVER = ERASURE + ("node/roster_sync", "node/rollback", "node/driver")
VIEWS = RUNTIME + ("node/audit", "node/views")
DRAFTS = VIEWS + ("node/items", "node/attachment", "node/identifiers", "node/drafts")
SIGNING = RUNTIME + ("node/audit", "node/signing")
SERVICE = DRAFTS + ("node/roster_sync", "node/signing", "node/service")
RELAY = ROSTER + ("protocol/record", "protocol/wire", "protocol/relay")
DIRECTORY = ROSTER + ("protocol/record", "node/os", "bootstrap/terminal", "bootstrap/directory")
API = SERVICE + ("node/driver", "node/rollback", "node/links", "node/http", "node/onboarding", "node/backup", "node/erasure", "node/api")
CLI_TERMINAL = BASE + ("node/os", "node/cli/terminal")
CLI_PRESENT = CLI_TERMINAL + CONTENTS + ("node/cli/present",)
CLI_COMMAND = CLI_PRESENT + ("node/cli/command",)
BELOW = {
    "protocol/base": BASE,
    "protocol/member": BASE + ("protocol/member",),
    "protocol/roster": ROSTER,
    "protocol/record": RECORD,
    "protocol/contents": CONTENTS,
    "protocol/consult": CONTENTS + ("protocol/consult",),
    "protocol/wire": RECORD + ("protocol/wire",),
    "protocol/step": STEP,
    "protocol/state": STATE,
    "protocol/replication": REPLICATION,
    "protocol/cases": CASES,
    "protocol/custody": CUSTODY,
    "protocol/engine": ENGINE,
    "protocol/relay": RELAY,
    "store": STORE,
    "store/write": STORE_WRITE,
    "store/disk": STORE_DISK,
    "node/os": BASE + ("node/os",),
    "node/config": BASE + ("node/os", "node/config"),
    "node/net": BASE + ("node/os", "node/net"),
    "node/rows": ROWS,
    "node/runtime": RUNTIME,
    "node/roster_sync": RUNTIME + ("node/roster_sync",),
    "node/audit": RUNTIME + ("node/audit",),
    "node/rollback": RUNTIME + ("node/rollback",),
    "node/erasure": ERASURE,
    "node/driver": DRIVER,
    "node/onboarding": RUNTIME + ("node/roster_sync", "node/onboarding"),
    "node/backup": RUNTIME + ("node/roster_sync", "node/onboarding", "node/backup"),
    "node/links": RUNTIME + ("node/roster_sync", "node/driver", "node/net", "node/links"),
    "node/items": RUNTIME + ("node/audit", "node/items"),
    "node/attachment": BASE + ("node/os", "node/attachment"),
    "node/identifiers": BASE + ("node/identifiers",),
    "node/views": VIEWS,
    "node/drafts": DRAFTS,
    "node/signing": SIGNING,
    "node/service": SERVICE,
    "node/http": BASE + ("node/os", "node/http"),
    "node/api": API,
    "node/cli/terminal": CLI_TERMINAL,
    "node/cli/present": CLI_PRESENT,
    "node/cli/command": CLI_COMMAND,
    "node/cli": CLI_COMMAND + ("node/cli",),
    "node/daemon": API + ("node/driver", "node/config", "node/net", "node/daemon"),
    "bootstrap/relay": RELAY + ("node/os", "node/config", "node/net", "bootstrap/relay"),
    "bootstrap/terminal": BASE + ("bootstrap/terminal",),
    "bootstrap/directory": DIRECTORY,
    "bootstrap/present": DIRECTORY + ("node/net", "bootstrap/present"),
    "bootstrap/society": RELAY + DIRECTORY + ("node/net", "bootstrap/relay", "bootstrap/present",
                                              "bootstrap/society"),
}

# a library's header: the folders (or files) that may include it
LIBRARIES = {
    "lmdb.h": ("store",),
    "zmq.h": ("node/net",),
    "uv.h": ("node", "bootstrap"),
    "ini.h": ("node/config",),
    "seccomp.h": ("node/os",),
    "linux/landlock.h": ("node/os",),
    "msgpack.h": ("protocol/base/pack.c",),
    "msgpack/": ("protocol/base/pack.c",),
    "microhttpd.h": ("node/http",),
    "jansson.h": ("node", "bootstrap/present", "bootstrap/society"),
    "curl/": ("node",),
    "utf8proc.h": ("node", "bootstrap/directory"),
    "png.h": ("node/attachment",),
    "jpeglib.h": ("node/attachment",),
    "pcre2.h": ("node/identifiers",),
    "poppler.h": ("node/attachment",),
    "poppler/": ("node/attachment",),
    "cairo-pdf.h": ("node/attachment",),
    "fontconfig/": ("node/attachment",),
    "systemd/": ("node", "bootstrap"),
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
        folder = tree.folder(path)
        graph[path] = []
        for line, quoted, name in includes(tree, path):
            if quoted:
                graph[path].append(name)
                yield from check_ours(tree, path, folder, line, name)
            else:
                yield from check_library(path, folder, line, name)
    yield from check_cycles(graph)


def check_ours(tree, path, folder, line, name):
    if not tree.has(name):
        yield Finding(path, line, f'"{name}" is not a path from the root',
                      'write #include "folder/noun.h", from the root; <> for libraries')
        return
    if os.path.dirname(name) not in BELOW[folder]:
        yield Finding(path, line, f"{folder} must not include {name}",
                      f"{folder} may include from {', '.join(BELOW[folder])}; move the shared part down, or "
                      "pass it as an argument")


def check_library(path, folder, line, name):
    if folder.startswith("protocol") and name not in PROTOCOL_LIBC and not name.startswith("msgpack"):
        yield Finding(path, line, f"protocol must not include <{name}>",
                      "the engine is pure: node/runtime does it and passes the result")
    for library, places in LIBRARIES.items():
        if (name == library or library.endswith("/") and name.startswith(library)) \
                and not any(folder == p or folder.startswith(p + "/") for p in places) \
                and path not in places:
            yield Finding(path, line, f"<{name}> belongs to {' and '.join(places)}",
                          f"call a function that a file of {places[0]} exports for it")


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
        Plant({"protocol/base/planted.c": '#include "store/planted.h"\n', "store/planted.h": ""},
              "protocol/base/planted.c", "protocol/base must not include store"),
        Plant({"protocol/replication/planted.c": '#include "protocol/cases/planted.h"\n',
               "protocol/cases/planted.h": ""},
              "protocol/replication/planted.c", "protocol/replication must not include protocol/cases"),
        Plant({"bootstrap/relay/planted.c": '#include "store/planted.h"\n', "store/planted.h": ""},
              "bootstrap/relay/planted.c", "bootstrap/relay must not include store"),
        Plant({"bootstrap/relay/planted.c": '#include "node/runtime/planted.h"\n',
               "node/runtime/planted.h": ""},
              "bootstrap/relay/planted.c", "bootstrap/relay must not include node"),
        Plant({"node/os/planted.c": '#include "node/net/planted.h"\n', "node/net/planted.h": ""},
              "node/os/planted.c", "node/os must not include node/net"),
        Plant({"store/planted.c": '#include "planted.h"\n', "store/planted.h": ""},
              "store/planted.c", "not a path from the root"),
        Plant({"store/disk/planted.c": '#include "store/planted.h"\n', "store/planted.h": ""},
              "store/disk/planted.c", "store/disk must not include store"),
        Plant({"protocol/base/planted.c": "#include <time.h>\n"},
              "protocol/base/planted.c", "must not include <time.h>"),
        Plant({"node/runtime/planted.c": "#include <lmdb.h>\n"}, "node/runtime/planted.c",
              "belongs to store"),
        Plant({"protocol/base/planted.c": "#include <msgpack/pack.h>\n"},
              "protocol/base/planted.c", "belongs to protocol/base/pack.c"),
        Plant({"protocol/base/one.h": '#include "protocol/base/two.h"\n',
               "protocol/base/two.h": '#include "protocol/base/one.h"\n'},
              "protocol/base/", "include cycle"),
    ]
