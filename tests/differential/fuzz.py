#!/usr/bin/env python3
"""Differential fuzzer: the oracle against compiled detectors.

usage: fuzz.py --sigcc PATH [--seconds N | --rounds N] [--seed N] [--rules N]
               [--events N] [--keep DIR] [--coverage]

Each round draws a pack of random rules and a file of random events, asks the
oracle (`sigcc eval`) for the verdicts and compares them with detectors built
at -O0 and -O2, with and without each optimiser pass now and then; every third
pack has filters, every second one a pipeline. Two of its rules are compiled
alone, too: small detectors look for texts and fields in the bytes of lines. A difference prints the rule,
the event and both verdicts, and ends with 1.
"""
import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from generate import CONSTRUCTS, Generator  # noqa: E402


def run(args, **kw):
    return subprocess.run(args, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, **kw)


def oracle(sigcc, rules, events, extra):
    """Verdicts of the slow evaluator: line -> set of rule names."""
    p = run([sigcc, "eval", rules, "--events", events] + extra)
    if p.returncode not in (0, 1):
        raise RuntimeError("eval exits %d: %s" % (p.returncode, p.stderr.decode(errors="replace")[-2000:]))
    out = {}
    for line in p.stdout.splitlines():
        o = json.loads(line)
        out[o["line"]] = set(o["rules"])
    return out


# Looking for rules, asking each, and keeping nothing of values and keys.
WAYS = {"SIGCC_INDEX": "1", "SIGCC_LAYOUTS": "1"}, {"SIGCC_INDEX": "0"}, {"SIGCC_INDEX": "1", "SIGCC_RECALL": "0", "SIGCC_LAYOUTS": "0"}
# With and without looking for fields in the bytes of lines and checking many of these at once.
ALONE = {}, {"SIGCC_CASCADE": "0", "SIGCC_LINES": "0"}, {"SIGCC_SIMD": "scalar"}


def verdicts(det, events, env):
    """Verdicts of a detector that sees all events twice, so that their values come again."""
    d = run([det, "-f", "ndjson", "--no-event", events, events], env=dict(os.environ, **env))
    if d.returncode != 0:
        raise RuntimeError("detector exits %d: %s" % (d.returncode, d.stderr.decode(errors="replace")[-2000:]))
    counts, out = collections.Counter(), collections.defaultdict(set)
    for line in d.stdout.splitlines():
        a = json.loads(line)
        counts[a["source"]["line"], a["rule"]["name"]] += 1
    for (line, name), n in counts.items():
        if n != 2:
            raise RuntimeError("%s matches line %d once, not when it comes again, or the other way round" % (name, line))
        out[line].add(name)
    return out


def compiled(sigcc, rules, events, flags, folder, ways=WAYS):
    """Verdicts of a detector built with flags, the same in each of the ways."""
    det = os.path.join(folder, "det" + flags[0][1:])
    p = run([sigcc, "build", "--pack", "--keep-going", rules, "-o", det] + flags)
    if p.returncode not in (0, 1) or not os.path.exists(det):
        raise RuntimeError("build exits %d: %s" % (p.returncode, p.stderr.decode(errors="replace")[-2000:]))
    out = verdicts(det, events, ways[0])
    for env in ways[1:]:
        if out != verdicts(det, events, env):
            raise RuntimeError("verdicts of %s depend on %s" % (det, " ".join(env)))
    return out, p.returncode, p.stderr.decode(errors="replace")


