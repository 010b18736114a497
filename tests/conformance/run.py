#!/usr/bin/env python3
"""Every conformance case through the oracle and through real detectors.

usage: run.py --sigcc PATH [--only TEXT] [--levels O0,O2] [--jobs N] [--verbose]

A case (NN_construct.json) holds a rule, optional filters and pipelines, and
either events with verdicts, a timeline with firings, or an error. Each is
built at every level; the oracle (`sigcc eval`) must agree on plain events.
Prints a line per failure and, last, 'N passed, N failed'.
"""
import argparse
import concurrent.futures
import datetime
import glob
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)


def stamp(seconds):
    ns = round(seconds * 10**9)
    t = START + datetime.timedelta(seconds=ns // 10**9)
    return t.strftime("%Y-%m-%dT%H:%M:%S") + ".%09dZ" % (ns % 10**9)


class Mismatch(Exception):
    pass


class Runner:
    def __init__(self, sigcc, case, folder, levels):
        self.sigcc, self.case, self.folder, self.levels = sigcc, case, folder, levels

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as f:
            f.write(text.encode("utf-8", "surrogatepass"))
        return path

    def call(self, args, stdin=None):
        return subprocess.run(args, input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL, capture_output=True, timeout=120)

    def inputs(self):
        rule = self.case["rule"]
        if "events" in self.case:  # base rules are judged on their own
            docs = [d for d in rule.split("\n---") if d.strip()]
            if len(docs) > 1:
                rule = "\n---".join(d for d in docs if "\ncorrelation:" not in "\n" + d)
        args = [self.file("rule.yml", rule)]
        for kind, flag in (("filter", "--filter"), ("pipeline", "-p")):
            texts = self.case.get(kind, [])
            for i, text in enumerate([texts] if isinstance(texts, str) else texts):
                args += [flag, self.file("%s%d.yml" % (kind, i), text)]
        return args

    def detect(self, det, lines, *flags):
        p = self.call([det, "-f", "ndjson", "--no-event", *flags], "".join(lines).encode("utf-8", "surrogatepass"))
        if p.returncode != 0:
            raise Mismatch("detector exits %d: %s" % (p.returncode, p.stderr.decode(errors="replace")[:300]))
        return [json.loads(line) for line in p.stdout.splitlines() if line.strip()]

    def judge(self, who, fired):
        """fired: line -> set of labels."""
        for i, e in enumerate(self.case["events"], 1):
            got = sorted(fired.get(i, ()))
            want = sorted(e["matches"]) if "matches" in e else e["match"]
            if (got if "matches" in e else bool(got)) != want:
                raise Mismatch("%s, event %d: want %s, got %s: %s" % (who, i, want, got, json.dumps(e["event"])[:200]))

    def events(self, det, level, args):
        lines = [json.dumps(e["event"]) + "\n" for e in self.case["events"]]
        fired = {}
        for a in self.detect(det, lines):
            fired.setdefault(a["source"]["line"], set()).add(a["rule"].get("name") or a["rule"]["title"])
        self.judge(level, fired)
        if level == self.levels[0]:
            path = self.file("events.ndjson", "".join(lines))
            p = self.call([self.sigcc, "eval", *args, "--events", path])
            if p.returncode != 0:
                raise Mismatch("oracle exits %d: %s" % (p.returncode, p.stderr.decode(errors="replace")[:300]))
            self.judge("oracle", {o["line"]: o["rules"] for o in map(json.loads, p.stdout.splitlines())})

    def timeline(self, det, level):
        steps = self.case["timeline"]
        lines = [json.dumps({"@timestamp": stamp(s["t"]), **s["event"]}) + "\n" for s in steps]

        def text(v):
            return v if isinstance(v, str) else json.dumps(v)

        def key(label, group):
            return label, tuple(sorted((k, text(v)) for k, v in (group or {}).items()))
        alerts = self.detect(det, lines, "--every-firing")
        for i, s in enumerate(steps, 1):
            got = sorted(key(a["rule"].get("name") or a["rule"]["title"], a.get("group")) for a in alerts if a["source"]["line"] == i)
            want = sorted(key(f["rule"], f.get("group")) for f in s["fires"])
            if got != want:
                raise Mismatch("%s, step %d (t=%s): want %s, got %s" % (level, i, s["t"], want, got))

    def run(self):
        args = self.inputs()
        for level in self.levels:
            det = os.path.join(self.folder, "det" + level)
            p = self.call([self.sigcc, "build", *args, "--pack", "-" + level, "-o", det])
            err = p.stderr.decode("utf-8", "replace").strip()
            if self.case.get("error"):
                if p.returncode != 1 or "error[E" not in err:
                    raise Mismatch("must be rejected (%s) but build exits %d" % (self.case.get("reason", ""), p.returncode))
                return
            if p.returncode != 0:
                raise Mismatch("build exits %d: %s" % (p.returncode, err[:400]))
            if "events" in self.case:
                self.events(det, level, args)
            if "timeline" in self.case:
                self.timeline(det, level)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--sigcc", required=True)
    ap.add_argument("--only", default="")
    ap.add_argument("--levels", default="O0,O2")
    ap.add_argument("--every", type=int, default=1, help="only each N-th case")
    ap.add_argument("--jobs", type=int, default=os.cpu_count())
    ap.add_argument("--verbose", action="store_true")
    a = ap.parse_args()
    cases = []
    for path in sorted(glob.glob(os.path.join(HERE, "*.json"))):
        with open(path, encoding="utf-8") as f:
            cases += [c for c in json.load(f) if a.only in c["name"]]

    cases = cases[::a.every]

    def one(case):
        with tempfile.TemporaryDirectory() as folder:
            try:
                Runner(a.sigcc, case, folder, a.levels.split(",")).run()
            except Exception as e:
                return "%s%s" % ("" if isinstance(e, Mismatch) else type(e).__name__ + ": ", e)
        return None
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        for case, why in zip(cases, pool.map(one, cases)):
            if why:
                failed += 1
                print("FAIL %s: %s" % (case["name"], why))
            elif a.verbose:
                print("ok   %s" % case["name"])
    print("%d passed, %d failed" % (len(cases) - failed, failed))
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
