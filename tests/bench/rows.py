"""The rows of the table: each measures one aim against what runs beside it.

A row is a generator of results. Whatever a row compares runs in the same rounds, in turn. Processor time (of all threads) is compared where
one core is asked about, the clock where it is not.
"""
import collections
import importlib.util
import json
import os
import shutil
import subprocess

import hostile
from measure import Run, in_turn, median, medians, ratio, warm
from workload import ROOT

# value and aim in the same unit; `least` says that more is better. value None: not measured, `note` says why. `command`, as measure.in_turn has
# them, is what to profile where the aim is missed; it can be run until the row goes on.
Result = collections.namedtuple("Result", "row what value aim unit least note command")
ROWS = {}


def row(name):
    def add(fn):
        ROWS[name] = fn
        return fn
    return add


def at_least(name, what, value, aim, unit="x", note="", command=None):
    return Result(name, what, value, aim, unit, True, note, command)


def at_most(name, what, value, aim, unit, note="", command=None):
    return Result(name, what, value, aim, unit, False, note, command)


def absent(name, what, aim, note, unit="x", least=True):
    return Result(name, what, None, aim, unit, least, note, None)


def speeds(name, times, command, peers):
    """How many times the speed of each peer "ours" has, which is `command`; those of None were not there."""
    for peer, aim in peers:
        if times.get(peer) is None:
            yield absent(name, "against " + peer, aim, "not installed")
        else:
            note = "%.2f s and %.2f s" % (times["ours"], times[peer])
            yield at_least(name, "against " + peer, times[peer] / times["ours"], aim, note=note, command=command)


def search_commands(w, path, peers=True):
    commands = {"ours": [w.one, "--mode", "search", "-f", "ndjson", path], "wc -l": ["wc", "-l", path],
                "grep -c -F": ["grep", "-c", "-F", "NetworkConnectIP4", path]}
    if shutil.which("rg"):
        commands["rg -c -F"] = ["rg", "-c", "-F", "NetworkConnectIP4", path]
    if peers:
        for name, program in (("cJSON", w.peer("peer_cjson.c", "libcjson", "libpcre2-8")),
                              ("simdjson", w.peer("peer_simdjson.cpp", "simdjson", "libpcre2-8"))):
            if program:
                commands[name] = [program, path]
    return commands


# -------- speed ------------------------------------------------------------


@row("one rule, 8 %")
def one_rule(w, rounds):
    name, path = "one rule, 8 % of lines are candidates", w.fdr()
    size, _ = warm(path)
    commands = search_commands(w, path, peers=False)
    times = medians(in_turn(commands, rounds))
    yield at_least(name, "GB/s of one core", size / times["ours"] / 1e9, None, "GB/s")
    yield from speeds(name, times, commands["ours"], [("wc -l", 1.6), ("rg -c -F", 0.75), ("grep -c -F", None)])


@row("one rule, every line")
def every_line(w, rounds):
    name, path = "one rule, every line needs its fields", w.fdr(1.0)
    size, _ = warm(path)
    commands = search_commands(w, path)
    times = medians(in_turn(commands, rounds))
    yield at_least(name, "GB/s of one core", size / times["ours"] / 1e9, None, "GB/s")
    yield from speeds(name, times, commands["ours"], [("simdjson", 2.2), ("cJSON", 12), ("rg -c -F", 0.45)])


def candidates(pack, path):
    stats = json.loads(Run([pack, "-f", "ndjson", "-o", os.devnull, "--stats=json", path], keep=True).err.splitlines()[-1])
    return stats["candidates"] / max(1, stats["events"])


def pack_rows(name, command, path, count, time, aim=None, most=None):
    """A pack over so many events, in so many seconds."""
    yield at_least(name, "events/s of one core", count / time / 1e3, aim, "k/s", command=command)
    yield at_most(name, "rules asked for an event", candidates(command[0], path), most, "rules")


