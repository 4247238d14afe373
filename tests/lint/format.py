"""clang-format (of Debian 12) has nothing to change."""

import os
import re

from tree import Finding, Plant, run


def check(tree):
    files = [p for p in tree.files(".c", ".cc", ".h")]
    if not files:
        return
    result = run(["clang-format", "--dry-run", "-Werror"] + files, cwd=tree.root)
    seen = set()
    for match in re.finditer(r"^(\S+?):(\d+):\d+: error:", result.stderr, re.M):
        path = os.path.relpath(os.path.join(tree.root, match.group(1)), tree.root)
        if path not in seen:
            seen.add(path)
            yield Finding(path, int(match.group(2)), "is not formatted as .clang-format says",
                          f"clang-format -i {path}")
    if result.returncode != 0 and not seen:
        yield Finding(".clang-format", 0, f"clang-format failed: {result.stderr.strip()[:200]}",
                      "install Debian's clang-format: sh node/install.sh test")


def plants(_tree):
    return [Plant({"protocol/base/planted.c": "int  planted( void );\n"},
                  "protocol/base/planted.c", "format")]
