#!/usr/bin/env python3
"""The same rules give the same bytes: wherever they lie, whoever builds, when,
in which language and time zone, by how many compilers, with or without cache."""
import glob
import json
import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from harness import SIGCC, Case, main, rule  # noqa: E402
from streams import ASAN, sha256  # noqa: E402

RULES = 66  # more than 64: a pack in parts
NOBODY = 65534
BUILDS = {
    "one": ["rules/r00.yml"],
    "one static": ["rules/r00.yml", "--static"],
    "one shared object": ["rules/r00.yml", "--emit=so"],
    "one encoded": ["rules/r00.yml", "--encode-literals"],
    "pack": ["rules", "--pack", "-p", "windows_audit"],
    "C of a pack": ["rules", "--pack", "--emit=c", "--parts=3"],
}


@unittest.skipIf(ASAN, "skipped: the sanitizer keeps the path of its source")
class Reproducible(Case):
    def lay_out(self, base):
        """The rules in another folder; written in another order, so that the folder's own may differ."""
        folder = self.path(base)
        order = range(RULES) if base == "a" else reversed(range(RULES))
        for i in order:
            detection = {"s": {"CommandLine|contains": ["word%d" % i, "other%d" % i], "Image|endswith": "\\x%d.exe" % i},
                         "r": {"User|re": "^u%d+$" % i}, "condition": "s and not r"}
            self.write(base + "/rules/r%02d.yml" % i, rule(detection, title="Rule %d" % i, name="n%d" % i, id="id-%d" % i))
        self.write(base + "/rules/z.yml", json.dumps({"title": "Many", "name": "many", "correlation": {
            "type": "event_count", "rules": ["n0", "n1"], "group-by": ["User"], "timespan": "5m", "condition": {"gte": 2}}}))
        for name in ("home", "tmp", "out"):
            os.mkdir(os.path.join(folder, name))
        return folder

    def make(self, base, user=None, umask=0o022, jobs="1", more=(), **env):
        """Digests of what all BUILDS write."""
        folder = self.path(base)
        kept = {k: v for k, v in os.environ.items() if k not in ("TZ", "LANG", "LC_ALL", "SOURCE_DATE_EPOCH", "SIGCC_CACHE", "XDG_CACHE_HOME")}
        env = {**kept, "HOME": os.path.join(folder, "home"), "TMPDIR": os.path.join(folder, "tmp"), **env}
        made = {}
        for name, args in BUILDS.items():
            out = os.path.join(folder, "out", "det.c" if "--emit=c" in args else "det")
            p = subprocess.run([*(user or []), SIGCC, "build", *args, *more, "-j", jobs, "-o", out], cwd=folder, env=env, umask=umask, capture_output=True)
            self.assertEqual(p.returncode, 0, p.stderr)
            for path in sorted(glob.glob(out.replace("det.c", "det") + "*")):
                with open(path, "rb") as f:
                    made[name, os.path.basename(path)] = sha256(f.read())
                os.unlink(path)
        return made

    def test_same_bytes(self):
        """Two surroundings that have nothing in common but the rules; the second twice, from an empty cache and a full one."""
        self.lay_out("a")
        self.lay_out("another/folder with a long name")
        first = self.make("a", more=["--no-cache"], TZ="UTC", LC_ALL="C")
        self.assertGreaterEqual(len(first), 5 + 6)
        other = dict(base="another/folder with a long name", umask=0o077, jobs="4", TZ="Asia/Tokyo", LC_ALL="C.UTF-8", SOURCE_DATE_EPOCH="86400")
        self.assertEqual(self.make(**other), first)
        self.assertEqual(self.make(**other), first)

    def test_another_user(self):
        if os.geteuid() != 0 or not shutil.which("setpriv"):
            self.skipTest("skipped: only root, with setpriv, may build as somebody else")
        user = ["setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups"]
        os.chmod(self.folder, 0o755)
        runtime = os.path.join(os.path.dirname(os.path.dirname(SIGCC)), "lib/libsigccrt.a")
        if subprocess.run([*user, "test", "-r", runtime]).returncode != 0:
            self.skipTest("skipped: nobody else may read " + runtime)
        self.lay_out("a")
        self.lay_out("b")
        for folder in ("home", "tmp", "out"):
            os.chown(self.path("b/" + folder), NOBODY, NOBODY)
        for name in ("pack", "C of a pack"):
            self.addCleanup(BUILDS.__setitem__, name, BUILDS.pop(name))
        self.assertEqual(self.make("b", user=user), self.make("a"))


if __name__ == "__main__":
    main()
