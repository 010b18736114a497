"""What is measured: rules, detectors and events, each made when first asked for, in one temporary folder."""
import functools
import glob
import json
import os
import random
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "../.."))
SHARED = os.path.abspath(os.path.join(ROOT, "../shared"))
SYSMON = "Microsoft-Windows-Sysmon/Operational"
PROGRAMS = ["svchost.exe", "chrome.exe", "python.exe", "OUTLOOK.EXE", "updater.exe", "powershell.exe", "cmd.exe", "rundll32.exe"]
WORDS = ["-k", "netsvcs", "--type=renderer", "C:\\Users\\user\\report.docx", "/c", "dir", "-NoProfile", "--lang=en", "-p", "-s", "Schedule"]


def flags(*packages):
    p = subprocess.run(["pkg-config", "--cflags", "--libs", *packages], capture_output=True, text=True)
    return p.stdout.split() if p.returncode == 0 else None


def process_event(r, n, **more):
    """A process creation as Sysmon tells it, flat."""
    program = r.choice(PROGRAMS)
    return {"Channel": SYSMON, "EventID": 1, "Provider_Name": "Microsoft-Windows-Sysmon", "Hostname": "HOST-%03d" % r.randrange(200),
            "@timestamp": "2026-03-02T09:%02d:%02d.%03dZ" % (n // 60000 % 60, n // 1000 % 60, n % 1000), "ProcessId": str(r.randrange(65536)),
            "Image": "C:\\Windows\\System32\\" + program, "CommandLine": program + " " + " ".join(r.choice(WORDS) for _ in range(r.randrange(2, 9))),
            "ParentImage": "C:\\Windows\\" + r.choice(PROGRAMS), "User": "DOMAIN\\user%03d" % r.randrange(200), "IntegrityLevel": "Medium",
            "OriginalFileName": program, "Company": "Example Corporation", "Description": "A program of everyday work", **more}


def made_rule(r, n):
    """A rule like those of a collection, as JSON, which is YAML."""
    word = "".join(r.choice("bcdfghjklmnpqrstvwxz") for _ in range(r.randrange(6, 14)))
    detection = {"image": {"Image|endswith": ["\\%s.exe" % word, "\\%s64.exe" % word]},
                 "line": {"CommandLine|contains": ["--%s%d" % (word, k) for k in range(r.randrange(1, 12))]},
                 "filter": {"User|startswith": "NT AUTHORITY"}, "condition": "image or line and not filter"}
    return json.dumps({"title": "Made rule %d" % n, "id": "00000000-0000-4000-8000-%012d" % n, "logsource": {"product": "windows", "category":
                       "process_creation"}, "detection": detection, "level": "low"})


class Workload:
    def __init__(self, build, folder, quick):
        self.sigcc = os.path.join(os.path.abspath(build), "bin/sigcc")
        self.build_folder = os.path.abspath(build)
        self.folder, self.quick = folder, quick
        self.size = 1e8 if quick else 5e8

    def path(self, name):
        return os.path.join(self.folder, name)

    # -------- rules and detectors ----------------------------------------

    @functools.cached_property
    def rule_files(self):
        """The collection, or a made one of the same number."""
        found = sorted(f for kind in ("rules", "rules-emerging-threats", "rules-threat-hunting")
                       for f in glob.glob(os.path.join(SHARED, "sigmahq", kind, "**/*.yml"), recursive=True))
        if found:
            return found[::10] if self.quick else found
        r = random.Random(3)
        os.makedirs(self.path("made"))
        for n in range(380 if self.quick else 3780):
            path = self.path("made/%04d.yml" % n)
            with open(path, "w", encoding="utf-8") as f:
                f.write(made_rule(r, n))
            found.append(path)
        return found

    @property
    def collection(self):
        kind = "SigmaHQ" if self.rule_files[0].startswith(SHARED) else "made"
        return "%d %s rule files" % (len(self.rule_files), kind)

    def rules(self, count):
        """A folder of that many rule files, evenly picked; all of them with None."""
        files = self.rule_files
        if count is not None and count < len(files):
            files = files[::len(files) // count][:count]
        folder = self.path("rules%d" % len(files))
        if not os.path.isdir(folder):
            os.makedirs(folder)
            for n, source in enumerate(files):
                os.symlink(source, os.path.join(folder, "%05d.yml" % n))
        return folder

    def build(self, out, *args):
        p = subprocess.run([self.sigcc, "build", *args, "--keep-going", "-o", self.path(out)], capture_output=True, text=True)
        if not os.path.exists(self.path(out)):
            sys.exit("cannot build %s:\n%s" % (out, p.stderr[-2000:]))
        return self.path(out)

    @functools.cached_property
    def one(self):
        return self.build("one", os.path.join(ROOT, "sigma/t1071_003_mail_protocols.yml"), "-p", "crowdstrike_fdr")

    @functools.lru_cache(maxsize=None)
    def pack(self, count=None):
        folder = self.rules(count)
        return self.build("pack-" + os.path.basename(folder), folder, "--pack")

    def pack_for(self, pipeline):
        """The whole collection, as far as it can be had through a pipeline."""
        return self.build("pack-" + pipeline, self.rules(None), "--pack", "-p", pipeline)

    def peer(self, source, *packages, static=False):
        """A program of this folder; None when its library or compiler is absent."""
        out = self.path(source.split(".")[0])
        cc = "c++" if source.endswith(".cpp") else "cc"
        libs = flags(*packages) if packages else []
        if libs is None or not shutil.which(cc):
            return None
        if not os.path.exists(out):
            subprocess.run([cc, "-O3", "-march=native", *(["-static"] if static else []), "-o", out, os.path.join(HERE, source), *libs], check=True)
        return out

    # -------- events -----------------------------------------------------

    @functools.lru_cache(maxsize=None)
    def fdr(self, share=1 / 12):
        out = self.path("fdr-%.3f.ndjson" % share)
        subprocess.run([sys.executable, os.path.join(HERE, "make_fdr.py"), out, str(self.size), "1", str(share)], check=True)
        return out

    @functools.cached_property
    def mordor(self):
        """Windows events in their natural mix; None where the corpus or zstd is absent."""
        found = sorted(glob.glob(os.path.join(SHARED, "corpora/mordor/flat.*.ndjson.zst")))
        if not found or not shutil.which("zstd"):
            return None
        return self.unpack("mordor.ndjson", found[:1] if self.quick else found, 1)

    @property
    def windows(self):
        return self.mordor or self.processes

    @property
    def windows_name(self):
        return "Mordor" if self.mordor else "made process creations"

    @functools.cached_property
    def processes(self):
        """Process creations alone: those of Mordor, or made, again and again."""
        lines = []
        if self.mordor:
            with open(self.mordor, "rb") as f:
                lines = [line.rstrip(b"\n") for line in f if json.loads(line).get("EventID") in (1, 4688)]
        if not lines:
            r = random.Random(5)
            lines = [json.dumps(process_event(r, n), separators=(",", ":")).encode() for n in range(20000)]
        return self.write("processes.ndjson", lines, 2e7 if self.quick else 2e8)

    @functools.cached_property
    def shapes(self):
        """The ways in which shippers write Windows events: name -> file, for those that are there."""
        found = {}
        for name, pattern in (("Winlogbeat 6", "mordor/winlogbeat6.*"), ("Windows events, flat", "sysmon/*.flat"),
                              ("Windows events, nested as XML is", "sysmon/*.nested"), ("Windows events, as Winlogbeat 8 has them", "sysmon/*.winlog")):
            packed = sorted(glob.glob(os.path.join(SHARED, "corpora", pattern + ".ndjson.zst")))
            if packed and shutil.which("zstd"):
                found[name] = self.unpack("shape%d.ndjson" % len(found), packed, 2e7 if self.quick else 1e8)
        return found

    def unpack(self, name, packed, size):
        """The lines of these files again and again up to that size. Not through this process: what that needs is
        in the peak memory of whatever it starts later."""
        out = self.path(name)
        with open(out, "wb") as f:
            while os.path.getsize(out) < size:
                subprocess.run(["zstd", "-dcq", *packed], stdout=f, check=True)
        return out

    def write(self, name, lines, size):
        """Lines (bytes without their ends) again and again up to that size."""
        out = self.path(name)
        block = b"".join(line + b"\n" for line in lines)
        with open(out, "wb") as f:
            for _ in range(max(1, int(size / len(block)))):
                f.write(block)
        return out
