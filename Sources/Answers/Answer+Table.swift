import Diagnostics
import JSON
import Model

extension Answer {
  /// For people: one line per sample, columns aligned.
  package var table: String {
    switch subject {
    case .labels: return lines((data?.array ?? []).map { $0.string ?? "" })
    case .series: return lines((data?.array ?? []).map { Self.name(Self.labels($0)) })
    case .metadata:
      return aligned(metadata.map { [$0.metric, $0.type, $0.unit, $0.help] })
    case .query:
      let result = data?["result"]
      switch data?["resultType"]?.string {
      case "scalar", "string": return (result?[1]?.string ?? "") + "\n"
      case "vector":
        return aligned(
          series.map { [Self.name($0.labels), $0.points.first.map(Self.value) ?? ""] })
      case "matrix": return series.isEmpty ? "no data\n" : series.map(matrix).joined()
      default: return ""
      }
    }
  }

  private func lines(_ lines: [String]) -> String {
    lines.isEmpty ? "no data\n" : lines.map { $0 + "\n" }.joined()
  }

  private func matrix(_ series: Series) -> String {
    let lines = series.points.map { "  \(Self.time($0))  \(Self.value($0))\n" }
    return Self.name(series.labels) + "\n" + lines.joined()
  }

  /// Columns as wide as their widest cell; those wider than 120 push what follows.
  private func aligned(_ rows: [[String]]) -> String {
    guard let first = rows.first else { return "no data\n" }
    let widths = first.indices.map { column in
      min(120, rows.map { DisplayWidth.columns(of: $0[column]) }.max() ?? 0)
    }
    return rows.map { row in
      var line = ""
      for (cell, width) in zip(row, widths) where width > 0 {
        line += cell
        line += String(repeating: " ", count: max(0, width - DisplayWidth.columns(of: cell)) + 2)
      }
      while line.utf8.last == UInt8(ascii: " ") { line.removeLast() }
      return line + "\n"
    }.joined()
  }

  static func name(_ labels: [Label]) -> String {
    LabelSet(labels.map { ($0.name, $0.value) }).metricText
  }
}
