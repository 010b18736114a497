#!/usr/bin/env python3
"""Enrichment: T1071.003 on Falcon events as the sensor sends them, which name
processes, users and hosts by number only. What detectors say is compared with
a join and a count written here, and with the reference evaluator."""
import json
import os
import random
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from harness import Case, ROOT, main, need_shared, shared  # noqa: E402

RULE = os.path.join(ROOT, "sigma/t1071_003_mail_protocols.yml")
PORTS = {"25": "SMTP", "465": "SMTP", "587": "SMTP", "110": "POP3", "995": "POP3", "143": "IMAP", "993": "IMAP"}
CLIENTS = re.compile(r"(outlook|thunderbird|MailClient|eM.Client|msedge|chrome|firefox)\.exe$", re.I | re.A)
KEYS = ["ComputerName", "ImageFileName", "RemoteAddressIP4", "RemotePort", "Protocol", "UserName"]
NETWORK = {a + b for a in ("NetworkConnect", "NetworkReceiveAccept", "NetworkListen", "NetworkClose", "RawBind") for b in ("IP4", "IP6")}
IMAGES = ["\\Device\\HarddiskVolume3\\Windows\\System32\\svchost.exe", "\\Device\\HarddiskVolume2\\Python311\\python.exe",
          "\\Device\\HarddiskVolume3\\Users\\Public\\upd\u00e4te.exe", "\\Device\\HarddiskVolume3\\Program Files\\outlook.exe",
          "\\Device\\HarddiskVolume3\\Program Files\\Google\\chrome.exe", "/usr/sbin/sendmail"]


class Stream:
    """Events of a few hosts whose process ids are the same on all of them."""

    def __init__(self, seed, events, hosts=5, procs=12):
        self.r = random.Random(seed)
        self.hosts = ["aid%02d" % i for i in range(hosts)]
        self.known = {h: "HOST-%d" % i for i, h in enumerate(self.hosts) if i != 3}  # one is not in aid_master
        self.pids = [str(2 ** 40 + i) for i in range(procs)]
        self.sids = ["S-1-5-21-%d" % i for i in range(4)]
        self.clock = 1772442840000
        self.events = [self.event() for _ in range(events)]

    def event(self):
        r = self.r
        x = r.random()
        e = {"aid": r.choice(self.hosts), "timestamp": str(self.clock), "event_platform": "Win"}
        self.clock += r.randint(0, 40)
        if x < 0.06:
            e.update(event_simpleName=r.choice(["ProcessRollup2", "SyntheticProcessRollup2"]), TargetProcessId=r.choice(self.pids[:-2]),
                     ImageFileName=r.choice(IMAGES))
            y = r.random()
            if y < 0.4:
                e["UserName"] = r.choice(["ann", "b\u00f6b"])
            elif y < 0.6:
                e.update(UserName="", UserSid=r.choice(self.sids))
            elif y < 0.9:
                e["UserSid"] = r.choice(self.sids)
            else:
                e["UID"] = r.choice([501, "501", 0])
        elif x < 0.09:
            e.update(event_simpleName=r.choice(["UserIdentity", "UserLogon"]))
            e.update(r.choice([{"UserSid": r.choice(self.sids)}, {"UID": r.choice([501, "0"])}]))
            e.update(r.choice([{"UserName": r.choice(["carl", "dora"])}, {"UserPrincipal": "eve@corp"}, {"UserName": None, "UserPrincipal": "x@corp"}]))
        elif x < 0.12:
            e.update(event_simpleName="EndOfProcess", TargetProcessId=r.choice(self.pids), ImageFileName=r.choice(IMAGES))
        else:
            pid = r.choice(self.pids)
            e.update(event_simpleName=r.choices(["NetworkConnectIP4", "NetworkConnectIP6", "DnsRequest"], [8, 1, 1])[0],
                     ContextProcessId=r.choice([pid, pid, pid, int(pid)]), RemotePort=r.choice(["25", "993", "110", 587, "443", "2525"]),
                     RemoteAddressIP4=r.choice(["203.0.113.9", "198.51.100.7"]), ContextTimeStamp="%d.%03d" % divmod(self.clock, 1000))
            if r.random() < 0.3:
                e["ContextBaseFileName"] = r.choice(["base.exe", "chrome.exe"])
            if r.random() < 0.05:
                e.update(ImageFileName=r.choice(IMAGES), UserName="own")
            if r.random() < 0.05:
                e.update(r.choice([{"UserName": ""}, {"ImageFileName": None}, {"ComputerName": ["", None]}, {"UserName": {"a": 1}}]))
            if r.random() < 0.02:
                del e["ContextProcessId"]
        return e


