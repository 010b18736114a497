#!/usr/bin/env python3
"""Logs come from attackers: each bad input ends in a clear error or a counted
loss, with the exit code that the interface promises."""
import gzip
import json
import os
import subprocess
import sys
import unittest
import unittest.mock

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from harness import Case, main, rule  # noqa: E402
from streams import ASAN, peak_rss  # noqa: E402

HIT = b'{"a":"x"}\n'


class HostileInput(Case):
    def setUp(self):
        super().setUp()
        self.det = self.build(self.write("r.yml", rule({"s": {"a": "x"}, "condition": "s"})))

    def lines(self, *args, **kw):
        return [a["source"]["line"] for a in self.detect(self.det, *args, **kw)]

    def stats(self, *args, stdin=b"", status=0):
        p = self.run_([self.det, "-f", "ndjson", "--stats=json", *args], stdin=stdin)
        self.assertEqual(p.returncode, status, p.stderr)
        return json.loads(p.stderr.splitlines()[-1])

    def test_unreadable_lines_are_counted_and_named(self):
        bad = [b"{", b'{"a":"x"', b"[1]", b"3", b'"x"', b"{'a':1}", b'{"a":01}', b'{"a":"\xff"}', b'{"a":"\x01"}', b'{"a":"x"}}', b'{"a":tru}',
               b'{"a":"\\x"}', b'{"a":"x",}', b"nul", b'{"a":"\\ud83"}']
        data = b"".join(b + b"\n" for b in bad) + HIT
        p = self.run_([self.det, "-f", "ndjson"], stdin=data)
        self.assertEqual(p.returncode, 0)
        self.assertEqual(len(p.stdout.splitlines()), 1)
        err = p.stderr.decode()
        self.assertIn("-:1:", err)
        self.assertIn("%d" % len(bad), err)
        self.assertLessEqual(len(err.splitlines()), 13)
        self.assertEqual(self.stats(stdin=data)["unreadable"], len(bad))
        rejects = self.path("rejects")
        self.detect(self.det, "--rejects", rejects, stdin=data)
        with open(rejects, encoding="utf-8") as f:
            self.assertEqual(len(f.readlines()), len(bad))
        self.assertEqual(self.run_([self.det, "--strict"], stdin=data).returncode, 4)

    def test_depth(self):
        deep = b'{"b":' + b"[" * 100000 + b"]" * 100000 + b"}\n"
        self.assertEqual(self.lines(stdin=deep + HIT), [2])
        deep = b'{"b":' + b'{"c":' * 100000 + b"1" + b"}" * 100001 + b"\n"
        self.assertEqual(self.lines(stdin=deep + HIT), [2])
        ok = b'{"b":' + b"[" * 300 + b"]" * 300 + b',"a":"x"}\n'
        self.assertEqual(self.lines(stdin=ok), [1])

    def test_giant_line(self):
        giant = b'{"a":"x","b":"' + b"y" * (20 << 20) + b'"}\n'
        self.assertEqual(self.lines(stdin=giant + HIT), [2])
        self.assertEqual(self.stats(stdin=giant + HIT)["unreadable"], 1)
        fits = b'{"a":"x","b":"' + b"y" * (15 << 20) + b'"}\n'
        self.assertEqual(self.lines("--no-event", stdin=fits), [1])

    @unittest.skipIf(ASAN, "measures memory")
    def test_long_keys_of_layouts_are_let_go(self):
        lines = [b'{"a":"x","%s%05d":1}\n' % (b"k" * 200000, n) for n in range(400)]
        path = self.write("in", b"".join(lines))
        with unittest.mock.patch.dict(os.environ, SIGCC_LAYOUTS="1"):
            p, rss = peak_rss([self.det, "-f", "ndjson", "--no-event", path], self.path("peak"))
        self.assertEqual(len(p.stdout.splitlines()), len(lines))
        self.assertLess(rss, 40 << 20)

    def test_blank_lines_crlf_and_no_final_newline(self):
        self.assertEqual(self.lines(stdin=b"\n  \n\r\n" + HIT.replace(b"\n", b"\r\n") + HIT.rstrip()), [4, 5])
        self.assertEqual(self.lines(stdin=b"\xef\xbb\xbf" + HIT), [1])

    def test_truncated_gzip(self):
        whole = gzip.compress(HIT * 2000 + os.urandom(20000).hex().encode() + b"\n")
        path = self.write("cut.gz", whole[:len(whole) * 2 // 3])
        p = self.run_([self.det, "-f", "ndjson", path])
        self.assertEqual(p.returncode, 4)
        self.assertIn("cut.gz", p.stderr.decode())
        self.assertGreater(len(p.stdout.splitlines()), 0)

    def test_gzip_members_and_several_files(self):
        two = self.write("two.gz", gzip.compress(HIT) + gzip.compress(HIT))
        one = self.write("one", HIT)
        self.assertEqual(self.lines(two, one), [1, 2, 1])

    def test_empty_missing_and_folder(self):
        self.assertEqual(self.lines(self.write("empty", b"")), [])
        p = self.run_([self.det, "-f", "ndjson", self.path("absent"), self.write("one", HIT)])
        self.assertEqual((p.returncode, len(p.stdout.splitlines())), (4, 1))
        self.assertIn("absent", p.stderr.decode())
        self.assertEqual(self.run_([self.det, self.folder]).returncode, 4)

    def test_limits(self):
        """Input without end: the run ends in order when its processor time is used up; memory has a bound of its own."""
        with subprocess.Popen(["yes", '{"a":"x"}'], stdout=subprocess.PIPE) as endless:
            p = subprocess.run([self.det, "-f", "ndjson", "--no-event", "--cpu-limit", "1", "-o", self.path("out")], stdin=endless.stdout,
                               stderr=subprocess.PIPE, timeout=120)
            endless.kill()
        self.assertEqual(p.returncode, 3, p.stderr)
        self.assertIn(b"--cpu-limit is used up", p.stderr)
        with open(self.path("out"), "rb") as f:
            self.assertEqual(f.read()[-2:], b"}\n")
        if not ASAN:
            p = self.run_([self.det, "--memory-limit", "6M"], stdin=b'{"b":"' + b"y" * (15 << 20) + b'"}\n')
            self.assertIn(p.returncode, (3, 4), p.stderr)
            self.assertIn(b"out of memory", p.stderr)

    def test_full_disk(self):
        p = self.run_([self.det, "-f", "ndjson", "-o", "/dev/full"], stdin=HIT)
        self.assertEqual(p.returncode, 5)
        with open("/dev/full", "wb") as full:
            p = subprocess.run([self.det, "-f", "ndjson"], input=HIT * 100000, stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(p.returncode, 5)

    def test_closed_pipe(self):
        p = subprocess.Popen([self.det, "-f", "ndjson"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        p.stdout.close()
        try:
            p.stdin.write(HIT * 200000)
            p.stdin.close()
        except BrokenPipeError:
            pass
        self.assertEqual(p.wait(timeout=60), 0)
        self.assertEqual(p.stderr.read(), b"")
        p.stderr.close()

    def test_usage(self):
        self.assertEqual(self.run_([self.det, "--no-such"]).returncode, 2)
        self.assertEqual(self.run_([self.det, "-f", "xml"]).returncode, 2)
        self.assertEqual(self.run_([self.det, "--mode", "x"]).returncode, 2)
        one = self.path("one")
        p = self.run_([self.det, "-o", one, "--rejects", one])
        self.assertEqual((p.returncode, b"is written to for two purposes" in p.stderr), (2, True))
        other = self.path("re\x1bnamed")
        os.symlink(self.det, other)
        self.assertIn(b"Usage: re\\x1Bnamed [OPTION...]", self.run_([other, "--help"]).stdout)
        self.assertIn(b"Try 're\\x1Bnamed --help'.", self.run_([other, "--no-such"]).stderr)
        for flag in ("--help", "--version", "--list", "--manifest"):
            p = self.run_([self.det, flag])
            self.assertEqual((p.returncode, bool(p.stdout)), (0, True), flag)
        self.assertEqual(json.loads(self.run_([self.det, "--manifest"]).stdout)["schema"], "sigcc.manifest/1")

    def test_group_flood_is_bounded_and_counted(self):
        text = rule({"s": {"a": "x"}, "condition": "s"}) + "\n---\n" + json.dumps(
            {"title": "c", "name": "c", "correlation": {"type": "event_count", "rules": ["r"], "group-by": ["k"], "timespan": "1h",
                                                         "condition": {"gte": 1}}})
        det = self.build(self.write("c.yml", text), out="c")
        data = b"".join(b'{"a":"x","k":"%d","@timestamp":"2026-01-01T00:00:00Z"}\n' % i for i in range(50000))
        p = self.run_([det, "-f", "ndjson", "--max-groups", "1000", "--stats=json", "--mode", "search"], stdin=data)
        self.assertEqual(p.returncode, 0)
        stats = json.loads(p.stderr.splitlines()[-1])
        self.assertEqual(len(p.stdout.splitlines()), 1000)
        self.assertEqual(stats["groups_evicted"], 49000)


class HostileRegex(Case):
    """Look-ahead and \\b keep patterns away from the linear search."""

    def test_explosion_is_bounded_and_counted(self):
        det = self.build(self.write("r.yml", rule({"s": {"a|re": "^(?=)(a+)+$"}, "condition": "s"})))
        data = b'{"a":"' + b"a" * 5000 + b'!"}\n' + b'{"a":"aaa"}\n'
        p = self.run_([det, "-f", "ndjson", "--stats=json"], stdin=data, timeout=60)
        self.assertEqual(p.returncode, 0)
        self.assertEqual(json.loads(p.stdout.splitlines()[-1])["source"]["line"], 2)
        self.assertGreaterEqual(json.loads(p.stderr.splitlines()[-1])["regex_limits"], 1)

    def test_limit_does_not_depend_on_time(self):
        """The same input, the same bytes: also beside a busy neighbour."""
        texts = ["(?=)(a+)+$", "x.*b.*b.*\\d\\b$", "(?=a)(?:a|aa)+!b", "\\ba.*y.*z\\d", "(?=x)x\\w+\\s*y\\d"]
        rules = "\n---\n".join(rule({"s": {"a|re": t}, "condition": "s"}, title=t, name="r%d" % i) for i, t in enumerate(texts))
        det = self.build(self.write("r.yml", rules), "--pack")
        data = b"".join(b'{"a":"%s"}\n' % (unit * n)[:n] for n in (20, 24, 28, 32, 500, 900, 2000, 5000, 20000)
                        for unit in (b"a", b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaab", b"xb", b"ayz", b"yxx", b"xbb 1"))
        args = [det, "-f", "ndjson", "--stats=json"]
        first = self.run_(args, stdin=data)
        self.assertGreaterEqual(json.loads(first.stderr.splitlines()[-1])["regex_limits"], 5)
        self.assertGreater(len(first.stdout.splitlines()), 0)
        rivals = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * (os.cpu_count() or 1))]
        try:
            again = [self.run_(args, stdin=data) for _ in range(2)]
        finally:
            for rival in rivals:
                rival.kill()
                rival.wait()
        for p in again:
            self.assertEqual((p.returncode, p.stdout, p.stderr), (0, first.stdout, first.stderr))

    def test_what_is_searched_in_linear_time_meets_no_limit(self):
        texts = [".*".join([r"\+"] * 14), r".+:assumed-role/aws:.+", r"[^/]{100,}$", r"^(a+)+$"]
        rules = "\n---\n".join(rule({"s": {"a|re": t}, "condition": "s"}, title=t, name="r%d" % i) for i, t in enumerate(texts))
        det = self.build(self.write("r.yml", rules), "--pack")
        units = (b"a+", b"+:aaaaaaaaa", b"a:+/", b"a")
        data = b"".join(b'{"a":"%s+++!"}\n' % (unit * n)[:n] for n in (10, 300, 3000, 30000) for unit in units)
        p = self.run_([det, "-f", "ndjson", "--stats=json"], stdin=data)
        self.assertEqual(json.loads(p.stderr.splitlines()[-1])["regex_limits"], 0)
        hits = [json.loads(line)["rule"]["title"] for line in p.stdout.splitlines()]
        self.assertEqual((hits.count(texts[0]), hits.count(texts[1]), hits.count(texts[3])), (9, 0, 0))

    def test_opposite_classes_match_beyond_ascii(self):
        det = self.build(self.write("r.yml", rule({"s": {"a|re": r"^\S\W\D$"}, "condition": "s"})))
        self.assertEqual([a["source"]["line"] for a in self.detect(det, stdin='{"a":"\u0142\u20ac\U0001f600"}\n'.encode())], [1])

    def test_long_subject_is_no_lost_match(self):
        det = self.build(self.write("r.yml", rule({"s": {"a|re": "(.){200,}end$"}, "condition": "s"})))
        data = b'{"a":"' + b"q" * 30000 + b'end"}\n'
        self.assertEqual([a["source"]["line"] for a in self.detect(det, stdin=data)], [1])


if __name__ == "__main__":
    main()
