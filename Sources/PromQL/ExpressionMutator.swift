import Diagnostics
import Model

/// Makes bad expressions from good ones, and checks what the parser must never break.
///
/// The same seed makes the same texts on every machine, so a finding can be replayed.
package struct ExpressionMutator {
  private var random: SeededGenerator

  package init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  /// A text with one to three tokens dropped, doubled, swapped, cut off or replaced.
  package mutating func mutate(_ text: String) -> String {
    var tokens = Self.tokens(of: text)
    for _ in 0...pick(3) where !tokens.isEmpty {
      let i = pick(tokens.count)
      switch pick(6) {
      case 0: tokens.remove(at: i)
      case 1: tokens.insert(tokens[i], at: i)
      case 2: tokens.swapAt(i, pick(tokens.count))
      case 3: tokens.removeSubrange(i...)
      case 4: tokens[i] = Self.strays[pick(Self.strays.count)]
      default: tokens.insert(Self.strays[pick(Self.strays.count)], at: i)
      }
    }
    return tokens.joined(separator: pick(4) == 0 ? "" : " ")
  }

  /// What the parser breaks on a text, or nil: it must end, an error must lie in the text, and the
  /// canonical text must stay what it is when it is parsed again.
  package static func violation(on text: String) -> String? {
    do throws(ParseProblem) {
      let expr = try PromQLParser.parse(text)
      if losesMeaning(expr) { return nil }
      let canonical = expr.description
      // Label values are texts; bytes of an escape that are not UTF-8 have been replaced.
      if canonical.unicodeScalars.contains("\u{fffd}") { return nil }
      do throws(ParseProblem) {
        let again = try PromQLParser.parse(canonical).description
        return again == canonical ? nil : "printed as \(canonical), then as \(again)"
      } catch {
        return "printed as \(canonical), which is refused: \(error.text(in: canonical))"
      }
    } catch {
      let length = text.utf8.count
      if error.range.start > length || error.range.end > length {
        return "the range of \"\(error.message)\" lies outside of the text"
      }
      return error.message.isEmpty ? "an empty message" : nil
    }
  }

  /// Whether Prometheus' canonical text, which is ours, reads differently from what was parsed.
  package static func losesMeaning(_ expr: Expr) -> Bool {
    var loses = false
    expr.walk { node, _ in
      switch node {
      case .selector(let selector):
        // Empty labels of `info` print as nothing.
        let isEmpty = selector.name == nil && selector.matchers.isEmpty
        loses = loses || isEmpty || isLoose(selector.offset, isLast: moves(selector))
      case .subquery(let subquery):
        loses = loses || isLoose(subquery.offset, isLast: subquery.at != nil)
      case .binary(let binary):
        // `+Inf ^ 2` is read as `+(Inf ^ 2)`.
        if binary.op == .power, case .number(let base) = binary.lhs, base.value == .infinity {
          loses = true
        }
      default: break
      }
    }
    return loses
  }

  /// Whether an offset reads back differently.
  ///
  /// Arithmetic without parentheses is printed so, but read as arithmetic on the result. Printed
  /// last although something else was written last, an offset also takes in a following operator.
  private static func isLoose(_ offset: DurationValue, isLast: Bool) -> Bool {
    switch offset.expr {
    case .binary, .negate(.binary, _): true
    case .some: isLast
    case nil: false
    }
  }

  /// Whether a selector has modifiers that are printed before its offset, wherever they stood.
  private static func moves(_ selector: VectorSelector) -> Bool {
    selector.at != nil || selector.anchored || selector.smoothed
  }

  /// Mutates each of the texts `rounds` times and returns what was found: the text and what is
  /// wrong with it.
  package static func run(
    seed: UInt64, rounds: Int, on texts: [String]
  ) -> [(text: String, violation: String)] {
    var mutator = ExpressionMutator(seed: seed)
    var found: [(text: String, violation: String)] = []
    for text in texts {
      for _ in 0..<rounds {
        let mutant = mutator.mutate(text)
        if let violation = violation(on: mutant) { found.append((mutant, violation)) }
      }
    }
    return found
  }

  private static let strays = [
    "(", ")", "{", "}", "[", "]", ",", ":", "@", "offset", "by", "without", "on", "ignoring",
    "bool",
    "group_left", "fill", "==", "=~", "!=", "</", "^", "-", "+", "and", "unless", "1", "0x1f", "1e",
    "5m",
    "1h5x", "\"s\"", "'", "`", "\"\\x\"", "step()", "range(", "min_of", "start()", "anchored",
    "smoothed", "sum", "topk", "rate", "info", "up", "#", "\n", "é", "\u{fffd}", "\\", "_", "x",
    "..", "Inf",
  ]

  /// Words, numbers and strings whole, everything else byte by byte.
  private static func tokens(of text: String) -> [String] {
    var out: [String] = []
    var rest = text.utf8[...]
    while let first = rest.first {
      let token: Substring.UTF8View
      if ByteClass.isSpace(first) {
        rest = rest.dropFirst()
        continue
      } else if ByteClass.isAlphaNumeric(first) {
        token = rest.prefix(while: ByteClass.isAlphaNumeric)
      } else if first == UInt8(ascii: "\"") {
        token = rest.prefix(1 + rest.dropFirst().prefix { $0 != first }.count + 1)
      } else if first >= 0x80 {
        token = rest.prefix { $0 >= 0x80 }
      } else {
        token = rest.prefix(1)
      }
      out.append(String(decoding: token, as: UTF8.self))
      rest = rest.dropFirst(token.count)
    }
    return out
  }

  private mutating func pick(_ n: Int) -> Int { random.pick(n) }
}
