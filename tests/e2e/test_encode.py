#!/usr/bin/env python3
"""--encode-literals: no text of the rules lies in the file as it is, and
nothing else changes."""
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from harness import ROOT, SIGCC, Case, main, rule  # noqa: E402
from streams import ASAN  # noqa: E402

SIGMA = os.path.join(ROOT, "sigma")
SAMPLE = os.path.join(ROOT, "tests/data/fdr_sample.ndjson")
HOME = os.path.dirname(os.path.dirname(SIGCC))
WORDS = ["Invoke-Mimikatz", "sekurlsa::logonpasswords", "vssadmin delete shadows", "Grüße aus Übersee", "nul\0within", "rundll32.exe*,DllMain"]
C_BYTE = re.compile(rb'\\([0-7]{3})|\\(.)')


def from_c(text):
    return C_BYTE.sub(lambda m: bytes([int(m[1], 8)]) if m[1] else m[2], text)


def texts_of(c):
    """The texts of at least four bytes that plain emitted C refers to: literals, names of fields, titles, ids, tags."""
    pool = re.search(rb"static const char pool\[\] =(.*?);\n\n", c, re.S)[1]
    pool = b"".join(from_c(line) for line in re.findall(rb'"((?:[^"\\]|\\.)*)"', pool))
    refs = {(int(off), int(size)) for off, size in re.findall(rb"\{(\d+), (\d+)\}", c)}
    return {pool[off:off + size] for off, size in refs if size >= 4 and off + size <= len(pool)}


def forms(text):
    """As it is, and as UTF-16."""
    yield text.lower()
    try:
        yield text.decode().lower().encode("utf-16-le")
    except UnicodeDecodeError:
        pass


