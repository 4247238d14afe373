"""Words that must not stand in the tree, each with what to take instead."""

import re

from tree import Finding, Plant, line_of

C = (".c", ".h", ".cc")

# (files, pattern, what to do); in C files only the code counts, not comments and literals
CALLS = [
    (r"MDB_(NOSYNC|NOMETASYNC|MAPASYNC|WRITEMAP|NOLOCK|DUPSORT)",
     "open LMDB with its default sync and locks: power loss took acknowledged writes with these"),
    (r"msgpack_(unpacker_\w+|unpack_next|unpack|vrefbuffer_\w+|object_print\w*)",
     "walk the raw bytes with protocol/base/pack.h; msgpack's unpacker reserves what the sender claims"),
    (r"(strcpy|strcat|stpcpy|strncpy|strncat|sprintf|vsprintf|gets)(?=\s*\()",
     "use snprintf with its result checked, memcpy with a known size, or protocol/base/bytes.h"),
    (r"(rand|srand|random|srandom|rand_r|drand48|lrand48)(?=\s*\()",
     "use randombytes_buf in node/; a seeded generator of its own in the simulator"),
    (r"(system|popen|wordexp)(?=\s*\()",
     "no shell: posix_spawn with an argument vector, or do it in the program"),
    (r"(strtok|asctime|ctime|gmtime|localtime)(?=\s*\()", "take the re-entrant one, with _r"),
    (r"(atoi|atol|atoll|atof)(?=\s*\()", "take strtoul and the like, and check what they say"),
]

# everywhere, comments and literals too; spelled so that this file does not hold them itself
WORDS = [
    (r"(?<![\w.])/" + r"work/[a-z.]", "no path of one machine: take it from an option or the file's own place"),
    (r"(?<![\w.])/tmp/" + r"(wt|bash_jobs)\b", "no path of one machine: mktemp"),
    (r"registry\." + r"npmjs|npmjs\." + r"org|pypi\." + r"org|pythonhosted\." + r"org|"
     r"(deb|security)\." + r"debian\." + r"org|proxy\." + r"golang|crates\." + r"io",
     "name no registry's host: its ordinary client knows where it is"),
]


def check(tree):
    for path in tree.files():
        if "\0" in tree.text(path)[:4096]:
            continue
        for pattern, fix in WORDS:
            yield from find(path, tree.text(path), pattern, fix)
        if path.endswith(C):
            code = tree.code(path)
            for pattern, fix in CALLS:
                yield from find(path, code, rf"(?<![\w.>]){pattern}\b", fix)


def find(path, text, pattern, fix):
    for match in re.finditer(pattern, text):
        yield Finding(path, line_of(text, match.start()), f"{match.group(0)} is banned", fix)


def plants(_tree):
    code = ["int flags = MDB_NOSYNC;", "int planted(void) { return msgpack_unpack_next(0, 0, 0, 0); }",
            "void planted(char *a, char *b) { strcpy(a, b); }", "int planted(void) { return rand(); }",
            'int planted(void) { return system("ls"); }', "char *planted(char *a) { return gets (a); }",
            "int flags = MDB_DUPSORT | MDB_CREATE;"]
    what = ["MDB_NOSYNC", "msgpack_unpack_next", "strcpy", "rand", "system", "gets", "MDB_DUPSORT"]
    found = [Plant({"store/planted.c": c + "\n"}, "store/planted.c", w) for c, w in zip(code, what)]
    found.append(Plant({"node/planted.sh": "cd /" + "work/main\n"}, "node/planted.sh", "banned"))
    found.append(Plant({"spec/planted.md": "https://registry." + "npmjs" + ".org/x\n"},
                       "spec/planted.md", "banned"))
    return found
