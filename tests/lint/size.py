"""At most 900 lines a file and 70 lines a function; a file is one noun, usually 200 to 600 lines. A ratchet: tests/lint/size.ratchet may hold
lines `path what number` for what is over; numbers there only fall."""

import re

from tree import Finding, Plant

FILE_MAX = 900
FUNCTION_MAX = 70
RATCHET = "tests/lint/size.ratchet"
HEAD = re.compile(r"(\w+)\(")


def functions(text):
    """(name, first line, number of lines): clang-format puts a function's braces at column 0."""
    lines = text.split("\n")
    start = name = None
    for number, line in enumerate(lines, 1):
        if line and line[0] not in " \t{}#/*" and (match := HEAD.search(line)):
            name = match.group(1)
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            yield name, start, number - start + 1
            start = None


def sizes(tree):
    """(path, what, line, number, limit) for everything that is measured."""
    for path in tree.files(".c", ".h", ".py", ".sh", ".js", ".cc"):
        text = tree.text(path)
        yield path, "file", 0, text.count("\n"), FILE_MAX
        if path.endswith((".c", ".h")):
            for name, line, count in functions(text):
                yield path, name, line, count, FUNCTION_MAX


def check(tree):
    ratchet = {}
    if tree.has(RATCHET):
        for line in tree.text(RATCHET).splitlines():
            path, what, number = line.split()
            ratchet[path, what] = int(number)
    for path, what, line, number, limit in sizes(tree):
        allowed = ratchet.pop((path, what), limit)
        if number > max(allowed, limit):
            yield Finding(path, line, f"{what} has {number} lines, over {max(allowed, limit)}",
                          "split it along its nouns" if what == "file"
                          else "give its steps names: one function for each")
        elif allowed > limit and number < allowed:
            yield Finding(RATCHET, 0, f"{path} {what} is down to {number}",
                          "lower its number there, or take the line out at the limit")
    for path, what in ratchet:
        yield Finding(RATCHET, 0, f"{path} {what} is not there any more", "take the line out")


def plants(_tree):
    body = "    x++;\n" * 68
    return [
        Plant({"protocol/base/planted.c": "int x;\n" * 901}, "protocol/base/planted.c", "file has 901"),
        Plant({"protocol/base/planted.c": f"void planted(void)\n{{\n    int x = 0;\n{body}}}\n"},
              "protocol/base/planted.c", "planted has 71 lines"),
        Plant({RATCHET: "protocol/base/bytes.c file 1000\n"}, RATCHET, "is down to"),
        Plant({RATCHET: "protocol/base/gone.c file 700\n"}, RATCHET, "not there any more"),
    ]