def against_rsigma(w, name, path, ours):
    """The same rules, also with its choice of those for a log source, and told that this is Windows. Once: it takes long."""
    if not shutil.which("rsigma"):
        return absent(name, "against rsigma", 10, "not installed; it publishes 19 to 99 k events/s for another core")
    peer = Run(["rsigma", "engine", "eval", "--input-format", "json", "--output-format", "ndjson", "--logsource-routing",
                "--event-logsource", "product=windows", "-r", w.rules(None), "-e", "@" + path])
    if peer.code != 0:
        return absent(name, "against rsigma", 10, "it ended with %d" % peer.code)
    return at_least(name, "against rsigma", peer.cpu / ours, 10, note="%.2f s and %.1f s; one run" % (ours, peer.cpu))


def falcon_pack(w, rounds):
    """Through a pipeline, which adds to each rule what kind of event it is about."""
    path = w.fdr()
    count, command = warm(path)[1], [w.pack_for("crowdstrike_fdr"), "-f", "ndjson", path]
    time = medians(in_turn({"pack": command}, rounds))["pack"]
    yield from pack_rows("the same for Falcon, events of its sensor", command, path, count, time)


@row("pack")
def pack_speed(w, rounds):
    pack, sets = w.pack(), [(w.windows_name, w.windows, 500), ("process creations alone", w.processes, 240)]
    counts = {what: warm(path)[1] for what, path, _ in sets}
    commands = {what: [pack, "-f", "ndjson", path] for what, path, _ in sets}
    times = medians(in_turn(commands, rounds))
    for what, path, aim in sets:
        yield from pack_rows("pack of %s, %s" % (w.collection, what), commands[what], path, counts[what], times[what], aim, 8)
    yield from falcon_pack(w, rounds)
    what, path, _ = sets[0]
    yield against_rsigma(w, "pack of %s, %s" % (w.collection, what), path, times[what])


@row("shapes")
def shapes(w, rounds):
    """The same detector for events as shippers write them."""
    pack, found = w.pack(), w.shapes
    if not found:
        yield absent("pack, events of other shapes", "events/s of one core", None, "no corpora here")
        return
    counts = {name: warm(path)[1] for name, path in found.items()}
    commands = {name: [pack, "-f", "ndjson", path] for name, path in found.items()}
    times = medians(in_turn(commands, rounds))
    for name, path in found.items():
        yield from pack_rows("pack, " + name, commands[name], path, counts[name], times[name])


@row("two cores")
def two_cores(w, rounds):
    if os.cpu_count() < 2:
        yield absent("two cores", "speed against one", 1.8, "one processor here")
        return
    for what, command in (("one rule", [w.one, "--mode", "search", "-f", "ndjson", w.fdr()]), ("pack", [w.pack(), "-f", "ndjson", w.windows])):
        warm(command[-1])
        commands = {n: command[:1] + ["--threads", n] + command[1:] for n in ("1", "2")}
        times = medians(in_turn(commands, rounds), "wall")
        yield at_least("two cores, " + what, "speed against one", times["1"] / times["2"], 1.8,
                       note="by the clock: needs both cores to itself", command=commands["2"])


def piped(args, path):
    """Reader and writer on a processor each, where there are two: on one their times add up, which the scheduler would decide anew for each run."""
    cpus = [["taskset", "-c", str(n)] for n in sorted(os.sched_getaffinity(0))[:2]] if shutil.which("taskset") else []
    writer, reader = cpus if len(cpus) == 2 else ([], [])
    return reader + args, {"feed": [*writer, "cat", path]}


@row("inputs")
def inputs(w, rounds):
    path, ours = w.fdr(), [w.one, "--mode", "search", "-f", "ndjson"]
    warm(path)
    commands = {"ours": piped(ours, path), "pipe": piped([w.peer("peer_pipe.c")], path)}
    runs = in_turn(commands, max(rounds * 3, 15))
    times = medians(runs, "wall")
    yield at_least("standard input", "against a bare pipe reader", ratio(runs, "pipe", "ours", "wall"), 0.85,
                   note="by the clock, %.2f s and %.2f s" % (times["ours"], times["pipe"]), command=commands["ours"])
    yield from packed(w, rounds, path, ours)


