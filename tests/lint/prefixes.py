#!/usr/bin/env python3
"""Every global symbol of an archive carries the prefix of its layer.

usage: prefixes.py ARCHIVE PREFIX...
"""
import re
import subprocess
import sys


def main():
    archive, prefixes = sys.argv[1], tuple(sys.argv[2:])
    out = subprocess.run(["nm", "-g", "--defined-only", archive], capture_output=True, text=True, check=True).stdout
    names = {m.group(1) for m in re.finditer(r"^[0-9a-f]+ [A-Z] (\S+)$", out, re.M)}
    names = {n for n in names if not n.startswith(("__asan", "__odr_asan", "__ubsan", "_sub_", "__sanitizer", "__start_", "__stop_"))}
    bad = sorted(n for n in names if not n.startswith(prefixes))
    for n in bad:
        print("%s: symbol %s lacks a prefix of %s" % (archive, n, " ".join(prefixes)))
    print("%d symbols, %d without prefix" % (len(names), len(bad)))
    return 1 if bad or not names else 0


if __name__ == "__main__":
    sys.exit(main())
