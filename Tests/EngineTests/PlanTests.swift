import Engine
import Model
import Testing

@Suite struct PlanTests {
  @Test func selectsTheNewestSampleWithinTheLookback() throws {
    let world = try World(step: .seconds(10), "x 0 1 stale 2")
    #expect(world.ask("x", at: 10) == ["x 1"])
    #expect(world.ask("x", at: 20) == [])
    #expect(world.ask("x", at: 329) == ["x 2"])
    #expect(world.ask("x", at: 330) == [])
    #expect(world.ask("x offset 10s", at: 20) == ["x 1"])
    #expect(world.ask("x @ 10 offset 10s", at: 9999) == ["x 0"])
    #expect(world.ask("timestamp(x)", at: 45) == ["{} 30"])
  }

  @Test func windowsAreLeftOpenAndRatesExtrapolate() throws {
    let world = try World("c_total 0+60x10", "d_total 0 10 5 20")
    #expect(world.ask("count_over_time(c_total[1m])", at: 60) == ["{} 1"])
    #expect(world.ask("rate(c_total[5m])", at: 600) == ["{} 1"])
    #expect(world.ask("increase(d_total[4m])", at: 180) == ["{} 30"])
    #expect(world.ask("rate(c_total[1m])", at: 600) == [])
    #expect(world.ask("irate(c_total[5m])", at: 600) == ["{} 1"])
  }

  @Test func droppedNamesMayCollide() throws {
    var world = try World("a{x=\"1\"} 1+0x10", "b{x=\"1\"} 2+0x10")
    #expect(
      world.ask("-{__name__=~\"a|b\"}", at: 60)
        == ["error: vector cannot contain metrics with the same labelset"])
    world.settings.delayedNameRemoval = true
    #expect(
      world.ask(
        "label_replace(-{__name__=~\"a|b\"}, \"n\", \"$1\", \"__name__\", \"(.*)\")", at: 60)
        == ["{n=\"a\", x=\"1\"} -1", "{n=\"b\", x=\"1\"} -2"])
  }

  @Test func matchingRefusesAmbiguousPairs() throws {
    let world = try World(
      "l{a=\"1\", b=\"x\"} 1", "l{a=\"1\", b=\"y\"} 2", "r{a=\"1\"} 10", "r2{a=\"1\", c=\"1\"} 1",
      "r2{a=\"1\", c=\"2\"} 1")
    #expect(
      world.ask("l + on(a) r", at: 0) == [
        "error: multiple matches for labels: many-to-one matching must be explicit "
          + "(group_left/group_right)"
      ])
    #expect(
      world.ask("l + on(a) group_left r", at: 0)
        == ["{a=\"1\", b=\"x\"} 11", "{a=\"1\", b=\"y\"} 12"])
    #expect(
      world.ask("r + on(a) r2", at: 0) == [
        "error: found duplicate series for the match group {a=\"1\"} on the right hand-side of the "
          + "operation: [{__name__=\"r2\", a=\"1\", c=\"2\"}, {__name__=\"r2\", a=\"1\", c=\"1\"}]"
          + ";many-to-many matching not allowed: matching labels must be unique on one side"
      ])
    #expect(world.ask("l unless on(b) l{b=\"x\"}", at: 0) == ["l{a=\"1\", b=\"y\"} 2"])
    #expect(world.ask("r or l{b=\"x\"}", at: 0).count == 2)
    #expect(world.ask("l + on(b) fill_right(5) r", at: 0) == ["{b=\"x\"} 6", "{b=\"y\"} 7"])
  }

  @Test func aggregatesByGroups() throws {
    let world = try World(
      "x{j=\"a\", i=\"1\"} 1", "x{j=\"a\", i=\"2\"} 3", "x{j=\"b\", i=\"1\"} 5", "x{j=\"b\"} NaN")
    #expect(world.ask("sum by (j) (x{i!=\"\"})", at: 0) == ["{j=\"a\"} 4", "{j=\"b\"} 5"])
    #expect(world.ask("max by (j) (x)", at: 0) == ["{j=\"a\"} 3", "{j=\"b\"} 5"])
    #expect(world.ask("avg without (i) (x{j=\"a\"})", at: 0) == ["{j=\"a\"} 2"])
    #expect(
      world.ask("topk(2, x)", at: 0) == ["x{i=\"1\", j=\"b\"} 5", "x{i=\"2\", j=\"a\"} 3"])
    #expect(world.ask("quantile(0.5, x{j=\"a\"})", at: 0) == ["{} 2"])
    #expect(world.ask("count_values(\"v\", x{j=\"a\"})", at: 0) == ["{v=\"1\"} 1", "{v=\"3\"} 1"])
    #expect(world.ask("sum(nothing)", at: 0) == [])
  }

  @Test func histogramQuantileInterpolates() throws {
    let world = try World(
      "h_bucket{le=\"1\"} 2", "h_bucket{le=\"+Inf\"} 4", "h_bucket{le=\"2\"} 4",
      "n {{schema:0 count:4 sum:6 buckets:[2 2]}}")
    #expect(world.ask("histogram_quantile(0.75, h_bucket)", at: 0) == ["{} 1.5"])
    #expect(world.ask("histogram_fraction(0, 1, h_bucket)", at: 0) == ["{} 0.5"])
    #expect(world.ask("histogram_quantile(0.5, n)", at: 0) == ["{} 1"])
    #expect(world.ask("histogram_count(n + n)", at: 0) == ["{} 8"])
  }

  @Test func remarksTellTheirPlace() throws {
    let world = try World("gauge 0+1x10", "h_bucket{le=\"x\"} 1")
    #expect(
      try world.result("1 + rate(gauge[5m])", at: 300).infos == [
        "PromQL info: metric might not be a counter, name does not end in "
          + "_total/_sum/_count/_bucket: \"gauge\" (1:10)"
      ])
    #expect(
      try world.result("quantile(2,\n gauge)", at: 300).warnings
        == ["PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)"])
    #expect(
      try world.result("histogram_quantile(0.5, h_bucket)", at: 0).warnings == [
        "PromQL warning: bucket label \"le\" is missing or has a malformed value of \"x\" "
          + "for metric name \"h_bucket\" (1:25)"
      ])
  }

  @Test func limitsAndCancellationEndAQuery() throws {
    var world = try World("x{i=\"1\"} 0+1x100", "x{i=\"2\"} 0+1x100")
    world.settings.maxSamples = 50
    #expect(
      world.ask("sum_over_time(x[100m])", at: 6000) == [
        "error: query processing would load too many samples into memory in query execution"
      ])
    world.settings.maxSamples = 1000
    world.settings.isCancelled = { true }
    #expect(world.ask("x", at: 0) == ["error: query was canceled in expression evaluation"])
  }

  @Test func equalSubexpressionsAreOneNode() throws {
    let world = try World("x_total 0+1x10")
    let shared = try world.plan("sum(rate(x_total[5m])) / sum(rate(x_total[5m]))")
    #expect(shared.nodeCount == 3)
    #expect(World.lines(try shared.instant(at: Timestamp(seconds: 600)).value) == ["{} 1"])
  }

  @Test func aStepLendsItsResult() throws {
    let world = try World("x{i=\"1\"} 0+1x10", "x{i=\"2\"} _ 5 stale")
    let plan = try world.plan("x > 0", standing: true)
    let view = try plan.step(at: Timestamp(seconds: 60))
    #expect((0..<view.count).map { view.float($0) } == [1, 5])
    let generation = view.generation
    let later = try plan.step(at: Timestamp(seconds: 120))
    #expect(later.isPresent(0) && !later.isPresent(1))
    #expect(later.generation == generation)
    plan.close()
  }

  @Test func scalarsStringsAndRangesAreResultsToo() throws {
    let world = try World("x 1 2 3")
    #expect(world.ask("1 + 2 * 3", at: 0) == ["scalar 7"])
    #expect(world.ask("\"text\"", at: 0) == ["string text"])
    #expect(world.ask("x[2m]", at: 120) == ["x 60=2 120=3"])
    #expect(world.ask("x[2m:30s]", at: 120) == ["x 30=1 60=2 90=2 120=3"])
    #expect(try world.range("vector(time())", 0, 20, 10) == ["{} 0=0 10=10 20=20"])
    #expect(throws: QueryProblem.self) { try world.range("x[2m]", 0, 20, 10) }
  }
}

