import Diagnostics
import PromQL
import YAML

/// A PromQL problem at its place in a file.
package enum ExprProblem {
  /// The finding for an expression that stands in a scalar, the caret exactly where the mistake is.
  package static func diagnostic(_ problem: ParseProblem, in node: YAMLNode) -> Diagnostic {
    let target = node.content
    return Diagnostic(
      problem.id, .error, problem.message, source: target.source,
      range: target.sourceRange(ofContent: place(problem)), label: hint(problem.message))
  }

  /// The finding for an expression that is a text of its own.
  package static func diagnostic(_ problem: ParseProblem, in source: SourceText) -> Diagnostic {
    Diagnostic(
      problem.id, .error, problem.message, source: source, range: place(problem),
      label: hint(problem.message))
  }

  /// - Note: Prometheus notices a parenthesis too many when it is already behind it.
  private static func place(_ problem: ParseProblem) -> SourceRange {
    let range = problem.range
    guard problem.message.hasPrefix(tooManyParentheses), range.start > 0 else { return range }
    return SourceRange(range.start - 1, range.start)
  }

  private static let tooManyParentheses = "unexpected right parenthesis"
  private static let unknownFunction = "unknown function with name \""

  private static func hint(_ message: String) -> String? {
    if message.hasPrefix(tooManyParentheses) { return "no parenthesis is open here" }
    if message.hasPrefix("unclosed left parenthesis") { return "a `)` is missing" }
    if message.hasPrefix(unknownFunction) {
      let name = String(message.dropFirst(unknownFunction.count).prefix { $0 != "\"" })
      return NearestName.find(name, among: FunctionSignature.all.map(\.name))
        .map { "did you mean `\($0)`?" }
    }
    if message.hasPrefix("expected type range vector"), message.hasSuffix("got instant vector") {
      return "add a range, for example `[5m]`"
    }
    return nil
  }
}
