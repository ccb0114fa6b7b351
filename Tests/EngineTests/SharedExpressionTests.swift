import Model
import PromQL
import Storage
import Testing

@testable import Engine

/// What plans have in common is evaluated once, and nothing else shows it.
@Suite struct SharedExpressionTests {
  /// Plans of one group, in order, with and without a share in what they have in common.
  private struct Group {
    let world: World
    let round = EvaluationRound()
    let texts: [String]
    let shared: [Plan]
    let alone: [Plan]

    /// - Parameter writers: by their places, the metrics that plans' results become.
    init(_ world: World, _ texts: [String], writers: [Int: String] = [:]) throws {
      self.world = world
      self.texts = texts
      let exprs = try texts.map { try PromQLParser.parse($0, options: .all) }
      let common = SharedExpressions(store: world.store, settings: world.settings, round: round)
      for (place, expr) in exprs.enumerated() {
        common.note(expr, user: place) { matchers in
          let written = writers.filter { writer in
            writer.key < place && matchers.contains { $0.matches(writer.value) }
          }
          return written.keys.max() ?? -1
        }
      }
      common.settle()
      alone = try zip(exprs, texts).map {
        try Plan($0, store: world.store, settings: world.settings, standing: true, text: $1)
      }
      shared = try exprs.enumerated().map { place, expr in
        try Plan(
          expr, store: world.store, settings: world.settings, standing: true, text: texts[place],
          sharing: SharingScope(common, user: place))
      }
    }

    /// How many parts each plan has in common with others, and how often all were evaluated.
    var parts: [Int] { shared.map(\.sharing.parts) }

    /// Evaluates all plans; every one must tell what it tells when alone.
    func compare(at seconds: Double) {
      round.begin()
      for (place, text) in texts.enumerated() {
        let expected = Self.outcome(alone[place], seconds)
        #expect(Self.outcome(shared[place], seconds) == expected, "\(text) at \(seconds)")
      }
    }

    private static func outcome(_ plan: Plan, _ seconds: Double) -> [String] {
      do {
        let view = try plan.step(at: Timestamp(seconds: seconds))
        var lines: [String] = []
        for slot in 0..<view.count {
          guard let value = view.value(slot) else { continue }
          lines.append("\(view.labels(slot)) \(World.text(value))")
        }
        return lines.sorted() + plan.warnings + plan.infos
          + ["\(plan.samples) samples, \(plan.series) series"]
      } catch {
        return [error.message]
      }
    }
  }

  private static func world() throws -> World {
    try World(
      "x_total{job=\"a\",i=\"1\"} 0+1x60", "x_total{job=\"a\",i=\"2\"} 0+2x60",
      "x_total{job=\"b\",i=\"1\"} 0+3x20", "y{job=\"a\"} 5+0x60", "y{job=\"b\"} 1+1x60",
      "h_bucket{le=\"1\",job=\"a\"} 0+1x60", "h_bucket{le=\"+Inf\",job=\"a\"} 0+2x60")
  }

