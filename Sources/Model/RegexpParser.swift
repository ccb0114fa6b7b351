/// Reads Go's regular expression syntax (`regexp/syntax` with the Perl flags) and words errors as
/// Go does.
///
/// RE2 reads nearly the same language; what it refuses, and in which words, differs. So every
/// pattern is parsed here first, and RE2 is given a text written from the tree.
struct RegexpParser {
  struct Flags {
    var folds = false
    var dotTakesNewline = false
    var oneLine = true
    var ungreedy = false
  }

  /// What lies on the stack: finished expressions, open parentheses and vertical bars.
  private enum Entry {
    case node(RegexpNode, height: Int)
    case leftParen(Flags, captures: Bool)
    case verticalBar
  }

  /// No expression may nest deeper: the tree is walked recursively.
  private static let maxHeight = 1000
  /// Largest count of a repetition, alone or multiplied by those around it.
  static let maxRepeat = 1000

  var scanner: RegexpScanner
  var flags = Flags()
  /// Names of the groups; index 0 is the whole match.
  private(set) var groupNames = [""]
  private var stack: [Entry] = []
  /// Where the repetition operator right before the current place began.
  private var lastRepeat: Int?

  private init(_ pattern: String, dotTakesNewline: Bool) {
    scanner = RegexpScanner(pattern)
    flags.dotTakesNewline = dotTakesNewline
  }

  /// Parses a whole pattern.
  static func parse(
    _ pattern: String, dotTakesNewline: Bool
  ) throws(RegexpProblem) -> (node: RegexpNode, groupNames: [String]) {
    var parser = RegexpParser(pattern, dotTakesNewline: dotTakesNewline)
    let node = try parser.parseAll()
    return (node, parser.groupNames)
  }

  private mutating func parseAll() throws(RegexpProblem) -> RegexpNode {
    while let byte = scanner.peek {
      var repeatStart: Int?
      switch byte {
      case UInt8(ascii: "("): try parseLeftParen()
      case UInt8(ascii: "|"):
        scanner.position += 1
        try closeConcat()
        stack.append(.verticalBar)
      case UInt8(ascii: ")"):
        scanner.position += 1
        try parseRightParen()
      case UInt8(ascii: "^"):
        scanner.position += 1
        try push(.assertion(flags.oneLine ? .beginText : .beginLine))
      case UInt8(ascii: "$"):
        scanner.position += 1
        try push(.assertion(flags.oneLine ? .endText : .endLine))
      case UInt8(ascii: "."):
        scanner.position += 1
        try push(.any(newline: flags.dotTakesNewline))
      case UInt8(ascii: "["): try push(.set(parseClass()))
      case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"):
        repeatStart = scanner.position
        scanner.position += 1
        let min = byte == UInt8(ascii: "+") ? 1 : 0
        try applyRepeat(
          from: scanner.position - 1, min: min, max: byte == UInt8(ascii: "?") ? 1 : nil,
          counted: false)
      case UInt8(ascii: "{"): repeatStart = try parseCountedRepeat()
      case UInt8(ascii: "\\"): try parseBackslash()
      default: try pushLiteral(scanner.next())
      }
      lastRepeat = repeatStart
    }
    try closeAlternate()
    guard stack.count == 1, case .node(let node, _) = stack[0] else {
      throw scanner.problem("missing closing )", scanner.all)
    }
    return node
  }

  // MARK: Groups

  private mutating func parseLeftParen() throws(RegexpProblem) {
    if scanner.starts(with: "(?") { return try parsePerlGroup() }
    scanner.position += 1
    groupNames.append("")
    stack.append(.leftParen(flags, captures: true))
  }

