/// Iterating a dictionary or set into an output: its order changes from run to run.
///
/// Types are not known here, so only forms that give themselves away are found. Where the order
/// cannot be seen from outside, a comment with the words "in any order" on the line or the one
/// above says so.
let outputsAreOrdered = HouseRule(
  name: "outputs do not depend on the order of dictionaries",
  applies: { $0.isSource && speakingRooms.contains($0.room) },
  check: { file in
    let written = file.lines
    var hashed: Set<String> = []
    return file.codeLines.enumerated().compactMap { index, line in
      let found = unorderedSource(in: line, hashed: hashed)
      note(declarationsIn: line, in: &hashed)
      guard let found else { return nil }
      let comments = written[max(0, index - 1)...min(index, written.count - 1)]
      if comments.contains(where: { $0.contains("n any order") }) { return nil }
      return (
        index + 1, "\(found): sort it (`.sorted…`), or say \"in any order\" and why in a comment"
      )
    }
  },
  catches: [
    "for key in table.keys {",
    "var table: [Int: Rule] = [:]\nfor (name, rule) in table.values.enumerated() {",
    "var seen: [String: Int] = [:]\nfor (name, count) in seen {", "let text = table.keys.joined()",
    "var seen = Set<String>()\nfor name in seen {", "let names = table.keys.map { $0 }",
    "let a: [String: [Int]] = [:]\nlet b = a.map { $0 }",
  ],
  passes: [
    "for key in table.keys.sorted() {", "for (name, count) in seen.sorted(by: order) {",
    "var seen: [String] = []\nfor name in seen {", "let n = table.values.reduce(0, +)",
    "// Summed in any order.\nfor value in table.values {", "if table.keys.contains(name) {",
    "for value in series.values {",
    "let seen: Set<Int> = []\nlet seen = seen.sorted()\nfor a in seen {",
    "let seen: [String: Int] = [:]\nlet b = seen.map { $0 }.sorted()",
  ])

/// Keeps the names last declared as dictionaries or sets.
private func note(declarationsIn line: String, in hashed: inout Set<String>) {
  for keyword in ["var ", "let "] {
    guard let at = line.range(of: keyword) else { continue }
    let rest = line[at.upperBound...]
    let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
    let type = rest.dropFirst(name.count).drop { $0 == ":" || $0 == "=" || $0 == " " }
    if name.isEmpty { continue }
    if type.hasPrefix("Set<") || type.hasPrefix("Dictionary<") || isDictionaryType(type) {
      hashed.insert(String(name))
    } else {
      hashed.remove(String(name))
    }
  }
}

/// `[String: Int]…`, but neither `[Int]` nor `[a ? b : c]`.
private func isDictionaryType(_ text: Substring) -> Bool {
  guard text.first == "[", let end = text.firstIndex(of: ":") else { return false }
  return text[..<end].dropFirst().allSatisfy { $0.isLetter || $0.isNumber || $0 == "." }
    && text[end...].dropFirst().first == " "
}

private func unorderedSource(in line: String, hashed: Set<String>) -> String? {
  if line.contains(".sorted") || line.contains("sorted(") { return nil }
  for property in [".keys", ".values"] {
    guard let at = line.range(of: property) else { continue }
    let rest = line[at.upperBound...]
    if rest.first?.isLetter ?? false { continue }
    let receiver = trailingName(of: line[..<at.lowerBound])
    if property == ".values", !hashed.contains(receiver) { continue }  // many things have values
    let isLoop = line.contains("for ") && (rest.hasPrefix(" {") || rest.hasPrefix(".enumerated()"))
    let calls = [".map", ".joined", ".flatMap", ".compactMap", ".forEach"]
    if isLoop || calls.contains(where: rest.hasPrefix) { return receiver + property }
  }
  guard !hashed.isEmpty else { return nil }
  if let at = line.range(of: " in "), line.contains("for ") {
    let name = line[at.upperBound...].prefix { $0.isLetter || $0.isNumber || $0 == "_" }
    let rest = line[at.upperBound...].dropFirst(name.count)
    if hashed.contains(String(name)), rest.hasPrefix(" {") || rest.hasPrefix(" where ") {
      return String(name)
    }
  }
  for call in [".map {", ".map(", ".compactMap {", ".flatMap {"] {
    guard let at = line.range(of: call) else { continue }
    let name = trailingName(of: line[..<at.lowerBound])
    let before = line[..<at.lowerBound].dropLast(name.count).last
    if hashed.contains(name), before != "." { return name }
  }
  return nil
}

/// The name at the end of a piece of code, if it ends with one.
private func trailingName(of code: Substring) -> String {
  String(code.reversed().prefix { $0.isLetter || $0.isNumber || $0 == "_" }.reversed())
}
