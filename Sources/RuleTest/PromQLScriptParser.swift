import Model
import PromQL

/// Reads scripts line by line; a syntax error anywhere refuses the file.
package struct PromQLScriptParser {
  private let name: String
  private let lines: [String]
  private var index = 0

  private init(name: String, text: String) {
    self.name = name
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
      let line = Self.trimmed(String($0))
      return line.hasPrefix("#") ? "" : line
    }
  }

  /// Parses a whole script.
  package static func parse(_ text: String, name: String) throws(ScriptProblem) -> PromQLScript {
    var parser = PromQLScriptParser(name: name, text: text)
    return try parser.script()
  }

  private mutating func script() throws(ScriptProblem) -> PromQLScript {
    var commands: [PromQLScript.Command] = []
    while index < lines.count {
      let line = lines[index]
      if line.isEmpty {
        index += 1
        continue
      }
      let word = Self.words(line).first?.lowercased() ?? ""
      if word == "clear" {
        commands.append(.clear(line: index + 1))
        index += 1
      } else if word.hasPrefix("load") {
        commands.append(.load(try load()))
      } else if word.hasPrefix("eval") {
        commands.append(.eval(try eval()))
      } else {
        throw problem("invalid command \(line)")
      }
    }
    return PromQLScript(name: name, commands: commands)
  }

  // MARK: load

  private mutating func load() throws(ScriptProblem) -> PromQLScript.Load {
    let words = Self.words(lines[index])
    guard words.count == 2, words[0] == "load" || words[0] == "load_with_nhcb" else {
      throw problem("invalid load command. (load[_with_nhcb] <step:duration>)")
    }
    let step = try duration(words[1])
    var load = PromQLScript.Load(
      line: index + 1, step: step, buildsCustomHistograms: words[0] == "load_with_nhcb")
    index += 1
    var pending: (metric: LabelSet, offsets: [PromDuration?])?
    while index < lines.count, !lines[index].isEmpty {
      let line = lines[index]
      let head = line.prefix { $0 != " " && $0 != "\t" }
      if head.hasSuffix("@st") {
        let metric = try seriesLine(String(head.dropLast(3))).labels
        pending = (metric, try startOffsets(String(line.dropFirst(head.count))))
      } else {
        let (labels, values) = try seriesLine(line)
        var series = PromQLScript.LoadedSeries(labels: labels, values: values)
        if let given = pending {
          guard given.metric == labels, given.offsets.count == values.count else {
            throw problem("start timestamps do not fit the sample line that follows")
          }
          series.startOffsets = given.offsets
          pending = nil
        }
        if let at = load.series.firstIndex(where: { $0.labels == labels }) {
          load.series[at] = series
        } else {
          load.series.append(series)
        }
      }
      index += 1
    }
    return load
  }

  /// Items of an `@st` line: `_`, `_xN`, `<dur>`, `<dur>xN`, `<dur>±<dur>xN`.
  private func startOffsets(_ text: String) throws(ScriptProblem) -> [PromDuration?] {
    var out: [PromDuration?] = []
    for item in Self.words(text) {
      if item == "_" {
        out.append(nil)
      } else if item.hasPrefix("_x"), let n = Int(item.dropFirst(2)) {
        out += Array(repeating: nil, count: n)
      } else {
        out += try offsetRun(item)
      }
    }
    return out
  }

  private func offsetRun(_ item: String) throws(ScriptProblem) -> [PromDuration?] {
    var body = Substring(item)
    var repeats = 0
    if let x = body.lastIndex(of: "x"), let n = Int(body[body.index(after: x)...]) {
      repeats = n
      body = body[..<x]
    }
    var negative = false
    if body.first == "-" || body.first == "+" { negative = body.removeFirst() == "-" }
    var delta = PromDuration.zero
    if let sign = body.lastIndex(where: { $0 == "+" || $0 == "-" }) {
      let size = try duration(String(body[body.index(after: sign)...]))
      delta = PromDuration(milliseconds: body[sign] == "-" ? -size.milliseconds : size.milliseconds)
      body = body[..<sign]
    }
    let size = try duration(String(body)).milliseconds
    let start = PromDuration(milliseconds: negative ? -size : size)
    return (0...repeats).map { start + delta * Int64($0) }
  }

  // MARK: eval

  private mutating func eval() throws(ScriptProblem) -> PromQLScript.Eval {
    let line = lines[index]
    let words = Self.words(line)
    var eval: PromQLScript.Eval
    if words.count > 1, words[1] == "instant" {
      eval = try instantHead(line)
    } else if words.count > 1, words[1] == "range" {
      eval = try rangeHead(line)
    } else {
      throw problem("invalid eval command: \(line)")
    }
    switch words[0] {
    case "eval": break
    case "eval_fail": eval.failure = .any
    case "eval_warn": eval.wantsWarning = true
    case "eval_info": eval.wantsInfo = true
    case "eval_ordered": eval.isOrdered = true
    default: throw problem("invalid eval command: \(words[0])")
    }
    do {
      _ = try PromQLParser.parse(eval.query, options: .all)
    } catch {
      throw problem("error parsing query: \(error.text(in: eval.query))")
    }
    index += 1
    try body(of: &eval, legacyFail: words[0] == "eval_fail")
    return eval
  }

  private func instantHead(_ line: String) throws(ScriptProblem) -> PromQLScript.Eval {
    var rest = Self.dropWords(line, 2)
    var at = Timestamp.zero
    if Self.words(rest).first == "at" {
      let words = Self.words(rest)
      guard words.count > 2 else { throw problem("invalid eval command: \(line)") }
      at = Timestamp.zero + (try duration(words[1]))
      rest = Self.dropWords(rest, 2)
    }
    return PromQLScript.Eval(line: index + 1, times: .instant(at), query: rest)
  }

  private func rangeHead(_ line: String) throws(ScriptProblem) -> PromQLScript.Eval {
    let words = Self.words(line)
    guard words.count > 8, words[2] == "from", words[4] == "to", words[6] == "step" else {
      throw problem("invalid eval command: \(line)")
    }
    let from = Timestamp.zero + (try duration(words[3]))
    let through = Timestamp.zero + (try duration(words[5]))
    guard from <= through else {
      throw problem("invalid test definition, end timestamp is before start")
    }
    let times = PromQLScript.Eval.Times.range(
      from: from, through: through, step: try duration(words[7]))
    return PromQLScript.Eval(line: index + 1, times: times, query: Self.dropWords(line, 8))
  }

  private mutating func body(
    of eval: inout PromQLScript.Eval, legacyFail: Bool
  ) throws(ScriptProblem) {
    while index < lines.count, !lines[index].isEmpty {
      let line = lines[index]
      if legacyFail, try legacyFailure(line, &eval) {
        index += 1
        return
      }
      if line.hasPrefix("expect range vector ") {
        let words = Self.words(line)
        guard words.count == 9 else { throw problem("invalid expect: \(line)") }
        eval.rangeVector = (
          Timestamp.zero + (try duration(words[4])), Timestamp.zero + (try duration(words[6])),
          try duration(words[8])
        )
      } else if line.hasPrefix("expect string ") {
        eval.string = try unquoted(Self.dropWords(line, 2))
      } else if Self.words(line).first == "expect" {
        try expectation(line, &eval)
      } else if let number = Self.number(line) {
        eval.scalar = number
        index += 1
        return
      } else {
        let (labels, values) = try seriesLine(line)
        eval.series.append(
          PromQLScript.ExpectedSeries(line: index + 1, labels: labels, values: values))
      }
      index += 1
    }
  }

  private func legacyFailure(
    _ line: String, _ eval: inout PromQLScript.Eval
  ) throws(ScriptProblem) -> Bool {
    if line.hasPrefix("expected_fail_message") {
      eval.failure = .exact(Self.trimmed(String(line.dropFirst("expected_fail_message".count))))
      return true
    }
    if line.hasPrefix("expected_fail_regexp") {
      eval.failure = try pattern(Self.trimmed(String(line.dropFirst("expected_fail_regexp".count))))
      return true
    }
    return false
  }

  private func expectation(
    _ line: String, _ eval: inout PromQLScript.Eval
  ) throws(ScriptProblem) {
    let kind = Self.words(line).dropFirst().first ?? ""
    let rest = Self.trimmed(Self.dropWords(line, 2))
    var text = PromQLScript.TextExpectation.any
    if rest.hasPrefix("msg:") {
      text = .exact(Self.trimmed(String(rest.dropFirst(4))))
    } else if rest.hasPrefix("regex:") {
      text = try pattern(Self.trimmed(String(rest.dropFirst(6))))
    } else if !rest.isEmpty {
      throw problem("invalid expect: \(line)")
    }
    switch kind {
    case "ordered": eval.isOrdered = true
    case "fail":
      if eval.failure != nil { throw problem("invalid expect lines, multiple fail") }
      eval.failure = text
    case "warn": eval.warnings.append(text)
    case "info": eval.infos.append(text)
    case "no_warn": eval.forbidsWarnings = true
    case "no_info": eval.forbidsInfos = true
    default: throw problem("invalid expected error/annotation: \(line)")
    }
    if eval.forbidsWarnings && !eval.warnings.isEmpty || eval.forbidsInfos && !eval.infos.isEmpty {
      throw problem("invalid expect lines: a kind is both wanted and forbidden")
    }
  }

  // MARK: pieces

  private func problem(_ message: String) -> ScriptProblem {
    ScriptProblem(script: name, line: index + 1, message: message)
  }

  private func seriesLine(
    _ line: String
  ) throws(ScriptProblem) -> (labels: LabelSet, values: [SequenceValue]) {
    do {
      let series = try PromQLParser.parseSeriesDescription(line)
      return (series.labels, series.values)
    } catch {
      throw problem(error.text(in: line))
    }
  }

  private func duration(_ text: String) throws(ScriptProblem) -> PromDuration {
    do {
      return try PromDuration(parsing: text)
    } catch {
      throw problem("invalid duration \(text): \(error)")
    }
  }

  private func pattern(_ text: String) throws(ScriptProblem) -> PromQLScript.TextExpectation {
    do {
      return .pattern(try Regexp(text))
    } catch {
      throw problem("invalid regexp \(text): \(error)")
    }
  }

  /// A Go string literal, unquoted through the PromQL lexer, whose strings are the same.
  private func unquoted(_ text: String) throws(ScriptProblem) -> String {
    guard let expr = try? PromQLParser.parse(text, options: .all), case .string(let s) = expr else {
      throw problem("expected a quoted string: \(text)")
    }
    return s.value
  }

  /// A bare number in Go's forms.
  private static func number(_ text: String) -> Double? {
    guard let first = text.unicodeScalars.first,
      "+-.0123456789iInN".unicodeScalars.contains(first),
      let expr = try? PromQLParser.parse(text, options: .all)
    else { return nil }
    switch expr {
    case .number(let n) where !n.isDuration: return n.value
    case .unary(let u):
      if case .number(let n) = u.expr { return u.op == .subtract ? -n.value : n.value }
      return nil
    default: return nil
    }
  }

  private static func trimmed(_ text: String) -> String {
    let blank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" }
    return String(text.drop(while: blank).reversed().drop(while: blank).reversed())
  }

  private static func words(_ text: String) -> [String] {
    text.split { $0 == " " || $0 == "\t" }.map(String.init)
  }

  /// The text behind its first `n` words and the blanks after them.
  private static func dropWords(_ text: String, _ n: Int) -> String {
    let blank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    var rest = Substring(text)
    for _ in 0..<n {
      rest = rest.drop(while: blank).drop { !blank($0) }
    }
    return String(rest.drop(while: blank))
  }
}