  /// `(?P<name>`, `(?<name>`, `(?flags)` or `(?flags:`.
  private mutating func parsePerlGroup() throws(RegexpProblem) {
    let start = scanner.position
    let isPython = scanner.rest > 4 && scanner.starts(with: "(?P<")
    if isPython || scanner.rest > 3 && scanner.starts(with: "(?<") {
      guard let end = scanner.index(of: UInt8(ascii: ">")) else {
        throw scanner.problem("invalid named capture", start..<scanner.end)
      }
      let name = scanner.text(start + (isPython ? 4 : 3)..<end)
      guard !name.isEmpty, name.utf8.allSatisfy(Self.isWord) else {
        throw scanner.problem("invalid named capture", start..<end + 1)
      }
      scanner.position = end + 1
      groupNames.append(name)
      stack.append(.leftParen(flags, captures: true))
      return
    }
    scanner.position += 2
    var new = flags
    var value = true
    var sawFlag = false
    loop: while scanner.peek != nil {
      let c = scanner.next()
      switch c {
      case "i": new.folds = value
      case "m": new.oneLine = !value
      case "s": new.dotTakesNewline = value
      case "U": new.ungreedy = value
      case "-":
        if !value { break loop }
        value = false
        sawFlag = false
        continue
      case ":", ")":
        if !value && !sawFlag { break loop }
        if c == ":" { stack.append(.leftParen(flags, captures: false)) }
        flags = new
        return
      default: break loop
      }
      sawFlag = true
    }
    throw scanner.problem("invalid or unsupported Perl syntax", start..<scanner.position)
  }

  private mutating func parseRightParen() throws(RegexpProblem) {
    try closeAlternate()
    guard stack.count >= 2, case .node(let inner, let height) = stack[stack.count - 1],
      case .leftParen(let saved, let captures) = stack[stack.count - 2]
    else { throw scanner.problem("unexpected )", scanner.all) }
    stack.removeLast(2)
    flags = saved
    if captures {
      try push(.capture(inner), height: height + 1)
    } else {
      try push(inner, height: height)
    }
  }

  // MARK: The stack

  private mutating func push(_ node: RegexpNode, height: Int = 1) throws(RegexpProblem) {
    if height > Self.maxHeight {
      throw scanner.problem("expression nests too deeply", scanner.all)
    }
    stack.append(.node(node, height: height))
  }

  private mutating func pushLiteral(_ scalar: Unicode.Scalar) throws(RegexpProblem) {
    try push(.literal([scalar], folds: flags.folds))
  }

  /// Replaces the expressions above the last bar or parenthesis with their concatenation.
  private mutating func closeConcat() throws(RegexpProblem) {
    var parts: [RegexpNode] = []
    var height = 0
    while case .node(let node, let h)? = stack.last {
      parts.append(node)
      height = max(height, h)
      stack.removeLast()
    }
    parts.reverse()
    let joined = Self.joiningLiterals(parts)
    switch joined.count {
    case 0: try push(.empty)
    case 1: try push(joined[0], height: height)
    default: try push(.concat(joined), height: height + 1)
    }
  }

  /// Replaces everything above the last parenthesis with one expression.
  private mutating func closeAlternate() throws(RegexpProblem) {
    try closeConcat()
    var parts: [RegexpNode] = []
    var height = 0
    loop: while let top = stack.last {
      switch top {
      case .node(let node, let h):
        parts.append(node)
        height = max(height, h)
      case .verticalBar: break
      case .leftParen: break loop
      }
      stack.removeLast()
    }
    parts.reverse()
    if parts.count == 1 {
      try push(parts[0], height: height)
    } else {
      try push(.alternate(parts), height: height + 1)
    }
  }

  private static func joiningLiterals(_ parts: [RegexpNode]) -> [RegexpNode] {
    var out: [RegexpNode] = []
    var run: [Unicode.Scalar] = []
    var runFolds = false
    func flush() {
      if !run.isEmpty { out.append(.literal(run, folds: runFolds)) }
      run = []
    }
    for part in parts {
      if case .literal(let scalars, let folds) = part {
        if folds != runFolds { flush() }
        runFolds = folds
        run += scalars
      } else {
        flush()
        out.append(part)
      }
    }
    flush()
    return out
  }

