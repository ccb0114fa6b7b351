import Config
import Diagnostics
import HTTPClient
import JSON
import Lint
import Model

/// Asks a server with Prometheus' API what the checks want to know.
///
/// Whatever it does not answer stays unknown, and the checks that need it stay silent. Only the
/// first question must be answered: a server that cannot be reached ends the program.
struct LintServer {
  let base: String
  let client: HTTPClient
  let span: PromDuration
  let now: Timestamp

  /// How many questions are under way at once.
  private static let parallel = 16

  init(url: String, span: PromDuration, now: Timestamp) throws {
    var base = url.contains("://") ? url : "http://" + url
    while base.hasSuffix("/") { base.removeLast() }
    self.base = base
    self.span = span
    self.now = now
    client = try HTTPClient()
  }

  /// A context with the server's answers; nil, with the reason, if it cannot be reached.
  func context(
    for questions: LintQuestions, over known: LintContext, wantsAlerts: Bool
  ) async -> Result<LintContext, HTTPFailureText> {
    var context = known
    context.server = base
    context.span = span.description
    switch await ask("/api/v1/label/__name__/values", range) {
    case .success(let data): context.metricNames = data.array?.compactMap(\.string) ?? []
    case .failure(let problem): return .failure(problem)
    }
    if case .success(let data) = await ask("/api/v1/status/config"), let yaml = data["yaml"]?.string
    {
      configure(&context, yaml)
    }
    if case .success(let data) = await ask("/api/v1/status/runtimeinfo"),
      let text = data["storageRetention"]?.string?.split(separator: " ").first
    {
      context.retention = try? PromDuration(parsing: String(text))
    }
    await metrics(questions, &context)
    await expressions(questions, &context)
    if wantsAlerts { await alerts(questions, &context) }
    return .success(context)
  }

  private var range: [(String, String)] {
    [
      ("start", NumberText.plain((now - span).seconds)), ("end", NumberText.plain(now.seconds)),
    ]
  }

  private func configure(_ context: inout LintContext, _ yaml: String) {
    let config = PrometheusConfigLoader.load(SourceText(name: base, text: yaml), directory: ".")
    if !config.diagnostics.contains(where: { $0.id.hasPrefix("yaml/") }) {
      let isWhole = context.isWholeSet
      context = LintContext(config, over: context)
      context.isWholeSet = isWhole
    }
  }

  // MARK: Metrics

  private func metrics(_ questions: LintQuestions, _ context: inout LintContext) async {
    var found: [String: LintContext.Metric] = [:]
    for batch in batches(questions.metrics) {
      await withTaskGroup(of: (String, LintContext.Metric).self) { group in
        for (name, labels) in batch {
          group.addTask { (name, await self.metric(name, labels)) }
        }
        for await (name, metric) in group { found[name] = metric }
      }
    }
    context.metrics = found
  }

  private func metric(_ name: String, _ labels: [String]) async -> LintContext.Metric {
    var metric = LintContext.Metric()
    let selector = "{__name__=\(GoText.quote(name))}"
    let matching = range + [("match[]", selector)]
    if case .success(let data) = await ask("/api/v1/labels", matching) {
      metric.labels = data.array?.compactMap(\.string)
    }
    guard let known = metric.labels, !known.isEmpty else { return metric }
    for label in labels where known.contains(label) {
      if case .success(let data) = await ask(
        "/api/v1/label/\(PercentEncoding.encode(label))/values", matching)
      {
        metric.values[label] = data.array?.compactMap(\.string)
      }
    }
    metric.isPresent = await count(selector) != 0
    if !metric.isPresent { metric.lastSeen = await lastSeen(selector) }
    metric.types = await types(name)
    return metric
  }

  /// When a selector's newest sample was taken, five minutes more or less.
  private func lastSeen(_ selector: String) async -> Timestamp? {
    let query = "max(max_over_time(timestamp(\(selector))[\(span):5m]))"
    let form = [("query", query), ("time", NumberText.plain(now.seconds))]
    guard case .success(let data) = await ask("/api/v1/query", form) else { return nil }
    return data["result"]?[0]?["value"]?[1]?.string.flatMap(Double.init).map {
      Timestamp(seconds: $0)
    }
  }

