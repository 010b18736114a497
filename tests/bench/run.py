#!/usr/bin/env python3
"""Benchmarks: the first detection beside programs that read the same bytes.

usage: run.py --build DIR [--size BYTES] [--rounds N] [--data FILE] [-o DIR]
       run.py --build DIR --agg [--quick] [--rounds N]

Makes its data (or takes --data), builds the peers, runs each command N times
in turn and prints medians and ratios; -o writes bench.md and bench.json. The
file is read once first, so every run finds it in the page cache. Nothing here
passes or fails: figures are data. --agg measures the correlation engine instead
(BUILD/bin/bench_agg, which see; --quick for a smoke run).
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def sh(args, **kw):
    return subprocess.run(args, check=True, **kw)


def flags(*packages):
    out = subprocess.run(["pkg-config", "--cflags", "--libs", *packages], capture_output=True, text=True)
    return out.stdout.split() if out.returncode == 0 else None


def peers(folder):
    """Programs that do the same work; those whose library is absent are left out."""
    found = {}
    for name, cc, source, packages in (("cJSON", "cc", "peer_cjson.c", ["libcjson", "libpcre2-8"]),
                                       ("simdjson on-demand", "c++", "peer_simdjson.cpp", ["simdjson", "libpcre2-8"])):
        libs = flags(*packages)
        if libs is None or not shutil.which(cc):
            print("left out: %s (library or compiler not installed)" % name, file=sys.stderr)
            continue
        out = os.path.join(folder, source.split(".")[0])
        sh([cc, "-O3", "-march=native", "-o", out, os.path.join(HERE, source), *libs])
        found[name] = [out]
    return found


def timed(args):
    t = time.monotonic()
    # A pipe: grep stops at the first match when its output is /dev/null.
    subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return time.monotonic() - t


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--build", required=True)
    ap.add_argument("--size", type=float, default=1e9)
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--data")
    ap.add_argument("-o", "--output")
    ap.add_argument("--agg", action="store_true", help="the correlation engine alone")
    ap.add_argument("--quick", action="store_true", help="with --agg: some seconds instead of minutes")
    a = ap.parse_args()
    if a.agg:
        sh([os.path.join(a.build, "bin/bench_agg"), "--rounds", str(a.rounds)] + ["--quick"] * a.quick)
        return
    with tempfile.TemporaryDirectory() as folder:
        data = a.data or os.path.join(folder, "fdr.ndjson")
        if not a.data:
            sh([sys.executable, os.path.join(HERE, "make_fdr.py"), data, str(a.size)])
        det = os.path.join(folder, "detector")
        sh([os.path.join(a.build, "bin/sigcc"), "build", os.path.join(HERE, "../../sigma/t1071_003_mail_protocols.yml"), "-p", "crowdstrike_fdr",
            "-o", det])
        commands = {"sigcc detector": [det, "--mode", "search", "-f", "ndjson"], "wc -l": ["wc", "-l"],
                    "grep -c -F": ["grep", "-c", "-F", "NetworkConnectIP4"]}
        if shutil.which("rg"):
            commands["rg -c -F"] = ["rg", "-c", "-F", "NetworkConnectIP4"]
        commands.update(peers(folder))
        with open(data, "rb") as f:
            events = sum(block.count(b"\n") for block in iter(lambda: f.read(1 << 22), b""))
        size = os.path.getsize(data)
        times = {name: [] for name in commands}
        for _ in range(a.rounds):
            for name, args in commands.items():
                times[name].append(timed(args + [data]))
        med = {name: statistics.median(t) for name, t in times.items()}
        ours = med["sigcc detector"]
        rows = ["| command | seconds | GB/s | events/s | detector's speed against it |", "|---|---:|---:|---:|---:|"]
        for name, t in med.items():
            rows.append("| %s | %.3f | %.2f | %.0f k | %.2fx |" % (name, t, size / t / 1e9, events / t / 1e3, t / ours))
        text = "%d events, %.2f GB, medians of %d alternating runs\n\n%s\n" % (events, size / 1e9, a.rounds, "\n".join(rows))
        print(text)
        if a.output:
            os.makedirs(a.output, exist_ok=True)
            with open(os.path.join(a.output, "bench.md"), "w", encoding="utf-8") as f:
                f.write(text)
            with open(os.path.join(a.output, "bench.json"), "w", encoding="utf-8") as f:
                json.dump({"events": events, "bytes": size, "seconds": times}, f, indent=1)


if __name__ == "__main__":
    main()
