"""No circle of files: a file calls those below it; what it wants of one above goes by a function it
was handed."""

from collections import defaultdict

from tree import Finding, Plant, compile_plants, symbols

prepare = compile_plants

# The circle that still stands; no other file may join it, and a file that has left is removed here.
STANDING = {
    "protocol/replication/generation.c",
    "protocol/replication/publish.c", "protocol/replication/push.c",
    "protocol/replication/receive.c", "protocol/replication/sync.c", "protocol/cases/case_automation.c",
    "protocol/cases/case_paging.c", "protocol/cases/case_erase.c",
    "protocol/custody/custody_outbox.c", "protocol/custody/custody_outbox_due.c",
    "protocol/custody/custody_pickup.c", "protocol/custody/custody_store.c",
    "protocol/custody/mailbox_keys.c",
}


def calls(tree):
    """{path: {path that it calls: name of one function}}"""
    made = {path: symbols(of_file) for path, of_file in tree.objects().items()}
    home = {name: path for path, of_file in made.items() for kind, name in of_file
            if kind in "TDBR" and name != "main"}
    found = defaultdict(dict)
    for path, of_file in made.items():
        for kind, name in of_file:
            if kind == "U" and home.get(name, path) != path:
                found[path].setdefault(home[name], name)
    return found


def circles(edges):
    """The strongly connected parts of more than one file, by Tarjan's algorithm, without recursion."""
    index, low, stack, on_stack, parts = {}, {}, [], set(), []
    for start in sorted(edges):
        if start in index:
            continue
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        work = [(start, iter(sorted(edges[start])))]
        while work:
            node, nexts = work[-1]
            following = next(nexts, None)
            if following is not None and following not in index:
                index[following] = low[following] = len(index)
                stack.append(following)
                on_stack.add(following)
                work.append((following, iter(sorted(edges.get(following, ())))))
                continue
            if following is not None:
                if following in on_stack:
                    low[node] = min(low[node], index[following])
                continue
            work.pop()
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[node])
            if low[node] == index[node]:
                part = set()
                while node not in part:
                    part.add(stack.pop())
                on_stack -= part
                if len(part) > 1:
                    parts.append(part)
    return parts


def check(tree):
    edges = calls(tree)
    inside = set()
    for part in circles(edges):
        inside |= part
        for path in sorted(part):
            if path in STANDING and part <= STANDING:
                continue
            other = next(p for p in sorted(edges[path]) if p in part)
            yield Finding(path, 0, f"stands in a circle: it calls {edges[path][other]} of {other}",
                          "move what both want into a file below, or hand the function in")
    for path in sorted(STANDING - inside):
        if tree.has(path):
            yield Finding("tests/lint/circles.py", 0, f"{path} is in no circle any more",
                          "remove it from STANDING")


def plants(tree):
    def file(noun, other):
        return f"int {noun}_go(void);\nint {other}_go(void);\nint {noun}_go(void) {{ return {other}_go(); }}\n"

    return [
        Plant({"store/planted.c": file("planted", "plant"), "store/plant.c": file("plant", "planted")},
              "store/plant.c", "stands in a circle"),
        Plant({"protocol/engine/planted.c": "int planted_go(void);\nvoid cases_apply(void);\n"
               "int planted_go(void) { cases_apply(); return 0; }\n",
               "protocol/engine/access.c": "int planted_go(void);\nvoid cases_apply(void);\n"
               "void access_read(void);\nvoid access_read(void) { (void)planted_go(); }\n"},
              "protocol/engine/planted.c", "stands in a circle"),
    ]
