"""The GitHub Action and the pre-commit hooks of `examples/`: the commands they contain do what they say."""

import json
import os
import re
import subprocess
import tempfile
import unittest

from support.peers import PROJECT
from support.stage import STAND_IN, TOCSIN

GOOD = "groups:\n  - name: g\n    rules:\n      - alert: Down\n        expr: up == 0\n"
BAD = GOOD.replace("up == 0", "up == bool 0")
TEST = """rule_files: [rules/good.yml]
tests:
  - input_series: [{series: up, values: "0 0 0"}]
    alert_rule_test:
      - {eval_time: 1m, alertname: Down, exp_alerts: [{}]}
"""


@unittest.skipIf(STAND_IN, "only Tocsin checks rules")
class ExamplesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.mkdir(self.path("rules"))
        os.mkdir(self.path("bin"))
        os.symlink(TOCSIN, self.path("bin/tocsin"))
        self.write("rules/good.yml", GOOD)
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("GITHUB_")}
        self.environment["PATH"] = self.path("bin") + os.pathsep + os.environ["PATH"]

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, name):
        with open(PROJECT / "examples" / name, encoding="utf-8") as file:
            return file.read()

    def shell(self, command):
        return subprocess.run(
            ["bash", "-eo", "pipefail", "-c", command], cwd=self.folder, env=self.environment, capture_output=True,
            text=True, timeout=60)  # fmt: skip

    def action(self, **inputs):
        """Runs the steps as a runner would; the outcome of each."""
        text = self.read("github-action/action.yml")
        known = dict(re.findall(r'^  ([\w-]+):\n    description: .*\n    default: "?(.*?)"?$', text, re.MULTILINE))
        self.assertEqual(set(known), {"files", "fail-on", "sarif", "args"})
        known.update(inputs)
        done = []
        for condition, command in re.findall(r"(?:      if: (.*)\n)?      shell: bash\n      run: (.*)$", text, re.MULTILINE):
            if condition:
                self.assertEqual(condition, "inputs.sarif != ''")
                if not known["sarif"]:
                    continue
            done.append(self.shell(re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda m: known[m.group(1)], command)))
        return done

    def test_action(self):
        (check,) = self.action()
        self.assertEqual(check.returncode, 0, check.stderr)
        self.write("rules/bad.yml", BAD)
        sarif, check = self.action(sarif="out.sarif")
        self.assertEqual((sarif.returncode, check.returncode), (0, 1), sarif.stderr)
        self.assertIn("::error file=rules/bad.yml,line=5,", check.stdout)
        with open(self.path("out.sarif"), encoding="utf-8") as file:
            results = json.load(file)["runs"][0]["results"]
        self.assertEqual([result["ruleId"] for result in results], ["alert/always-fires"])
        (check,) = self.action(files="rules/good.yml", args="--syntax-only", **{"fail-on": "info"})
        self.assertEqual(check.returncode, 0)
        sarif, check = self.action(files="none.yml", sarif="out.sarif")
        self.assertEqual(check.returncode, 2)
        self.assertNotEqual(sarif.returncode, 0)

    def test_hooks(self):
        text = self.read("pre-commit/.pre-commit-hooks.yaml")
        hooks = dict(re.findall(r"^- id: (\S+)\n(?:  .*\n)*?  entry: (.*)$", text, re.MULTILINE))
        self.assertEqual(set(hooks), {"tocsin-check-rules", "tocsin-test-rules"})
        self.assertEqual(self.shell(hooks["tocsin-check-rules"] + " rules/good.yml").returncode, 0)
        self.write("rules/bad.yml", BAD)
        self.assertEqual(self.shell(hooks["tocsin-check-rules"] + " rules/good.yml rules/bad.yml").returncode, 1)
        self.write("good.test.yml", TEST)
        tested = self.shell(hooks["tocsin-test-rules"] + " good.test.yml")
        self.assertEqual(tested.returncode, 0, tested.stdout + tested.stderr)
        # The variant of the comment, which mends what it can.
        (fixing,) = re.findall(r"^#.* entry: (.*)$", text, re.MULTILINE)
        self.assertEqual(self.shell(fixing + " rules/bad.yml").returncode, 0)
        with open(self.path("rules/bad.yml"), encoding="utf-8") as file:
            self.assertEqual(file.read(), GOOD)


if __name__ == "__main__":
    unittest.main()
