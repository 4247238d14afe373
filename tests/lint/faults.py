"""No planted fault (protocol/base/planted.h) is in an object or a program that ships."""

import os

from tree import Finding, Plant, compile_plants, run, symbols

CHOICE = "planted_chosen"
FOLDERS = ("node", "bootstrap")


def programs(tree):
    made = list(getattr(tree, "planted_programs", ()))
    for folder in FOLDERS:
        place = os.path.join(tree.build, folder)
        for name in sorted(os.listdir(place) if os.path.isdir(place) else ()):
            path = os.path.join(place, name)
            if os.path.isfile(path) and os.access(path, os.X_OK) and not name.endswith(".sh"):
                with open(path, "rb") as file:
                    if file.read(4) == b"\x7fELF":
                        made.append(path)
    return made


def check(tree):
    made = sorted(tree.objects().items()) + [(os.path.basename(p), p) for p in programs(tree)]
    if not programs(tree):
        yield Finding("node", 0, "has no program", f"build them: cmake --build {tree.build}")
    for path, place in made:
        if any(name == CHOICE for _, name in symbols(place)):
            yield Finding(path, 0, "can be told to go wrong",
                          "build it without CONSILIUM_PLANTED; only tests/planted has it")


def prepare(copy, plant):
    if plant.path == "consiliumd":
        copy.planted_programs = [os.path.join(copy.root, "consiliumd")]
        result = run(["cc", os.path.join(copy.root, "node/daemon/consiliumd.c"), "-o",
                      copy.planted_programs[0]])
        if result.returncode != 0:
            raise SystemExit(result.stderr)
    compile_plants(copy, plant)


def plants(_tree):
    use = ("#define CONSILIUM_PLANTED 1\n#include \"protocol/base/planted.h\"\nint planted(void);\n"
           "int planted(void) { return PLANTED(ANSWERED_BEFORE_COMMIT); }\n")
    program = f"int {CHOICE};\nint main(void) {{ return {CHOICE}; }}\n"
    return [Plant({"protocol/base/planted.c": use}, "protocol/base/planted.c", "can be told to go wrong"),
            Plant({"node/daemon/consiliumd.c": program}, "consiliumd", "can be told to go wrong")]
