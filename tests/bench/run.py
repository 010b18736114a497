#!/usr/bin/env python3
"""Measures what the project aims at, each figure against what runs beside it.

usage: run.py [--build DIR] [-o DIR] [--quick] [--rounds N] [--profile] [--only NAME]... [--list]

Makes its data and builds its peers; fetches nothing. What is compared runs in
turn, N (5) times; medians are told. ../shared, where it is there, gives rules
(sigmahq) and events (corpora/mordor); else both are made. -o writes bench.md,
bench.json and a chart for each curve as SVG. --quick takes some minutes:
smaller data, a tenth of the rules, three rounds; its figures say little.
--only takes the name of a row or curve (--list), or a part of it. --profile
tells, by perf, where what misses its aim spends its time. Files that are read
are in the page cache. Nothing here passes or fails: figures are data.
"""
import argparse
import json
import os
import platform
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from curves import CURVES  # noqa: E402
from hotspots import hotspots, hotspots_told  # noqa: E402
from rows import ROWS  # noqa: E402
from workload import ROOT, Workload  # noqa: E402


def is_met(r):
    if r.value is None or r.aim is None:
        return None
    return r.value >= r.aim if r.least else r.value <= r.aim


def number(value, unit):
    return "%.3g%s" % (value, "x" if unit == "x" else " " + unit) if value < 1000 else "%.0f%s" % (value, "x" if unit == "x" else " " + unit)


def table(results):
    lines = ["| workload | what | measured | aim | met | |", "|---|---|---:|---:|---|---|"]
    for r in results:
        aim = "" if r.aim is None else ("≥ " if r.least else "≤ ") + number(r.aim, r.unit)
        met = {True: "yes", False: "**no**", None: ""}[is_met(r)]
        value = "not measured" if r.value is None else number(r.value, r.unit)
        lines.append("| %s | %s | %s | %s | %s | %s |" % (r.row, r.what, value, aim, met, r.note))
    return "\n".join(lines) + "\n"


def machine():
    name = platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            name = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), name)
    except OSError:
        pass
    return "%s, %d processors" % (name, os.cpu_count())


def chosen(names, only):
    return [n for n in names if not only or any(o in n for o in only)]


def measure(w, a, results, series, profiles):
    """Row by row; what there is so far is written each time, so that an early end loses little."""
    for name in chosen(ROWS, a.only):
        print("row: " + name, file=sys.stderr)
        for r in ROWS[name](w, a.rounds):
            results.append(r)
            if a.profile and is_met(r) is False and r.command and r.row not in profiles:
                profiles[r.row] = hotspots(r.command, w.folder)
        write(a, results, series, profiles)
    for name in chosen(CURVES, a.only):
        print("curve: " + name, file=sys.stderr)
        svg, series[name] = CURVES[name](w, a.rounds)
        if a.output:
            put(a.output, "%s.svg" % name, svg)
        write(a, results, series, profiles)


def put(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
        f.write(text)


def curve_table(series):
    return "".join("| %s, %s | %s |\n" % (name, line, ", ".join("%g: %.0f" % (round(x), y) for x, y in points))
                   for name, lines in series.items() for line, points in lines.items())


def profile_table(profiles):
    return "".join("| %s | %s |\n" % (row, "perf is missing, or may not look" if functions is None else hotspots_told(functions))
                   for row, functions in profiles.items())


def told(a, results, series, profiles):
    text = "%s; medians of %d alternating runs%s\n\n" % (machine(), a.rounds, ", --quick: a smoke run" if a.quick else "")
    if results:
        text += table(results)
    if profiles:
        text += "\n| missed | where its processor time goes |\n|---|---|\n" + profile_table(profiles)
    if series:
        text += "\n| curve | x: ns an event |\n|---|---|\n" + curve_table(series)
    return text


def write(a, results, series, profiles):
    if not a.output:
        return
    put(a.output, "bench.md", told(a, results, series, profiles) + "".join("\n![%s](%s.svg)\n" % (name, name) for name in series))
    rows = [{**{k: v for k, v in r._asdict().items() if k != "command"}, "met": is_met(r)} for r in results]
    all_of_it = {"machine": machine(), "rounds": a.rounds, "quick": a.quick, "rows": rows, "profiles": profiles, "curves": series}
    put(a.output, "bench.json", json.dumps(all_of_it, indent=1))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--build", default=os.path.join(ROOT, "build"), help="folder of a Release build")
    ap.add_argument("--rounds", type=int)
    ap.add_argument("--quick", action="store_true")
    ap.add_argument("--profile", action="store_true")
    ap.add_argument("--only", action="append", default=[])
    ap.add_argument("--list", action="store_true")
    ap.add_argument("-o", "--output")
    a = ap.parse_args()
    a.rounds = a.rounds or (3 if a.quick else 5)
    if a.list or not chosen({**ROWS, **CURVES}, a.only):
        print("rows: %s\ncurves: %s" % (", ".join(ROWS), ", ".join(CURVES)))
        return 0 if a.list else 2
    if a.output:
        os.makedirs(a.output, exist_ok=True)
    folder = tempfile.mkdtemp(prefix="sigcc-bench-")
    results, series, profiles = [], {}, {}
    try:
        measure(Workload(a.build, folder, a.quick), a, results, series, profiles)
    finally:
        shutil.rmtree(folder)
    print(told(a, results, series, profiles))
    return 0


if __name__ == "__main__":
    sys.exit(main())
