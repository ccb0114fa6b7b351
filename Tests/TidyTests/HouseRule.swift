/// One place that breaks a rule, and what to write instead.
struct Finding: Comparable {
  var path: String
  var line: Int
  var message: String

  static func < (lhs: Finding, rhs: Finding) -> Bool {
    (lhs.path, lhs.line, lhs.message) < (rhs.path, rhs.line, rhs.message)
  }

  var text: String { "\(path):\(line): \(message)" }
}

/// A rule about single files, with a sample of what it finds and of what it leaves alone.
struct HouseRule: Sendable, CustomStringConvertible {
  var name: String
  /// Whether the rule is meant for this file.
  var applies: @Sendable (SourceFile) -> Bool
  var check: @Sendable (SourceFile) -> [(line: Int, message: String)]
  /// Snippets with at least one finding each.
  var catches: [String]
  /// Snippets without.
  var passes: [String]
  /// Where the snippets pretend to stand.
  var samplePath = "Sources/Kernel/Sample.swift"

  var description: String { name }

  func findings(in file: SourceFile) -> [Finding] {
    guard applies(file) else { return [] }
    return check(file).map { Finding(path: file.path, line: $0.line, message: $0.message) }
  }

  func findings(in tree: SourceTree) -> [Finding] {
    tree.swift.flatMap(findings).sorted()
  }
}

extension HouseRule {
  /// Words that must not occur in code, each with its replacement.
  static func words(
    _ name: String, in applies: @escaping @Sendable (SourceFile) -> Bool,
    _ words: [(word: String, instead: String)], catches: [String], passes: [String],
    samplePath: String = "Sources/Kernel/Sample.swift"
  ) -> HouseRule {
    HouseRule(
      name: name, applies: applies,
      check: { file in
        words.flatMap { entry in
          file.lines(with: entry.word, in: file.code).map {
            (line: $0, message: "\(entry.word): \(entry.instead)")
          }
        }
      }, catches: catches, passes: passes, samplePath: samplePath)
  }
}
