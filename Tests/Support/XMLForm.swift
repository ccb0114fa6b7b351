/// What an XML report must look like: elements with their attributes and what they may hold.
///
/// Reads the text strictly - one root, matching tags, escaped characters, no attribute twice - and
/// compares counts that a report states with what it holds.
package struct XMLForm: Sendable {
  /// One kind of element.
  package struct Element: Sendable {
    /// Attributes that must be there and that may be there.
    var required: Set<String> = []
    var optional: Set<String> = []
    /// Attributes that are numbers.
    var numbers: Set<String> = []
    var children: Set<String> = []
    var holdsText = false
    /// Attributes that count elements of a name inside.
    var counts: [String: String] = [:]
    /// Attributes that are one of some words.
    var words: [String: Set<String>] = [:]
  }

  var root: String
  var elements: [String: Element]

  /// JUnit's XML as Jenkins and GitLab read it.
  package static let jUnit = XMLForm(
    root: "testsuites",
    elements: [
      "testsuites": Element(
        optional: ["name", "tests", "failures", "errors", "skipped", "time", "timestamp"],
        numbers: ["tests", "failures", "errors", "skipped", "time"], children: ["testsuite"],
        counts: ["tests": "testcase", "failures": "failure", "errors": "error"]),
      "testsuite": Element(
        required: ["name", "tests"],
        optional: ["failures", "errors", "skipped", "time", "timestamp", "hostname", "id", "file"],
        numbers: ["tests", "failures", "errors", "skipped", "time"],
        children: ["testcase", "properties", "system-out", "system-err"],
        counts: [
          "tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped",
        ]),
      "testcase": Element(
        required: ["name", "classname"], optional: ["time", "file", "line", "status"],
        numbers: ["time", "line"],
        children: ["failure", "error", "skipped", "system-out", "system-err"]),
      "failure": Element(optional: ["message", "type"], holdsText: true),
      "error": Element(optional: ["message", "type"], holdsText: true),
      "skipped": Element(optional: ["message"], holdsText: true),
      "system-out": Element(holdsText: true), "system-err": Element(holdsText: true),
    ])

  /// Checkstyle's XML.
  package static let checkstyle = XMLForm(
    root: "checkstyle",
    elements: [
      "checkstyle": Element(required: ["version"], children: ["file"]),
      "file": Element(required: ["name"], children: ["error"]),
      "error": Element(
        required: ["line", "severity", "message"], optional: ["column", "source"],
        numbers: ["line", "column"],
        words: ["severity": ["ignore", "info", "warning", "error"]]),
    ])

  /// What is wrong with a document.
  package func problems(in text: String) -> [String] {
    var reader = XMLReader(form: self, bytes: Array(text.utf8))
    reader.run()
    return reader.problems
  }
}

private struct XMLReader {
  let form: XMLForm
  let bytes: [UInt8]
  var problems: [String] = []
  private var at = 0
  /// Open elements, with their attributes and how many of each name stand inside.
  private var open: [(name: String, attributes: [String: String], inside: [String: Int])] = []
  private var roots = 0

  init(form: XMLForm, bytes: [UInt8]) {
    self.form = form
    self.bytes = bytes
  }

  mutating func run() {
    if starts("<?xml ") { _ = take(through: "?>") }
    while at < bytes.count {
      if starts("</") {
        at += 2
        close(take(through: ">"))
      } else if starts("<") {
        at += 1
        element(take(through: ">"))
      } else {
        text()
      }
    }
    for element in open { problems.append("\(element.name) is not closed") }
    if roots == 0 { problems.append("no element at the top") }
    if roots > 1 { problems.append("more than one element at the top") }
  }

  private func starts(_ text: String) -> Bool { bytes[at...].starts(with: text.utf8) }

  private mutating func take(through end: String) -> String {
    let start = at
    while at < bytes.count, !starts(end) { at += 1 }
    let taken = String(decoding: bytes[start..<at], as: UTF8.self)
    at = min(bytes.count, at + end.utf8.count)
    return taken
  }

