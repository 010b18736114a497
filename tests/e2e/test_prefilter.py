#!/usr/bin/env python3
"""The prefilter changes nothing but speed: detectors with and without it, on
every level of the processor and with threads, write the same bytes about lines
made to mislead it, and the oracle agrees."""
import gzip
import json
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from harness import SIGCC, Case, main, rule  # noqa: E402
from streams import ASAN  # noqa: E402

LEVELS = ["avx512", "avx2", "sse2", "neon", "scalar"]  # what is missing falls back
CORRELATION = json.dumps({"title": "c", "name": "c", "correlation": {
    "type": "event_count", "rules": ["r"], "group-by": ["b"], "timespan": "10s", "condition": {"gte": 3}}})

# Rules that a prefilter serves, by the texts that their lines write.
SERVED = {
    "mimikatz": {"s": {"a": "mimikatz"}, "condition": "s"},
    "C:\\Tasks\\Kiosk.exe": {"s": {"a|endswith": "\\Kiosk.exe"}, "condition": "s"},
    "x/secret\"q": {"s": {"a.b|startswith": "x/secret"}, "condition": "s"},
    "-EncodedCommand  JAB": {"s": {"a|contains|all": ["-enc", "JAB"]}, "f": {"b": "x"}, "condition": "s and not f"},
    "net user /add": {"s": {"a": "net * /add"}, "condition": "s"},
    "Kerberos": {"s": ["kerberos", "ticket"], "condition": "s"},
    "SysKey": {"s": {"a|cased": "SysKey"}, "condition": "s"},
    "evil.example": {"s": {"b": ["evil.example", "bad.example"]}, "t": {"a": "evil.example"}, "condition": "s or t"},
}
# The same by a field: no text is needed, or none that is plain enough.
SERVED_BY_FIELDS = {
    "443": {"s": {"a": 443}, "condition": "s"},
    "1000": {"s": {"a": "1000"}, "condition": "s"},
    "x": {"s": {"a": "x"}, "condition": "s"},
    "44": {"s": {"a|gte": 40, "b|lt": 9000000}, "t": {"a": "44"}, "condition": "s or t"},
    "ab": {"s": {"a|startswith": "a"}, "t": {"a|endswith": "ab"}, "f": {"b": "x"}, "condition": "(s or t) and not f"},
    "true": {"s": {"a": True}, "condition": "s"},
}
# Rules that it cannot serve.
NOT_SERVED = {
    "other": {"s": {"a": "other"}, "condition": "not s"},
    "there": {"s": {"a|exists": True}, "condition": "s"},
    "same": {"s": {"a|fieldref": "b"}, "condition": "s"},
    "regex": {"s": {"a|re": "reg.x"}, "condition": "s"},
    "anyword": {"s": {"a": "anyword"}, "t": {"b": None}, "condition": "s or t"},
}
BAD = [b"{", b'{"a":"mimikatz"', b"[]", b"nul", b'{"a":tru}', b'{"a":"\xff"}', b'{"a":"\\x"}', b'{"a":1,}', b'{"a":"\x01"}', b'{"a":"\\u12"}',
       b'{"a":01}', b'{"a" "b"}', b'{"a":"b":"c"}', b'{"a":"x"}}', b'{"a":"\xed\xa0\x80"}', b'{"z":[}', b'{"a":"SysKey","b":}', b"\xff\xfe",
       b'{"b":' + b"[" * 600 + b"]" * 600 + b"}"]


def some(rules):
    """Under sanitizers a third of them: the code is the same for all."""
    return list(rules.items())[::3 if ASAN else 1]


