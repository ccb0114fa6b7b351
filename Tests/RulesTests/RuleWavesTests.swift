import Model
import PromQL
import Testing

@testable import Rules

@Suite struct RuleWavesTests {
  /// A rule as `name = expr`, an alert as `!name = expr`; `{…}` behind the name are its labels.
  private static func reach(_ text: String) throws -> RuleReach {
    let parts = text.split(separator: "=", maxSplits: 1).map {
      $0.split(whereSeparator: { $0 == " " }).joined(separator: " ")
    }
    let expr = try PromQLParser.parse(parts[1], options: .all)
    if parts[0].hasPrefix("!") {
      return RuleReach(.alert(AlertRule(name: String(parts[0].dropFirst()), expr: expr)))
    }
    let name = parts[0].split(separator: "/")
    let labels: LabelSet = name.count > 1 ? ["team": String(name[1])] : .empty
    return RuleReach(
      .recording(RecordingRule(name: String(name[0]), expr: expr, labels: labels)))
  }

  /// The waves, as `places committed` each.
  private static func waves(_ rules: [String]) throws -> [String] {
    RuleWaves(try rules.map(reach)).waves.map { "\($0.members) \($0.commits)" }
  }

  @Test(arguments: [
    (["a = x", "b = y", "c = sum(x) / y"], ["[0, 1, 2] 0..<3"]),
    (["a = x", "b = a", "c = b"], ["[0] 0..<1", "[1] 1..<2", "[2] 2..<3"]),
    // What nobody waits for is computed early and committed late.
    (["a = x", "b = a", "c = y"], ["[0, 2] 0..<1", "[1] 1..<3"]),
    // Who writes later is not waited for; reading oneself reads the past.
    (["a = b", "b = b", "c = y"], ["[0, 1, 2] 0..<3"]),
    (["!A = x", "b = ALERTS", "c = ALERTS_FOR_STATE"], ["[0] 0..<1", "[1, 2] 1..<3"]),
    (["!A = x", "b = ALERTS{alertname=\"B\"}"], ["[0, 1] 0..<2"]),
    (["!A = x", "b = ALERTS{alertname=~\"A|B\"}"], ["[0] 0..<1", "[1] 1..<2"]),
    (["a/red = x", "b = a{team=\"blue\"}", "c = a{zone=\"z\"}"], ["[0, 1] 0..<2", "[2] 2..<3"]),
    (
      ["ab = x", "b = {__name__=~\"a.\"}", "c = {__name__=~\"d|e\"}"],
      ["[0, 2] 0..<1", "[1] 1..<3"]
    ),
    (["a = x", "b = {job=\"j\"}"], ["[0] 0..<1", "[1] 1..<2"]),
    (["a = x", "b = info(y)"], ["[0] 0..<1", "[1] 1..<2"]),
    (["a = x", "b = max_over_time(rate(a[1m])[5m:1m])"], ["[0] 0..<1", "[1] 1..<2"]),
    (["a = x", "b = absent(a)", "c = y unless a"], ["[0] 0..<1", "[1, 2] 1..<3"]),
    ([], []),
  ])
  func aRuleWaitsForThoseItReads(rules: [String], expected: [String]) throws {
    #expect(try Self.waves(rules) == expected)
  }
}
