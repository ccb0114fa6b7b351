import Diagnostics
import Model
import PromQL
import Rules
import Template
import YAML

/// Reads rule files: every problem of a file in one go, and the good rules beside the bad.
package struct RuleFileLoader: Sendable {
  /// What the caller decides.
  package struct Options: Hashable, Sendable {
    package var parser = ParserOptions.all
    /// The interval of groups that name none.
    package var defaultInterval = PromDuration.minutes(1)
    package var ignoresUnknownFields = false

    package init() {}
  }

  /// Reads one file; `path` is its identity for the groups (default: the name of the text).
  package static func load(
    _ source: SourceText, path: String? = nil, options: Options = Options()
  ) -> RuleFile {
    let document = YAMLDocument.parse(source: source)
    var file = RuleFile(source: source, options: options)
    guard document.diagnostics.isEmpty else {
      file.diagnostics = document.diagnostics
      let line = document.failureLine.map { "line \($0): " } ?? ""
      file.referenceTexts = document.diagnostics.map { "yaml: \(line)\($0.message)" }
      file.hold = QuarantineReading.message(file.diagnostics)
      return file
    }
    guard let root = document.root else { return file }
    file.root = root
    let reading = RuleFileReading(path: path ?? source.name, options: options)
    reading.file(root)
    file.groups = reading.groups
    file.hold = reading.hold
    file.places = reading.places
    file.groupCount = reading.groupCount
    file.ruleCount = reading.ruleCount
    file.diagnostics = DiagnosticSet(reading.reader.diagnostics).sorted
    file.referenceTexts = reading.referenceTexts
    return file
  }
}

/// One pass over the tree of a rule file.
final class RuleFileReading {
  let reader = YAMLReader()
  let path: String
  let options: RuleFileLoader.Options
  private(set) var groups: [RuleGroupDefinition] = []
  /// Why there may be groups besides `groups`.
  private(set) var hold: String?
  private(set) var places: [RulePlace] = []
  private(set) var groupCount = 0
  private(set) var ruleCount = 0
  /// Prometheus' texts of the validating stage.
  private var validationTexts: [String] = []
  /// Bad durations stop Prometheus' decoding at once; the first in the text counts.
  private var stops: [(offset: Int, text: String)] = []
  private var groupNames: [(name: String, node: YAMLNode)] = []
  /// Expressions by their text: large files are often made by a program, from few.
  private var expressions: [String: (text: String, expr: Expr)] = [:]

  init(path: String, options: RuleFileLoader.Options) {
    self.path = path
    self.options = options
  }

  /// What Prometheus would say, stage by stage.
  var referenceTexts: [String] {
    if let first = stops.min(by: { $0.offset < $1.offset }) { return [first.text] }
    let decoding = reader.diagnostics.filter {
      $0.severity == .error && $0.id.hasPrefix("yaml/")
    }
    if decoding.isEmpty { return validationTexts }
    let lines = decoding.map { "  line \($0.position?.line ?? 0): \($0.message)" }
    return ["yaml: unmarshal errors:\n" + lines.joined(separator: "\n")]
  }

  func file(_ root: YAMLNode) {
    let fields = reader.fields(of: root, "a rule file")
    let items = fields?.items("groups") ?? []
    holdOnErrors(since: 0)
    guard let fields else { return }
    // Prometheus' reader leaves empty items out of a list.
    for (index, node) in items.filter({ !$0.isNull }).enumerated() {
      group(node, index)
    }
    close(fields, hint: ForeignField.inFile)
  }

  /// An expression, read once however many rules have it.
  func parsed(_ text: String) throws(ParseProblem) -> Expr {
    if let known = expressions[text], ByteOrder.equal(known.text, text) { return known.expr }
    let expr = try PromQLParser.parse(text, options: options.parser)
    expressions[text] = (text, expr)
    return expr
  }

  /// A file whose structure is broken may have groups that nobody can see.
  private func holdOnErrors(since start: Int) {
    let errors = reader.diagnostics[start...].filter { $0.severity == .error }
    if hold == nil && !errors.isEmpty { hold = QuarantineReading.message(errors) }
  }

  func close(_ fields: YAMLFields, hint: (String) -> String? = { _ in nil }) {
    if options.ignoresUnknownFields { fields.leave() } else { fields.close(hint: hint) }
  }

  /// A duration; a bad one is remembered as Prometheus' stop.
  func duration(_ fields: YAMLFields, _ name: String) -> PromDuration? {
    let before = reader.diagnostics.count
    let value = fields.duration(name)
    if reader.diagnostics.count > before, let last = reader.diagnostics.last,
      last.id == "yaml/duration", reader.skippedDepth == 0
    {
      stops.append((last.range?.start ?? 0, last.message))
    }
    return value
  }

