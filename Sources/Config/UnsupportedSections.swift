import Diagnostics
import Kernel
import Model
import YAML

/// Checks the sections of prometheus.yml that have no effect here, and says so.
///
/// A file that Prometheus refuses is refused here too, so that `check config` can be trusted with
/// it.
struct UnsupportedSections {
  let config: ConfigReading

  private var reader: YAMLReader { config.reader }

  func read(_ fields: YAMLFields, nameValidation: String) {
    remote(fields, "remote_write", effect: "nothing is written there")
    remote(fields, "remote_read", effect: "nothing is read from there")
    section(fields, "storage", storage)
    section(fields, "tracing", tracing)
    section(fields, "otlp") { otlp($0, nameValidation: nameValidation) }
    section(fields, "runtime") { _ = $0.int("gogc") }
  }

  private func section(_ fields: YAMLFields, _ name: String, _ check: (YAMLFields) -> Void) {
    guard let field = fields.field(name), !field.value.isNull,
      let block = reader.fields(of: field.value, "a \(name) block")
    else { return }
    reader.context = "in \(name)"
    check(block)
    block.close()
    reader.context = nil
    config.warnIgnored(field)
  }

  private func remote(_ fields: YAMLFields, _ name: String, effect: String) {
    guard let field = fields.field(name), !field.value.isNull else { return }
    var names: [String] = []
    reader.context = "in \(name)"
    for node in reader.items(of: field.value, "a list") ?? [] {
      let title = name == "remote_write" ? "remote write" : "remote read"
      if node.isNull {
        config.refuse("empty or null \(title) config section", at: node)
        continue
      }
      guard let entry = reader.fields(of: node, "a \(title) config") else { continue }
      if let own = entry.string("name"), !own.isEmpty, let place = entry.node("name") {
        if names.contains(where: { ByteOrder.equal($0, own) }) {
          config.refuse(
            "found multiple \(title) configs with job name \(GoText.quote(own))", at: place)
        }
        names.append(own)
      }
      remoteEntry(entry, name)
      entry.close()
    }
    reader.context = nil
    if !field.value.isEmptyCollection { config.warnIgnored(field, effect: effect) }
  }

  private func remoteEntry(_ entry: YAMLFields, _ name: String) {
    let http = HTTPReading(config: config)
    if let node = entry.value("url") {
      http.checkURL(node.text ?? "", node)
    } else {
      config.refuse("url for \(name) is empty", at: entry.node("url") ?? entry.node)
    }
    _ = entry.duration("remote_timeout")
    headers(
      entry,
      authorization: "authorization header must be changed via the basic_auth, authorization, "
        + "oauth2, sigv4, azuread or google_iam parameter")
    if name == "remote_write" { write(entry) } else { read(entry) }
    let before = reader.diagnostics.count
    _ = http.read(entry)
    let authentications = [
      "basic_auth", "authorization", "oauth2", "sigv4", "azuread", "google_iam",
    ].compactMap { entry.field($0) }.filter { !$0.value.isNull }
    let hasErrors = reader.diagnostics[before...].contains { $0.severity == .error }
    if authentications.count > 1, !hasErrors, name == "remote_write" {
      config.refuse(
        "at most one of basic_auth, authorization, oauth2, sigv4, azuread or google_iam must be "
          + "configured. Currently configured: "
          + "[\(authentications.map(\.name).joined(separator: " "))]", at: authentications[1].key,
        id: "config/authentication")
    }
  }

  private func read(_ entry: YAMLFields) {
    _ = entry.count("chunked_read_limit")
    _ = entry.bool("read_recent")
    _ = entry.labels("required_matchers")
    _ = entry.bool("filter_external_labels")
  }

  private func write(_ entry: YAMLFields) {
    _ = RelabelReading(config: config).read(
      entry, "write_relabel_configs", empty: "relabeling rule in remote write config")
    for name in ["send_exemplars", "send_native_histograms", "round_robin_dns"] {
      _ = entry.bool(name)
    }
    _ = entry.word(
      "protobuf_message", of: ["prometheus.WriteRequest", "io.prometheus.write.v2.Request"])
    if let queue = entry.fields("queue_config", "a queue_config block") {
      queueConfig(queue)
      queue.close()
    }
    if let metadata = entry.fields("metadata_config", "a metadata_config block") {
      _ = metadata.bool("send")
      _ = metadata.duration("send_interval")
      _ = metadata.int("max_samples_per_send")
      metadata.close()
    }
  }

  private func queueConfig(_ queue: YAMLFields) {
    func positive(_ name: String, _ standard: Int) -> Int {
      guard let value = queue.int(name), let node = queue.node(name) else { return standard }
      if value <= 0 { config.refuse("\(name) must be greater than 0", at: node) }
      return value
    }
    _ = positive("capacity", 10_000)
    _ = positive("max_samples_per_send", 2000)
    let shards = (positive("min_shards", 1), positive("max_shards", 50))
    if shards.0 > shards.1, shards.1 > 0 {
      config.refuse(
        "min_shards must not be greater than max_shards",
        at: queue.node("min_shards") ?? queue.node)
    }
    _ = queue.duration("batch_send_deadline")
    let shortest = queue.duration("min_backoff") ?? .milliseconds(30)
    let longest = queue.duration("max_backoff") ?? .seconds(5)
    if shortest > longest {
      config.refuse(
        "max_backoff must not be less than min_backoff",
        at: queue.node("max_backoff") ?? queue.node("min_backoff") ?? queue.node)
    }
    _ = queue.bool("retry_on_http_429")
    _ = queue.duration("sample_age_limit")
  }

