"""How declarations read: MUST_USE on what returns err, no typedef but err, at most 5 parameters, no
code in headers, guards named for their file, no test hooks in production."""

import re

from tree import Finding, Plant, line_of

PARAMETERS_MAX = 5
FOREIGN = {"http_on_access"}  # a library calls it, and says what it gets
# a function's declaration or definition, from column 0 to its closing parenthesis
FUNCTION = re.compile(r"^(?P<before>(?!#|typedef|return|else)[A-Za-z_][\w \t\n*()]*?[ *\n])"
                      r"(?P<name>\w+)\((?P<parameters>[^;{}]*?)\)\s*(?P<after>[;{]|__attribute__)", re.M)


def parameter_count(text):
    """Commas outside of parentheses and brackets, and one."""
    depth, count = 0, 1
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        count += letter == "," and depth == 0
    return count


def check(tree):
    for path in tree.sources(".c", ".h"):
        code = tree.code(path)
        yield from check_functions(path, code)
        yield from check_words(path, code)
        if path.endswith(".h"):
            yield from check_guard(path, code)


def check_functions(path, code):
    for match in FUNCTION.finditer(code):
        line, name = line_of(code, match.start("name")), match.group("name")
        before = match.group("before").split()
        if parameter_count(match.group("parameters")) > PARAMETERS_MAX and name not in FOREIGN:
            yield Finding(path, line, f"{name} has more than {PARAMETERS_MAX} parameters",
                          "put what belongs together into a struct, and hand that in")
        if not path.endswith(".h"):
            continue
        if before[-1] == "err" and "MUST_USE" not in before and match.group("after") == ";":
            yield Finding(path, line, f"{name} returns err without MUST_USE",
                          "write MUST_USE err ...: the compiler then refuses a caller that ignores the result")
        if match.group("after") == "{":
            yield Finding(path, line, f"{name} has its code in a header", "move it into the .c file")


def check_words(path, code):
    for match in re.finditer(r"^\s*typedef\b[^;]*;", code, re.M):
        if not (path == "protocol/base/error.h" and match.group(0).split() == ["typedef", "enum", "err", "err;"]):
            yield Finding(path, line_of(code, match.end()), "typedef",
                          "write struct or enum at each use; for functions, the pointer's type")
    for match in re.finditer(r"^\s*#\s*if(?!ndef CONSILIUM_\w+_H$).*TEST.*$", code, re.M):
        yield Finding(path, line_of(code, match.end()), "a test hook in production",
                      "hand in what the test wants to change, as an argument")


def check_guard(path, code):
    guard = "CONSILIUM_" + re.sub(r"\W", "_", path).upper()
    if not re.search(rf"#ifndef {guard}\n#define {guard}\n", code):
        yield Finding(path, 1, f"no guard named {guard}",
                      f"#ifndef {guard}, #define {guard}, ..., #endif round the whole header")


def plants(_tree):
    def header(text):
        return {"store/planted.h": "#ifndef CONSILIUM_STORE_PLANTED_H\n#define CONSILIUM_STORE_PLANTED_H\n"
                                   f"{text}\n#endif\n"}

    path = "store/planted.h"
    return [
        Plant(header("err planted_open(int x);"), path, "returns err without MUST_USE"),
        Plant(header("err\nplanted_open(int x,\n             int y);"), path, "returns err without"),
        Plant(header("typedef struct planted planted;"), path, "typedef"),
        Plant(header("typedef int (*planted)(int x);"), path, "typedef"),
        Plant(header("void planted(int a, int (*b)(int, int), int c, int d, int e, int f);"), path,
              "more than 5"),
        Plant(header("static inline int planted(int a)\n{\n    return a;\n}"), path, "code in a header"),
        Plant({"store/planted.c": "static struct bytes *planted(int a, int b,\n    int c, int d, int e,\n"
                                  "    int f)\n{\n}\n"}, "store/planted.c", "more than 5"),
        Plant({"store/planted.c": "#ifdef UNIT_TESTING\n#endif\n"}, "store/planted.c", "test hook"),
        Plant({path: "int planted;\n"}, path, "no guard named CONSILIUM_STORE_PLANTED_H"),
    ]
