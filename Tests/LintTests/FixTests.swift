import Config
import Lint
import TestSupport
import Testing

@Suite("check --fix")
struct FixTests {
  private static let wrong = """
    # a comment that stays
    groups:
      - name: g
        rules:
          - alert: A   # so does this
            expr: |
              up{job=~"a"}   # and this
                == bool 0
            for: 0s
            labels: {severity: "page"}
          - alert: B
            expr: "rate(x_total{code=~\\"^5..$\\"}[5m]) > 0"

    """
  private static let right = """
    # a comment that stays
    groups:
      - name: g
        rules:
          - alert: A   # so does this
            expr: |
              up{job="a"}   # and this
                == 0
            labels: {severity: "page"}
          - alert: B
            expr: "rate(x_total{code=~\\"5..\\"}[5m]) > 0"

    """

  @Test func fixesCertainThingsOnly() throws {
    let folder = try TemporaryFolder(["a.yml": Self.wrong])
    var options = CheckOptions()
    options.appliesFixes = true
    let path = folder.path + "/a.yml"
    let outcome = CheckRules.run([path], options: options)
    #expect(outcome.standardOutput.contains("FIXED: 4 findings"))
    #expect(String(decoding: try FileSystem.read(path), as: UTF8.self) == Self.right)
    let again = CheckRules.run([path], options: options)
    #expect(!again.standardOutput.contains("FIXED"))
    #expect(again.exitCode == 0)
    #expect(FileSystem.names(in: folder.path) == ["a.yml"])
  }

  /// Without its anchors the pattern is a plain text, which is fixed in its turn.
  @Test func aFixMayLeadToAnother() throws {
    let folder = try TemporaryFolder([
      "a.yml": #"groups: [{name: g, rules: [{record: x, expr: 'up{job=~"^api$"}'}]}]"#
    ])
    var options = CheckOptions()
    options.appliesFixes = true
    let path = folder.path + "/a.yml"
    #expect(CheckRules.run([path], options: options).standardOutput.contains("FIXED: 2 findings"))
    let text = String(decoding: try FileSystem.read(path), as: UTF8.self)
    #expect(text.contains(#"'up{job="api"}'"#))
  }

  @Test func withoutTheFlagNothingChanges() throws {
    let folder = try TemporaryFolder(["a.yml": Self.wrong])
    #expect(CheckRules.run([folder.path + "/a.yml"]).exitCode == 1)
    #expect(
      String(decoding: try FileSystem.read(folder.path + "/a.yml"), as: UTF8.self) == Self.wrong)
  }
}
