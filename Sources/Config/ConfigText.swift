import Kernel
import Model
import YAML

/// The configuration in force as `/api/v1/status/config` shows it: with its defaults, without its
/// secrets and comments.
enum ConfigText {
  private static let hidden = "<secret>"
  /// Keys whose texts nobody shall see.
  private static let secrets: Set<String> = [
    "password", "credentials", "bearer_token", "client_secret", "secret", "secrets", "secret_key",
    "token", "auth_token", "api_key", "api_token", "application_secret", "consumer_key",
    "client_certificate_key",
  ]
  /// Keys whose texts are URLs, which may carry a password.
  private static let urls: Set<String> = ["url", "proxy_url", "token_url", "server", "api_server"]
  private static let globalKeys = [
    "scrape_interval", "scrape_timeout", "scrape_protocols", "evaluation_interval",
    "rule_query_offset", "external_labels",
  ]
  private static let jobKeys = [
    "job_name", "honor_labels", "honor_timestamps", "track_timestamps_staleness", "params",
    "scrape_interval", "scrape_timeout", "scrape_protocols", "metrics_path", "scheme",
    "enable_compression",
  ]
  private static let relabelKeys = [
    "source_labels", "separator", "regex", "modulus", "target_label", "replacement", "action",
  ]

  /// The text of a document that these settings were read from.
  static func shown(_ root: YAMLNode?, settings: Settings) -> String {
    var document = root.map { tree($0) } ?? .map([])
    var global = document["global"] ?? .map([])
    global.complete("scrape_interval", settings.global.scrapeInterval.description)
    global.complete("scrape_timeout", settings.global.scrapeTimeout.description)
    global.complete("evaluation_interval", settings.global.evaluationInterval.description)
    let external = settings.global.externalLabels.labels
    if !external.isEmpty {
      // As they are after environment variables have been put in.
      global["external_labels"] = .map(external.map { ($0.name, .text($0.value, isPlain: false)) })
    }
    global.order(globalKeys)
    document["global"] = global
    document.order(["global", "runtime", "alerting", "rule_files", "scrape_config_files"])
    document.change("alerting") { alerting in
      alerting.changeAll("alert_relabel_configs", relabeling)
      alerting.changeAll("alertmanagers") { manager in
        manager.complete("scheme", "http")
        manager.complete("timeout", "10s")
        manager.complete("api_version", "v2")
        client(&manager)
      }
    }
    document.changeAll("scrape_configs") { job in
      let known = settings.scrapes.first {
        ByteOrder.equal($0.jobName, job["job_name"]?.text ?? "")
      }
      complete(&job, known)
    }
    var out = ""
    document.write(to: &out, indent: 0)
    return out
  }

  private static func complete(_ job: inout ConfigValue, _ known: ScrapeSettings?) {
    job.complete("honor_timestamps", "true")
    job.complete("track_timestamps_staleness", "false")
    if let known {
      job.complete("scrape_interval", known.interval.description)
      job.complete("scrape_timeout", known.timeout.description)
    }
    job.complete("metrics_path", "/metrics")
    job.complete("scheme", "http")
    job.complete("enable_compression", "true")
    client(&job)
    job.changeAll("metric_relabel_configs", relabeling)
    job.order(jobKeys)
  }

  /// What every HTTP client block has.
  private static func client(_ block: inout ConfigValue) {
    block.complete("follow_redirects", "true")
    block.complete("enable_http2", "true")
    block.change("authorization") { $0.complete("type", "Bearer") }
    block.changeAll("relabel_configs", relabeling)
  }

  private static func relabeling(_ rule: inout ConfigValue) {
    switch rule["action"]?.text ?? "replace" {
    case "replace", "keep", "drop", "hashmod", "labelmap":
      rule.complete("separator", ";")
      rule.complete("regex", "(.*)")
      rule.complete("replacement", "$1")
      rule.complete("action", "replace")
    default: break
    }
    rule.order(relabelKeys)
  }

  // MARK: reading

  /// A node without its secrets.
  static func tree(
    _ node: YAMLNode, key: String = "", parent: String = ""
  ) -> ConfigValue {
    switch node.content.kind {
    case .scalar(let text, let style):
      let isSecret =
        secrets.contains(key) || (key == "key" && parent == "tls_config")
        || parent == "proxy_connect_header"
      if isSecret, !text.isEmpty { return .text(hidden, isPlain: true) }
      if urls.contains(key) {
        return .text(SecretText.redacted(url: text), isPlain: style == .plain)
      }
      return .text(text, isPlain: style == .plain)
    case .sequence(let items):
      return .list(items.map { tree($0, key: key, parent: parent) })
    case .mapping(let entries):
      return .map(
        entries.map { entry in
          let name = entry.key.text ?? ""
          return (name, tree(entry.value, key: name, parent: key))
        })
    case .alias: return .text("", isPlain: true)
    }
  }
}
