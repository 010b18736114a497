"""What the end-to-end tests share: where things are, how to build and run.

ctest sets SIGCC (the compiler under test). ../shared, beside the repository,
holds corpora that are not part of it; tests that need it are skipped, saying
so, where it is absent.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
SIGCC = os.environ.get("SIGCC", os.path.join(ROOT, "build/bin/sigcc"))
SHARED = os.path.abspath(os.path.join(ROOT, "../shared"))


def need_shared(path):
    """Decorator: skip where ../shared lacks `path`."""
    full = os.path.join(SHARED, path)
    return unittest.skipUnless(os.path.exists(full), "skipped: ../shared/%s is not here" % path)


def shared(path):
    return os.path.join(SHARED, path)


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="sigcc-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass"))
        return path

    def run_(self, args, stdin=b"", **kw):
        kw.setdefault("timeout", 120)
        return subprocess.run(args, input=stdin, capture_output=True, **kw)

    def sigcc(self, *args, status=0, **kw):
        p = self.run_([SIGCC, *args], **kw)
        self.assertEqual(p.returncode, status, "sigcc %s\n%s%s" % (" ".join(map(repr, args)), p.stdout.decode(errors="replace")[-3000:],
                                                                     p.stderr.decode(errors="replace")[-3000:]))
        return p

    def build(self, *args, out="det", status=0, **kw):
        det = self.path(out)
        self.sigcc("build", *args, "-o", det, status=status, **kw)
        return det

    def detect(self, det, *args, stdin=b"", status=0, **kw):
        """Run a detector; its NDJSON output, parsed."""
        p = self.run_([det, "-f", "ndjson", *args], stdin=stdin, **kw)
        self.assertEqual(p.returncode, status, p.stderr.decode(errors="replace")[-3000:])
        return [json.loads(line) for line in p.stdout.splitlines() if line.strip()]


def rule(detection, title="t", **extra):
    """A rule as JSON text, which is YAML."""
    return json.dumps({"title": title, "name": "r", "logsource": {"product": "test_prod"}, "detection": detection, **extra},
                      ensure_ascii=False)


def main():
    unittest.main(verbosity=1, argv=[sys.argv[0]] + sys.argv[1:])
