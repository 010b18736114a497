#!/usr/bin/env python3
"""What detectors are made of, as SPDX 2.3: whole, true to the files on disk, the same each time, and safe from their texts."""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from harness import SIGCC, Case, main, rule  # noqa: E402
from streams import ASAN  # noqa: E402

LINKED = {"pcre2": "libpcre2-8", "zlib": "libz", "libdeflate": "libdeflate", "zstd": "libzstd", "sqlite": "libsqlite3"}
TYPES = {"DESCRIBES", "GENERATED_FROM", "STATIC_LINK", "DYNAMIC_LINK", "BUILD_TOOL_OF"}
PURPOSES = {"APPLICATION", "SOURCE", "LIBRARY"}
HOSTILE = ["</script>\"'\\", "\x1b[31m\u202e", "a\nb\u0000c", "LicenseRef-1", "MIT AND", "%s%n", "SPDXRef-DOCUMENT", "é\U0001f600", "x" * 250]


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def check_spdx(case, text):
    """What SPDX 2.3 demands of the members that are used; package by identifier."""
    doc = json.loads(text)
    case.assertEqual((doc["spdxVersion"], doc["dataLicense"], doc["SPDXID"]), ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"))
    case.assertTrue(doc["name"])
    case.assertRegex(doc["documentNamespace"], r"^https://[a-z./]+/[0-9a-f]{64}$")
    case.assertRegex(doc["creationInfo"]["created"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
    case.assertTrue(all(re.match(r"Tool: \S+-\S+$", c) for c in doc["creationInfo"]["creators"]) and doc["creationInfo"]["creators"])
    refs = {x["licenseId"]: x["extractedText"] for x in doc.get("hasExtractedLicensingInfos", [])}
    packages = {p["SPDXID"]: p for p in doc["packages"]}
    case.assertEqual(len(packages), len(doc["packages"]))
    for ident, p in packages.items():
        case.assertRegex(ident, r"^SPDXRef-[A-Za-z0-9.-]+$")
        case.assertTrue(p["name"])
        case.assertEqual((p["downloadLocation"], p["filesAnalyzed"], p["copyrightText"]), ("NOASSERTION", False, "NOASSERTION"))
        case.assertIn(p["primaryPackagePurpose"], PURPOSES)
        case.assertTrue(re.match(r"LicenseRef-\d+$", p["licenseDeclared"]) is None or p["licenseDeclared"] in refs)
        case.assertRegex(p.get("originator", "Person: x"), r"^Person: [^()\n]+$")
        for c in p.get("checksums", []):
            case.assertEqual(c["algorithm"], "SHA256")
            case.assertRegex(c["checksumValue"], r"^[0-9a-f]{64}$")
    case.assertTrue(all(re.match(r"LicenseRef-[A-Za-z0-9.-]+$", k) and v for k, v in refs.items()))
    for r in doc["relationships"]:
        case.assertIn(r["relationshipType"], TYPES)
        case.assertTrue({r["spdxElementId"], r["relatedSpdxElement"]} <= set(packages) | {"SPDXRef-DOCUMENT"})
    described = [r["relatedSpdxElement"] for r in doc["relationships"] if r["relationshipType"] == "DESCRIBES"]
    case.assertEqual(sorted(described), sorted(i for i in packages if i.startswith("SPDXRef-Detector-")))
    return doc, packages


class Sbom(Case):
    def setUp(self):
        super().setUp()
        self.env = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}

    def spdx(self, det):
        return self.sigcc("inspect", "--format=spdx", det, env=self.env).stdout

    def related(self, doc, packages, how, to=False):
        """The packages at the other end of the relations of the detector."""
        end = "spdxElementId" if to else "relatedSpdxElement"
        return [packages[r[end]] for r in doc["relationships"] if r["relationshipType"] == how]

    def inputs(self):
        """A rule of two documents, a pipeline, a filter, an enrichment."""
        stated = {"license": "MIT", "author": "A. Author (somewhere), another"}
        docs = [rule({"s": {"a": "x"}, "condition": "s"}, title="first", id="i1", name="n1", **stated),
                rule({"s": {"a": "y"}, "condition": "s"}, title="second", id="i2", name="n2", license="Mine, all mine")]
        self.write("two.yml", "\n---\n".join(d.replace('"name": "r", ', "") for d in docs))
        self.write("one.yml", rule({"s": {"a": "z"}, "condition": "s"}, title="third", author="B").replace('"name": "r", ', ""))
        self.write("p.yml", "name: p\npriority: 1\ntransformations:\n- {id: m, type: field_name_mapping, mapping: {b: c}}\n")
        self.write("f.yml", json.dumps({"title": "not here", "id": "f", "logsource": {"product": "test_prod"},
                                        "filter": {"rules": "any", "selection": {"host": "h"}, "condition": "not selection"}}))
        return ["two.yml", "one.yml", "-p", "p.yml", "--filter", "f.yml", "--enrich", "crowdstrike_fdr"]

    def build_all(self, *more, out="det"):
        self.sigcc("build", *self.inputs(), "--pack", "-o", out, *more, cwd=self.folder, env=self.env)
        return self.path(out)

    def test_everything_is_named(self):
        det = self.build_all()
        doc, packages = check_spdx(self, self.spdx(det))
        detector, = self.related(doc, packages, "DESCRIBES")
        self.assertEqual((detector["name"], detector["checksums"][0]["checksumValue"]), ("det", sha256(det)))
        made_of = {p["name"]: p for p in self.related(doc, packages, "GENERATED_FROM")}
        shipped = os.path.join(os.path.dirname(SIGCC), "../share/sigcc/sigma/enrich/crowdstrike_fdr.yml")
        for name, path in (("third", "one.yml"), ("p.yml", "p.yml"), ("f.yml", "f.yml")):
            self.assertEqual(made_of.pop(name)["checksums"][0]["checksumValue"], sha256(self.path(path)), name)
        with open(self.path("two.yml"), "rb") as f:
            first = f.read().split(b"---\n")[0]
        self.assertEqual(made_of["first"]["checksums"][0]["checksumValue"], hashlib.sha256(first).hexdigest())
        self.assertEqual((made_of["first"]["licenseDeclared"], made_of["first"]["originator"]), ("MIT", "Person: A. Author [somewhere], another"))
        self.assertIn("i1", made_of["first"]["sourceInfo"])
        stated, = doc["hasExtractedLicensingInfos"]
        self.assertEqual((made_of["second"]["licenseDeclared"], stated["extractedText"]), (stated["licenseId"], "Mine, all mine"))
        self.assertNotIn("originator", made_of["second"])
        del made_of["first"], made_of["second"]
        enrichment, = made_of.values()
        self.assertEqual(enrichment["checksums"][0]["checksumValue"], sha256(shipped))

    def check_runtime(self, static, linked):
        self.assertTrue(set(LINKED) <= set(linked))
        self.assertRegex(static["libsigccrt"]["versionInfo"], r"^\d+\.\d+\.\d+$")
        for name, stem in LINKED.items():
            self.assertRegex(linked[name]["versionInfo"], r"^\d+\.\d+")
            self.assertTrue(linked[name].get("packageFileName", stem).startswith(stem))
        pkg = subprocess.run(["pkg-config", "--modversion", "sqlite3"], capture_output=True, text=True)
        if pkg.returncode == 0:
            self.assertEqual(linked["sqlite"]["versionInfo"], pkg.stdout.strip())

    def test_libraries(self):
        """With their versions, linked as readelf sees it."""
        for more in ([], ["--shared-libs"], ["--emit=so"]) + (() if ASAN else (["--static"],)):
            det = self.build_all(*more)
            if shutil.which("strip"):
                subprocess.run(["strip", det], check=True)
            doc, packages = check_spdx(self, self.spdx(det))
            needed = set(re.findall(r"NEEDED.*\[(.*)\]", subprocess.run(["readelf", "-dW", det], capture_output=True, text=True, check=True).stdout))
            dynamic = {p["name"]: p for p in self.related(doc, packages, "DYNAMIC_LINK")}
            static = {p["name"]: p for p in self.related(doc, packages, "STATIC_LINK")}
            self.assertEqual({p["packageFileName"] for p in dynamic.values()}, needed)
            self.assertEqual(bool(dynamic), more != ["--static"])
            if more == ["--emit=so"]:  # the runtime is with whoever loads it
                self.assertEqual(static, {})
                self.assertTrue(any(name.startswith("libsigccrt.so") for name in needed), needed)
            else:
                linked = dynamic if more == ["--shared-libs"] else static
                self.check_runtime(static, linked)
                self.assertEqual(set(LINKED) & set(dynamic), set() if linked is static else set(LINKED))
            tools = {p["name"] for p in self.related(doc, packages, "BUILD_TOOL_OF", to=True)}
            self.assertIn("sigcc", tools)
            self.assertTrue(any(re.search(r"GCC|clang", t) for t in tools), tools)

    def test_the_same_bytes(self):
        det = self.build_all("--sbom", "a.json")
        text = self.spdx(det)
        with open(self.path("a.json"), "rb") as f:
            self.assertEqual(f.read(), text)
        self.assertEqual(json.loads(text)["creationInfo"]["created"], "2023-11-14T22:13:20Z")
        moved = self.path("elsewhere/det")
        os.makedirs(os.path.dirname(moved))
        shutil.copy(det, moved)
        self.assertEqual(self.spdx(moved), text)
        for value, year in (("-5", "1970"), ("x", "1970"), ("99999999999999999999", "1970")):
            self.env["SOURCE_DATE_EPOCH"] = value
            self.assertTrue(check_spdx(self, self.spdx(det))[0]["creationInfo"]["created"].startswith(year))
        del self.env["SOURCE_DATE_EPOCH"]
        self.assertEqual(self.spdx(det), self.spdx(det))
        self.assertNotEqual(json.loads(self.spdx(det))["documentNamespace"], json.loads(text)["documentNamespace"])

    def test_several_detectors(self):
        """One document; what they share stands in it once."""
        args = self.inputs()
        self.sigcc("build", *args, "-o", "dets/", "--sbom", "a.json", cwd=self.folder, env=self.env)
        with open(self.path("a.json"), "rb") as f:
            doc, packages = check_spdx(self, f.read())
        found = {p["name"]: p["checksums"][0]["checksumValue"] for p in self.related(doc, packages, "DESCRIBES")}
        self.assertEqual(found, {n: sha256(self.path("dets/" + n)) for n in os.listdir(self.path("dets"))})
        self.assertEqual(len(found), 3)
        self.assertEqual(sum(p["name"] == "p.yml" for p in packages.values()), 1)
        self.assertEqual(sum(p["name"] == "first" for p in packages.values()), 1)

    def test_ci(self):
        self.write("rules/r.yml", rule({"s": {"a": "x"}, "condition": "s"}))
        self.run_([SIGCC, "ci", "rules", "-o", "out"], cwd=self.folder, env=self.env)
        with open(self.path("out/sbom.spdx.json"), "rb") as f:
            doc, packages = check_spdx(self, f.read())
        detector, = self.related(doc, packages, "DESCRIBES")
        self.assertEqual(detector["checksums"][0]["checksumValue"], sha256(self.path("out/detectors/r")))

    def test_hostile_texts(self):
        """They come back as they are and nothing else does, whatever they hold."""
        docs = [rule({"s": {"a": "x%d" % i}, "condition": "s"}, title=t, id=t, license=t, author=t).replace('"name": "r", ', "")
                for i, t in enumerate(HOSTILE)]
        self.write("r.yml", "\n---\n".join(docs))
        self.sigcc("build", "r.yml", "--pack", "-o", "d", "--keep-going", cwd=self.folder, env=self.env)
        text = self.spdx(self.path("d"))
        doc, packages = check_spdx(self, text)
        self.assertNotRegex(text, b"[\\x00-\\x09\\x0b-\\x1f\\x7f]")
        whole = {t.split("\0")[0] for t in HOSTILE}
        self.assertEqual({p["name"] for p in self.related(doc, packages, "GENERATED_FROM")}, whole)
        self.assertEqual({x["extractedText"] for x in doc["hasExtractedLicensingInfos"]}, whole)

    def test_others(self):
        """What is no detector is refused, and so is a file that would be lost."""
        for path in ("/bin/true", self.folder, "absent"):
            p = self.run_([SIGCC, "inspect", "--format=spdx", path])
            self.assertEqual((p.returncode, p.stdout), (1, b""))
        one = self.write("one.yml", rule({"s": {"a": "x"}, "condition": "s"}))
        before = sha256(one)
        self.sigcc("build", one, "-o", self.path("d"), "--sbom", one, status=2)
        self.sigcc("build", one, "--emit", "c", "-o", self.path("d.c"), "--sbom", self.path("s"), status=2)
        self.assertEqual(sha256(one), before)
        self.sigcc("build", one, "-o", self.path("d"), "--sbom", self.path("no/such/folder"), status=3)

    def test_damaged_files(self):
        """Each is refused or told of in a document that is whole."""
        with open(self.build_all(), "rb") as f:
            whole = f.read()
        places = [whole.index(b"sigcc\0\0\0{") - 12, whole.index(b'{"name":"libsigccrt') - 20, int.from_bytes(whole[0x28:0x30], "little"), 0]
        for i in range(100):
            data = bytearray(whole)
            for k in range(1 + i % 4):
                at = places[i % 4] + (i * 131 + k * 37) % (2048 if i % 4 == 2 else 64)
                if at < len(data):
                    data[at] ^= 1 << (i + k) % 8
            p = self.run_([SIGCC, "inspect", "--format=spdx", self.write("damaged", bytes(data))], timeout=60)
            self.assertIn(p.returncode, (0, 1), p.stderr)
            self.assertNotIn(b"Sanitizer", p.stderr)
            if p.returncode == 0:
                check_spdx(self, p.stdout)


if __name__ == "__main__":
    main()