  private static let reserved: Set<String> = [
    "host", "content-encoding", "content-length", "content-type", "user-agent", "connection",
    "keep-alive", "proxy-authenticate", "proxy-authorization", "www-authenticate",
    "accept-encoding", "x-prometheus-remote-write-version", "x-prometheus-remote-read-version",
    "x-amz-date", "x-amz-security-token", "x-amz-content-sha256",
  ]

  private func headers(_ fields: YAMLFields, authorization: String) {
    for (name, _, field) in fields.map("headers") ?? [] {
      let lower = GoText.lowercased(name)
      if lower == "authorization" {
        config.refuse(authorization, at: field.key, id: "config/header")
      } else if Self.reserved.contains(lower) {
        config.refuse(
          "\(name) is a reserved header. It must not be changed", at: field.key,
          id: "config/header")
      }
    }
  }

  private func tracing(_ fields: YAMLFields) {
    _ = fields.word("client_type", of: ["http", "grpc"])
    if (fields.string("endpoint") ?? "").isEmpty {
      config.refuse("tracing endpoint must be set", at: fields.node("endpoint") ?? fields.node)
    }
    _ = fields.double("sampling_fraction")
    _ = fields.bool("insecure")
    if let tls = fields.fields("tls_config", "a TLS block") {
      _ = HTTPReading(config: config).readTLS(tls)
    }
    headers(
      fields,
      authorization: "custom authorization header configuration is not yet supported")
    if let text = fields.string("compression"), !text.isEmpty, text != "gzip",
      let node = fields.node("compression")
    {
      config.refuse("invalid compression type \(text) provided, valid options: gzip", at: node)
    }
    _ = fields.duration("timeout")
  }

  private func storage(_ fields: YAMLFields) {
    if let tsdb = fields.fields("tsdb", "a tsdb block") {
      _ = tsdb.duration("out_of_order_time_window")
      _ = tsdb.double("stale_series_compaction_threshold")
      if let retention = tsdb.fields("retention", "a retention block") {
        _ = retention.duration("time")
        _ = retention.byteSize("size")
        if let percentage = retention.double("percentage"), percentage < 0 || percentage > 100,
          let node = retention.node("percentage")
        {
          config.refuse(
            "'storage.tsdb.retention.percentage' must be in the range [0, 100]", at: node)
        }
        retention.close()
      }
      if let encoding = tsdb.fields("chunk_encoding", "a chunk_encoding block") {
        _ = encoding.word("floats", of: ["xor", "xor2"])
        encoding.close()
      }
      tsdb.close()
    }
    if let exemplars = fields.fields("exemplars", "an exemplars block") {
      _ = exemplars.int("max_exemplars")
      exemplars.close()
    }
  }

  private func otlp(_ fields: YAMLFields, nameValidation: String) {
    let promotesAll = fields.bool("promote_all_resource_attributes") ?? false
    let promoted = fields.strings("promote_resource_attributes") ?? []
    let ignored = fields.strings("ignore_resource_attributes") ?? []
    if promotesAll, let first = promoted.first {
      config.refuse(
        "'promote_all_resource_attributes' and 'promote_resource_attributes' cannot be configured "
          + "simultaneously", at: first.node)
    }
    if !promotesAll, let first = ignored.first {
      config.refuse(
        "'ignore_resource_attributes' cannot be configured unless "
          + "'promote_all_resource_attributes' is true", at: first.node)
    }
    attributes(promoted, "promoted", "promote_resource_attributes")
    attributes(ignored, "ignored", "ignore_resource_attributes")
    let strategies = [
      "UnderscoreEscapingWithSuffixes", "UnderscoreEscapingWithoutSuffixes",
      "NoUTF8EscapingWithSuffixes", "NoTranslation",
    ]
    if let strategy = fields.word("translation_strategy", of: strategies), strategy.hasPrefix("No"),
      nameValidation == NameSchemes.legacy, let node = fields.node("translation_strategy")
    {
      config.refuse(
        "OTLP translation strategy \(GoText.quote(strategy)) is not allowed when UTF8 is disabled",
        at: node)
    }
    for name in [
      "keep_identifying_resource_attributes", "convert_histograms_to_nhcb",
      "promote_scope_metadata", "label_name_underscore_sanitization",
      "label_name_preserve_multiple_underscores", "allow_delta_temporality",
    ] { _ = fields.bool(name) }
  }

  private func attributes(
    _ list: [(text: String, node: YAMLNode)], _ what: String, _ name: String
  ) {
    var seen: [String] = []
    for (text, node) in list {
      let bare = String(text.split(separator: " ").joined(separator: " "))
      if bare.isEmpty {
        config.refuse("invalid '\(name)': empty \(what) OTel resource attribute", at: node)
      } else if seen.contains(where: { ByteOrder.equal($0, bare) }) {
        config.refuse(
          "invalid '\(name)': duplicated \(what) OTel resource attribute \(GoText.quote(text))",
          at: node)
      }
      seen.append(bare)
    }
  }
}
