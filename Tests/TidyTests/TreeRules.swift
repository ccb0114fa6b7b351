import Foundation

/// Rules about the tree as a whole.
enum TreeRules {
  /// Rooms without a test folder of their own, each with the reason.
  static let untested: [String: String] = [
    "CCurl": "a system library", "CLinux": "a system library", "CRE2": "tested with Model's Regexp",
    "CYAML": "a system library",
  ]

  static func roomsHaveTests(_ tree: SourceTree) -> [Finding] {
    tree.folders(in: "Sources").compactMap { room in
      if programs.contains(room) || untested[room] != nil { return nil }
      let folder = "Tests/\(room)Tests"
      if tree.swift.contains(where: { $0.path.hasPrefix(folder + "/") }) { return nil }
      return Finding(path: "Sources/\(room)", line: 1, message: "no tests: write them in \(folder)")
    }
  }

  /// The explicit lists above name nothing that is gone.
  static func listsAreTrue(_ tree: SourceTree) -> [Finding] {
    let rooms = Set(tree.folders(in: "Sources"))
    return (pureRooms.union(programs).union(speakingRooms).union(untested.keys))
      .subtracting(rooms).sorted().map {
        Finding(
          path: "Tests/TidyTests", line: 1, message: "\($0) is no room: take it off the lists")
      }
  }

  /// Relative links in Markdown files lead somewhere.
  static func linksLeadSomewhere(_ tree: SourceTree) -> [Finding] {
    SourceTree.paths(below: "", of: tree.root, suffix: ".md").flatMap { path -> [Finding] in
      guard
        let text = try? String(contentsOf: tree.root.appendingPathComponent(path), encoding: .utf8)
      else { return [Finding(path: path, line: 1, message: "is not UTF-8: save it as UTF-8")] }
      let folder = path.split(separator: "/").dropLast().joined(separator: "/")
      return links(in: text).compactMap { line, target in
        let full = folder.isEmpty ? target : "\(folder)/\(target)"
        if tree.exists(full) { return nil }
        return Finding(path: path, line: line, message: "\(target) is not there: correct the link")
      }
    }
  }

  /// Targets of relative links with their lines; code blocks and spans do not count.
  static func links(in text: String) -> [(line: Int, target: String)] {
    var found: [(line: Int, target: String)] = []
    var isCode = false
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      if line.drop(while: { $0 == " " }).hasPrefix("```") { isCode.toggle() }
      if isCode || line.hasPrefix("    ") { continue }
      let prose = line.split(separator: "`", omittingEmptySubsequences: false).enumerated()
        .map { $0.offset % 2 == 0 ? String($0.element) : "" }.joined()
      for part in prose.components(separatedBy: "](").dropFirst() {
        let target = part.prefix { $0 != ")" && $0 != "#" && $0 != " " }
        if target.isEmpty || target.contains(":") { continue }
        found.append((index + 1, String(target)))
      }
    }
    return found
  }

  /// Flags that Markdown files show behind a command of `tocsin` exist.
  static func flagsExist(_ tree: SourceTree) -> [Finding] {
    let program = tree.swift.filter { $0.path.hasPrefix("Sources/tocsin/") }
    return SourceTree.paths(below: "", of: tree.root, suffix: ".md").flatMap { path -> [Finding] in
      let url = tree.root.appendingPathComponent(path)
      let text = (try? String(contentsOf: url, encoding: .utf8)) ?? ""
      return flags(in: text).compactMap { line, flag in
        let name = flag.dropFirst(2)
        let words = name.split(separator: "-")
        let property = words[0] + words.dropFirst().map(\.capitalized).joined()
        let known = program.contains { file in
          !file.lines(with: "\"\(name)\"", in: file.bytes).isEmpty
            || !file.lines(with: "var \(property)", in: file.code).isEmpty
        }
        if known || name == "help" { return nil }
        return Finding(path: path, line: line, message: "tocsin has no \(flag): correct the text")
      }
    }
  }

  /// What looks like a flag on lines that show a command of the program.
  static func flags(in text: String) -> [(line: Int, flag: String)] {
    var found: [(line: Int, flag: String)] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      for command in line.components(separatedBy: "tocsin ").dropFirst() {
        let shown = command.prefix { $0 != "`" && $0 != "|" && $0 != "#" }
        for word in shown.split(whereSeparator: { " =,;()[]".contains($0) })
        where word.hasPrefix("--") && word.count > 3 {
          found.append((index + 1, String(word.prefix { $0 != "'" && $0 != "\"" })))
        }
      }
    }
    return found
  }
}
