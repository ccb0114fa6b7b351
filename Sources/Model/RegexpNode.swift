/// A parsed regular expression, close to the text: what the engine is given, and what fast paths
/// are read from.
indirect enum RegexpNode {
  case empty
  /// Scalars in a row; `folds` ignores case.
  case literal([Unicode.Scalar], folds: Bool)
  /// A dot; `newline` says whether it takes a line feed too.
  case any(newline: Bool)
  case set(RegexpSet)
  case assertion(RegexpAssertion)
  case capture(RegexpNode)
  case repetition(RegexpNode, min: Int, max: Int?, greedy: Bool, counted: Bool)
  case concat([RegexpNode])
  case alternate([RegexpNode])
}

/// Conditions that consume nothing; the raw value is their text for the engine.
enum RegexpAssertion: String {
  case beginText = #"\A"#
  case endText = #"\z"#
  case beginLine = "(?m:^)"
  case endLine = "(?m:$)"
  case wordBoundary = #"\b"#
  case noWordBoundary = #"\B"#
}

/// A character class.
struct RegexpSet {
  /// The brackets and all between them, as the engine reads it.
  var text: String
  var folds: Bool
  /// The members, where they are few and plain (`[abc]`, `[0-3]`, no case folding); else nil.
  var members: [Unicode.Scalar]?
}

extension RegexpNode {
  /// The expression in RE2's own dialect, free of flags, names and aliases that it does not know.
  var engineText: String {
    var out = ""
    write(into: &out)
    return out
  }

  private func write(into out: inout String) {
    switch self {
    case .empty: out += "(?:)"
    case .literal(let scalars, let folds):
      if folds { out += "(?i:" }
      for scalar in scalars { RegexpNode.escape(scalar, into: &out) }
      if folds { out += ")" }
    case .any(let newline): out += newline ? "(?s:.)" : "(?-s:.)"
    case .set(let set): out += set.folds ? "(?i:\(set.text))" : set.text
    case .assertion(let assertion): out += assertion.rawValue
    case .capture(let inner):
      out += "("
      inner.write(into: &out)
      out += ")"
    case .repetition(let inner, let min, let max, let greedy, _):
      out += "(?:"
      inner.write(into: &out)
      out += ")"
      switch (min, max) {
      case (0, nil): out += "*"
      case (1, nil): out += "+"
      case (0, 1): out += "?"
      case (_, nil): out += "{\(min),}"
      case (_, let max?): out += min == max ? "{\(min)}" : "{\(min),\(max)}"
      }
      if !greedy { out += "?" }
    case .concat(let parts): for part in parts { part.write(into: &out) }
    case .alternate(let parts):
      out += "(?:"
      for (i, part) in parts.enumerated() {
        if i > 0 { out += "|" }
        part.write(into: &out)
      }
      out += ")"
    }
  }

  /// Writes one scalar so that it stands for itself, inside a class and outside.
  static func escape(_ scalar: Unicode.Scalar, into out: inout String) {
    let v = scalar.value
    let isWord =
      v >= 0x30 && v <= 0x39 || (v | 0x20) >= 0x61 && (v | 0x20) <= 0x7a || v == 0x5f
    if isWord || v >= 0xa1 {
      out.unicodeScalars.append(scalar)
    } else {
      out += "\\x{" + String(v, radix: 16) + "}"
    }
  }
}
