import Model

/// What becomes of one discovered address.
enum TargetCandidate {
  case active(TargetSpec)
  /// Dropped by relabelling.
  case dropped(discovered: LabelSet)
  /// Unusable; Prometheus' words.
  case refused(String)
}

/// A target as it is to be scraped.
struct TargetSpec {
  /// As discovered, before relabelling.
  let discovered: LabelSet
  /// The labels its series carry: those not starting with `__`.
  let labels: LabelSet
  let url: String
  let interval: PromDuration
  let timeout: PromDuration
  /// The label `__unix_socket__`: the path of the socket the target listens on.
  let unixSocketPath: String?

  /// Targets with one key are one target.
  var key: String {
    url + "\u{ff}" + labels.description + (unixSocketPath.map { "\u{ff}" + $0 } ?? "")
  }
}

/// The steps from an address to a target.
///
/// - Note: As Prometheus' `PopulateLabels`; the port is never defaulted into the labels.
enum TargetLabels {
  static func candidate(
    address: String, group: TargetGroup, settings: ScrapeSettings
  ) -> TargetCandidate {
    let discovered = discoveredLabels(address: address, group: group, settings: settings)
    var builder = LabelBuilder(discovered)
    if !settings.relabeling.apply(to: &builder) { return .dropped(discovered: discovered) }
    let address = builder["__address__"]
    if address.isEmpty { return .refused("no address") }
    if address.utf8.contains(UInt8(ascii: "/")) {
      return .refused("\(GoText.quote(address)) is not a valid hostname")
    }
    do throws(TargetProblem) {
      let interval = try duration(builder["__scrape_interval__"], "scrape interval")
      let timeout = try duration(builder["__scrape_timeout__"], "scrape timeout")
      if timeout > interval {
        throw TargetProblem(
          "scrape timeout cannot be greater than scrape interval "
            + "(\(GoText.quote(timeout.description)) > \(GoText.quote(interval.description)))")
      }
      if builder[LabelName.instance].isEmpty { builder[LabelName.instance] = address }
      let all = builder.labels
      let socket = all.value(of: "__unix_socket__")
      return .active(
        TargetSpec(
          discovered: discovered, labels: all.filter { !$0.starts(with: "__".utf8) },
          url: url(all, settings), interval: interval, timeout: timeout,
          unixSocketPath: socket.isEmpty ? nil : socket))
    } catch {
      return .refused(error.message)
    }
  }

  private struct TargetProblem: Error {
    let message: String
    init(_ message: String) { self.message = message }
  }

  private static func duration(
    _ text: String, _ what: String
  ) throws(TargetProblem) -> PromDuration {
    let value: PromDuration
    do {
      value = try PromDuration(parsing: text)
    } catch {
      throw TargetProblem("error parsing \(what): \(error.description)")
    }
    if value == .zero { throw TargetProblem("\(what) cannot be 0") }
    return value
  }

  /// The target's and its group's labels, and the defaults where they say nothing.
  private static func discoveredLabels(
    address: String, group: TargetGroup, settings: ScrapeSettings
  ) -> LabelSet {
    var builder = LabelBuilder(group.labels)
    builder["__address__"] = address
    var defaults: [(String, String)] = [
      (LabelName.job, settings.jobName),
      ("__scrape_interval__", settings.interval.description),
      ("__scrape_timeout__", settings.timeout.description),
      ("__metrics_path__", settings.metricsPath), ("__scheme__", settings.scheme),
    ]
    for param in settings.params {
      if let first = param.values.first { defaults.append(("__param_" + param.name, first)) }
    }
    for (name, value) in defaults where builder[name].isEmpty { builder[name] = value }
    return builder.labels
  }

  /// Scheme, address, path and parameters; `__param_x` replaces the first value of `x`.
  private static func url(_ labels: LabelSet, _ settings: ScrapeSettings) -> String {
    var params = settings.params
    let prefix = "__param_"
    for label in labels.labels where label.name.utf8.starts(with: prefix.utf8) {
      let name = String(label.name.unicodeScalars.dropFirst(prefix.unicodeScalars.count))
      if let i = params.firstIndex(where: { ByteOrder.equal($0.name, name) }) {
        params[i].values = [label.value] + params[i].values.dropFirst()
      } else {
        params.append((name, [label.value]))
      }
    }
    let query = GoURL.query(params)
    return labels.value(of: "__scheme__") + "://" + labels.value(of: "__address__")
      + GoURL.path(labels.value(of: "__metrics_path__")) + (query.isEmpty ? "" : "?" + query)
  }
}
