#!/usr/bin/env python3
"""Differential fuzzer of correlations: the oracle against detectors.

usage: correlate.py --sigcc PATH [--seconds N | --rounds N] [--seed N]
                    [--correlations N] [--events N] [--coverage]

Each round draws a pack of correlations and timelines and compares what the
oracle fires (`sigcc eval --correlations`) with
  - detectors at -O0 and -O2 under --every-firing;
  - the same without it: one alert when a condition begins to hold;
  - with --mode search: the rows of the whole input, in order, and how the
    report of each correlation shows them (`sigcc eval --search`);
  - with --allowed-lateness D: a timeline shuffled within D gives the alerts of
    the sorted one, in the same order, but for their lines.
A difference prints the pack and both lists, and ends with 1.
"""
import argparse
import collections
import json
import math
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fuzz import run  # noqa: E402
from generate_correlations import CorrelationGenerator  # noqa: E402


def text_of(value):
    return {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value


def firing(o, rule):
    """(what is compared exactly, the value)"""
    group = tuple((k, text_of(v)) for k, v in o["group"].items())
    return (o["line"] if "line" in o else o["source"]["line"], rule, o["timestamp"], group, int(o["count"])), float(o["value"])


def read(line):
    return json.loads(line, parse_int=str, parse_float=str)


def write(path, lines):
    with open(path, "w", encoding="utf-8", errors="surrogatepass") as f:
        f.write("\n".join(lines) + "\n")


def demand(p, what, codes=(0,)):
    if p.returncode not in codes:
        raise RuntimeError("%s exits %d: %s" % (what, p.returncode, p.stderr.decode(errors="replace")[-2000:]))
    return p


def line_number(key_value):
    (line, *rest), value = key_value
    return int(line), rest[0], rest[1], str(rest[2]), rest[3], value


def oracle(args, rules, events, extra):
    """(firing, begins) as the oracle sees them."""
    p = demand(run([args.sigcc, "eval", "--correlations", rules, "--events", events] + extra), "eval", (0, 1))
    out = []
    for line in p.stdout.splitlines():
        o = read(line)
        out.append((firing(o, o["rule"]), o["begins"]))
    return out


def alerts(det, events, flags):
    p = demand(run([det, "-f", "ndjson", "--no-event", events] + flags), "detector")
    found = (read(line) for line in p.stdout.splitlines())
    return [firing(a, a["rule"]["name"]) for a in found if a["type"] == "correlation"]


def row_of_report(doc, o):
    """What the oracle's row looks like in the report of its correlation."""
    columns = {"count": o["count"], "value": o["value"], "first_seen": o["first_text"], "last_seen": o["last_text"]}
    shown = [(name, columns[kind]) for kind, name in doc["sigcc"]["report"]["columns"].items()]
    return ("0", o["rule"], tuple(o["group"].items()) + tuple(shown)), 0.0


def row_of_alert(o, rule):
    group = tuple((k, text_of(v)) for k, v in o["group"].items())
    line = o["line"] if "line" in o else o["source"]["line"]
    return (line, rule, group, o["count"], o["first_seen"], o["last_seen"]), float(o["value"])


def rows_wanted(args, docs, rules, events, extra):
    """What search mode shows, as the oracle sees it."""
    p = demand(run([args.sigcc, "eval", "--search", rules, "--events", events] + extra), "eval", (0, 1))
    by_name = {d["name"]: d for d in docs}
    found = (read(line) for line in p.stdout.splitlines())
    return [row_of_report(by_name[o["rule"]], o) if "report" in by_name[o["rule"]].get("sigcc", {}) else row_of_alert(o, o["rule"]) for o in found]


def rows_shown(det, events, flags):
    p = demand(run([det, "-f", "ndjson", "--no-event", "--mode", "search", events] + flags), "detector")
    rows = []
    for line in p.stdout.splitlines():
        o = read(line)
        if o.get("schema") != "sigcc.alert/1":
            cells = tuple((k, text_of(v)) for k, v in o.items())
            rows.append((("0", cells[-1][0].split(" ")[0], cells), 0.0))
        elif o["type"] == "correlation":
            rows.append(row_of_alert(o, o["rule"]["name"]))
    return rows


def same(a, b):
    return a[0] == b[0] and math.isclose(a[1], b[1], rel_tol=1e-9, abs_tol=1e-9)


def compare(want, have, label, context):
    """False, with a report, when the two lists of firings differ."""
    if len(want) == len(have) and all(same(a, b) for a, b in zip(want, have)):
        return True
    print("DIFFERENCE %s" % label)
    for i in range(max(len(want), len(have))):
        a, b = want[i] if i < len(want) else None, have[i] if i < len(have) else None
        if a is None or b is None or not same(a, b):
            print("  first at %d:\n    oracle   %s\n    compiled %s" % (i, a, b))
            for doc in behind(context[0], (a or b)[0][1]):
                print("  %s" % json.dumps(doc))
            for n, line in enumerate(context[1][:int((a or b)[0][0])], 1):
                print("  %4d %s" % (n, line))
            break
    return False


def behind(docs, name):
    """A correlation and all that it refers to."""
    found, want = [], [name]
    for text in want:
        doc = next((d for d in docs if text in (d["name"], d["id"])), None)
        if doc is None or doc in found:
            continue
        found.append(doc)
        c = doc.get("correlation", {})
        want += c.get("rules") or str(c.get("condition")).replace("(", " ").replace(")", " ").split()
    return found


def lateness_holds(args, g, folder, det, docs, label):
    """A shuffle within D and --allowed-lateness D: as if sorted."""
    r = g.r
    delay = r.choice([1, 3, 10])
    times = g.times(args.events, False)
    events = [(t, g.line(g.put_time(g.body(), t, broken=False))) for t in times]
    arrival = sorted(events, key=lambda e: e[0] + r.randint(0, delay * 10**9))
    in_order = sorted(arrival, key=lambda e: e[0])
    a, b = os.path.join(folder, "sorted.ndjson"), os.path.join(folder, "shuffled.ndjson")
    write(a, [line for _, line in in_order])
    write(b, [line for _, line in arrival])
    lists = [[((0,) + key[1:], value) for key, value in alerts(det, path, ["--every-firing"] + flags)]
             for path, flags in ((a, []), (b, ["--allowed-lateness", "%ds" % delay]))]
    return compare(lists[0], lists[1], label + " lateness", (docs, []))


def round_(args, seed, coverage, stats, folder):
    g = CorrelationGenerator(seed)
    docs = g.pack(args.correlations)
    rules, extra = os.path.join(folder, "rules.yml"), []
    write(rules, ["\n---\n".join(json.dumps(d, ensure_ascii=False) for d in docs)])
    if seed % 4 == 0:
        g.use("pipeline:time-field")
        extra = ["-p", os.path.join(folder, "pipeline.yml")]
        write(extra[1], [json.dumps(g.pipeline())])
    detectors = []
    for flag in ("-O0", "-O2"):
        det = os.path.join(folder, "det" + flag)
        p = demand(run([args.sigcc, "build", "--pack", "--keep-going", rules, "-o", det, flag] + extra), "build", (0, 1))
        stats["rejected"] += p.stderr.count(b"error[")
        detectors.append((flag, det))
    for timeline in range(args.timelines):
        lines = g.timeline(args.events)
        path = os.path.join(folder, "events.ndjson")
        write(path, lines)
        fired = oracle(args, rules, path, extra)
        want = sorted((f for f, _ in fired), key=line_number)
        begun = sorted((f for f, begins in fired if begins), key=line_number)
        rows = rows_wanted(args, docs, rules, path, extra)
        stats["rows"] += len(rows)
        stats["compared"] += args.correlations
        stats["firings"] += len(want)
        stats["begun"] += len(begun)
        for flag, det in detectors:
            label = "seed %d %s timeline %d" % (seed, flag, timeline)
            every = sorted(alerts(det, path, ["--every-firing"]), key=line_number)
            first = sorted(alerts(det, path, []), key=line_number)
            shown = rows_shown(det, path, [])
            stats["runs"] += 3
            if not compare(want, every, label + " every firing", (docs, lines)):
                return False
            if not compare(begun, first, label + " first firings", (docs, lines)):
                return False
            if not compare(rows, shown, label + " search", (docs, [])):
                return False
    if not extra and not lateness_holds(args, g, folder, detectors[-1][1], docs, "seed %d" % seed):
        return False
    coverage.update(g.used)
    return True


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--sigcc", required=True)
    ap.add_argument("--seconds", type=float)
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--correlations", type=int, default=24)
    ap.add_argument("--events", type=int, default=150)
    ap.add_argument("--timelines", type=int, default=3)
    ap.add_argument("--coverage", action="store_true", help="print how often each construct was drawn")
    ap.add_argument("--all", action="store_true", help="go on after a difference")
    args = ap.parse_args()
    coverage, stats = collections.Counter(), collections.Counter()
    started, done, failed = time.monotonic(), 0, 0
    while (time.monotonic() - started < args.seconds) if args.seconds else done < args.rounds:
        with tempfile.TemporaryDirectory() as folder:
            if not round_(args, args.seed + done, coverage, stats, folder):
                failed += 1
                if not args.all:
                    break
        done += 1
    if args.coverage:
        for name, n in sorted(coverage.items()):
            print("%-28s %8d" % (name, n))
    print("rounds %d, rejected by the compiler %d, detector runs %d, firings compared %d, of them first ones %d, rows compared %d" % (
        done, stats["rejected"], stats["runs"], stats["firings"], stats["begun"], stats["rows"]))
    print("correlations x timelines: %d" % (stats["compared"] - args.timelines * stats["rejected"] // 2))
    print("%d passed, %d failed" % (done, failed))
    return 1 if failed or not done else 0


if __name__ == "__main__":
    sys.exit(main())
