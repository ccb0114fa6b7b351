"""`tocsin check` as a process: formats that other programs read, exit codes, the name promtool."""

import json
import os
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as ET

from support.stage import STAND_IN, TOCSIN

RULES = """groups:
  - name: pool
    rules:
      - alert: Bool
        expr: up == bool 0
      - alert: Lost
        expr: sum(up) > 1
        annotations: {summary: "on {{ $labels.instance }}"}
      - alert: Fine
        expr: up == 0
"""
BROKEN = "groups:\n  - name: g\n    rules:\n      - alert: A\n        expr: sum(\n"
LEVELS = {"none", "note", "warning", "error"}


@unittest.skipIf(STAND_IN, "only Tocsin checks in these formats")
class CheckTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.write("rules.yml", RULES)
        self.write("broken.yml", BROKEN)

    def write(self, name, text):
        with open(os.path.join(self.folder.name, name), "w") as file:
            file.write(text)

    def run_tool(self, *arguments, program=TOCSIN, env=None, stdin=None):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GITHUB_")}
        environment.update(env or {})
        return subprocess.run(
            [program, *arguments], cwd=self.folder.name, env=environment, input=stdin,
            capture_output=True, text=True, timeout=60)

    def test_exit_codes(self):
        self.assertEqual(self.run_tool("check", "rules", "rules.yml").returncode, 1)
        self.assertEqual(self.run_tool("check", "rules", "--syntax-only", "rules.yml").returncode, 0)
        self.assertEqual(self.run_tool("check", "rules", "none.yml").returncode, 2)
        self.assertEqual(self.run_tool("check", "rules", stdin="groups: []").returncode, 0)

    def test_json(self):
        out = json.loads(self.run_tool("check", "rules", "-o", "json", "rules.yml").stdout)
        self.assertEqual(out["summary"], {"errors": 2, "warnings": 0, "infos": 0})
        self.assertEqual(
            [p["check"] for p in out["problems"]], ["alert/always-fires", "template/label-gone"])

    def test_sarif(self):
        out = json.loads(
            self.run_tool("check", "rules", "-o", "sarif", "rules.yml", "broken.yml").stdout)
        self.assertEqual(out["version"], "2.1.0")
        self.assertTrue(out["$schema"].endswith("sarif-schema-2.1.0.json"))
        self.assertEqual(len(out["runs"]), 1)
        run = out["runs"][0]
        driver = run["tool"]["driver"]
        self.assertTrue(driver["name"])
        rules = driver["rules"]
        self.assertEqual(len({r["id"] for r in rules}), len(rules))
        for rule in rules:
            self.assertTrue(rule["shortDescription"]["text"])
            self.assertIn(rule["defaultConfiguration"]["level"], LEVELS)
        self.assertEqual(len(run["results"]), 3)
        for result in run["results"]:
            self.assertEqual(rules[result["ruleIndex"]]["id"], result["ruleId"])
            self.assertIn(result["level"], LEVELS)
            self.assertTrue(result["message"]["text"])
            place = result["locations"][0]["physicalLocation"]
            self.assertFalse(place["artifactLocation"]["uri"].startswith("/"))
            region = place["region"]
            self.assertGreaterEqual(region["startLine"], 1)
            self.assertGreaterEqual(region["startColumn"], 1)
            self.assertGreaterEqual(
                (region["endLine"], region["endColumn"]),
                (region["startLine"], region["startColumn"]))
            for value in result["partialFingerprints"].values():
                self.assertIsInstance(value, str)

    def test_xml(self):
        junit = ET.fromstring(self.run_tool("check", "rules", "-o", "junit", "rules.yml").stdout)
        self.assertEqual(junit.tag, "testsuites")
        suite = junit.find("testsuite")
        self.assertEqual((suite.get("tests"), suite.get("failures")), ("3", "2"))
        for case in suite.findall("testcase"):
            self.assertTrue(case.get("name") and case.get("classname"))
            self.assertLessEqual(len(case.findall("failure")), 1)
        style = ET.fromstring(
            self.run_tool("check", "rules", "-o", "checkstyle", "rules.yml").stdout)
        errors = style.find("file").findall("error")
        self.assertEqual(len(errors), 2)
        for error in errors:
            self.assertTrue(int(error.get("line")) >= 1 and int(error.get("column")) >= 1)
            self.assertIn(error.get("severity"), {"error", "warning", "info"})

    def test_github(self):
        out = self.run_tool("check", "rules", "rules.yml", env={"GITHUB_ACTIONS": "true"}).stdout
        commands = [line for line in out.splitlines() if line.startswith("::")]
        self.assertEqual(len(commands), 2)
        self.assertTrue(commands[0].startswith("::error file=rules.yml,line=5,endLine=5,col="))

    def test_as_promtool(self):
        link = os.path.join(self.folder.name, "promtool")
        os.symlink(TOCSIN, link)
        good = self.run_tool("check", "rules", "rules.yml", program=link)
        self.assertEqual(
            (good.returncode, good.stdout),
            (0, "Checking rules.yml\n  SUCCESS: 3 rules found\n\n"))
        bad = self.run_tool("check", "rules", "broken.yml", program=link)
        self.assertEqual(bad.returncode, 1)
        self.assertIn("broken.yml: 5:15: group \"g\", rule 1, \"A\": could not parse", bad.stderr)
        self.write("twice.yml", RULES.replace("Lost", "Fine").replace("sum(up) > 1", "up > 1"))
        self.assertEqual(self.run_tool("check", "rules", "twice.yml", program=link).returncode, 0)
        self.assertEqual(
            self.run_tool("check", "rules", "--lint-fatal", "twice.yml", program=link).returncode, 3)
        self.assertEqual(self.run_tool("check", "nonsense", program=link).returncode, 1)

    def test_metrics_as_promtool(self):
        link = os.path.join(self.folder.name, "promtool")
        os.symlink(TOCSIN, link)

        def check(text, *flags):
            done = self.run_tool("check", "metrics", *flags, program=link, stdin=text)
            return done.returncode, done.stdout, done.stderr

        good = "# HELP a_total x\n# TYPE a_total counter\na_total 1\n"
        self.assertEqual(check(good), (0, "", ""))
        self.assertEqual(
            check(good + "# TYPE b counter\nb 2\n"),
            (3, "", 'b counter metrics should have "_total" suffix\nb no help text\n'))
        code, out, said = check("a 1\nb{ 2\n")
        self.assertEqual((code, out), (1, ""))
        self.assertTrue(said.startswith("error while linting: text format parsing error in line 2: "), said)
        self.assertIn("a_total  1            100.00%", check(good, "--extended")[1])

    def test_explain(self):
        out = self.run_tool("explain-check", "template/value-in-label")
        self.assertEqual(out.returncode, 0)
        self.assertIn("Put the value into an annotation.", out.stdout)
        self.assertEqual(self.run_tool("explain-check", "no/such").returncode, 2)


if __name__ == "__main__":
    unittest.main()
