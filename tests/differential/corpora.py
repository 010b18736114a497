#!/usr/bin/env python3
"""The oracle against one detector of a whole rule collection, over real logs.

usage: corpora.py --sigcc PATH [--rules DIR...] [--corpora DIR] [--limit N]
                  [--stride N] [--only TEXT] [-O LEVEL]

Takes every log under the corpora (plain, gzip, zstd; --limit: the first N
lines of each, --stride: each Nth line behind those), asks the oracle and a
detector of all rules which rules match which line, and reports each verdict
they do not share. The detector runs with SIGCC_INDEX=1 and 0, with SIGCC_RECALL=0 and
with SIGCC_LAYOUTS=1 and 0, which must give the same alerts. Rules and corpora are looked for in a folder `shared`
beside the checkout; without it the test is skipped (77).
"""
import argparse
import collections
import glob
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SHARED = os.path.join(ROOT, "..", "shared")
CHUNK = 10000


def logs(folder, only):
    for base, dirs, names in sorted(os.walk(folder)):
        dirs.sort()
        for name in sorted(names):
            path = os.path.join(base, name)
            if only in path and any(e in name for e in (".ndjson", ".jsonl", ".txt")):
                yield path


def lines_of(path):
    if path.endswith(".gz"):
        with gzip.open(path, "rb") as f:
            yield from f
    elif path.endswith(".zst"):
        p = subprocess.Popen(["zstd", "-dc", "-q", path], stdout=subprocess.PIPE)
        yield from p.stdout
        p.stdout.close()
        p.wait()
    else:
        with open(path, "rb") as f:
            yield from f


def taken(args):
    """(path, line number, bytes) of the lines asked for."""
    for path in logs(args.corpora, args.only):
        for n, line in enumerate(lines_of(path)):
            if n < args.limit or (args.stride and (n - args.limit) % args.stride == 0):
                yield path, n + 1, line.rstrip(b"\r\n") + b"\n"
            elif not args.stride:
                break


def chunks(args):
    part = []
    for item in taken(args):
        part.append(item)
        if len(part) == CHUNK:
            yield part
            part = []
    if part:
        yield part


def run(command, codes):
    p = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)
    if p.returncode not in codes:
        raise RuntimeError("%s exits %d: %s" % (os.path.basename(command[0]), p.returncode, p.stderr.decode(errors="replace")[-2000:]))
    return p.stdout


def verdicts(args, detector, events):
    """line -> labels of matching rules, for the oracle and the detector."""
    oracle, compiled, unreadable = {}, collections.defaultdict(list), set()
    for line in run([args.sigcc, "eval", "--events", events] + args.rules, (0, 1)).splitlines():
        o = json.loads(line)
        if "error" in o:
            unreadable.add(o["line"])
        elif o["rules"]:
            oracle[o["line"]] = sorted(o["rules"])
    # Looking for the rules that can match, also without keeping what was found out about values and keys, and asking
    # each.
    ways = (["SIGCC_INDEX=1", "SIGCC_LAYOUTS=1"], ["SIGCC_INDEX=1", "SIGCC_RECALL=0", "SIGCC_LAYOUTS=0"],
            ["SIGCC_INDEX=0"])
    alerts = [run(["env", *way, detector, "-f", "ndjson", "--no-event", events], (0,)) for way in ways]
    if alerts[0] != alerts[1] or alerts[0] != alerts[2]:
        raise RuntimeError("verdicts depend on SIGCC_INDEX, SIGCC_RECALL or SIGCC_LAYOUTS")
    for line in alerts[0].splitlines():
        a = json.loads(line)
        if a["type"] == "detection":
            compiled[a["source"]["line"]].append(a["rule"].get("name") or a["rule"]["title"])
    return oracle, {n: sorted(v) for n, v in compiled.items()}, unreadable


def compare(part, oracle, compiled):
    found = 0
    for n in sorted(set(oracle) | set(compiled)):
        want, have = collections.Counter(oracle.get(n, [])), collections.Counter(compiled.get(n, []))
        if want == have:
            continue
        found += 1
        if found <= 20:
            path, line, text = part[n - 1]
            print("DIFFERENCE %s:%d\n  only the oracle   %s\n  only the detector %s\n  %s" % (
                path, line, sorted((want - have).elements()), sorted((have - want).elements()),
                text.decode(errors="replace").strip()[:1500]))
    return found


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--sigcc", required=True)
    ap.add_argument("--rules", nargs="+")
    ap.add_argument("--corpora", default=os.path.join(SHARED, "corpora"))
    ap.add_argument("--limit", type=int, default=10**9)
    ap.add_argument("--stride", type=int, default=0)
    ap.add_argument("--only", default="", help="logs whose path holds this text")
    ap.add_argument("-O", default="1", dest="level")
    args = ap.parse_args()
    args.rules = args.rules or sorted(glob.glob(os.path.join(SHARED, "sigmahq", "rules*")))
    if not args.rules or not os.path.isdir(args.corpora):
        print("no rules or no corpora; skipped")
        return 77
    counts, started = collections.Counter(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        detector, events = os.path.join(folder, "pack"), os.path.join(folder, "events")
        run([args.sigcc, "build", "--pack", "--keep-going", "-O" + args.level, "-o", detector] + args.rules, (0, 1))
        for part in chunks(args):
            with open(events, "wb") as f:
                f.writelines(item[2] for item in part)
            oracle, compiled, unreadable = verdicts(args, detector, events)
            counts["lines"] += len(part)
            counts["unreadable"] += len(unreadable)
            counts["matches"] += sum(map(len, oracle.values()))
            counts["different"] += compare(part, oracle, compiled)
            print("%6d s: %d lines (%d unreadable), %d matches, %d lines differ; at %s" % (
                time.monotonic() - started, counts["lines"], counts["unreadable"], counts["matches"], counts["different"],
                os.path.relpath(part[-1][0], args.corpora)), flush=True)
    print("1 passed, 0 failed" if not counts["different"] else "0 passed, 1 failed")
    return 1 if counts["different"] or not counts["lines"] else 0


if __name__ == "__main__":
    sys.exit(main())
