import Diagnostics
import Kernel
import Model
import YAML

/// Reads the `alerting` block.
struct AlertingReading {
  let config: ConfigReading

  private var reader: YAMLReader { config.reader }

  func read(_ node: YAMLNode, into settings: inout Settings) {
    guard let fields = reader.fields(of: node, "an alerting block") else { return }
    let relabel = RelabelReading(config: config)
    settings.alertRelabeling = relabel.read(
      fields, "alert_relabel_configs", empty: "alert relabeling rule")
    for (index, node) in (fields.items("alertmanagers") ?? []).enumerated() {
      reader.context = "in Alertmanager config \(index + 1)"
      if let alertmanager = alertmanager(node) { settings.alertmanagers.append(alertmanager) }
      reader.context = nil
    }
    fields.close()
  }

  private func alertmanager(_ node: YAMLNode) -> AlertmanagerSettings? {
    guard let fields = reader.fields(of: node, "an Alertmanager config") else { return nil }
    var alertmanager = AlertmanagerSettings()
    if let scheme = fields.word("scheme", of: ["http", "https"]) { alertmanager.scheme = scheme }
    alertmanager.pathPrefix = fields.string("path_prefix") ?? ""
    if let timeout = fields.duration("timeout") { alertmanager.timeout = timeout }
    if let version = fields.string("api_version"), version != "v2",
      let node = fields.node("api_version")
    {
      config.refuse(
        "expected Alertmanager api version to be one of [v2] but got \(version)", at: node,
        id: "config/api-version")
    }
    alertmanager.http = HTTPReading(config: config).read(fields)
    if let field = fields.field("sigv4"), !field.value.isNull {
      let authentications = ["basic_auth", "authorization", "oauth2"]
      if authentications.contains(where: { fields.value($0) != nil }) {
        config.refuse(
          "at most one of basic_auth, authorization, oauth2, & sigv4 must be configured",
          at: field.key, id: "config/authentication")
      }
      config.warnIgnored(field, effect: "requests are sent without it")
    }
    let relabel = RelabelReading(config: config)
    let isRelabelled = fields.items("relabel_configs")?.isEmpty == false
    alertmanager.relabeling = relabel.read(
      fields, "relabel_configs", empty: "Alertmanager target relabeling rule")
    alertmanager.alertRelabeling = relabel.read(
      fields, "alert_relabel_configs", empty: "Alertmanager alert relabeling rule")
    let discovery = DiscoveryReading(config: config)
    alertmanager.targets = discovery.staticTargets(fields, isRelabelled: isRelabelled)
      .map(\.group)
    alertmanager.fileDiscovery = discovery.files(fields)
    let services = ServiceDiscoveryReading(config: config)
    alertmanager.httpDiscovery = services.http(fields)
    alertmanager.dnsDiscovery = services.dns(fields)
    discovery.refuseOthers(fields, supported: DiscoveryReading.supported)
    fields.close()
    return alertmanager
  }
}
