#!/usr/bin/env python3
"""The rule author's commands beside promtool: processor time, start and memory, in one paired run.

    tools.py --tocsin .build/release/tocsin --promtool .build/peers/usr/bin/promtool --cases ../shared/conformance

Checks all rule files of the cases and runs their unit tests and a thousand made-up ones with both programs in turn;
the best of several rounds counts, user and system time together, so that other work on the machine does not matter
much. Standard library only.
"""
import argparse
import csv
import os
import subprocess
import sys
import tempfile

MADE_UP = 1000


def spent(command, folder):
    """User and system seconds of a command, and the most megabytes it held."""
    child = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(child.pid, 0)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def paired(commands, folder, rounds):
    """The least of several rounds for each command, taken in turn."""
    best = [(float("inf"), 0.0)] * len(commands)
    for _ in range(rounds):
        for i, command in enumerate(commands):
            seconds, megabytes = spent(command, folder)
            best[i] = (min(best[i][0], seconds), max(best[i][1], megabytes))
    return best


def listed(cases, name, wanted=lambda row: True):
    """The files of a table of verdicts that are there."""
    root = os.path.join(cases, "corpus")
    with open(os.path.join(root, name), encoding="utf-8") as table:
        rows = csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [row["file"] for row in rows if wanted(row) and os.path.isfile(os.path.join(root, row["file"]))]


def make_up(folder):
    """A rule file and a test file with a thousand tests."""
    with open(os.path.join(folder, "rules.yml"), "w", encoding="utf-8") as out:
        out.write("groups:\n- name: pool\n  rules:\n")
        out.write("  - record: job:errors:rate5m\n    expr: sum by (job) (rate(errors_total[5m]))\n")
        for i in range(10):
            out.write(f"  - alert: Errors{i}\n    expr: job:errors:rate5m > {i}\n    for: 2m\n")
            out.write("    annotations: {summary: '{{ $labels.job }} has {{ $value }}'}\n")
    with open(os.path.join(folder, "tests.yml"), "w", encoding="utf-8") as out:
        out.write("rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n")
        for i in range(MADE_UP):
            out.write(f"- interval: 1m\n  name: test {i}\n  input_series:\n")
            out.write("  - series: 'errors_total{job=\"a\",instance=\"x\"}'\n")
            out.write(f"    values: '0+{60 * (i % 12)}x20'\n")
            out.write("  promql_expr_test:\n  - expr: job:errors:rate5m\n    eval_time: 10m\n")
            out.write(f"    exp_samples: [{{labels: 'job:errors:rate5m{{job=\"a\"}}', value: {i % 12}}}]\n")


def show(what, unit, ours, theirs=None):
    ratio = f"{theirs / ours:8.1f}" if theirs is not None else ""
    other = f"{theirs:10.3f}" if theirs is not None else " " * 10
    print(f"{what:44} {ours:10.3f} {other} {ratio}  {unit}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tocsin", required=True)
    parser.add_argument("--promtool", required=True)
    parser.add_argument("--cases", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    tocsin, promtool = os.path.abspath(options.tocsin), os.path.abspath(options.promtool)
    for path in (tocsin, promtool, os.path.join(options.cases, "corpus")):
        if not os.path.exists(path):
            sys.exit(f"{path} is not there")
    corpus = os.path.abspath(os.path.join(options.cases, "corpus"))
    rules = listed(options.cases, "rules-verdicts.tsv")
    # Only tests that both programs pass: a failure ends promtool's work early.
    tests = listed(
        options.cases, "unittests-verdicts.tsv",
        lambda row: row["verdict"] == "pass" and row["verdict_2_42"] == "pass")
    print(f"{'':44} {'tocsin':>10} {'promtool':>10} {'times':>8}")
    with tempfile.TemporaryDirectory() as folder:
        link = os.path.join(folder, "promtool")
        os.symlink(tocsin, link)
        make_up(folder)
        (alike, _), (linted, _), (theirs, _) = paired(
            [[link, "check", "rules", *rules], [tocsin, "check", "rules", *rules], [promtool, "check", "rules", *rules]],
            corpus, options.rounds)
        show(f"check {len(rules)} rule files, as promtool", "CPU s", alike, theirs)
        show("the same with all checks of ours", "CPU s", linted, theirs)
        (ours, _), (theirs, _) = paired(
            [[tocsin, "test", "rules", *tests], [promtool, "test", "rules", *tests]], corpus, options.rounds)
        show(f"test {len(tests)} files of unit tests", "CPU s", ours, theirs)
        (ours, _), (theirs, _) = paired(
            [[tocsin, "test", "rules", "tests.yml"], [promtool, "test", "rules", "tests.yml"]], folder, options.rounds)
        show(f"test {MADE_UP} made-up tests", "CPU s", ours, theirs)
        with open(os.path.join(folder, "one.yml"), "w", encoding="utf-8") as out:
            out.write("groups: [{name: g, rules: [{alert: A, expr: up == 0, for: 5m}]}]\n")
        (ours, _), (theirs, _) = paired(
            [[tocsin, "check", "rules", "one.yml"], [promtool, "check", "rules", "one.yml"]], folder, 20)
        show("check one rule", "CPU ms", ours * 1000, theirs * 1000)
        many = (rules * (2000 // len(rules) + 1))[:2000]
        (_, ours), (_, theirs) = paired(
            [[tocsin, "check", "rules", *many], [promtool, "check", "rules", *many]], corpus, 1)
        show(f"memory over {len(many)} rule files", "MB", ours, theirs)


main()
