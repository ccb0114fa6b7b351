import Diagnostics
import Model
import PromQL

/// The matchers of selectors.
enum SelectorMatchers: RuleInspection {
  static let literal = Check(
    "promql/regexp-literal", .info, aliases: ["promql/regexp"],
    "a regular expression that is a plain text",
    """
    `=~` with a pattern without any operator matches one text only, which `=` says more plainly.
    """)
  static let anchors = Check(
    "promql/regexp-anchors", .info, aliases: ["promql/regexp"],
    "anchors that are there already",
    """
    Patterns of matchers always match the whole value, so `^` at the start and `$` at the end say
    nothing.
    """)
  static let pointless = Check(
    "promql/matcher-pointless", .info, aliases: ["promql/regexp"],
    "a matcher that every series fulfils",
    """
    `=~".*"` matches every value, and series without the label too. To demand the label write `!=""`.
    """)
  static let impossible = Check(
    "promql/selector-impossible", .error, aliases: ["promql/impossible"],
    "a selector that no series can fulfil",
    """
    The matchers contradict each other: two different values for one label, or a pattern that excludes
    everything. The selector never returns anything.
    """)

  static let checks = [literal, anchors, pointless, impossible]

  static func inspect(_ rule: RuleSubject, _ findings: inout Findings) {
    for node in rule.outline.selectors {
      let hasPatterns = node.matchers.contains { $0.kind == .regexp || $0.kind == .notRegexp }
      if hasPatterns || node.matchers.count > (node.name == nil ? 1 : 2) {
        contradictions(node, &findings)
      }
      guard hasPatterns else { continue }
      let places = MatcherPlaces.find(in: rule.text(of: node.range), at: node.range.start)
      let others = node.name == nil ? node.matchers : Array(node.matchers.dropLast())
      guard places.count == others.count else { continue }
      for (matcher, place) in zip(others, places)
      where place.kind == matcher.kind && (place.kind == .regexp || place.kind == .notRegexp) {
        pattern(matcher, place, rule, &findings)
      }
    }
  }

  private static func contradictions(_ node: VectorSelector, _ findings: inout Findings) {
    var byName: [(name: String, matchers: [Matcher])] = []
    for matcher in node.matchers {
      if let at = byName.firstIndex(where: { $0.name == matcher.name }) {
        byName[at].matchers.append(matcher)
      } else {
        byName.append((matcher.name, [matcher]))
      }
    }
    for (_, matchers) in byName {
      let nothing = matchers.first { $0.kind == .notRegexp && ($0.value == ".*") }
      let values = matchers.lazy.compactMap(\.literalValues).first
      let isImpossible =
        nothing != nil
        || matchers.count > 1
          && values.map { !$0.contains { value in matchers.allSatisfy { $0.matches(value) } } }
            ?? false
      if isImpossible {
        let text = matchers.map(\.description).joined(separator: ", ")
        findings.expr(impossible, "no series fulfils `\(text)`", at: node.range)
      }
    }
  }

  private static func pattern(
    _ matcher: Matcher, _ place: MatcherPlaces.Place, _ rule: RuleSubject,
    _ findings: inout Findings
  ) {
    let isNegative = matcher.kind == .notRegexp
    let pattern = matcher.value
    if !isNegative, pattern == ".*" {
      findings.expr(
        pointless, "`\(matcher)` matches everything, a missing label included", at: place.range)
      return
    }
    if isPlain(pattern), !pattern.isEmpty {
      let op = isNegative ? "!=" : "="
      findings.expr(
        literal, "`\(pattern)` is a plain text: write `\(matcher.name)\(op)…`", at: place.range,
        fix: ExprFix(
          message: "write `\(op)` instead of `\(matcher.kind.rawValue)`", part: place.op,
          replacement: op))
      return
    }
    // A `|` would bind less than the anchors, so `^a|b$` is not what it seems; leave those alone.
    guard !pattern.utf8.contains(UInt8(ascii: "|")) || isGrouped(pattern) else { return }
    let hasStart = pattern.hasPrefix("^")
    let hasEnd = pattern.hasSuffix("$") && !pattern.hasSuffix("\\$")
    guard hasStart || hasEnd else { return }
    var stripped = pattern
    if hasStart { stripped.removeFirst() }
    if hasEnd { stripped.removeLast() }
    guard (try? Matcher(matcher.name, matcher.kind, stripped)) != nil else { return }
    var fix: ExprFix?
    if let inner = place.content, !stripped.isEmpty {
      fix = ExprFix(
        message: "drop the anchors", part: inner,
        replacement: rule.source(of: inner, without: (hasStart, hasEnd)))
    }
    findings.expr(anchors, "patterns match the whole value anyway", at: place.range, fix: fix)
  }

