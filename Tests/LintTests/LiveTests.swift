import Config
import Diagnostics
import Lint
import Model
import Testing

@Suite("lint with a server's answers")
struct LiveTests {
  private func findings(
    _ rules: String, _ change: (inout LintContext) -> Void = { _ in }
  ) -> [Diagnostic] {
    var context = LintContext()
    context.server = "http://server"
    context.metricNames = ["db_pool_usage", "db_pool_size", "up"]
    var usage = LintContext.Metric()
    usage.types = [.gauge]
    usage.labels = ["instance", "job", "state"]
    usage.values = ["state": ["active", "idle", "waiting"]]
    context.metrics["db_pool_usage"] = usage
    var size = LintContext.Metric()
    size.types = [.gauge]
    size.labels = ["instance", "job"]
    context.metrics["db_pool_size"] = size
    var none = LintContext.Metric()
    none.labels = []
    context.metrics["db_pool_usge"] = none
    change(&context)
    let source = SourceText(name: "r.yml", text: "groups: [{name: g, rules: [\(rules)]}]")
    let linter = Linter(context: context)
    let inspection = linter.inspect(RuleFileLoader.load(source))
    return linter.finish([inspection], in: [source]).flatMap { $0 }
  }

  @Test func aMetricNobodyHasSeen() {
    let found = findings("{alert: A, expr: db_pool_usge > 1}")
    #expect(found.map(\.id) == ["live/metric"])
    #expect(found.first?.severity == .error)
    #expect(found.first?.label == "did you mean `db_pool_usage`?")
    #expect(findings("{alert: A, expr: absent(db_pool_usge)}").map(\.severity) == [.info])
  }

  @Test func aValueNobodyHasSeen() {
    let found = findings(#"{alert: A, expr: 'db_pool_usage{state="wating"} > 0'}"#)
    #expect(found.map(\.id) == ["live/value"])
    #expect(found.first?.label == "did you mean `waiting`?")
  }

  @Test func aLabelTheMetricDoesNotHave() {
    let found = findings(#"{alert: A, expr: 'db_pool_size{state="active"} > 0'}"#)
    #expect(found.map(\.id) == ["live/label"])
  }

  @Test func aDeclaredGauge() {
    let found = findings("{alert: A, expr: 'rate(db_pool_usage[5m]) > 1'}")
    #expect(found.map(\.id) == ["promql/rate-of-gauge"])
    #expect(found.first?.severity == .error)
  }

  @Test func aDeclaredCounterMayBeCalledAnything() {
    let found = findings("{alert: A, expr: 'rate(db_pool_size[5m]) > 1'}") {
      $0.metrics["db_pool_size"]?.types = [.counter]
    }
    #expect(found.isEmpty)
  }

  @Test func theServerSettlesAMatch() {
    let rule = #"{alert: A, expr: 'db_pool_usage{state="active"} / db_pool_size > 0.9'}"#
    func answered(_ both: Int) -> [Diagnostic] {
      findings(rule) {
        $0.answers["db_pool_usage{state=\"active\"}"] = .init(series: 1)
        $0.answers["db_pool_size"] = .init(series: 1)
        $0.answers["(db_pool_usage{state=\"active\"}) and (db_pool_size)"] = .init(series: both)
      }
    }
    #expect(answered(0).map(\.id) == ["promql/match-impossible"])
    #expect(answered(1).isEmpty)
    #expect(findings(rule).map(\.id) == ["promql/match-unlikely"])
  }

  private func gone(_ comment: String, hours: Int64) -> [String] {
    var context = LintContext()
    context.server = "http://server"
    var metric = LintContext.Metric()
    metric.labels = ["code"]
    metric.values = ["code": ["200"]]
    metric.isPresent = false
    context.metrics["requests_now"] = metric
    let now = Timestamp(seconds: 1_800_000_000)
    context.metrics["requests_now"]?.lastSeen = now - .hours(hours)
    let text = """
      groups:
        - name: g
          rules:
            # \(comment)
            - alert: A
              expr: requests_now{code="500"} > 1
            - alert: B
              expr: requests_now > 1
      """
    let source = SourceText(name: "r.yml", text: text)
    let linter = Linter(context: context, now: now)
    let inspection = linter.inspect(RuleFileLoader.load(source))
    return linter.finish([inspection], in: [source]).joined().map { "\($0.rule ?? "") \($0.id)" }
  }

  @Test func aMetricThatIsGone() {
    #expect(gone("x", hours: 1) == ["A live/value"])
    #expect(
      gone("x", hours: 3)
        == ["A live/metric-vanished", "A live/value", "B live/metric-vanished"])
  }

  @Test(
    "settings of pint's promql/series",
    arguments: [
      ("pint rule/set promql/series min-age 6h", ["A live/value", "B live/metric-vanished"]),
      (
        "tocsin rule/set live/metric-vanished(requests_now) min-age 6h",
        ["A live/value", "B live/metric-vanished"]
      ),
      (
        "pint rule/set promql/series(other) min-age 6h",
        ["A live/metric-vanished", "A live/value", "B live/metric-vanished"]
      ),
      (
        "pint rule/set promql/series ignore/label-value code",
        ["A live/metric-vanished", "B live/metric-vanished"]
      ),
      (
        "pint rule/set promql/series(requests_now{code=\"500\", a=\"b\"}) ignore/label-value code",
        ["A live/metric-vanished", "B live/metric-vanished"]
      ),
      (
        "pint rule/set promql/series ignore/label-value zone",
        ["A live/metric-vanished", "A live/value", "B live/metric-vanished"]
      ),
      (
        "pint rule/set promql/series min-age soon",
        [
          " control/invalid", "A live/metric-vanished", "A live/value", "B live/metric-vanished",
        ]
      ),
      (
        "pint rule/set promql/rate min-age 1h",
        [
          " control/invalid", "A live/metric-vanished", "A live/value", "B live/metric-vanished",
        ]
      ),
    ])
  func settings(_ comment: String, _ found: [String]) {
    #expect(gone(comment, hours: 3).sorted() == found.sorted())
  }

  @Test func configuration() {
    let found = findings(
      #"{alert: A, expr: up == 0, labels: {dc: x}, annotations: {s: "{{ $externalLabels.zone }}"}}"#
    ) {
      $0.externalLabels = ["dc": "here"]
    }
    #expect(found.map(\.id) == ["live/external-label", "live/external-label"])
    let old = findings("{alert: A, expr: 'rate(up[30d]) > 1'}") { $0.retention = .days(15) }
    #expect(old.contains { $0.id == "live/retention" })
  }
}
