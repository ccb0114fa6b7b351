import CRE2

/// Why a regular expression was refused, in Go's words (`error parsing regexp: …`).
package struct RegexpProblem: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

/// A compiled regular expression: Go's language, RE2's linear time, bounded memory.
///
/// There are three ways in, as in Prometheus: `anchored` for label matchers, `wrapped` for
/// relabelling and `label_replace`, and a plain search for templates. Instances are immutable and
/// may be shared by threads.
package final class Regexp: Sendable {
  /// The pattern as its author wrote it.
  package let pattern: String
  /// Names of the groups, "" for those without; index 0 is the whole match.
  package let groupNames: [String]
  /// What stands in for the engine in `matches`.
  private let shape: RegexpShape?
  /// RE2 is safe to use from several threads; nil where the shape says it all.
  private nonisolated(unsafe) let engine: OpaquePointer?

  /// Compiles a label matcher's pattern: it must match the whole text, and a dot takes a line feed.
  package convenience init(anchored pattern: String) throws(RegexpProblem) {
    let (node, names) = try RegexpParser.parse(pattern, dotTakesNewline: true)
    try self.init(pattern, node: node, names: names, whole: true)
  }

  /// Compiles `^(?s:pattern)$`, the form of relabelling and `label_replace`.
  ///
  /// It matches as `anchored` does, but errors quote the text with its wrapping, as Prometheus' do.
  package convenience init(wrapped pattern: String) throws(RegexpProblem) {
    let text = "^(?s:" + pattern + ")$"
    var (node, names) = try RegexpParser.parse(text, dotTakesNewline: false)
    var whole = false
    // Unless the pattern closes the wrapping itself, the anchors can be told apart from it.
    if case .concat(let parts) = node, parts.count >= 2,
      case .assertion(.beginText)? = parts.first, case .assertion(.endText)? = parts.last
    {
      node = .concat(Array(parts.dropFirst().dropLast()))
      whole = true
    }
    try self.init(pattern, node: node, names: names, whole: whole)
  }

  /// Compiles a pattern that may match anywhere in a text; a dot does not take a line feed.
  package convenience init(_ pattern: String) throws(RegexpProblem) {
    let (node, names) = try RegexpParser.parse(pattern, dotTakesNewline: false)
    try self.init(pattern, node: node, names: names, whole: false)
  }

  private init(
    _ pattern: String, node: RegexpNode, names: [String], whole: Bool
  ) throws(RegexpProblem) {
    self.pattern = pattern
    groupNames = names
    shape = whole ? RegexpShape.of(node) : nil
    if shape != nil && names.count == 1 {
      engine = nil
    } else {
      let text = node.engineText
      engine = try Self.compile(whole ? "\\A(?:\(text))\\z" : text, for: pattern)
    }
  }

  deinit {
    if let engine { tocsin_re2_delete(engine) }
  }

  private static func compile(
    _ text: String, for pattern: String
  ) throws(RegexpProblem) -> OpaquePointer {
    // Program and automaton of an ordinary pattern fit the first budget; a giant one gets a larger.
    for budget in [8 << 20, 64 << 20] {
      guard let engine = tocsin_re2_new(text, text.utf8.count, budget) else { break }
      if tocsin_re2_ok(engine) != 0 { return engine }
      let isTooLarge = tocsin_re2_too_large(engine) != 0
      let message = String(cString: tocsin_re2_error(engine))
      tocsin_re2_delete(engine)
      if !isTooLarge { throw RegexpProblem("error parsing regexp: \(message)") }
    }
    throw RegexpProblem("error parsing regexp: expression too large: `\(pattern)`")
  }

  /// The texts that match, where the pattern is a literal or a short list of them; sorted by bytes.
  ///
  /// Only anchored forms have one. A store may look values up instead of trying all.
  package var literals: [String]? {
    let texts: [[UInt8]]
    switch shape {
    case .literal(let text): texts = [text]
    case .alternatives(let some): texts = some.sorted { $0.lexicographicallyPrecedes($1) }
    case .wildcards, nil: return nil
    }
    return texts.map { String(decoding: $0, as: UTF8.self) }
  }

  /// Whether the expression matches anywhere in `text` (everywhere, for an anchored one).
  package func matches(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { matches($0) }
  }

  /// Whether the expression matches, over bytes.
  package func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    if let shape { return shape.matches(text) }
    return tocsin_re2_match(engine, UnsafeRawPointer(text.baseAddress), text.count) != 0
  }

  /// The leftmost match from a byte offset on: the range of each group, nil for groups without part
  /// in it.
  package func firstMatch(
    in text: UnsafeBufferPointer<UInt8>, from start: Int = 0
  ) -> [Range<Int>?]? {
    guard let engine else {
      return start == 0 && matches(text) ? [0..<text.count] : nil
    }
    let count = groupNames.count
    return withUnsafeTemporaryAllocation(of: Int.self, capacity: 2 * count) { offsets in
      let found = tocsin_re2_find(
        engine, UnsafeRawPointer(text.baseAddress), text.count, start, offsets.baseAddress, count)
      if found == 0 { return nil }
      return (0..<count).map { i in
        offsets[2 * i] < 0 ? nil : offsets[2 * i]..<offsets[2 * i + 1]
      }
    }
  }
}
