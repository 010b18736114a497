#!/usr/bin/env python3
"""Kill a detector at random instants and start it again, until all is read: what
it wrote over all its lives must be, to the byte, what an undisturbed run writes.

Each scenario is one way to feed it: files, growing files, rotated files,
standard input; with lateness, threads, every type of correlation, with bounds
that make groups go, with lines that cannot be read. Alerts go to a file (-o),
events that came late to another, unreadable lines to a third; what was lost is
counted as in an undisturbed run.
"""
import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

START = 1_700_000_000
RULES = """
title: A
name: ra
logsource: {product: test_prod}
detection: {s: {Kind: [a, b]}, condition: s}
---
title: B
name: rb
logsource: {product: test_prod}
detection: {s: {Kind: [c]}, condition: s}
generate: true
"""
CORRELATIONS = {
    "event_count": "rules: [ra], group-by: [Host], timespan: 1m, condition: {gte: 4}",
    "value_count": "rules: [ra, rb], group-by: [Host, User], timespan: 2m, condition: {field: Bytes, gte: 3}",
    "temporal": "rules: [ra, rb], group-by: [Host, User], timespan: 10s",
    "temporal_ordered": "rules: [ra, rb], group-by: [Host, User], timespan: 20s",
    "value_sum": "rules: [ra], group-by: [User], timespan: 30s, condition: {field: Bytes, gt: 9000}",
    "value_avg": "rules: [ra], group-by: [User], timespan: 30s, condition: {field: Bytes, gt: 560}",
    "value_percentile": "rules: [ra], group-by: [User], timespan: 40s, condition: {field: Bytes, percentile: 90, gt: 930}",
    "value_median": "rules: [ra], group-by: [User], timespan: 30s, condition: {field: Bytes, gt: 560}",
}
# Events of kind p say once what the name of a process is; others only know its number.
ENRICH = """
name: names
learned:
  names:
    columns: [Name]
    from: [{when: {Kind: [p]}, key: [Pid]}]
enrich:
  - {when: {Kind: [a, b, c, d]}, table: names, key: [Pid], add: [Name]}
"""
# Counters that are those of all lives together.
SUMS = ("candidates", "enriched", "enrich_missed", "enrich_learned", "enrich_entries", "enrich_evicted", "groups", "group_bytes", "groups_expired", "groups_evicted", "groups_refused", "groups_sketched", "late", "lines", "unreadable", "untimed", "alerts")
NAMED = "type: event_count, rules: [ra], group-by: [Name], timespan: 1m, condition: {gte: 3}"
CHAIN = "type: event_count, rules: [c_event_count], group-by: [User], timespan: 10m, condition: {gte: 5}"


def rules(types, enrich):
    docs = [RULES]
    if enrich:
        docs.append("title: named\nname: c_named\ncorrelation: {%s}\n" % NAMED)
    for t in types:
        docs.append("title: %s\nname: c_%s\ngenerate: true\ncorrelation: {type: %s, %s}\n" % (t, t, t, CORRELATIONS[t]))
    if "event_count" in types:
        docs.append("title: chain\nname: c_chain\ncorrelation: {%s}\n" % CHAIN)
    return "---\n".join(docs)


def events(r, count, disorder, broken):
    """Lines in order of arrival; so many of them are no events."""
    t, out = START, []
    for i in range(count):
        t += r.random() * 0.4
        out.append((t + (r.random() * disorder if disorder else 0), i))
    out.sort()
    lines = []
    for t, i in sorted(out, key=lambda e: e[1]):
        event = {"@timestamp": "%d" % int(t * 1e9), "Kind": r.choice("abcdp"), "Pid": r.randint(0, 60), "Host": "h%d" % r.randint(0, 40), "User": "u%d" % r.randint(0, 5),
                 "Bytes": r.randint(0, 1000)}
        if event["Kind"] == "p":
            event["Name"] = "n%d" % r.randint(0, 9)
        lines.append(json.dumps(event))
        if r.random() < broken:
            lines.append(r.choice(["{", "no event", line_cut(r, lines[-1]), '{"Kind":"a",}', "\x01"]))
    return [(line + "\n").encode() for line in lines]


def line_cut(r, line):
    return line[:r.randint(1, len(line) - 1)]


