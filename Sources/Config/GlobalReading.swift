import Diagnostics
import Kernel
import Model
import YAML

/// The settings of `global` that jobs inherit, beside the ones the kernel obeys.
struct GlobalDefaults {
  var settings = GlobalSettings()
  var bodySizeLimit = 0
  var sampleLimit = 0
  var labelLimit = 0
  var labelNameLengthLimit = 0
  var labelValueLengthLimit = 0
  var targetLimit = 0
  var keepDroppedTargets = 0
  var scrapeProtocols: [String] = []
  var nameValidation = NameSchemes.utf8
  var nameEscaping: String?
  var scrapesNativeHistograms = false
  var alwaysScrapesClassicHistograms = false
  var convertsClassicHistograms = false
  var extraScrapeMetrics = false
  var failureLogFile: String?
}

/// Words for how metric names are checked and escaped.
enum NameSchemes {
  static let utf8 = "utf8"
  static let legacy = "legacy"
  static let allowUTF8 = "allow-utf-8"
  static let underscores = "underscores"
  static let escapings = [allowUTF8, underscores, "dots", "values"]
}

/// Reads the `global` block.
struct GlobalReading {
  let config: ConfigReading

  private var reader: YAMLReader { config.reader }

  func read(_ node: YAMLNode) -> GlobalDefaults {
    var global = GlobalDefaults()
    guard let fields = reader.fields(of: node, "a global block") else { return global }
    intervals(fields, &global.settings)
    limits(fields, &global)
    if let labels = fields.fields("external_labels", "a mapping of labels") {
      global.settings.externalLabels = externalLabels(labels)
    }
    global.nameValidation = nameValidation(fields) ?? NameSchemes.utf8
    global.nameEscaping = nameEscaping(fields)
    global.scrapeProtocols =
      ScrapeProtocols(config: config).read(fields, whose: "global config") ?? []
    config.ignore(fields, ["query_log_file"]) { $0.isOff }
    global.scrapesNativeHistograms = fields.bool("scrape_native_histograms") ?? false
    global.convertsClassicHistograms = fields.bool("convert_classic_histograms_to_nhcb") ?? false
    global.alwaysScrapesClassicHistograms =
      fields.bool("always_scrape_classic_histograms") ?? false
    global.extraScrapeMetrics = fields.bool("extra_scrape_metrics") ?? false
    let file = fields.string("scrape_failure_log_file").flatMap { $0.isEmpty ? nil : $0 }
    global.failureLogFile = file.map(config.path)
    fields.close()
    return global
  }

  private func intervals(_ fields: YAMLFields, _ settings: inout GlobalSettings) {
    func set(_ value: PromDuration?, _ field: inout PromDuration) {
      if let value, value != .zero { field = value }
    }
    set(fields.duration("scrape_interval"), &settings.scrapeInterval)
    set(fields.duration("evaluation_interval"), &settings.evaluationInterval)
    settings.ruleQueryOffset = fields.duration("rule_query_offset") ?? .zero
    let timeout = fields.duration("scrape_timeout") ?? .zero
    if timeout == .zero {
      settings.scrapeTimeout = min(settings.scrapeTimeout, settings.scrapeInterval)
    } else {
      settings.scrapeTimeout = timeout
      if timeout > settings.scrapeInterval, let node = fields.node("scrape_timeout") {
        config.refuse(
          "global scrape timeout greater than scrape interval", at: node,
          label: "the interval is \(settings.scrapeInterval)", id: "config/timeout")
      }
    }
  }

  private func limits(_ fields: YAMLFields, _ global: inout GlobalDefaults) {
    global.bodySizeLimit = fields.byteSize("body_size_limit") ?? 0
    global.sampleLimit = fields.count("sample_limit") ?? 0
    global.targetLimit = fields.count("target_limit") ?? 0
    global.labelLimit = fields.count("label_limit") ?? 0
    global.labelNameLengthLimit = fields.count("label_name_length_limit") ?? 0
    global.labelValueLengthLimit = fields.count("label_value_length_limit") ?? 0
    global.keepDroppedTargets = fields.count("keep_dropped_targets") ?? 0
  }

  /// The values with `$NAME` and `${NAME}` replaced from the environment, `$$` being a dollar sign.
  private func externalLabels(_ fields: YAMLFields) -> LabelSet {
    defer { fields.leave() }
    var labels: [Label] = []
    for field in fields.fields {
      if field.name.isEmpty {
        config.refuse(
          "\"\" is not a valid label name", at: field.key, id: "config/label-name")
      }
      guard let text = field.value.isNull ? "" : fields.text(field.value) else { continue }
      let expanded = EnvironmentText.expand(text) { name in
        if let value = config.environment(name), !value.isEmpty { return value }
        reader.report(
          "config/empty-variable", "environment variable \(name) is empty or not set",
          severity: .warning, at: field.value)
        return ""
      }
      labels.append(Label(name: field.name, value: expanded))
    }
    return LabelSet(labels: labels)
  }

  /// `utf8` or `legacy`; nil when not given.
  func nameValidation(_ fields: YAMLFields) -> String? {
    guard let text = fields.string("metric_name_validation_scheme"), !text.isEmpty,
      let field = fields.field("metric_name_validation_scheme")
    else { return nil }
    switch text {
    case NameSchemes.utf8, NameSchemes.legacy: return text
    default:
      config.refuse(
        "unrecognized ValidationScheme: \(GoText.quote(text))", at: field.value,
        label: "expected `utf8` or `legacy`")
      return nil
    }
  }

  /// How names are escaped; nil when not given.
  func nameEscaping(_ fields: YAMLFields) -> String? {
    fields.word("metric_name_escaping_scheme", of: NameSchemes.escapings)
  }
}

/// The protocols a scrape may ask for.
struct ScrapeProtocols {
  let config: ConfigReading

  static let known = [
    "OpenMetricsText0.0.1", "OpenMetricsText1.0.0", "PrometheusProto", "PrometheusText0.0.4",
    "PrometheusText1.0.0",
  ]

  /// The names in `scrape_protocols`, nil when not given; `whose` names the block in messages.
  func read(_ fields: YAMLFields, whose: String) -> [String]? {
    guard let field = fields.field("scrape_protocols"), !field.value.isNull,
      let names = fields.strings("scrape_protocols")
    else { return nil }
    if names.isEmpty {
      config.refuse(
        "scrape_protocols cannot be empty for \(whose)", at: field.value,
        id: "config/scrape-protocol")
    }
    var seen: [String] = []
    for (text, node) in names {
      if seen.contains(GoText.lowercased(text)) {
        config.refuse(
          "duplicated protocol in scrape_protocols, got "
            + "[\(names.map(\.text).joined(separator: " "))] for \(whose)",
          at: node, id: "config/scrape-protocol")
      }
      _ = checkName(text, node, "scrape_protocols")
      seen.append(GoText.lowercased(text))
    }
    return names.map(\.text)
  }

  /// Whether a protocol exists; reported if not.
  func checkName(_ text: String, _ node: YAMLNode, _ what: String) -> Bool {
    if Self.known.contains(text) { return true }
    config.refuse(
      "\(what): unknown scrape protocol \(text), supported: "
        + "[\(Self.known.joined(separator: " "))]", at: node, id: "config/scrape-protocol")
    return false
  }
}
