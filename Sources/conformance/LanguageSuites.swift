import JSON
import Model
import PromQL

extension Suites {
  /// Expressions, series notation, durations.
  static func language(in folder: CaseFolder) -> [Suite] {
    // The recorded release answers of the first file come from a parser without duration
    // expressions.
    jsonLines("cases/parse", "cases/parse_cases.jsonl", in: folder) {
      parse($0, release: ParserOptions(durationExpressions: false))
    }
      + jsonLines("differential/parse", "differential/parse.jsonl", in: folder) {
        parse($0, release: .release)
      }
      + jsonLines("cases/series_desc", "cases/series_desc_cases.jsonl", in: folder, judge: series)
      + jsonLines(
        "differential/duration", "differential/duration.jsonl", in: folder, judge: duration)
  }

  private static func parse(_ one: JSONCase, release: ParserOptions) -> String? {
    let input = one.text("input") ?? ""
    if let wanted = one.text("release_error") {
      let got = problemText(input, options: release)
      if let message = difference("error without experimental features", got, wanted) {
        return message
      }
    }
    let expr: Expr
    do {
      expr = try PromQLParser.parse(input, options: .all)
    } catch {
      return difference("error", error.text(in: input), one.text("error"))
    }
    if !one.isAccepted { return "accepted, expected \(one.text("error") ?? "an error")" }
    return difference("canonical text", expr.description, one.text("string"))
      ?? difference("pretty text", expr.pretty, one.text("pretty"))
      ?? difference("type", expr.type.rawValue, one.text("type"))
      ?? one.json["ast"].flatMap { tree(expr, wanted: $0) }
  }

  private static func problemText(_ input: String, options: ParserOptions) -> String? {
    do {
      _ = try PromQLParser.parse(input, options: options)
      return nil
    } catch {
      return error.text(in: input)
    }
  }

  private static func tree(_ expr: Expr, wanted: JSONValue) -> String? {
    var writer = JSONWriter()
    expr.writeTree(to: &writer)
    guard let got = try? JSONValue(parsing: writer.bytes) else { return "the tree is not JSON" }
    return same(got, wanted) ? nil : "tree \(writer.text), expected \(text(wanted))"
  }

  /// Structural equality; the order of members means nothing.
  static func same(_ a: JSONValue, _ b: JSONValue) -> Bool {
    switch (a, b) {
    case (.object(let x), .object(let y)):
      x.count == y.count
        && x.allSatisfy { member in
          b[member.key].map { same(member.value, $0) } ?? false
        }
    case (.array(let x), .array(let y)):
      x.count == y.count && zip(x, y).allSatisfy { same($0, $1) }
    case (.string(let x), .string(let y)): x.utf8.elementsEqual(y.utf8)
    case (.number, .number): a.double == b.double
    case (.bool(let x), .bool(let y)): x == y
    case (.null, .null): true
    default: false
    }
  }

  static func text(_ json: JSONValue) -> String {
    var writer = JSONWriter()
    write(json, to: &writer)
    return writer.text
  }

  private static func write(_ json: JSONValue, to writer: inout JSONWriter) {
    switch json {
    case .null: writer.null()
    case .bool(let b): writer.bool(b)
    case .number(let n): writer.raw(n)
    case .string(let s): writer.string(s)
    case .array(let items): writer.array { w in for item in items { write(item, to: &w) } }
    case .object(let members):
      writer.object { w in
        for (key, value) in members {
          w.key(key)
          write(value, to: &w)
        }
      }
    }
  }

  private static func series(_ one: JSONCase) -> String? {
    let input = one.text("input") ?? ""
    do {
      let series = try PromQLParser.parseSeriesDescription(input)
      if !one.isAccepted { return "accepted, expected \(one.text("error") ?? "an error")" }
      let labels = one.labels("labels")
      if series.labels != labels { return "labels \(series.labels), expected \(labels)" }
      let wanted = (one.json["values"]?.array ?? []).map(text)
      let got = series.values.map { value in
        if value.isOmitted { return "\"_\"" }
        let plain = value.histogram.map(\.testExpression) ?? number(value.value)
        var writer = JSONWriter()
        writer.string(plain)
        return writer.text
      }
      return got == wanted ? nil : "values \(got), expected \(wanted)"
    } catch {
      return difference("error", error.text(in: input), one.text("error"))
    }
  }

  private static func number(_ v: Double) -> String {
    SpecialValue.isStale(v) ? "stale" : NumberText.plain(v)
  }

  private static func duration(_ one: JSONCase) -> String? {
    do {
      let d = try PromDuration(parsingSigned: one.text("input") ?? "")
      if !one.isAccepted { return "accepted, expected \(one.text("error") ?? "an error")" }
      return difference(
        "milliseconds", String(d.milliseconds), (one.json["ms"]?.int).map(String.init))
        ?? difference("text", d.description, one.text("string"))
    } catch {
      return difference("error", error.description, one.text("error"))
    }
  }
}