  @Test(arguments: [
    (["sum(rate(x_total[5m]))", "sum(rate(x_total[5m])) > 2"], [1, 1]),
    // Parentheses and blanks make no difference, and neither do other rules' parts.
    (
      ["sum( rate(x_total[5m]) )", "(sum(rate(x_total[300s]))) > 2", "rate(x_total[5m])"],
      [1, 1, 1]
    ),
    (["x_total", "-x_total", "x_total offset 1m"], [1, 1, 0]),
    // A part of a part.
    (
      ["sum(rate(x_total[5m]))", "sum(rate(x_total[5m])) / 2", "max(rate(x_total[5m]))"], [1, 1, 1]
    ),
    // One plan's own repetitions are its own business, but for what others have, too.
    (["y / y", "2 + 3", "time()"], [0, 0, 0]),
    (["sum(y) + max(y)", "max(y)", "3"], [2, 1, 0]),
    (["sum(y) + y", "sum(y)", "scalar(sum(y)) + y"], [2, 1, 2]),
    (["y @ 60 + y", "sum(y @ 60)", "y @ 60"], [1, 1, 1]),
    (["max_over_time(sum(y)[5m:1m])", "1 + max_over_time(sum(y)[5m:1m])", "sum(y)"], [1, 1, 0]),
    (["info(y)", "info(y)", "y"], [1, 1, 1]),
    (["histogram_count(y)", "y", "histogram_sum(y)"], [0, 0, 0]),
    (["rate(y[5m])", "1 + rate(y[5m])", "1 +  rate( y[5m] ) > 0"], [1, 1, 1]),
    (["y / on () group_left () x_total", "1 + (y / on () group_left () x_total)"], [1, 1]),
    (
      [
        "histogram_quantile(0.9, sum by (le) (rate(h_bucket[5m])))",
        "histogram_quantile(0.5, sum by (le) (rate(h_bucket[5m]))) > 0",
      ], [1, 1]
    ),
    (["rate(sum(y)[5m:1m])", "  rate(sum(y)[5m:1m]) > 0"], [1, 1]),
    (["quantile(2, y)", "sum(quantile(2, y))", "max(quantile(2,y))"], [1, 1, 1]),
  ])
  func plansWithCommonPartsTellWhatTheyTellAlone(texts: [String], parts: [Int]) throws {
    for delayed in [false, true] {
      var world = try Self.world()
      world.settings.delayedNameRemoval = delayed
      let group = try Group(world, texts)
      #expect(group.parts == parts, "\(texts)")
      for seconds in stride(from: 0.0, through: 3600, by: 290) { group.compare(at: seconds) }
    }
  }

  @Test func aPartIsEvaluatedOnceARound() throws {
    let group = try Group(
      try Self.world(), ["sum(rate(x_total[5m]))", "sum(rate(x_total[5m])) > 2", "y"])
    for n in 1...3 {
      group.compare(at: 600)
      #expect(group.shared[1].sharing.evaluations == UInt64(n))
    }
  }

  @Test func aNewRoundAtTheSameTimeSeesWhatHasCome() throws {
    let world = try Self.world()
    let group = try Group(world, ["sum(y)", "sum(y) + 1"])
    group.compare(at: 3600)
    try world.store.append(
      ["__name__": "y", "job": "c"], at: Timestamp(seconds: 3600), .float(100))
    group.compare(at: 3600)
  }

  @Test func whatIsWrittenInBetweenMakesAnotherExpression() throws {
    // The third plan's result becomes y: those behind it see another y.
    let group = try Group(
      try Self.world(),
      ["sum(y)", "sum(y) * 2", "x_total", "sum(y)", "sum(y) * 3", "sum(x_total)"],
      writers: [2: "y"])
    #expect(group.parts == [1, 1, 1, 1, 1, 1])
    group.round.begin()
    let before = try group.shared[0].step(at: Timestamp(seconds: 600)).float(0)
    try group.world.store.append(
      ["__name__": "y", "job": "c"], at: Timestamp(seconds: 600), .float(100))
    #expect(try group.shared[1].step(at: Timestamp(seconds: 600)).float(0) == before * 2)
    let after = try group.shared[3].step(at: Timestamp(seconds: 600)).float(0)
    #expect(after == before + 100)
    #expect(try group.shared[4].step(at: Timestamp(seconds: 600)).float(0) == after * 3)
  }

  @Test func aClosedPlanLeavesItsPartsToTheOthers() throws {
    let group = try Group(try Self.world(), ["sum(y)", "sum(y) + 1", "x_total"])
    group.shared[0].close()
    group.round.begin()
    #expect(try group.shared[1].step(at: Timestamp(seconds: 600)).float(0) == 17)
    group.shared[1].close()
    group.shared[1].close()
  }
}
