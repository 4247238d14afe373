"""Each planted fault is found, by the test that README.md names, within the seeds that it names.

find.py --table          every fault of protocol/base/planted.h has its row, and no other is there
find.py --fault NAME     the test passes without the fault, and with it fails as the row says
find.py --measure        prints how many seeds each fault took
"""

import argparse
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FIRST_SEED = 1000
ROW = re.compile(r"^\| ([A-Z0-9_]+) \| `([^`]+)` \| (\d+) \| `([^`]+)` \|", re.M)


def rows():
    with open(os.path.join(HERE, "README.md"), encoding="utf-8") as file:
        return {m.group(1): (m.group(2), int(m.group(3)), m.group(4))
                for m in ROW.finditer(file.read())}


def listed():
    with open(os.path.join(ROOT, "protocol", "base", "planted.h"), encoding="utf-8") as file:
        return re.findall(r"^ +X\(([A-Z0-9_]+),", file.read(), re.M)


def run(command, fault):
    """(exit status, output) of a test, with the fault or, when it is None, without one."""
    environment = {k: v for k, v in os.environ.items() if k != "CONSILIUM_FAULT"}
    if fault is not None:
        environment["CONSILIUM_FAULT"] = fault
    try:
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=240, check=False)
    except subprocess.TimeoutExpired:
        return None, ""
    return done.returncode, done.stdout.decode("utf-8", "replace")


def command_of(programs, test, seed):
    if test.endswith("_test"):
        return [os.path.join(programs, "planted_" + test)]
    return [os.path.join(programs, "sim_planted"), "--story", test, "--seed", str(seed)]


def find(programs, fault, row):
    """After how many seeds the fault was found, or None. Says why."""
    test, seeds, sentence = row
    for number in range(seeds):
        command = command_of(programs, test, FIRST_SEED + number)
        status, output = run(command, None)
        if status != 0:
            print(f"{test} fails without the fault: {' '.join(command)}\n{output}")
            return None
        status, output = run(command, fault)
        if status not in (0, None) and sentence in output:
            print(f"{fault}: seed {number + 1} of {seeds}\n{output}", end="")
            return number + 1
        if status != 0:
            print(f"{fault}: {test} ended with {status}, and did not say `{sentence}`:\n{output}")
    print(f"{fault} was not found: {test} passes with it")
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", default=".")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--fault")
    options = parser.parse_args()
    table = rows()
    if options.table:
        odd = sorted(set(table) ^ set(listed()))
        for name in odd:
            print(f"{name} stands in only one of protocol/base/planted.h and tests/planted/README.md")
        return 1 if odd or not table else 0
    if options.measure:
        for fault, row in table.items():
            find(options.programs, fault, row)
        return 0
    if options.fault not in table:
        print(f"{options.fault} has no row in tests/planted/README.md")
        return 1
    return 0 if find(options.programs, options.fault, table[options.fault]) else 1


sys.exit(main())