class Writer(threading.Thread):
    """Appends lines to a file, in pieces that respect nothing, and rotates it."""

    def __init__(self, path, lines, rotations, pace):
        super().__init__()
        self.path, self.data, self.pace = path, b"".join(lines), pace
        self.random = random.Random(len(self.data))
        step = max(len(lines) // (rotations + 1), 1)
        self.cuts = set()
        at = 0
        for i, line in enumerate(lines):
            at += len(line)
            if rotations and (i + 1) % step == 0 and len(self.cuts) < rotations:
                self.cuts.add(at)
        self.cuts = sorted(self.cuts)

    def run(self):
        out, at, number = open(self.path, "ab"), 0, 0
        while at < len(self.data):
            end = min(at + self.random.randint(1, 20000), self.cuts[0] if self.cuts else len(self.data))
            out.write(self.data[at:end])
            out.flush()
            at = end
            if self.cuts and at == self.cuts[0]:
                self.cuts.pop(0)
                out.close()
                for n in range(number, 0, -1):
                    os.rename("%s.%d" % (self.path, n), "%s.%d" % (self.path, n + 1))
                os.rename(self.path, self.path + ".1")
                number += 1
                out = open(self.path, "ab")
            time.sleep(self.random.random() * self.pace)
        out.close()


def counters(err):
    return json.loads(err.decode().splitlines()[-1])


def stopped(p, seconds):
    try:
        return p.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except FileNotFoundError:
        return b""


class Scenario:
    def __init__(self, args, seed, folder):
        self.args, self.r, self.folder = args, random.Random(seed), folder
        r = self.r
        self.kind = args.kind or r.choice(["files", "files", "follow", "rotate", "stdin", "search", "pipe"])
        self.types = r.sample(sorted(CORRELATIONS), r.choice([1, 2, 3, 8]))
        self.late = r.choice([0, 0, 2]) if self.kind != "search" else 0
        growing = self.kind in ("follow", "rotate")
        self.lines = events(r, r.choice([3000, 20000] if growing else [20000, 60000]), self.late * r.choice([1, 1, 2]), r.choice([0, 0.01]))
        self.bounds = r.choice([[], [], ["--max-groups", str(r.randint(5, 100))], ["--max-memory", "%dK" % r.randint(2, 60)],
                                ["--max-memory", "100K", "--exact-values", str(r.randint(1, 20))]])
        self.strict = not growing and r.random() < 0.2
        if self.strict:
            self.lines.insert(len(self.lines) - len(self.lines) // 10, b"the end\n")
        self.threads = r.choice([1, 1, 2, 3])
        os.environ["SIGCC_RANGES"] = r.choice(["0", "500", "20000"])  # bytes that each reads at a time
        self.enrich = r.random() < 0.3
        self.name = "seed %d: %s, %s, %d lines, lateness %d, threads %d%s%s%s" % (
            seed, self.kind, "+".join(self.types), len(self.lines), self.late, self.threads, ", enriched" if self.enrich else "",
            ", strict" if self.strict else "", "".join(" " + b for b in self.bounds))
        self.state, self.out = self.path("state"), self.path("out")
        self.inputs = self.write_inputs()
        self.kills = 0
        self.longest = args.longest

    def path(self, name):
        return os.path.join(self.folder, name)

    def write_inputs(self):
        if self.kind in ("follow", "rotate"):
            return [self.path("in.log")]
        if self.kind == "stdin":
            return []
        count = self.r.choice([1, 3])
        paths = []
        for i in range(count):
            paths.append(self.path("in%d.ndjson" % i))
            with open(paths[-1], "wb") as f:
                f.writelines(self.lines[i * len(self.lines) // count:(i + 1) * len(self.lines) // count])
        return paths

    def options(self):
        o = ["-f", self.r.choice(["ndjson", "csv"]), "--threads", str(self.threads), *self.bounds]
        if self.strict:
            o += ["--strict"]
        if self.late:
            o += ["--allowed-lateness", "%ds" % self.late]
        if self.kind == "search":
            o += ["--mode", "search"]
        if self.r.random() < 0.3:
            o += ["--every-firing"]
        return o

    def undisturbed(self, options):
        """What one run writes over the whole input, in one go, and its counters."""
        out = self.path("want")
        stdin = b""
        if self.kind == "stdin":
            stdin, inputs = b"".join(self.lines), []
        elif self.kind in ("follow", "rotate"):
            inputs = [self.path("in.log")]
            parts = self.parts()
            # The same names and numbers of lines: one run of a follower that sees each file alone.
            return self.follow_quietly(options, parts, out, inputs[0])
        else:
            inputs = self.inputs
        begin = time.monotonic()
        p = subprocess.run([self.args.det, *options, "--stats=json", *self.outputs(out), *inputs], input=stdin, capture_output=True)
        self.longest = (time.monotonic() - begin) * 0.7
        if p.returncode != self.code():
            raise SystemExit("%s: the undisturbed run failed: %s" % (self.name, p.stderr.decode()))
        return self.written(out), counters(p.stderr)

    @staticmethod
    def outputs(out):
        return ["-o", out, "--late", out + "-late", "--rejects", out + "-rejects"]

    @staticmethod
    def written(out):
        return [(name, read(out + name)) for name in ("", "-late", "-rejects")]

    def code(self):
        return 4 if self.strict else 0

    def parts(self):
        """The lines of each file that the path is over time."""
        rotations = self.rotations()
        step = max(len(self.lines) // (rotations + 1), 1)
        if not rotations:
            return [self.lines]
        return [self.lines[i * step:(i + 1) * step] for i in range(rotations)] + [self.lines[rotations * step:]]

    def rotations(self):
        return 0 if self.kind == "follow" else 4

    def follow_quietly(self, options, parts, out, path):
        """A follower that is given time: each part is read before the file is rotated."""
        state = self.path("want-state")
        p = subprocess.Popen([self.args.det, *options, "--follow", "--state", state, *self.outputs(out), "--stats=json", path], stderr=subprocess.PIPE)
        number = 0
        for i, part in enumerate(parts):
            if i:
                for n in range(number, 0, -1):
                    os.rename("%s.%d" % (path, n), "%s.%d" % (path, n + 1))
                os.rename(path, path + ".1")
                number += 1
            with open(path, "ab") as f:
                f.writelines(part)
            time.sleep(2.5)
        p.send_signal(signal.SIGTERM)
        err = p.communicate(timeout=30)[1]
        if p.returncode != 0 or counters(err)["lines"] != len(self.lines):
            raise SystemExit("the undisturbed follower failed: %s" % err.decode())
        for name in os.listdir(self.folder):
            if name.startswith("in.log"):
                os.unlink(os.path.join(self.folder, name))
        return self.written(out), counters(err)

    def start(self, options):
        args = [self.args.det, *options, "--state", self.state, "--stats=json"]
        if self.kind in ("follow", "rotate"):
            args.append("--follow")
        if self.kind == "pipe":
            out = open(self.out, "ab")
            p = subprocess.Popen(args + self.outputs(self.out)[2:] + self.inputs, stdout=out, stderr=subprocess.PIPE)
            out.close()
            return p
        args += self.outputs(self.out) + self.inputs
        if self.kind != "stdin":
            return subprocess.Popen(args, stderr=subprocess.PIPE)
        p = subprocess.Popen(args, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        threading.Thread(target=self.fill, args=(p.stdin,), daemon=True).start()
        return p

    def fill(self, pipe):
        try:
            for line in self.lines:
                pipe.write(line)
            pipe.close()
        except (BrokenPipeError, OSError, ValueError):
            pass

    def run(self):
        """Returns the number of kills, or raises."""
        options = self.options()
        want, sums = self.undisturbed(options)
        writer = None
        if self.kind in ("follow", "rotate"):
            writer = Writer(self.path("in.log"), self.lines, self.rotations(), 0.02)
            self.first_life(options)
            writer.start()
        while self.kills < self.args.kills:
            p = self.start(options)
            code = stopped(p, self.r.random() ** 2 * self.longest)
            if code is not None:
                self.check_end(p, code)
                if writer is None:
                    break
                continue
            p.kill()
            p.wait()
            self.kills += 1
        if writer is not None:
            writer.join()
        have_sums = self.last_life(options, writer)
        for (name, have), (_, wanted) in zip(self.written(self.out), want):
            if have != wanted:
                self.explain("out" + name, have, wanted)
        for name in SUMS if not self.strict else ("unreadable", "alerts"):  # threads read on for a while
            if have_sums[name] != sums[name]:
                raise SystemExit("%s: %s is %d after %d kills, not %d" % (self.name, name, have_sums[name], self.kills, sums[name]))
        return self.kills, sums

    def check_end(self, p, code):
        if code != self.code():
            raise SystemExit("%s: exit %s after %d kills: %s" % (self.name, code, self.kills, p.stderr.read().decode()))

    def first_life(self, options):
        """Until it is known which file is read: before, no run has begun that could go on."""
        open(self.path("in.log"), "ab").close()
        p = self.start(options)
        while not any(os.path.exists(f) and os.path.getsize(f) > 8192 for f in (self.state, self.state + "-wal")):
            time.sleep(0.01)
        time.sleep(0.3)
        p.kill()
        p.wait()
        self.kills += 1

    def last_life(self, options, writer):
        """Let it read all there is. Returns its counters."""
        p = self.start(options)
        if writer is None:
            err = p.communicate(timeout=120)[1] if self.kind != "stdin" else self.drain(p)
            self.check_end(p, p.returncode)
            return counters(err)
        # A follower has read all once its counter says so: ask it to pause and look.
        deadline = time.monotonic() + 60
        while True:
            time.sleep(2.5)
            p.send_signal(signal.SIGTERM)
            err = p.communicate(timeout=60)[1]
            self.check_end(p, p.returncode)
            lines = counters(err)["lines"]
            if lines >= len(self.lines):
                if lines > len(self.lines):
                    raise SystemExit("%s: %d lines read, %d written" % (self.name, lines, len(self.lines)))
                return counters(err)
            if time.monotonic() > deadline:
                raise SystemExit("%s: only %d of %d lines read: %s" % (self.name, lines, len(self.lines), err.decode()))
            p = self.start(options)

    @staticmethod
    def drain(p):
        """A thread writes its standard input."""
        err = p.stderr.read()
        p.wait(120)
        return err

    def explain(self, name, have, want):
        a, b = have.splitlines(), want.splitlines()
        i = 0
        while i < min(len(a), len(b)) and a[i] == b[i]:
            i += 1
        raise SystemExit("%s: %s differ after %d kills: %d lines, wanted %d; from line %d:\n  have %s\n  want %s" % (
            self.name, name, self.kills, len(a), len(b), i + 1, a[i:i + 1], b[i:i + 1]))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--sigcc", required=True)
    ap.add_argument("--total", type=int, default=200, help="kills, over all scenarios")
    ap.add_argument("--kills", type=int, default=25, help="kills of one scenario, at most")
    ap.add_argument("--longest", type=float, default=0.6, help="seconds of one life, at most")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--kind")
    ap.add_argument("--folder", help="work here and leave the scenario that fails")
    args = ap.parse_args()
    total, scenarios, kinds = 0, 0, {}
    lost = dict.fromkeys(("groups_evicted", "groups_refused", "groups_sketched", "late", "unreadable"), 0)
    with tempfile.TemporaryDirectory(prefix="sigcc-kill-") as top:
        top = args.folder or top
        while total < args.total:
            seed = args.seed + scenarios
            folder = os.path.join(top, "s%d" % seed)
            os.mkdir(folder)
            s = Scenario(args, seed, folder)
            path = os.path.join(folder, "rules.yml")
            with open(path, "w") as f:
                f.write(rules(s.types, s.enrich))
            args.det = os.path.join(folder, "det")
            extra = []
            if s.enrich:
                extra = ["--enrich", os.path.join(folder, "enrich.yml")]
                with open(extra[1], "w") as f:
                    f.write(ENRICH)
            subprocess.run([args.sigcc, "build", "--pack", "-O0", path, "-o", args.det, *extra], check=True, capture_output=True)
            kills, sums = s.run()
            for name in lost:
                lost[name] += sums[name]
            print("%s: %d kills, nothing lost, doubled or changed" % (s.name, kills), flush=True)
            total += kills
            kinds[s.kind] = kinds.get(s.kind, 0) + kills
            scenarios += 1
            shutil.rmtree(folder)
    print("kills by kind: %s" % ", ".join("%s %d" % k for k in sorted(kinds.items())))
    print("of the undisturbed runs: %s" % ", ".join("%s %d" % k for k in lost.items()))
    print("%d scenarios, %d kills: lost 0, doubled 0, changed 0" % (scenarios, total))
    return 0


if __name__ == "__main__":
    sys.exit(main())
