import Config
import Diagnostics
import Model
import PromQL
import YAML

/// Reads unit test files; every problem is reported with its place.
package struct UnitTestLoader {
  let reader = YAMLReader()
  private let options: UnitTestOptions

  /// The file, or nil and why not.
  package static func load(
    _ source: SourceText, options: UnitTestOptions = UnitTestOptions()
  ) -> (file: UnitTestFile?, diagnostics: [Diagnostic]) {
    let document = YAMLDocument.parse(source: source)
    guard document.diagnostics.isEmpty, let root = document.root else {
      return (
        document.diagnostics.isEmpty ? UnitTestFile(path: source.name) : nil, document.diagnostics
      )
    }
    let loader = UnitTestLoader(options: options)
    let file = loader.file(root, path: source.name)
    let isBroken = loader.reader.diagnostics.contains { $0.severity == .error }
    return (isBroken ? nil : file, loader.reader.diagnostics)
  }

  private func file(_ root: YAMLNode, path: String) -> UnitTestFile {
    var file = UnitTestFile(path: path)
    guard let fields = reader.fields(of: root, "a unit test file") else { return file }
    file.ruleFiles = (fields.strings("rule_files") ?? []).map(\.text)
    if let interval = fields.duration("evaluation_interval"), interval > .zero {
      file.evaluationInterval = interval
    }
    for (name, node) in fields.strings("group_eval_order") ?? [] {
      if file.groupOrder.contains(where: { ByteOrder.equal($0, name) }) {
        reader.report(
          "test/group-order", "group name repeated in evaluation order: \(name)", at: node)
      }
      file.groupOrder.append(name)
    }
    file.isFuzzy = fields.bool("fuzzy_compare") ?? false
    for (index, node) in (fields.items("tests") ?? []).enumerated() {
      reader.context = "in test \(index + 1)"
      if let test = testGroup(node, defaultInterval: file.evaluationInterval) {
        file.tests.append(test)
      }
    }
    reader.context = nil
    close(fields)
    return file
  }

  func close(_ fields: YAMLFields) {
    if options.ignoresUnknownFields { fields.leave() } else { fields.close() }
  }

  private func testGroup(_ node: YAMLNode, defaultInterval: PromDuration) -> UnitTestFile.TestGroup?
  {
    guard let fields = reader.fields(of: node, "a test") else { return nil }
    var test = UnitTestFile.TestGroup()
    test.name = fields.string("name") ?? ""
    test.interval = defaultInterval
    if let interval = fields.duration("interval"), interval > .zero { test.interval = interval }
    test.start = start(fields)
    test.externalLabels = fields.labels("external_labels") ?? .empty
    test.externalURL = fields.string("external_url") ?? ""
    for item in fields.items("input_series") ?? [] { series(item, into: &test) }
    for item in fields.items("alert_rule_test") ?? [] { alertTest(item, into: &test) }
    var exprTests = fields.items("promql_expr_test") ?? []
    if options.acceptsVMAlertNames { exprTests += fields.items("metricsql_expr_test") ?? [] }
    for item in exprTests { exprTest(item, into: &test) }
    if options.acceptsOwnKeys, let node = fields.node("tocsin") { test.own = ownKeys(node) }
    close(fields)
    return test
  }

  func place(of node: YAMLNode) -> SourcePosition {
    node.content.source.position(at: node.content.range.start)
  }

  /// `start_timestamp`: Unix seconds or RFC 3339.
  private func start(_ fields: YAMLFields) -> Timestamp {
    guard let text = fields.string("start_timestamp"), let node = fields.value("start_timestamp")
    else {
      return .zero
    }
    if let seconds = Double(text), seconds.isFinite { return Timestamp(seconds: seconds) }
    if let t = Timestamp(rfc3339: text) { return t }
    reader.report(
      "test/start-timestamp", "invalid timestamp: expected Unix seconds or RFC 3339", at: node)
    return .zero
  }

  private func series(_ node: YAMLNode, into test: inout UnitTestFile.TestGroup) {
    guard let fields = reader.fields(of: node, "an input series") else { return }
    let text = (fields.string("series") ?? "") + " " + (fields.string("values") ?? "")
    do {
      let description = try PromQLParser.parseSeriesDescription(text)
      let input = UnitTestFile.InputSeries(
        labels: description.labels, values: description.values)
      // As in a script's load, a later line replaces an earlier one of the same labels.
      if let at = test.series.firstIndex(where: { $0.labels == input.labels }) {
        test.series[at] = input
      } else {
        test.series.append(input)
      }
    } catch {
      reader.report("test/series", error.text(in: text), at: fields.value("values") ?? node)
    }
    close(fields)
  }

  private func alertTest(_ node: YAMLNode, into test: inout UnitTestFile.TestGroup) {
    guard let fields = reader.fields(of: node, "an alert test") else { return }
    let time = fields.duration("eval_time") ?? .zero
    let name = fields.string("alertname") ?? ""
    if options.acceptsVMAlertNames { _ = fields.string("groupname") }
    if name.isEmpty {
      reader.report(
        "test/alertname",
        "an item under alert_rule_test misses required attribute alertname at eval_time \(time) "
          + "and interval \(test.interval)", at: node)
    }
    var expected: [UnitTestFile.ExpectedAlert] = []
    for item in fields.items("exp_alerts") ?? [] {
      guard let alert = reader.fields(of: item, "an expected alert") else { continue }
      let labels = LabelSet((alert.map("exp_labels") ?? []).map { ($0.name, $0.text) })
      let annotations = LabelSet((alert.map("exp_annotations") ?? []).map { ($0.name, $0.text) })
      close(alert)
      expected.append(
        UnitTestFile.ExpectedAlert(
          labels: labels.setting(LabelName.alertName, to: name), annotations: annotations))
    }
    close(fields)
    test.alertTests.append(
      UnitTestFile.AlertTest(
        time: time, alertName: name, expected: expected, place: place(of: node)))
  }

  private func exprTest(_ node: YAMLNode, into test: inout UnitTestFile.TestGroup) {
    guard let fields = reader.fields(of: node, "an expression test") else { return }
    let expr = fields.string("expr") ?? ""
    let time = fields.duration("eval_time") ?? .zero
    var expected: [UnitTestFile.ExpectedSample] = []
    for item in fields.items("exp_samples") ?? [] {
      if let sample = expectedSample(item) { expected.append(sample) }
    }
    close(fields)
    test.exprTests.append(
      UnitTestFile.ExprTest(time: time, expr: expr, expected: expected, place: place(of: node)))
  }

  private func expectedSample(_ node: YAMLNode) -> UnitTestFile.ExpectedSample? {
    guard let fields = reader.fields(of: node, "an expected sample") else { return nil }
    defer { close(fields) }
    let text = fields.string("labels") ?? ""
    let value = fields.double("value") ?? 0
    let histogram = fields.string("histogram") ?? ""
    do {
      let labels = text.isEmpty ? LabelSet.empty : try PromQLParser.parseMetric(text)
      var expected = UnitTestFile.ExpectedSample(labels: labels, value: value)
      if !histogram.isEmpty {
        let series = try PromQLParser.parseSeriesDescription("{} " + histogram)
        guard series.values.count == 1, let literal = series.values[0].histogram else {
          reader.report("test/histogram", "expected one native histogram", at: node)
          return nil
        }
        expected.histogram = literal
      }
      return expected
    } catch {
      reader.report("test/labels", error.text(in: text), at: fields.value("labels") ?? node)
      return nil
    }
  }
}
