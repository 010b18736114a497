#!/usr/bin/env python3
"""Emitted C compiles without a warning and is a fixed point of clang-format.

usage: emit.py TEST_EMIT SIGCC [RULES...]

TEST_EMIT writes the C of a hand-made IR with every operator and hostile texts;
SIGCC emits RULES. Compilers and clang-format that are not installed are left
out, gcc or clang must be there. Exits 0 when all is well.
"""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FLAGS = """-std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion
-Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual
-Wpointer-arith -Wundef -Wformat=2 -Wvla -Wswitch-enum -Wwrite-strings -Werror
-Wno-overlength-strings""".split()


def installed(*names):
    return [name for name in names if shutil.which(name)]


def run(failures, what, command, cwd=None):
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
    if done.returncode != 0:
        failures.append(what)
        sys.stderr.write("%s: exit %d\n%s" % (what, done.returncode, done.stderr[:4000]))


def check(failures, path, compilers, formatters):
    include = os.path.join(ROOT, "runtime", "include")
    name = os.path.basename(path)
    for cc in compilers:
        # Only gcc warns of what it finds while it optimises.
        ways = [["-fsyntax-only", "-DSIGMA_WITH_MAIN"], ["-O2", "-c", "-o", os.devnull] if cc == "gcc" else ["-fsyntax-only"]]
        for way in ways:
            run(failures, "%s %s %s" % (cc, way[0], name), [cc, *FLAGS, *way, "-I", include, path])
    for formatter in formatters:
        run(failures, "%s %s" % (formatter, name), [formatter, "--dry-run", "-Werror", path])


def main():
    test_emit, sigcc, rules = sys.argv[1], sys.argv[2], sys.argv[3:]
    compilers = installed("gcc", "clang") or installed("clang-14", "cc")
    if shutil.which("clang-14") and "clang" not in compilers:
        compilers.append("clang-14")
    formatters = installed("clang-format-14", "clang-format")[:1]
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        for style, target in ((".clang-format", "."), ("generated/.clang-format", "generated")):
            os.makedirs(os.path.join(folder, target), exist_ok=True)
            shutil.copy(os.path.join(ROOT, style), os.path.join(folder, target))
        generated = os.path.join(folder, "generated")
        files = [os.path.join(generated, name) for name in ("ops.c", "empty.c")]
        run(failures, "test_emit", [test_emit, *files])
        if rules:
            for name, parts in (("rules.c", "1"), ("parts.c", "3")):
                run(failures, "sigcc", [sigcc, "build", "--pack", "--emit", "c", "--parts", parts,
                                        "-o", os.path.join(generated, name), "--", *rules])
            files = sorted(glob.glob(os.path.join(generated, "*.c")))
            if len(files) < 6:
                failures.append("no parts")
        for path in files:
            check(failures, path, compilers, formatters)
    print("%d compilers, %d formatters, %d failures" %
          (len(compilers), len(formatters), len(failures)))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
