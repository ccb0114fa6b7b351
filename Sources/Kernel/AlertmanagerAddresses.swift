import Model

/// The URLs of one `alertmanagers` block after relabelling.
struct AlertmanagerAddresses {
  private(set) var urls: [String] = []
  /// The labels of targets that relabelling dropped.
  private(set) var dropped: [LabelSet] = []
  private(set) var problems: [String] = []

  init(_ block: AlertmanagerSettings, discovered: [TargetGroup] = []) {
    for group in block.targets + discovered {
      for target in group.targets {
        add(
          LabelSet(
            labels: group.labels.labels + [
              Label(name: "__address__", value: target),
              Label(name: "__scheme__", value: block.scheme),
              Label(name: "__alerts_path__", value: Self.path(prefix: block.pathPrefix)),
            ]), block)
      }
    }
  }

  private mutating func add(_ labels: LabelSet, _ block: AlertmanagerSettings) {
    guard let kept = block.relabeling.apply(to: labels) else {
      dropped.append(labels)
      return
    }
    let address = kept.value(of: "__address__")
    if address.utf8.contains(UInt8(ascii: "/")) {
      problems.append("\(GoText.quote(address)) is not a valid hostname")
      return
    }
    let url =
      kept.value(of: "__scheme__") + "://" + address + GoURL.path(kept.value(of: "__alerts_path__"))
    if !urls.contains(where: { ByteOrder.equal($0, url) }) { urls.append(url) }
  }

  /// `path.Join("/", prefix, "/api/v2/alerts")`.
  private static func path(prefix: String) -> String {
    let parts = prefix.split(separator: "/", omittingEmptySubsequences: true)
    return "/" + (parts.map(String.init) + ["api/v2/alerts"]).joined(separator: "/")
  }
}
