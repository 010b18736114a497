#!/usr/bin/env python3
"""Events that arrive out of order: --allowed-lateness puts them in order, and
what came too late is counted and written."""
import json
import os
import random
import re
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import streams  # noqa: E402
from harness import Case, main  # noqa: E402
from streams import LONG, START, sized  # noqa: E402

SECOND = 10**9
ROUNDS = sized(20, 1000, 6)
EVENTS = sized(2000, 2000, 1200)
PLACE = re.compile(rb'"alert_id":"[0-9a-f]*",|,"source":\{[^}]*\}')


def kept(kind):
    """Whether a correlation of the pack looks at such events."""
    return kind in "abc"


def arrivals(events, r, lateness):
    """The events in an order in which each is less than so late (ns), and equal
    times keep their order."""
    delays = {}
    keyed = [(t + delays.setdefault(t, r.randrange(max(lateness, 1))), i, t, line) for i, (t, line) in enumerate(events)]
    return [(t, line) for _, _, t, line in sorted(keyed)]


def later_than(events, lateness):
    """Numbers of lines that came later than is allowed."""
    newest, late = None, []
    for i, (t, line) in enumerate(events, 1):
        if not kept(json.loads(line)["Kind"]):
            continue
        newest = t if newest is None else max(newest, t)
        if t < newest - lateness:
            late.append(i)
    return late


