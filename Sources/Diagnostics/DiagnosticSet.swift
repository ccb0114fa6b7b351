/// Diagnostics as they are gathered, and what to say of them as a whole.
package struct DiagnosticSet: Sendable {
  package private(set) var all: [Diagnostic]

  package init(_ diagnostics: [Diagnostic] = []) { all = diagnostics }

  package mutating func append(_ diagnostic: Diagnostic) { all.append(diagnostic) }

  package mutating func append(contentsOf others: [Diagnostic]) { all.append(contentsOf: others) }

  /// How many there are of a severity.
  package func count(_ severity: Severity) -> Int {
    all.reduce(0) { $0 + ($1.severity == severity ? 1 : 0) }
  }

  package var hasErrors: Bool { all.contains { $0.severity == .error } }

  /// The worst severity, or nil when there is nothing.
  package var worst: Severity? { all.map(\.severity).max() }

  /// `2 errors, 1 warning`; `no problems` for none.
  package var summary: String {
    let parts = Severity.allCases.reversed().compactMap { severity -> String? in
      let n = count(severity)
      if n == 0 { return nil }
      return "\(n) \(severity.rawValue)\(n == 1 || severity == .info ? "" : "s")"
    }
    return parts.isEmpty ? "no problems" : parts.joined(separator: ", ")
  }

  /// In reading order: files as first met, then by position; those without a place stand first in
  /// their file.
  package var sorted: [Diagnostic] {
    var order: [String: Int] = [:]
    for diagnostic in all {
      let name = diagnostic.source?.name ?? ""
      if order[name] == nil { order[name] = order.count }
    }
    func key(_ index: Int) -> (Int, Int, Int, Int) {
      let d = all[index]
      let file = order[d.source?.name ?? ""] ?? 0
      return (file, d.range?.start ?? -1, d.range?.end ?? -1, index)
    }
    return all.indices.sorted { key($0) < key($1) }.map { all[$0] }
  }
}
