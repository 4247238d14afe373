"""The source tree as the lints see it: its files, and the objects that a build made of them."""

import json
import os
import re
import shlex
import subprocess
import tempfile
from collections import namedtuple

FOLDERS = ("protocol/base", "protocol/member", "protocol/roster", "protocol/record",
         "protocol/contents", "protocol/consult", "protocol/wire", "protocol/step", "protocol/state",
         "protocol/replication", "protocol/cases", "protocol/custody", "protocol/engine",
         "protocol/relay",
         "store", "store/write", "store/disk", "node/os", "node/config", "node/net", "node/runtime",
         "node/rows", "node/driver", "node/roster_sync", "node/audit", "node/rollback", "node/erasure",
         "node/onboarding", "node/links", "node/items", "node/attachment", "node/identifiers", "node/views", "node/drafts",
         "node/signing", "node/service", "node/http", "node/api",
         "node/cli", "node/cli/command", "node/cli/present", "node/cli/terminal", "node/daemon", "bootstrap/relay", "bootstrap/terminal", "bootstrap/directory",
         "bootstrap/present", "bootstrap/society")
SKIPPED = {"build", ".git", "node_modules", "__pycache__"}

# What is wrong where, and how to fix it.
Finding = namedtuple("Finding", "path line what fix")

# A violation for the self-test: `files` (path: text) go into a copy of the tree, `drop` (paths) go
# out of it, and a new finding must then name `path` and say `what`.
Plant = namedtuple("Plant", "files path what drop", defaults=((),))


class Tree:
    def __init__(self, root, build):
        self.root = root
        self.build = build
        self._objects = None
        self._text = {}

    def files(self, *suffixes):
        """Paths from the root, sorted; only those with one of the suffixes, if any are given."""
        found = []
        for folder, names, files in os.walk(self.root):
            names[:] = sorted(n for n in names if n not in SKIPPED)
            for name in sorted(set(files) - SKIPPED):
                path = os.path.relpath(os.path.join(folder, name), self.root)
                if not suffixes or path.endswith(suffixes):
                    found.append(path)
        return sorted(found)

    def text(self, path):
        if path not in self._text:
            with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as file:
                self._text[path] = file.read()
        return self._text[path]

    def lines(self, path):
        """(number, line) from 1."""
        return list(enumerate(self.text(path).split("\n"), 1))

    def code(self, path):
        """The text of a C file with comments and the inside of literals blanked; lines stay."""
        return blank(self.text(path))

    def has(self, path):
        return os.path.exists(os.path.join(self.root, path))

    def folder(self, path):
        """The folder that a file lies in directly, or None."""
        folder = os.path.dirname(path)
        return folder if folder in FOLDERS else None

    def sources(self, *suffixes):
        return [p for p in self.files(*(suffixes or (".c", ".cc", ".h"))) if self.folder(p)]

    def commands(self):
        """What the build runs for each source: {path from root: (object, arguments)}."""
        if self._objects is None:
            self._objects = {}
            with open(os.path.join(self.build, "compile_commands.json"), encoding="utf-8") as file:
                for entry in json.load(file):
                    if "-DCONSILIUM_PLANTED=1" in entry["command"]:
                        continue  # the same sources with faults in them (tests/planted)
                    path = os.path.relpath(entry["file"], self.root)
                    arguments = shlex.split(entry["command"])
                    made = os.path.join(entry["directory"], arguments[arguments.index("-o") + 1])
                    self._objects.setdefault(path, (made, arguments))
        return self._objects

    def objects(self):
        """{source in a folder: its object file}; a missing object is an error of the caller."""
        found = {}
        for path, (made, _) in sorted(self.commands().items()):
            if self.folder(path) and self.has(path):
                if not os.path.exists(made):
                    raise SystemExit(f"{path} is not built yet: cmake --build {self.build}")
                found[path] = made
        return found

    def include_flags(self):
        """All -I, -isystem and -D that the folders are compiled with."""
        flags = []
        for path, (_, arguments) in sorted(self.commands().items()):
            if not self.folder(path):
                continue
            for index, argument in enumerate(arguments):
                flag = [argument]
                if argument == "-isystem":
                    flag.append(arguments[index + 1])
                elif not argument.startswith(("-I", "-D")) or argument == f"-I{self.root}":
                    continue
                if flag not in flags:
                    flags.append(flag)
        return [part for flag in flags for part in flag]

    def sanitized(self):
        return any("-fsanitize" in " ".join(a) for _, a in self.commands().values())


def blank(text):
    """C text with comments and the inside of literals turned into spaces."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

    def spaces(match):
        found = match.group(0)
        if found[0] in "\"'":
            return found[0] + " " * (len(found) - 2) + found[0]
        return re.sub(r"[^\n]", " ", found)

    return pattern.sub(spaces, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def run(arguments, **options):
    return subprocess.run(arguments, capture_output=True, text=True, check=False, **options)


def symbols(made):
    """(kind letter, name) for each symbol that leaves or enters an object file or program."""
    result = run(["nm", "-P", made])
    if result.returncode != 0:
        raise SystemExit(f"nm {made}: {result.stderr.strip()}")
    return [(line.split()[1], line.split()[0]) for line in result.stdout.splitlines() if line.strip()]


def compile_plants(tree, plant):
    """Compiles the planted sources and lets the tree know their objects."""
    for path in plant.files:
        if not path.endswith(".c"):
            continue
        handle, made = tempfile.mkstemp(suffix=".o", dir=tree.root)
        os.close(handle)
        source = os.path.join(tree.root, path)
        result = run(["cc", "-std=gnu17", "-fPIC", "-O1", "-c", source, "-o", made,
                      f"-I{tree.root}"] + tree.include_flags())
        if result.returncode != 0:
            raise SystemExit(f"the planted {path} does not compile: {result.stderr}")
        tree.commands()[path] = (made, [])
