"""What was compiled before is used again, and only then; nobody else's is.

Each test has a cache of its own. What is compared are the bytes of detectors
and the counts of --timings=json.
"""
import glob
import json
import os
import pty
import re
import shutil
import stat
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from harness import SIGCC, Case, main, rule  # noqa: E402
from streams import ASAN  # noqa: E402

RULES = 12
PARTS = 4
ENOUGH = "skipped: under sanitizers the other tests are enough"


def entries(folder):
    return sorted(n for n in os.listdir(folder) if re.fullmatch("[0-9a-f]{64}", n))


class Cache(Case):
    def setUp(self):
        super().setUp()
        self.cache = self.path("cache")
        self.env = dict(os.environ, SIGCC_CACHE=self.cache)
        self.env.pop("SIGCC_CACHE_SIZE", None)

    def pack(self, changed=()):
        for i in range(RULES):
            detection = {"s": {"CommandLine|contains": ["a%d" % i, "b%d" % i]}, "o": {"User": "u%d" % i},
                         "condition": "s and not o"}
            if i in changed:
                detection["s"]["Image"] = "new"
            self.write("rules/r%02d.yml" % i, rule(detection, title="Rule %d" % i, id="id-%d" % i, name="r%d" % i))
        return self.path("rules")

    def read(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def made(self, name):
        """A detector; under sanitizers, which keep the path of each source, nothing that tells two apart."""
        data = self.read(name)
        return b"" if b"__asan_init" in data else data

    def make(self, *args, out="det", env=None, **kw):
        """Build; the bytes, and what --timings says."""
        p = self.sigcc("build", *args, "-o", self.path(out), "--timings=json", env=env or self.env, **kw)
        return self.made(out), json.loads(p.stderr.decode().splitlines()[-1]), p.stderr.decode()

    def make_pack(self, *args, **kw):
        return self.make(self.path("rules"), "--pack", "--parts", str(PARTS), *args, **kw)


class Hits(Cache):
    def test_second_build_compiles_nothing(self):
        self.pack()
        first, t1, _ = self.make_pack()
        second, t2, _ = self.make_pack()
        self.assertEqual((t1["files_cached"], t1["detectors_cached"]), (0, 0))
        self.assertGreater(t1["files"], 3)
        self.assertEqual((t2["files_cached"], t2["detectors_cached"]), (t1["files"], 1))
        self.assertEqual(first, second)

    def test_same_bytes_without_cache_and_with_any_jobs(self):
        self.pack()
        have = [self.make_pack()[0], self.make_pack()[0]]
        for jobs in "1", "4":
            have.append(self.make_pack("--no-cache", "-j", jobs)[0])
        self.assertEqual(len(set(have)), 1)

    def test_no_cache_makes_no_folder(self):
        self.pack()
        _, t, _ = self.make_pack("--no-cache")
        self.assertEqual(t["files_cached"], 0)
        self.make_pack(env=dict(self.env, SIGCC_CACHE="off"))
        self.assertFalse(os.path.exists(self.cache))

    @unittest.skipIf(ASAN, ENOUGH)
    def test_several_detectors(self):
        self.pack()
        args = ("build", self.path("rules"), "-o", self.path("out") + "/", "--timings=json")
        made = []
        for cached in 0, RULES:
            p = self.sigcc(*args, env=self.env)
            t = json.loads(p.stderr.decode().splitlines()[-1])
            self.assertEqual((t["files"], t["files_cached"], t["detectors"]), (RULES, cached, RULES))
            made.append({n: self.made("out/" + n) for n in os.listdir(self.path("out"))})
        self.assertEqual(made[0], made[1])
        self.assertEqual(len(made[0]), RULES)

    def test_rule_tests_use_it(self):
        self.pack()
        self.write("rules/r00.match.ndjson", '{"CommandLine":"a0"}\n')
        for _ in range(2):
            self.sigcc("test", self.path("rules"), env=self.env)
        self.assertGreater(len(entries(self.cache)), 0)


class Misses(Cache):
    def test_changed_rule_changes_its_part(self):
        self.pack()
        self.make_pack()
        self.pack(changed={5})
        made, t, _ = self.make_pack()
        # The part, the tables of the rules, the texts, the detector's own file.
        self.assertEqual(t["files"] - t["files_cached"], 4)
        self.assertEqual(t["detectors_cached"], 0)
        self.assertEqual(made, self.make_pack("--no-cache")[0])

    def test_only_its_part_changes(self):
        texts = []
        for changed in (), (5,):
            self.pack(changed)
            self.make_pack("--emit", "c", out="pack.c")
            texts.append({n: self.read(n) for n in glob.glob(self.path("pack*.c"))})
        self.assertEqual(texts[0].keys(), texts[1].keys())
        parts = [n for n in texts[0] if ".part" in n]
        self.assertGreater(len(parts), 1)
        changed = [n for n in parts if texts[0][n] != texts[1][n]]
        self.assertEqual(len(changed), 1)
        self.assertIn(b"IMAGE_EQ", texts[1][changed[0]])

    def test_new_rule_changes_one_part(self):
        self.pack()
        self.make_pack()
        self.write("rules/a_first.yml", rule({"s": {"Image": "new"}, "condition": "s"}, title="New", id="id-new"))
        _, t, _ = self.make_pack()
        self.assertEqual(t["files"] - t["files_cached"], 4)

    @unittest.skipIf(ASAN, ENOUGH)
    def test_flags_and_compiler(self):
        self.pack()
        wrapper = self.write("wrapper", '#!/bin/sh\nexec cc "$@"\n')
        os.chmod(wrapper, 0o755)
        for args in ((), ("-O0",), ("--emit", "so"), ("--cc", wrapper), ("--cc", "cc -DX=1")):
            _, t, _ = self.make_pack(*args)
            self.assertEqual((t["files_cached"], t["detectors_cached"]), (0, 0), args)
        with open(wrapper, "a") as f:
            f.write("# another one\n")
        self.assertEqual(self.make_pack("--cc", wrapper)[1]["files_cached"], 0)
        self.assertEqual(self.make_pack(env=dict(self.env, CPATH=self.folder))[1]["files_cached"], 0)

    def test_headers_and_runtime(self):
        self.pack()
        home = self.path("home")
        for part in "include", "lib":
            shutil.copytree(os.path.join(os.path.dirname(SIGCC), "..", part), os.path.join(home, part))
        env = dict(self.env, SIGCC_HOME=home)
        self.make_pack(env=env)
        self.assertEqual(self.make_pack(env=env)[1]["detectors_cached"], 1)
        more = self.write("more.c", "int more_of_it;\n")
        subprocess.run(["cc", "-c", more, "-o", self.path("more.o")], check=True)
        subprocess.run(["ar", "q", os.path.join(home, "lib/libsigccrt.a"), self.path("more.o")], check=True, capture_output=True)
        _, t, _ = self.make_pack(env=env)
        self.assertEqual((t["files_cached"], t["detectors_cached"]), (t["files"], 0))
        with open(os.path.join(home, "include/sigcc/sigma_abi.h"), "a") as f:
            f.write("/* more */\n")
        self.assertEqual(self.make_pack(env=env)[1]["files_cached"], 0)

    @unittest.skipIf(ASAN, ENOUGH)
    def test_parts_say_the_same(self):
        self.pack()
        events = "".join('{"CommandLine":"xa%db%d","User":"u%d"}\n' % (i, i + 1, i % 5) for i in range(40)).encode()
        have = []
        for parts in "1", "2", str(PARTS), "999":
            det = self.build(self.path("rules"), "--pack", "--parts", parts, out="det" + parts, env=self.env)
            have.append(self.detect(det, stdin=events))
        self.assertGreater(len(have[0]), 20)
        for alerts in have[1:]:
            self.assertEqual(alerts, have[0])


class Damage(Cache):
    def damage(self, how):
        self.pack()
        first, _, _ = self.make_pack()
        names = entries(self.cache)
        self.assertGreater(len(names), 3)
        for name in names:
            how(os.path.join(self.cache, name))
        again, t, said = self.make_pack()
        self.assertEqual(again, first)
        self.assertEqual((t["files_cached"], t["detectors_cached"]), (0, 0))
        self.assertEqual(said.count("W0901"), 1)
        third, t, said = self.make_pack()
        self.assertEqual((third, t["detectors_cached"], "W0901" in said), (first, 1, False))

    def test_flipped_byte(self):
        def flip(path):
            with open(path, "r+b") as f:
                f.seek(-20, os.SEEK_END)
                byte = f.read(1)
                f.seek(-20, os.SEEK_END)
                f.write(bytes([byte[0] ^ 1]))
        self.damage(flip)

    def test_cut_short(self):
        self.damage(lambda path: os.truncate(path, os.path.getsize(path) // 2))

    def test_emptied(self):
        self.damage(lambda path: os.truncate(path, 0))

    def test_of_another_key(self):
        """An entry that is whole, but not under its own name."""
        self.write("r.yml", rule({"s": {"F": "x"}, "condition": "s"}))
        self.make(self.path("r.yml"), env=dict(self.env, SIGCC_CACHE=self.path("other")))
        other = os.path.join(self.path("other"), entries(self.path("other"))[0])
        self.damage(lambda path: shutil.copyfile(other, path))

    def test_link_to_elsewhere(self):
        def link(path):
            os.rename(path, self.path(os.path.basename(path)))
            os.symlink(self.path(os.path.basename(path)), path)
        self.damage(link)

    @unittest.skipIf(ASAN, ENOUGH)
    def test_writable_by_others(self):
        self.damage(lambda path: os.chmod(path, 0o666))


class Folder(Cache):
    def refused(self):
        self.pack()
        before = sorted(os.listdir(self.cache))
        made, t, said = self.make_pack()
        self.assertIn("W0901", said)
        self.assertIn("is not used", said)
        self.assertEqual((t["files_cached"], t["detectors_cached"]), (0, 0))
        self.assertEqual(sorted(os.listdir(self.cache)), before)
        self.assertEqual(made, self.make_pack("--no-cache")[0])

    def test_writable_by_others(self):
        self.pack()
        self.make_pack()
        for mode in 0o777, 0o720, 0o702:
            os.chmod(self.cache, mode)
            self.refused()

    @unittest.skipUnless(os.geteuid() == 0, "skipped: only root can give a folder away")
    def test_of_another_user(self):
        self.pack()
        self.make_pack()
        os.chown(self.cache, 65534, 65534)
        self.refused()

    def test_made_for_the_user_alone(self):
        self.pack()
        home = self.path("home")
        os.mkdir(home)
        env = {k: v for k, v in self.env.items() if k not in ("SIGCC_CACHE", "XDG_CACHE_HOME")}
        for extra, where in (({"HOME": home}, "home/.cache/sigcc"), ({"HOME": home, "XDG_CACHE_HOME": self.path("xdg")}, "xdg/sigcc")):
            old = os.umask(0)
            try:
                self.make_pack(env=dict(env, **extra))
            finally:
                os.umask(old)
            self.assertEqual(stat.S_IMODE(os.stat(self.path(where)).st_mode), 0o700)
            self.assertGreater(len(entries(self.path(where))), 3)

    def test_cannot_be_made(self):
        self.pack()
        self.write("file", "")
        _, t, said = self.make_pack(env=dict(self.env, SIGCC_CACHE=self.path("file/cache")))
        self.assertIn("W0901", said)
        self.assertEqual(t["files_cached"], 0)

    @unittest.skipIf(ASAN, ENOUGH)
    def test_parallel(self):
        self.pack()
        want = self.make_pack("--no-cache")[0]
        made, errors = {}, []

        def run(i):
            try:
                made[i] = self.make_pack("-j", "2", out="det%d" % i)
            except AssertionError as error:
                errors.append(error)
        threads = [threading.Thread(target=run, args=(i,)) for i in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(errors, [])
        for data, _, said in made.values():
            self.assertEqual(data, want)
            self.assertNotIn("W0901", said)
        self.assertEqual(sorted(os.listdir(self.cache)), entries(self.cache))
        self.assertEqual(self.make_pack()[1]["detectors_cached"], 1)

    @unittest.skipIf(ASAN, ENOUGH)
    def test_bound(self):
        env = dict(self.env, SIGCC_CACHE_SIZE="1")
        os.mkdir(self.cache, 0o700)
        for i in range(64):  # four a sixteenth, each a quarter of its share and a bit
            path = os.path.join(self.cache, "%x" % (i % 16) + "%063x" % i)
            with open(path, "wb") as f:
                f.write(b"x" * 16600)
            os.utime(path, (1000 + i, 1000 + i))
        stale = os.path.join(self.cache, ".new-1-1")
        open(stale, "w").close()
        os.utime(stale, (1000, 1000))
        made = [self.write("r.yml", rule({"s": {"F": "x%d" % i}, "condition": "s"})) and self.make(self.path("r.yml"), env=env)
                for i in range(40)]
        self.assertEqual([t["files_cached"] for _, t, _ in made], [0] * 40)
        names = entries(self.cache)
        shares = {}
        for name in names:
            size = os.path.getsize(os.path.join(self.cache, name))
            shares.setdefault(name[0], []).append((size, name))
        fresh = [n for n in names if os.path.getmtime(os.path.join(self.cache, n)) > 100000]
        for share in {n[0] for n in fresh}:
            self.assertLessEqual(sum(s for s, _ in shares[share]), (1 << 20) // 16)
            # The oldest went, and only as many as had to.
            old = sorted(n for _, n in shares[share] if n not in fresh)
            self.assertNotIn("%s%063x" % (share, int(share, 16)), old)
        self.assertGreater(len(fresh), 10)
        self.assertFalse(os.path.exists(stale))
        _, t, _ = self.make(self.path("r.yml"), env=env)
        self.assertEqual(t["files_cached"], 1)
        _, _, said = self.make(self.path("r.yml"), env=dict(self.env, SIGCC_CACHE_SIZE="much"))
        self.assertIn("W0901", said)


class Command(Cache):
    def test_show_and_clear(self):
        self.pack()
        self.make_pack()
        count = len(entries(self.cache))
        said = self.sigcc("cache", "show", env=self.env).stdout.decode()
        self.assertRegex(said, r"^%s: %d entries, \d+\.\d of 512 MiB\n$" % (re.escape(self.cache), count))
        open(os.path.join(self.cache, ".new-1-1"), "w").close()
        open(os.path.join(self.cache, "mine"), "w").close()
        self.sigcc("cache", "clear", env=self.env)
        self.assertEqual(os.listdir(self.cache), ["mine"])
        self.assertIn(": 0 entries", self.sigcc("cache", "show", env=self.env).stdout.decode())
        for args in (), ("empty",), ("show", "clear"):
            self.sigcc("cache", *args, env=self.env, status=2)
        self.sigcc("cache", "show", env=dict(self.env, SIGCC_CACHE="off"), status=3)
        os.chmod(self.cache, 0o777)
        self.assertIn(b"W0901", self.sigcc("cache", "clear", env=self.env, status=3).stderr)

    def test_timings(self):
        self.pack()
        _, t, _ = self.make_pack()
        self.assertEqual(t["schema"], "sigcc.timings/1")
        self.assertEqual(list(t["phases"]), ["start", "read", "lint", "resolve", "ir", "opt", "emit", "cc", "link", "test", "finish"])
        self.assertAlmostEqual(sum(p["wall_ms"] for p in t["phases"].values()), t["wall_ms"], delta=0.1)
        self.assertGreater(t["phases"]["cc"]["cpu_ms"], 1)
        said = self.sigcc("check", self.path("rules"), "--timings", env=self.env).stderr.decode()
        self.assertRegex(said, r"(?m)^read +\d+\.\d +\d+\.\d$")
        self.assertRegex(said, r"(?m)^total +\d+\.\d +\d+\.\d$")
        self.sigcc("check", self.path("rules"), "--timings=xml", env=self.env, status=2)
        self.assertNotIn("total", self.sigcc("check", self.path("rules"), env=self.env).stderr.decode())


@unittest.skipIf(ASAN, ENOUGH)
class Progress(Cache):
    """A line on a terminal that shows long work, and nothing anywhere else."""

    def said(self, terminal, term="xterm"):
        self.pack()
        slow = self.write("slow", '#!/bin/sh\nsleep 0.3\nexec cc "$@"\n')
        os.chmod(slow, 0o755)
        args = [SIGCC, "build", self.path("rules"), "--pack", "--parts", str(PARTS), "--cc", slow, "--no-cache", "-j1", "-o", self.path("det")]
        env = dict(self.env, TERM=term)
        if not terminal:
            return self.run_(args, env=env).stderr
        ours, theirs = pty.openpty()
        p = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs, env=env)
        os.close(theirs)
        have = b""
        while True:
            try:
                data = os.read(ours, 4096)
            except OSError:  # how a terminal says that nobody is there
                break
            if not data:
                break
            have += data
        os.close(ours)
        self.assertEqual(p.wait(), 0)
        return have

    def test_on_a_terminal(self):
        have = self.said(True)
        self.assertRegex(have, rb"\r\x1b\[Ksigcc: compiling C: \d+ of \d+")
        self.assertRegex(have, rb"of \d+\r\x1b\[Ksigcc: 12 compiled, 0 rejected")
        self.assertEqual(have.count(b"\n"), 1)

    def test_elsewhere(self):
        for have in self.said(False), self.said(True, term="dumb"):
            self.assertNotIn(b"\x1b", have)
            self.assertNotIn(b"compiling C", have)


if __name__ == "__main__":
    main()
