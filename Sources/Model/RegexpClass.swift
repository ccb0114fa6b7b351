extension RegexpParser {
  private static let posixNames: Set<String> = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
  ]

  /// Reads a bracketed class; the scanner stands at `[`.
  mutating func parseClass() throws(RegexpProblem) -> RegexpSet {
    let start = scanner.position
    scanner.position += 1
    var text = "["
    var members: [Unicode.Scalar]? = flags.folds ? nil : []
    if scanner.peek == UInt8(ascii: "^") {
      scanner.position += 1
      text += "^"
      members = nil
    }
    var first = true
    while scanner.peek != UInt8(ascii: "]") || first {
      first = false
      if let named = try namedClass() {
        text += named
        members = nil
        continue
      }
      let (low, high) = try classRange(of: start)
      RegexpNode.escape(low, into: &text)
      if low != high {
        text += "-"
        RegexpNode.escape(high, into: &text)
      }
      members?.append(contentsOf: Self.scalars(low, high))
      if members?.count ?? 0 > 64 { members = nil }
    }
    scanner.position += 1
    return RegexpSet(text: text + "]", folds: flags.folds, members: members)
  }

  /// A class within the class.
  private mutating func namedClass() throws(RegexpProblem) -> String? {
    if let name = try posixClass() { return name }
    if let name = try scanner.unicodeClass() { return name }
    return scanner.perlClass()
  }

  /// One scalar or `a-z`.
  private mutating func classRange(
    of classStart: Int
  ) throws(RegexpProblem) -> (low: Unicode.Scalar, high: Unicode.Scalar) {
    let start = scanner.position
    let low = try classScalar(of: classStart)
    // `[a-]` is "a or a hyphen".
    guard scanner.peek == UInt8(ascii: "-"), let after = scanner.peek(1),
      after != UInt8(ascii: "]")
    else { return (low, low) }
    scanner.position += 1
    let high = try classScalar(of: classStart)
    if high < low {
      throw scanner.problem("invalid character class range", start..<scanner.position)
    }
    return (low, high)
  }

  private mutating func classScalar(
    of classStart: Int
  ) throws(RegexpProblem) -> Unicode.Scalar {
    guard let byte = scanner.peek else {
      throw scanner.problem("missing closing ]", classStart..<scanner.end)
    }
    return byte == UInt8(ascii: "\\") ? try scanner.escape() : scanner.next()
  }

  /// `[:alpha:]` or `[:^alpha:]`.
  private mutating func posixClass() throws(RegexpProblem) -> String? {
    guard scanner.rest > 2, scanner.starts(with: "[:") else { return nil }
    let start = scanner.position
    var i = start + 2
    while scanner.text(i..<min(i + 2, scanner.end)) != ":]" {
      i += 1
      if i + 1 >= scanner.end { return nil }
    }
    var name = scanner.text(start + 2..<i)
    if name.hasPrefix("^") { name.removeFirst() }
    if !Self.posixNames.contains(name) {
      throw scanner.problem("invalid character class range", start..<i + 2)
    }
    scanner.position = i + 2
    return scanner.text(start..<i + 2)
  }

  private static func scalars(_ low: Unicode.Scalar, _ high: Unicode.Scalar) -> [Unicode.Scalar] {
    if high.value - low.value > 64 { return Array(repeating: low, count: 65) }
    return (low.value...high.value).compactMap { Unicode.Scalar($0) }
  }
}
