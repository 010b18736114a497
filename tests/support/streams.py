"""Packs of correlations and streams of events that make them fire, for the
end-to-end tests of what detectors do over time.

SIGCC_LONG=1 asks the tests that use this for their long forms, which print
figures.
"""
import hashlib
import json
import os
import random
import re
import resource
import subprocess
import sys

from harness import SIGCC


def counted(stats):
    """Counters, but for how many lines the prefilter told: each run and thread finds out by itself what is worth it."""
    return re.sub(rb'"prefiltered":\d+', b'"prefiltered":0', stats)


def sanitized(program):
    """Such a program is slow, and its memory says nothing."""
    with open(program, "rb") as f:
        return b"__asan_init" in f.read()


LONG = os.environ.get("SIGCC_LONG", "") not in ("", "0")
ASAN = sanitized(SIGCC)
START = 1_700_000_000 * 10**9
CORRELATIONS = {
    "event_count": {"rules": ["ra"], "group-by": ["Host"], "timespan": "1m", "condition": {"gte": 4}},
    "value_count": {"rules": ["ra", "rb"], "group-by": ["Host", "User"], "timespan": "2m", "condition": {"field": "Bytes", "gte": 3}},
    "temporal": {"rules": ["ra", "rb"], "group-by": ["Host", "User"], "timespan": "10s"},
    "temporal_ordered": {"rules": ["ra", "rb"], "group-by": ["Host", "User"], "timespan": "20s"},
    "value_sum": {"rules": ["ra"], "group-by": ["User"], "timespan": "30s", "condition": {"field": "Bytes", "gt": 9000}},
    "value_avg": {"rules": ["ra"], "group-by": ["User"], "timespan": "30s", "condition": {"field": "Bytes", "gt": 560}},
    "value_percentile": {"rules": ["ra"], "group-by": ["User"], "timespan": "40s", "condition": {"field": "Bytes", "percentile": 90, "gt": 930}},
    "value_median": {"rules": ["ra"], "group-by": ["User"], "timespan": "30s", "condition": {"field": "Bytes", "gt": 560}},
}
# What an alert says that does not depend on where its event was.
PLACE = ("source", "alert_id")


def sized(short, long, asan):
    """How many: in the short form, the long one, and under sanitizers."""
    return long if LONG else asan if ASAN else short


def rule(name, kinds, **more):
    return {"title": "rule " + name, "name": name, "logsource": {"product": "test_prod"},
            "detection": {"s": {"Kind": kinds[:1]}, "t": {"Kind": kinds[1:] or ["none"]}, "condition": "s or t"}, **more}


def correlation(name, kind, body, **more):
    return {"title": "correlation " + name, "name": name, "correlation": {"type": kind, **body}, **more}


def rules():
    """Two that correlations hide, one of its own."""
    return [rule("ra", ["a", "b"], sigcc={"derive": {"Class": {"s": "A", "t": "B", "default": "D"}}}),
            rule("rb", ["c"]), rule("rc", ["d"])]


def all_types():
    return [correlation("c_" + kind, kind, body) for kind, body in CORRELATIONS.items()]


def special():
    """A chain, a derived field and an alias to group by, nothing to group by."""
    return [
        correlation("c_chain", "event_count", {"rules": ["c_event_count"], "group-by": ["User"], "timespan": "10m", "condition": {"gte": 5}},
                    generate=True),
        correlation("c_derived", "value_sum", {"rules": ["ra"], "group-by": ["Class"], "timespan": "20s", "condition": {"field": "Bytes", "gt": 12000}}),
        correlation("c_alias", "temporal", {"rules": ["ra", "rb"], "group-by": ["who"], "timespan": "5s",
                                            "aliases": {"who": {"ra": "Host", "rb": "User"}}}),
        correlation("c_all", "event_count", {"rules": ["ra", "rb"], "timespan": "2s", "condition": {"gte": 9}}),
        correlation("c_report", "event_count", {"rules": ["ra"], "group-by": ["Host", "Class"], "timespan": "1m", "condition": {"gte": 2}},
                    sigcc={"report": {"columns": {"count": "N", "first_seen": "First", "last_seen": "Last"}, "sort": "-N", "limit": 50}}),
    ]


def text(documents):
    """Rules as YAML: JSON is YAML."""
    return "\n---\n".join(json.dumps(d, ensure_ascii=False) for d in documents) + "\n"


def event(ns, **fields):
    return (json.dumps({"@timestamp": str(ns), **fields}) + "\n").encode()


def events(seed, count, hosts=40, gap=0.2, ties=0.1, pad=0):
    """(time, line) in order of time; some times are equal. `pad` bytes more."""
    r, t, out = random.Random(seed), START, []
    more = {"Pad": "x" * pad} if pad else {}
    for _ in range(count):
        if r.random() >= ties:
            t += int(r.random() * 2 * gap * 10**9) + 1
        out.append((t, event(t, Kind=r.choice("abcde"), Host=r.choice(["h%d" % r.randrange(hosts), "u%d" % r.randrange(6)]), User="u%d" % r.randrange(6),
                             Bytes=r.randrange(1000), **more)))
    return out


def lines(stream):
    return b"".join(line for _, line in stream)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def without_place(output):
    """NDJSON alerts as objects, without what tells where the event was."""
    return [{k: v for k, v in json.loads(line).items() if k not in PLACE} for line in output.splitlines()]


# A process's largest resident set counts what it was forked from: that must be small.
PEAK = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
open(sys.argv[1], "w").write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code if code >= 0 else 128 - code)
"""


def peak_rss(args, note, timeout=900):
    """Run a command; its result and its largest resident set in bytes. `note`
    is a file to use."""
    p = subprocess.run([sys.executable, "-I", "-S", "-c", PEAK, note, *args], capture_output=True, timeout=timeout)
    with open(note, encoding="ascii") as f:
        return p, int(f.read()) * 1024


def limit_file_size(size):
    """For preexec_fn: a write beyond so many bytes fails, as on a full disk."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return limit
