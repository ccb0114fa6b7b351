import Exposition
import JSON
import Kernel
import Model
import PromQL
import RuleTest
import Storage
import Template
import YAML

extension Suites {
  /// Templates, relabelling, regular expressions and expositions.
  static func texts(in folder: CaseFolder) -> [Suite] {
    regexCases(in: folder)
      + jsonLines("differential/regex", "differential/regex.jsonl", in: folder, judge: regex)
      + jsonLines("cases/template", "cases/template_cases.jsonl", in: folder) {
        TemplateCase($0).failure()
      }
      + templates(in: folder)
      + jsonLines(
        "cases/relabel", "cases/relabel_cases.jsonl", in: folder, judge: RelabelCase.fixed)
      + jsonLines("differential/relabel", "differential/relabel.jsonl", in: folder) {
        RelabelCase.generated($0)
      }
      + jsonLines("cases/exposition", "cases/exposition_cases.jsonl", in: folder, judge: exposition)
      + jsonLines(
        "differential/exposition", "differential/exposition.jsonl", in: folder, judge: exposition)
      + corpusExpositions(in: folder)
  }

  // MARK: regular expressions

  private static func regexCases(in folder: CaseFolder) -> [Suite] {
    guard folder.exists("cases/regex_match_values.json") else { return [] }
    let values = (try? JSONValue(parsing: folder.bytes("cases/regex_match_values.json")))
    let texts = (values?.array ?? []).compactMap(\.string)
    return jsonLines("cases/regex", "cases/regex_match_cases.jsonl", in: folder) { one in
      matches(one.text("regex") ?? "", texts, one.json["matches"])
    }
  }

  private static func matches(
    _ pattern: String, _ texts: [String], _ wanted: JSONValue?
  ) -> String? {
    do {
      let matcher = try Matcher("x", .regexp, pattern)
      let expected = (wanted?.array ?? []).map { $0.bool ?? false }
      for (text, wanted) in zip(texts, expected) where matcher.matches(text) != wanted {
        return "\(pattern) on \(GoText.quote(text)) should be \(wanted)"
      }
      return nil
    } catch {
      return "refused: \(error)"
    }
  }

  private static func regex(_ one: JSONCase) -> String? {
    let pattern = one.text("pattern") ?? ""
    if one.isAccepted {
      return matches(
        pattern, (one.json["inputs"]?.array ?? []).compactMap(\.string), one.json["matches"])
    }
    do {
      _ = try Matcher("x", .regexp, pattern)
      return "accepted, expected \(one.text("error") ?? "")"
    } catch {
      return difference("error", error.description, one.text("error"))
    }
  }

  // MARK: templates

  private static func templates(in folder: CaseFolder) -> [Suite] {
    let stores = StoreCache()
    return jsonLines("differential/template", "differential/template.jsonl", in: folder) {
      try TemplateCase($0).alertFailure(stores)
    }
  }

  // MARK: expositions

  private static func exposition(_ one: JSONCase) -> String? {
    let type = one.text("content_type") ?? ""
    let parsed: (entries: [ExpositionEntry], problem: ExpositionProblem?)
    do {
      let format = try ExpositionFormat.from(contentType: type, fallback: nil).format
      parsed = ExpositionParser.parse(one.base64("text_b64"), format: format)
    } catch {
      return difference("error", error.message, one.text("error"))
    }
    if parsed.problem == nil && !one.isAccepted {
      return "accepted, expected \(one.text("error") ?? "")"
    }
    if let problem = parsed.problem,
      let message = difference("error", problem.message, one.text("error"))
    {
      return message
    }
    let wanted = (one.json["entries"]?.array ?? []).map(entry)
    let got = parsed.entries.map(entry)
    for i in 0..<max(wanted.count, got.count) {
      let pair = (i < got.count ? got[i] : nil, i < wanted.count ? wanted[i] : nil)
      if let message = difference("entry \(i)", pair.0, pair.1) { return message }
    }
    return nil
  }

  private static func entry(_ json: JSONValue) -> String {
    let name = json["name"]?.string ?? ""
    switch json["kind"]?.string {
    case "series":
      let pairs = (json["labels"]?.object ?? []).map { ($0.key, $0.value.string ?? "") }
      let time = json["t"]?.int.map(String.init) ?? ""
      return "series \(sorted(pairs)) \(json["value"]?.string ?? "") \(time)"
    case "type": return "type \(name) \(json["type"]?.string ?? "")"
    case "help": return "help \(name) \(json["help"]?.string ?? "")"
    case "unit": return "unit \(name) \(json["unit"]?.string ?? "")"
    default: return "comment \(json["text"]?.string ?? "")"
    }
  }

  private static func entry(_ entry: ExpositionEntry) -> String {
    switch entry {
    case .series(let sample):
      var last: [String: String] = [:]
      for pair in sample.pairs { last[pair.name] = pair.value }
      let time = sample.timestamp.map { String($0.milliseconds) } ?? ""
      return "series \(sorted(last.map { ($0.key, $0.value) })) "
        + "\(NumberText.general(sample.value)) \(time)"
    case .type(let name, let type): return "type \(name) \(type.name)"
    case .help(let name, let text): return "help \(name) \(text)"
    case .unit(let name, let unit): return "unit \(name) \(unit)"
    case .comment(let text): return "comment \(text)"
    }
  }

  private static func sorted(_ pairs: [(String, String)]) -> String {
    pairs.sorted { ByteOrder.less($0.0, $1.0) }.map { "\($0)=\(GoText.quote($1))" }
      .joined(separator: ",")
  }

  private static func corpusExpositions(in folder: CaseFolder) -> [Suite] {
    guard folder.exists("corpus/expositions-verdicts.tsv") else { return [] }
    return [
      Suite(kind: "corpus/expositions") {
        var result = KindResult("corpus/expositions")
        for row in try folder.table("corpus/expositions-verdicts.tsv") {
          let path = row["file"] ?? ""
          result.record(path, try corpusExposition(folder, path, row))
        }
        return result
      }
    ] + wholeExpositions(in: folder)
  }

  private static func corpusExposition(
    _ folder: CaseFolder, _ path: String, _ row: [String: String]
  ) throws -> String? {
    let format = try ExpositionFormat.from(contentType: row["content_type"] ?? "", fallback: nil)
      .format
    let parsed = ExpositionParser.parse(try folder.bytes("corpus/" + path), format: format)
    let verdict = parsed.problem == nil ? "ok" : "error"
    if let message = difference("verdict", verdict, row["verdict"]) { return message }
    let samples = parsed.entries.count { if case .series = $0 { true } else { false } }
    return parsed.problem == nil
      ? difference("samples", String(samples), row["samples"])
      : difference("error", parsed.problem?.message, row["error"])
  }

  /// `prometheus/textparse`: whole expositions that parse without an error.
  private static func wholeExpositions(in folder: CaseFolder) -> [Suite] {
    let place = "prometheus/textparse"
    let names = folder.names(in: place)
    if names.isEmpty { return [] }
    return [
      Suite(kind: place) {
        var result = KindResult(place)
        for name in names {
          let format: ExpositionFormat = name.contains(".om.") ? .openMetrics : .text
          let parsed = ExpositionParser.parse(try folder.bytes(place + "/" + name), format: format)
          result.record(name, parsed.problem?.message)
        }
        return result
      }
    ]
  }
}
