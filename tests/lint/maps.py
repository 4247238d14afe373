"""The map in README.md lists what exists.

Between the lines `## The map` and the next `## `, a list item or line that opens with `room/` in
bold or backticks begins that room; each further word in backticks that holds no blank, dot or slash
is one of its nouns: the name of a .c, .h, .sh, .js or .md file without its ending.

`lint.py maps --mend` writes what is missing at the end of its room, in the words of the file's own
greeting, and takes away nothing; put it then where it belongs and say it shorter.
"""

import os
import re

from tree import ROOMS, Finding, Plant

README = "README.md"
MAPPED = ROOMS + ("spec",)
ROOM = re.compile(r"^[-*]?\s*\**`([a-z/]+)/`\**")
NOUN = re.compile(r"`([A-Za-z0-9_-]+)`")


def listed(tree):
    """{room: {noun: line}} of the map."""
    found, room, inside = {}, None, False
    for number, line in tree.lines(README):
        if line.startswith("## "):
            inside = line.strip() == "## The map"
            continue
        if not inside:
            continue
        match = ROOM.match(line.strip())
        if match:
            room = match.group(1)
            found.setdefault(room, {})
            line = line[line.index("`" + room) + len(room) + 3:]
        for noun in NOUN.findall(line) if room else []:
            found[room].setdefault(noun, number)
    return found


def existing(tree):
    """{room: {noun: one path}} of the tree."""
    found = {room: {} for room in MAPPED}
    for path in tree.files(".c", ".h", ".sh", ".md", ".js", ".cc"):
        folder, name = os.path.split(path)
        if folder in found:
            found[folder].setdefault(os.path.splitext(name)[0], path)
    return found


def greeting(tree, path):
    """The first sentence that a file says of itself."""
    match = re.match(r"\s*(?:/\*|#!.*\n#|#)\s*(.*?)[.:\n]", tree.text(path), re.S)
    return match.group(1).strip() if match else "what it is"


def check(tree):
    there, here = listed(tree), existing(tree)
    for room, nouns in here.items():
        for noun, path in nouns.items():
            if noun not in there.get(room, {}):
                header = os.path.splitext(path)[0] + ".h"
                path = header if tree.has(header) else path
                yield Finding(path, 0, f"{room}/{noun} is not on the map in {README}",
                              f"add to `{room}/` there: `{noun}` {greeting(tree, path)}; or "
                              "python3 tests/lint/lint.py maps --mend does it")
    for room, nouns in there.items():
        for noun, line in nouns.items():
            if noun not in here.get(room, {}):
                yield Finding(README, line, f"{room}/{noun} is on the map and does not exist",
                              "take it off the map, or name what it became")


def mend(tree):
    there, here = listed(tree), existing(tree)
    lines = tree.text(README).split("\n")
    for room, nouns in here.items():
        missing = [n for n in nouns if n not in there.get(room, {})]
        start = next((i for i, line in enumerate(lines) if (m := ROOM.match(line)) and m[1] == room), None)
        if not missing or start is None:
            continue
        end = start + 1
        while lines[end].startswith("  "):
            end += 1
        for noun in missing:
            header = os.path.splitext(nouns[noun])[0] + ".h"
            said = greeting(tree, header if tree.has(header) else nouns[noun])
            lines.insert(end, f"  `{noun}` {said[:1].lower() + said[1:]};")
            end += 1
    with open(os.path.join(tree.root, README), "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


def plants(tree):
    readme = tree.text(README)
    return [
        Plant({"protocol/planted.c": ""}, "protocol/planted.c", "not on the map"),
        Plant({README: readme.replace("`bytes`", "`bites`")}, README,
              "protocol/bites is on the map and does not exist"),
        Plant({README: "# Consilium\n"}, "protocol/bytes", "protocol/bytes is not on the map"),
    ]
