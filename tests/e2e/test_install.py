#!/usr/bin/env python3
"""What `cmake --install` lays down works from there: sigcc, pkg-config, the
CMake package, man page and completions."""
import gzip
import json
import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from harness import SIGCC, Case, main, rule  # noqa: E402
from streams import ASAN  # noqa: E402

BUILD = os.path.dirname(os.path.dirname(SIGCC))
PROJECT = """
cmake_minimum_required(VERSION 3.20)
project(mine NONE)
find_package(sigcc REQUIRED)
sigcc_detector(watch RULES rules extra.yml PIPELINES p.yml)
"""


@unittest.skipUnless(shutil.which("cmake") and os.path.exists(os.path.join(BUILD, "CMakeCache.txt")), "skipped: no cmake, or no build of it")
class Install(Case):
    def setUp(self):
        super().setUp()
        if ASAN:
            self.skipTest("skipped: nobody installs a build with sanitizers")
        self.prefix = self.path("usr")
        self.check("cmake", "--install", BUILD, "--prefix", self.prefix)

    def check(self, *args, **kw):
        p = self.run_(list(args), **kw)
        self.assertEqual(p.returncode, 0, p.stdout + p.stderr)
        return p.stdout.decode()

    def installed(self, *parts):
        return os.path.join(self.prefix, *parts)

    def test_sigcc(self):
        """The installed compiler uses the installed parts."""
        sigcc = self.installed("bin/sigcc")
        det = self.path("det")
        self.check(sigcc, "build", self.write("r.yml", rule({"s": {"a": "x"}, "condition": "s"})), "-p", "windows_audit", "--no-cache", "-o", det)
        self.assertEqual(len(self.detect(det, stdin=b'{"a":"x"}\n')), 1)

    @unittest.skipUnless(shutil.which("pkg-config"), "skipped: no pkg-config")
    def test_pkg_config(self):
        """Emitted C, pkg-config and a compiler make a detector."""
        env = {**os.environ, "PKG_CONFIG_PATH": self.installed("share/pkgconfig")}
        flags = self.check("pkg-config", "--cflags", "--libs", "sigccrt", env=env).split()
        self.check(self.installed("bin/sigcc"), "build", "--emit=c", self.write("r.yml", rule({"s": {"a": "x"}, "condition": "s"})), "-o", self.path("r.c"))
        self.check("cc", "-DSIGMA_WITH_MAIN", self.path("r.c"), *flags, "-o", self.path("det"))
        self.assertEqual(len(self.detect(self.path("det"), stdin=b'{"a":"x"}\n')), 1)

    def test_cmake_package(self):
        """A detector as a target: built again when a rule is changed, added to a folder, or in a pipeline, and only then."""
        self.write("mine/CMakeLists.txt", PROJECT)
        self.write("mine/rules/one.yml", rule({"s": {"a": "x"}, "condition": "s"}))
        self.write("mine/extra.yml", rule({"s": {"a": "y"}, "condition": "s"}).replace('"name": "r"', '"name": "q"'))
        self.write("mine/p.yml", "name: p\npriority: 1\ntransformations: []\n")
        out = self.path("out")
        generator = ["-G", "Ninja"] if shutil.which("ninja") else []
        self.check("cmake", *generator, "-S", self.path("mine"), "-B", out, "-Dsigcc_DIR=" + self.installed("lib/cmake/sigcc"))

        def build():
            """Whether anything was made, and which alerts come of three events."""
            said = self.check("cmake", "--build", out)
            det = os.path.join(out, "detectors/watch")
            return "Building detector" in said, len(self.detect(det, stdin=b'{"a":"x"}\n{"a":"y"}\n{"b":"z"}\n'))

        self.assertEqual(build(), (True, 2))
        self.assertEqual(build(), (False, 2))
        self.write("mine/rules/one.yml", rule({"s": {"a": "other"}, "condition": "s"}))
        self.assertEqual(build(), (True, 1))
        self.write("mine/rules/two.yml", rule({"s": {"a": "x"}, "condition": "s"}).replace('"name": "r"', '"name": "p"'))
        self.assertEqual(build(), (True, 2))
        self.write("mine/p.yml", "name: p\npriority: 1\ntransformations:\n  - {id: i, type: field_name_mapping, mapping: {a: b}}\n")
        self.assertEqual(build(), (True, 0))
        self.assertEqual(build(), (False, 0))

    def test_depfile(self):
        """Names that make finds hard, and nothing more than was read."""
        path = self.write("a b#c$d.yml", rule({"s": {"a": "x"}, "condition": "s"}))
        self.sigcc("build", path, "-o", self.path("det"), "--depfile", self.path("d"))
        with open(self.path("d")) as f:
            text = f.read()
        self.assertEqual(text, "%s: \\\n  %s/a\\ b\\#c$$d.yml\n" % (self.path("det"), self.folder))

    def test_docs(self):
        with gzip.open(self.installed("share/man/man1/sigcc.1.gz"), "rt") as f:
            page = f.read()
        for command in ("build", "check", "inspect", "sign"):
            self.assertIn(".SS sigcc " + command, page)
        if shutil.which("man"):
            self.assertEqual(self.run_(["man", "--warnings", "-l", self.installed("share/man/man1/sigcc.1.gz")]).stderr, b"")
        with open(self.installed("share/bash-completion/completions/sigcc")) as f:
            script = f.read()
        for words, want in ((["sigcc", "insp"], ["inspect"]), (["sigcc", "build", "--emit=s"], ["so"]), (["sigcc", "check", "--tim"], None)):
            line = "%s\nCOMP_WORDS=(%s); COMP_CWORD=%d; _sigcc; printf '%%s\\n' \"${COMPREPLY[@]}\"" % (script, " ".join(words), len(words) - 1)
            have = self.check("bash", "-c", line).split()
            self.assertEqual(have, want or ["--timings", "--timings=text", "--timings=json"])
        for shell, file in (("zsh", "share/zsh/vendor-completions/_sigcc"), ("fish", "share/fish/vendor_completions.d/sigcc.fish")):
            if shutil.which(shell):
                self.check(shell, "-n", self.installed(file))
            self.assertGreater(os.path.getsize(self.installed(file)), 1000)

    @unittest.skipUnless(shutil.which("cpack") and shutil.which("dpkg-deb") and shutil.which("dpkg-shlibdeps"), "skipped: no cpack or dpkg")
    def test_deb(self):
        """The Debian packages, and what lintian says of them."""
        self.check("cpack", "-G", "DEB", "--config", os.path.join(BUILD, "CPackConfig.cmake"), "-B", self.path("deb"))
        debs = {n.split("_")[0]: os.path.join(self.path("deb"), n) for n in os.listdir(self.path("deb")) if n.endswith(".deb")}
        self.assertEqual(sorted(debs), ["libsigccrt-dev", "libsigccrt0", "sigcc"])
        for name, file in (("sigcc", "./usr/bin/sigcc"), ("libsigccrt0", "./usr/lib/libsigccrt.so.0"), ("libsigccrt-dev", "./usr/include/sigcc/sigma.h")):
            self.assertIn(file, self.check("dpkg-deb", "-c", debs[name]))
        self.assertIn("libsigccrt-dev", self.check("dpkg-deb", "-f", debs["sigcc"], "Depends"))
        self.assertIn("libpcre2-dev", self.check("dpkg-deb", "-f", debs["libsigccrt-dev"], "Depends"))
        self.assertIn("libsodium", self.check("dpkg-deb", "-f", debs["libsigccrt0"], "Depends"))
        if shutil.which("lintian"):
            self.assertEqual(self.check("lintian", "--allow-root", "--fail-on", "error,warning", "--suppress-tags", "initial-upload-closes-no-bugs", *debs.values()), "")


if __name__ == "__main__":
    main()
