#!/usr/bin/env python3
"""What `sigcc build` promises: exit codes, one detector per root, safe names,
nothing half built, no temporary file left, same input same bytes.

usage: build.py SIGCC
"""
import json
import os
import struct
import subprocess
import sys
import tempfile

RULE = """title: %s
id: %s
name: %s
logsource: {category: test}
detection:
  s: {F: %s}
  condition: s
level: low
"""
BAD = """title: bad
logsource: {category: test}
detection:
  s: {F|nonsense: 1}
  condition: s
"""
CORRELATION = """title: Many
name: many
correlation:
  type: event_count
  rules: [%s]
  group-by: [User]
  timespan: 5m
  condition: {gte: 2}
"""


class Test:
    def __init__(self, sigcc):
        self.sigcc = os.path.abspath(sigcc)
        self.failures = 0
        self.checks = 0

    def want(self, what, have, want):
        self.checks += 1
        if have != want:
            self.failures += 1
            print("%s:\n  have %r\n  want %r" % (what, have, want))

    def holds(self, what, condition, detail=""):
        self.want(what + (": " + detail if not condition else ""), bool(condition), True)

    def run(self, *args, cwd=None, env=None):
        return subprocess.run([self.sigcc, *args], capture_output=True, cwd=cwd,
                              env={**os.environ, **(env or {})})