class Lines:
    """Lines that write a text in every way that JSON and folding allow."""

    def __init__(self, seed, text):
        self.r, self.text = random.Random(seed), text

    def char(self, c):
        r, how = self.r, self.r.random()
        if how < 0.04:
            return "\\u%04x" % ord(r.choice([c.lower(), c.upper()])[0])
        if how < 0.08 and c.lower() in "ks":
            return {"k": ["\u212a", "\\u212A", "\\u212a"], "s": ["\u017f", "\\u017F", "\\u017f"]}[c.lower()][r.randrange(3)]
        if c in '"\\':
            return "\\" + c
        if c == "/" and how < 0.5:
            return "\\/"
        return r.choice([c, c, c, c.lower(), c.upper()])

    def value(self, whole=False):
        r = self.r
        if not whole and r.random() < 0.1:
            return r.choice(["443", "4.43e2", "443.0", "1e3", "1000", '"443"', '"1000"', '"\\u0034\\u0034\\u0033"', "true", "null", "{}", "[]"])
        pieces = [] if whole else ["C:\\\\Users\\\\x ", "\\u0000", "\u212a", "\u2122", "\\n", "\\\\u006d", "z" * 70, "\\/", "caf\u00e9"]
        text = "".join(self.char(c) for c in self.text)
        if not whole and r.random() < 0.5:
            text = text[:r.randrange(len(text) + 1)].rstrip("\\u0123456789abcdefABCDEF")
        around = "".join(r.choice(pieces) for _ in range(r.randrange(3))) if pieces else ""
        return '"%s"' % (text if whole else r.choice([around + text, text + around, around]))

    def line(self, n):
        r, members = self.r, ['"time":%d' % (1700000000 + n)]
        for key in r.sample(["a", "b", "c", "a", "A", "winlog", "Event", "d"], r.randrange(1, 6)):
            value = self.value(r.random() < 0.15)
            if key in ("winlog", "Event"):
                value = {"winlog": '{"event_data":{"%s":%s}}', "Event": '{"EventData":{"%s":%s},"System":{}}'}[key] % (
                    r.choice(["a", "a", " a", "a ", "\\u0020a"]), value)
            elif r.random() < 0.15:
                value = r.choice(['{"b":%s}', "[%s]", '[{"b":%s}, 1]']) % value
            members.append('"%s"%s:%s' % (r.choice([key, key, key, "\\u%04x%s" % (ord(key[0]), key[1:])]), r.choice(["", " "]), value))
        r.shuffle(members)
        out = ("{%s}" % r.choice([",", ", "]).join(members)).encode("utf-8")
        if r.random() < 0.05:
            i = r.randrange(len(out))
            out = out[:i] + r.choice([b"", b'"', b"\\", b"\xc5", b"{", b","]) + out[i + 1:]
        return out

    def file(self, count):
        r = self.r
        # Stretches of lines without the text, so that it is worth its while.
        lines = [self.line(n) if r.random() < 0.3 else b'{"a":"nothing","b":%d,"time":%d}' % (n, 1700000000 + n) for n in range(count)]
        for bad in BAD + [b"", b"  \r"]:
            lines.insert(r.randrange(len(lines)), bad)
        return b"\n".join(lines)


