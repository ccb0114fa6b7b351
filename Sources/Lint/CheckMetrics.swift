import Config
import Diagnostics
import Exposition
import Model

/// `check metrics`: reads expositions as a scrape would, and remarks on the form of their metrics.
package enum CheckMetrics {
  /// A body and what is known of it.
  package struct Body: Sendable {
    package var source: SourceText
    /// The Content-Type it came with; nil for a file.
    package var contentType: String?

    package init(_ source: SourceText, contentType: String? = nil) {
      self.source = source
      self.contentType = contentType
    }
  }

  /// Checks files; `-` is standard input.
  package static func run(
    _ paths: [String], extended: Bool = false, options: CheckOptions = CheckOptions()
  ) -> CheckOutcome {
    var report = CheckReport(options)
    let bodies = (paths.isEmpty ? ["-"] : paths).compactMap { path in
      report.read(path).map { Body($0) }
    }
    return run(bodies, extended: extended, options, &report)
  }

  /// Checks what was fetched.
  package static func run(
    bodies: [Body], failures: [String], extended: Bool = false,
    options: CheckOptions = CheckOptions()
  ) -> CheckOutcome {
    var report = CheckReport(options)
    for failure in failures { report.cannotRun(failure) }
    return run(bodies, extended: extended, options, &report)
  }

  /// The content of a file or of standard input.
  package static func bytes(of path: String) throws -> [UInt8] { try FileSystem.read(path) }

  private static func run(
    _ bodies: [Body], extended: Bool, _ options: CheckOptions, _ report: inout CheckReport
  ) -> CheckOutcome {
    var tables = ""
    for body in bodies {
      let source = body.source
      do throws(ExpositionProblem) {
        let format = try format(of: body)
        let families = MetricFamilies(source, format: format)
        report.add(
          path: source.name,
          diagnostics: findings(families, source, isOpenMetrics: format == .openMetrics),
          success: "\(families.samples) samples found",
          counts: [("families", families.families.count), ("samples", families.samples)])
        if extended { tables += table(families) }
      } catch {
        report.add(
          path: source.name,
          diagnostics: [made(MetricLint.format, error.message, source)],
          success: "", counts: [])
      }
    }
    var outcome = report.outcome()
    if options.format == .human { outcome.standardOutput += tables }
    return outcome
  }

  /// The format a scrape would take the body for; a file that ends with `# EOF` is OpenMetrics.
  private static func format(of body: Body) throws(ExpositionProblem) -> ExpositionFormat {
    if let type = body.contentType {
      let format = try ExpositionFormat.from(contentType: type, fallback: nil).format
      if format == .protobuf { throw ExpositionProblem("protobuf has no lines to check") }
      return format
    }
    let end = body.source.bytes.suffix(6)
    return end.elementsEqual("# EOF\n".utf8) || end.suffix(5).elementsEqual("# EOF".utf8)
      ? .openMetrics : .text
  }

  private static func findings(
    _ families: MetricFamilies, _ source: SourceText, isOpenMetrics: Bool
  ) -> [Diagnostic] {
    var findings = families.families.flatMap { family in
      MetricLint.remarks(family, isOpenMetrics: isOpenMetrics).map { remark in
        made(MetricLint.form, "\(family.name): \(remark)", source, family.place)
      }
    }
    if let problem = families.problem {
      findings.append(
        made(
          MetricLint.syntax, problem.message, source, range(ofLine: problem.line, in: source)))
    }
    return findings
  }

  private static func made(
    _ check: Check, _ message: String, _ source: SourceText, _ range: SourceRange? = nil
  ) -> Diagnostic {
    Diagnostic(check.id, check.severity, message, source: source, range: range)
  }

  private static func range(ofLine line: Int, in source: SourceText) -> SourceRange? {
    guard line > 0 else { return nil }
    var start = 0
    for _ in 1..<line {
      guard let end = source.bytes[start...].firstIndex(of: 0x0a) else { break }
      start = end + 1
    }
    let end = source.bytes[start...].firstIndex(of: 0x0a) ?? source.bytes.count
    return SourceRange(start, end)
  }

  /// Which metrics have most series.
  static func table(_ families: MetricFamilies) -> String {
    let total = families.families.reduce(0) { $0 + $1.series }
    let rows = families.families.sorted {
      $0.series != $1.series ? $0.series > $1.series : ByteOrder.less($0.name, $1.name)
    }
    let width = max(6, rows.map(\.name.count).max() ?? 0)
    func row(_ cells: [String]) -> String {
      cells[0] + String(repeating: " ", count: width - cells[0].count + 2) + cells[1]
        + String(repeating: " ", count: max(1, 13 - cells[1].count)) + cells[2] + "\n"
    }
    var text = row(["Metric", "Cardinality", "Percentage"])
    for family in rows where total > 0 {
      let share = (family.series * 10_000 + total / 2) / total
      let cents = share % 100
      text += row([
        family.name, "\(family.series)", "\(share / 100).\(cents < 10 ? "0" : "")\(cents)%",
      ])
    }
    return text
  }
}
