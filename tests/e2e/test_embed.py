#!/usr/bin/env python3
"""Packs inside of other programs: the example of sigma.h, built against an
installed tree, says what the detector says."""
import json
import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import streams  # noqa: E402
from harness import SIGCC, Case, main  # noqa: E402

BUILD = os.path.dirname(os.path.dirname(SIGCC))
HOSTILE = [b"", b"  ", b"{", b'{"Kind":"a"', b"\xff\xfe", b'{"Kind":"a\x00"}', b'{"Kind":"a"}\r', b"[" * 600, b'{"Kind":"\\ud800a"}', b"null", b"\xef\xbb\xbf{}"]
PROJECT = """
cmake_minimum_required(VERSION 3.20)
project(mine C)
find_package(sigcc REQUIRED)
add_executable(alerts %s)
target_link_libraries(alerts PRIVATE sigcc::sigma)
"""


@unittest.skipUnless(shutil.which("cmake") and os.path.exists(os.path.join(BUILD, "CMakeCache.txt")), "skipped: no cmake, or no build of it")
class Embed(Case):
    def setUp(self):
        super().setUp()
        if streams.ASAN:
            self.skipTest("skipped: nobody installs a build with sanitizers")
        self.prefix = self.path("usr")
        self.check("cmake", "--install", BUILD, "--prefix", self.prefix)
        self.example = self.installed("share/doc/libsigccrt-dev/examples/alerts.c")
        self.environment = {**os.environ, "LD_LIBRARY_PATH": self.installed("lib")}

    def check(self, *args, **kw):
        p = self.run_(list(args), **kw)
        self.assertEqual(p.returncode, 0, p.stdout + p.stderr)
        return p.stdout

    def installed(self, *parts):
        return os.path.join(self.prefix, *parts)

    def pack(self, rules, out="pack.so", *more):
        self.check(self.installed("bin/sigcc"), "build", rules, "--pack", "--no-cache", *more, "-o", self.path(out))
        return self.path(out)

    def alerts(self, stdin, *args, status=0):
        p = self.run_([self.path("alerts"), *args], stdin=stdin, env=self.environment)
        self.assertEqual(p.returncode, status, p.stderr)
        return p

    def build_example(self):
        env = {**os.environ, "PKG_CONFIG_PATH": self.installed("share/pkgconfig")}
        flags = self.check("pkg-config", "--cflags", "--libs", "sigma", env=env).decode().split()
        self.check("cc", "-Wall", "-Wextra", "-Werror", "-D_POSIX_C_SOURCE=200809L", "-std=c11", self.example, *flags, "-o", self.path("alerts"))

    @unittest.skipUnless(shutil.which("pkg-config"), "skipped: no pkg-config")
    def test_example(self):
        """Rules, correlations of all types, unreadable events: the detector's bytes, also over any bytes."""
        self.build_example()
        rules = self.write("rules.yml", streams.text(streams.rules() + streams.all_types()))
        pack, det = self.pack(rules, "pack.so", "--emit=so"), self.pack(rules, "det")
        events = [line for _, line in streams.events(7, 3000)]
        for i, line in enumerate(HOSTILE):
            events.insert(i * 250 + 3, line + b"\n")
        stdin = b"".join(events)
        want = self.run_([det, "-f", "ndjson", "--stats=json"], stdin=stdin)
        unreadable = json.loads(want.stderr.splitlines()[-1])["unreadable"]
        have = self.alerts(stdin, pack)
        self.assertGreater(want.stdout.count(b"correlation_type"), 20)
        self.assertEqual(have.stdout, want.stdout)
        self.assertGreater(unreadable, 5)
        self.assertIn(b"lines that could not be read: %d\n" % unreadable, have.stderr)

    @unittest.skipUnless(shutil.which("pkg-config"), "skipped: no pkg-config")
    def test_signed(self):
        """With a key only what was signed runs."""
        self.build_example()
        pack = self.pack(self.write("rules.yml", streams.text(streams.rules())), "pack.so", "--emit=so")
        for name in ("mine", "other"):
            self.check(SIGCC, "keygen", "--no-password", self.path(name))
        self.assertIn(b"no signature", self.alerts(b"", pack, self.path("mine.pub"), status=1).stderr)
        self.check(SIGCC, "sign", pack, "--key", self.path("mine.key"))
        self.alerts(b"", pack, self.path("mine.pub"))
        self.assertIn(b"another key", self.alerts(b"", pack, self.path("other.pub"), status=1).stderr)
        with open(pack, "ab") as f:
            f.write(b"x")
        self.assertIn(b"not what was signed", self.alerts(b"", pack, self.path("mine.pub"), status=1).stderr)

    @unittest.skipUnless(shutil.which("readelf"), "skipped: no readelf")
    def test_links(self):
        """A pack needs the shared library and holds no runtime; a detector does not need libsodium."""
        rules = self.write("rules.yml", streams.text(streams.rules()))

        def needs(path):
            out = self.check("readelf", "-d", path).decode()
            return [line.split("[")[1].rstrip("]") for line in out.splitlines() if "(NEEDED)" in line]

        pack = self.pack(rules, "pack.so", "--emit=so")
        self.assertIn("libsigccrt.so.0", needs(pack))
        self.assertLess(os.path.getsize(pack), 200_000)
        self.assertFalse([n for n in needs(self.pack(rules, "det")) if "sodium" in n or "sigccrt" in n])
        self.assertIn("(SONAME)", self.check("readelf", "-d", self.installed("lib/libsigccrt.so.0")).decode())

    def test_cmake_package(self):
        self.write("mine/CMakeLists.txt", PROJECT % self.example)
        generator = ["-G", "Ninja"] if shutil.which("ninja") else []
        self.check("cmake", *generator, "-S", self.path("mine"), "-B", self.path("out"), "-Dsigcc_DIR=" + self.installed("lib/cmake/sigcc"))
        self.check("cmake", "--build", self.path("out"))
        p = subprocess.run([self.path("out/alerts")], capture_output=True)
        self.assertEqual((p.returncode, p.stderr), (1, b"which pack?\n"))


if __name__ == "__main__":
    main()
