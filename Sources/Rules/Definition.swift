import Model
import PromQL
import Template

/// A rule group as written: immutable, shared by the loader, the evaluator and the reports.
package struct RuleGroupDefinition: Sendable {
  /// Where the group comes from; with `name` it is the group's identity.
  package var file: String
  package var name: String
  /// Time between evaluations; the loader has put the global default in.
  package var interval: PromDuration
  /// Nil: the global default.
  package var queryOffset: PromDuration?
  /// The most alerts or series one rule may yield; 0 = no limit.
  package var limit: Int
  /// Labels laid under each rule's own.
  package var labels: LabelSet
  /// The rules that can run, in the order of the file.
  package var rules: [RuleDefinition]
  /// The others.
  package var quarantined: [QuarantinedRule]
  /// What is wrong with the group's own settings, if they cannot be used; none of its rules is then
  /// in `rules`.
  package var headProblem: String?

  package init(
    file: String, name: String, interval: PromDuration, queryOffset: PromDuration? = nil,
    limit: Int = 0, labels: LabelSet = .empty, rules: [RuleDefinition],
    quarantined: [QuarantinedRule] = [], headProblem: String? = nil
  ) {
    self.file = file
    self.name = name
    self.interval = interval
    self.queryOffset = queryOffset
    self.limit = limit
    self.labels = labels
    self.rules = rules
    self.quarantined = quarantined
    self.headProblem = headProblem
  }

  /// `file;name`, as in Prometheus' metrics and API tokens.
  package var key: String { file + ";" + name }
}

/// One rule of a group.
package enum RuleDefinition: Sendable {
  case alert(AlertRule)
  case recording(RecordingRule)

  package var name: String {
    switch self {
    case .alert(let rule): rule.name
    case .recording(let rule): rule.name
    }
  }

  package var expr: Expr {
    switch self {
    case .alert(let rule): rule.expr
    case .recording(let rule): rule.expr
    }
  }

  /// Where the expression was written, if it came from a file.
  package var place: ExprPlace? {
    switch self {
    case .alert(let rule): rule.place
    case .recording(let rule): rule.place
    }
  }
}

/// Where an expression was written.
package struct ExprPlace: Sendable {
  /// The text that was parsed.
  package var text: String
  /// `file:line:column` of a byte of it.
  package var locate: @Sendable (_ offset: Int) -> String

  package init(text: String, locate: @escaping @Sendable (Int) -> String) {
    self.text = text
    self.locate = locate
  }
}

/// An alerting rule; `labels` and `annotations` are templates.
package struct AlertRule: Sendable {
  /// A name and its template, in the order of the file sorted by name.
  package struct Field: Sendable {
    package var name: String
    package var text: String
    package var template: Template

    package init(name: String, text: String, template: Template) {
      self.name = name
      self.text = text
      self.template = template
    }
  }

  package var name: String
  package var expr: Expr
  /// `for`: how long the condition must hold before the alert fires.
  package var holdDuration: PromDuration
  package var keepFiringFor: PromDuration
  /// The rule's labels with the group's laid under them.
  package var labels: [Field]
  package var annotations: [Field]
  /// Line of the rule in its file, for messages.
  package var line: Int
  /// The expression as written, for the positions in remarks.
  package var place: ExprPlace?

  package init(
    name: String, expr: Expr, holdDuration: PromDuration = .zero,
    keepFiringFor: PromDuration = .zero, labels: [Field] = [], annotations: [Field] = [],
    line: Int = 0, place: ExprPlace? = nil
  ) {
    self.name = name
    self.expr = expr
    self.holdDuration = holdDuration
    self.keepFiringFor = keepFiringFor
    self.labels = labels
    self.annotations = annotations
    self.line = line
    self.place = place
  }
}

/// A recording rule; its labels are literal.
package struct RecordingRule: Sendable {
  package var name: String
  package var expr: Expr
  /// The rule's labels with the group's laid under them.
  package var labels: LabelSet
  package var line: Int
  /// The expression as written, for the positions in remarks.
  package var place: ExprPlace?

  package init(
    name: String, expr: Expr, labels: LabelSet = .empty, line: Int = 0, place: ExprPlace? = nil
  ) {
    self.name = name
    self.expr = expr
    self.labels = labels
    self.line = line
    self.place = place
  }
}
