import Diagnostics
import Exposition
import Model

/// The families of an exposition, as far as a check of their form needs them.
struct MetricFamilies {
  /// A family and where it stands.
  struct Family {
    let name: String
    /// Nil where no TYPE line says it.
    var type: MetricType?
    var hasHelp = false
    /// Where the family is first spoken of.
    var place: SourceRange
    /// Names of labels, in order of appearance.
    var labels: [String] = []
    var series = 0
  }

  private(set) var families: [Family] = []
  private(set) var samples = 0
  private(set) var problem: ExpositionProblem?
  private var index: [String: Int] = [:]

  /// Reads a body up to its end or to the first problem.
  init(_ source: SourceText, format: ExpositionFormat) {
    var parser = ExpositionParser(source.bytes, format: format)
    do throws(ExpositionProblem) {
      while let entry = try parser.next() {
        let start = min(parser.entryStart, source.bytes.count)
        let end = source.bytes[start...].firstIndex(of: 0x0a) ?? source.bytes.count
        take(entry, at: SourceRange(start, end))
      }
    } catch {
      problem = error
    }
  }

  private mutating func take(_ entry: ExpositionEntry, at place: SourceRange) {
    switch entry {
    case .type(let name, let type): families[family(name, place)].type = type
    case .help(let name, _): families[family(name, place)].hasHelp = true
    case .unit(let name, _): _ = family(name, place)
    case .comment: break
    case .series(let sample):
      samples += 1
      let name = sample.labels.metricName ?? ""
      let i = family(owner(of: name), place)
      families[i].series += 1
      for label in sample.labels.labels
      where !ByteOrder.equal(label.name, LabelName.metricName)
        && !families[i].labels.contains(label.name)
      {
        families[i].labels.append(label.name)
      }
    }
  }

  private mutating func family(_ name: String, _ place: SourceRange) -> Int {
    if let known = index[name] { return known }
    index[name] = families.count
    families.append(Family(name: name, place: place))
    return families.count - 1
  }

  /// The family a series belongs to: parts of histograms and summaries have names of their own.
  private func owner(of name: String) -> String {
    for suffix in ["_bucket", "_count", "_sum", "_created", "_total", "_info"] {
      guard name.hasSuffix(suffix) else { continue }
      let stem = String(name.dropLast(suffix.count))
      guard let known = index[stem], let type = families[known].type else { continue }
      switch (type, suffix) {
      case (.histogram, "_bucket"), (.gaugeHistogram, "_bucket"), (.histogram, "_count"),
        (.histogram, "_sum"), (.summary, "_count"), (.summary, "_sum"), (.histogram, "_created"),
        (.summary, "_created"), (.counter, "_created"), (.counter, "_total"), (.info, "_info"):
        return stem
      default: continue
      }
    }
    return name
  }
}
