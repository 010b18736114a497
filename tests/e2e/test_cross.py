#!/usr/bin/env python3
"""--target: detectors for another processor say what native ones say. They run
under qemu; where it, the cross compiler or the runtime is absent those tests
are skipped (./bootstrap cross brings them)."""
import json
import os
import random
import shutil
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import streams  # noqa: E402
from harness import ROOT, SIGCC, Case, main, rule  # noqa: E402

TARGET = "aarch64-linux-gnu"
RULE = os.path.join(ROOT, "sigma/t1071_003_mail_protocols.yml")
SAMPLE = os.path.join(ROOT, "tests/data/fdr_sample.ndjson")
LIB = os.path.join(os.path.dirname(os.path.dirname(SIGCC)), "lib", TARGET)
QEMU = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")
MISSING = [name for name, there in ((TARGET + "-gcc", shutil.which(TARGET + "-gcc")), ("qemu-aarch64", QEMU),
                                    (LIB, os.path.exists(os.path.join(LIB, "libsigccrt.a")))) if not there]
MACHINE = 18  # where an ELF header says it
AARCH64 = 183


class Refused(Case):
    """What is said where something is missing."""

    def setUp(self):
        super().setUp()
        self.rule = self.write("r.yml", rule({"s": {"a": "x"}, "condition": "s"}))

    def refuse(self, target, status=3, **env):
        p = self.sigcc("build", self.rule, "--no-cache", "--target", target, "-o", self.path("det"), status=status, env={**os.environ, **env})
        self.assertFalse(os.path.exists(self.path("det")))
        return p.stderr.decode()

    def test_targets_are_a_fixed_list(self):
        for target in ("riscv64-linux-gnu", "../../tmp", "aarch64-linux-gnu/..", "-x", ""):
            self.assertIn("--target takes x86_64-linux-gnu|aarch64-linux-gnu", self.refuse(target, 2))

    def test_no_runtime(self):
        said = self.refuse(TARGET, SIGCC_HOME=self.folder)
        self.assertIn("E0902", said)
        self.assertIn(self.folder + "/lib/" + TARGET + "/libsigccrt.a", said)
        self.assertIn("./bootstrap cross", said)

    def test_no_compiler(self):
        self.write("lib/%s/libsigccrt.a" % TARGET, "")
        said = self.refuse(TARGET, SIGCC_HOME=self.folder, PATH="/nonexistent")
        self.assertIn("E0901", said)
        self.assertIn("'aarch64-linux-gnu-gcc' cannot be run", said)
        self.assertIn("./bootstrap cross", said)

    @unittest.skipIf(streams.ASAN, "skipped: the sanitizer keeps the path of its source")
    @unittest.skipUnless(os.uname().machine == "x86_64", "skipped: not the machine this is about")
    def test_this_machine(self):
        made = []
        for more in ([], ["--target=x86_64-linux-gnu"]):
            with open(self.build(self.rule, *more), "rb") as f:
                made.append(streams.sha256(f.read()))
        self.assertEqual(made[0], made[1])