def text(v):
    """Text of a value that can be handed on, or None."""
    if isinstance(v, list):
        return next((t for t in map(text, v) if t), None)
    return str(v) if isinstance(v, (str, int)) and v != "" else None


def first(v):
    """What a value groups by: its first, an empty text too."""
    if isinstance(v, list):
        return first(v[0]) if v else None
    return str(v) if isinstance(v, (str, int)) else None


def lacks(e, k):
    v = e.get(k)
    return v is None or v == "" or (isinstance(v, list) and not any(not lacks({"v": x}, "v") for x in v))


def join(events, aid_master):
    """The events with the fields that shipped enrichment adds, by a join of its own; and how many missed a table."""
    procs, users, missed = {}, {}, 0
    out = []
    for e in events:
        e = dict(e)
        kind, aid = e.get("event_simpleName"), text(e.get("aid"))
        if kind in ("ProcessRollup2", "SyntheticProcessRollup2") and aid and text(e.get("TargetProcessId")):
            row = {k: e[k] for k in ("ImageFileName", "UserName", "UserSid", "UID", "ComputerName") if text(e.get(k))}
            if row:
                procs[aid, text(e["TargetProcessId"])] = row
        if kind in ("UserIdentity", "UserLogon") and aid:
            name = text(e.get("UserName")) or text(e.get("UserPrincipal"))
            for k in ("UserSid", "UID"):
                if name and text(e.get(k)):
                    users[aid, k, text(e[k])] = name
        miss = False
        fill = None
        if kind in NETWORK:
            fill = ("ImageFileName", "ContextProcessId")
        elif kind in ("DnsRequest",):
            fill = ("ContextImageFileName", "ContextProcessId")
        elif kind == "ClassifiedModuleLoad":
            fill = ("TargetImageFileName", "TargetProcessId")
        if fill and aid and text(e.get(fill[1])):
            image, pid = fill
            names = {image: "ImageFileName", "UserName": "UserName", "UserSid": "UserSid", "UID": "UID", "ComputerName": "ComputerName"}
            row = procs.get((aid, text(e[pid])))
            if any(lacks(e, k) for k in names):
                miss |= row is None
                for k, column in names.items():
                    if row and column in row and lacks(e, k):
                        e[k] = row[column]
        if kind in NETWORK and lacks(e, "ImageFileName") and text(e.get("ContextBaseFileName")):
            e["ImageFileName"] = e["ContextBaseFileName"]
        for k in ("UserSid", "UID"):
            if aid and text(e.get(k)) and lacks(e, "UserName"):
                name = users.get((aid, k, text(e[k])))
                miss |= name is None
                if name:
                    e["UserName"] = name
        if aid_master is not None and aid and lacks(e, "ComputerName"):
            miss |= aid not in aid_master
            if aid in aid_master:
                e["ComputerName"] = aid_master[aid]
        missed += miss
        out.append(e)
    return out, missed


def rows(events):
    """The query: the most frequent groups of mail connections by what is no mail client."""
    groups = {}
    for e in events:
        port = text(e.get("RemotePort"))
        if e.get("event_simpleName") != "NetworkConnectIP4" or port not in PORTS:
            continue
        image = text(e.get("ImageFileName"))
        if image and CLIENTS.search(image):
            continue
        e = dict(e, Protocol=PORTS[port])
        key = tuple(first(e.get(k)) for k in KEYS)
        if None in key:
            continue
        groups.setdefault(key, []).append(e["ContextTimeStamp"])
    table = sorted(((-len(v), k, v) for k, v in groups.items() if len(v) > 2), key=lambda t: (t[0], t[1]))
    return [list(k) + [-n, min(v), max(v)] for n, k, v in table[:100]]