class Prefilter(Case):
    def go(self, det, *args, level=None, **more):
        """Output, messages, rejects and counters of a run."""
        rejects = self.path("rejects")
        env = dict(os.environ, **({"SIGCC_SIMD": level} if level else {}), **more)
        p = self.run_([det, "-f", "ndjson", "--rejects", rejects, "--stats=json", *args, self.path("events")], env=env)
        said = p.stderr.splitlines()
        counters = json.loads(said[-1])
        with open(rejects, "rb") as f:
            return counters.pop("prefiltered"), (p.returncode, p.stdout, said[:-1], f.read(), counters)

    def compare(self, text, detection, served):
        rules = self.write("r.yml", rule(detection))
        pair = self.write("pair.yml", rule(detection) + "\n---\n" + CORRELATION)
        det, correlating = self.build(rules), self.build(pair, out="pair")
        self.write("events", Lines(text, text).file(3000))
        for d in (det, correlating):
            none, want = self.go(d, "--no-prefilter")
            self.assertEqual(none, 0)
            self.assertGreater(want[4]["unreadable"], len(BAD) - 2)
            for args in ((), ("--threads", "2"), ("--mode", "search"), ("--allowed-lateness", "5s")):
                if args[:1] != ("--threads",):
                    want = self.go(d, "--no-prefilter", *args)[1]
                for level in LEVELS if args == () else [None]:
                    kept_out, have = self.go(d, *args, level=level)
                    self.assertEqual(have, want, (text, args, level))
                    self.assertEqual(kept_out > 500, served, (text, kept_out))
                # What is kept out is checked line by line.
                self.assertEqual(self.go(d, *args, SIGCC_LINES="0")[1], want, (text, args))
        # Where --strict stops.
        stop = [self.run_([det, "-f", "ndjson", "--strict", *args, self.path("events")]) for args in ((), ("--no-prefilter",))]
        self.assertEqual(stop[0].returncode, 4)
        self.assertEqual((stop[0].stdout, stop[0].stderr), (stop[1].stdout, stop[1].stderr))
        oracle = self.run_([SIGCC, "eval", rules, "--events", self.path("events")])
        verdicts = {o["line"] for o in map(json.loads, oracle.stdout.splitlines()) if o.get("rules")}
        alerts = {a["source"]["line"] for a in self.detect(det, self.path("events"))}
        self.assertEqual(alerts, verdicts, text)
        self.assertGreater(len(alerts), 0, text)

    def test_unchecked(self):
        """Lines that cannot match are passed over, also when they are bad; what is written stays the same."""
        det = self.build(self.write("r.yml", rule({"s": {"a": "mimikatz"}, "condition": "s"})))
        data = Lines(1, "mimikatz").file(20000)
        plain, packed = self.write("events", data), self.write("events.gz", gzip.compress(data))
        for path in (plain, packed, "-"):
            for threads in ("1", "2"):
                args = [det, "-f", "ndjson", "--stats=json", "--threads", threads, path]
                whole, passed = (self.run_(args + more, stdin=data if path == "-" else b"") for more in ([], ["--unchecked"]))
                self.assertEqual((passed.returncode, passed.stdout), (0, whole.stdout))
                want, have = (json.loads(p.stderr.splitlines()[-1]) for p in (whole, passed))
                self.assertEqual((have["lines"], have["bytes"], have["matches"]), (want["lines"], want["bytes"], want["matches"]))
                self.assertEqual(want["skipped"], 0)
                self.assertGreater(have["skipped"], 5000)
                # Two lines are blank; if they are not among those skipped they are nothing.
                self.assertIn(have["lines"] - have["events"] - have["unreadable"] - have["skipped"], (0, 1, 2))
                self.assertLess(have["unreadable"], want["unreadable"])
        for more in (["--strict"], ["--rejects", self.path("x")]):
            self.assertEqual(self.run_([det, "--unchecked", *more, plain]).returncode, 2)
        self.assertEqual(self.run_([det, "map", "--unchecked", plain]).returncode, 2)

    def test_unchecked_resumes(self):
        """Places in the input are the same with and without."""
        det = self.build(self.write("r.yml", rule({"s": {"a": "mimikatz"}, "condition": "s"})))
        line = b'{"a":"nothing","time":1}\n'
        hits = b'{"a":"mimikatz","time":1}\n'
        written = {}
        for mode in ("--unchecked", "--no-prefilter"):
            events, out = self.write("events", b""), self.path("out" + mode)
            for piece in (line * 900 + hits, line * 70000 + hits + line[:9], line[9:] + hits + line * 3, hits):
                with open(events, "ab") as f:
                    f.write(piece)
                p = self.run_([det, mode, "-f", "ndjson", "--state", self.path("state" + mode), "-o", out, events])
                self.assertEqual(p.returncode, 0, p.stderr)
            with open(out, "rb") as f:
                written[mode] = f.read()
        self.assertEqual(written["--unchecked"], written["--no-prefilter"])
        self.assertEqual(len(written["--unchecked"].splitlines()), 4)

    def test_threads(self):
        """Lines that threads cut out of larger pieces have the places and the bytes that they have one by one."""
        r = random.Random(7)
        det = self.build(self.write("r.yml", rule({"s": {"a": "mimikatz"}, "condition": "s"})))
        kinds = [b'{"a":"nothing","b":"%s"}' % (b"x" * 300), b'{"a":"mimikatz"}', b'{"a":"nothing"}\r', b"{", b"", b" \r\t", b"\r", b'{"a":"' + b"z" * 5000 + b'"}']
        lines = [r.choice(kinds[:1] * 40 + kinds) + r.choice([b"\n", b"\n", b"\r\n"]) for _ in range(12000)]
        lines[5000:5000] = [b'{"a":"%s"}\n' % (b"w" * n) for n in (600000, 2000000, 17 << 20)]
        data = b"\xef\xbb\xbf" + b"".join(lines) + b'{"a":"mimikatz"}'
        plain, packed = self.write("events", data), self.write("events.gz", gzip.compress(data))
        for path in (plain, packed, "-"):
            for more in ([], ["--no-prefilter"], ["--profile"]):
                ran = []
                for threads in "123":
                    args = [det, "-f", "ndjson", "--stats=json", "--rejects", self.path("rejects"), "--threads", threads, *more, path]
                    p = self.run_(args, stdin=data if path == "-" else b"")
                    with open(self.path("rejects"), "rb") as f:
                        counters = next(json.loads(s) for s in p.stderr.splitlines() if s.startswith(b"{"))
                        ran.append((p.returncode, p.stdout, f.read(), {k: v for k, v in counters.items() if k != "prefiltered"}))
                self.assertEqual(ran[1:], ran[:1] * 2, (path, more))
        self.assertGreater(ran[0][3]["unreadable"], 100)

    def test_served(self):
        for text, detection in some(SERVED):
            with self.subTest(text):
                self.compare(text, detection, True)

    def test_served_by_fields(self):
        """Also against detectors that look for no fields."""
        for text, detection in some(SERVED_BY_FIELDS):
            with self.subTest(text):
                self.compare(text, detection, True)
                os.environ["SIGCC_CASCADE"] = "0"
                try:
                    self.compare(text, detection, False)
                finally:
                    del os.environ["SIGCC_CASCADE"]

    def test_not_served(self):
        for text, detection in some(NOT_SERVED):
            with self.subTest(text):
                self.compare(text, detection, False)


if __name__ == "__main__":
    main()