def packed(w, rounds, path, ours):
    """One large member takes zlib; files of sensors, and logs packed day by day, have smaller ones."""
    peers = [("rg -z", ["rg", "-z", "-c", "-F", "NetworkConnectIP4"], 4), ("gzip -dc", ["gzip", "-dc"], None)]
    kinds = ((".gz of one member", ["gzip", "-1c"], "gz", peers),
             (".gz of members of 48 MiB", ["split", "-C", "48m", "--filter=gzip -1c"], "gz", peers),
             (".zst", ["zstd", "-qc"], "zst", [("zstd -dc", ["zstd", "-dqc"], 0.85)]))
    for name, pack, end, peers in kinds:
        if not shutil.which("gzip" if end == "gz" else "zstd"):
            yield absent(name, "against " + peers[0][0], peers[0][2], "no program that packs")
            continue
        file = path + "." + end
        with open(file, "wb") as f:
            subprocess.run([*pack, path], stdout=f, check=True)
        commands = {peer: [*args, file] for peer, args, _ in peers if shutil.which(args[0])}
        times = medians(in_turn({"ours": ours + [file], **commands}, rounds))
        yield from speeds(name, times, ours + [file], [(peer, aim) for peer, _, aim in peers])
        os.unlink(file)


# -------- start and build --------------------------------------------------


@row("start-up")
def start_up(w, rounds):
    nothing = w.peer("peer_nothing.c", static=True)
    commands = {"nothing": [nothing], "one rule": [w.one], "pack": [w.pack()]}
    times = medians(in_turn(commands, rounds * 10), "wall")
    aim = 1.25 * times["nothing"] + 1e-3
    for what in ("one rule", "pack"):
        again = ["sh", "-c", 'for i in $(seq 300); do "$0" </dev/null; done', *commands[what]]
        yield at_most("start-up, " + what, "of empty input", times[what] * 1e3, aim * 1e3, "ms",
                      "the aim is 1.25 times a static program that does nothing (%.2f ms), and 1 ms" % (times["nothing"] * 1e3), again)


@row("sandbox")
def sandbox(w, rounds):
    """The default against --no-sandbox: what is added to a start by the clock, to a run by processor time. That is less than by what
    runs differ (5 to 10 %), so there are many, compared round by round."""
    def both(command):
        return {"on": command, "off": command[:1] + ["--no-sandbox"] + command[1:]}
    times = medians(in_turn(both([w.one]), rounds * 40), "wall")
    yield at_most("sandbox, start-up", "adds", (times["on"] - times["off"]) * 1e3, 0.25, "ms",
                  "%.2f ms and %.2f ms" % (times["on"] * 1e3, times["off"] * 1e3))
    for what, command in (("one rule", [w.one, "--mode", "search", "-f", "ndjson", w.fdr()]), ("pack", [w.pack(), "-f", "ndjson", w.windows])):
        warm(command[-1])
        runs = in_turn(both(command), max(rounds * 5, 25))
        times = medians(runs)
        yield at_most("sandbox, " + what, "adds to the processor time", (ratio(runs, "on", "off") - 1) * 100, 2, "%",
                      "%.3f s and %.3f s" % (times["on"], times["off"]))


@row("build")
def build(w, rounds):
    rule = os.path.join(ROOT, "sigma/t1071_003_nc_pop3_connection.yml")
    commands = {"build": [w.sigcc, "build", "--no-cache", rule, "-o", w.path("b")], "emit": [w.sigcc, "build", rule, "--emit", "c", "-o", w.path("b.c")]}
    times = medians(in_turn(commands, rounds * 2), "wall")
    yield at_most("sigcc build of one rule", "emit, cc, link", times["build"] * 1e3, 150, "ms")
    yield at_most("sigcc build of one rule", "emitting alone", times["emit"] * 1e3, 5, "ms")


