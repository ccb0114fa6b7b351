import Model
import PromQL

/// A plan for people: its operators as a tree, with what each keeps between evaluations.
package struct PlanOutline: Sendable {
  /// The operator as in the text of the expression.
  package let title: String
  /// What the operator keeps; evaluations compute the rest.
  package let keeps: String
  /// The number of an operator that occurs at several places and is evaluated once; nil for others.
  package var number: Int?
  /// Whether the operator has been shown above, with its arguments.
  package let isRepeated: Bool
  package let arguments: [PlanOutline]

  /// The tree, a line per operator, and how many there are.
  package var text: String {
    var lines: [String] = []
    write(first: "", rest: "", to: &lines)
    return lines.joined(separator: "\n") + "\n"
  }

  private func write(first: String, rest: String, to lines: inout [String]) {
    var line = first + title
    if let number { line += isRepeated ? "  (as #\(number) above)" : "  #\(number)" }
    if !isRepeated { line += "  — \(keeps)" }
    lines.append(line)
    for (i, argument) in arguments.enumerated() {
      let isLast = i == arguments.count - 1
      argument.write(
        first: rest + (isLast ? "└─ " : "├─ "), rest: rest + (isLast ? "   " : "│  "), to: &lines)
    }
  }
}

extension Plan {
  /// The operators of the plan.
  package var outline: PlanOutline {
    var writer = OutlineWriter()
    switch root {
    case .string(let text):
      return PlanOutline(
        title: GoText.quote(text), keeps: "constant", isRepeated: false, arguments: [])
    case .scalar(let node), .node(let node):
      writer.count(.node(node))
      return writer.outline(.node(node))
    case .windows(let windows, _):
      writer.count(.windows(windows))
      return writer.outline(.windows(windows))
    }
  }
}

/// Walks a plan; operators that occur more than once get numbers.
private struct OutlineWriter {
  enum Part {
    case node(PlanNode)
    case windows(WindowSource)

    var identity: ObjectIdentifier {
      switch self {
      case .node(let node): ObjectIdentifier(node)
      case .windows(let windows): ObjectIdentifier(windows)
      }
    }

    var title: String {
      switch self {
      case .node(let node): node.expr.map(Self.heading) ?? node.title
      case .windows(let windows): windows.expr.map(Self.heading) ?? ""
      }
    }

    /// Headings of aggregations end with the blank before their parenthesis.
    private static func heading(_ expr: Expr) -> String {
      let heading = expr.heading
      return heading.hasSuffix(" ") ? String(heading.dropLast()) : heading
    }

    var keeps: String {
      switch self {
      case .node(let node): node.keeps
      case .windows(let windows): windows.keeps
      }
    }

    var arguments: [Part] {
      switch self {
      case .node(let node):
        (node.windows.map { [.windows($0)] } ?? []) + node.children.map { .node($0) }
      case .windows(let windows):
        (windows as? SubqueryWindows).map { [.node($0.inner)] } ?? []
      }
    }
  }

  private var uses: [ObjectIdentifier: Int] = [:]
  private var numbers: [ObjectIdentifier: Int] = [:]

  mutating func count(_ part: Part) {
    uses[part.identity, default: 0] += 1
    if uses[part.identity] == 1 { for argument in part.arguments { count(argument) } }
  }

  mutating func outline(_ part: Part) -> PlanOutline {
    let known = numbers[part.identity]
    // Numbers and times are no work to share.
    let isShared = uses[part.identity] ?? 0 > 1 && !part.arguments.isEmpty
    if isShared && known == nil { numbers[part.identity] = numbers.count + 1 }
    let isRepeated = known != nil
    var arguments: [PlanOutline] = []
    if !isRepeated { for argument in part.arguments { arguments.append(outline(argument)) } }
    return PlanOutline(
      title: part.title, keeps: part.keeps,
      number: isShared ? numbers[part.identity] : nil, isRepeated: isRepeated,
      arguments: arguments)
  }
}

extension PlanNode {
  /// What an evaluation finds ready.
  fileprivate var keeps: String {
    switch self {
    case is SelectorNode: "the series and their places in the store"
    case is RangeFunctionNode: "labels without the name"
    case is AggregationNode, is SelectionNode: "the group of each series, the groups' labels"
    case is VectorBinaryNode: "the pairs of series that match, their labels"
    case is IntersectionNode: "the groups of series that match"
    case is UnionNode: "the groups of series that match, the labels of both sides"
    case is HistogramQuantileNode: "groups of buckets, sorted by their bounds"
    case is LabelFunctionNode: "the new labels"
    case is AbsentNode, is AbsentOverTimeNode: "the labels of the one element"
    case is CountValuesNode, is InfoNode: "nothing: labels follow from values"
    case is SortNode: "labels; sorts at each evaluation"
    case is ProjectedNode, is VectorScalarNode: "labels without the name"
    case is ScalarSourceNode, is ScalarBinaryNode, is ScalarOfVectorNode: "nothing: a number"
    case is VectorOfScalarNode, is EmptyNode: "the labels"
    case is ResultNode: "labels without marked names"
    default: "labels"
    }
  }
}

extension WindowSource {
  /// What an evaluation finds ready.
  fileprivate var keeps: String {
    guard let subquery = self as? SubqueryWindows else {
      return "the series and their places in the store; sums of sealed rows"
    }
    return subquery.keepsSteps
      ? "results of steps already computed" : "labels; every step is computed each time"
  }
}
