"""The relay's program holds no code that could open or keep a record."""

import os
import re

from tree import Finding, Plant, run, symbols

SOURCE = "bootstrap/relay_main.c"
PROGRAM = "consilium-relay"
FORBIDDEN = re.compile(r"^(mdb_\w+|store_\w+|record_open\w*|crypto_aead_\w+_decrypt\w*|"
                       r"crypto_secretbox_open\w*|crypto_secretstream\w*_pull)$")


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
    if "liblmdb" in needed:
        yield Finding(PROGRAM, 0, "needs liblmdb", "bootstrap links protocol and node_io only")


def prepare(copy, plant):
    """Builds the planted program, unless the plant is that it is missing."""
    copy.planted_program = os.path.join(copy.root, PROGRAM)
    if plant.what != "is missing":
        result = run(["cc", os.path.join(copy.root, SOURCE), "-o", copy.planted_program,
                      "-Wl,--as-needed", "-llmdb"])
        if result.returncode != 0:
            raise SystemExit(result.stderr)


def plants(_tree):
    record = ("int record_open(void);\nint record_open(void) { return 1; }\n"
              "int main(void) { return record_open(); }\n")
    lmdb = ("char *mdb_version(int *, int *, int *);\n"
            "int main(void) { return mdb_version(0, 0, 0)[0]; }\n")
    return [Plant({SOURCE: record}, PROGRAM, "links record_open"),
            Plant({SOURCE: lmdb}, PROGRAM, "links mdb_version"),
            Plant({SOURCE: lmdb}, PROGRAM, "needs liblmdb"),
            Plant({SOURCE: record}, SOURCE, "is missing")]