  /// Types by metadata: that of the family, for the parts of histograms and summaries.
  private func types(_ name: String) async -> [LintContext.MetricType] {
    var asked = [name]
    for suffix in ["_bucket", "_count", "_sum", "_total"] where name.hasSuffix(suffix) {
      asked.append(String(name.dropLast(suffix.count)))
    }
    for (i, family) in asked.enumerated() {
      guard case .success(let data) = await ask("/api/v1/metadata", [("metric", family)]) else {
        return []
      }
      let types = (data[family]?.array ?? []).compactMap {
        $0["type"]?.string.flatMap(LintContext.MetricType.init)
      }
      if types.isEmpty { continue }
      // A part of a histogram or a summary counts up, whatever its family is called.
      let isPart = i > 0 && types.allSatisfy { $0 == .histogram || $0 == .summary }
      return isPart ? [.counter] : types
    }
    return []
  }

  // MARK: Expressions

  private func expressions(_ questions: LintQuestions, _ context: inout LintContext) async {
    var found: [String: Int] = [:]
    for batch in batches(questions.expressions) {
      await withTaskGroup(of: (String, Int?).self) { group in
        for expr in batch { group.addTask { (expr, await self.count(expr)) } }
        for await (expr, series) in group { found[expr] = series }
      }
    }
    context.answers.merge(found.mapValues { LintContext.Answer(series: $0) }) { $1 }
  }

  /// How many series an expression returns now; nil if the server refuses it.
  private func count(_ expr: String) async -> Int? {
    let form = [("query", "count(\(expr)\n)"), ("time", NumberText.plain(now.seconds))]
    guard case .success(let data) = await ask("/api/v1/query", form) else { return nil }
    guard let result = data["result"]?.array else { return nil }
    if result.isEmpty { return 0 }
    return result[0]["value"]?[1]?.string.flatMap(Double.init).map { Int($0) }
  }

  // MARK: Alerts

  /// The step of a look back over a day.
  private static let step = PromDuration.minutes(1)

  private func alerts(_ questions: LintQuestions, _ context: inout LintContext) async {
    for alert in questions.alerts {
      let form = [
        ("query", alert.expr), ("start", NumberText.plain((now - .days(1)).seconds)),
        ("end", NumberText.plain(now.seconds)), ("step", NumberText.plain(Self.step.seconds)),
      ]
      guard case .success(let data) = await ask("/api/v1/query_range", form),
        let series = data["result"]?.array
      else { continue }
      let fired = series.reduce(0) { $0 + Self.firings($1, hold: alert.hold) }
      context.answers[alert.key] = LintContext.Answer(
        series: await count(alert.expr), alerts: fired)
    }
  }

  /// How often a series would have fired: runs of samples without a gap that last long enough.
  private static func firings(_ series: JSONValue, hold: PromDuration) -> Int {
    let times = (series["values"]?.array ?? []).compactMap { $0[0]?.double }
    var count = 0
    var start: Double?
    var last: Double?
    var hasFired = false
    for time in times {
      if let last, let begun = start, time - last < step.seconds * 1.5 {
        start = begun
      } else {
        start = time
        hasFired = false
      }
      if !hasFired, let start, time - start >= hold.seconds {
        hasFired = true
        count += 1
      }
      last = time
    }
    return count
  }

  // MARK: HTTP

  /// Why a question has no answer.
  struct HTTPFailureText: Error { var text: String }

  private func ask(
    _ path: String, _ form: [(String, String)] = []
  ) async -> Result<JSONValue, HTTPFailureText> {
    let query = form.map { "\(PercentEncoding.encode($0))=\(PercentEncoding.encode($1))" }.joined(
      separator: "&")
    var request = HTTPRequest(url: base + path + (query.isEmpty ? "" : "?" + query))
    request.timeout = 60_000
    request.proxy = .environment
    let outcome = await client.send(request)
    switch outcome.result {
    case .failure(let failure):
      return .failure(HTTPFailureText(text: outcome.failureText ?? failure.text))
    case .success(let response):
      guard let document = try? JSONValue(parsing: response.body),
        document["status"]?.string == "success", let data = document["data"]
      else {
        return .failure(
          HTTPFailureText(text: "\(base)\(path) answers with HTTP status \(response.statusText)"))
      }
      return .success(data)
    }
  }

  private func batches<T>(_ all: [T]) -> [ArraySlice<T>] {
    stride(from: 0, to: all.count, by: Self.parallel).map {
      all[$0..<min($0 + Self.parallel, all.count)]
    }
  }
}
