#!/usr/bin/env python3
"""Detectors that travel: what a file says of itself, and who signed it."""
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from harness import SIGCC, Case, main, rule  # noqa: E402
from streams import ASAN  # noqa: E402

MINISIGN = shutil.which("minisign")


class Trust(Case):
    def setUp(self):
        super().setUp()
        self.environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
        self.environment.pop("SIGCC_PASSWORD", None)

    def sigcc_(self, *args, status=0, **env):
        p = subprocess.run([SIGCC, *args], cwd=self.folder, env={**self.environment, **env}, capture_output=True, stdin=subprocess.DEVNULL,
                           start_new_session=True)
        self.assertEqual(p.returncode, status, p.stderr)
        return p.stdout.decode(), p.stderr.decode()

    def detector(self, *more, title="t", out="det"):
        return self.build(self.write("r.yml", rule({"s": {"a": "x"}, "condition": "s"}, title=title)), *more, out=out)

    # -------- inspect --------------------------------------------------------

    def test_inspect(self):
        """Of executables and shared objects, also stripped ones; the same that the detector says."""
        for more in ([], ["--emit=so"]) if ASAN else ([], ["--emit=so"], ["--static"]):
            det = self.detector(*more)
            said = json.loads(self.sigcc_("inspect", "--format=json", det)[0])
            self.assertEqual((said["schema"], said["rules"][0]["title"]), ("sigcc.manifest/1", "t"))
            if more != ["--emit=so"]:
                self.assertEqual(said, json.loads(self.run_([det, "--manifest"]).stdout))
            if shutil.which("strip"):
                subprocess.run(["strip", det], check=True)
                self.assertEqual(json.loads(self.sigcc_("inspect", "--format=json", det)[0]), said)
            text = self.sigcc_("inspect", det)[0]
            self.assertRegex(text, r"(?m)^rules +1\n  [0-9a-f]{12}  r\.yml  t$")

    def test_inspect_hostile_titles(self):
        det = self.detector(title="\x1b[31mred\u202e</script>")
        text, _ = self.sigcc_("inspect", det)
        self.assertNotIn("\x1b", text)
        self.assertNotIn("\u202e", text)
        self.assertIn("\\x1b[31mred\\u202e</script>", text)

    def test_inspect_others(self):
        """No detectors, and damaged ones: an error, nothing worse."""
        self.assertIn("it is no ELF file", self.sigcc_("inspect", self.write("text", "no"), status=1)[1])
        self.assertIn("it holds no manifest", self.sigcc_("inspect", "/bin/true", status=1)[1])
        self.assertIn("it is no regular file", self.sigcc_("inspect", self.folder, status=1)[1])
        self.assertIn("No such file", self.sigcc_("inspect", "absent", status=1)[1])
        with open(self.detector(), "rb") as f:
            whole = f.read()
        note = whole.index(b"sigcc\0\0\0{")
        for i in range(120):
            data = bytearray(whole[:4096] if i % 3 == 0 else whole)
            for k in range(1 + i % 5):
                at = (i * 7919 + k * 104729) % (min(len(data), 1024)) if i % 2 else note - 12 + (i * 31 + k) % 24
                if at < len(data):
                    data[at] ^= 1 << (i + k) % 8
            p = subprocess.run([SIGCC, "inspect", self.write("damaged", bytes(data))], capture_output=True, timeout=60)
            self.assertIn(p.returncode, (0, 1), p.stderr)
            self.assertNotIn(b"Sanitizer", p.stderr)

    # -------- hardening, and folders with nothing in them ---------------------

    def elf(self, *args):
        return subprocess.run(["readelf", "-W", *args], check=True, capture_output=True, text=True).stdout

    def test_hardened(self):
        """Position-independent, read-only after relocation, no executable stack; also when static."""
        for more in ([], ["--emit=so"]) if ASAN else ([], ["--static"], ["--emit=so"]):
            det = self.detector(*more)
            self.assertIn("DYN", self.elf("-h", det), more)
            self.assertIn("GNU_RELRO", self.elf("-l", det), more)
            self.assertRegex(self.elf("-l", det), r"GNU_STACK .* RW ")
            self.assertRegex(self.elf("-d", det), r"NOW", more)
            self.assertNotIn("TEXTREL", self.elf("-d", det), more)
            if not more: # a pack of this rule has no array to protect
                self.assertIn("__stack_chk_fail", self.elf("-s", det), more)

    @unittest.skipUnless(hasattr(os, "geteuid") and os.geteuid() == 0, "skipped: only root may chroot")
    def test_static_alone(self):
        """A static detector needs nothing but itself."""
        if ASAN:
            self.skipTest("skipped: sanitizers do not link statically")
        self.write("alone/events", b'{"a":"x"}\n{"a":"y"}\n')
        det = self.detector("--static", out="alone/det")
        p = subprocess.run(["/det", "-f", "ndjson", "events"], capture_output=True, preexec_fn=lambda: (os.chroot(os.path.dirname(det)), os.chdir("/")))
        self.assertEqual((p.returncode, p.stderr), (0, b""))
        self.assertEqual([json.loads(a)["source"]["line"] for a in p.stdout.splitlines()], [1])

    # -------- signatures -----------------------------------------------------

    def keys(self, name="k"):
        self.sigcc_("keygen", name, "--no-password")
        return self.path(name + ".key"), self.path(name + ".pub")

    def test_sign(self):
        key, pub = self.keys()
        self.assertEqual(os.stat(key).st_mode & 0o777, 0o600)
        det = self.detector()
        self.assertIn("it is not signed", self.sigcc_("verify", det, "--key", pub, status=1)[1])
        self.sigcc_("sign", det, "--key", key)
        with open(det + ".minisig", "rb") as f:
            first = f.read()
        self.assertIn("timestamp:1700000000", self.sigcc_("verify", det, "--key", pub)[0])
        with open(pub) as f:
            self.sigcc_("verify", det, "--key", f.read().splitlines()[1])
        self.sigcc_("sign", det, "--key", key)
        with open(det + ".minisig", "rb") as f:
            self.assertEqual(f.read(), first)  # nothing by chance
        _, other = self.keys("other")
        self.assertIn("with another key", self.sigcc_("verify", det, "--key", other, status=1)[1])
        text = first.decode()
        for wrong, why in ((text.replace("file:", "fi1e:"), "comment of the signature was altered"), (text[:-20], "damaged"), ("", "damaged"),
                           (text.replace("untrusted", "trusted"), "damaged"), ("x" * 9000, "too large")):
            self.write("det.minisig", wrong)
            self.assertIn(why, self.sigcc_("verify", det, "--key", pub, status=1)[1])
        self.write("det.minisig", text)
        with open(det, "r+b") as f:
            f.seek(5000)
            f.write(b"!")
        self.assertIn("it is not what was signed", self.sigcc_("verify", det, "--key", pub, status=1)[1])

    def test_every_bit_of_a_signature(self):
        key, pub = self.keys()
        self.write("f", "text")
        self.sigcc_("sign", "f", "--key", key)
        with open(self.path("f.minisig"), "rb") as f:
            text = f.read()
        start = text.index(b"\n") + 1
        for at in range(start, len(text), 11):
            if text[at:at + 1] == b"\n":
                continue
            self.write("f.minisig", text[:at] + bytes([text[at] ^ 1]) + text[at + 1:])
            self.sigcc_("verify", "f", "--key", pub, status=1)

    def test_keys(self):
        """None is overwritten; what is no key is refused."""
        key, pub = self.keys()
        self.assertIn("File exists", self.sigcc_("keygen", "k", "--no-password", status=1)[1])
        self.write("f", "text")
        for file in (pub, "f", self.write("empty", ""), "absent"):
            self.assertIn("cannot use the key", self.sigcc_("sign", "f", "--key", file, status=1)[1])
        for file in (key, "f", "absent"):
            self.assertIn("cannot use the key", self.sigcc_("verify", "f", "--key", file, status=1)[1])
        self.sigcc_("sign", "f", status=2)
        self.sigcc_("verify", "f", status=2)
        self.assertIn("no password", self.sigcc_("keygen", "p", status=3)[1])
        self.assertFalse(os.path.exists(self.path("p.key")))

    def test_password(self):
        self.write("f", "text")
        self.sigcc_("keygen", "p", SIGCC_PASSWORD="secret")
        self.assertIn("no password", self.sigcc_("sign", "f", "--key", "p.key", status=1)[1])
        self.assertIn("the password is wrong", self.sigcc_("sign", "f", "--key", "p.key", status=1, SIGCC_PASSWORD="Secret")[1])
        pid, tty = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execve(SIGCC, [SIGCC, "sign", "f", "--key", "p.key"], self.environment)
        shown = os.read(tty, 100)
        os.write(tty, b"secret\n")
        self.assertEqual(os.waitpid(pid, 0)[1], 0)
        self.assertIn(b"Password of the key: ", shown)
        self.assertNotIn(b"secret", shown)
        self.sigcc_("verify", "f", "--key", "p.pub")

    @unittest.skipUnless(MINISIGN, "skipped: minisign is not installed")
    def test_minisign(self):
        """What one writes the other reads, with and without a password."""
        self.write("f", os.urandom(100000))
        key, pub = self.keys()
        self.sigcc_("sign", "f", "--key", key)
        subprocess.run([MINISIGN, "-V", "-p", pub, "-m", self.path("f")], check=True, capture_output=True)
        subprocess.run([MINISIGN, "-S", "-s", key, "-m", self.path("f")], check=True, capture_output=True)
        self.sigcc_("verify", "f", "--key", pub)
        subprocess.run([MINISIGN, "-G", "-W", "-p", self.path("m.pub"), "-s", self.path("m.key")], check=True, capture_output=True)
        self.sigcc_("sign", "f", "--key", "m.key")
        subprocess.run([MINISIGN, "-V", "-p", self.path("m.pub"), "-m", self.path("f")], check=True, capture_output=True)
        self.sigcc_("keygen", "p", SIGCC_PASSWORD="secret")
        subprocess.run([MINISIGN, "-S", "-s", self.path("p.key"), "-m", self.path("f")], check=True, capture_output=True, input=b"secret\n")
        self.assertTrue(re.search(r"file:f", self.sigcc_("verify", "f", "--key", "p.pub")[0]))


if __name__ == "__main__":
    main()
