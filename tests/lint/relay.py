"""The relay's program holds no code that could open or keep a record."""

import os
import re

from tree import Finding, Plant, compile_plants, run, symbols

SOURCE = "bootstrap/relay/relay_main.c"
PROGRAM = "consilium-relay"
FORBIDDEN = re.compile(r"^(mdb_\w+|store_\w+|record_open\w*|crypto_aead_\w+_decrypt\w*|"
                       r"crypto_secretbox_open\w*|crypto_secretstream\w*_pull)$")
# Libraries of a hospital's node or of the society's tool.
LIBRARIES = ("liblmdb", "libjansson", "libutf8proc")
# Who may open a file for writing, and who may have one written through node/os/file.h: the signed
# heads and the key. What members send each other is never among it.
OPENERS = re.compile(r"^(open|openat|creat|fopen|freopen|mkstemp|mkostemp|memfd_create|mknod)(64)?$")
MAY_OPEN = {"node/os/file.c", "node/os/passphrase.c", "node/os/sandbox.c"}
WRITERS = re.compile(r"^(file_write|file_create|mdb_\w+)$")
MAY_WRITE = {"node/os/keyfile.c", "bootstrap/relay/relay_key.c", "bootstrap/relay/relay_roster.c",
             "bootstrap/relay/relay_status.c"}


def program(tree):
    return getattr(tree, "planted_program", os.path.join(tree.build, "bootstrap", PROGRAM))


def waits(tree):
    if not tree.has(SOURCE):
        return f"there is no {SOURCE} yet; the relay's symbols CANNOT be checked"
    return None


def check(tree):
    made = program(tree)
    if not os.path.exists(made):
        if tree.has(SOURCE):
            yield Finding(SOURCE, 0, f"{made} is missing", f"build it: cmake --build {tree.build}")
        return
    for _, name in symbols(made):
        if FORBIDDEN.match(name.split("@")[0]):
            yield Finding(PROGRAM, 0, f"links {name}",
                          "a relay can open no record: move what the relay needs of that file into "
                          "a file of its own, so that the linker leaves the rest out")
    needed = run(["ldd", made]).stdout
    for library in LIBRARIES:
        if library in needed:
            yield Finding(PROGRAM, 0, f"needs {library}",
                          "a relay uses protocol, node/os and node/net only: in bootstrap/CMakeLists.txt, "
                          "link it to bootstrap_society, not to bootstrap_relay")
    yield from check_files(tree, made)


def check_files(tree, made):
    """Each of our objects that is linked: one that defines a function which the program has."""
    has = {name for kind, name in symbols(made) if kind in "TWRDB" and name != "main"}
    for path, of_file in ((p, symbols(o)) for p, o in tree.objects().items()):
        if path != SOURCE and not has & {name for kind, name in of_file if kind in "TWRDB"}:
            continue
        for kind, name in of_file:
            if kind == "U" and (OPENERS.match(name) and path not in MAY_OPEN
                                or WRITERS.match(name) and path not in MAY_WRITE):
                yield Finding(path, 0, f"is part of {PROGRAM} and calls {name}",
                              "a relay keeps nothing of what passes: if this is a signed head or "
                              "its own key, say so in tests/lint/relay.py")


def prepare(copy, plant):
    """Builds the planted program, unless the plant is that it is missing."""
    copy.planted_program = os.path.join(copy.root, PROGRAM)
    if plant.what != "is missing":
        result = run(["cc", os.path.join(copy.root, SOURCE), "-o", copy.planted_program,
                      "-Wl,--as-needed", "-llmdb", "-ljansson"])
        if result.returncode != 0:
            raise SystemExit(result.stderr)
    compile_plants(copy, plant)


def plants(_tree):
    record = ("int record_open(void);\nint record_open(void) { return 1; }\n"
              "int main(void) { return record_open(); }\n")
    lmdb = ("char *mdb_version(int *, int *, int *);\n"
            "int main(void) { return mdb_version(0, 0, 0)[0]; }\n")
    jansson = ("const char *jansson_version_str(void);\n"
               "int main(void) { return jansson_version_str()[0]; }\n")
    keeper = ("#include <stdio.h>\nint main(void) { return fopen(\"frames\", \"a\") == NULL; }\n")
    return [Plant({SOURCE: keeper}, SOURCE, "calls fopen"),
            Plant({SOURCE: record}, PROGRAM, "links record_open"),
            Plant({SOURCE: lmdb}, PROGRAM, "links mdb_version"),
            Plant({SOURCE: lmdb}, PROGRAM, "needs liblmdb"),
            Plant({SOURCE: jansson}, PROGRAM, "needs libjansson"),
            Plant({SOURCE: record}, SOURCE, "is missing")]
