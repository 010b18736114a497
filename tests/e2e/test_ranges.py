#!/usr/bin/env python3
"""Threads that read ranges of a file for themselves write what one thread writes:
alerts, rejects, messages and counters, wherever ranges end, and whatever becomes
of the file meanwhile.
"""
import gzip
import json
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from harness import Case, main, rule  # noqa: E402

RULE = rule({"s": {"a": "mimikatz"}, "condition": "s"}, name="hits")


def correlation(generate):
    return json.dumps({"title": "many", "name": "many", "correlation": {
        "type": "event_count", "rules": ["hits"], "group-by": ["b"], "timespan": "10s", "condition": {"gte": 3}, "generate": generate}})


HIT = b'{"a":"mimikatz","b":"%d","time":%d}'
LONG = b'{"a":"mimikatz","c":"' + b"y" * 360 + b'","b":"%05d"}\n'  # the file is more than what is under way


def lines(r, count):
    kinds = [b'{"a":"nothing","c":"%s"}' % (b"x" * 300), b'{"a":"nothing"}', b"{", b"", b" \r\t", b'{"a":"' + b"z" * 5000 + b'"}', b'{"a":1']
    out = []
    for i in range(count):
        line = HIT % (r.randrange(5), 1700000000 + i) if r.random() < 0.2 else r.choice(kinds[:2] * 20 + kinds)
        out.append(line + r.choice([b"\n", b"\n", b"\r\n"]))
    return out


class Ranges(Case):
    def setUp(self):
        super().setUp()
        self.det = self.build(self.write("r.yml", RULE + "\n---\n" + correlation(True)), "--pack")

    def go(self, size, threads, *args):
        """What a run of ranges of so many bytes (None: the usual) writes."""
        env = dict(os.environ, **({} if size is None else {"SIGCC_RANGES": str(size)}))
        rejects = self.path("rejects")
        p = self.run_([self.det, "-f", "ndjson", "--stats=json", "--rejects", rejects, "--threads", str(threads), *args], env=env)
        said = p.stderr.splitlines()
        counters = next(json.loads(s) for s in said if s.startswith(b"{"))
        counters.pop("prefiltered")
        with open(rejects, "rb") as f:
            return p.returncode, p.stdout, [s for s in said if not s.startswith(b"{")], f.read(), counters

    def test_the_same(self):
        self.compare(1000, 3)

    def test_no_alerts_of_events(self):
        """Where only correlations fire, lines get their numbers when all before them are counted."""
        self.det = self.build(self.write("r.yml", RULE + "\n---\n" + correlation(False)), "--pack")
        self.compare(5, 0)

    def compare(self, least, strict):
        r = random.Random(11)
        some = lines(r, 9000)
        some[3000:3000] = [b'{"a":"%s"}\n' % (b"w" * n) for n in (66000, 600000, 2000000)]
        ends = (b"\xef\xbb\xbf" + b"".join(some) + b'{"a":"mimikatz"}', b"".join(lines(r, 8000)))
        plain, other = (self.write("e%d" % i, e) for i, e in enumerate(ends))
        packed = self.write("e.gz", gzip.compress(ends[0]))
        for args in ([plain], [plain, other, plain], [packed, other], ["--mode", "search", other, plain], ["--no-prefilter", plain],
                     ["--allowed-lateness", "5s", plain], ["--strict", other], ["--max-groups", "2", plain, other]):
            want = self.go(None, 1, *args)
            self.assertGreaterEqual(len(want[1].splitlines()), strict if "--strict" in args else least)
            for size, threads in ((0, 2), (1, 2), (100, 3), (5000, 2), (5000, 4), (40000, 3), (None, 2)):
                have = self.go(size, threads, *args)
                if "--strict" in args:  # threads read on for a while: counters, and warnings by them, differ
                    have, want = have[:2], want[:2]
                self.assertEqual(have, want, (args, size, threads))

    def test_profile_reads(self):
        """Reading counts as reading, whoever does it."""
        path = self.write("events", b"".join(lines(random.Random(3), 20000)))
        p = self.run_([self.det, "--profile=json", "--threads", "2", "-o", "/dev/null", path], env=dict(os.environ, SIGCC_RANGES="100000"))
        self.assertEqual(p.returncode, 0, p.stderr)
        told = next(json.loads(s) for s in p.stderr.splitlines() if s.startswith(b"{"))
        self.assertGreater(told["phases"]["read"], 0)

    def test_state(self):
        """A kept state stands where lines were read, whoever read them."""
        r = random.Random(5)
        some = lines(r, 12000)
        written = {}
        for size in (0, 150, 20000):
            events, out = self.write("events", b""), self.path("out%d" % size)
            for begin, end in ((0, 3000), (3000, 3001), (3001, 12000)):
                data = b"".join(some[begin:end])
                with open(events, "ab") as f:
                    f.write(data)
                p = self.run_([self.det, "-f", "ndjson", "--state", self.path("state%d" % size), "-o", out, "--threads", "2", events],
                              env=dict(os.environ, SIGCC_RANGES=str(size)))
                self.assertEqual(p.returncode, 0, p.stderr)
            with open(out, "rb") as f:
                written[size] = f.read()
        self.assertGreater(len(written[0].splitlines()), 1000)
        self.assertEqual(written[150], written[0])
        self.assertEqual(written[20000], written[0])

    def while_read(self, size, change):
        """Alerts of a file that `change` is done to in the middle of reading: when nobody takes the alerts nothing is read either."""
        path = self.write("events", b"".join(LONG % i for i in range(60000)))
        p = subprocess.Popen([self.det, "-f", "ndjson", "--threads", "2", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env=dict(os.environ, SIGCC_RANGES=str(size)))
        first = os.read(p.stdout.fileno(), 1)
        change(path)
        out, said = p.communicate(timeout=120)
        self.assertEqual(p.returncode, 0, said)
        alerts = [json.loads(line) for line in (first + out).splitlines()]
        return [a for a in alerts if "event" in a]

    def check_in_order(self, alerts):
        numbers = [a["source"]["line"] for a in alerts]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        for a in alerts:
            self.assertEqual(int(a["event"]["b"]), a["source"]["line"] - 1)
        return len(numbers)

    def test_cut(self):
        """What is left of a file that is cut short is read, in order, and nothing else."""
        for size in (0, 3000, 100000):
            left = 50000 * len(LONG % 0) - 7  # within a line
            alerts = self.while_read(size, lambda path: os.truncate(path, left))
            count = self.check_in_order(alerts)
            self.assertEqual(count, 49999, size)

    def test_grown(self):
        """What is written to a file while it is read is read, too."""
        def more(path):
            with open(path, "ab") as f:
                f.writelines(LONG % i for i in range(60000, 70000))
        for size in (0, 3000, 100000):
            alerts = self.while_read(size, more)
            self.assertEqual(self.check_in_order(alerts), 70000, size)


if __name__ == "__main__":
    main()
