"""Events made to defeat each fast path, against ordinary events of the same size: how many times the nanoseconds a byte."""
import json
import random
import re

from measure import in_turn, medians
from workload import SYSMON, process_event

LINE = 8000  # bytes of an event; the largest ones are of LARGE
LARGE = 8_000_000


def dumps(event):
    return json.dumps(event, separators=(",", ":")).encode()


def ordinary(size):
    """An event with as many fields of everyday text as it takes."""
    r = random.Random(11)
    event = process_event(r, 0)
    # What the one rule reads, so that it is no quicker than with the hostile ones.
    event.update({"event_simpleName": "NetworkConnectIP4", "RemotePort": "443", "ImageFileName": event["Image"]})
    left = size - len(dumps(event))
    while left > 60:
        name = "Field%06d" % len(event)
        event[name] = " ".join(r.choice(["service", "started", "with", "session", "of", "user", "4711"]) for _ in range(6))
        left -= len(name) + len(event[name]) + 6
    return event


def literals(w):
    """Texts that rules look for, as they stand in the files."""
    found = []
    for path in w.rule_files[::max(1, len(w.rule_files) // 400)]:
        with open(path, encoding="utf-8", errors="replace") as f:
            found += re.findall(r"^\s+- '?([^'\n]{4,60}?)'?$", f.read(), re.M)
    return found or ["urlcache"]


def filled(make, size):
    """The event of `make(n)` with n so large that it has that size."""
    n = 16
    while len(dumps(make(n))) < size:
        n *= 2
    while n > 16 and len(dumps(make(n))) > size:
        n = n * 15 // 16
    return dumps(make(n))


def escaped(event):
    """Every character of every text, names too, as \\u00xx."""
    text = lambda t: '"%s"' % "".join("\\u%04x" % ord(c) for c in t)
    return ("{%s}" % ",".join("%s:%s" % (text(k), text(v) if isinstance(v, str) else v) for k, v in event.items())).encode()


def kinds(w):
    """name, line, size of what it is compared with."""
    r = random.Random(13)
    base = {**process_event(r, 0), "event_simpleName": "NetworkConnectIP4", "RemotePort": "25"}
    words = literals(w)
    bait = "cmd /c set a=%s&&call %%a%% ^^|(((({0}{1}\"'+'`"
    line = lambda **more: {**base, **more}
    yield "every literal", filled(lambda n: line(CommandLine=" ".join(words[:n]) if n < len(words) else " ".join(words) * (n // len(words))), LINE)
    yield "every character escaped", escaped(line(CommandLine="x " * (LINE // 12)))
    yield "long keys", filled(lambda n: line(**{"k" * n + str(i): 1 for i in range(4)}), LINE)
    yield "keys like wanted ones", filled(lambda n: line(**{"CommandLine%d" % i: 1 for i in range(n)}), LINE)
    yield "a million fields", filled(lambda n: line(**{"f%d" % i: i for i in range(n)}), LARGE)
    yield "a field a thousand times", filled(lambda n: line(), 0)[:-1] + b',"CommandLine":"x"' * (LINE // 18) + b"}"
    yield "a million values of a field", filled(lambda n: line(CommandLine=["v%d" % i for i in range(n)]), LARGE)
    yield "nested 500 deep", dumps(base)[:-1] + b',"n":' + b'{"a":' * 500 + b"1" + b"}" * 500 + b',"m":' + b"[" * 500 + b"]" * 500 + b"}"
    yield "brackets in text", filled(lambda n: line(CommandLine="{[\\\"," * n), LINE)
    yield "bait for expressions", filled(lambda n: line(CommandLine=bait * n, ScriptBlockText=bait * n), LINE)
    yield "long runs of one letter", filled(lambda n: line(CommandLine="a" * n, Image="\\" * n), LINE)
    yield "nearly every wildcard", filled(lambda n: line(CommandLine="-e -en -enc -w hidden " * n, Image="\\cmd.ex" * n), LINE)
    yield "capitals beyond ASCII", filled(lambda n: line(CommandLine="\u00c4\u0130\u1e9e" * n), LINE)
    yield "long numbers", filled(lambda n: line(EventID=1, **{"n%d" % i: 10**300 + i for i in range(n)}), LINE)
    yield "white space", re.sub(rb'([,:{}])', rb"\1" + b" " * 40, dumps({k: str(v).replace(",", "").replace(":", "") for k, v in base.items()}))
    yield "unreadable at its end", filled(lambda n: line(**{"Field%d" % i: "everyday text" for i in range(n)}), LINE)[:-1]
    yield "invalid UTF-8", filled(lambda n: line(CommandLine="x" * n), LINE).replace(b"xxxx", b"x\xc3x\xff")
    assert base["Channel"] == SYSMON


def ratios(w, detector, rounds):
    """kind, times the ordinary, ordinary ns a byte."""
    total = 4e6 if w.quick else 2.4e7
    for kind, text in kinds(w):
        same = dumps(ordinary(len(text)))
        paths = {"hostile": w.write("hostile.ndjson", [text], total), "ordinary": w.write("ordinary.ndjson", [same], total)}
        sizes = {}
        for name, path in paths.items():
            with open(path, "rb") as f:
                sizes[name] = len(f.read())
        runs = in_turn({name: [detector, "-f", "ndjson", "--no-event", path] for name, path in paths.items()}, rounds)
        empty = medians(in_turn({"empty": [detector]}, rounds))["empty"]
        ns = {name: max(1e-3, t - empty) / sizes[name] * 1e9 for name, t in medians(runs).items()}
        yield kind, ns["hostile"] / ns["ordinary"], ns["ordinary"]