def flat(row):
    return [str(row[k]) for k in KEYS] + [row["ConnectionCount"], row["FirstSeen"], row["LastSeen"]]


def ndjson(events):
    return "".join(json.dumps(e, ensure_ascii=False) + "\n" for e in events)


class Enrich(Case):
    def aid_master(self, known, kind="csv"):
        if kind == "csv":
            return self.write("aid.csv", "Time,ComputerName,aid\n" + "".join('1,"%s",%s\r\n' % (n, a) for a, n in known.items()))
        return self.write("aid.json", ndjson([{"aid": a, "ComputerName": n, "Time": 1} for a, n in known.items()]))

    def det_(self, *args):
        return self.build(RULE, "-p", "crowdstrike_fdr", "--enrich", "crowdstrike_fdr", *args)

    def stats(self, det, *args, **kw):
        p = self.run_([det, "-f", "ndjson", "--stats=json", *args], **kw)
        self.assertEqual(p.returncode, 0, p.stderr.decode()[-2000:])
        return json.loads(p.stderr.splitlines()[-1])

    def test_rows_of_random_streams(self):
        det = self.det_()
        for seed, size in ((1, 3000), (2, 20000), (3, 20000)):
            s = Stream(seed, size)
            events = self.write("e.ndjson", ndjson(s.events))
            aid = self.aid_master(s.known, "csv" if seed % 2 else "json")
            joined, missed = join(s.events, s.known)
            want = rows(joined)
            self.assertGreater(len(want), 20)
            have = self.detect(det, "--mode", "search", "--lookup", "aid_master=" + aid, events)
            self.assertEqual([flat(r) for r in have], want)
            stats = self.stats(det, "--mode", "search", "--lookup", "aid_master=" + aid, events)
            self.assertEqual(stats["enrich_missed"], missed)
            self.assertEqual(stats["enriched"], sum(a != b for a, b in zip(s.events, joined)))
            self.assertEqual((stats["enrich_evicted"], stats["lookup_rows"], stats["lookup_rejected"]), (0, 4, 0))
            # without the file: what processes told alone
            joined, missed = join(s.events, None)
            self.assertEqual([flat(r) for r in self.detect(det, "--mode", "search", events)], rows(joined))
            self.assertEqual(self.stats(det, "--mode", "search", events)["enrich_missed"], missed)

    def test_agrees_with_the_reference_evaluator(self):
        args = [RULE, "-p", "crowdstrike_fdr", "--enrich", "crowdstrike_fdr"]
        s = Stream(7, 2500, hosts=2, procs=6)
        aid = self.aid_master(s.known)
        events = self.write("e.ndjson", ndjson(s.events))
        with open(RULE, encoding="utf-8") as f:
            base = f.read().split("\n---\n")[0]
        single = self.build(self.write("r.yml", base), *args[1:], out="single")
        want = [json.loads(x)["line"] for x in self.sigcc("eval", *args, "--events", events, "--lookup", "aid_master=" + aid).stdout.splitlines()
                if json.loads(x)["rules"]]
        have = self.detect(single, "--lookup", "aid_master=" + aid, events)
        self.assertEqual([a["source"]["line"] for a in have], want)
        self.assertGreater(len(want), 100)
        det = self.det_()
        p = self.sigcc("eval", *args, "--events", events, "--lookup", "aid_master=" + aid, "--correlations")
        want = [(f["line"], f["group"], f["count"]) for f in map(json.loads, p.stdout.splitlines())]
        have = [(a["source"]["line"], {k: str(v) for k, v in a["group"].items()}, a["count"])
                for a in self.detect(det, "--every-firing", "--lookup", "aid_master=" + aid, events)]
        self.assertEqual(have, want)
        self.assertGreater(len(want), 50)

    def test_alert_shows_what_was_added(self):
        with open(RULE, encoding="utf-8") as f:
            base = f.read().split("\n---\n")[0]
        det = self.build(self.write("r.yml", base), "-p", "crowdstrike_fdr", "--enrich", "crowdstrike_fdr")
        connect = {"event_simpleName": "NetworkConnectIP4", "aid": "a", "ContextProcessId": 7, "RemotePort": "25", "UserName": ""}
        events = [connect, {"event_simpleName": "ProcessRollup2", "aid": "a", "TargetProcessId": "7", "ImageFileName": "x\\\u00e9.exe", "UID": 501},
                  {"event_simpleName": "UserIdentity", "aid": "a", "UID": "501", "UserName": "q\"uote"}, connect, dict(connect, aid="b")]
        first, second, other = self.detect(det, stdin=ndjson(events).encode())
        self.assertNotIn("enriched", first)  # nobody had told yet
        self.assertNotIn("enriched", other)  # the same id on another host
        self.assertEqual(second["enriched"], {"ImageFileName": "x\\\u00e9.exe", "UID": 501, "UserName": "q\"uote"})
        self.assertEqual(second["event"], connect)
        table = self.run_([det, "-f", "table"], stdin=ndjson(events).encode()).stdout.decode()
        self.assertIn("UserName=q", table)
        csv = self.run_([det, "-f", "csv"], stdin=ndjson(events).encode()).stdout.decode().splitlines()
        self.assertTrue(csv[0].endswith(",enriched"))
        self.assertIn('""UID"":501', csv[2])

    def test_mail_clients_are_known_by_their_process(self):
        """The image that decides whether the rule matches comes from enrichment."""
        det = self.det_()
        events = [{"event_simpleName": "ProcessRollup2", "aid": "a", "TargetProcessId": "7", "ImageFileName": "c:\\OUTLOOK.EXE"}] + \
                 [{"event_simpleName": "NetworkConnectIP4", "aid": "a", "ContextProcessId": p, "RemotePort": "25", "RemoteAddressIP4": "1.1.1.1",
                   "ContextTimeStamp": "1772442840.%d" % i} for i in range(4) for p in "78"]
        stats = self.stats(det, stdin=ndjson(events).encode())
        self.assertEqual((stats["matches"], stats["enriched"], stats["enrich_missed"]), (4, 4, 4))

    def test_bounded_tables_forget_the_idle(self):
        det = self.det_()
        keep = {"event_simpleName": "ProcessRollup2", "aid": "a", "TargetProcessId": "keep", "ImageFileName": "keep.exe", "UserName": "u",
                "ComputerName": "H"}
        connect = {"event_simpleName": "NetworkConnectIP4", "aid": "a", "ContextProcessId": "keep", "RemotePort": "25", "RemoteAddressIP4": "1.1.1.1"}
        events = [keep]
        for i in range(5000):
            events.append(dict(keep, TargetProcessId="p%d" % i, ImageFileName="p%d.exe" % i))
            if i % 10 == 0:
                events.append(dict(connect, ContextTimeStamp="1772442840.%03d" % (i // 10)))
        events += [dict(connect, ContextProcessId="p0", ContextTimeStamp="1772442841.1")] * 3
        stream = ndjson(events).encode()
        stats = self.stats(det, "--mode", "search", "--max-enrich", "8K", stdin=stream)
        self.assertGreater(stats["enrich_evicted"], 4800)
        self.assertEqual(stats["enrich_learned"], 5001)
        self.assertEqual(stats["enrich_entries"] + stats["enrich_evicted"], 5001)
        self.assertEqual(stats["enrich_missed"], 3)
        have = self.detect(det, "--mode", "search", "--max-enrich", "8K", stdin=stream)
        self.assertEqual([(r["ImageFileName"], r["ConnectionCount"]) for r in have], [("keep.exe", 500)])
        huge = ndjson([dict(keep, ImageFileName="x" * 100000), dict(keep, TargetProcessId="t")]).encode()
        stats = self.stats(det, stdin=huge)
        self.assertEqual((stats["enrich_refused"], stats["enrich_learned"]), (1, 1))

    def test_lateness_learns_once(self):
        det = self.det_()
        s = Stream(11, 3000)
        events = self.write("e.ndjson", ndjson(s.events))
        a = self.stats(det, "--lookup", "aid_master=" + self.aid_master(s.known), events)
        b = self.stats(det, "--allowed-lateness", "1m", "--lookup", "aid_master=" + self.aid_master(s.known), events)
        for k in ("enriched", "enrich_missed", "enrich_learned", "matches"):
            self.assertEqual(a[k], b[k], k)

    def test_lookup_files(self):
        det = self.det_()
        event = json.dumps({"event_simpleName": "ProcessRollup2", "aid": "a", "TargetProcessId": "1", "ImageFileName": "x"}).encode()
        good = self.write("good.csv", '\ufeffaid,"Computer""x",ComputerName\na,,H1\n\nb,"two\nlines",H2\na,,H3\n')
        stats = self.stats(det, "--lookup", "aid_master=" + good, stdin=event)
        self.assertEqual((stats["lookup_rows"], stats["lookup_duplicates"], stats["lookup_rejected"], stats["enriched"]), (3, 1, 0, 1))
        bad = self.write("bad.csv", b'aid,ComputerName\na\n,x\n"q"z,y\nb,\xff\nc,H\nd,"open\n')
        p = self.run_([det, "--stats=json", "--lookup", "aid_master=" + bad], stdin=event)
        stats = json.loads(p.stderr.splitlines()[-1])
        self.assertEqual((stats["lookup_rows"], stats["lookup_rejected"]), (1, 5))
        self.assertIn(b"bad.csv:2: unreadable: not as many cells as the header", p.stderr)
        rows = self.write("rows.json", '{"aid":"a","ComputerName":"H"}\n{"aid":"\n{"ComputerName":"H"}\n[]\n{"aid":5}\n')
        stats = self.stats(det, "--lookup", "aid_master=" + rows, stdin=event)
        self.assertEqual((stats["lookup_rows"], stats["lookup_rejected"]), (2, 3))
        many = self.write("many.csv", "aid,ComputerName\n" + "".join("a%d,HOST-%d\n" % (i, i) for i in range(3000)))
        stats = self.stats(det, "--max-enrich", "16K", "--lookup", "aid_master=" + many, stdin=event)
        self.assertGreater(stats["enrich_refused"], 1000)
        self.assertEqual(stats["enrich_refused"] + stats["lookup_rows"], 3000)
        for args, code, says in (
                (["aid_master=" + self.path("none")], 4, b"No such file"), (["aid_master=" + self.folder], 4, b"directory"),
                (["aid_mastr=" + good], 2, b"it has: aid_master"), (["aid_master"], 2, b"--lookup"), (["aid_master="], 2, b"--lookup"),
                (["fdr_users=" + good], 2, b"no lookup 'fdr_users'"),
                (["aid_master=" + self.write("empty.csv", "")], 4, b"no rows"),
                (["aid_master=" + self.write("head.csv", "aid,Name\na,b\n")], 4, b"no column 'ComputerName'")):
            p = self.run_([det, "--lookup", *args], stdin=event)
            self.assertEqual(p.returncode, code, args)
            self.assertIn(says, p.stderr)
        self.assertEqual(self.run_([det, "-o", good, "--lookup", "aid_master=" + good], stdin=event).returncode, 2)
        self.assertGreater(os.path.getsize(good), 0)
        plain = self.build(RULE, "-p", "crowdstrike_fdr", out="plain")
        self.assertEqual(self.run_([plain, "--lookup", "aid_master=" + good], stdin=event).returncode, 2)

    def test_own_description(self):
        """Nothing is about Falcon: any events, lists, numbers, steps that build on each other."""
        enrich = self.write("e.yml", """
name: Own
lookups:
  zones: {key: [net, port], columns: [zone, risk]}
learned:
  sessions:
    columns: [who, level]
    from:
      - when: {type: [login, 7], ok: true}
        key: session
        values: {who: [user.name, login], level: lvl}
enrich:
  - {when: {type: act}, table: sessions, key: sid, add: {actor: who, "act or": level}}
  - {table: zones, add: [zone, risk]}
  - {when: {zone: dmz}, copy: {note: [memo, zone], alert: actor}}
""")
        rule = self.write("r.yml", json.dumps({"title": "t", "logsource": {"product": "p"}, "detection": {
            "s": {"actor": "EVE", "risk|gte": 5, "note|contains": "z"}, "condition": "s"}}))
        zones = self.write("z.json", '{"net":"n1","port":80,"zone":"dmz","risk":7}\n{"net":"n2","port":80,"zone":"lan","risk":9}\n')
        events = [{"type": 7, "ok": True, "session": ["", 5], "user": {"name": "eve"}, "lvl": False},
                  {"type": "login", "ok": False, "session": 6, "login": "eve"},
                  {"type": "act", "sid": "5", "net": "n1", "port": "80"}, {"type": "act", "sid": 5, "net": "n2", "port": 80},
                  {"type": "act", "sid": 6, "net": "n1", "port": 80}, {"type": "act", "sid": 5, "net": "n1", "port": 80, "risk": 4},
                  {"type": "act", "sid": 5, "net": "n1", "port": 80, "risk": [], "zone": "", "memo": "zz"}]
        lines = ndjson(events).encode()
        det = self.build(rule, "--enrich", enrich)
        have = self.detect(det, "--lookup", "zones=" + zones, stdin=lines)
        self.assertEqual([a["source"]["line"] for a in have], [3, 7])
        self.assertEqual(have[0]["enriched"], {"actor": "eve", "act or": False, "zone": "dmz", "risk": 7, "note": "dmz", "alert": "eve"})
        self.assertEqual(have[1]["enriched"]["note"], "zz")
        p = self.sigcc("eval", rule, "--enrich", enrich, "--lookup", "zones=" + zones, "--events", "-", stdin=lines)
        self.assertEqual([json.loads(x)["line"] for x in p.stdout.splitlines() if json.loads(x)["rules"]], [3, 7])
        manifest = json.loads(self.run_([det, "--manifest"]).stdout)
        self.assertEqual([e["path"] for e in manifest["enrichments"]], ["e.yml"])
        self.assertEqual(len(manifest["enrichments"][0]["sha256"]), 64)

    def test_random_descriptions(self):
        """Random tables, steps, rules and events: detector and reference evaluator find the same."""
        for seed in range(6):
            r = random.Random(seed)
            fields = ["f%d" % i for i in range(6)] + ["n.x"]
            texts = ["a", "b", "C", "1", "true", "\u00e4 z"]
            values = texts * 4 + [1, 1.0, True, False, None, "", [], [None, "b"], ["", "a", 1], {"x": "a"}, {}, [["b"]], [{"q": 1}], 1e400, "\ud800"]

            def names(least=1, most=2):
                return r.sample(fields, r.randint(least, most))

            def when():
                return {f: r.sample(texts + [1, True], r.randint(1, 3)) for f in names()} if r.random() < 0.7 else None

            def step(**parts):
                return {k: v for k, v in parts.items() if v is not None}

            lookups = {"look%d" % i: {"key": names(), "columns": names(1, 3)} for i in range(2)}
            learned, sizes = {}, {}
            for i in range(3):
                size = sizes["learn%d" % i] = r.randint(1, 2)
                columns = names(1, 3)
                learned["learn%d" % i] = {"columns": columns, "from": [step(
                    when=when(), key=names(size, size), values={c: names() for c in columns if r.random() < 0.4}) for _ in range(r.randint(1, 2))]}
            steps = []
            for _ in range(8):
                x = r.random()
                if x < 0.2:
                    steps.append(step(when=when(), copy={f: names() for f in names()}))
                    continue
                table = r.choice(list(lookups) if x < 0.5 else list(learned))
                spec = lookups.get(table) or learned[table]
                add = r.choice([spec["columns"], {f: r.choice(spec["columns"]) for f in names(1, 3)}])
                size = sizes.get(table) or len(spec["key"])
                key = None if table in lookups and r.random() < 0.5 else names(size, size)
                steps.append(step(when=when(), table=table, key=key, add=add))
            enrich = self.write("e%d.yml" % seed, json.dumps({"lookups": lookups, "learned": learned, "enrich": steps}))
            rules = [{"title": "%s %s" % (f, op), "logsource": {"product": "p"}, "detection": {"s": {f + op: v}, "condition": "s"}}
                     for f in fields for op, v in (("", "a"), ("", 1), ("|contains", "e"), ("|exists", True), ("", None), ("|cased", "C"))]
            rules.append({"title": "words", "logsource": {"product": "p"}, "detection": {"s": ["b"], "condition": "s"}})
            rules = self.write("r%d.yml" % seed, "\n---\n".join(json.dumps(x) for x in rules))
            events = [{f: r.choice(values) for f in r.sample(fields, r.randint(1, 6))} for _ in range(400)]
            lines = self.write("l%d.ndjson" % seed, "".join(json.dumps(e).replace("Infinity", "1e400") + "\n" for e in events))
            args = ["--lookup", "look0=" + self.write("0", "".join(json.dumps({f: r.choice(values[:25]) for f in fields}) + "\n" for _ in range(30)))]
            cells = [",".join(fields)] + [",".join(r.choice(["a", '"b"', "C", "1", "", "true"]) for _ in fields) for _ in range(30)]
            args += ["--lookup", "look1=" + self.write("1", "\n".join(cells) + "\n")]
            p = self.sigcc("eval", rules, "--enrich", enrich, *args, "--events", lines)
            want = {(e["line"], t) for e in map(json.loads, p.stdout.splitlines()) for t in e["rules"]}
            det = self.build(rules, "--pack", "--enrich", enrich, "-O0", out="det%d" % seed)
            alerts = self.detect(det, *args, lines)
            self.assertEqual({(a["source"]["line"], a["rule"]["title"]) for a in alerts}, want, "seed %d" % seed)
            self.assertGreater(sum("enriched" in a for a in alerts), 50)

    def test_unknown_enrichment(self):
        p = self.sigcc("build", RULE, "--enrich", "crowdstrike_fd", "-o", self.path("x"), status=2)
        self.assertIn(b"did you mean 'crowdstrike_fdr'", p.stderr)
        self.assertIn(b"crowdstrike_fdr", self.sigcc("list", "enrichments").stdout)
        # among rules it is passed over, as a pipeline is
        self.assertIn(b" 0 rejected", self.sigcc("check", os.path.join(ROOT, "sigma")).stderr)

    @need_shared("corpora/gen_fdr.py")
    def test_generated_raw_events(self):
        """The corpus generator with nothing but raw network events; the query's reference over the joined events."""
        raw = self.path("raw.ndjson")
        subprocess.run([sys.executable, shared("corpora/gen_fdr.py"), "--events", "40000", "--seed", "5", "--hosts", "12", "--raw-share", "1",
                        "--raw-mail-share", "1", "--mail-share", "0.6", "-o", raw], check=True, capture_output=True)
        with open(raw, "rb") as f:
            events = [json.loads(x) for x in f]
        hosts = {e["aid"]: e["ComputerName"] for e in events if "aid" in e and "ComputerName" in e}
        det = self.det_()
        for bare in (False, True):
            if bare:  # processes name their user by number, hosts are in the file alone
                for e in events:
                    if "ProcessRollup2" in e.get("event_simpleName", ""):
                        for k in ("UserName", "ComputerName"):
                            e.pop(k, None)
                self.write("raw.ndjson", ndjson(events))
            joined, _missed = join(events, hosts)
            full = self.write("full.ndjson", ndjson(joined))
            p = self.run_([det, "--mode", "search", "-f", "ndjson", "--lookup", "aid_master=" + self.aid_master(hosts), raw])
            out = self.write("out.ndjson", p.stdout)
            self.assertGreater(len(p.stdout.splitlines()), 50)
            p = subprocess.run([sys.executable, shared("corpora/ref_t1071_003.py"), "--check", out, full], capture_output=True, text=True)
            self.assertEqual(p.returncode, 0, p.stdout)


if __name__ == "__main__":
    main()
