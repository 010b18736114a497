#!/usr/bin/env python3
"""A detector of a whole rule collection, and one of a single rule, over real logs, with each fast path forced or turned off: the alerts
must be the same bytes.

usage: switches.py --sigcc PATH [--rules DIR...] [--corpora DIR] [--every N] [--only TEXT] [--rebuild] [-O LEVEL]

Takes every log under the corpora (--every: each Nth of them, and the largest that are packed; --only: those whose path
holds this text) as they are: plain, gzip, zstd.
--rebuild: also compares the detector with one that is built without the cache. Rules and corpora are looked for in a folder `shared` beside the checkout;
without it the test is skipped (77).
"""
import argparse
import glob
import hashlib
import os
import subprocess
import sys
import tempfile
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SHARED = os.path.join(ROOT, "..", "shared")
LEVELS = ["avx512", "avx2", "sse2", "neon", "scalar"]  # the best one is taken where one cannot be had
SIMD = [["SIGCC_SIMD=" + level] for level in LEVELS]
# Of a pack, and of a small detector, which finds its events by other means.
PACK = [*SIMD, ["SIGCC_LAYOUTS=0"], ["SIGCC_INDEX=0"], ["SIGCC_RECALL=0"], ["SIGCC_AHEAD=0"], ["SIGCC_INFLATE=zlib"], ["--threads=2"],
        ["--threads=2", "SIGCC_SHARE=0"], ["--threads=2", "SIGCC_RANGES=0"], ["--threads=2", "SIGCC_RANGES=4096"]]
SMALL = [*SIMD, ["--no-prefilter"], ["SIGCC_CASCADE=0"], ["SIGCC_LINES=0"], ["SIGCC_LAYOUTS=1"], ["SIGCC_INDEX=1"], ["--threads=2"]]
SMALL_RULE = os.path.join(ROOT, "sigma", "t1071_003_mail_protocols.yml")
SUFFIXES = tuple(kind + packed for kind in (".ndjson", ".jsonl", ".txt") for packed in ("", ".gz", ".zst"))


def logs(args):
    found = [os.path.join(base, name) for base, _, names in os.walk(args.corpora) for name in names if name.endswith(SUFFIXES)]
    found = [path for path in sorted(found) if args.only in path]
    largest = [max((p for p in found if p.endswith(packed)), key=os.path.getsize, default=None) for packed in (".gz", ".zst")]
    return sorted({*found[::args.every], *filter(None, largest)})


def build(args, out, *more):
    command = [args.sigcc, "build", "--keep-going", "-O" + args.level, "-o", out, *more]
    p = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)
    if p.returncode not in (0, 1):
        sys.exit("sigcc build exits %d: %s" % (p.returncode, p.stderr.decode(errors="replace")[-2000:]))


def alerts(detector, switches, paths):
    """How many, and their hash."""
    variables = dict(s.split("=") for s in switches if not s.startswith("-"))
    command = [detector, "-f", "ndjson", *(s for s in switches if s.startswith("-")), "--", *paths]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("SIGCC_")}
    p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**plain, **variables})
    count, digest = 0, hashlib.sha256()
    for line in p.stdout:
        count += 1
        digest.update(line)
    error = p.stderr.read().decode(errors="replace")
    if p.wait() != 0:
        print("%s exits %d: %s" % (" ".join(switches), p.returncode, error[-2000:]))
        return None
    return count, digest.hexdigest()


def file_hash(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def compare(detector, ways, paths, *always):
    """How many ways there are in which it gives other alerts, or none."""
    want, failed = alerts(detector, list(always), paths), 0
    print("%d files, %d alerts, %s" % (len(paths), *want) if want else "no alerts")
    if not want or want[0] == 0:
        return len(ways)
    for switches in ways:
        begin = time.monotonic()
        same = alerts(detector, [*always, *switches], paths) == want
        failed += not same
        print("%s %-28s %.1f s" % ("same" if same else "DIFFERENT:", " ".join(switches), time.monotonic() - begin), flush=True)
    return failed


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--sigcc", required=True)
    ap.add_argument("--rules", nargs="+")
    ap.add_argument("--corpora", default=os.path.join(SHARED, "corpora"))
    ap.add_argument("--every", type=int, default=1)
    ap.add_argument("--only", default="")
    ap.add_argument("--rebuild", action="store_true")
    ap.add_argument("-O", default="1", dest="level")
    args = ap.parse_args()
    args.rules = args.rules or sorted(glob.glob(os.path.join(SHARED, "sigmahq", "rules*")))
    paths, failed = logs(args), 0
    if not args.rules or not paths:
        print("no rules or no corpora; skipped")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        pack, again, small = (os.path.join(folder, name) for name in ("pack", "again", "small"))
        build(args, pack, "--pack", *args.rules)
        if args.rebuild:
            build(args, again, "--pack", "--no-cache", *args.rules)
            same = file_hash(pack) == file_hash(again)
            failed += not same
            print("%s the detector that is built without the cache" % ("same" if same else "DIFFERENT:"))
        failed += compare(pack, PACK, paths)
        build(args, small, SMALL_RULE, "-p", "crowdstrike_fdr")
        failed += compare(small, SMALL, paths, "--mode=search")
    print("%d passed, %d failed" % (len(PACK) + len(SMALL) + args.rebuild - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
