"""No circle of files: a file calls those below it; what it wants of one above goes by a function it
was handed, or by a notice that the router of the engine hands on."""

from collections import defaultdict

from tree import Finding, Plant, compile_plants, symbols

prepare = compile_plants


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
    for part in circles(edges):
        for path in sorted(part):
            other = next(p for p in sorted(edges[path]) if p in part)
            yield Finding(path, 0, f"is in a circle: it calls {edges[path][other]} of {other}",
                          "move what both want into a file below, hand the function in, or leave "
                          "a notice for the router (notice.h)")


def plants(tree):
    def file(noun, other):
        return f"int {noun}_go(void);\nint {other}_go(void);\nint {noun}_go(void) {{ return {other}_go(); }}\n"

    return [
        Plant({"store/planted.c": file("planted", "plant"), "store/plant.c": file("plant", "planted")},
              "store/plant.c", "is in a circle"),
    ]
