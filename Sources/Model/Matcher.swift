/// One condition of a selector on a label.
///
/// An absent label counts as the empty string. Regular expressions are RE2, anchored at both ends,
/// and a dot matches a line feed, as in Prometheus 3.
package struct Matcher: Sendable {
  /// The four operators.
  package enum Kind: String, Hashable, Sendable {
    case equal = "="
    case notEqual = "!="
    case regexp = "=~"
    case notRegexp = "!~"
  }

  package let name: String
  package let kind: Kind
  package let value: String
  private let regexp: Regexp?

  /// Makes a matcher; a pattern is compiled at once.
  package init(_ name: String, _ kind: Kind, _ value: String) throws(RegexpProblem) {
    self.name = name
    self.kind = kind
    self.value = value
    switch kind {
    case .equal, .notEqual: regexp = nil
    case .regexp, .notRegexp: regexp = try RegexpPool.anchored(value)
    }
  }

  /// Makes an equality matcher, which cannot fail.
  package init(_ name: String, equals value: String) {
    self.name = name
    self.kind = .equal
    self.value = value
    regexp = nil
  }

  /// Whether a label value fulfils the condition.
  package func matches(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { matches($0) }
  }

  /// Whether a label value fulfils the condition, over bytes.
  package func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    switch kind {
    case .equal: text.elementsEqual(value.utf8)
    case .notEqual: !text.elementsEqual(value.utf8)
    case .regexp: regexp?.matches(text) ?? false
    case .notRegexp: !(regexp?.matches(text) ?? false)
    }
  }

  /// Whether a label set fulfils the condition.
  package func matches(_ labels: LabelSet) -> Bool {
    var found: Bool?
    labels.forEachRaw { label, text in
      if found == nil, label.elementsEqual(name.utf8) { found = matches(text) }
    }
    return found ?? matchesEmpty
  }

  /// The only values that fulfil the condition, where it names them: `=`, or `=~` with a list of
  /// literals.
  ///
  /// The empty string among them stands for "absent" too.
  package var literalValues: [String]? {
    switch kind {
    case .equal: [value]
    case .regexp: regexp?.literals
    case .notEqual, .notRegexp: nil
    }
  }

  /// Whether the condition holds for the empty string, hence for sets without the label.
  package var matchesEmpty: Bool { matches("") }
}

extension Matcher: Hashable {
  package static func == (a: Matcher, b: Matcher) -> Bool {
    a.kind == b.kind && ByteOrder.equal(a.name, b.name) && ByteOrder.equal(a.value, b.value)
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(kind)
    for b in name.utf8 { hasher.combine(b) }
    for b in value.utf8 { hasher.combine(b) }
  }
}

extension Matcher: CustomStringConvertible {
  /// `name="value"`, the name quoted where it must be.
  package var description: String {
    let left = LabelName.isLegacyValid(name) ? name : GoText.quote(name)
    return left + kind.rawValue + GoText.quote(value)
  }
}
