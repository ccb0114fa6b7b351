import TestSupport
import Testing

@Suite struct AuthorCommandTests {
  static let rules = """
    groups:
      - name: g
        rules:
          - alert: A
            expr: up==0   # down

    """

  @Test func formatting() throws {
    let folder = try TemporaryFolder(["a.yml": Self.rules])
    let check = try Command("fmt", "--check", "a.yml", in: folder).run()
    #expect(check.status == 1)
    #expect(check.output == "a.yml\n")
    let diff = try Command("fmt", "--diff", "a.yml", in: folder).run()
    #expect(diff.status == 0)
    #expect(
      diff.output.contains("-        expr: up==0   # down\n+        expr: up == 0   # down\n"))
    let piped = try Command("fmt", "-", in: folder, input: Self.rules).run()
    #expect(piped.output == Self.rules.replacing("up==0", with: "up == 0"))
    #expect(try Command("fmt", ".", in: folder).run().output == "a.yml\n")
    #expect(try Command("fmt", "--check", "a.yml", in: folder).run().status == 0)
    #expect(try Command("fmt", "nowhere.yml", in: folder).run().status == 2)
  }

  @Test func differences() throws {
    let folder = try TemporaryFolder([
      "a.yml": Self.rules, "b.yml": Self.rules.replacing("==0", with: " == (0)"),
      "c.yml": Self.rules.replacing("==0", with: "==1"),
      "bad.yml": "groups: [{name: g, rules: [{alert: A, expr: (}]}]",
    ])
    #expect(try Command("diff", "a.yml", "b.yml", in: folder).run().status == 0)
    let changed = try Command("diff", "a.yml", "c.yml", in: folder).run()
    #expect(changed.status == 1)
    #expect(
      changed.output
        == "group g\n  ~ alert A\n      expr  up == 0 -> up == 1\n\n1 rule: 1 changed\n")
    #expect(try Command("diff", "a.yml", "bad.yml", in: folder).run().status == 2)
    #expect(try Command("diff", "a.yml", "nowhere.yml", in: folder).run().status == 2)
  }

  @Test func wrongWords() throws {
    let outcome = try Command("check", "ruels", in: try TemporaryFolder()).run()
    #expect(outcome.status == 64)
    #expect(
      outcome.complaints.hasPrefix(
        "Error: 'ruels' is no command of tocsin check; did you mean 'rules'?\n"))
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func completions(_ shell: String) throws {
    let outcome = try Command("completions", shell, in: try TemporaryFolder()).run()
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("explain-check"))
  }
}
