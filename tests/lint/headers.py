"""Each header compiles alone, with the warnings of production, and each source has one of its own."""

import os
import re
from concurrent.futures import ThreadPoolExecutor

from tree import Finding, Plant, run

FLAGS = ["-std=gnu17", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wundef", "-Wvla",
         "-Wstrict-prototypes", "-Wconversion", "-Werror", "-x", "c", "-"]


# A program's main file exports nothing.
MAIN = re.compile(r"^int main\(", re.M)


def check(tree):
    for path in tree.sources(".c"):
        if not tree.has(path[:-1] + "h") and not MAIN.search(tree.text(path)):
            yield Finding(path, 0, "has no header of its own",
                          "declare in " + path[:-1] + "h what it exports, and take it out of the others")
    headers = tree.sources(".h")
    include = [f"-I{tree.root}"] + tree.include_flags()

    def compile_alone(path):
        # twice, so that a missing include guard is seen too
        return run(["cc"] + include + FLAGS, input=f'#include "{path}"\n' * 2)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        results = list(pool.map(compile_alone, headers))
    for path, result in zip(headers, results):
        if result.returncode != 0:
            error = next((e for e in result.stderr.splitlines() if "error:" in e), result.stderr)
            yield Finding(path, 0, f"does not compile alone: {error.split('error:')[-1].strip()}",
                          "include in the header what its declarations name, or declare the struct")


def plants(_tree):
    return [
        Plant({"protocol/base/orphan.c": "int orphan(void);\n"}, "protocol/base/orphan.c",
              "has no header of its own"),
        Plant({"protocol/base/planted.h": "uint8_t planted(void);\n"},
              "protocol/base/planted.h", "does not compile alone"),
        Plant({"protocol/base/planted.h": "struct planted {\n    int x;\n};\n"},
              "protocol/base/planted.h", "redefinition"),
    ]
