#!/usr/bin/env python3
"""clang-tidy over compiler/ and runtime/, as the root .clang-tidy says.

usage: tidy.py ROOT BUILD [--no-analyzer] [JOBS]

--no-analyzer leaves out the clang static analyzer, which takes most of the
time: that is what ctest runs. Without it all checks of .clang-tidy do.

Incremental: what passed is remembered under BUILD/tidy by a digest of the
file, of every header and list of the project, and of the configuration. Ends
with 77 (skipped) where there is no clang-tidy-14 or no compile_commands.json.
"""
import concurrent.futures
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys

TIDY = "clang-tidy-14"


def read(path):
    with open(path, "rb") as f:
        return f.read()


def digest(parts):
    h = hashlib.sha256()
    for part in parts:
        h.update(hashlib.sha256(part).digest())
    return h.hexdigest()


def shared_parts(root):
    """What every file's result depends on."""
    paths = [os.path.join(root, ".clang-tidy")]
    for folder in ("compiler", "runtime"):
        for ending in ("h", "def", "inc"):
            paths += glob.glob(os.path.join(root, folder, "**", "*." + ending), recursive=True)
    return [read(p) for p in sorted(paths)] + [subprocess.run([TIDY, "--version"], capture_output=True, check=True).stdout]


def sources(root, build):
    """(path, its compile command) of each .c file of the product."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as f:
        for entry in json.load(f):
            path = os.path.normpath(os.path.join(entry["directory"], entry["file"]))
            if os.path.relpath(path, root).split(os.sep)[0] in ("compiler", "runtime") and os.path.exists(path):
                yield path, entry.get("command", "")


def check(path, build, more):
    p = subprocess.run([TIDY, "-p", build, "--quiet", *more, path], capture_output=True, text=True)
    return p.returncode == 0, p.stdout


def main():
    root, build = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    more = ["--checks=-clang-analyzer-*"] if "--no-analyzer" in sys.argv else []
    jobs = int(sys.argv[-1]) if sys.argv[-1].isdigit() else 2
    if shutil.which(TIDY) is None or not os.path.exists(os.path.join(build, "compile_commands.json")):
        print("%s or compile_commands.json is missing; skipped" % TIDY)
        return 77
    cache = os.path.join(build, "tidy")
    os.makedirs(cache, exist_ok=True)
    common = shared_parts(root) + [m.encode() for m in more]
    todo = []
    for path, command in sorted(sources(root, build)):
        mark = os.path.join(cache, digest(common + [read(path), path.encode(), command.encode()]))
        if not os.path.exists(mark):
            todo.append((path, mark))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for (path, mark), (good, text) in zip(todo, pool.map(lambda t: check(t[0], build, more), todo)):
            if good:
                open(mark, "w").close()
                continue
            failed += 1
            print("%s\n%s" % (os.path.relpath(path, root), text))
    print("%d files checked anew, %d with findings" % (len(todo), failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
