import JSON
import Model

extension Answer {
  /// As comma-separated values with a header, quoted as RFC 4180 says, for spreadsheets.
  ///
  /// Every label has a column, the name of the metric the first; each sample a row.
  package var csv: String {
    switch subject {
    case .labels: return rows([["value"]] + (data?.array ?? []).map { [$0.string ?? ""] })
    case .series:
      let all = (data?.array ?? []).map(Self.labels)
      let names = Self.names(of: all)
      return rows([names] + all.map { cells($0, names) })
    case .metadata:
      return rows(
        [["metric", "type", "unit", "help"]]
          + metadata.map { [$0.metric, $0.type, $0.unit, $0.help] })
    case .query:
      if let point = data?["result"], ["scalar", "string"].contains(data?["resultType"]?.string) {
        return rows([["time", "value"], [Self.time(point), Self.value(point)]])
      }
      let series = series
      let names = Self.names(of: series.map(\.labels))
      let samples = series.flatMap { series in
        let labels = cells(series.labels, names)
        return series.points.map { labels + [Self.time($0), Self.value($0)] }
      }
      return rows([names + ["time", "value"]] + samples)
    }
  }

  private static func names(of all: [[Label]]) -> [String] {
    let names = Set(all.joined().map(\.name)).sorted(by: ByteOrder.less)
    return names.filter { $0 == LabelName.metricName }
      + names.filter { $0 != LabelName.metricName }
  }

  private func cells(_ labels: [Label], _ names: [String]) -> [String] {
    names.map { name in labels.first { ByteOrder.equal($0.name, name) }?.value ?? "" }
  }

  private func rows(_ rows: [[String]]) -> String {
    rows.map { $0.map(quoted).joined(separator: ",") + "\n" }.joined()
  }

  private func quoted(_ cell: String) -> String {
    let isPlain = !cell.utf8.contains { $0 == 0x22 || $0 == 0x2c || $0 == 0x0a || $0 == 0x0d }
    return isPlain ? cell : "\"" + cell.replacing("\"", with: "\"\"") + "\""
  }
}
