import ArgumentParser
import Config
import Diagnostics
import Engine
import Glibc
import JSON
import PromQL
import Storage

/// `tocsin promql format|parse|plan`: looks at expressions without evaluating them.
struct PromQLCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "promql",
    abstract: "Format PromQL expressions, show their syntax trees, or how they are evaluated.",
    discussion: "Exit status: 0 in order, 1 the expression has a mistake, 2 no input.",
    subcommands: [
      PromQLFormatCommand.self, PromQLParseCommand.self, PromQLPlanCommand.self,
    ])
}

/// `tocsin promql format EXPR|-`.
struct PromQLFormatCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "format",
    abstract: "Print an expression as Prometheus formats it, long ones over several lines.",
    discussion: "tocsin promql format 'sum(rate(x[5m]))by(job)'")

  @OptionGroup var input: PromQLInput

  func run() throws { print(try input.parsed().pretty) }
}

/// `tocsin promql parse EXPR|-`.
struct PromQLParseCommand: ParsableCommand {
  /// How the tree is printed.
  enum Format: String, ExpressibleByArgument, CaseIterable { case json, text }

  static let configuration = CommandConfiguration(
    commandName: "parse",
    abstract: "Show the syntax tree: JSON as of /api/v1/parse_query, or text.",
    discussion: "tocsin promql parse -o text 'a / on (job) b'")

  @Option(name: [.customShort("o"), .customLong("output")], help: "json or text.")
  var output: Format = .json

  @OptionGroup var input: PromQLInput

  func run() throws {
    let expr = try input.parsed()
    switch output {
    case .json:
      var json = JSONWriter()
      expr.writeTree(to: &json)
      print(json.text)
    case .text:
      expr.walk { node, path in
        let indent = String(repeating: "  ", count: path.count)
        // Headings of aggregations end with the blank before their parenthesis.
        let heading = node.heading.hasSuffix(" ") ? String(node.heading.dropLast()) : node.heading
        print("\(indent)\(node.type.rawValue): \(heading)")
      }
    }
  }
}

/// `tocsin promql plan EXPR|-`.
struct PromQLPlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Show how a rule with this expression is evaluated, and what each operator keeps.",
    discussion: """
      A tree with an operator a line; behind the dash stands what outlives an evaluation, so that \
      the next one only computes values. Operators with a number occur more than once and are \
      evaluated once.

      tocsin promql plan 'sum by (job) (rate(x[5m])) > 1'
      """)

  @OptionGroup var input: PromQLInput

  func run() throws {
    let expr = try input.parsed()
    do throws(QueryProblem) {
      print(try Plan(expr, store: Store(), standing: true).outline.text, terminator: "")
    } catch {
      Terminal.write("tocsin: \(error.message)\n", to: 2)
      throw ExitCode(1)
    }
  }
}

/// The expression the commands share: an argument, or standard input.
struct PromQLInput: ParsableArguments {
  @Option(help: "auto, always or never; NO_COLOR counts as never.")
  var color: ColorChoice = .auto

  @Argument(help: "PromQL expression; - is standard input, -- precedes a minus.")
  var expr: String

  /// Parses with everything experimental switched on; a mistake is shown with its place and ends
  /// the program with status 1.
  func parsed() throws -> Expr {
    let text = expr == "-" ? try Self.standardInput() : expr
    do throws(ParseProblem) {
      return try PromQLParser.parse(text)
    } catch {
      let source = SourceText(name: expr == "-" ? "<stdin>" : "<expr>", text: text)
      let renderer = HumanRenderer(decoration: color.isOn(for: 2) ? .ansi : .plain)
      Terminal.write(renderer.render(ExprProblem.diagnostic(error, in: source)), to: 2)
      throw ExitCode(1)
    }
  }

  private static func standardInput() throws -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let n = read(0, &buffer, buffer.count)
      if n < 0 && errno == EINTR { continue }
      if n < 0 {
        Terminal.write("tocsin: standard input cannot be read\n", to: 2)
        throw ExitCode(2)
      }
      if n == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += buffer[..<n]
    }
  }
}
