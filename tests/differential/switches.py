#!/usr/bin/env python3
"""A detector of a whole rule collection over real logs, with each fast path forced or turned off: the alerts must be the same bytes.

usage: switches.py --sigcc PATH [--rules DIR...] [--corpora DIR] [--every N] [--only TEXT] [--rebuild] [-O LEVEL]

Takes every log under the corpora (--every: each Nth of them; --only: those whose path holds this text) as they are: plain, gzip, zstd.
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
SWITCHES = [["SIGCC_SIMD=" + level] for level in LEVELS] + [
    ["SIGCC_CASCADE=0"], ["SIGCC_LINES=0"], ["SIGCC_LAYOUTS=0"], ["SIGCC_LAYOUTS=1"], ["SIGCC_INDEX=0"], ["SIGCC_INDEX=1"],
    ["SIGCC_RECALL=0"], ["SIGCC_AHEAD=0"], ["SIGCC_INFLATE=zlib"], ["--threads=2"], ["--threads=2", "SIGCC_SHARE=0"],
    ["--threads=2", "SIGCC_RANGES=0"], ["--threads=2", "SIGCC_RANGES=4096"]]
SUFFIXES = tuple(kind + packed for kind in (".ndjson", ".jsonl", ".txt") for packed in ("", ".gz", ".zst"))


def logs(args):
    found = [os.path.join(base, name) for base, _, names in os.walk(args.corpora) for name in names if name.endswith(SUFFIXES)]
    return [path for path in sorted(found) if args.only in path][::args.every]


def build(args, out, *more):
    command = [args.sigcc, "build", "--pack", "--keep-going", "-O" + args.level, "-o", out, *more, *args.rules]
    p = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)
    if p.returncode not in (0, 1):
        sys.exit("sigcc build exits %d: %s" % (p.returncode, p.stderr.decode(errors="replace")[-2000:]))


def alerts(detector, switches, paths):
    """How many, and their hash."""
    variables = dict(s.split("=") for s in switches if not s.startswith("-"))
    command = [detector, "-f", "ndjson", *(s for s in switches if s.startswith("-")), "--", *paths]
    p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **variables})
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
    paths = logs(args)
    if not args.rules or not paths:
        print("no rules or no corpora; skipped")
        return 77
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        detector, again = os.path.join(folder, "pack"), os.path.join(folder, "again")
        build(args, detector)
        if args.rebuild:
            build(args, again, "--no-cache")
            same = file_hash(detector) == file_hash(again)
            failed += not same
            print("%s the detector that is built without the cache" % ("same" if same else "DIFFERENT:"))
        want = alerts(detector, [], paths)
        print("%d files, %d alerts, %s" % (len(paths), want[0], want[1]) if want else "no verdict")
        for switches in SWITCHES:
            begin = time.monotonic()
            have = alerts(detector, switches, paths)
            failed += have is None or have != want
            print("%s %-28s %.1f s" % ("same" if have == want else "DIFFERENT:", " ".join(switches), time.monotonic() - begin), flush=True)
    print("%d passed, %d failed" % (len(SWITCHES) + args.rebuild - failed, failed))
    return 1 if failed or not want or want[0] == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