def put(folder, path, text):
    path = os.path.join(folder, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def rule(name, value="x"):
    return RULE % (name.title(), "id-" + name, name, value)


def alerts(detector, lines):
    done = subprocess.run([detector], input="\n".join(lines).encode(), capture_output=True)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def usage(t, d):
    put(d, "one.yml", rule("one"))
    for args, code in ((("build", "one.yml"), 2), (("build", "-o", "x"), 2),
                       (("build", "none.yml", "-o", "x"), 3), (("bulid",), 2), ((), 2),
                       (("build", "one.yml", "-o", "x", "-p", "nonesuch"), 2),
                       (("build", "one.yml", "-o", "x", "-fno-nothing"), 2),
                       (("build", "one.yml", "-o", "x", "--static", "--shared-libs"), 2),
                       (("check", "one.yml"), 0), (("--version",), 0), (("--help",), 0),
                       (("--explain", "E0901"), 0), (("list", "modifiers"), 0),
                       (("list", "nothing"), 2)):
        t.want(repr(args), t.run(*args, cwd=d).returncode, code)
    os.mkdir(os.path.join(d, "empty"))
    put(d, "empty/.hidden.yml", rule("hidden"))
    t.want("no rules", t.run("check", "empty", cwd=d).returncode, 2)


def single(t, d):
    put(d, "one.yml", rule("one"))
    done = t.run("build", "one.yml", "-o", "one", cwd=d)
    t.want("single", (done.returncode, done.stderr[-200:] if done.returncode else b""), (0, b""))
    out = os.path.join(d, "one")
    t.want("mode", os.stat(out).st_mode & 0o111, 0o111 & ~os.umask(os.umask(0)))
    code, found = alerts(out, ['{"F":"x"}', '{"F":"y"}', '{"F":"X"}'])
    t.want("alerts", (code, [a["source"]["line"] for a in found]), (0, [1, 3]))
    for args, says in ((("--mode", "foo"), b"--mode takes stream|search, not 'foo'"),
                       (("-f", "x"), b"--format takes ndjson|json|csv|table, not 'x'"),
                       (("--stats=x",), b"--stats takes json, not 'x'"),
                       (("--max-groups", "0"), b"bad value '0' for --max-groups")):
        done = subprocess.run([out, *args], capture_output=True, stdin=subprocess.DEVNULL)
        t.want(repr(args), (done.returncode, says in done.stderr), (2, True))
    t.want("nothing else", sorted(os.listdir(d)), ["one", "one.yml"])


def linkers(t, d):
    """gold, where the system has it, and what a compiler's own options say; constants are no code."""
    put(d, "one.yml", rule("one"))
    path = os.environ["PATH"]
    gold = any(os.access(os.path.join(folder, "ld.gold"), os.X_OK) for folder in path.split(":"))
    for cc, wanted in (("cc", gold), ("cc -fuse-ld=bfd", False)):
        done = t.run("build", "one.yml", "-o", "one", "--cc", cc, "--no-cache", cwd=d)
        t.want(cc, (done.returncode, done.stderr[-200:] if done.returncode else b""), (0, b""))
        out = os.path.join(d, "one")
        with open(out, "rb") as file:
            t.want(cc + ": gold", b"gold 1." in file.read(), wanted)
        t.want(cc + ": alerts", alerts(out, ['{"F":"x"}'])[0], 0)
        t.holds(cc + ": constants", not any(b"lines read\0" in code for code in executable(out)))


def executable(path):
    """The bytes of an ELF file's executable segments."""
    with open(path, "rb") as file:
        data = file.read()
    at, size, count = (int.from_bytes(data[o:o + n], "little") for o, n in ((32, 8), (54, 2), (56, 2)))
    for i in range(count):
        kind, flags, begin = struct.unpack_from("<IIQ", data, at + i * size)
        if kind == 1 and flags & 1:
            length, = struct.unpack_from("<Q", data, at + i * size + 32)
            yield data[begin:begin + length]


def pipelines(t, d):
    """A file in the working folder does not hide a shipped pipeline; a path is a file."""
    put(d, "one.yml", rule("one"))
    shipped = t.run("list", "pipelines").stdout.decode().splitlines()[1].split()[0]
    put(d, shipped, "\x7fELF")
    put(d, "mine", "name: mine\npriority: 10\ntransformations: []\n")
    for name, code in ((shipped, 0), ("./" + shipped, 1), ("mine", 0), ("./mine", 0), ("nonesuch", 2)):
        t.want("-p " + name, t.run("check", "one.yml", "-p", name, cwd=d).returncode, code)


def spares_inputs(t, d):
    put(d, "r/one.yml", rule("one"))
    put(d, "p.yml", "name: p\ntransformations: []\n")
    put(d, "v.yml", "{}\n")
    os.link(os.path.join(d, "r/one.yml"), os.path.join(d, "linked"))
    for args in (("build", "r", "-o", "r/one.yml"), ("build", "r/one.yml", "-o", "linked"), ("build", "r", "-o", "x", "--report", "r/one.yml"),
                 ("check", "r", "-p", "nonesuch", "--report", "r/one.yml"), ("build", "r", "-p", "p.yml", "-o", "p.yml"),
                 ("build", "r", "--placeholders", "v.yml", "-o", "v.yml")):
        before = {path: open(os.path.join(d, path), encoding="utf-8").read() for path in ("r/one.yml", "p.yml", "v.yml")}
        done = t.run(*args, cwd=d)
        t.want(repr(args), (done.returncode, b"is also an input" in done.stderr), (2, True))
        t.want("spared", {path: open(os.path.join(d, path), encoding="utf-8").read() for path in before}, before)


def roots(t, d):
    put(d, "r/a/same.yml", rule("first"))
    put(d, "r/b/same.yml", rule("second"))
    put(d, "r/b/same-2.yml", rule("third"))
    put(d, "r/-rf $(x).yml", rule("fourth"))
    put(d, "r/base.yml", rule("base"))
    put(d, "r/many.yaml", CORRELATION % "base")
    put(d, "r/note.txt", "not: [a rule")
    os.symlink(".", os.path.join(d, "r/loop"))
    done = t.run("build", "r", "-o", "-out", "-j2", "--report", "report.json", cwd=d)
    t.want("roots", done.returncode, 0)
    t.want("names", sorted(os.listdir(os.path.join(d, "-out"))),
           ["_rf___x_", "many", "same", "same-2", "same-3"])
    with open(os.path.join(d, "report.json"), encoding="utf-8") as file:
        report = json.load(file)
    t.want("report", report["summary"],
           {"rules": 6, "compiled": 6, "rejected": 0, "skipped": 0})
    events = ['{"F":"x","User":"u","@timestamp":"2026-01-02T03:04:0%dZ"}' % i for i in range(3)]
    code, found = alerts(os.path.join(d, "-out/many"), events)
    t.want("correlation", (code, [a["rule"]["name"] for a in found]), (0, ["many"]))
    t.want("pack", t.run("build", "r", "-o", "pack", "--pack", cwd=d).returncode, 0)
    code, found = alerts(os.path.join(d, "pack"), events[:1])
    t.want("pack alerts", (code, len(found)), (0, 4))


def rejected(t, d):
    put(d, "r/good.yml", rule("good"))
    put(d, "r/bad.yml", BAD)
    done = t.run("build", "r", "-o", "out", cwd=d)
    t.want("rejected", (done.returncode, os.path.exists(os.path.join(d, "out"))), (1, False))
    t.holds("named", b"r/bad.yml:4:" in done.stderr, repr(done.stderr))
    t.holds("told last", done.stderr.splitlines()[-1].startswith(b"sigcc: nothing was built"), repr(done.stderr))
    done = t.run("build", "r", "-o", "out", "--keep-going", "--report", "r.json", cwd=d)
    t.want("keep-going", (done.returncode, os.path.exists(os.path.join(d, "out"))), (1, True))
    with open(os.path.join(d, "r.json"), encoding="utf-8") as file:
        report = json.load(file)
    entry = [r for r in report["rules"] if r["status"] == "rejected"][0]
    t.want("entry", (entry["path"], entry["title"], entry["line"]), ("r/bad.yml", "bad", 4))
    t.holds("code", entry["code"].startswith("E0") and entry["reason"], repr(entry))


def unreadable(t, d):
    """What cannot be read below a folder is rejected alone."""
    put(d, "r/good.yml", rule("good"))
    os.symlink("nowhere", os.path.join(d, "r/gone.yml"))
    names = [b"r/gone.yml"]
    put(d, "r/shut/x.yml", rule("x"))
    if os.getuid() != 0:  # whom no mode stops
        os.chmod(os.path.join(d, "r/shut"), 0)
        names.append(b"r/shut")
    for args, built in (((), False), (("--keep-going", "--pack"), True)):
        done = t.run("build", "r", "-o", "out", *args, cwd=d)
        t.want("unreadable", (done.returncode, os.path.exists(os.path.join(d, "out"))), (1, built))
        for name in names:
            t.holds("named", b"E0101" in done.stderr and b"'" + name + b"'" in done.stderr, repr(done.stderr))
    os.chmod(os.path.join(d, "r/shut"), 0o755)


def toolchain(t, d):
    put(d, "one.yml", rule("one"))
    put(d, "tmp/x", "")
    env = {"TMPDIR": os.path.join(d, "tmp")}
    failing = put(d, "failing", "#!/bin/sh\necho the reason >&2\nexit 1\n")
    os.chmod(failing, 0o755)
    for cc, says in ((failing, b"the reason"), (os.path.join(d, "nonesuch"), b"cannot be run")):
        done = t.run("build", "one.yml", "-o", "one", "--cc", cc, cwd=d, env=env)
        t.want("cc " + cc, done.returncode, 3)
        t.holds("reason", b"E0901" in done.stderr and says in done.stderr, repr(done.stderr))
        t.want("left", sorted(os.listdir(d)), ["failing", "one.yml", "tmp"])
        t.want("temporary", os.listdir(os.path.join(d, "tmp")), ["x"])
    put(d, "failing", '#!/bin/sh\nfor a; do case $a in -O*) echo level $a;; esac; done\nexit 1\n')
    with tempfile.TemporaryDirectory() as other:
        for name, count in (("some", 5000), ("many", 5001)):
            put(other, name + ".yml", "title: t\nlogsource: {category: test}\ndetection:\n%s  condition: 1 of s*\n"
                % "".join("  s%d: {F%d: v%d}\n" % (i, i % 9, i) for i in range(count)))
        put(other, "pack.yml", "---\n".join(rule("r%d" % i) for i in range(301)))
        for name, args, level in (("one", (), b"-O2"), ("some", (), b"-O2"), ("many", (), b"-O0"),
                                  ("many", ("-O1",), b"-O1"), ("pack", ("--pack",), b"-O1")):
            path = "one.yml" if name == "one" else os.path.join(other, name + ".yml")
            done = t.run("build", path, "-o", "one", "--cc", failing, *args, cwd=d, env=env)
            t.holds("level of " + name, b"level " + level + b"\n" in done.stderr, repr(done.stderr[-300:]))
    done = t.run("build", "one.yml", "-o", "none/one", cwd=d, env=env)
    t.want("no folder", done.returncode, 3)
    done = t.run("build", "one.yml", "-o", "one", cwd=d, env={"SIGCC_HOME": d})
    t.want("no runtime", (done.returncode, b"E0902" in done.stderr), (3, True))
    t.want("temporary", os.listdir(os.path.join(d, "tmp")), ["x"])


def same_bytes(t, d):
    made = []
    for side in ("left", "right/deeper"):
        path = put(d, side + "/rules/one.yml", rule("one"))
        temp = os.path.join(d, side, "tmp")
        os.mkdir(temp)
        out = os.path.join(d, side, "out")
        t.want("build", t.run("build", os.path.dirname(path), "-o", out,
                              env={"TMPDIR": temp}).returncode, 0)
        with open(out, "rb") as file:
            made.append(file.read())
    if b"__asan_init" in made[0]:
        return  # the sanitizer keeps the path of its source
    t.holds("same bytes", made[0] == made[1])
    t.holds("no path", d.encode() not in made[0])


def emits(t, d):
    put(d, "one.yml", rule("one"))
    t.want("c", t.run("build", "one.yml", "-o", "one.c", "--emit", "c", cwd=d).returncode, 0)
    with open(os.path.join(d, "one.json"), encoding="utf-8") as file:
        text = file.read()
    manifest = json.loads(text)
    t.want("one line", text.count("\n"), 1)
    t.want("manifest", (manifest["schema"], manifest["rules"][0]["path"], manifest["fields"]),
           ("sigcc.manifest/1", "one.yml", ["F"]))
    put(d, "events", '{"F":"x"}\n\nnope\n{"F":[1,"X"]}\n{}\n')
    done = t.run("eval", "one.yml", "--events", "events", cwd=d)
    have = [json.loads(line) for line in done.stdout.splitlines()]
    t.want("eval", have, [{"line": 1, "rules": ["one"]},
                          {"line": 3, "error": "not a JSON object"},
                          {"line": 4, "rules": ["one"]}, {"line": 5, "rules": []}])


def main():
    t = Test(sys.argv[1])
    for case in (usage, single, linkers, pipelines, spares_inputs, roots, rejected, unreadable, toolchain, same_bytes, emits):
        with tempfile.TemporaryDirectory() as folder:
            case(t, os.path.realpath(folder))
    print("%d checks, %d failed" % (t.checks, t.failures))
    return 1 if t.failures or t.checks == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
