"""Each program has a manual page that renders, and that names the options its --help names.

The part of consilium(1) that tells of its commands is what `consilium --manual` prints;
`lint.py manual --fix` writes it.
"""

import os
import re

from tree import Finding, Plant, run

PROGRAMS = {
    "node/consiliumd": "node/consiliumd.8",
    "bootstrap/consilium-relay": "bootstrap/consilium-relay.8",
    "bootstrap/consilium-society": "bootstrap/consilium-society.1",
}
CLINICIAN, CLINICIAN_PAGE = "node/cli/consilium", "node/consilium.1"
BEGIN, END = ".\\\" made by `python3 tests/lint/lint.py manual --fix`\n", ".\\\" end\n"
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*[a-z]")
ALWAYS = {"--help", "--usage", "--version"}
COLUMNS_MAX = 80


def rendered(page):
    """The lines of a page as a terminal of 80 columns shows them."""
    return run(["groff", "-man", "-Tutf8", "-P-cbou", f"-rLL={COLUMNS_MAX}n", page]).stdout.splitlines()


def check(tree):
    for path in tree.files(".1", ".5", ".8"):
        if os.path.dirname(path) not in ("node", "bootstrap"):
            continue
        page = os.path.join(tree.root, path)
        said = run(["groff", "-man", "-Tutf8", "-ww", "-z", page]).stderr.strip()
        if said:
            yield Finding(path, 0, f"does not render cleanly: {said.splitlines()[0]}",
                          "groff -man -Tutf8 -ww -z " + path)
        for line in rendered(page):
            if len(line) > COLUMNS_MAX:
                yield Finding(path, 0, f"is over {COLUMNS_MAX} columns: {line.strip()}",
                              "break the example into two lines with a backslash")
    for program, path in PROGRAMS.items():
        if not tree.has(path):
            yield Finding(path, 0, f"there is no page for {program}", "write one; see its neighbours")
            continue
        folder = getattr(tree, "planted_programs", tree.build)
        made = os.path.join(folder, program)
        if os.path.exists(made):
            yield from check_options(tree, program, path, made)


    yield from check_commands(tree)


def said_commands(tree):
    """What the program says of its commands, or None when it is not built."""
    made = os.path.join(getattr(tree, "planted_programs", tree.build), CLINICIAN)
    return run([made, "--manual"], timeout=10).stdout if os.path.exists(made) else None


def check_commands(tree):
    if not tree.has(CLINICIAN_PAGE):
        yield Finding(CLINICIAN_PAGE, 0, f"there is no page for {CLINICIAN}",
                      "write one; see its neighbours")
        return
    said = said_commands(tree)
    text = tree.text(CLINICIAN_PAGE)
    if said is not None and BEGIN + said + END not in text:
        yield Finding(CLINICIAN_PAGE, 0, "does not say of the commands what the program says",
                      "python3 tests/lint/lint.py manual --fix")


def fix(tree):
    text, said = tree.text(CLINICIAN_PAGE), said_commands(tree)
    if said is None:
        return
    before, after = text[:text.index(BEGIN)], text[text.index(END):]
    with open(os.path.join(tree.root, CLINICIAN_PAGE), "w", encoding="utf-8") as file:
        file.write(before + BEGIN + said + after)


def check_options(tree, program, path, made):
    result = run([made, "--help"], timeout=10)
    named = set(OPTION.findall(result.stdout + result.stderr)) | ALWAYS
    text = tree.text(path).replace("\\-", "-")
    written = set(OPTION.findall(text))
    for option in sorted(named - written - ALWAYS):
        yield Finding(path, 0, f"does not name {option}",
                      f"say what {option} does: {program} --help has it")
    for option in sorted(written - named):
        yield Finding(path, 0, f"names {option}, which {program} --help does not",
                      "take it out, or add it to the program's options")


def prepare(copy, plant):
    copy.planted_programs = copy.root
    for path in plant.files:
        if path in PROGRAMS or path == CLINICIAN:
            os.chmod(os.path.join(copy.root, path), 0o755)


def plants(tree):
    page = tree.text("node/consiliumd.8")
    program = "#!/bin/sh\necho '  -p, --planted=X  plants'\n"
    return [
        Plant({"node/consiliumd": program}, "node/consiliumd.8", "does not name --planted"),
        Plant({"node/consiliumd.8": page + ".nf\n" + "x" * 80 + "\n.fi\n"}, "node/consiliumd.8", "over 80"),
        Plant({"node/consiliumd": program, "node/consiliumd.8": page + ".B \\-\\-other\n"},
              "node/consiliumd.8", "names --other"),
        Plant({"node/consiliumd.8": page + ".XYZ\n"}, "node/consiliumd.8", "render"),
        Plant({}, "node/consilium.1", "there is no page", drop=("node/consilium.1",)),
        Plant({CLINICIAN: "#!/bin/sh\necho .SS Planted\n"}, CLINICIAN_PAGE, "of the commands"),
    ]
