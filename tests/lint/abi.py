#!/usr/bin/env python3
"""What programs and packs rely on is as it was: the symbols of the shared
library with their versions, and sizes, offsets and values of the headers.

usage: abi.py LIBRARY LIST INCLUDES [--update]

LIST is committed. A line of it is one of

    symbol NAME@VERSION
    size TYPE N
    offset TYPE.MEMBER N
    value ENUMERATOR N

A difference fails. With --update the list is written anew: symbols as they
are, numbers of what the list names (write ? for the number of a new one).
What may change, and what has to follow, is told at the end of ARCHITECTURE.md's
section "Decisions". Ends with 77 (skipped) without cc or nm, and where pointers
do not have 64 bits, which is what the numbers are of.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

HEAD = "# What libsigccrt.so.0 and its headers promise (64 bits); see abi.py.\n"


def parse(text):
    return [tuple(line.split()) for line in text.splitlines() if line and not line.startswith("#")]


def symbols(library):
    out = subprocess.run(["nm", "-D", "--defined-only", "--with-symbol-versions", library], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^[0-9a-f]+ [TDBRVW] (\S+?)@@(\S+)$", out, re.M)
    return {("symbol", "%s@%s" % f) for f in found}


def expression(kind, name):
    if kind == "size":
        return "sizeof(%s)" % name
    if kind == "offset":
        return "offsetof(%s, %s)" % tuple(name.split("."))
    return name


def measure(entries, includes):
    """The entries with the numbers that the headers give them, or None where
    they know no such thing."""
    asked = [e for e in entries if e[0] != "symbol"]
    with tempfile.TemporaryDirectory() as folder:
        def build(some):
            with open(os.path.join(folder, "p.c"), "w") as f:
                f.write('#include <stdio.h>\n#include "sigma.h"\n#include "sigma_abi.h"\nint main(void)\n{\n')
                for e in some:
                    f.write('    printf("%%lld\\n", (long long)%s);\n' % expression(e[0], e[1]))
                f.write("    return 0;\n}\n")
            return subprocess.run(["cc", "-w", "-I", includes, "-o", os.path.join(folder, "p"), os.path.join(folder, "p.c")],
                                  capture_output=True).returncode == 0

        known = asked if build(asked) else [e for e in asked if build([e])]
        build(known)
        numbers = subprocess.run([os.path.join(folder, "p")], capture_output=True, text=True, check=True).stdout.split()
    have = dict(zip([e[:2] for e in known], numbers))
    return {e[:2]: have.get(e[:2]) for e in asked}


def differences(entries, exported, numbers):
    wanted = {e for e in entries if e[0] == "symbol"}
    bad = ["gone: " + s[1] for s in sorted(wanted - exported)] + ["not in the list: " + s[1] for s in sorted(exported - wanted)]
    for e in entries:
        if e[0] != "symbol" and numbers[e[:2]] != e[2]:
            bad.append("%s %s is %s, was %s" % (e[0], e[1], numbers[e[:2]] or "gone", e[2]))
    return bad


def update(path, entries, exported, numbers):
    lines = ["%s %s\n" % s for s in sorted(exported)]
    lines += ["%s %s %s\n" % (e[0], e[1], numbers[e[:2]]) for e in entries if e[0] != "symbol" and numbers[e[:2]]]
    with open(path, "w", encoding="utf-8") as f:
        f.writelines([HEAD] + lines)


def check_itself(entries, exported, numbers):
    """What is taken away or moved is noticed."""
    symbol = next(e for e in entries if e[0] == "symbol")
    offset = next(e for e in entries if e[0] == "offset" and e[2] != "0")
    for kind, have in (("gone: ", differences(entries, exported - {symbol}, numbers)),
                       ("not in the list: ", differences([e for e in entries if e != symbol], exported, numbers)),
                       (offset[0], differences(entries, exported, {**numbers, offset[:2]: "0"})),
                       (offset[0], differences(entries, exported, {**numbers, offset[:2]: None}))):
        if len(have) != 1 or not have[0].startswith(kind):
            return ["the check does not notice: " + kind]
    return []


def main():
    library, path, includes = sys.argv[1:4]
    if not shutil.which("cc") or not shutil.which("nm") or sys.maxsize < 2**32:
        print("skipped: no cc, no nm, or not 64 bits")
        return 77
    with open(path, encoding="utf-8") as f:
        entries = parse(f.read())
    exported, numbers = symbols(library), measure(entries, includes)
    if "--update" in sys.argv:
        update(path, entries, exported, numbers)
        return 0
    bad = differences(entries, exported, numbers) or check_itself(entries, exported, numbers)
    for b in bad:
        print(b)
    print("%d entries, %d differences" % (len(entries), len(bad)))
    return 1 if bad or not entries else 0


if __name__ == "__main__":
    sys.exit(main())
