#!/usr/bin/env python3
"""map | LC_ALL=C sort | reduce: the bytes of one run, whatever the slices,
files and threads, or a refusal without any."""
import base64
import json
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import streams  # noqa: E402
from harness import Case, SIGCC, main  # noqa: E402
from streams import LONG, sized  # noqa: E402

EVENTS = sized(3000, 200000, 600)
FILES = sized(64, 64, 8)
PAD = sized(700, 100, 3600)  # more than 2 MiB, so that there are slices
MODES = ("stream", "search")
FORMATS = ("ndjson", "csv", "json")
# Values that lines, fields and sorting could trip over.
HOSTILE = ["", " ", "\t", "\n", "a\tb", "a\nb", "a\r\nb", "\0", "a\0b", "a|b", "a", "|", "||", "\\", "\\\\", "\\00", "\\7c", "~", "-", "-\t~", "\u007f",
           "\u0080", "\u2028", "\ud800", "\udfff\ud800", "a\ud800", "\ufffd", "\U0001f600", "\U0010ffff", "\ufffe", "ÿ", "e\u0301", "é", "0", 0, 0.5, True,
           "true", 1e300, -1, "x" * (1 << 20), "x" * (1 << 20) + "y", ":", "a:b", "00000000:a:000000000001"]


class Shuffle(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls("build_detector")
        case.setUp()
        cls.addClassCleanup(case.doCleanups)
        case.build_detector()
        cls.det, cls.other, cls.small = case.det, case.other, case.small
        cls.events = streams.events(7, EVENTS, gap=0.2 if EVENTS > 1000 else 0.05, pad=PAD)

    def build_detector(self):
        all_rules = streams.rules() + streams.all_types() + streams.special()
        # No visible rule: small maps.
        few = [streams.rule("ra", ["a", "b"]), streams.rule("rb", ["c"])] + streams.all_types()
        self.det = self.build(self.write("all.yml", streams.text(all_rules)), "--pack", "-O0", out="all")
        self.other = self.build(self.write("other.yml", streams.text(all_rules[:-1])), "--pack", "-O0", out="other")
        self.small = self.build(self.write("small.yml", streams.text(few)), "--pack", "-O0", out="small")

    def output(self, *args, stdin=b"", status=0):
        p = self.run_(list(args), stdin=stdin, timeout=900)
        self.assertEqual(p.returncode, status, p.stderr.decode(errors="replace")[-2000:])
        return p.stdout

    def one(self, *args, det=None):
        return self.output(det or self.det, *args)

    def map(self, *args, det=None, **kw):
        return self.output(det or self.det, "map", *args, **kw)

    def sort(self, *parts):
        """As `sort` does it."""
        return self.output("sort", stdin=b"".join(parts))

    def reduce(self, data, *args, det=None, **kw):
        return self.output(det or self.det, "reduce", *args, stdin=data, **kw)

    def setUp(self):
        super().setUp()
        os.environ["LC_ALL"] = "C"

    def input(self):
        return self.write("in.ndjson", streams.lines(self.events))

    # -------- the same bytes -------------------------------------------------

    def test_modes_and_formats(self):
        path = self.input()
        for mode in MODES:
            mapped = self.sort(self.map("--mode", mode, path))
            for form in FORMATS if mode == "stream" or not streams.ASAN else FORMATS[:1]:
                for more in ([], ["--every-firing"])[:2 if mode == "stream" else 1]:
                    want = self.one("--mode", mode, "-f", form, *more, path)
                    have = self.reduce(mapped, "--mode", mode, "-f", form, *more)
                    self.assertEqual(streams.sha256(have), streams.sha256(want), (mode, form, more))
                    self.assertGreater(len(want), 10000)
                    if LONG:
                        print("%s %s %s: %d events, one run and map|sort|reduce: sha256 %s" % (mode, form, " ".join(more), EVENTS, streams.sha256(have)))

    def test_slices(self):
        path = self.input()
        for mode in MODES:
            want = self.one("--mode", mode, "-f", "ndjson", path)
            for slices in sized((1, 4, 64), (1, 4, 64), (1, 4)):
                parts = [self.map("--mode", mode, "--slice", "%d/%d" % (i, slices), path) for i in range(1, slices + 1)]
                self.assertEqual(self.reduce(self.sort(*parts), "--mode", mode), want, (mode, slices))
                if LONG:
                    print("%s, %d slices: sha256 %s" % (mode, slices, streams.sha256(want)))

    def files(self, count):
        size = -(-len(self.events) // count)
        return [self.write("f/%03d.ndjson" % i, streams.lines(self.events[i * size:(i + 1) * size])) for i in range(count)]

    def test_files_one_by_one(self):
        paths = self.files(FILES)
        reverse = [os.path.join(self.folder, "r%02d" % (FILES - 1 - i)) for i in range(FILES)]
        for path, other in zip(paths, reverse):
            os.link(path, other)
        for mode in MODES:
            want = self.one("--mode", mode, "-f", "ndjson", *paths)
            parts = [self.map("--mode", mode, p) for p in paths]
            self.assertEqual(self.reduce(self.sort(*parts), "--mode", mode), want, mode)
            # Numbers, where the order of the paths is another one.
            want = self.one("--mode", mode, "-f", "ndjson", *reverse)
            parts = [self.map("--mode", mode, "--position", str(i), p) for i, p in enumerate(reverse)]
            self.assertEqual(self.reduce(self.sort(*parts), "--mode", mode), want, mode)
            some = [self.map("--mode", mode, "--position", str(i), *reverse[i:i + FILES // 4]) for i in range(0, FILES, FILES // 4)]
            self.assertEqual(self.reduce(self.sort(*some), "--mode", mode), want, mode)

    def test_threads(self):
        path = self.write("in", streams.lines(self.events[:30000]))
        mapped = self.sort(self.map(path))
        bounds = ([], ["--max-groups", "60"], ["--max-memory", "20K"], ["--max-groups", "1"])[:sized(4, 4, 3)]
        for mode in MODES:
            for form in FORMATS[:sized(2, 3, 1)]:
                for bound in bounds:
                    args = ["--mode", mode, "-f", form, *bound, "--stats=json", path]
                    want = self.run_([self.det, *args])
                    counters = json.loads(want.stderr.splitlines()[-1])
                    self.assertEqual(counters["groups_evicted"] + counters["groups_refused"] != 0, bool(bound), (bound, counters))
                    for threads in ("2", "4"):
                        have = self.run_([self.det, "--threads", threads, *args])
                        self.assertEqual((have.stdout, streams.counted(have.stderr), have.returncode), (want.stdout, streams.counted(want.stderr), 0), (threads, args))
        for threads in ("2", "4"):
            self.assertEqual(self.sort(self.map("--threads", threads, path)), mapped)

    # -------- what is hostile ------------------------------------------------

    def test_hostile_values(self):
        r = random.Random(3)
        out, t = [], streams.START
        for i in range(sized(20, 200, 5) * len(HOSTILE)):
            t += r.randrange(3) * 10**8
            value = HOSTILE[i % len(HOSTILE)] if i < len(HOSTILE) else r.choice([v for v in HOSTILE if not isinstance(v, str) or len(v) < 100])
            out.append(streams.event(t, Kind=r.choice("abc"), Host=value, User=r.choice(["u", value, "u|" + str(value)[:9]]), Bytes=r.choice([1, "", "x", 900])))
        half = len(out) // 2
        paths = [self.write("dir/a:b\t|\\\u00fc\nname", b"".join(out[:half])), self.write("in", b"".join(out[half:]))]
        for mode in MODES:
            want = self.one("--mode", mode, "-f", "ndjson", "--every-firing", *paths)
            mapped = self.map("--mode", mode, *paths)
            self.assertEqual({line.count(b"\t") for line in mapped.splitlines()}, {5})
            self.assertEqual(self.reduce(self.sort(mapped), "--mode", mode, "--every-firing"), want, mode)

    # -------- refusals -------------------------------------------------------

    def mapped(self, count=400, mode="stream", **kw):
        path = self.write("some-%d" % count, streams.lines(self.events[:count]))
        return self.sort(self.map("--mode", mode, "--no-event", path, **kw)).splitlines(keepends=True)

    def refused(self, data, *args, status=4, det=None, why=None):
        p = self.run_([det or self.det, "reduce", *args], stdin=data)
        said = p.stderr.decode(errors="replace").splitlines()
        self.assertEqual((p.returncode, p.stdout), (status, b""), said[-1:])
        self.assertTrue(said and "cannot reduce: line " in said[0], said)
        if why:
            self.assertIn(why, said[0])

    def test_what_is_missing_or_doubled(self):
        mapped = self.mapped(200)
        self.assertGreater(len(self.reduce(b"".join(mapped))), 1000)
        r = random.Random(1)
        at = range(len(mapped)) if LONG else sorted(r.sample(range(len(mapped) - 1), sized(20, 0, 5))) + [len(mapped) - 1]
        for i in at:
            self.refused(b"".join(mapped[:i] + mapped[i + 1:]))
            self.refused(b"".join(mapped[:i + 1] + mapped[i:]))
            other = r.randrange(len(mapped))
            if mapped[other] != mapped[i] and mapped[other][:1] == mapped[i][:1]:
                some = mapped[:i] + mapped[i + 1:] + [mapped[other]]
                self.refused(b"".join(sorted(some)), why=None if mapped[i][:1] == b"-" else "missing")
        self.refused(b"".join(mapped)[:-200])
        self.refused(b"", why="last line of a map is missing")
        self.refused(b"\n\n")

    def test_slices_missing_or_doubled(self):
        path = self.write("some", streams.lines(self.events[:100]))
        parts = [self.map("--slice", "%d/4" % i, "--no-event", path) for i in (1, 2, 3, 4)]
        self.reduce(self.sort(*parts))
        for i in range(4):
            self.refused(self.sort(*(parts[:i] + parts[i + 1:])))
            self.refused(self.sort(*parts, parts[i]))
        self.refused(self.sort(*parts, self.map("--no-event", path)))
        self.refused(self.sort(*parts, self.map("--slice", "3/5", path)))

    def test_whole_maps_doubled(self):
        """The same output twice is refused; other files, names and numbers are not, whatever they hold."""
        half = [self.write("half-%d" % i, streams.lines(self.events[i * 100:(i + 1) * 100])) for i in (0, 1)]
        for mode in MODES:
            args = ["--mode", mode]
            maps = [self.map(*args, "--no-event", p) for p in half]
            want = self.reduce(self.sort(*maps), *args)
            self.assertEqual(want, self.one(*args, "-f", "ndjson", "--no-event", *half))
            for twice in (maps[:1] * 2, maps + maps[:1], maps * 2, [maps[0]] * 3):
                self.refused(self.sort(*twice), *args, why="a map that was there before")
            # Not the same bytes at its end, but the same lines.
            self.refused(self.sort(*maps, self.map(*args, "--no-event", "--no-prefilter", half[0])), *args, why="there")
            # The same events under another name, or number: that is another file.
            copy = self.write("copy", streams.lines(self.events[:100]))
            other = self.map(*args, "--no-event", copy)
            numbered = [self.map(*args, "--no-event", "--position", str(i), half[0]) for i in (1, 2)]
            both = [self.reduce(self.sort(*parts), *args) for parts in ((maps[0], other), numbered)]
            for have in both:
                self.assertGreater(len(have), len(self.reduce(self.sort(maps[0]), *args)))
            # What wrote no line may be there as often as one likes.
            nothing = self.map(*args, self.write("nothing", b'{"Kind":"z"}\n' * 9))
            self.assertEqual(nothing.count(b"\n"), 1)
            self.assertEqual(self.reduce(self.sort(*maps, nothing, nothing), *args), want)

    def test_unsorted(self):
        mapped = self.mapped()
        path = self.write("some", streams.lines(self.events[:400]))
        self.refused(self.map("--no-event", path), why="not sorted")
        self.refused(b"".join(reversed(mapped)), why="not sorted")
        r = random.Random(2)
        for _ in range(sized(20, 2000, 5)):
            i, j = sorted(r.sample(range(len(mapped)), 2))
            if mapped[i] != mapped[j]:
                some = list(mapped)
                some[i], some[j] = some[j], some[i]
                self.refused(b"".join(some), why="not sorted")

    def test_changed_bytes(self):
        mapped = self.mapped(120)
        whole = b"".join(mapped)
        want = self.reduce(whole)
        r = random.Random(4)
        for i in range(sized(80, 5000, 12)):
            at = r.randrange(len(whole))
            if i % 2 == 0:  # in a payload
                line = r.randrange(len(mapped))
                fields = mapped[line].split(b"\t")
                at = len(b"".join(mapped[:line])) + len(b"\t".join(fields[:4])) + 1 + r.randrange(len(fields[4]))
            new = whole[:at] + bytes([whole[at] ^ r.choice([1, 2, 4, 8, 16, 32, 64, 128])]) + whole[at + 1:]
            p = self.run_([self.det, "reduce"], stdin=new)
            if p.returncode == 0:
                self.assertEqual(p.stdout, want, at)
            else:
                self.assertEqual((p.returncode, p.stdout), (4, b""), p.stderr)
            p = self.run_([self.det, "reduce", "--partial"], stdin=new)
            self.assertTrue(p.returncode == 4 and p.stdout == b"" or p.stdout == want, at)

    def test_of_others(self):
        mapped = b"".join(self.mapped())
        self.refused(mapped, det=self.other)
        self.refused(mapped, det=self.small)
        self.refused(mapped, "--mode", "search")
        self.refused(b"".join(self.mapped(mode="search")))
        r = random.Random(5)
        for i in range(sized(40, 2000, 15)):
            size = r.choice([1, 10, 1000, 100000])
            garbage = bytes(r.randrange(256) for _ in range(size)) if size < 10000 else r.randbytes(size)
            if i % 3 == 0:
                garbage = b"\t".join([b"-", b"", b"0" * 16, b"00000000:a:000000000001", base64.b64encode(garbage), b"0" * 8]) + b"\n"
            if garbage.strip(b"\n"):
                self.refused(garbage)
                self.refused(garbage, "--partial")
        self.refused(streams.lines(self.events[:10]))

    def test_partial(self):
        """Parts that were cut by key give together what the whole gives."""
        path = self.input()
        mapped = self.sort(self.map("--no-event", path)).splitlines(keepends=True)
        parts = [[], [], []]
        for line in mapped:
            shard, key = line.split(b"\t")[:2]
            parts[sum(shard + key) % 3].append(line)
        have = sorted(line for p in parts for line in self.reduce(b"".join(p), "--partial").splitlines())
        self.assertEqual(have, sorted(self.one("-f", "ndjson", "--no-event", path).splitlines()))

    def test_without_times(self):
        """In search mode events without a time keep their place among the others."""
        r = random.Random(11)
        lines = streams.lines(self.events[:400]).splitlines(True)
        r.shuffle(lines)
        path = self.write("untimed", b"".join(line.replace(b"@timestamp", b"@nothing") if r.random() < 0.3 else line for line in lines))
        want = self.one("-f", "ndjson", "--mode", "search", path)
        self.assertEqual(self.reduce(self.sort(self.map("--mode", "search", path)), "--mode", "search"), want)
        self.assertIn(b"c_event_count", want)

    def test_interrupted(self):
        """Half of the lines are no result."""
        p = subprocess.Popen([self.det, "reduce"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        p.stdin.write(self.mapped()[0])
        p.stdin.flush()
        time.sleep(1)
        p.send_signal(signal.SIGTERM)
        out, said = p.communicate()
        self.assertEqual((p.returncode, out), (4, b""), said)
        self.assertIn(b": interrupted", said)

    def test_options_of_others(self):
        for args in (["--state", "s"], ["--late", "l"], ["--allowed-lateness", "1s"], ["--follow"]):
            for action in ("map", "reduce"):
                p = self.run_([self.det, action, *args], cwd=self.folder)
                self.assertEqual((p.returncode, p.stdout), (2, b""), (action, args))
        for action, args in (("map", ["-f", "csv"]), ("map", ["--every-firing"]), ("map", ["--partial"]), ("map", ["--slice", "0/4"]), ("map", ["--slice", "5/4"]),
                             ("map", ["--slice", "1/"]), ("map", ["--slice", "1/99999999999"]), ("map", ["--slice", "-1/4"]), ("map", ["--position", "-1"]),
                             ("map", ["--position", "99999999999"]), ("reduce", ["--slice", "1/2"]), ("reduce", ["--position", "1"]), ("reduce", ["--rejects", "r"]),
                             ("reduce", ["--strict"]), ("reduce", ["--no-event"]), ("reduce", ["--time-field", "t"]), ("reduce", ["-f", "table"]),
                             ("reduce", ["a", "b"])):
            p = self.run_([self.det, action, *args], cwd=self.folder)
            self.assertEqual((p.returncode, p.stdout), (2, b""), (action, args))
            self.assertEqual(p.stderr.decode().count("\n"), 2, p.stderr)
        for args in (["--slice", "1/2"], ["--position", "1"], ["--partial"]):
            self.assertEqual(self.run_([self.det, *args]).returncode, 2, args)
        self.assertEqual(os.listdir(self.folder), [])

    def test_losses_of_maps_are_told(self):
        """What a map could not read, the reduce counts."""
        bad = self.write("bad", streams.lines(self.events[:50]) + b"{no json\n" + b'{"Kind": "a", "Host": "h1"}\n')
        mapped = self.sort(self.map(bad))
        p = self.run_([self.det, "reduce", "--stats=json"], stdin=mapped)
        counters = json.loads(p.stderr.splitlines()[-1])
        self.assertEqual((counters["lines"], counters["unreadable"], counters["untimed"]), (52, 1, 1))
        # An input that cannot be read: all the rest, and exit 4, as of one run.
        args = [bad, self.path("missing")]
        mapped = self.sort(self.map(*args, status=4))
        self.assertEqual(self.reduce(mapped, status=4), self.output(self.det, "-f", "ndjson", *args, status=4))


assert SIGCC
if __name__ == "__main__":
    main()