  // MARK: Repetitions

  /// Applies `*`, `+`, `?` or `{…}`, which began at `start` and is already behind us, to the top of
  /// the stack.
  private mutating func applyRepeat(
    from start: Int, min: Int, max: Int?, counted: Bool
  ) throws(RegexpProblem) {
    var greedy = !flags.ungreedy
    if scanner.peek == UInt8(ascii: "?") {
      scanner.position += 1
      greedy.toggle()
    }
    if let lastRepeat {
      throw scanner.problem("invalid nested repetition operator", lastRepeat..<scanner.position)
    }
    guard case .node(let inner, let height)? = stack.last else {
      throw scanner.problem(
        "missing argument to repetition operator", start..<scanner.position)
    }
    let node = RegexpNode.repetition(inner, min: min, max: max, greedy: greedy, counted: counted)
    stack.removeLast()
    try push(node, height: height + 1)
    if counted, min >= 2 || (max ?? 0) >= 2, !Self.repeatFits(node, Self.maxRepeat) {
      throw scanner.problem("invalid repeat count", start..<scanner.position)
    }
  }

  /// Reads `{n}`, `{n,}` or `{n,m}` and returns where it began; any other brace is a literal.
  private mutating func parseCountedRepeat() throws(RegexpProblem) -> Int? {
    let start = scanner.position
    guard let (min, max) = scanner.repeatCounts() else {
      scanner.position = start
      try pushLiteral(scanner.next())
      return nil
    }
    if min > Self.maxRepeat || (max ?? 0) > Self.maxRepeat || min > max ?? Int.max {
      throw scanner.problem("invalid repeat count", start..<scanner.position)
    }
    try applyRepeat(from: start, min: min, max: max, counted: true)
    return start
  }

  /// Whether nested counts stay within `limit` copies of the innermost expression.
  private static func repeatFits(_ node: RegexpNode, _ limit: Int) -> Bool {
    switch node {
    case .empty, .literal, .any, .set, .assertion: return true
    case .capture(let inner): return repeatFits(inner, limit)
    case .concat(let parts), .alternate(let parts):
      return parts.allSatisfy { repeatFits($0, limit) }
    case .repetition(let inner, let min, let max, _, let counted):
      if !counted { return repeatFits(inner, limit) }
      if max == 0 { return true }
      let times = max ?? min
      if times > limit { return false }
      return repeatFits(inner, times > 0 ? limit / times : limit)
    }
  }

  // MARK: Escapes outside classes

  private mutating func parseBackslash() throws(RegexpProblem) {
    switch scanner.peek(1) {
    case UInt8(ascii: "A"): try pushAssertion(.beginText)
    case UInt8(ascii: "b"): try pushAssertion(.wordBoundary)
    case UInt8(ascii: "B"): try pushAssertion(.noWordBoundary)
    case UInt8(ascii: "z"): try pushAssertion(.endText)
    case UInt8(ascii: "C"):
      let start = scanner.position
      throw scanner.problem("invalid escape sequence", start..<start + 2)
    case UInt8(ascii: "Q"):
      scanner.position += 2
      while scanner.peek != nil, !scanner.starts(with: #"\E"#) {
        try pushLiteral(scanner.next())
      }
      if scanner.peek != nil { scanner.position += 2 }
    default:
      if let named = try scanner.unicodeClass() ?? scanner.perlClass() {
        try push(.set(RegexpSet(text: "[\(named)]", folds: flags.folds, members: nil)))
      } else {
        try pushLiteral(scanner.escape())
      }
    }
  }

  private mutating func pushAssertion(_ assertion: RegexpAssertion) throws(RegexpProblem) {
    scanner.position += 2
    try push(.assertion(assertion))
  }

  static func isWord(_ b: UInt8) -> Bool {
    b >= 0x30 && b <= 0x39 || (b | 0x20) >= 0x61 && (b | 0x20) <= 0x7a || b == 0x5f
  }
}