/// What a hostile query may try.
@Suite struct PlanLimitTests {
  @Test func deepNestingIsRefused() throws {
    let world = try World("x 1")
    let chain = Array(repeating: "x", count: 900).joined(separator: " + ")
    #expect(world.ask(chain, at: 0) == ["{} 900"])
    var strict = world
    strict.settings.maxDepth = 100
    #expect(strict.ask(chain, at: 0) == ["error: expression is nested too deeply"])
  }

  @Test func samplesAreCountedOverAllSteps() throws {
    var world = try World("x{i=\"1\"} 0+1x100", "x{i=\"2\"} 0+1x100")
    let refusal = "query processing would load too many samples into memory in query execution"
    world.settings.maxSamples = 150
    for text in ["x", "sum_over_time(x[1m:500ms])", "x + on (i) x"] {
      let problem = #expect(throws: QueryProblem.self) { try world.range(text, 0, 6000, 60) }
      #expect(problem?.message == refusal, "\(text)")
      #expect(problem?.kind == .limit)
    }
    world.settings.maxSamples = 1000
    #expect(try world.range("sum(x)", 0, 6000, 60).count == 1)
  }

  @Test func cancellationEndsASubquery() throws {
    var world = try World("x 0+1x100")
    world.settings.isCancelled = { true }
    let problem = #expect(throws: QueryProblem.self) {
      try world.result("max_over_time(rate(x[5m])[1h:1s])", at: 6000)
    }
    #expect(problem?.kind == .canceled)
    #expect(problem?.message == "query was canceled in expression evaluation")
  }

  @Test func powersAreGosToTheLastBit() throws {
    let world = try World("x 12.1")
    #expect(world.ask("x ^ 6.69 / -6.4 % x / (-8.68 - 4.5)", at: 0) == ["{} 0.016135629844963667"])
  }

  @Test func trimmingNumbersIsRefused() throws {
    let world = try World("x 1")
    #expect(
      world.ask("1 </ 2", at: 0) == ["error: operator \"</\" not allowed for Scalar operations"])
    #expect(
      world.ask("scalar(x) >/ 2", at: 0)
        == ["error: operator \">/\" not allowed for Scalar operations"])
  }

  @Test func absurdTimesAndStepsDoNotTrap() throws {
    let world = try World("x 1")
    #expect(
      world.ask("sum_over_time(vector(1)[100y:1ms])", at: 0).first?.hasPrefix("error") == true)
    #expect(world.ask("x @ 9223372036854775 offset -100y", at: 0) == [])
    #expect(world.ask("x offset 290y", at: 9e15) == [])
    #expect(world.ask("year(vector(NaN))", at: 0) == ["{} 292277026596"])
    #expect(world.ask("topk(1e18, x)", at: 0) == ["x 1"])
  }
}
