"""foo.c exports foo_* only; no file or folder with a name that says nothing.

foo_bar.c exports foo_bar_* only; if it has no header of its own, it is a second file of foo.h and may
export foo_* too: the name still leads to files that begin with foo."""

import os
import re

from tree import Finding, Plant, compile_plants, symbols

prepare = compile_plants

JUNK = re.compile(r"(^|[_-])(common|commons|util|utils|misc|helper|helpers|stuff)($|[_-])")
TOP = {"node", "protocol", "store", "bootstrap", "tests", "spec", "CMakeLists.txt", "README.md",
       "CMakePresets.json", "LICENSE"}

# Files whose noun has other names too: the foundation's types, what is asked of the engine, and
# functions of cairo that consilium-pdf puts its own in place of.
NOUNS = {
    "protocol/base/bytes.c": ("bytes", "reader", "buffer"),
    "protocol/base/error.c": ("err",),
    "protocol/base/scope.c": ("scope", "stream_id"),
    "protocol/engine/engine_view.c": ("engine",),
    "node/attachment/pdf_drawing.cc": ("pdf_drawing", "cairo_show_glyphs", "cairo_surface_set_mime_data",
                                       "cairo_pattern_create_for_surface"),
}



def check(tree):
    for path in tree.files():
        parts = path.split("/")
        stems = [os.path.splitext(p)[0].lower() for p in parts]
        if parts[0] not in TOP and not parts[0].startswith("."):
            yield Finding(path, 0, f"{parts[0]} is a new entry at the top level",
                          "put it into one of the existing folders")
        if any(JUNK.search(s) for s in stems) or parts[0] in ("src", "include"):
            yield Finding(path, 0, "a name that says nothing",
                          "name it for the one noun that it holds, in the folder of that noun")
    for path, made in tree.objects().items():
        yield from check_exports(tree, path, symbols(made))


def nouns_of(tree, path):
    if path in NOUNS:
        return NOUNS[path]
    folder, stem = os.path.dirname(path), os.path.splitext(os.path.basename(path))[0]
    nouns = [stem]
    while not tree.has(f"{folder}/{nouns[-1]}.h") and "_" in nouns[-1]:
        nouns.append(nouns[-1].rpartition("_")[0])
    return nouns


def check_exports(tree, path, all_symbols):
    # what C++ mangles or makes for its exceptions is not ours to name
    exported = [name for kind, name in all_symbols
                if kind in "TDBRCVW" and not name.startswith(("_", "DW.ref."))]
    stem = os.path.splitext(os.path.basename(path))[0]
    nouns = nouns_of(tree, path)
    if "main" in exported:
        nouns = ()
        exported.remove("main")
    for name in exported:
        if any(name == noun or name.startswith(noun + "_") for noun in nouns):
            continue
        fix = (f"call it {stem}_..., make it static, or move it into the file of its noun"
                if nouns else "make it static; a program's main file exports main only")
        yield Finding(path, 0, f"exports {name}", fix)


def plants(_tree):
    return [
        Plant({"protocol/base/planted.c": "int other_thing(void);\nint other_thing(void) { return 1; }\n"},
              "protocol/base/planted.c", "exports other_thing"),
        Plant({"protocol/base/hash_planted.c": "int record_planted;\nint hash_planted_x, hash_planted;\n"},
              "protocol/base/hash_planted.c", "exports record_planted"),
        Plant({"protocol/base/planted_inner.c": "int planted_outer;\n", "protocol/base/planted_inner.h": ""},
              "protocol/base/planted_inner.c", "exports planted_outer"),
        Plant({"protocol/base/planted.c": "int planted; int plantedx;\n"},
              "protocol/base/planted.c", "exports plantedx"),
        Plant({"node/runtime/planted.c": "int planted_x(void);\nint planted_x(void) { return 1; }\n"
                                 "int main(void) { return planted_x(); }\n"},
              "node/runtime/planted.c", "exports planted_x"),
        Plant({"node/runtime/string_util.c": "int string_util;\n"}, "node/runtime/string_util.c", "says nothing"),
        Plant({"src/planted.c": "static int x; int *planted(void) { return &x; }\n"},
              "src/planted.c", "top level"),
    ]
