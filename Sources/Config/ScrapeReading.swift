import Diagnostics
import Kernel
import Model
import YAML

/// Reads the entries of `scrape_configs`.
struct ScrapeReading {
  let config: ConfigReading
  let global: GlobalDefaults

  private var reader: YAMLReader { config.reader }

  /// One job with its name's place; nil for an entry that cannot be used.
  func read(_ node: YAMLNode) -> (settings: ScrapeSettings, nameNode: YAMLNode)? {
    if node.isNull {
      config.refuse("empty or null scrape config section", at: node)
      return nil
    }
    guard let fields = reader.fields(of: node, "a scrape config") else { return nil }
    let name = fields.string("job_name") ?? ""
    let nameNode = fields.node("job_name") ?? node
    reader.context = name.isEmpty ? "in a scrape config" : "in job \(GoText.quote(name))"
    defer { reader.context = nil }
    if name.isEmpty, nameNode.text != nil || fields.node("job_name") == nil {
      config.refuse("job_name is empty", at: nameNode, id: "config/job-name")
    }
    let (interval, timeout) = intervals(fields, name)
    var job = ScrapeSettings(jobName: name, interval: interval, timeout: timeout)
    request(fields, &job)
    limits(fields, &job)
    protocols(fields, &job)
    names(fields, &job)
    histograms(fields, &job)
    job.http = HTTPReading(config: config).read(fields)
    let relabel = RelabelReading(config: config)
    let isRelabelled = fields.items("relabel_configs")?.isEmpty == false
    job.relabeling = relabel.read(
      fields, "relabel_configs", empty: "target relabeling rule in scrape config")
    job.metricRelabeling = relabel.read(
      fields, "metric_relabel_configs", empty: "metric relabeling rule in scrape config")
    let discovery = DiscoveryReading(config: config)
    let placed = discovery.staticTargets(fields, isRelabelled: isRelabelled)
    job.staticTargets = placed.map(\.group)
    job.fileDiscovery = discovery.files(fields)
    let services = ServiceDiscoveryReading(config: config)
    job.httpDiscovery = services.http(fields)
    job.dnsDiscovery = services.dns(fields)
    discovery.refuseOthers(fields, supported: DiscoveryReading.supported)
    fields.close()
    if isRelabelled { discovery.checkTargets(placed, of: job) }
    return (job, nameNode)
  }

  private func intervals(
    _ fields: YAMLFields, _ name: String
  ) -> (interval: PromDuration, timeout: PromDuration) {
    var interval = fields.duration("scrape_interval") ?? .zero
    if interval == .zero { interval = global.settings.scrapeInterval }
    let timeout = fields.duration("scrape_timeout") ?? .zero
    if timeout > interval, let node = fields.node("scrape_timeout") {
      config.refuse(
        "scrape timeout greater than scrape interval for scrape config with job name "
          + GoText.quote(name), at: node, label: "the interval is \(interval)",
        id: "config/timeout")
    }
    if timeout != .zero { return (interval, timeout) }
    return (interval, min(global.settings.scrapeTimeout, interval))
  }

  private func request(_ fields: YAMLFields, _ job: inout ScrapeSettings) {
    job.metricsPath = fields.string("metrics_path") ?? job.metricsPath
    if let scheme = fields.string("scheme"), let node = fields.node("scheme") {
      job.scheme = scheme
      if scheme != "http" && scheme != "https" {
        config.refuse(
          "unknown scheme \(GoText.quote(scheme)): expected http or https", at: node,
          id: "config/scheme")
      }
    }
    job.honorLabels = fields.bool("honor_labels") ?? false
    job.honorTimestamps = fields.bool("honor_timestamps") ?? true
    job.trackTimestampsStaleness = fields.bool("track_timestamps_staleness") ?? false
    job.enableCompression = fields.bool("enable_compression") ?? true
    if let params = fields.fields("params", "a mapping of lists") {
      for field in params.fields {
        let values = params.strings(field.name) ?? []
        job.params.append((name: field.name, values: values.map(\.text)))
      }
      params.leave()
      job.params.sort { ByteOrder.less($0.name, $1.name) }
    }
  }

