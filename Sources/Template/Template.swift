import Model

/// How a template treats what is missing, and whether it writes HTML.
package struct TemplateOptions: Sendable {
  /// What a key that a map does not have yields.
  package enum MissingKey: Sendable {
    /// The zero of the element type: "" for labels. Prometheus' choice.
    case zero
    /// No value: `<no value>` in the output.
    case invalid
    case error
  }

  package var missingKey = MissingKey.zero
  /// Escapes what actions write, and knows `tmpl`.
  package var isHTML = false

  package init() {}
}

/// A parsed Go `text/template` with Prometheus' functions.
///
/// Parsing happens once, when a rule is loaded; expanding is a pure function of the input and of
/// what the context answers. Names of templates, positions and wordings in errors are Go's, because
/// people search for them. The whole language is there: pipelines, variables, `if`, `with`,
/// `range`, `break`, `continue`, `define`, `block`, comments, trim markers. Expansion is bounded in
/// output and steps, so that no template can stall an evaluation.
package struct Template: Sendable {
  /// The author's text, without the preamble.
  package let text: String
  /// The name error messages carry.
  package let name: String
  private let source: [UInt8]
  let preambleSize: Int
  let trees: TemplateTrees
  private let options: TemplateOptions

  /// Parses a template; `preamble` stands in front of the text and is invisible in offsets.
  package init(
    parsing text: String, name: String, preamble: String = "",
    options: TemplateOptions = TemplateOptions()
  ) throws(TemplateProblem) {
    self.text = text
    self.name = name
    self.options = options
    preambleSize = preamble.utf8.count
    if !text.isEmpty, !text.utf8.contains(UInt8(ascii: "{")) {
      // Most labels are plain texts: expanding one gives it back, and nothing of it can be wrong.
      source = Array(text.utf8)
      trees = TemplateTrees(trees: [Array(name.utf8): [.text(source, 0)]])
      return
    }
    var source: [UInt8] = []
    source.reserveCapacity(preambleSize + text.utf8.count)
    source += preamble.utf8
    source += text.utf8
    self.source = source
    do {
      trees = try TemplateParser.parse(
        source, name: name, functions: TemplateFunctions.names(isHTML: options.isHTML),
        head: ByteOrder.equal(preamble, Self.alertPreamble) ? Self.alertHead : nil)
    } catch {
      throw TemplateProblem(
        "error parsing template \(name): template: \(name):\(error.line): \(error.message)",
        offset: min(max(0, error.position - preambleSize), text.utf8.count))
    }
  }

  /// Parses a label or annotation of an alert: `$labels`, `$externalLabels`, `$externalURL` and
  /// `$value` are defined.
  package static func alertField(
    _ text: String, alertName: String
  ) throws(TemplateProblem) -> Template {
    try Template(parsing: text, name: "__alert_" + alertName, preamble: alertPreamble)
  }

  /// What Prometheus writes in front of every label and annotation template.
  package static let alertPreamble =
    "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}"
    + "{{$externalURL := .ExternalURL}}{{$value := .Value}}"

  /// The same, parsed once for all fields.
  private static let alertHead = TemplateParser.head(
    Array(alertPreamble.utf8), functions: TemplateFunctions.names(isHTML: false))

  /// Whether the text holds no action at all, so that expanding it gives it back.
  package var isPlain: Bool { !text.utf8.contains(UInt8(ascii: "{")) }

  /// Executes the template over an alert.
  package func expand(
    _ input: TemplateInput, context: TemplateContext,
    limits: TemplateLimits = TemplateLimits()
  ) throws(TemplateProblem) -> String {
    isPlain ? text : try expand(data: .alert(input), context: context, limits: limits)
  }

  /// Executes the template over any value.
  package func expand(
    data: TemplateValue, context: TemplateContext, limits: TemplateLimits = TemplateLimits()
  ) throws(TemplateProblem) -> String {
    do {
      return try run(Array(name.utf8), data, context, limits, nesting: 0).text
    } catch {
      throw TemplateProblem(
        "error executing template \(name): \(message(for: error))",
        offset: min(max(0, error.position - preambleSize), text.utf8.count))
    }
  }

  /// `tmpl` runs templates from inside expressions, hence recursively, so its depth is bounded
  /// tightly.
  private static let maxNesting = 20

  private func run(
    _ name: [UInt8], _ data: TemplateValue, _ context: TemplateContext, _ limits: TemplateLimits,
    nesting: Int
  ) throws(TemplateExecutionProblem) -> [UInt8] {
    let include: TemplateHTMLRunner = { (name, data) throws(TemplateFunctionProblem) in
      guard trees.trees[name] != nil, nesting < Self.maxNesting else {
        let reason = nesting < Self.maxNesting ? "is undefined" : "nests too deeply"
        throw TemplateFunctionProblem(
          "html/template: \(GoText.quote(name.text)) \(reason)")
      }
      do throws(TemplateExecutionProblem) {
        return try run(name, data, context, limits, nesting: nesting + 1)
      } catch {
        throw TemplateFunctionProblem(message(for: error))
      }
    }
    var executor = TemplateExecutor(
      trees: trees, name: name, data: data,
      functions: TemplateFunctions(context, include: options.isHTML ? include : nil),
      options: options, limits: limits)
    try executor.run()
    return executor.output
  }

  /// Go's frame around an execution error: place, template, part, message.
  private func message(for problem: TemplateExecutionProblem) -> String {
    let before = source[..<min(problem.position, source.count)]
    let line = 1 + before.count { $0 == 0x0a }
    let column = problem.position - (before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0)
    return "template: \(name):\(line):\(column): "
      + "executing \(GoText.quote(problem.templateName.text)) at <\(problem.context)>: "
      + problem.message
  }
}
