#!/usr/bin/env python3
"""generated/ is what sigcc emits for sigma/ today.

usage: fresh.py SIGCC ROOT [--update]

Each line of generated/recipes.txt names a rule file and its pipelines. With
--update the files are rewritten, else a difference fails.
"""
import filecmp
import os
import shutil
import subprocess
import sys
import tempfile


def recipes(root):
    with open(os.path.join(root, "generated/recipes.txt"), encoding="utf-8") as f:
        for line in f:
            words = line.split("#")[0].split()
            if words:
                yield words[0], words[1:]


def main():
    sigcc, root, update = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), "--update" in sys.argv
    stale, wanted = [], {"recipes.txt", ".clang-format"}
    with tempfile.TemporaryDirectory() as folder:
        for stem, pipelines in recipes(root):
            args = [sigcc, "build", "sigma/%s.yml" % stem, "--pack", "--emit", "c", "-o", os.path.join(folder, stem + ".c")]
            for p in pipelines:
                args += ["-p", "sigma/pipelines/%s.yml" % p]
            subprocess.run(args, cwd=root, check=True)
            for name in (stem + ".c", stem + ".json"):
                wanted.add(name)
                new, old = os.path.join(folder, name), os.path.join(root, "generated", name)
                if update:
                    shutil.copyfile(new, old)
                elif not os.path.exists(old) or not filecmp.cmp(new, old, shallow=False):
                    stale.append(name)
    stale += sorted(set(os.listdir(os.path.join(root, "generated"))) - wanted)
    stems = {s for s, _ in recipes(root)}
    stale += sorted(f for f in os.listdir(os.path.join(root, "sigma")) if f.endswith(".yml") and f[:-4] not in stems)
    for name in stale:
        print("stale: %s (run tests/lint/fresh.py SIGCC ROOT --update)" % name)
    print("%d files checked, %d stale" % (len(wanted) - 2, len(stale)))
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