@row("check")
def check(w, rounds):
    name, folder = "sigcc check of %s" % w.collection, w.rules(None)
    times = medians(in_turn({"check": [w.sigcc, "check", folder, "--keep-going"]}, rounds), "wall")
    yield at_most(name, "by the clock", times["check"], 1, "s")
    if importlib.util.find_spec("sigma") is None:
        yield absent(name, "against pySigma", 20, "not installed")
        return
    script = "import sys,glob; from sigma.collection import SigmaCollection as C; [C.from_yaml(open(f)) for f in glob.glob(sys.argv[1]+'/*.yml')]"
    peer = Run(["python3", "-c", script, folder])
    yield at_least(name, "against pySigma", peer.wall / times["check"], 20, note="one run")


@row("build --pack")
def build_pack(w, rounds):
    """Once: it takes long, and varies little."""
    name, folder = "sigcc build --pack of %s" % w.collection, w.rules(None)
    args = [w.sigcc, "build", folder, "--pack", "--keep-going", "-o", w.path("again")]
    yield at_most(name, "by the clock", Run(args + ["--no-cache"]).wall, 20, "s", "one run")
    Run(args)  # fills the cache, if another row has not
    first = os.path.join(folder, sorted(os.listdir(folder))[0])
    with open(first, "rb") as f:
        text = f.read()
    target = os.readlink(first)
    os.unlink(first)
    with open(first, "wb") as f:
        f.write(text + b"\n# changed\nfields: [Changed]\n")
    yield at_most(name, "after one rule changed", Run(args).wall, 2, "s", "one run")
    os.unlink(first)
    os.symlink(target, first)


# -------- memory, groups, hostility ----------------------------------------


@row("memory")
def memory(w, rounds):
    for what, command in (("pack", [w.pack(), "-f", "ndjson", w.windows]), ("one rule", [w.one, "--mode", "search", "-f", "ndjson", w.fdr()])):
        runs = in_turn({what: command}, max(1, rounds // 2))
        yield at_most("memory, " + what, "resident at its peak", median(runs[what], "rss") / 2**20, 64, "MiB")


@row("group-by")
def group_by(w, rounds):
    program = os.path.join(w.build_folder, "bin/bench_agg")
    if not os.path.exists(program):
        yield absent("group-by", "updates/s", 2, "bench_agg is built in Release only", "M/s")
        return
    cells = []
    for section, most in (("flood", 2), ("peers", 1)):  # so that it ends in two minutes
        args = [program, "--json", "--only", section, "--rounds", str(min(rounds, most))] + ["--quick"] * w.quick
        made = json.loads(subprocess.run(args, capture_output=True, check=True).stdout)
        cells += [{**cell, "section": section} for cell in made]
    for cell in cells:
        name = "group-by, " + cell["table"]
        if cell["column"] == "updates/s":
            aim = 2 if " 10000000 " in cell["table"] else 5 if " 1000000 " in cell["table"] else None
            again = [program, "--only", cell["section"], "--rounds", "1"]
            yield at_least(name, cell["row"] + ", updates/s", cell["median"] / 1e6, aim, "M/s", command=again)
        if cell["column"] == "longest ns":
            yield at_most(name, cell["row"] + ", longest pause", cell["median"] / 1e6, 10, "ms")
        if cell["column"].startswith("sigcc /"):
            yield at_least(name, "%s, against SQLite %s" % (cell["row"], cell["column"][8:]), cell["median"], None)


@row("hostile")
def hostile_input(w, rounds):
    for detector, path in (("one rule", w.one), ("pack", w.pack())):
        for kind, ratio, ordinary in hostile.ratios(w, path, rounds):
            yield at_most("hostile input, " + detector, kind, ratio, 20, "x", "of %.2f ns a byte for the ordinary event" % ordinary)
