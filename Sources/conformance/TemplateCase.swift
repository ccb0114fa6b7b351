import Engine
import JSON
import Model
import PromQL
import Storage
import Template

/// One template with the reference's expansion.
struct TemplateCase {
  private let one: JSONCase

  init(_ one: JSONCase) { self.one = one }

  private var text: String { one.text("template") ?? "" }

  // MARK: cases/template

  /// A template over a bare value.
  func failure() -> String? {
    var options = TemplateOptions()
    options.isHTML = one.json["html"]?.bool ?? false
    if let given = one.json["options"]?.array {
      options.missingKey = given.contains { $0.string == "missingkey=error" } ? .error : .invalid
    }
    let answers = (one.json["query_result"]?.array ?? []).map(sample)
    let context = TemplateContext(
      time: Timestamp(milliseconds: 1_353_755_652_000),
      externalURL: "http://testhost:9090/path/prefix"
    ) { _, _ in answers }
    let fails = one.json["fail"]?.bool ?? false
    do {
      let template = try Template(parsing: text, name: "test", options: options)
      let output = try template.expand(data: data, context: context)
      return fails
        ? "expanded to \(output), should fail" : difference("output", output, one.text("output"))
    } catch {
      if !fails { return "fails: \(error)" }
      return one.text("error").flatMap { difference("error", error.description, $0) }
    }
  }

  private func sample(_ json: JSONValue) -> TemplateSample {
    let labels = JSONCase.labels(json["metric"])
    if json["histogram"] != nil { return TemplateSample(labels: labels, value: Self.histogram) }
    return TemplateSample(
      labels: labels, value: JSONCase.number(json["value"]?.string ?? "") ?? .nan)
  }

  /// The only histogram of these cases: three observations, sum ten.
  private static var histogram: SampleValue {
    var histogram = FloatHistogram()
    histogram.count = 3
    histogram.sum = 10
    return .histogram(histogram)
  }

  /// The value at the dot, by its Go type.
  private var data: TemplateValue {
    guard let go = one.text("data_go"), let text = one.text("data_str") else { return .none }
    let items = text.dropFirst().dropLast().split(separator: " ").map(String.init)
    let kinds: [(String, (String) -> TemplateValue)] = [
      ("[]float64", { .float(JSONCase.number($0) ?? .nan) }), ("[]string", { .text($0) }),
      ("[]int64", { .int(Int64($0) ?? 0, .int64) }),
      ("[]uint64", { .uint(UInt64($0) ?? 0, .uint64) }),
      ("[]int", { .int(Int64($0) ?? 0) }), ("[]uint", { .uint(UInt64($0) ?? 0) }),
    ]
    if let (type, make) = kinds.first(where: { go.hasPrefix($0.0 + "{") }) {
      return .list(items.map(make), type: type)
    }
    if go.contains("FloatHistogram") {
      return .sample(TemplateSample(labels: .empty, value: Self.histogram))
    }
    if go.hasPrefix("0x") { return .uint(UInt64(text) ?? 0, .uint64) }
    return .int(Int64(text) ?? 0, .int64)
  }

  // MARK: differential/template

  /// A template expanded as an annotation is.
  func alertFailure(_ stores: StoreCache) throws -> String? {
    let store = try stores.store(for: one.text("load") ?? "")
    let url = one.text("external_url") ?? ""
    let context = TemplateContext(
      time: Timestamp(seconds: one.json["time"]?.double ?? 0), externalURL: url
    ) { try Self.query($0, at: $1, in: store) }
    let value = JSONCase.number(one.text("value") ?? "") ?? .nan
    let input = TemplateInput(
      labels: labels("labels"), externalLabels: labels("external_labels"), externalURL: url,
      value: .float(value))
    do {
      let template = try Template.alertField(text, alertName: "oracle")
      let output = try template.expand(input, context: context)
      if !one.isAccepted { return "expanded to \(output), expected \(one.text("error") ?? "")" }
      return difference("output", output, one.text("output"))
    } catch {
      if one.isAccepted { return "fails: \(error)" }
      return Self.errorDifference(error.description, one.text("error") ?? "")
    }
  }

  private func labels(_ key: String) -> LabelSet {
    TemplateInput.labelMap((one.json[key]?.object ?? []).map { ($0.key, $0.value.string ?? "") })
  }

  /// Where the reference spells out an internal type, failing at the same stage is enough.
  private static func errorDifference(_ got: String, _ wanted: String) -> String? {
    let internals = ["template.", "struct {", "reflect:"]
    if internals.contains(where: wanted.contains) {
      let stage = { (text: String) in text.prefix { $0 != ":" } }
      return stage(got) == stage(wanted) ? nil : "fails at another stage: \(got)"
    }
    return difference("error", got, wanted)
  }

  private static func query(
    _ text: String, at time: Timestamp, in store: Store
  ) throws -> [TemplateSample] {
    let expr: Expr
    do {
      expr = try PromQLParser.parse(text, options: .all)
    } catch {
      throw QueryText(description: error.text(in: text))
    }
    let plan = try Plan(expr, store: store, settings: EngineSettings(), standing: false)
    defer { plan.close() }
    switch try plan.instant(at: time).value {
    case .vector(let samples):
      return samples.map { TemplateSample(labels: $0.labels, value: $0.value) }
    case .scalar(_, let v): return [TemplateSample(labels: .empty, value: v)]
    case .matrix, .string: throw QueryText(description: "rule result is not a vector or scalar")
    }
  }
}

/// An error that is nothing but its text.
private struct QueryText: Error, CustomStringConvertible {
  let description: String
}
