#!/usr/bin/env python3
"""Bounds of memory under hostile streams: they hold, what is lost is counted,
and by whom, and what is kept is right."""
import json
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import streams  # noqa: E402
from harness import Case, main  # noqa: E402
from streams import ASAN, LONG, START, sized  # noqa: E402

SECOND = 10**9
MIB = 1 << 20


def counted(name, gte, span, **more):
    return streams.correlation(name, "event_count", {"rules": ["ra"], "group-by": ["Host"], "timespan": span, "condition": {"gte": gte}}, **more)


def valued(kind, **condition):
    return streams.correlation("c_" + kind, kind, {"rules": ["ra"], "group-by": ["Host"], "timespan": "1d", "condition": {"field": "Bytes", **condition}})


class Bounds(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls("build_detectors")
        case.setUp()
        cls.addClassCleanup(case.doCleanups)
        case.build_detectors()
        cls.plain, cls.types, cls.values = case.plain, case.types, case.values

    def build_detectors(self):
        ra = streams.rule("ra", ["a"])
        self.plain = self.pack([ra, counted("short", 3, "10s"), counted("long", 3, "1d")], "plain")
        self.types = self.pack([ra, streams.rule("rb", ["b"])] + streams.all_types(), "types")
        self.values = self.pack([ra, valued("value_count", gte=1), valued("value_percentile", percentile=90, gte=0), valued("value_median", gte=0)], "values")

    def pack(self, documents, out):
        return self.build(self.write(out + ".yml", streams.text(documents)), "--pack", "-O0", out=out)

    def run_on(self, det, data, *args):
        """Alerts, counters and what was said of one run."""
        path = data if isinstance(data, str) else self.write("in", data)
        out = self.path("out")
        p, rss = streams.peak_rss([det, "-f", "ndjson", "--stats=json", "-o", out, *args, path], self.path("peak"))
        said = p.stderr.decode(errors="replace")
        self.assertEqual(p.returncode, 0, said)
        self.rss = rss
        with open(out, "rb") as f:
            return f.read().splitlines(), json.loads(said.splitlines()[-1]), said

    def flood(self, count, step=0, key="k%08d"):
        path = self.path("flood")
        with open(path, "wb") as f:
            for i in range(count):
                f.write(streams.event(START + i * step, Kind="a", Host=key % i, User="u%d" % i, Bytes=i % 1000))
        return path

    def by_title(self, said, doc):
        """What a warning says of each correlation."""
        lines, at = said.splitlines(), 0
        while at < len(lines) and doc not in lines[at]:
            at += 1
        out = {}
        for line in lines[at + 1:]:
            if "  of these by '" not in line:
                break
            title, n = line.split("  of these by 'correlation ")[1].split("': ")
            out[title] = int(n)
        return out

    # -------- many groups ----------------------------------------------------

    def test_flood_of_keys(self):
        count = sized(10000, 1000000, 2000)
        path = self.flood(count)
        base = None
        for bound in (["--max-groups", "1000"], ["--max-memory", "1M"], ["--max-memory", "100K", "--max-groups", "1000000"], ["--max-groups", "1"]):
            for threads in "12":
                _, counters, said = self.run_on(self.types, path, *bound, "--threads", threads)
                if bound[0] == "--max-groups":
                    self.assertLessEqual(counters["groups"], int(bound[1]))
                else:
                    self.assertLessEqual(counters["group_bytes"], {"1M": MIB, "100K": 100 << 10}[bound[1]])
                lost = self.by_title(said, "groups let go for room (--max")
                self.assertEqual((sum(lost.values()), counters["groups_evicted"]), (counters["groups_evicted"],) * 2, said)
                self.assertGreater(counters["groups_evicted"], count)
                if counters["groups"] > 8:
                    self.assertEqual(len(lost), 8, said)
                if not ASAN:  # lines in blocks take room, too
                    self.assertLess(self.rss, (64 if threads == "1" else 110) * MIB, (bound, threads))
                base = base or counters
                if LONG:
                    print("%d keys, 8 correlations, %s, %s thread(s): %d groups and %d bytes at the end, %d let go, peak %.1f MiB" % (
                        count, " ".join(bound), threads, counters["groups"], counters["group_bytes"], counters["groups_evicted"], self.rss / MIB))

    def test_strewn_groups(self):
        """Keys of one size are replaced by those of the next, all but one where hundreds lay: memory stays near the bound."""
        limit, path = 8 * MIB, self.path("strewn")
        sizes = [16, 100, 200, 300, 400, 500, 600, 700, 850, 980, 1200, 1400, 1700, 2000, 2500, 3000]
        with open(path, "wb") as f:
            for at, size in enumerate(sizes):
                count = limit // 3 * 2 // (size + 200)
                keys = [(size, i) for i in range(count)]
                for s in sizes[:at + 1]:
                    keys += [(s, i) for i in range(0, limit // 3 * 2 // (s + 200), 65536 // (s + 200))]
                for s, i in keys:
                    f.write(streams.event(START, Kind="a", Host=str(i).zfill(s)))
        one = self.pack([streams.rule("ra", ["a"]), counted("only", 1000000, "1d")], "one")
        for threads in "12":
            _, counters, _ = self.run_on(one, path, "--max-memory", "8M", "--threads", threads)
            self.assertLessEqual(counters["group_bytes"], limit)
            self.assertGreater(counters["groups_evicted"], 1000)
            if not ASAN:
                self.assertLess(self.rss, (56 if threads == "1" else 110) * MIB, threads)
            if LONG:
                print("strewn groups, --max-memory 8M, %s thread(s): peak %.0f MiB" % (threads, self.rss / MIB))

    @unittest.skipUnless(LONG, "long form only")
    def test_flood_without_bounds_of_ones_own(self):
        """The default bounds: a million groups, 1 GiB."""
        path = self.flood(1500000, key="k" * 200 + "%08d")
        _, counters, _ = self.run_on(self.types, path)
        print("1,500,000 long keys, default bounds: %d groups, %d MiB of them, peak %.0f MiB, %d let go" % (
            counters["groups"], counters["group_bytes"] >> 20, self.rss / MIB, counters["groups_evicted"]))
        self.assertLessEqual(counters["groups"], 1000000)
        if not ASAN:
            self.assertLess(self.rss, 1400 * MIB)

    def test_who_is_touched_survives(self):
        """A flood between the events of a group that is used does not harm it."""
        out = []
        for i in range(sized(6000, 6000, 2000)):
            out.append(streams.event(START + i * 10**6, Kind="a", Host="k%d" % i))
            if i % 40 == 0:
                out.append(streams.event(START + i * 10**6, Kind="a", Host="mine"))
        for threads in "12":
            alerts, counters, _ = self.run_on(self.plain, b"".join(out), "--max-groups", "100", "--every-firing", "--threads", threads)
            mine = [json.loads(a) for a in alerts]
            self.assertEqual({a["group"]["Host"] for a in mine}, {"mine"})
            self.assertEqual([a["count"] for a in mine if a["rule"]["name"] == "long"], list(range(3, len(out) // 41 + 1)))
            self.assertGreater(counters["groups_evicted"], len(out))
            # One that nobody touched meanwhile is gone.
            out2 = [streams.event(START, Kind="a", Host="idle")] * 2 + out[:1000] + [streams.event(START + SECOND, Kind="a", Host="idle")]
            alerts, _, _ = self.run_on(self.plain, b"".join(out2), "--max-groups", "100", "--threads", threads)
            self.assertNotIn(b'"idle"', b"".join(alerts))

    def test_dead_groups_go_first(self):
        """Windows that have run empty make room: no loss, and live groups stay."""
        out, t = [], START
        for i in range(50):
            out.append(streams.event(t, Kind="a", Host="old%d" % i))
        for i in range(1000):
            t += 11 * SECOND  # beyond the span of "short"
            out.append(streams.event(t, Kind="a", Host="k%d" % i))
        docs = [streams.rule("ra", ["a"]), counted("short", 3, "10s")]
        det = self.pack(docs, "only")
        for threads in "12":
            _, counters, said = self.run_on(det, b"".join(out), "--max-groups", "60", "--threads", threads)
            self.assertEqual((counters["groups_evicted"], counters["groups_refused"], counters["groups"]), (0, 0, 60))
            self.assertEqual(counters["groups_expired"], 1050 - 60)
            self.assertNotIn("warning", said)
            # Live ones of "long" stay where dead ones of "short" can go.
            some = out[:40] + [streams.event(START + 100 * SECOND + i, Kind="a", Host="new%d" % i) for i in range(20)]
            _, counters, said = self.run_on(self.plain, b"".join(some), "--max-groups", "100", "--threads", threads)
            self.assertEqual((counters["groups_evicted"], counters["groups_expired"]), (0, 20), said)
            alerts, _, _ = self.run_on(self.plain, b"".join(some + [streams.event(START + 200 * SECOND, Kind="a", Host="old3")] * 2), "--max-groups", "102")
            self.assertEqual([json.loads(a)["rule"]["name"] for a in alerts], ["long"])

    # -------- one large group ------------------------------------------------

    def test_one_giant_group(self):
        count = sized(8000, 2000000, 2500)
        path = self.path("giant")
        with open(path, "wb") as f:
            for i in range(count):
                f.write(streams.event(START + i, Kind="ab"[i % 2], Host="one", User="one", Bytes="v%d" % i if i % 3 else i))
        only = self.pack([streams.rule("ra", ["a"]), streams.rule("rb", ["b"]),
                          streams.correlation("c_value_count", "value_count", streams.CORRELATIONS["value_count"])], "only")
        for det, memory, name in ((self.types, "100K", "groups_evicted"), (self.types, "10K", "groups_evicted"), (only, "100K", "groups_refused")):
            results = []
            for threads in "12":
                alerts, counters, said = self.run_on(det, path, "--max-memory", memory, "--threads", threads)
                results.append((alerts, counters, said))
                self.assertGreater(counters[name], 0, memory)
                for counter, doc in (("groups_refused", "contributions to correlations lost to"), ("groups_evicted", "groups let go for room (--max")):
                    self.assertEqual(sum(self.by_title(said, doc).values()), counters[counter], said)
                self.assertLessEqual(counters["group_bytes"], int(memory[:-1]) << 10)
                if not ASAN:
                    self.assertLess(self.rss, (64 if threads == "1" else 110) * MIB)
                if LONG:
                    print("one group of %d events, %s, %s thread(s): %d refused, %d groups let go, peak %.1f MiB" % (
                        count, memory, threads, counters["groups_refused"], counters["groups_evicted"], self.rss / MIB))
            self.assertEqual(results[0], results[1], memory)

    def test_approximate_values(self):
        """Beyond --exact-values alerts say so, and the truth lies within the error."""
        r = random.Random(3)
        seen, data = {}, []
        for i in range(sized(4000, 20000, 2500)):
            host = r.choice(["small", "big", "big", "big"])
            value = r.randrange(40) if host == "small" else int(r.lognormvariate(8, 2))
            seen.setdefault(host, []).append(value)
            data.append((host, list(seen[host]) if i % 400 > 396 or i < 10 else None, streams.event(START + i, Kind="a", Host=host, Bytes=value)))
        exact, counters, said = self.run_on(self.values, b"".join(line for _, _, line in data), "--every-firing")
        self.assertNotIn(b"approximate", b"".join(exact))
        self.assertEqual(counters["groups_sketched"], 0)
        about, counters, said = self.run_on(self.values, b"".join(line for _, _, line in data), "--every-firing", "--exact-values", "100")
        self.assertEqual(counters["groups_sketched"], 3)
        self.assertEqual(len(about), len(exact))
        worst, inexact, close = {}, 0, 0
        for have, want in zip(map(json.loads, about), map(json.loads, exact)):
            self.assertEqual((have["alert_id"] and have["source"], have["group"], have["count"]), (want["source"], want["group"], want["count"]))
            self.assertEqual("approximate" in have, "error_bound" in have)
            if "approximate" not in have:
                self.assertEqual(have["value"], want["value"])
                continue
            self.assertEqual((have["approximate"], have["group"]["Host"]), (True, "big"))
            self.assertTrue(0 < have["error_bound"] < 0.1, have)
            off = abs(have["value"] - want["value"]) / max(abs(want["value"]), 1e-9)
            kind = have["correlation_type"]
            worst[kind] = max(worst.get(kind, (0, 0)), (off, have["error_bound"]))
            inexact += 1
            close += off <= have["error_bound"]
        self.assertGreater(inexact, 1000)
        if LONG:
            print("%d approximate values, %d within their bound; worst: %s" % (inexact, close, worst))
        self.assertEqual(close, inexact, worst)
        # The exact values are right themselves.
        last = [json.loads(a) for a in exact if json.loads(a)["group"]["Host"] == "big"][-3:]
        values = sorted(seen["big"])
        got = {a["correlation_type"]: a["value"] for a in last}
        self.assertEqual(got["value_count"], len(set(values)))
        self.assertEqual(got["value_median"], (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2)

    def test_errors_between_opposite_signs(self):
        """A median near 0 can be any share off: alerts say so, also where it is 0."""
        r, data = random.Random(5), []
        for i in range(sized(4000, 20000, 2000)):
            data.append(streams.event(START + i, Kind="a", Host="h", Bytes=r.choice([r.gauss(0, 1), float(r.randrange(-3, 4) * 1000)])))
            data.append(streams.event(START + i, Kind="a", Host="i%d" % (i // 40), Bytes=[-1000.5, 1000.5][i % 2] * (1 + i // 2 % 15)))
        stream = b"".join(data)
        for mode in (["--every-firing"], ["--mode", "search"]):
            exact, _, _ = self.run_on(self.values, stream, *mode)
            about, _, _ = self.run_on(self.values, stream, *mode, "--exact-values", "10")
            self.assertEqual(len(about), len(exact))
            wide, zeros, sides = 0, 0, set()
            for have, want in zip(map(json.loads, about), map(json.loads, exact)):
                if have["correlation_type"] == "value_count" or "approximate" not in have:
                    continue
                off, most, share = abs(have["value"] - want["value"]), have["error_absolute"], have["error_bound"]
                self.assertLessEqual(off, most, (have, want))
                sides.add(have["value"] > 0)
                if share is None:
                    self.assertEqual(have["value"], 0)
                    zeros += 1
                else:
                    self.assertGreaterEqual(share, 0.01)
                    self.assertAlmostEqual(share * abs(have["value"]), most, delta=most * 1e-9)
                wide += share is None or share > 0.011
            self.assertEqual(sides, {True, False})
            self.assertGreater(wide, 0)
            self.assertGreater(zeros, 0)
            if LONG:
                print("%s: %d alerts, %d of them with an error of more than 1.1 %%, %d with a value of 0" % (" ".join(mode), len(about), wide, zeros))

    # -------- large values ---------------------------------------------------

    def test_huge_group_value(self):
        """10 MB of a group's value and many correlations: not as many copies."""
        many = [streams.rule("ra", ["a"])] + [counted("c%02d" % i, 2, "%ds" % (i + 1)) for i in range(40)]
        det = self.pack(many, "many")
        size = 10 * 10**6
        big = lambda n: streams.event(START + n, Kind="a", Host=chr(97 + n % 26) * size)  # noqa: E731
        data = self.write("big", big(0) + big(1) + streams.event(START + 5, Kind="a", Host="small") * 2 + (b"" if ASAN else big(0) + big(2)))
        for threads in "12":
            alerts, counters, said = self.run_on(det, data, "--max-memory", "100M", "--threads", threads, "--no-event")
            self.assertGreater(counters["oversized"], 0)
            self.assertEqual(counters["oversized"], (2 if ASAN else 4) * (40 - 6), said)
            self.assertIn("warning: %d contributions to correlations left out, as their values exceed" % counters["oversized"], said)
            self.assertLessEqual(counters["group_bytes"], 100 * MIB)
            self.assertEqual(sum(b'"small"' in a for a in alerts), 40)
            if not ASAN:
                self.assertLess(self.rss, 900 * MIB)
            if LONG:
                print("values of 10 MB, 40 correlations, %s thread(s): peak %.0f MiB, %d oversized" % (threads, self.rss / MIB, counters["oversized"]))

    # -------- what is under way ----------------------------------------------

    def test_giant_lines_with_threads(self):
        """Threads do not multiply what long lines need."""
        r, path = random.Random(9), self.path("giants")
        with open(path, "wb") as f:
            for i in range(sized(12, 40, 4)):
                size = r.choice([9, 14, 15, 17, 40]) * 10**6 if not ASAN else r.choice([2, 17]) * 10**6
                f.write(streams.event(START + i, Kind="a", Host=chr(97 + i % 26) * size, User="u", Bytes=5))
                f.write(streams.event(START + i, Kind="a", Host="small", User="u", Bytes=i) * 50)
        want, peaks = None, []
        for threads in "124":
            alerts, counters, said = self.run_on(self.types, path, "--max-memory", "16M", "--no-event", "--threads", threads)
            self.assertGreater(counters["unreadable"], 0)
            want = want or (alerts, counters, said)
            self.assertEqual((alerts, counters, said), want, threads)
            peaks.append(self.rss / MIB)
        if LONG:
            print("lines of 9 to 40 MB, --max-memory 16M, 1, 2, 4 threads: peaks %s MiB" % ["%.0f" % p for p in peaks])
        if not ASAN:
            self.assertLess(max(peaks), 240)

    def test_many_alerts_with_threads(self):
        """What is found in a block can be many times its text: it is settled in parts."""
        det = self.pack([streams.rule("ra", ["a"])] + [streams.rule("r%02d" % i, ["a"]) for i in range(30)] + [counted("c", 3, "1d")], "alerts")
        path = self.path("in")
        with open(path, "wb") as f:
            for i in range(sized(4000, 40000, 3500)):
                f.write(streams.event(START + i * SECOND, Kind="a" if i % 10 else "b", Host="h%d" % (i % 7), Pad="x" * 300) if i % 99 else b"{\n" * 40)
        results, peaks = set(), []
        for threads in "124":
            alerts, counters, said = self.run_on(det, path, "--threads", threads)
            results.add((streams.sha256(b"\n".join(alerts)), json.dumps(counters), said))
            peaks.append(self.rss / MIB)
        self.assertEqual(len(results), 1)
        if LONG:
            print("30 alerts an event, 1, 2, 4 threads: peaks %s MiB" % ["%.0f" % p for p in peaks])
        if not ASAN:
            self.assertLess(max(peaks), 60)

    # -------- threads and what is hostile ------------------------------------

    def test_hostile_stream_with_threads(self):
        """The same alerts, rejects and counters with threads as without."""
        rx = {"title": "rx", "name": "rx", "logsource": {"product": "test_prod"},
              "detection": {"s": {"Text|re": r"(a+)+(?<!x)$\b"}, "t": {"Text|re|i": "evil.*(x|y)\\b"}, "condition": "s or t"}}
        det = self.pack([streams.rule("ra", ["a"]), rx, counted("three", 3, "10s")], "rx")
        r, out = random.Random(2), []
        bad = [b"{", b"[1]", b'"x"', b"{}x", b'{"a":}', b'{"a":"\xff"}', b'{"a":"\\ud800"}', b"\0", b"{" * 5000, b'{"a":' * 300 + b"1" + b"}" * 300, b"", b"   ",
               b'{"Kind":"a","Kind":"b"}', b'{"Kind":"a"}', b'{"Kind":"a","@timestamp":"never","Host":"h"}', b"\xef\xbb\xbf{}", b"x" * 70000, b'{"a":1e999}',
               b'{"Text":"' + b"a" * 500 + b'!"}', b'{"Text":"evil' + b"x" * 2000 + b'"}', b"\r", b'{"Kind":"a"}\r']
        for i in range(sized(2000, 30000, 500)):
            if r.random() < 0.2:
                line = r.choice(bad)
            else:
                line = streams.event(START + i * 10**8, Kind=r.choice("ab"), Host="h%d" % r.randrange(50), Text="a" * r.randrange(40))[:-1]
            if r.random() < 0.05 and line:
                at = r.randrange(len(line))
                line = line[:at] + bytes([r.choice([0, 34, 92, 123, 125, 200, 255])]) + line[at + 1:]
            out.append(line)
        data = self.write("hostile", b"\n".join(out))
        want = None
        for threads in sized("124", "1248", "12"):
            rejects = self.path("rejects")
            p = self.run_([det, "-f", "ndjson", "--stats=json", "--rejects", rejects, "--threads", threads, data])
            with open(rejects, "rb") as f:
                have = (p.returncode, streams.sha256(p.stdout), p.stderr.decode(errors="replace"), streams.sha256(f.read()))
            want = want or have
            self.assertEqual(have, want, threads)
        counters = json.loads(want[2].splitlines()[-1])
        self.assertEqual(want[0], 0)
        self.assertGreater(counters["unreadable"], 50)
        self.assertGreater(counters["untimed"], 5)
        # The first unreadable line ends the run where it would without threads.
        strict = [self.run_([det, "-f", "ndjson", "--strict", "--threads", n, data]) for n in "12"]
        self.assertEqual({(p.returncode, p.stdout, p.stderr.splitlines()[0]) for p in strict}, {(4, strict[0].stdout, strict[0].stderr.splitlines()[0])})


if __name__ == "__main__":
    main()