@unittest.skipIf(MISSING, "skipped: not here: " + ", ".join(MISSING))
class Cross(Case):
    def both(self, *args):
        """The native detector, and how the other one is run."""
        self.other = self.build(*args, "--target", TARGET, out="other")
        with open(self.other, "rb") as f:
            head = f.read(20)
        self.assertEqual(int.from_bytes(head[MACHINE:], "little"), AARCH64)
        return [self.build(*args, out="native")], [QEMU, self.other]

    def check_same(self, native, other, *args):
        a, b = self.run_([*native, *args]), self.run_([*other, *args])
        self.assertEqual((a.returncode, b.returncode), (0, 0), a.stderr + b.stderr)
        self.assertEqual(a.stderr, b.stderr.replace(b"other: ", b"native: "))
        self.assertTrue(a.stdout == b.stdout, args)
        self.assertTrue(a.stdout)

    def test_first_detection(self):
        for more in ([], ["--static"]):
            native, other = self.both(RULE, "-p", "crowdstrike_fdr", "--enrich", "crowdstrike_fdr", *more)
            for args in (["--mode", "search", "-f", "table"], ["-f", "ndjson"], ["--every-firing", "-f", "csv"]):
                self.check_same(native, other, *args, SAMPLE)

    def pack(self):
        """All types of correlations, and rules with what a processor may see in its own way."""
        self.write("rules/stream.yml", streams.text(streams.rules() + streams.all_types() + streams.special()))
        for i, detection in enumerate([{"s": {"Text|contains": ["GRÜSSE", "z\u00e9ro"]}}, {"s": {"Text|re": "(?i)gr(ü|u)+ss?"}}, {"s": {"Text|startswith": "\u00c0"}},
                                       {"s": {"Bytes|gt": 990.5}}, {"s": {"Ip|cidr": ["10.0.0.0/9", "2001:db8::/33"]}}, {"s": ["\u65e5\u672c"]},
                                       {"s": {"Text|contains": "a?\u00e9*z"}}, {"s": {"@timestamp|minute": 7}}]):
            self.write("rules/r%d.yml" % i, rule({**detection, "condition": "s"}, title="r%d" % i, name="r%d" % i))
        return self.path("rules")

    def events(self):
        r = random.Random(1)
        out = []
        for time, line in streams.events(1, 1500):
            event = json.loads(line)
            event["Text"] = "".join(r.choice(["grüße", "GRUSS", "\u00c0", "\u0080", "\u65e5\u672c", "a", "é", "z", "\\", '"', "\n", " " * 40]) for _ in range(r.randrange(9)))
            event["Ip"] = r.choice(["10.%d.1.1" % r.randrange(256), "2001:db8:%x::" % r.randrange(65536), "no"])
            out.append(json.dumps(event, ensure_ascii=r.random() < 0.5).encode() + b"\n")
        out += [b'{"broken": \n', b'{"Text":"\xff\xfe bytes"}\n']
        return self.write("events", b"".join(out))

    def test_pack(self):
        """With vectors and without, in one thread and in two."""
        native, other = self.both(self.pack(), "--pack")
        events = self.events()
        for level in ("neon", "scalar"):
            self.check_same(native, [QEMU, "-E", "SIGCC_SIMD=" + level, self.other], events)
        self.check_same(native, other, "--threads=2", events)
        self.check_same(native, other, "--mode", "search", events)
        self.check_same(native, other, "map", events)

    def test_state(self):
        """What either wrote the other goes on with."""
        native, other = self.both(self.pack(), "--pack")
        with open(self.events(), "rb") as f:
            data = f.readlines()
        whole = self.run_([*native, self.write("log", b"".join(data))]).stdout
        for n, (first, second) in enumerate(((native, other), (other, native))):
            state, out = self.path("state%d" % n), self.path("alerts%d" % n)
            for runner, lines in ((first, data[:700]), (second, data)):
                p = self.run_([*runner, "--state", state, "-o", out, self.write("log", b"".join(lines))])
                self.assertEqual(p.returncode, 0, p.stderr)
            with open(out, "rb") as f:
                self.assertEqual(f.read(), whole)

    def test_sandbox(self):
        """qemu knows neither of its parts: a detector says so, as on a kernel without, and goes on."""
        _, other = self.both(RULE, "-p", "crowdstrike_fdr")
        p = self.run_([*other, "--stats", SAMPLE])
        self.assertEqual(p.returncode, 0)
        self.assertIn(b"no sandbox for files", p.stderr)
        self.assertIn(b"no sandbox for system calls", p.stderr)
        self.assertTrue(p.stdout)

    def test_inspect(self):
        native, _ = self.both(RULE, "-p", "crowdstrike_fdr", "--encode-literals")
        self.assertEqual(self.sigcc("inspect", self.other).stdout, self.sigcc("inspect", native[0]).stdout)

    def test_cache(self):
        """What was compiled for one machine is not taken for another."""
        env = {**os.environ, "SIGCC_CACHE": self.path("cache")}
        for more, cached in (([], 0), (["--target", TARGET], 0), (["--target", TARGET], 1), ([], 1)):
            p = self.sigcc("build", RULE, "-p", "crowdstrike_fdr", *more, "-o", self.path("det"), "--timings=json", env=env)
            self.assertEqual(json.loads(p.stderr.splitlines()[-1])["detectors_cached"], cached)
            with open(self.path("det"), "rb") as f:
                self.assertEqual(int.from_bytes(f.read(20)[MACHINE:], "little") == AARCH64, bool(more))


if __name__ == "__main__":
    main()
