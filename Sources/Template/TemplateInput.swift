import Model

/// Why a template could not be parsed or expanded, in Go's words.
package struct TemplateProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// The whole message: `error parsing template NAME: template: NAME:1: unclosed action`.
  package let description: String
  /// Where the problem was noticed: a byte offset into the author's text, never into the preamble.
  package let offset: Int

  package init(_ description: String, offset: Int) {
    self.description = description
    self.offset = offset
  }
}

/// What an alert hands to its templates: `.Labels`, `.ExternalLabels`, `.ExternalURL` and `.Value`.
package struct TemplateInput: Sendable {
  package var labels: LabelSet
  package var externalLabels: LabelSet
  package var externalURL: String
  package var value: SampleValue

  package init(
    labels: LabelSet, externalLabels: LabelSet = .empty, externalURL: String = "",
    value: SampleValue
  ) {
    self.labels = labels
    self.externalLabels = externalLabels
    self.externalURL = externalURL
    self.value = value
  }
}

/// One element of a query's result as a template sees it.
package struct TemplateSample: Sendable {
  package var labels: LabelSet
  package var value: SampleValue

  package init(labels: LabelSet, value: SampleValue) {
    self.labels = labels
    self.value = value
  }

  package init(labels: LabelSet, value: Double) {
    self.init(labels: labels, value: .float(value))
  }
}

/// What a template may ask of the world while it is expanded.
package struct TemplateContext {
  /// The evaluation time: `now`, and the time of queries.
  package var time: Timestamp
  /// What `externalURL` and `pathPrefix` answer.
  package var externalURL: String
  /// Runs an instant query; an error's description becomes the template's error text.
  package var query: (_ expr: String, _ at: Timestamp) throws -> [TemplateSample]

  package init(
    time: Timestamp, externalURL: String = "",
    query: @escaping (_ expr: String, _ at: Timestamp) throws -> [TemplateSample]
  ) {
    self.time = time
    self.externalURL = externalURL
    self.query = query
  }
}

extension TemplateInput {
  /// A map of labels just as it is given, empty values included.
  ///
  /// The labels of a series have no empty values. A template sees the difference in `range` and
  /// `len`, so this is for callers that hand over a map from elsewhere.
  package static func labelMap(_ pairs: some Sequence<(String, String)>) -> LabelSet {
    var bytes: [UInt8] = []
    for (name, value) in pairs.sorted(by: { ByteOrder.less($0.0, $1.0) }) {
      LabelSet.encode(name.utf8, into: &bytes)
      LabelSet.encode(value.utf8, into: &bytes)
    }
    return LabelSet(bytes: bytes)
  }
}
