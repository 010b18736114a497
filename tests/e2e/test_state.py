#!/usr/bin/env python3
"""--state: a run that ends, in order or not, goes on where it was, and writes
what is missing, once; what cannot be used is refused and left as it is."""
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import streams  # noqa: E402
from harness import Case, main  # noqa: E402
from streams import LONG, START, sized  # noqa: E402

SECOND = 10**9
ENRICH = """
name: names
learned:
  names:
    columns: [Host]
    from: [{when: {Kind: [p]}, key: [Pid]}]
enrich:
  - {when: {Kind: [a, b, c, d]}, table: names, key: [Pid], add: [Host]}
"""
ENOUGH = "skipped: under sanitizers the other tests are enough"


def counted(name, gte, rules=("ra",), **more):
    return streams.correlation(name, "event_count", {"rules": list(rules), "group-by": ["Host"], "timespan": "1h", "condition": {"gte": gte}}, **more)


def hits(*seconds, kind="a"):
    return b"".join(streams.event(START + s * SECOND, Kind=kind, Host="h", User="u", Bytes=1) for s in seconds)


class State(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls("build_detectors")
        case.setUp()
        cls.addClassCleanup(case.doCleanups)
        case.build_detectors()
        cls.visible, cls.hidden, cls.few = case.visible, case.hidden, case.few

    def build_detectors(self):
        whole = streams.rules() + streams.all_types() + streams.special()
        quiet = [streams.rule("ra", ["a", "b"]), streams.rule("rb", ["c"])] + streams.all_types()
        self.visible = self.pack(whole, "visible")
        self.hidden = self.pack(quiet, "hidden")
        self.few = self.pack([streams.rule("ra", ["a"]), counted("three", 3), counted("four", 4)], "few")

    def pack(self, documents, out, *more):
        return self.build(self.write(out + ".yml", streams.text(documents)), "--pack", "-O0", *more, out=out)

    def setUp(self):
        super().setUp()
        self.state, self.out = self.path("state"), self.path("out")

    def read(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def append(self, name, data):
        with open(self.path(name), "ab") as f:
            f.write(data)
        return self.path(name)

    def go(self, det, *args, status=0, form="ndjson", **kw):
        """One run with the state, to its end; what it said."""
        p = self.run_([det, "-f", form, "--state", self.state, "-o", self.out, *args], **kw)
        said = p.stderr.decode(errors="replace")
        self.assertEqual(p.returncode, status, said)
        return said

    def wait_for(self, condition, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), end, "waited for too long")
            time.sleep(0.02)

    # -------- going on -------------------------------------------------------

    def test_files_that_grow(self):
        events = streams.events(1, sized(3000, 3000, 1000))
        r = random.Random(1)
        for form, threads, more in (("ndjson", "1", []), ("csv", "2", ["--every-firing"])):
            for name in ("in", "out", "state", "want", "rejects", "want-rejects"):
                if os.path.exists(self.path(name)):
                    os.unlink(self.path(name))
            cuts = sorted(r.sample(range(len(events)), 6))
            pieces = [streams.lines(events[i:j]) + b"{bad %d\n" % i for i, j in zip([0] + cuts, cuts + [len(events)])]
            args = ["--threads", threads, *more]
            for i, piece in enumerate(pieces):
                path = self.append("in", piece)
                self.go(self.visible, *args, "--rejects", self.path("rejects"), path, form=form)
                before = self.read("out")
                said = self.go(self.visible, *args, "--rejects", self.path("rejects"), path, form=form)
                self.assertEqual((self.read("out"), self.read("rejects").count(b"\n")), (before, i + 1), "nothing new was read")
                self.assertNotIn(": unreadable: ", said)
            self.run_([self.visible, "-f", form, *args, "-o", self.path("want"), "--rejects", self.path("want-rejects"), path])
            self.assertEqual(self.read("out"), self.read("want"), (form, threads))
            self.assertEqual(self.read("rejects"), self.read("want-rejects"))

    def test_counters_go_on(self):
        path = self.append("in", hits(1, 2))
        self.go(self.few, path)
        self.append("in", hits(3) + b"{bad\n")
        said = self.go(self.few, "--stats=json", path)
        counters = json.loads(said.splitlines()[-1])
        self.assertEqual((counters["lines"], counters["unreadable"], counters["alerts"], counters["groups"]), (4, 1, 1, 2))

    def test_less_lateness(self):
        """What a run held back that allowed more goes on before what comes next."""
        path = self.append("in", hits(30, 10, 20))
        for args in (["--allowed-lateness", "1h"], []):
            with subprocess.Popen([self.few, "--follow", "--state", self.state, "-f", "ndjson", "-o", self.out, *args, path], stderr=subprocess.DEVNULL) as p:
                if not args:
                    self.append("in", hits(40))
                    self.wait_for(lambda: self.read("out").count(b"\n") == 2)
                else:
                    self.wait_for(lambda: os.path.exists(self.out))
                    time.sleep(0.3)
                p.send_signal(signal.SIGINT)
            self.assertEqual(p.returncode, 0)
        alerts = [json.loads(line) for line in self.read("out").splitlines()]
        self.assertEqual([(a["rule"]["name"], a["source"]["line"]) for a in alerts], [("three", 1), ("four", 4)])

    def test_short_feeds(self):
        """A feeder that was cut off, or has nothing, makes nobody read anything again."""
        events = streams.events(13, 900)
        text = streams.lines(events)
        want = self.run_([self.visible, "-f", "ndjson"], stdin=text).stdout
        part = streams.lines(events[:700])
        self.go(self.visible, stdin=part)
        for feed in (b"", streams.lines(events[:300]), b"", part[:-5 * len(part) // 7]):
            self.assertIn("but was read up to 700", self.go(self.visible, stdin=feed))
        self.go(self.visible, stdin=text)
        self.assertEqual(self.read("out"), want)

    def test_output_cut_off(self):
        """What comes behind a line that somebody cut is a line of its own."""
        path = self.append("in", hits(1, 2, 3))
        self.go(self.few, path)
        with open(self.out, "r+b") as out:
            out.truncate(50)
        self.append("in", hits(4))
        self.assertIn("is not the file that was written before", self.go(self.few, path))
        cut, alert = self.read("out").splitlines()
        self.assertEqual((len(cut), json.loads(alert)["rule"]["name"]), (50, "four"))

    def test_redirected(self):
        """Standard output with >>, too."""
        events = streams.events(2, 1500)
        for i in range(3):
            path = self.append("in", streams.lines(events[500 * i:500 * i + 500]))
            for _ in range(2):
                with open(self.out, "ab") as out:
                    subprocess.run([self.visible, "--state", self.state, path], stdout=out, check=True)
        self.assertEqual(self.read("out"), self.run_([self.visible, "-f", "ndjson", path]).stdout)

    @unittest.skipIf(streams.ASAN, ENOUGH)
    def test_search(self):
        """The report is written once; when more was read a new one is."""
        events = streams.events(3, 1200)
        path = self.append("in", streams.lines(events[:600]))
        first = self.run_([self.hidden, "-f", "ndjson", "--mode", "search", path]).stdout
        for _ in range(3):
            self.go(self.hidden, "--mode", "search", path)
            self.assertEqual(self.read("out"), first)
        self.append("in", streams.lines(events[600:]))
        second = self.run_([self.hidden, "-f", "ndjson", "--mode", "search", path]).stdout
        for _ in range(3):
            self.go(self.hidden, "--mode", "search", path)
            self.assertEqual(self.read("out"), first + second)
        self.assertNotEqual(first, second)

    def test_killed(self):
        """SIGKILL at random instants: alerts, --rejects and --late once each."""
        r = random.Random(4)
        total = 0
        for round_ in range(sized(1, 40, 1)):
            mixed = sorted((t + r.randrange(4 * SECOND), line) for t, line in streams.events(round_, sized(20000, 20000, 4000)))
            data = [line for _, line in mixed]
            for i in range(0, len(data), 500):
                data.insert(i, b"{bad %d\n" % i)
            path = self.write("in", b"".join(data))
            files = ["out", "rejects", "late"]
            args = ["--allowed-lateness", "2s", "--threads", r.choice("12")]
            begin = time.monotonic()
            self.run_([self.visible, "-f", "ndjson", *args, "-o", self.path("want-out"), "--rejects", self.path("want-rejects"), "--late",
                       self.path("want-late"), path])
            took = time.monotonic() - begin
            kills = 0
            for name in files + ["state"]:
                if os.path.exists(self.path(name)):
                    os.unlink(self.path(name))
            while True:
                p = subprocess.Popen([self.visible, "-f", "ndjson", *args, "--state", self.state, "-o", self.out, "--rejects", self.path("rejects"), "--late",
                                      self.path("late"), path], stderr=subprocess.PIPE)
                try:
                    err = p.communicate(timeout=r.random() * took if kills < 8 else 120)[1]
                    break
                except subprocess.TimeoutExpired:
                    p.kill()
                    p.communicate()
                    kills += 1
            self.assertEqual(p.returncode, 0, err)
            for name in files:
                self.assertEqual(self.read(name), self.read("want-" + name), name)
                self.assertNotEqual(self.read(name), b"")
            total += kills
        self.assertGreater(total, 2)
        if LONG:
            print("%d SIGKILLs: alerts, rejects and late events lost 0, doubled 0, changed 0" % total)

    def test_interrupted(self):
        """SIGTERM: what is held back waits for the next run."""
        path = self.append("in", hits(0, 10, 20))
        p = subprocess.Popen([self.few, "-f", "ndjson", "--follow", "--allowed-lateness", "1h", "--state", self.state, "-o", self.out, path])
        self.wait_for(lambda: os.path.exists(self.state))
        time.sleep(1.5)
        p.send_signal(signal.SIGTERM)
        self.assertEqual((p.wait(30), self.read("out")), (0, b""))
        self.append("in", hits(15))
        self.go(self.few, "--allowed-lateness", "1h", path)
        alerts = [json.loads(a) for a in self.read("out").splitlines()]
        self.assertEqual([(a["rule"]["name"], a["source"]["line"]) for a in alerts], [("three", 4), ("four", 3)])

    # -------- other rules ----------------------------------------------------

    def kill_after(self, det, path):
        """Follow the file, and die once the state accounts for all of it."""
        p = subprocess.Popen([det, "-f", "ndjson", "--follow", "--state", self.state, "-o", self.out, "--rejects", self.path("rejects"), path],
                             stderr=subprocess.DEVNULL)
        # A line that cannot be read is written once the state knows of it.
        self.wait_for(lambda: os.path.exists(self.path("rejects")) and os.path.getsize(self.path("rejects")) > 0)
        time.sleep(0.3)
        p.kill()
        p.wait()
        self.assertTrue(os.path.getsize(self.state + "-wal") > 0)

    def rebuilt(self):
        """What computes "four" as before, in a pack that has other rules before
        and behind it, other titles, and changed and lost correlations."""
        return [streams.rule("r0", ["x"]), counted("new", 1, ["r0"]), counted("four", 4), counted("three", 2),
                {**streams.rule("ra", ["a"]), "title": "called anew"}, streams.rule("zz", ["z"])]

    @unittest.skipIf(streams.ASAN, ENOUGH)
    def test_rebuilt_packs(self):
        docs = self.rebuilt()
        docs[2]["title"] = "another title"
        other = self.pack(docs, "other")
        gone = self.pack([streams.rule("ra", ["a"]), counted("four", 4)], "gone")
        for killed in (False, True):
            for det, say in ((other, ["correlation 'correlation new' is new or was changed: it starts empty",
                                      "correlation 'correlation three' is new or was changed: it starts empty",
                                      "state of correlation 'correlation three' is dropped"]),
                             (gone, ["state of correlation 'correlation three' is dropped"]),
                             (self.few, [])):
                for name in os.listdir(self.folder):
                    if name.split("-")[0] in ("state", "out", "in", "rejects"):
                        os.unlink(self.path(name))
                path = self.append("in", hits(0, 1) + b"{bad\n")
                if killed:
                    self.kill_after(self.few, path)
                else:
                    self.go(self.few, "--rejects", self.path("rejects"), path)
                self.assertEqual(self.read("out"), b"")
                self.append("in", hits(2))
                said = self.go(det, "--rejects", self.path("rejects"), path)
                for text in say:
                    self.assertEqual(said.count(text), 1, said)
                self.assertEqual(said.count("starts empty") + said.count("is dropped"), len(say), said)
                self.assertEqual([json.loads(a)["rule"]["name"] for a in self.read("out").splitlines()], ["three"] if det == self.few else [], killed)
                self.append("in", hits(3))
                said = self.go(det, "--rejects", self.path("rejects"), path)
                self.assertNotIn("correlation", said)
                alerts = [json.loads(a) for a in self.read("out").splitlines()]
                want = {other: [("four", 4, 5), ("three", 2, 5)], gone: [("four", 4, 5)], self.few: [("three", 3, 4), ("four", 4, 5)]}[det]
                self.assertEqual(sorted((a["rule"]["name"], a["count"], a["source"]["line"]) for a in alerts), sorted(want), (killed, det))
                self.assertEqual(self.read("rejects").count(b"\n"), 1)

    @unittest.skipIf(streams.ASAN, ENOUGH)
    def test_rebuilt_with_all_types(self):
        """Groups of each type live on in a pack built anew in another order."""
        events = streams.events(6, 2000)
        docs = [streams.rule("ra", ["a", "b"]), streams.rule("rb", ["c"])] + streams.all_types()
        other = self.pack([streams.rule("r0", ["zz"])] + docs[::-1] + [counted("more", 10**6, ["r0"])], "other")
        path = self.append("in", streams.lines(events[:1000]))
        self.go(self.hidden, path)
        said = self.append("in", streams.lines(events[1000:])) and self.go(other, path)
        self.assertEqual(said.count("starts empty"), 1, said)
        want = self.run_([self.hidden, "-f", "ndjson", path]).stdout

        def key(line):
            return json.dumps({k: v for k, v in json.loads(line).items() if k != "rule"}, sort_keys=True)
        self.assertEqual(sorted(map(key, self.read("out").splitlines())), sorted(map(key, want.splitlines())))

    @unittest.skipIf(streams.ASAN, ENOUGH)
    def test_chains_that_change(self):
        """A killed run's journal serves correlations that stayed the same, whatever is chained to them."""
        base = [streams.rule("ra", ["a"]), counted("three", 3), counted("four", 4)]

        def top(gte):
            return counted("on top", gte, ["four"], generate=True)
        packs = [self.few, self.pack(base + [top(1)], "top1"), self.pack(base + [top(2)], "top2"), self.few,
                 self.pack(base + [counted("both", 2, ["three", "four"], generate=True)], "both")]
        for old, new in zip(packs, packs[1:]):
            for name in os.listdir(self.folder):
                if name.split("-")[0] in ("state", "out", "in", "rejects"):
                    os.unlink(self.path(name))
            path = self.append("in", hits(0, 1) + b"{bad\n")
            self.kill_after(old, path)
            said = self.go(new, "--rejects", self.path("rejects"), path)
            lost = "were left out" in said
            # Where two were apart, one record of each event is in both: told, as it cannot be used.
            self.assertEqual(lost, new == packs[-1], said)
            self.assertNotIn("left out", self.go(new, "--rejects", self.path("rejects"), path))
            self.append("in", hits(2, 3))
            self.go(new, "--rejects", self.path("rejects"), path)
            alerts = [json.loads(a) for a in self.read("out").splitlines()]
            want = [] if lost else [("three", 4), ("four", 5)] + [("on top", 5)] * (new == packs[1])
            self.assertEqual(sorted((a["rule"]["name"], a["source"]["line"]) for a in alerts), sorted(want), (old, new))

    def test_held_back_for_another_pack(self):
        """What --allowed-lateness holds back when a run is interrupted goes to the pack that comes next."""
        other = self.pack(self.rebuilt()[:3] + self.rebuilt()[4:] + [counted("on top", 1, ["four"], generate=True)], "other")
        path = self.append("in", hits(0, 1, 2) + b"{bad\n")
        args = ["-f", "ndjson", "--allowed-lateness", "1h", "--state", self.state, "-o", self.out, "--rejects", self.path("rejects"), path]
        p = subprocess.Popen([self.few, "--follow", *args], stderr=subprocess.DEVNULL)
        self.wait_for(lambda: os.path.exists(self.path("rejects")) and os.path.getsize(self.path("rejects")) > 0)
        p.send_signal(signal.SIGTERM)
        p.wait()
        self.append("in", hits(3))
        said = self.run_([other, *args]).stderr.decode()
        self.assertIn("state of correlation 'correlation three' is dropped", said)
        alerts = [json.loads(a) for a in self.read("out").splitlines()]
        self.assertEqual([(a["rule"]["name"], a["source"]["line"]) for a in alerts], [("four", 5), ("on top", 5)], said)

    # -------- refusals -------------------------------------------------------

    def refused(self, *args, det=None, status=4, why="", same=True):
        before = self.read("state") if os.path.isfile(self.state) else None
        p = self.run_([det or self.few, "-f", "ndjson", "--state", self.state, "-o", self.out, *args, self.path("in")])
        said = p.stderr.decode(errors="replace")
        self.assertEqual((p.returncode, p.stdout), (status, b""), said)
        self.assertEqual(said.count("\n"), 1, said)
        self.assertRegex(said, r"^\w+: cannot use state [^\n]*state: [^\n]*%s" % why)
        if same and before is not None:
            self.assertEqual(self.read("state"), before)
        return said

    def kept(self):
        path = self.append("in", streams.lines(streams.events(9, 300)))
        self.go(self.hidden, path)
        return self.read("state")

    def test_bit_flips(self):
        whole = self.kept()
        out = self.read("out")
        more = self.append("in", streams.lines(streams.events(9, 400)[300:]))
        want = self.run_([self.hidden, "-f", "ndjson", more]).stdout
        r = random.Random(5)
        refused = 0
        places = r.sample(range(len(whole)), min(len(whole), sized(80, 5000, 12))) + list(range(0, 100, sized(5, 1, 20)))
        for at in places:
            bad = whole[:at] + bytes([whole[at] ^ 1 << r.randrange(8)]) + whole[at + 1:]
            self.write("state", bad)
            self.write("out", out)
            p = self.run_([self.hidden, "-f", "ndjson", "--state", self.state, "-o", self.out, more])
            said = p.stderr.decode(errors="replace")
            if p.returncode == 0:  # in bytes that mean nothing
                self.assertEqual((self.read("out"), said), (want, ""), at)
            else:
                refused += 1
                self.assertEqual((p.returncode, said.count("\n")), (4, 1), (at, said))
                self.assertIn("cannot use state", said)
                self.assertEqual((self.read("state"), self.read("out")), (bad, out), at)
            for extra in ("-wal", "-shm", "-journal"):
                if os.path.exists(self.state + extra):
                    self.assertEqual(os.path.getsize(self.state + extra), 0, (at, extra))
                    os.unlink(self.state + extra)
        self.assertGreater(refused, len(places) // 4)
        if LONG:
            print("%d bits flipped in a state of %d bytes: %d refused, %d without consequence" % (len(places), len(whole), refused, len(places) - refused))

    def test_truncated(self):
        whole = self.kept()
        sizes = range(1, len(whole), 37) if LONG else list(range(1, len(whole), len(whole) // 25)) + [1, 15, 16, 99, 100, 511, 512, 4096, 8192, len(whole) - 1]
        for size in sizes:
            self.write("state", whole[:size])
            self.refused(det=self.hidden)
        self.write("state", whole + b"\0" * 100)
        self.run_([self.hidden, "--state", self.state, self.path("in")])

    def test_foreign(self):
        self.append("in", hits(1))
        for content, why in ((b"hello\n" * 1000, "not a state file"), (b"x", "not a state file"), (b"\0" * 5000, "not a state file"),
                             (b"SQLite format 3\0", ""), (json.dumps({"a": 1}).encode(), "not a state file")):
            self.write("state", content)
            self.refused(why=why)
        os.unlink(self.state)
        db = sqlite3.connect(self.state)
        db.execute("CREATE TABLE t(x)")
        db.execute("INSERT INTO t VALUES (1)")
        db.commit()
        db.close()
        self.refused(why="a database of another program")
        os.unlink(self.state)
        os.mkdir(self.state)
        self.refused(why="it is a directory")
        os.rmdir(self.state)
        os.mkfifo(self.state)
        self.refused(why="it is not a regular file")
        os.unlink(self.state)
        self.state = self.path("nowhere/state")
        self.refused(why="cannot be created: No such file")

    def test_newer(self):
        whole = bytearray(self.kept())
        self.assertEqual(whole[60:64], b"\0\0\0\1")
        whole[63] = 2
        self.write("state", bytes(whole))
        self.refused(det=self.hidden, why="written by a newer version")

    def test_other_options(self):
        self.kept()
        self.refused("--mode", "search", det=self.hidden, status=2, why="it was made with another --mode or --time-field")
        self.refused("--time-field", "time", det=self.hidden, status=2, why="it was made with another --mode or --time-field")
        self.go(self.hidden, self.path("in"))

    def test_formats_of_one_piece(self):
        path = self.append("in", hits(1))
        for form in ("json", "table"):
            said = self.go(self.few, path, form=form, status=2)
            self.assertEqual((said, os.path.exists(self.state), os.path.exists(self.out)), ("few: --state needs --format ndjson or csv\n", False, False))

    def test_in_use(self):
        path = self.append("in", hits(1, 2, 3))
        p = subprocess.Popen([self.few, "-f", "ndjson", "--follow", "--state", self.state, "-o", self.out, path])
        try:
            self.wait_for(lambda: os.path.exists(self.out) and os.path.getsize(self.out) > 0)
            said = self.run_([self.few, "--state", self.state, path])
            self.assertEqual((said.returncode, said.stdout), (4, b""))
            self.assertIn(b"in use by another process", said.stderr)
            self.append("in", hits(4))
            self.wait_for(lambda: self.read("out").count(b"\n") == 2)
        finally:
            p.kill()
            p.wait()
        self.assertEqual(self.go(self.few, path), "")

    # -------- more than a row takes ------------------------------------------

    def same_as_without(self, det, path, *args):
        want = self.run_([det, "-f", "ndjson", *args, path]).stdout
        self.go(det, *args, path)
        self.assertEqual(self.read("out"), want)
        self.go(det, *args, path)
        self.assertEqual(self.read("out"), want, "nothing new was read")

    @unittest.skipIf(streams.ASAN, ENOUGH)
    def test_large_alerts(self):
        """What waits to be written has more than 64 MiB: one event, or many by threads."""
        det = self.pack([streams.rule("r%d" % i, ["a"]) for i in range(5)], "five")
        self.same_as_without(det, self.append("in", streams.event(START, Kind="a", Text="x" * (15 << 20))))
        for name in ("state", "out"):
            os.unlink(self.path(name))
        self.same_as_without(det, self.write("in", hits(*range(60000))), "--threads", "4")

    @unittest.skipIf(streams.ASAN, ENOUGH)
    def test_large_rejects(self):
        path = self.append("in", b"\x01" * (15 << 20) + b"\n" + hits(1))
        self.go(self.few, "--rejects", self.path("rejects"), path)
        self.assertGreater(os.path.getsize(self.path("rejects")), 6 * (15 << 20))
        before = self.read("rejects")
        self.go(self.few, "--rejects", self.path("rejects"), path)
        self.assertEqual(self.read("rejects"), before)

    @unittest.skipIf(streams.ASAN, ENOUGH)
    def test_large_journal(self):
        for i in range(300):
            path = self.append("in", streams.event(START + i * SECOND, Kind="a", Host="%d" % i + "h" * (300 << 10)))
        self.same_as_without(self.few, path)

    @unittest.skipIf(streams.ASAN, ENOUGH)
    def test_group_that_shrinks(self):
        """A group of more than one row that is smaller later, or gone."""
        values = {"rules": ["ra"], "group-by": ["Host"], "timespan": "1h", "condition": {"field": "User", "gte": 40}}
        det = self.pack([streams.rule("ra", ["a"]), streams.correlation("values", "value_count", values)], "values")
        for i in range(40):
            path = self.append("in", streams.event(START + i, Kind="a", Host="h", User="%d" % i + "u" * (1 << 20)))
        self.go(det, path)
        self.append("in", hits(86400))
        self.go(det, path)
        self.append("in", hits(86401))
        self.assertEqual(self.go(det, path), "")
        self.assertEqual(self.read("out").count(b"\n"), 1)

    # -------- bounds ---------------------------------------------------------

    def test_bounded(self):
        """What goes for want of room is the same in several runs as in one, and counted over all of them."""
        lines = streams.lines(streams.events(21, sized(6000, 6000, 2000))).splitlines(True)
        for bound in (["--max-memory", "20K"], ["--max-memory", "4K"], ["--max-groups", "9"], ["--max-memory", "60K", "--exact-values", "3"]):
            for name in ("in", "out", "state"):
                if os.path.exists(self.path(name)):
                    os.unlink(self.path(name))
            path = self.write("in", b"".join(lines))
            whole = self.run_([self.visible, "-f", "ndjson", "--stats=json", *bound, path])
            want = json.loads(streams.counted(whole.stderr.splitlines()[-1]))
            os.unlink(path)
            for i in range(7):
                path = self.append("in", b"".join(lines[len(lines) * i // 7:len(lines) * (i + 1) // 7]))
                have = self.go(self.visible, "--stats=json", *bound, path).splitlines()[-1].encode()
                have = json.loads(streams.counted(have))
            self.assertEqual(self.read("out"), whole.stdout, bound)
            self.assertEqual(have, want, bound)
            self.assertGreater(want["groups_evicted"], 0)

    def test_less_room_than_before(self):
        """Events held back by a run with more memory go on at once."""
        path = self.append("in", hits(*range(300)))
        args = ["--allowed-lateness", "1h", path]
        p = subprocess.Popen([self.few, "-f", "ndjson", "--state", self.state, "-o", self.out, "--follow", *args], stderr=subprocess.DEVNULL)
        self.wait_for(lambda: os.path.exists(self.state) and os.path.getsize(self.state) > 8192)
        time.sleep(1.5)
        p.send_signal(signal.SIGTERM)
        p.wait()
        self.append("in", hits(300))
        said = self.go(self.few, "--max-memory", "16K", *args)
        self.assertIn("not held back as long as", said)
        self.assertEqual(self.read("out").count(b"\n"), 2)

    def test_named_twice(self):
        path = self.append("in", hits(0))
        self.assertIn("is named twice: with --state that cannot be", self.go(self.few, path, path, status=2))
        self.assertFalse(os.path.exists(self.out))
        self.assertEqual(self.run_([self.few, "-f", "ndjson", path, path]).returncode, 0)

    # -------- runs that stop -------------------------------------------------

    def test_strict_in_threads(self):
        """The next run goes no further, but without --strict it begins behind the line at which this one stopped."""
        for threads in ("1", "3"):
            for name in ("in", "out", "state"):
                if os.path.exists(self.path(name)):
                    os.unlink(self.path(name))
            good = streams.lines(streams.events(12, 3000)).splitlines(True)
            path = self.write("in", b"".join(good[:500]) + b"{bad\n" + b"".join(good[500:]))
            said = self.go(self.visible, "--threads", threads, "--strict", path, status=4)
            self.assertIn("unreadable", said)
            out = self.read("out")
            self.assertIn("an earlier run stopped at an unreadable line", self.go(self.visible, "--threads", threads, "--strict", path, status=4))
            self.assertEqual(self.read("out"), out)
            self.go(self.visible, "--threads", threads, path)
            self.go(self.visible, "--threads", threads, "--strict", path)
            self.assertEqual(self.read("out"), self.run_([self.visible, "-f", "ndjson", path]).stdout, threads)

    @unittest.skipIf(streams.ASAN, ENOUGH)
    def test_reader_gone(self):
        """What nobody took comes again."""
        path = self.append("in", streams.lines(streams.events(13, sized(20000, 20000, 8000))))
        want = self.run_([self.visible, "-f", "ndjson", path]).stdout
        for threads in ("1", "3"):
            if os.path.exists(self.state):
                os.unlink(self.state)
            args = [self.visible, "-f", "ndjson", "--threads", threads, "--state", self.state, path]
            out, pipe = os.pipe()
            os.close(out)
            self.assertEqual(subprocess.run(args, stdout=pipe).returncode, 0)
            os.close(pipe)
            self.assertEqual(self.run_(args).stdout, want, threads)

    def test_output_is_state(self):
        self.kept()
        p = self.run_([self.hidden, "--state", self.state, "-o", self.state, self.path("in")])
        self.assertEqual((p.returncode, p.stderr), (2, b"hidden: %s is also the state\n" % self.state.encode()))
        self.go(self.hidden, self.path("in"))

    # -------- disks that are full --------------------------------------------

    @unittest.skipIf(streams.ASAN, ENOUGH)
    def test_disk_full(self):
        path = self.append("in", streams.lines(streams.events(7, sized(3000, 3000, 1500))))
        want = self.run_([self.visible, "-f", "ndjson", path]).stdout
        for threads in sized("12", "12", "2"):
            full = 0
            for limit in (1 << 10, 20 << 10, 100 << 10, 200 << 10, 300 << 10, 600 << 10):
                for name in ("state", "out", "state-wal"):
                    if os.path.exists(self.path(name)):
                        os.unlink(self.path(name))
                p = self.run_([self.visible, "-f", "ndjson", "--threads", threads, "--state", self.state, "-o", self.out, path],
                              preexec_fn=streams.limit_file_size(limit))
                # Where there is no room for the state at all it cannot be opened.
                self.assertIn(p.returncode, (5,) if limit > 100 << 10 else (4, 5), p.stderr)
                self.assertEqual(p.stderr.count(b"cannot "), 1, p.stderr)
                full += p.returncode == 5
                self.assertTrue(want.startswith(self.read("out") if os.path.exists(self.out) else b""))
                self.go(self.visible, "--threads", threads, path)
                self.assertEqual(self.read("out"), want, limit)
            self.assertGreater(full, 2)

    # -------- enrichment -----------------------------------------------------

    def test_learned_tables(self):
        self.write("names.yml", ENRICH)
        det = self.pack([streams.rule("ra", ["a"]), counted("two", 2, generate=True)], "enriched", "--enrich", self.path("names.yml"))
        r, out = random.Random(6), []
        for i in range(600):
            t = START + i * SECOND
            if r.random() < 0.2:
                out.append(streams.event(t, Kind="p", Pid=r.randrange(20), Host="h%d" % r.randrange(5)))
            else:
                out.append(streams.event(t, Kind="a", Pid=r.randrange(20)))
        for i in range(0, 600, 100):
            path = self.append("in", b"".join(out[i:i + 100]))
            self.go(det, path)
        self.assertEqual(self.read("out"), self.run_([det, "-f", "ndjson", path]).stdout)
        self.assertGreater(self.read("out").count(b'"correlation_type"'), 4)
        alerts = [json.loads(a) for a in self.read("out").splitlines()]
        self.assertGreater(sum("Host" in a.get("enriched", {}) for a in alerts), 100)


if __name__ == "__main__":
    main()
