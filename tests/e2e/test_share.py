#!/usr/bin/env python3
"""Threads that share what is made once (indexes, sets of literals, regular
expressions, plans) write what one thread writes, and what threads write that share
nothing.
"""
import json
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from harness import Case, main, rule  # noqa: E402

RULES = 120
FIELDS = ["Image", "CommandLine", "User", "TargetFilename", "Details"]
WORDS = ["powershell", "mimikatz", "rundll32", "whoami", "certutil", "bitsadmin", "regsvr32", "\\temp\\", "-enc", "http://", "xy", "q"]


def some_rule(r, n):
    """Of every way in which rules are found."""
    field = r.choice(FIELDS)
    words = r.sample(WORDS, 3)
    ways = [{field + "|contains": words}, {field + "|endswith": [w + ".exe" for w in words]}, {field + "|startswith": words[0]}, {field: words},
            {field + "|re": "%s[0-9]{2,4}(%s|%s)" % tuple(w.replace("\\", "") for w in words)}, {"SourceIp|cidr": "10.%d.0.0/16" % (n % 9)},
            {"EventID": r.randrange(1, 30)}, {field: "*%s*%s" % (words[0], words[1])}, {field + "|contains|all": words[:2]}]
    source = r.choice([{"product": "windows", "category": "process_creation"}, {"product": "windows", "service": "security"},
                       {"product": "windows", "category": "registry_set"}, {"product": "linux"}])
    detection = {"s": r.choice(ways), "condition": "s"}
    if n % 20 == 0:
        detection = {"keywords": [words[0] + "%d" % (n % 7), "dump%d" % n], "condition": "keywords"}
    return json.dumps(dict(json.loads(rule(detection, title="rule %d" % n, id="00000000-0000-4000-8000-%012d" % n)), name="r%d" % n, logsource=source))


def some_event(r, n):
    channel, ids = r.choice([("Microsoft-Windows-Sysmon/Operational", (1, 13)), ("Security", (4688, 4624)), ("System", (7045,)), (None, (5,))])
    event = {"EventID": r.choice(ids), "n": n, "SourceIp": "10.%d.1.2" % r.randrange(12)}
    if channel is not None:
        event["Channel"] = channel
    for field in r.sample(FIELDS, r.randrange(1, 5)):
        event[field] = "C:\\dir%d\\%s%d%s.exe" % (r.randrange(40), r.choice(WORDS), r.randrange(200), r.choice(WORDS))
    if r.random() < 0.05:
        event["note"] = r.choice(WORDS) + "%d" % r.randrange(9) + r.choice(["", "\u017f", "\n", "\\"])
    return json.dumps(event, ensure_ascii=r.random() < 0.5) + "\n"


class Share(Case):
    def test_the_same(self):
        r = random.Random(17)
        det = self.build(self.write("r.yml", "\n---\n".join(some_rule(r, n) for n in range(RULES))), "--pack")
        events = self.write("events", "".join(some_event(r, n) for n in range(30000)))

        def go(threads, **env):
            p = self.run_([det, "-f", "ndjson", "--stats=json", "--threads", str(threads), events],
                          env=dict(os.environ, SIGCC_RANGES="20000", **env))
            self.assertEqual(p.returncode, 0, p.stderr)
            return p.stdout, json.loads(p.stderr.splitlines()[-1])

        for env in ({}, {"SIGCC_SIMD": "scalar"}, {"SIGCC_INDEX": "0"}, {"SIGCC_RECALL": "0"}):
            want = go(1, **env)
            self.assertGreater(len(want[0].splitlines()), 10000)
            for threads in (2, 4):
                for share in ("0", "1"):
                    self.assertEqual(go(threads, SIGCC_SHARE=share, **env), want, (threads, share, env))


if __name__ == "__main__":
    main()
