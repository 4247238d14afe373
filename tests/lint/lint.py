"""python3 tests/lint/lint.py NAME [--root DIR] [--build DIR] [--self-test]

Runs the lint tests/lint/NAME.py: prints each finding with the way to fix it, and ends with 1 if
there was one, with 77 if it cannot be told yet. --self-test plants each of the lint's violations
in a copy of the tree and ends with 1 unless every one is found.
"""

import argparse
import importlib
import os
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import tree as trees  # noqa: E402

SKIP = 77


def report(findings):
    for finding in findings:
        where = finding.path + (f":{finding.line}" if finding.line else "")
        print(f"{where}: {finding.what}\n    fix: {finding.fix}")


def copy_of(tree, folder, plant):
    for path in tree.files():
        if path in plant.drop:
            continue
        target = os.path.join(folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(os.path.join(tree.root, path), target, follow_symlinks=False)
    for path, text in plant.files.items():
        target = os.path.join(folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as file:
            file.write(text)
    copy = trees.Tree(folder, tree.build)
    copy._objects = dict(tree.commands())
    return copy


def self_test(lint, tree):
    def key(finding):
        return (finding.path, finding.what)

    before = {key(f) for f in lint.check(tree)}
    missed = 0
    plants = lint.plants(tree)
    for plant in plants:
        with tempfile.TemporaryDirectory() as folder:
            planted = copy_of(tree, os.path.realpath(folder), plant)
            if hasattr(lint, "prepare"):
                lint.prepare(planted, plant)
            new = [f for f in lint.check(planted) if key(f) not in before]
        if any(plant.path in f.path and plant.what in f.what for f in new):
            print(f"caught: {plant.path}: {plant.what}")
        else:
            print(f"MISSED: {plant.path}: {plant.what}; found instead: {new}")
            missed += 1
    print(f"{len(plants)} planted, {missed} missed")
    return 1 if missed or not plants else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parser.add_argument("name")
    parser.add_argument("--root", default=here)
    parser.add_argument("--build", default=os.path.join(here, "build", "release"))
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--fix", action="store_true", help="for lints that can")
    options = parser.parse_args()

    lint = importlib.import_module(options.name)
    tree = trees.Tree(os.path.realpath(options.root), os.path.realpath(options.build))
    waiting = lint.waits(tree) if hasattr(lint, "waits") else None
    if waiting and not options.self_test:
        print(f"SKIPPED: {waiting}")
        return SKIP
    if options.self_test:
        return self_test(lint, tree)
    if options.fix:
        lint.fix(tree)
    findings = list(lint.check(trees.Tree(tree.root, tree.build)))
    report(findings)
    print(f"{options.name}: {len(findings)} findings")
    return 1 if findings else 0


sys.exit(main())
