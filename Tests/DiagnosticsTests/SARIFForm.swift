import JSON

/// The form that SARIF 2.1.0 prescribes for the objects we write: which members there may be and
/// must be, of which types, from which words.
///
/// Members that are not listed are not allowed, although SARIF knows more: what is written is
/// listed here first.
indirect enum SARIFForm: Sendable {
  case text
  /// A text that says something.
  case sentence
  /// A reference by RFC 3986: nothing that would have to be escaped.
  case reference
  /// The same with a scheme.
  case absolute
  case version
  case words([String])
  case number(from: Int)
  case list(SARIFForm, atLeast: Int = 0, isSet: Bool = false)
  case texts
  case object([String: SARIFForm], required: [String] = [], oneOf: [String] = [])

  static let log = SARIFForm.object(
    ["$schema": .absolute, "version": .words(["2.1.0"]), "runs": .list(run)],
    required: ["version", "runs"])
  private static let run = SARIFForm.object(
    [
      "tool": .object(["driver": component], required: ["driver"]),
      "columnKind": .words(["utf16CodeUnits", "unicodeCodePoints"]), "results": .list(result),
    ], required: ["tool"])
  private static let component = SARIFForm.object(
    [
      "name": .sentence, "semanticVersion": .version,
      "rules": .list(descriptor, isSet: true),
    ], required: ["name"])
  private static let descriptor = SARIFForm.object(
    [
      "id": .sentence, "shortDescription": strings, "help": strings, "helpUri": .absolute,
      "defaultConfiguration": .object(["level": level]),
    ], required: ["id"])
  private static let strings = SARIFForm.object(
    ["text": .sentence, "markdown": .sentence], required: ["text"])
  private static let level = SARIFForm.words(["none", "note", "warning", "error"])
  private static let result = SARIFForm.object(
    [
      "ruleId": .sentence, "ruleIndex": .number(from: -1), "level": level, "message": message,
      "locations": .list(location), "relatedLocations": .list(location, isSet: true),
      "fixes": .list(fix, isSet: true), "partialFingerprints": .texts,
    ], required: ["message"])
  private static let message = SARIFForm.object(["text": .sentence], oneOf: ["text", "id"])
  private static let location = SARIFForm.object([
    "physicalLocation": .object(
      ["artifactLocation": artifact, "region": region], oneOf: ["address", "artifactLocation"]),
    "message": message,
  ])
  private static let artifact = SARIFForm.object(["uri": .reference])
  private static let region = SARIFForm.object([
    "startLine": .number(from: 1), "startColumn": .number(from: 1),
    "endLine": .number(from: 1), "endColumn": .number(from: 1),
  ])
  private static let fix = SARIFForm.object(
    [
      "description": message,
      "artifactChanges": .list(
        .object(
          [
            "artifactLocation": artifact,
            "replacements": .list(
              .object(
                ["deletedRegion": region, "insertedContent": .object(["text": .text])],
                required: ["deletedRegion"]), atLeast: 1),
          ], required: ["artifactLocation", "replacements"]), atLeast: 1, isSet: true),
    ], required: ["artifactChanges"])

  /// What is wrong with a whole log, its inner references included.
  static func problems(in log: JSONValue) -> [String] {
    var out = SARIFForm.log.problems(in: log, at: "log")
    for run in log["runs"]?.array ?? [] {
      let rules = run["tool"]?["driver"]?["rules"]?.array ?? []
      let ids = rules.compactMap { $0["id"]?.string }
      if Set(ids).count != ids.count { out.append("rules: an id twice") }
      for result in run["results"]?.array ?? [] {
        if let index = result["ruleIndex"]?.int, index >= 0,
          index >= ids.count || ids[index] != result["ruleId"]?.string
        {
          out.append("ruleIndex \(index) is not \(result["ruleId"]?.string ?? "?")")
        }
      }
    }
    return out
  }

  func problems(in value: JSONValue, at place: String) -> [String] {
    switch self {
    case .text: return value.string == nil ? ["\(place): no text"] : []
    case .sentence:
      let isBlank = value.string?.allSatisfy(\.isWhitespace) ?? true
      return isBlank ? ["\(place): no text, or a blank one"] : []
    case .reference, .absolute: return problems(inReference: value.string, at: place)
    case .version:
      let parts = value.string?.split(separator: ".", omittingEmptySubsequences: false) ?? []
      let isFine = parts.count == 3 && parts.allSatisfy { Int($0) != nil }
      return isFine ? [] : ["\(place): no semantic version"]
    case .words(let words):
      return value.string.map(words.contains) == true ? [] : ["\(place): not one of \(words)"]
    case .number(let from):
      return value.int.map { $0 >= from } == true ? [] : ["\(place): no number from \(from)"]
    case .texts:
      guard let members = value.object else { return ["\(place): no object"] }
      return members.filter { $0.value.string == nil }.map { "\(place).\($0.key): no text" }
    case .list(let item, let least, let isSet):
      return problems(inList: value, item, least, isSet, place)
    case .object(let known, let required, let oneOf):
      guard let members = value.object else { return ["\(place): no object"] }
      var out: [String] = []
      let keys = members.map(\.key)
      if Set(keys).count != keys.count { out.append("\(place): a member twice") }
      for key in required where !keys.contains(key) { out.append("\(place): \(key) is missing") }
      if !oneOf.isEmpty, !oneOf.contains(where: keys.contains) {
        out.append("\(place): one of \(oneOf) is missing")
      }
      for (key, value) in members {
        guard let form = known[key] else {
          out.append("\(place): \(key) is not known")
          continue
        }
        out += form.problems(in: value, at: "\(place).\(key)")
      }
      return out
    }
  }

  private func problems(
    inList value: JSONValue, _ item: SARIFForm, _ least: Int, _ isSet: Bool, _ place: String
  ) -> [String] {
    guard let items = value.array else { return ["\(place): no list"] }
    var out = items.count < least ? ["\(place): fewer than \(least)"] : []
    if isSet, Set(items.map { "\($0)" }).count != items.count { out.append("\(place): not a set") }
    for (i, inner) in items.enumerated() { out += item.problems(in: inner, at: "\(place)[\(i)]") }
    return out
  }

  private func problems(inReference text: String?, at place: String) -> [String] {
    guard let text else { return ["\(place): no text"] }
    var rest = text.utf8[...]
    while let b = rest.popFirst() {
      if b == UInt8(ascii: "%") {
        let digits = rest.prefix(2)
        guard digits.count == 2, digits.allSatisfy({ Character(.init($0)).isHexDigit }) else {
          return ["\(place): a % without two digits in \(text)"]
        }
      } else if b <= 0x20 || b >= 0x7f || "\"<>\\^`{|}".utf8.contains(b) {
        return ["\(place): a byte \(b) that has to be escaped in \(text)"]
      }
    }
    let head = text.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    let scheme = head.contains(":") ? head.prefix { $0 != ":" } : ""
    if case .absolute = self, scheme.isEmpty { return ["\(place): no scheme in \(text)"] }
    if case .reference = self, !scheme.isEmpty { return ["\(place): a path read as a scheme"] }
    return []
  }
}
