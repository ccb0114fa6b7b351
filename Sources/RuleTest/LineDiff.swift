/// What must change in a list of lines to make it another one.
package struct LineDiff: Sendable {
  /// A line and where it is.
  package enum Line: Hashable, Sendable {
    case both(String)
    case expected(String)
    case got(String)
  }

  package let lines: [Line]

  /// Compares with as few changes as possible; what was expected comes first.
  package init(expected: [String], got: [String]) {
    // lengths[i][j]: the longest common part of the two rests.
    var lengths = [[Int]](
      repeating: [Int](repeating: 0, count: got.count + 1), count: expected.count + 1)
    for i in expected.indices.reversed() {
      for j in got.indices.reversed() {
        lengths[i][j] =
          expected[i].utf8.elementsEqual(got[j].utf8)
          ? lengths[i + 1][j + 1] + 1 : max(lengths[i + 1][j], lengths[i][j + 1])
      }
    }
    var lines: [Line] = []
    var (i, j) = (0, 0)
    while i < expected.count || j < got.count {
      if i < expected.count, j < got.count, expected[i].utf8.elementsEqual(got[j].utf8) {
        lines.append(.both(expected[i]))
        i += 1
        j += 1
      } else if j == got.count || i < expected.count && lengths[i + 1][j] >= lengths[i][j + 1] {
        lines.append(.expected(expected[i]))
        i += 1
      } else {
        lines.append(.got(got[j]))
        j += 1
      }
    }
    self.lines = lines
  }

  /// The lines with their marks: `-` expected only, `+` found only.
  package var text: [String] {
    lines.map { line in
      switch line {
      case .both(let text): "  " + text
      case .expected(let text): "- " + text
      case .got(let text): "+ " + text
      }
    }
  }
}
