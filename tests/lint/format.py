#!/usr/bin/env python3
"""clang-format agrees with every C file, emitted ones included; and no file
is longer than 800 lines.

usage: format.py ROOT    exit 77 (skipped) where clang-format-14 is absent
"""
import glob
import os
import shutil
import subprocess
import sys


def main():
    root = sys.argv[1]
    tool = shutil.which("clang-format-14")
    if not tool:
        print("skipped: clang-format-14 is not installed")
        return 77
    files = sorted(f for d in ("compiler", "runtime", "generated", "tests") for e in "ch"
                   for f in glob.glob(os.path.join(root, d, "**", "*." + e), recursive=True))
    p = subprocess.run([tool, "--dry-run", "-Werror"] + files, capture_output=True, text=True)
    sys.stdout.write(p.stderr[-4000:])
    long = [f for f in files if "generated" not in f and sum(1 for _ in open(f, "rb")) > 800]
    for f in long:
        print("%s: more than 800 lines" % os.path.relpath(f, root))
    print("%d files checked" % len(files))
    return 1 if p.returncode or long or not files else 0


if __name__ == "__main__":
    sys.exit(main())
