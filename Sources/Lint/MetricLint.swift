import Exposition
import Model

/// What is unusual about the form of a metric, in promtool's words.
enum MetricLint {
  static let form = Check(
    "metrics/form", .warning, "a metric that breaks the conventions of its kind",
    """
    promtool's remarks on an exposition: a metric without help, a unit that is no base unit, a suffix
    that belongs to another type (`_total`, `_bucket`, `_count`, `_sum`), the type or an abbreviated
    unit in the name, camel case, a reserved label. Rules and dashboards go by these conventions, and
    by the suffixes promtool, pint and Tocsin tell counters from gauges.

    Rename the metric or add what is missing, in the exporter or by `metric_relabel_configs`.
    """)
  static let format = Check(
    "metrics/format", .error, isRefusal: true, "a body in a format that is not read here",
    """
    The Content-Type names a format without lines, or one nobody knows. Ask the exporter for text, as
    a scrape does with its `Accept` header.
    """)
  static let syntax = Check(
    "metrics/syntax", .error, isRefusal: true, "a line that no scrape would take",
    """
    The exposition cannot be read from this line on: Prometheus would drop the whole scrape and set
    `up` to 0.
    """)
  static let checks = [form, format, syntax]

  /// The remarks about a family; `isOpenMetrics` families of counters are named without `_total`.
  static func remarks(_ family: MetricFamilies.Family, isOpenMetrics: Bool) -> [String] {
    var remarks: [String] = []
    let name = family.name
    if !family.hasHelp { remarks.append("no help text") }
    if let (unit, base) = unit(of: name), unit != base {
      remarks.append("use base unit \"\(base)\" instead of \"\(unit)\"")
    }
    remarks += suffixes(family, isOpenMetrics)
    let lower = GoText.lowercased(name)
    for type in ["counter", "gauge", "summary", "histogram", "gauge_histogram"]
    where lower.contains("_\(type)_") || lower.hasSuffix("_\(type)") {
      remarks.append("metric name should not include type '\(type)'")
    }
    if name.utf8.contains(UInt8(ascii: ":")) {
      remarks.append("metric names should not contain ':'")
    }
    if isCamelCase(name) {
      remarks.append("metric names should be written in 'snake_case' not 'camelCase'")
    }
    if family.labels.contains(where: isCamelCase) {
      remarks.append("label names should be written in 'snake_case' not 'camelCase'")
    }
    let abbreviations = [
      "s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d",
    ]
    if abbreviations.contains(where: { lower.contains("_\($0)_") || lower.hasSuffix("_\($0)") }) {
      remarks.append("metric names should not contain abbreviated units")
    }
    return remarks
  }

  /// Endings and labels that belong to one type.
  private static func suffixes(
    _ family: MetricFamilies.Family, _ isOpenMetrics: Bool
  ) -> [String] {
    var remarks: [String] = []
    let name = family.name
    let type = family.type ?? .unknown
    let isTotal = name.hasSuffix("_total")
    if type == .counter, !isTotal, !isOpenMetrics {
      remarks.append("counter metrics should have \"_total\" suffix")
    }
    let isHistogram = type == .histogram || type == .gaugeHistogram
    if type != .counter, type != .unknown || !isOpenMetrics, isTotal {
      remarks.append("non-counter metrics should not have \"_total\" suffix")
    }
    if type == .unknown { return remarks }
    if !isHistogram {
      if name.hasSuffix("_bucket") {
        remarks.append("non-histogram metrics should not have \"_bucket\" suffix")
      }
      if family.labels.contains(LabelName.bucketBound) {
        remarks.append("non-histogram metrics should not have \"le\" label")
      }
    }
    if !isHistogram, type != .summary {
      for ending in ["_count", "_sum"] where name.hasSuffix(ending) {
        remarks.append(
          "non-histogram and non-summary metrics should not have \"\(ending)\" suffix")
      }
    }
    if type != .summary, family.labels.contains(LabelName.quantile) {
      remarks.append("non-summary metrics should not have \"quantile\" label")
    }
    return remarks
  }

  /// A small letter with a capital one behind it.
  private static func isCamelCase(_ name: String) -> Bool {
    let bytes = Array(name.utf8)
    return zip(bytes, bytes.dropFirst()).contains {
      (0x61...0x7a).contains($0) && (0x41...0x5a).contains($1)
    }
  }

  private static let bases: [String: String] = [
    "amperes": "amperes", "bytes": "bytes", "celsius": "celsius", "grams": "grams",
    "joules": "joules", "kelvin": "kelvin", "meters": "meters", "metres": "metres",
    "seconds": "seconds", "volts": "volts",
    "minutes": "seconds", "hours": "seconds", "days": "seconds", "weeks": "seconds",
    "kelvins": "kelvin", "fahrenheit": "celsius", "rankine": "celsius",
    "inches": "meters", "yards": "meters", "miles": "meters", "bits": "bytes",
    "calories": "joules", "pounds": "grams", "ounces": "grams",
  ]

  private static let prefixes = [
    "pico", "nano", "micro", "milli", "centi", "deci", "deca", "hecto", "kilo", "kibi", "mega",
    "mebi", "giga", "gibi", "tera", "tebi", "peta", "pebi",
  ]

  /// The first unit in a name, and the one it should be given in.
  private static func unit(of name: String) -> (unit: String, base: String)? {
    for part in name.split(separator: "_").map(String.init) {
      if let base = bases[part] { return (part, base) }
      for prefix in prefixes where part.hasPrefix(prefix) {
        if let base = bases[String(part.dropFirst(prefix.count))] { return (part, base) }
      }
    }
    return nil
  }
}