  /// A problem of the validating stage, with the text Prometheus has for it.
  func invalid(
    _ id: String, _ message: String, at node: YAMLNode, reference: String,
    notes: [Diagnostic.Note] = []
  ) {
    reader.report(id, message, at: node, notes: notes)
    validationTexts.append(reference)
  }

  /// The same with a diagnostic already made; nil for a problem Prometheus does not see.
  func invalid(_ diagnostic: Diagnostic, reference: String?) {
    var diagnostic = diagnostic
    diagnostic.context = reader.context
    diagnostic.group = reader.group
    diagnostic.rule = reader.rule
    reader.append(contentsOf: [diagnostic])
    if let reference { validationTexts.append(reference) }
  }

  private func group(_ node: YAMLNode, _ index: Int) {
    groupCount += 1
    reader.context = "in group \(index + 1)"
    defer {
      reader.context = nil
      reader.group = nil
    }
    let before = reader.diagnostics.count
    let found = reader.fields(of: node, "a rule group")
    holdOnErrors(since: before)
    guard let fields = found else { return }
    let isHeld = reader.diagnostics.count > before
    let name = fields.string("name") ?? ""
    if !name.isEmpty {
      reader.group = name
      reader.context = "in group \(GoText.quote(name))"
    }
    checkName(name, fields, node)
    let interval = duration(fields, "interval") ?? .zero
    let queryOffset = duration(fields, "query_offset")
    let limit = fields.int("limit") ?? 0
    let labels = groupLabels(fields)
    let problem = QuarantineReading.message(reader.diagnostics[before...])
    let beforeRules = reader.diagnostics.count
    let items = fields.items("rules") ?? []
    holdOnErrors(since: beforeRules)
    let isUnreadable = isHeld || reader.diagnostics.count > beforeRules
    var definition = RuleGroupDefinition(
      file: path, name: name, interval: interval == .zero ? options.defaultInterval : interval,
      queryOffset: queryOffset, limit: max(0, limit),
      labels: LabelSet(labels.map { ($0.name, $0.text) }), rules: [])
    for (index, node) in items.filter({ !$0.isNull }).enumerated() {
      rule(node, index, labels, into: &definition)
    }
    reader.rule = nil
    reader.context = name.isEmpty ? "in group \(index + 1)" : "in group \(GoText.quote(name))"
    close(fields, hint: ForeignField.inGroup)
    if !isUnreadable { add(definition, problem: problem) }
  }

  private func rule(
    _ node: YAMLNode, _ index: Int, _ labels: [YAMLNamedText],
    into group: inout RuleGroupDefinition
  ) {
    ruleCount += 1
    let before = reader.diagnostics.count
    let place = RuleReading(
      file: self, group: group.name, groupLabels: labels, index: index, node: node
    ).read()
    if let place { places.append(place) }
    if let rule = place?.definition {
      group.rules.append(rule)
    } else {
      group.quarantined.append(
        QuarantineReading.rule(
          place, at: node, position: index,
          message: QuarantineReading.message(reader.diagnostics[before...])))
    }
  }

  /// Takes a group; one with errors of its own keeps its rules from running.
  private func add(_ group: RuleGroupDefinition, problem: String) {
    var group = group
    let first = groups.firstIndex { ByteOrder.equal($0.name, group.name) }
    if let first {
      groups[first].quarantine(group, problem)
    } else {
      if !problem.isEmpty { group.quarantineAll(problem) }
      groups.append(group)
    }
  }

  private func checkName(_ name: String, _ fields: YAMLFields, _ node: YAMLNode) {
    let place = fields.node("name") ?? node
    if name.isEmpty {
      invalid(
        "rules/group-name", "Groupname must not be empty", at: place,
        reference: "0:0: Groupname must not be empty")
    }
    if let first = groupNames.first(where: { ByteOrder.equal($0.name, name) }) {
      let message = "groupname: \"\(name)\" is repeated in the same file"
      invalid(
        "rules/duplicate-group", message, at: place, reference: "0:0: " + message,
        notes: [
          Diagnostic.Note(
            "first used here", source: first.node.content.source, range: first.node.content.range)
        ])
    }
    groupNames.append((name, place))
  }

  /// The labels of a group; bad names are reported.
  private func groupLabels(_ fields: YAMLFields) -> [YAMLNamedText] {
    let labels = fields.map("labels") ?? []
    for label in labels where label.name.isEmpty || label.name == LabelName.metricName {
      let message = "invalid label name: \(label.name)"
      invalid("rules/label-name", message, at: label.field.key, reference: message)
    }
    return labels
  }
}