  private func limits(_ fields: YAMLFields, _ job: inout ScrapeSettings) {
    func own(_ value: Int?, _ inherited: Int) -> Int {
      value == nil || value == 0 ? inherited : value ?? 0
    }
    job.bodySizeLimit = own(fields.byteSize("body_size_limit"), global.bodySizeLimit)
    job.sampleLimit = own(fields.count("sample_limit"), global.sampleLimit)
    job.targetLimit = own(fields.count("target_limit"), global.targetLimit)
    job.labelLimit = own(fields.count("label_limit"), global.labelLimit)
    job.labelNameLengthLimit = own(
      fields.count("label_name_length_limit"), global.labelNameLengthLimit)
    job.labelValueLengthLimit = own(
      fields.count("label_value_length_limit"), global.labelValueLengthLimit)
    job.keepDroppedTargets = own(fields.count("keep_dropped_targets"), global.keepDroppedTargets)
  }

  private func protocols(_ fields: YAMLFields, _ job: inout ScrapeSettings) {
    let protocols = ScrapeProtocols(config: config)
    let whose = "scrape config with job name \(GoText.quote(job.jobName))"
    job.scrapeProtocols = protocols.read(fields, whose: whose) ?? global.scrapeProtocols
    guard let text = fields.string("fallback_scrape_protocol"), !text.isEmpty,
      let node = fields.node("fallback_scrape_protocol"),
      protocols.checkName(text, node, "invalid fallback_scrape_protocol for \(whose)")
    else { return }
    job.fallbackScrapeProtocol = text
  }

  /// The schemes of metric names, which must agree with each other and with the global ones.
  private func names(_ fields: YAMLFields, _ job: inout ScrapeSettings) {
    let reading = GlobalReading(config: config)
    let ownValidation = reading.nameValidation(fields)
    let validation = ownValidation ?? global.nameValidation
    func implied(_ validation: String) -> String {
      validation == NameSchemes.legacy ? NameSchemes.underscores : NameSchemes.allowUTF8
    }
    let inherited = global.nameEscaping ?? implied(global.nameValidation)
    let escaping =
      reading.nameEscaping(fields)
      ?? (ownValidation == nil ? inherited : implied(validation))
    if escaping == NameSchemes.allowUTF8, validation != NameSchemes.utf8 {
      let place = fields.field("metric_name_escaping_scheme")?.value ?? fields.node
      config.refuse(
        "utf8 metric names requested but validation scheme is not set to UTF8", at: place)
    }
    job.allowsUTF8Names = validation != NameSchemes.legacy
    job.nameEscaping = .init(rawValue: escaping) ?? .allowUTF8
  }

  /// Native histograms, and what else a scrape yields or leaves behind.
  private func histograms(_ fields: YAMLFields, _ job: inout ScrapeSettings) {
    job.histograms.readsNative =
      fields.bool("scrape_native_histograms") ?? global.scrapesNativeHistograms
    job.histograms.keepsClassic =
      fields.bool("always_scrape_classic_histograms") ?? global.alwaysScrapesClassicHistograms
    job.histograms.convertsClassic =
      fields.bool("convert_classic_histograms_to_nhcb") ?? global.convertsClassicHistograms
    job.nativeHistogramBucketLimit = fields.count("native_histogram_bucket_limit") ?? 0
    job.nativeHistogramMinBucketFactor = fields.double("native_histogram_min_bucket_factor") ?? 0
    job.extraScrapeMetrics = fields.bool("extra_scrape_metrics") ?? global.extraScrapeMetrics
    let file = fields.string("scrape_failure_log_file").flatMap { $0.isEmpty ? nil : $0 }
    job.failureLogFile = file.map(config.path) ?? global.failureLogFile
  }
}
