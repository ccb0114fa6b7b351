import Diagnostics
import Kernel
import Model
import YAML

/// Reads where targets come from.
struct DiscoveryReading {
  /// The discoveries there are, of targets and of Alertmanagers.
  static let supported = [
    "static_configs", "file_sd_configs", "http_sd_configs", "dns_sd_configs",
  ]

  let config: ConfigReading

  private var reader: YAMLReader { config.reader }

  /// A group with the place of each of its addresses.
  typealias PlacedGroup = (group: TargetGroup, nodes: [YAMLNode])

  /// The groups of `static_configs`; addresses with a slash are refused unless relabelling may mend
  /// them.
  func staticTargets(_ fields: YAMLFields, isRelabelled: Bool) -> [PlacedGroup] {
    var groups: [PlacedGroup] = []
    for (index, node) in (fields.items("static_configs") ?? []).enumerated() {
      if node.isNull {
        config.refuse("empty or null section in static_configs", at: node)
        continue
      }
      if let group = group(node, source: String(index), isRelabelled: isRelabelled) {
        groups.append(group)
      }
    }
    return groups
  }

  /// One group of addresses with their labels.
  func group(_ node: YAMLNode, source: String, isRelabelled: Bool) -> PlacedGroup? {
    guard let fields = reader.fields(of: node, "a target group") else { return nil }
    let targets = fields.strings("targets") ?? []
    let labels = fields.labels("labels") ?? .empty
    fields.close()
    for (text, node) in targets where !isRelabelled && text.utf8.contains(UInt8(ascii: "/")) {
      config.refuse(
        "\(GoText.quote(text)) is not a valid hostname", at: node,
        label: "a target is `host:port`; scheme and path are settings of the job",
        id: "config/target")
    }
    let group = TargetGroup(source: source, targets: targets.map(\.text), labels: labels)
    return (group, targets.map(\.node))
  }

  /// Warns of addresses that relabelling leaves unusable; Prometheus drops such targets.
  func checkTargets(_ groups: [PlacedGroup], of job: ScrapeSettings) {
    for (group, nodes) in groups {
      for (address, node) in zip(group.targets, nodes) {
        guard let reason = TargetCheck.problem(address: address, group: group, settings: job)
        else { continue }
        reader.report(
          "config/target", "target \(GoText.quote(address)) cannot be scraped: \(reason)",
          severity: .warning, at: node)
      }
    }
  }

  /// The entries of `file_sd_configs`.
  func files(_ fields: YAMLFields) -> [FileDiscoverySettings] {
    (fields.items("file_sd_configs") ?? []).compactMap { node in
      guard let entry = reader.fields(of: node, "a file_sd_configs entry") else { return nil }
      let files = entry.strings("files") ?? []
      let refresh = entry.duration("refresh_interval")
      entry.close()
      if files.isEmpty {
        config.refuse(
          "file service discovery config must contain at least one path name", at: node,
          id: "config/target")
      }
      for (text, node) in files where !Self.isTargetFilePattern(text) {
        config.refuse(
          "path name \(GoText.quote(text)) is not valid for file discovery", at: node,
          label: "a .json, .yml or .yaml file, with at most one `*` in its last part",
          id: "config/target")
      }
      return FileDiscoverySettings(
        files: files.map { config.path($0.text) },
        refreshInterval: refresh == nil || refresh == .zero ? .minutes(5) : refresh ?? .zero)
    }
  }

  /// Whether the text names JSON or YAML files, with a star in the last element at most.
  private static func isTargetFilePattern(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard PathPattern.starsOnlyInLastElement(text) else { return false }
    let ending = [".json", ".yml", ".yaml", ".JSON", ".YML", ".YAML"].first {
      bytes.count > $0.utf8.count && bytes.suffix($0.utf8.count).elementsEqual($0.utf8)
    }
    return ending != nil
  }

  /// Refuses, by name, the ways of finding targets that are not here.
  func refuseOthers(_ fields: YAMLFields, supported: [String]) {
    for field in fields.fields where field.name.utf8.count > Self.suffix.utf8.count {
      guard field.name.hasSuffix(Self.suffix), !supported.contains(field.name) else { continue }
      _ = fields.field(field.name)
      let known = field.name == "static_configs" || Self.kinds.contains(field.name)
      let near = known ? nil : NearestName.find(field.name, among: Self.kinds + supported)
      reader.report(
        "config/unsupported-discovery",
        "\(field.name) is not supported: targets can come from "
          + supported.joined(separator: " and "),
        at: field.key, label: near.map { "did you mean `\($0)`?" })
    }
  }

  private static let suffix = "_sd_configs"

  private static let kinds = [
    "aws", "azure", "consul", "digitalocean", "dns", "docker", "dockerswarm", "ec2", "ecs",
    "elasticache", "eureka", "file", "gce", "hetzner", "http", "ionos", "kubernetes", "kuma",
    "lightsail", "linode", "marathon", "msk", "nerve", "nomad", "oci", "openstack", "outscale",
    "ovhcloud", "puppetdb", "rds", "scaleway", "serverset", "stackit", "triton", "uyuni", "vultr",
  ].map { $0 + suffix }
}

/// Prometheus' rule for patterns of files.
enum PathPattern {
  /// `^[^*]*(\*[^/]*)?$`: a star may stand in the last element only.
  static func starsOnlyInLastElement(_ text: String) -> Bool {
    guard let star = text.utf8.firstIndex(of: UInt8(ascii: "*")) else { return true }
    return !text.utf8[star...].contains(UInt8(ascii: "/"))
  }
}
