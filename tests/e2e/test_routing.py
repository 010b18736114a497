#!/usr/bin/env python3
"""Log-source routing: rules look only at events that may be of their log source."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from harness import Case, main, rule  # noqa: E402

SYSMON = "Microsoft-Windows-Sysmon/Operational"
PROCESS = {"product": "windows", "category": "process_creation"}
# What the log says, and whether a rule for windows/process_creation looks.
EVENTS = [
    ("Security", 4624, False),
    ("Security", 4688, True),
    ("Security", None, True),
    (SYSMON, 1, True),
    (SYSMON.upper(), "1", True),
    (SYSMON, 3, False),
    ("System", 1, False),
    ("ForwardedEvents", 4688, True),
    (None, 4688, True),
    (None, 4624, False),
    (None, None, True),
]
DATA = {"CommandLine": "x", "Channel": "Setup", "EventID": 77}  # data named like what the log says


def present(**fields):
    return {k: v for k, v in fields.items() if v is not None}


def flat(channel, number):
    return {"CommandLine": "x", **present(Channel=channel, EventID=number)}


def evtx(channel, number):
    return {"Event": {"System": present(Channel=channel, EventID=number), "EventData": DATA}}


def evtx_text(channel, number):
    number = number and {"#attributes": {"Qualifiers": 0}, "#text": number}
    return {"Event": {"System": present(Channel=channel, EventID=number), "EventData": DATA}}


def winlog(channel, number):
    return {"winlog": present(channel=channel, event_id=number and str(number), event_data=DATA)}


def ecs(channel, number):
    return {"event": present(code=number and str(number)), "winlog": present(channel=channel, event_data=DATA)}


def beat6(channel, number):
    return {"event_data": DATA, "log_name": None, **present(log_name=channel, event_id=number)}


class Routing(Case):
    def pack(self, sources, *options, out="det"):
        """Rules that match any event, one for each log source."""
        rules = [rule({"s": {"Nothing": None}, "condition": "s"}, "rule %d" % i, name="r%d" % i, logsource=s)
                 for i, s in enumerate(sources)]
        path = self.write("rules.yml", "\n---\n".join(rules))
        det = self.build(path, "--pack", *options, out=out)

        def lines(events, oracle=False):
            text = "".join(json.dumps(e) + "\n" for e in events)
            if oracle:
                got = self.sigcc("eval", path, "--events", self.write("events", text), *options).stdout
                return [sorted(json.loads(line)["rules"]) for line in got.splitlines()]
            found = [[] for _ in events]
            for alert in self.detect(det, "--no-event", stdin=text.encode()):
                found[alert["source"]["line"] - 1].append(alert["rule"]["name"])
            return found
        return lines

    def test_shapes(self):
        judge = self.pack([PROCESS])
        for shape in (flat, evtx, evtx_text, winlog, ecs, beat6):
            events = [shape(c, n) for c, n, _ in EVENTS]
            want = [["r0"] if looks else [] for _, _, looks in EVENTS]
            self.assertEqual(judge(events), want, shape.__name__)
            self.assertEqual(judge(events, oracle=True), want, shape.__name__)

    def test_off(self):
        judge = self.pack([PROCESS], "--no-logsource-routing")
        events = [shape(c, n) for c, n, _ in EVENTS for shape in (flat, evtx, winlog, ecs, beat6)]
        self.assertEqual(judge(events), [["r0"]] * len(events))
        self.assertEqual(judge(events, oracle=True), [["r0"]] * len(events))

    def test_many_sources_keep_rule_order(self):
        sources = [PROCESS, {"product": "windows", "service": "security"}, {"category": "dns"}, PROCESS,
                   {"product": "linux", "service": "auditd"}, {"product": "windows", "category": "image_load"},
                   {"product": "windows", "service": "sysmon"}, {"product": "zeek", "service": "dns"}]
        judge = self.pack(sources)
        events = [flat(None, None), flat("Security", 4688), flat(SYSMON, 7), {"type": "SYSCALL", "_path": None}, {"_path": "http"}]
        want = [["r%d" % i for i in ids] for ids in (range(8), [0, 1, 2, 3], [2, 5, 6], range(8), [0, 1, 2, 3, 4, 5, 6])]
        self.assertEqual(judge(events), want)
        self.assertEqual(judge(events, oracle=True), want)
        # In C files of their own, like those of any large pack.
        self.assertEqual(self.pack(sources, "--parts=4", out="parts")(events), want)

    def test_pipelines_decide(self):
        pipeline = self.write("p.yml", json.dumps({
            "name": "p", "transformations": [{"type": "change_logsource", "product": "windows", "service": "security"}]}))
        judge = self.pack([PROCESS], "-p", pipeline)
        self.assertEqual(judge([flat(SYSMON, 1), flat("Security", 1)]), [[], ["r0"]])

    def test_correlations_and_manifest(self):
        path = self.write("c.yml", rule({"s": {"Nothing": None}, "condition": "s"}, name="base", logsource=PROCESS) + "\n---\n" + json.dumps({
            "title": "c", "correlation": {"type": "event_count", "rules": ["base"], "timespan": "1m", "condition": {"gte": 2}}}))
        digests = set()
        for options, want in (((), [3]), (("--no-logsource-routing",), [2])):
            det = self.build(path, *options)
            events = [{"time": 1700000000 + i, **flat("Security", n)} for i, n in enumerate([4688, 4624, 4688])]
            alerts = self.detect(det, stdin="".join(json.dumps(e) + "\n" for e in events).encode())
            self.assertEqual([a["source"]["line"] for a in alerts], want)
            manifest = json.loads(self.run_([det, "--manifest"]).stdout)
            self.assertEqual("no-logsource-routing" in manifest["options"], bool(options))
            digests.add(manifest["digest"])
        self.assertEqual(len(digests), 2)

    def test_list(self):
        text = self.sigcc("list", "logsources").stdout.decode()
        self.assertIn("process_creation", text)
        self.assertIn("$Channel=Security;$EventID=4688", text)


if __name__ == "__main__":
    main()