  /// Whether the pattern is one group from the first byte to the last, but for the anchors.
  private static func isGrouped(_ pattern: String) -> Bool {
    var inner = Array(pattern.utf8)[...]
    if inner.first == UInt8(ascii: "^") { inner = inner.dropFirst() }
    if inner.last == UInt8(ascii: "$") { inner = inner.dropLast() }
    guard inner.first == UInt8(ascii: "("), inner.last == UInt8(ascii: ")") else { return false }
    let body = inner.dropFirst().dropLast()
    return !body.contains {
      [
        UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\\"),
        UInt8(ascii: "["),
      ].contains($0)
    }
  }

  private static func isPlain(_ pattern: String) -> Bool {
    !pattern.utf8.contains { b in #"\.+*?()|[]{}^$"#.utf8.contains(b) }
  }
}

/// Where the matchers of a selector stand in its text.
struct MatcherPlaces {
  struct Place {
    var kind: Matcher.Kind
    /// The whole matcher.
    var range: SourceRange
    var op: SourceRange
    /// What stands between the quotes, where it has no escapes.
    var content: SourceRange?
  }

  /// Reads `{a="b", c=~'d'}`; matchers of quoted names are left out.
  static func find(in text: String, at base: Int) -> [Place] {
    var scanner = MatcherPlaces(bytes: Array(text.utf8), base: base)
    return scanner.run()
  }

  private let bytes: [UInt8]
  private let base: Int
  private var at = 0

  private init(bytes: [UInt8], base: Int) {
    self.bytes = bytes
    self.base = base
  }

  private mutating func run() -> [Place] {
    while at < bytes.count, bytes[at] != UInt8(ascii: "{") { at += 1 }
    at += 1
    var found: [Place] = []
    while true {
      blanks()
      guard at < bytes.count, bytes[at] != UInt8(ascii: "}") else { return found }
      if bytes[at] == UInt8(ascii: ",") {
        at += 1
        continue
      }
      guard let place = matcher() else { return found }
      found.append(place)
    }
  }

  private mutating func matcher() -> Place? {
    let start = at
    if isQuote(at) {
      string()
    } else {
      while at < bytes.count, isName(bytes[at]) { at += 1 }
    }
    blanks()
    let opStart = at
    while at < bytes.count,
      [UInt8(ascii: "="), UInt8(ascii: "!"), UInt8(ascii: "~")]
        .contains(bytes[at])
    { at += 1 }
    guard
      let kind = Matcher.Kind(rawValue: String(decoding: bytes[opStart..<at], as: UTF8.self))
    else { return nil }
    let op = SourceRange(base + opStart, base + at)
    blanks()
    guard isQuote(at) else { return nil }
    let valueStart = at
    string()
    let content = bytes[(valueStart + 1)..<max(valueStart + 1, at - 1)]
    let isExact = bytes[valueStart] == UInt8(ascii: "`") || !content.contains(UInt8(ascii: "\\"))
    return Place(
      kind: kind, range: SourceRange(base + start, base + at), op: op,
      content: isExact ? SourceRange(base + valueStart + 1, base + at - 1) : nil)
  }

  private func isQuote(_ i: Int) -> Bool {
    i < bytes.count
      && [UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`")].contains(bytes[i])
  }

  private func isName(_ b: UInt8) -> Bool {
    (b | 0x20) >= 0x61 && (b | 0x20) <= 0x7a || b >= 0x30 && b <= 0x39 || b == 0x5f || b == 0x3a
  }

  private mutating func string() {
    let quote = bytes[at]
    at += 1
    while at < bytes.count, bytes[at] != quote {
      if bytes[at] == UInt8(ascii: "\\"), quote != UInt8(ascii: "`") { at += 1 }
      at += 1
    }
    at = min(at + 1, bytes.count)
  }

  private mutating func blanks() {
    while at < bytes.count {
      if bytes[at] == UInt8(ascii: "#") {
        while at < bytes.count, bytes[at] != 0x0a { at += 1 }
      } else if bytes[at] > 0x20 {
        return
      } else {
        at += 1
      }
    }
  }
}