class Encode(Case):
    def read(self, path):
        with open(path, "rb") as f:
            return f.read()

    def rules(self, count=3):
        for i in range(count):
            detection = {"s": {"CommandLine|contains": [w + "-%d" % i for w in WORDS], "Image|endswith": "\\evil%d.exe" % i},
                         "t": {"Payload|base64offset|contains": "IEX(New-Object %d)" % i, "Script|wide|base64offset|contains": "EncodedPayload%d" % i},
                         "k": ["keyword-to-find-%d" % i], "e": {"CommandLine|re": "drop[0-9]+table%d" % i}, "condition": "s or t or k or e"}
            self.write("rules/win_mimikatz_%03d.yml" % i, rule(detection, title="Credential Theft Variant %d" % i, id="11111111-2222-%04d" % i,
                                                              name="theft_%d" % i, tags=["attack.credential-access"], level="high"))
        self.write("rules/corr.yml", json.dumps({"title": "Much Credential Theft", "name": "much_theft", "correlation": {
            "type": "event_count", "rules": ["theft_0"], "group-by": ["WorkstationName"], "timespan": "5m", "condition": {"gte": 2}}, "generate": True}))
        return self.path("rules")

    def events(self):
        out = [{"CommandLine": "x %s-%d y" % (w.replace("*", "abc"), i), "Image": "C:\\Evil%d.exe" % i, "WorkstationName": "w"} for w in WORDS for i in (0, 2)]
        out += [{"Payload": base64.b64encode(b"..IEX(New-Object 1)").decode(), "Script": base64.b64encode("EncodedPayload1".encode("utf-16-le")).decode()},
                {"a": "KEYWORD-to-find-2"}, {"CommandLine": "drop12table0"}, {"CommandLine": "nothing"}]
        return self.write("events", "".join(json.dumps({"@timestamp": 1700000000 + n, **e}) + "\n" for n, e in enumerate(out)))

    def both(self, *args, name="det"):
        """The plain detector, the encoded one, and the texts they are made of."""
        c = self.path(name + ".c")
        self.sigcc("build", *args, "--emit=c", "--parts=1", "-o", c)
        return self.build(*args, out="plain/" + name), self.build(*args, "--encode-literals", out="encoded/" + name), texts_of(self.read(c))

    def setUp(self):
        super().setUp()
        os.mkdir(self.path("plain"))
        os.mkdir(self.path("encoded"))

    def check_hidden(self, plain, encoded, texts, *args):
        """All texts lie in the plain file; in the encoded one only what a detector of another rule says, too."""
        other = self.read(self.build(self.write("other.yml", rule({"q": {"zq": "zq"}, "condition": "q"}, title="zq")), "--encode-literals",
                                     *args, out="other")).lower()
        plain, encoded = self.read(plain).lower(), self.read(encoded).lower()
        self.assertGreater(len(texts), 15)
        for text in texts:
            self.assertIn(text.lower(), plain)
            for form in forms(text):
                if form not in other:
                    self.assertNotIn(form, encoded)
        self.assertNotIn(b"credential_theft_variant", encoded)

    def check_same(self, run_plain, run_encoded, events):
        for args in [["-f", "ndjson"], ["-f", "json"], ["-f", "csv"], ["-f", "table"], ["--mode", "search"], ["--every-firing", "--threads=2"]]:
            a, b = self.run_([*run_plain, *args, events]), self.run_([*run_encoded, *args, events])
            self.assertEqual((a.returncode, a.stderr), (0, b""))
            self.assertEqual((a.returncode, a.stdout, a.stderr), (b.returncode, b.stdout, b.stderr), args)
            self.assertTrue(a.stdout)
        for args in [["--list"], ["--list", "-f", "ndjson"], ["--version"]]:
            self.assertEqual(self.run_([*run_plain, *args]).stdout, self.run_([*run_encoded, *args]).stdout)

    def test_pack(self):
        for more in ([],) if ASAN else ([], ["--static"]):
            plain, encoded, texts = self.both(self.rules(), "--pack", *more)
            self.assertTrue({b"invoke-mimikatz-1", b"Credential Theft Variant 2", b"Much Credential Theft", b"WorkstationName"} <= texts)
            self.check_hidden(plain, encoded, texts, *more)
            self.check_same([plain], [encoded], self.events())

    @unittest.skipIf(ASAN, "skipped: under sanitizers one pack is enough")
    def test_in_parts(self):
        """The functions of large packs stand in files of their own, under names that others see."""
        plain, encoded, texts = self.both(self.rules(12), "--pack", "--parts=4")
        self.check_hidden(plain, encoded, texts, "--parts=4")
        self.check_same([plain], [encoded], self.events())

    @unittest.skipIf(ASAN, "skipped: under sanitizers one pack is enough")
    def test_first_detection(self):
        plain, encoded, texts = self.both(SIGMA, "--pack", "-p", "crowdstrike_fdr", "--enrich", "crowdstrike_fdr")
        self.check_hidden(plain, encoded, texts)
        self.check_same([plain], [encoded], SAMPLE)

    @unittest.skipIf(ASAN, "skipped: the sanitizer wants to be first in a process")
    def test_shared_object(self):
        """Loaded by the example of sigma.h."""
        plain, encoded, texts = self.both(self.rules(), "--pack", "--emit=so")
        self.check_hidden(plain, encoded, texts, "--emit=so")
        host, lib = self.path("host"), os.path.join(HOME, "lib")
        subprocess.run(["cc", "-D_POSIX_C_SOURCE=200809L", "-o", host, os.path.join(ROOT, "tests/embed/alerts.c"), "-I", os.path.join(HOME, "include/sigcc"),
                        "-L", lib, "-Wl,-rpath," + lib, "-lsigccrt"], check=True)
        events = self.read(self.events())
        a, b = self.run_([host, plain], stdin=events), self.run_([host, encoded], stdin=events)
        self.assertEqual((a.returncode, a.stderr), (0, b""))
        self.assertEqual((a.stdout, a.stderr), (b.stdout, b.stderr))
        self.assertIn(b"Credential Theft", a.stdout)

    def test_inspect(self):
        """By its encoded manifest; the same that the detector says."""
        plain, encoded, _ = self.both(self.rules(), "--pack")
        said = json.loads(self.sigcc("inspect", "--format=json", encoded).stdout)
        self.assertEqual(said, json.loads(self.run_([encoded, "--manifest"]).stdout))
        self.assertEqual(said["options"], {"encode-literals": True})
        was = json.loads(self.sigcc("inspect", "--format=json", plain).stdout)
        self.assertEqual({k for k in was if was[k] != said[k]}, {"options", "digest"})
        self.assertIn(b"Credential Theft Variant 1", self.sigcc("inspect", encoded).stdout)
        self.check_damaged(self.read(encoded))

    def check_damaged(self, data):
        """Whatever the note's head says instead: an error, or another text."""
        note = data.index(b"sigcc\0\0\0")
        for at in range(24):
            for bit in (1, 64):
                damaged = bytearray(data)
                damaged[note - 12 + at] ^= bit
                p = self.run_([SIGCC, "inspect", self.write("damaged", bytes(damaged))])
                self.assertIn(p.returncode, (0, 1), p.stderr)
                self.assertNotIn(b"Sanitizer", p.stderr)

    def test_emitted_c(self):
        """It says what it is in comments alone, compiles without a warning, and clang-format finds nothing to do."""
        c = self.build(self.rules(), "--pack", "--encode-literals", "--emit=c", "--parts=1", out="det.c")
        text = self.read(c)
        self.assertIn(b"invoke-mimikatz-1", text)
        bare = re.sub(rb"/\*.*?\*/", b"", text, flags=re.S).lower()
        for word in (b"mimikatz", b"shadows", b"attack.credential", b"11111111-2222"):
            self.assertNotIn(word, bare)
        subprocess.run(["cc", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wno-overlength-strings", "-Wconversion", "-Werror", "-fsyntax-only",
                        "-I", os.path.join(ROOT, "runtime/include"), c], check=True)
        if shutil.which("clang-format-14"):
            shutil.copy(os.path.join(ROOT, ".clang-format"), self.path(".clang-format"))
            generated = self.write("generated/det.c", text)
            shutil.copy(os.path.join(ROOT, "generated/.clang-format"), self.path("generated/.clang-format"))
            subprocess.run(["clang-format-14", "--dry-run", "-Werror", generated], check=True)


if __name__ == "__main__":
    main()
