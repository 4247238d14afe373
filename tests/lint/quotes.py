"""Each MUST of the spec has an id, and each id is quoted by the code or named by a test.

A sentence of spec/*.md that holds the word MUST ends in its id: `A node MUST ... (REC-3).` An id in
parentheses, alone, defines; anywhere else it refers. Code quotes it in a comment, a test names it.
"""

import re

from tree import Finding, Plant

ID = re.compile(r"\(([A-Z][A-Z]*-[0-9]+)\)")
WORD = re.compile(r"\b([A-Z][A-Z]*-[0-9]+)\b")
END = re.compile(r"(?<=[.!?])(?:\s+(?=[\"'`*(\[]*[A-Z0-9`])(?!\([A-Z]+-\d+\)))")
QUOTING = ("protocol/", "store/", "node/", "bootstrap/", "tests/")


def blocks(text):
    """(line, text) of each paragraph, list item and table row outside fenced code."""
    start, held, fenced = 0, [], False
    for number, line in enumerate(text.split("\n") + [""], 1):
        bare = line.strip()
        if bare.startswith("```"):
            fenced = not fenced
            bare = ""
        alone = bare.startswith(("|", "#"))
        if not bare or fenced or alone or re.match(r"([-*+]|\d+\.)\s", bare):
            if held:
                yield start, " ".join(held)
            held = []
        if bare and not fenced:
            if alone:
                yield number, bare
                continue
            if not held:
                start = number
            held.append(bare)


def sentences(block):
    if block.startswith("|"):
        return [block]
    return END.split(block)


def check(tree):
    defined = {}
    for path in tree.files(".md"):
        if not path.startswith("spec/"):
            continue
        for line, block in blocks(tree.text(path)):
            for sentence in sentences(block):
                yield from check_sentence(path, line, sentence, defined)
    yield from check_quoted(tree, defined)


def check_sentence(path, line, sentence, defined):
    ids = ID.findall(sentence)
    must = re.search(r"\bMUST\b", re.sub(r"`[^`]*`", "", sentence))
    if must and not ids:
        yield Finding(path, line, f"MUST without an id: {sentence[:70]}",
                      "end the sentence with the page's next free id, such as (REC-3), and quote "
                      "that id where the code does it or a test proves it")
    for name in ids:
        if name in defined:
            yield Finding(path, line, f"{name} is defined twice, first at {defined[name]}",
                          "give it a new number; to refer to it, write it without parentheses")
        defined[name] = f"{path}:{line}"


def check_quoted(tree, defined):
    prefixes = {name.split("-")[0] for name in defined}
    quoted = set()
    for path in tree.files():
        if not path.startswith(QUOTING) or path.startswith("tests/lint/"):
            continue
        for line, text in tree.lines(path):
            for name in WORD.findall(text):
                quoted.add(name)
                if name.split("-")[0] in prefixes and name not in defined:
                    yield Finding(path, line, f"{name} is in no page of the spec",
                                  "fix the number, or write the sentence it quotes")
    for name, where in sorted(defined.items()):
        if name not in quoted:
            path, line = where.split(":")
            yield Finding(path, int(line), f"{name} is quoted nowhere",
                          f"name {name} in the test that proves it, or in a comment where the code "
                          "does it; if nothing does, that is what is missing")


def plants(_tree):
    quote = {"tests/unit/protocol/planted_test.c": "/* PLANT-1 */\n"}
    return [
        Plant({"spec/planted.md": "A node MUST do it.\n"}, "spec/planted.md", "without an id"),
        Plant({"spec/planted.md": "It MUST do it (PLANT-1). It\nMUST NOT do\nother things.\n", **quote},
              "spec/planted.md", "without an id: It MUST NOT do"),
        Plant({"spec/planted.md": "| row | MUST | no id |\n"}, "spec/planted.md", "without an id"),
        Plant({"spec/planted.md": "It MUST (PLANT-1).\n\n- It MUST too (PLANT-1).\n", **quote},
              "spec/planted.md", "defined twice"),
        Plant({"spec/planted.md": "A node MUST do it (PLANT-1).\n"}, "spec/planted.md",
              "PLANT-1 is quoted nowhere"),
        Plant({"spec/planted.md": "A node MUST do it (PLANT-1).\n",
               "protocol/base/planted.c": "/* PLANT-1 PLANT-2 */\n"}, "protocol/base/planted.c",
              "PLANT-2 is in no page"),
    ]
