"""spec/errors.md says what protocol/base/error.h says, spec/limits.md what protocol/base/limits.h says."""

import re

from tree import Finding, Plant, blank

ERRORS = ("spec/errors.md", "protocol/base/error.h")
LIMITS = ("spec/limits.md", "protocol/base/limits.h")


def rows(tree, path):
    """(line, cells) of each table row that opens with a `name`."""
    for number, line in tree.lines(path):
        if re.match(r"\|\s*`\w+`\s*\|", line):
            yield number, [cell.strip() for cell in line.strip().strip("|").split("|")]


def in_errors(tree):
    return dict(re.findall(r'X\((\w+),\s*"((?:[^"\\]|\\.)*)"\)', tree.text(ERRORS[1])))


def in_limits(tree):
    """{name: value} of every enumerator and #define that has a number."""
    code = blank(tree.text(LIMITS[1]))
    pairs = re.findall(r"^[ ]*([A-Z][A-Z0-9_]+)\s*=\s*([^,}]+)[,}]", code, re.M)
    pairs += re.findall(r"^#define[ ]+([A-Z][A-Z0-9_]+)[ ]+(\S.*)$", code, re.M)
    found = {}
    for name, text in pairs:
        text = re.sub(r"\(\s*u?int\d+_t\s*\)|\b(?<=\d)[uUlL]+\b", "", text)
        text = re.sub(r"(?<=\d)[uUlL]+", "", text)
        if re.fullmatch(r"[\w\s()+*/<-]+", text):
            found[name] = int(eval(text.replace("/", "//"), {"__builtins__": {}}, dict(found)))
    return found


def check(tree):
    errors = in_errors(tree)
    yield from compare(tree, ERRORS, errors, lambda cells: cells[1], 4)
    limits = in_limits(tree)
    yield from compare(tree, LIMITS, limits, lambda cells: number(cells[1]), 4)


def number(cell):
    text = cell.replace(",", "")
    return int(text) if text.isdigit() else cell


def compare(tree, pair, in_header, value_of, width):
    page, header = pair
    seen = set()
    for line, cells in rows(tree, page):
        name = cells[0].strip("`")
        seen.add(name)
        if len(cells) != width or not all(cells):
            yield Finding(page, line, f"the row of {name} lacks a cell",
                          f"fill all {width} columns of the table")
        elif name not in in_header:
            yield Finding(page, line, f"{name} is not in {header}", "take the row out, or add it there")
        elif value_of(cells) != in_header[name]:
            yield Finding(page, line, f"{name} is {value_of(cells)} here, {in_header[name]} in {header}",
                          "make them the same: the spec is what other programs are written from")
    for name in in_header:
        if name not in seen:
            yield Finding(page, 0, f"{name} of {header} is missing", f"add its row to the table in {page}")


def plants(tree):
    errors, limits = tree.text(ERRORS[0]), tree.text(LIMITS[0])
    header = tree.text(LIMITS[1])
    return [
        Plant({ERRORS[0]: errors.replace("| `ERR_BUSY`", "| `ERR_BUSIER`")}, ERRORS[0],
              "ERR_BUSY of protocol/base/error.h is missing"),
        Plant({ERRORS[0]: errors.replace("| `ERR_BUSY`", "| `ERR_BUSIER`")}, ERRORS[0],
              "ERR_BUSIER is not in"),
        Plant({ERRORS[0]: errors.replace("it has expired", "it will expire")}, ERRORS[0],
              "ERR_EXPIRED is it will expire here"),
        Plant({LIMITS[0]: limits.replace("65,000", "65,001")}, LIMITS[0], "FRAME_SIZE_MAX is 65001"),
        Plant({LIMITS[1]: header.replace("enum limits {", "enum limits {\n    PLANTED_MAX = 2 * 3,")},
              LIMITS[0], "PLANTED_MAX of protocol/base/limits.h is missing"),
    ]