class Order(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls("build_detectors")
        case.setUp()
        cls.addClassCleanup(case.doCleanups)
        case.build_detectors()
        cls.hidden, cls.visible = case.hidden, case.visible

    def build_detectors(self):
        hidden = [streams.rule("ra", ["a", "b"], sigcc={"derive": {"Class": {"s": "A", "t": "B"}}}), streams.rule("rb", ["c"])]
        correlations = streams.all_types() + streams.special()
        self.hidden = self.build(self.write("h.yml", streams.text(hidden + correlations).replace('"generate": true', '"generate": false')), "--pack", "-O0", out="h")
        self.visible = self.build(self.write("v.yml", streams.text(streams.rules() + correlations)), "--pack", "-O0", out="v")

    def run_on(self, det, events, *args):
        p = self.run_([det, "-f", "ndjson", "--stats=json", *args], stdin=streams.lines(events))
        self.assertEqual(p.returncode, 0, p.stderr)
        return p.stdout, json.loads(p.stderr.splitlines()[-1]), p.stderr.decode()

    # -------- within the allowed lateness ------------------------------------

    def test_interleavings(self):
        r = random.Random(11)
        events = streams.events(21, EVENTS, hosts=12)
        want = PLACE.sub(b"", self.run_on(self.hidden, events)[0])
        self.assertGreater(want.count(b"\n"), 500)
        self.assertEqual(len({json.loads(a)["correlation_type"] for a in want.splitlines()}), 8)
        begin = time.monotonic()
        for i in range(ROUNDS):
            lateness = r.choice([1, 2, 5, 30])
            mixed = arrivals(events, r, lateness * SECOND)
            self.assertNotEqual(mixed, events)
            have, counters, err = self.run_on(self.hidden, mixed, "--allowed-lateness", "%ds" % lateness, "--threads", str(r.choice([1, 1, 2, 4])))
            self.assertEqual((counters["disordered"], counters["late"]), (0, 0))
            self.assertEqual(PLACE.sub(b"", have), want, "round %d, lateness %d s" % (i, lateness))
        if LONG:
            print("%d interleavings of %d events within the lateness: all the same %d alerts, sha256 %s without place, %.0f s" % (
                ROUNDS, EVENTS, want.count(b"\n"), streams.sha256(want), time.monotonic() - begin))

    def test_without_lateness_order_matters(self):
        """The test above can fail."""
        events = streams.events(21, EVENTS, hosts=12)
        want = PLACE.sub(b"", self.run_on(self.hidden, events)[0])
        mixed = arrivals(events, random.Random(1), 5 * SECOND)
        have, counters, _ = self.run_on(self.hidden, mixed)
        self.assertNotEqual(PLACE.sub(b"", have), want)
        self.assertEqual(counters["disordered"], len(later_than(mixed, 0)))

    def test_as_late_as_is_allowed(self):
        """Exactly so late is in time, beside events of the very same time."""
        events = [(START + s * SECOND, streams.event(START + s * SECOND, Kind=k, Host="h", User="h", Bytes=1)) for s, k in
                  ((0, "a"), (10, "b"), (10, "c"), (20, "a"), (20, "c"), (30, "b"))]
        want = PLACE.sub(b"", self.run_on(self.hidden, events)[0])
        for order in ((0, 1, 3, 2, 4, 5), (1, 0, 3, 2, 5, 4), (0, 3, 1, 2, 4, 5), (1, 2, 0, 3, 4, 5)):
            for threads in "124":
                have, counters, _ = self.run_on(self.hidden, [events[i] for i in order], "--allowed-lateness", "10s", "--threads", threads)
                self.assertEqual((PLACE.sub(b"", have), counters["disordered"]), (want, 0), order)
        have, counters, _ = self.run_on(self.hidden, [events[i] for i in (0, 3, 1, 2, 4, 5)], "--allowed-lateness", "9999ms")
        self.assertEqual(counters["disordered"], 2)

    def test_threads(self):
        for lateness, jitter in ((0, 0), (3, 2), (3, 8), (0, 3), (60, 200)):
            mixed = arrivals(streams.events(5, sized(4000, 40000, 800)), random.Random(lateness), jitter * SECOND)
            want = None
            for threads in "124":
                late = self.path("late")
                p = self.run_([self.visible, "-f", "ndjson", "--stats=json", "--allowed-lateness", "%ds" % lateness, "--late", late, "--threads", threads],
                              stdin=streams.lines(mixed))
                with open(late, "rb") as f:
                    have = (p.returncode, p.stdout, streams.counted(p.stderr), f.read())
                want = want or have
                self.assertEqual(have, want, (lateness, jitter, threads))
            self.assertEqual(want[0], 0)
            self.assertEqual(want[3] == b"", jitter <= lateness)

    # -------- later ----------------------------------------------------------

    def test_later_events_are_written(self):
        r = random.Random(8)
        for lateness, jitter in ((0, 3), (2, 5), (10, 100), (100, 100)):
            mixed = arrivals(streams.events(lateness, sized(1500, 1500, 500)), r, jitter * SECOND)
            path, late = self.write("in", streams.lines(mixed)), self.path("late")
            p = self.run_([self.visible, "-f", "ndjson", "--stats=json", "--allowed-lateness", "%ds" % lateness, "--late", late, path])
            want = later_than(mixed, lateness * SECOND)
            self.assertEqual(json.loads(p.stderr.splitlines()[-1])["disordered"], len(want), (lateness, jitter))
            self.assertEqual(bool(want), jitter > lateness)
            with open(late, "rb") as f:
                rows = f.read().splitlines()
            self.assertEqual([json.loads(row) for row in rows], [{"path": path, "line": i, "event": json.loads(mixed[i - 1][1])} for i in want])
            self.assertTrue(all(mixed[i - 1][1].strip() in row for i, row in zip(want, rows)))

    def test_too_late_for_a_window(self):
        docs = [streams.rule("ra", ["a"])]
        spans = {"short": 5, "long": 60}
        docs += [streams.correlation(n, "event_count", {"rules": ["ra"], "group-by": ["Host"], "timespan": "%ds" % s, "condition": {"gte": 1}})
                 for n, s in spans.items()]
        det = self.build(self.write("r.yml", streams.text(docs)), "--pack", "-O0")
        r, events = random.Random(9), []
        for _ in range(sized(3000, 3000, 1000)):
            t = START + r.randrange(300) * SECOND
            events.append((t, streams.event(t, Kind="a", Host=r.choice("xyz"))))
        for lateness in (0, 10, 290):
            # What arrives later than is allowed is fed at once, the rest in order.
            newest, held, fed = START - 1000 * SECOND, [], []
            for i, (t, line) in enumerate(events):
                newest = max(newest, t)
                if t < newest - lateness * SECOND:
                    fed.append((t, line))
                else:
                    held.append((t, i, line))
                due = sorted(h for h in held if h[0] <= newest - lateness * SECOND)
                fed += [(t, line) for t, _, line in due]
                held = [h for h in held if h[0] > newest - lateness * SECOND]
            fed += [(t, line) for t, _, line in sorted(held)]
            want = {}
            for name, span in spans.items():
                last, want[name] = {}, 0
                for t, line in fed:
                    host = json.loads(line)["Host"]
                    want[name] += t < last.get(host, t) - span * SECOND
                    last[host] = max(last.get(host, t), t)
            for threads in "12":
                _, counters, err = self.run_on(det, events, "--allowed-lateness", "%ds" % lateness, "--threads", threads)
                self.assertEqual(counters["late"], sum(want.values()), lateness)
                self.assertIn("det: warning: %d contributions to correlations that came too late" % counters["late"], err)
                for name, n in want.items():
                    self.assertEqual("of these by 'correlation %s': %d\n" % (name, n) in err, n > 0, (want, err))
            self.assertTrue(all(want.values()) if lateness < 290 else not want["long"], want)

    def test_bound_of_what_is_held(self):
        """Without room the earliest goes on before its time: sorted input loses nothing."""
        events = streams.events(3, sized(3000, 3000, 1000))
        whole = PLACE.sub(b"", self.run_on(self.hidden, events)[0])
        for memory, room in (("1G", True), ("500K", False), ("400K", False)):
            for threads in "12":
                have, counters, err = self.run_on(self.hidden, events, "--allowed-lateness", "30d", "--max-memory", memory, "--threads", threads)
                self.assertEqual(PLACE.sub(b"", have), whole, memory)
                self.assertEqual((counters["late"], counters["disordered"], counters["hurried"] == 0, counters["groups_evicted"]), (0, 0, room, 0))
                self.assertEqual("not held back as long" in err, not room)

    @unittest.skipIf(streams.ASAN, "its memory says nothing")
    def test_memory_of_what_is_held(self):
        """What is held back takes --max-memory, whatever its size; the groups take as much."""
        limit = 16 << 20
        for size in (1, 3000):
            data = self.write("in", b"".join(streams.event(streams.START + i, Kind="a", Host="h" * size, User="u", Bytes=1) for i in range(200000 // (size // 30 + 1))))
            peaks = []
            for args in ([], ["--allowed-lateness", "30d"]):
                p, rss = streams.peak_rss([self.hidden, "--max-memory", str(limit), "--stats=json", "-o", self.path("out"), *args, data], self.path("peak"))
                self.assertEqual(p.returncode, 0, p.stderr)
                peaks.append(rss)
            self.assertGreater(json.loads(p.stderr.splitlines()[-1])["hurried"], 0)
            self.assertLess(peaks[1] - peaks[0], limit * 5 // 4, size)
            self.assertGreater(peaks[1] - peaks[0], limit // 2, size)

    def test_groups_that_are_waited_for_are_not_dead(self):
        """Under the bounds of groups sorted input gives the same with lateness as without, and the same losses."""
        events = streams.events(3, sized(3000, 3000, 1000))
        for bound in (["--max-groups", "60"], ["--max-groups", "200"], ["--max-memory", "100K"], ["--max-memory", "30K"]):
            results = []
            for lateness in ("0s", "30s", "30d"):
                have, counters, _ = self.run_on(self.hidden, events, "--allowed-lateness", lateness, *bound)
                counters.pop("hurried")
                results.append((PLACE.sub(b"", have), counters))
            self.assertEqual(results[1], results[0], bound)
            self.assertEqual(results[2], results[0], bound)
            self.assertGreater(results[0][1]["groups_evicted"], 0, bound)


if __name__ == "__main__":
    main()