def alone(args, rule, events, extra, folder, stats):
    """Whether a detector of one rule agrees with the oracle."""
    path = os.path.join(folder, "alone.yml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(json.dumps(rule, ensure_ascii=False))
    want = oracle(args.sigcc, path, events, extra)
    have = compiled(args.sigcc, path, events, ["-O0"] + extra, folder, ALONE)[0]
    stats["matches alone"] += len(want)
    for n in sorted(n for n in set(want) | set(have) if want.get(n, set()) != have.get(n, set())):
        print("DIFFERENCE alone, line %d: oracle %s, compiled %s" % (n, bool(want.get(n)), bool(have.get(n))))
        print("  rule  %s" % json.dumps(rule["detection"], ensure_ascii=True))
        return False
    return True


def round_(args, seed, folder, coverage, stats):
    g = Generator(seed)
    rules = [g.rule("r%d" % i) for i in range(args.rules)]
    docs, extra = list(rules), []
    if seed % 3 == 0:
        docs += [g.filter(i, rules) for i in range(g.r.randint(1, 4))]
    if seed % 2 == 0:
        extra = ["-p", os.path.join(folder, "pipeline.yml")]
        with open(extra[1], "w", encoding="utf-8") as f:
            json.dump(g.pipeline(), f, ensure_ascii=False)
    lines = [g.line(g.event(rules)) for _ in range(args.events)]
    rpath, epath = os.path.join(folder, "rules.yml"), os.path.join(folder, "events.ndjson")
    with open(rpath, "w", encoding="utf-8") as f:       # JSON is YAML, but for \\u surrogates
        f.write("\n---\n".join(json.dumps(r, ensure_ascii=False) for r in docs))
    with open(epath, "w", encoding="utf-8", errors="surrogatepass") as f:
        f.write("\n".join(lines) + "\n")
    want = oracle(args.sigcc, rpath, epath, extra)
    variants = [["-O0"], ["-O2"]]
    if seed % 5 == 0:
        variants.append(["-O1", "-fno-" + ["fold", "share", "litset", "gate", "order", "count"][seed // 5 % 6]])
    for flags in variants:
        have, status, err = compiled(args.sigcc, rpath, epath, flags + extra, folder)
        stats["rejected"] += err.count("error[")
        for n in range(1, len(lines) + 1):
            w, h = want.get(n, set()), have.get(n, set())
            stats["verdicts"] += len(rules)
            stats["matches"] += len(w)
            if w != h:
                for name in sorted(w ^ h):
                    rule = next(r for r in rules if r["name"] == name)
                    print("DIFFERENCE seed %d %s line %d: oracle %s, compiled %s" % (seed, flags, n, name in w, name in h))
                    print("  rule  %s" % json.dumps(rule["detection"], ensure_ascii=True))
                    print("  event %s" % lines[n - 1])
                return False
    # Of the rules that match something, and so compile.
    found = sorted(set().union(*want.values())) if want else []
    for name in g.r.sample(found, min(2, len(found))):
        if not alone(args, next(r for r in rules if r["name"] == name), epath, extra, folder, stats):
            print("  seed %d" % seed)
            return False
    coverage.update(g.used)
    return True


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--sigcc", required=True)
    ap.add_argument("--seconds", type=float)
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--rules", type=int, default=60)
    ap.add_argument("--events", type=int, default=400)
    ap.add_argument("--coverage", action="store_true", help="print how often each construct was drawn")
    args = ap.parse_args()
    coverage, stats = collections.Counter(), collections.Counter()
    started, done, failed = time.monotonic(), 0, 0
    while (time.monotonic() - started < args.seconds) if args.seconds else done < args.rounds:
        with tempfile.TemporaryDirectory() as folder:
            if not round_(args, args.seed + done, folder, coverage, stats):
                failed += 1
                break
        done += 1
    if args.coverage:
        for name, n in sorted(coverage.items()):
            print("%-36s %8d" % (name, n))
        missing = [c for c in CONSTRUCTS if not coverage[c]]
        print("constructs drawn %d of %d%s" % (len(CONSTRUCTS) - len(missing), len(CONSTRUCTS), "".join("\n  never: " + c for c in missing)))
    print("rounds %d, rejected by the compiler %d, verdicts compared %d, of them matches %d; matches of single rules %d" % (
        done, stats["rejected"], stats["verdicts"], stats["matches"], stats["matches alone"]))
    print("%d passed, %d failed" % (done, failed))
    return 1 if failed or not done else 0


if __name__ == "__main__":
    sys.exit(main())
