"""protocol/ stands on a short list of libc and libsodium names, and keeps nothing between calls."""

import os
import re

from tree import Finding, Plant, compile_plants, run, symbols

prepare = compile_plants

LIBC = {"memchr", "memcmp", "memcpy", "memmove", "memset", "strcmp", "strlen", "strncmp", "strnlen",
        "__assert_fail", "__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_",
        "__memcpy_chk", "__memmove_chk", "__memset_chk",
        "__popcountdi2", "__clzdi2", "__ctzdi2", "__udivti3", "__umodti3"}  # the compiler's own
# deterministic and without effect; randombytes and sodium_malloc are not among them
SODIUM = re.compile(r"^(crypto_\w+|sodium_(memcmp|memzero|is_zero|increment|add|sub|compare|pad|"
                    r"unpad|bin2hex|hex2bin|bin2base64|base642bin))$")
RANDOM = re.compile(r"^crypto_\w*(_keygen|_keypair|_random|_seal)$|_init_push$")
PASSWORD = re.compile(r"^crypto_pwhash")
BUILD = re.compile(r"^__(asan|ubsan|lsan|sanitizer|gcov|sanitizer_cov|start___|stop___)|^__tls_get")
# msgpack's packer stands in its headers, and turns integers with these two
PACK = re.compile(r"^msgpack_(?!unpack|unpacker|vrefbuffer|object_print)|^nto(hs|hl)$")
WRITABLE = re.compile(r"^\.(data|bss|tdata|tbss)(\.(?!rel\.ro).*)?$")


def check(tree):
    objects = {p: made for p, made in tree.objects().items() if p.startswith("protocol/")}
    all_symbols = {p: symbols(made) for p, made in objects.items()}
    ours = {name for of_file in all_symbols.values() for kind, name in of_file if kind in "TRDBVW"}
    # a name of ours that is declared and not defined yet is the linker's to refuse
    nouns = tuple(os.path.basename(p)[:-2] + "_" for p in tree.files(".h") if p.startswith("protocol/"))
    for path, of_file in all_symbols.items():
        for kind, name in of_file:
            if kind in "Uw" and name not in ours and not name.startswith(nouns) \
                    and not allowed(path, name):
                yield Finding(path, 0, f"calls {name}",
                              "the engine is pure: make it an effect that node/runtime carries out, or "
                              "hand in the memory, time, randomness or secret as an argument")
    if not tree.sanitized():
        for path, made in objects.items():
            yield from check_writable(path, made)


def allowed(path, name):
    if name in LIBC or BUILD.search(name):
        return True
    if path == "protocol/base/pack.c" and (PACK.search(name) or name in ("ntohs", "ntohl")):
        return True
    return bool(SODIUM.search(name)) and not RANDOM.search(name) and not PASSWORD.search(name)


def check_writable(path, made):
    for line in run(["size", "-A", made]).stdout.splitlines():
        fields = line.split()
        if len(fields) == 3 and WRITABLE.search(fields[0]) and int(fields[1]) > 0:
            yield Finding(path, 0, f"keeps {fields[1]} bytes in {fields[0]} between calls",
                          "make it const, or a member of a struct that the caller hands in")


def plants(tree):
    def calls(include, text):
        return {"protocol/base/planted.c": f"#include <{include}>\nint planted(void);\n"
                                      f"int planted(void) {{ {text} }}\n"}

    found = [
        Plant(calls("stdlib.h", "char *volatile p = malloc(9); p[0] = 1; return p[0];"),
              "protocol/base/planted.c", "calls malloc"),
        Plant(calls("time.h", "return (int)time(0);"), "protocol/base/planted.c", "calls time"),
        Plant(calls("stdio.h", 'return printf("%d", 1);'), "protocol/base/planted.c", "printf"),
        Plant(calls("sodium.h", "return (int)randombytes_random();"),
              "protocol/base/planted.c", "calls randombytes_random"),
        Plant(calls("sodium.h", "unsigned char a[64], b[64]; return crypto_sign_keypair(a, b);"),
              "protocol/base/planted.c", "calls crypto_sign_keypair"),
        Plant(calls("fcntl.h", 'return open("x", 0);'), "protocol/base/planted.c", "calls open"),
    ]
    if not tree.sanitized():
        found.append(Plant(calls("stddef.h", "static int count; return ++count;"),
                           "protocol/base/planted.c", "between calls"))
    return found
