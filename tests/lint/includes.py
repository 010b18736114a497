#!/usr/bin/env python3
"""Layering lint: each folder includes only what layers.txt allows, and each
third-party header is included by one file.

usage: includes.py ROOT
"""
import collections
import os
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')
FOREIGN = re.compile(r"^(yaml|pcre2|cjson/cJSON|zlib|libdeflate|zstd|xxhash|sodium|gelf|sqlite3|hs/hs|simdjson)\.h$")
MANY = {"cjson/cJSON.h"}  # reports, manifest and oracle each build JSON


def folders(root):
    allowed = {}
    with open(os.path.join(root, "tests/lint/layers.txt"), encoding="utf-8") as f:
        for line in f:
            line = line.split("#")[0].strip()
            if line:
                name, _, rest = line.partition(":")
                allowed[name.strip()] = set(rest.split())
    return allowed


def owner(root, folder, path):
    """The folder of the header that an include of `path` means."""
    here = os.path.join(folder, path)
    if os.path.exists(os.path.join(root, here)):
        return os.path.dirname(here) or folder
    for base in ("compiler", "runtime", "runtime/include"):
        if os.path.exists(os.path.join(root, base, path)):
            return os.path.dirname(os.path.join(base, path))
    return None


def main():
    root = sys.argv[1]
    allowed, bad, checked = folders(root), [], 0
    foreign = collections.defaultdict(set)
    for folder, may in sorted(allowed.items()):
        for name in sorted(os.listdir(os.path.join(root, folder)) if os.path.isdir(os.path.join(root, folder)) else []):
            if not name.endswith((".c", ".h")):
                continue
            checked += 1
            file = os.path.join(folder, name)
            with open(os.path.join(root, file), encoding="utf-8") as f:
                for n, line in enumerate(f, 1):
                    m = INCLUDE.match(line)
                    if not m:
                        continue
                    if m.group(1) == "<":
                        if FOREIGN.match(m.group(2)):
                            foreign[m.group(2)].add(file)
                            if m.group(2) == "cjson/cJSON.h" and file.startswith("runtime"):
                                bad.append("%s:%d: cJSON has no place in the runtime" % (file, n))
                        continue
                    to = owner(root, folder, m.group(2))
                    if to is None:
                        bad.append("%s:%d: cannot find %s" % (file, n, m.group(2)))
                    elif to != folder and "*" not in may and to not in may:
                        bad.append("%s:%d: %s may not include %s" % (file, n, folder, m.group(2)))
    for root_dir in ("compiler", "runtime"):
        for folder in sorted(os.listdir(os.path.join(root, root_dir))):
            if os.path.isdir(os.path.join(root, root_dir, folder)) and "%s/%s" % (root_dir, folder) not in allowed:
                bad.append("%s/%s: not in tests/lint/layers.txt" % (root_dir, folder))
    for header, files in foreign.items():
        if len(files) > 1 and header not in MANY:
            bad.append("%s is included by %s" % (header, ", ".join(sorted(files))))
    for b in bad:
        print(b)
    print("%d files checked, %d violations" % (checked, len(bad)))
    return 1 if bad or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