  private mutating func text() {
    let start = at
    while at < bytes.count, bytes[at] != UInt8(ascii: "<") { at += 1 }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    let name = open.last?.name ?? "the top"
    check(text, in: name)
    let holdsText = open.last.flatMap { form.elements[$0.name]?.holdsText } ?? false
    if !holdsText, text.contains(where: { !$0.isWhitespace }) {
      problems.append("\(name): text that is not for it")
    }
  }

  /// Escapes, and no characters that XML lacks.
  private mutating func check(_ text: String, in place: String) {
    let known = ["amp;", "lt;", "gt;", "quot;", "apos;", "#9;", "#10;", "#13;"]
    for part in text.split(separator: "&", omittingEmptySubsequences: false).dropFirst()
    where !known.contains(where: part.hasPrefix) {
      problems.append("\(place): an & that starts nothing")
    }
    for scalar in text.unicodeScalars
    where scalar.value < 0x20 && ![9, 10, 13].contains(scalar.value) || scalar.value == 0xfffe {
      problems.append("\(place): a character that XML does not have")
    }
  }

  private mutating func element(_ tag: String) {
    let isEmpty = tag.hasSuffix("/")
    let body = isEmpty ? String(tag.dropLast()) : tag
    let name = String(body.prefix { !$0.isWhitespace })
    let attributes = attributes(String(body.dropFirst(name.count)), of: name)
    if open.isEmpty {
      roots += 1
      if name != form.root { problems.append("\(name): not the root") }
    } else if form.elements[open[open.count - 1].name]?.children.contains(name) != true {
      problems.append("\(name): not inside \(open[open.count - 1].name)")
    }
    for i in open.indices { open[i].inside[name, default: 0] += 1 }
    open.append((name, attributes, [:]))
    if isEmpty { close(name) }
  }

  private mutating func attributes(_ text: String, of name: String) -> [String: String] {
    var found: [String: String] = [:]
    var rest = text[...]
    while let start = rest.firstIndex(where: { !$0.isWhitespace }) {
      rest = rest[start...]
      let key = String(rest.prefix { $0 != "=" })
      rest = rest.dropFirst(key.count + 1)
      guard let quote = rest.first, quote == "\"" || quote == "'",
        let end = rest.dropFirst().firstIndex(of: quote)
      else {
        problems.append("\(name): \(key) without quotes")
        return found
      }
      let value = String(rest[rest.index(after: rest.startIndex)..<end])
      rest = rest[rest.index(after: end)...]
      if found.updateValue(value, forKey: key) != nil { problems.append("\(name): \(key) twice") }
      check(value, in: name)
      if value.contains("<") { problems.append("\(name): a < in \(key)") }
    }
    guard let form = form.elements[name] else {
      problems.append("\(name) is not known")
      return found
    }
    for key in form.required.sorted() where found[key] == nil {
      problems.append("\(name): \(key) is missing")
    }
    for (key, value) in found.sorted(by: { $0.key < $1.key }) {
      if !form.required.contains(key), !form.optional.contains(key) {
        problems.append("\(name): \(key) is not known")
      }
      if form.numbers.contains(key), Double(value).map({ $0 >= 0 }) != true {
        problems.append("\(name): \(key)=\(value) is no number")
      }
      if let words = form.words[key], !words.contains(value) {
        problems.append("\(name): \(key)=\(value) is not one of the words")
      }
    }
    return found
  }

  private mutating func close(_ name: String) {
    guard let element = open.popLast() else {
      return problems.append("\(name) is closed and was not open")
    }
    if element.name != name { problems.append("\(element.name) is closed as \(name)") }
    for (key, counted) in form.elements[element.name]?.counts ?? [:] {
      guard let value = element.attributes[key] else { continue }
      let count = element.inside[counted] ?? 0
      if Int(value) != count {
        problems.append("\(element.name): \(key)=\(value), counted \(count)")
      }
    }
  }
}
