"""Each source folder has a README of at most one screen that lists the files in it.

A list item that opens with a name in backticks, such as "- `frame`: ...", names one noun: the files
NAME.c, NAME.h, NAME.cc, NAME.hh, NAME.sh of that folder. The README says what the folder is for, the
files in reading order, and what the folder may depend on.

`lint.py folders --fix` appends a line for each missing file, with the first sentence of its header;
move that line to its place and shorten it.
"""

import os
import re

from tree import FOLDERS, Finding, Plant

LINES_MAX = 60
NOUN = re.compile(r"^\s*- `([A-Za-z0-9_.-]+)`")
SUFFIXES = (".c", ".h", ".cc", ".hh", ".sh")


def listed(tree, path):
    """{noun: line} of one README."""
    return {m.group(1): number for number, line in tree.lines(path) if (m := NOUN.match(line))}


def existing(tree, folder):
    """{noun: one path} of one folder."""
    found = {}
    for path in tree.files(*SUFFIXES):
        if os.path.dirname(path) == folder:
            found.setdefault(os.path.splitext(os.path.basename(path))[0], path)
    return found


def first_sentence(tree, path):
    header = os.path.splitext(path)[0] + ".h"
    text = tree.text(header if tree.has(header) else path)
    match = re.match(r"\s*(?:/\*|#!.*\n#|#)\s*(.*?)(?:\.\s|:\s|\*/|\n\s*\*\s*\n)", text, re.S)
    if not match or match.group(1).startswith(("include", "ifndef")):
        return "(say what it is)"
    return re.sub(r"\s*\n\s*\*?\s*", " ", match.group(1)).strip()


def check(tree):
    for folder in FOLDERS:
        path = f"{folder}/README.md"
        if not tree.has(path):
            yield Finding(path, 0, f"{folder} has no README",
                          "write what the folder is for, its files in reading order, and what it "
                          "may depend on")
            continue
        there, here = listed(tree, path), existing(tree, folder)
        count = len(tree.lines(path)) - 1
        if count > LINES_MAX and folder not in LONG:
            yield Finding(path, 0, f"has {count} lines, over {LINES_MAX}",
                          "shorten it to one screen; the headers are the manual")
        for noun in sorted(set(here) - set(there)):
            yield Finding(path, 0, f"does not list {noun}",
                          f"add a line that begins with - `{noun}`: or use --fix")
        for noun in sorted(set(there) - set(here)):
            yield Finding(path, there[noun], f"lists {noun}, which does not exist",
                          "remove the line or name what it became")


# These are guides for people, too.
LONG = ()


def fix(tree):
    for folder in FOLDERS:
        path = f"{folder}/README.md"
        if not tree.has(path):
            continue
        text, there = tree.text(path), listed(tree, path)
        for noun, source in sorted(existing(tree, folder).items()):
            if noun not in there:
                line = f"- `{noun}`: {first_sentence(tree, source)}\n"
                at = text.find("\nDepends on")
                text = text[:at] + line + text[at:] if at > 0 else text.rstrip("\n") + "\n" + line
        with open(os.path.join(tree.root, path), "w", encoding="utf-8") as file:
            file.write(text)


def plants(tree):
    path = "protocol/base/README.md"
    text = tree.text(path)
    return [
        Plant({"protocol/base/unlisted.c": ""}, path, "does not list unlisted"),
        Plant({path: text.replace("- `bytes`", "- `bites`")}, path, "lists bites"),
        Plant({path: text + "more\n" * LINES_MAX}, path, f"over {LINES_MAX}"),
        Plant({}, "store/disk/README.md", "has no README", drop=("store/disk/README.md",)),
    ]
