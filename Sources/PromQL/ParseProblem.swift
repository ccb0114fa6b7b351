import Diagnostics
import Model

/// Why a text is not PromQL: the first problem, in Prometheus' words.
package struct ParseProblem: Error, Hashable, Sendable {
  /// The message without position: `unexpected right parenthesis ')'`.
  package var message: String
  /// The bytes it is about, in the parsed text.
  package var range: SourceRange

  package init(_ message: String, range: SourceRange) {
    self.message = message
    self.range = range
  }

  /// The whole message: `1:5: parse error: unexpected right parenthesis ')'`.
  package func text(in input: String) -> String {
    "\(position(in: input)): parse error: \(message)"
  }

  /// `line:column` of the start, both from 1, the column in bytes.
  package func position(in input: String) -> String {
    if input.isEmpty { return "unknown position" }
    var line = 1
    var column = 1
    var offset = 0
    for byte in input.utf8 {
      if offset == range.start { break }
      offset += 1
      column += 1
      if byte == 0x0a {
        line += 1
        column = 1
      }
    }
    return offset == range.start ? "\(line):\(column)" : "invalid position"
  }

  /// The problem as a finding; `base` is where the parsed text begins in `source`.
  package func diagnostic(in source: SourceText? = nil, at base: Int = 0) -> Diagnostic {
    Diagnostic(id, .error, message, source: source, range: range.shifted(by: base))
  }

  /// The stable id of the kind of problem.
  package var id: String {
    if message.hasPrefix("unknown function") { return "promql/unknown-function" }
    if message.hasPrefix("expected type") || message.hasPrefix("binary expression must") {
      return "promql/type"
    }
    if message.hasPrefix("error parsing regexp") { return "promql/regexp" }
    return "promql/syntax"
  }
}
