import Config
import Diagnostics
import Model

extension Promtool {
  /// `check metrics`: an exposition on standard input; 1 if it cannot be read, 3 if its form is
  /// unusual.
  package func checkMetrics(_ path: String = "-", extended: Bool = false) -> CheckOutcome {
    var out = CheckOutcome()
    let source: SourceText
    do throws(FileSystem.Problem) {
      source = SourceText(name: path, bytes: try FileSystem.read(path))
    } catch {
      return CheckOutcome(
        exitCode: 1, standardError: "error while linting: \(error.reason.lowercased())\n")
    }
    let families = MetricFamilies(source, format: .text)
    if let problem = families.problem {
      return CheckOutcome(
        exitCode: 1,
        standardError: "error while linting: text format parsing error in line "
          + "\(problem.line): \(problem.message)\n")
    }
    var remarks = families.families.flatMap { family in
      MetricLint.remarks(family, isOpenMetrics: false).map { (metric: family.name, text: $0) }
    }
    remarks.sort {
      ByteOrder.equal($0.metric, $1.metric)
        ? ByteOrder.less($0.text, $1.text) : ByteOrder.less($0.metric, $1.metric)
    }
    out.standardError = remarks.map { "\($0.metric) \($0.text)\n" }.joined()
    if !remarks.isEmpty { out.exitCode = 3 }
    if extended, remarks.isEmpty { out.standardOutput = CheckMetrics.table(families) }
    return out
  }
}
