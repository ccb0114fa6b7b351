import Kernel
import Model
import Rules

extension StatusPage {
  /// Entries of each kind that the page shows.
  private static let shown = 50

  /// The last transitions and deliveries, newest first.
  func historySections() async -> String {
    var out = "<h2 id=transitions>Transitions</h2>"
    out += transitionTable(await entries(.transition))
    out += "<h2 id=notifications>Notifications</h2>"
    return out + deliveryTable(await entries(.delivery))
  }

  private func entries(_ kind: HistoryFilter.Kind) async -> [JournalEntry] {
    var filter = HistoryFilter()
    filter.kinds = [kind]
    filter.limit = Self.shown
    let gate = context.gate
    let history = context.history ?? KernelHistory(newest: { gate.visit { $0.journal } })
    let found = try? await history.entries(matching: filter)
    return (found ?? []).reversed()
  }

  private func time(_ t: Timestamp) -> String {
    "<td class=n title=\"\(t.rfc3339)\">\(age(t, context.now())) ago"
  }

  private func transitionTable(_ entries: [JournalEntry]) -> String {
    if entries.isEmpty { return note("No alert has changed its state yet.") }
    var out =
      "<table class=past><tr><th class=n>When<th>Change<th>Alert<th>Why<th class=n>Value</tr>"
    for entry in entries {
      guard case .transition(let record) = entry.event else { continue }
      out += "<tr>" + time(entry.time)
      out += "<td>\(record.from.rawValue) → \(badge(record.to.rawValue))"
      out += "<td><strong>\(escape(record.rule))</strong>"
      out += chips(record.labels.labels.filter { $0.name != LabelName.alertName })
      out += "<td>\(escape(record.reason.rawValue))"
      out += "<td class=n data-is=value>\(escape(NumberText.general(record.value)))</tr>"
    }
    return out + "</table>"
  }

  private func deliveryTable(_ entries: [JournalEntry]) -> String {
    if entries.isEmpty { return note("Nothing has been sent yet.") }
    var out = "<table class=past><tr><th class=n>When<th>Outcome<th>Receiver<th>Alerts"
    out += "<th class=n>Try<th class=n>Took</tr>"
    for entry in entries {
      guard case .delivery(let record) = entry.event else { continue }
      out += "<tr>" + time(entry.time)
      out += "<td>\(badge(record.outcome.rawValue))\(record.status.map { " \($0)" } ?? "")"
      out += "<td>\(escape(record.kind.rawValue)) <code>\(escape(record.receiver))</code>"
      if !record.error.isEmpty { out += "<div class=text>\(escape(record.error))</div>" }
      out += "<td>\(mentions(record))<td class=n data-is=try>\(record.attempt)"
      out += "<td class=n data-is=took>\(record.duration)</tr>"
    }
    return out + "</table>"
  }

  /// The alerts of a notification by name, with how many there are of each.
  private func mentions(_ record: DeliveryRecord) -> String {
    var names: [(name: String, count: Int)] = []
    for alert in record.alerts {
      let name =
        alert.labels.value(of: LabelName.alertName) + (alert.isFiring ? "" : " (resolved)")
      if let place = names.firstIndex(where: { ByteOrder.equal($0.name, name) }) {
        names[place].count += 1
      } else {
        names.append((name, 1))
      }
    }
    var out = names.prefix(8).map { item in
      escape(item.name) + (item.count > 1 ? " × \(item.count)" : "")
    }.joined(separator: ", ")
    let more = record.alertCount - names.prefix(8).reduce(0) { $0 + $1.count }
    if more > 0 { out += " and \(more) more" }
    return out
  }

  // MARK: receivers and status

  /// Webhooks and Alertmanagers.
  func receiverTable(_ receivers: [ReceiverReport], dropped: [String]) -> String {
    if receivers.isEmpty && dropped.isEmpty {
      return note("No receiver is configured: alerts are shown here and nowhere else.")
    }
    var out = "<table><tr><th>Kind<th>Receiver<th>Circuit<th class=n>Waiting<th class=n>Sent"
    out += "<th class=n>Failed<th class=n>Dropped</tr>"
    for receiver in receivers {
      out += "<tr><td>\(receiver.kind.rawValue)<td><code>\(escape(receiver.name))</code>"
      if !receiver.lastError.isEmpty {
        out += "<div class=text>\(escape(receiver.lastError))</div>"
      }
      out += "<td>\(badge(receiver.breaker.state))"
      if let time = receiver.breaker.notBefore {
        out += "<br><small title=\"\(time.rfc3339)\">next try in "
        out += "\(age(context.now(), time))</small>"
      }
      for (count, name) in [
        ("\(receiver.outstanding)", "waiting"), ("\(receiver.sentAlerts)", "sent"),
        ("\(receiver.failedRequests)", "failed"), ("\(receiver.droppedAlerts)", "dropped"),
      ] {
        out += "<td class=n data-is=\(name)>\(count)"
      }
      out += "</tr>"
    }
    for url in dropped {
      let shown = escape(SecretText.redacted(url: url))
      out += "<tr><td>dropped<td colspan=6><code>\(shown)</code></tr>"
    }
    return out + "</table>"
  }

  /// How many targets relabelling dropped.
  func dropped(_ targets: TargetsReport) -> String {
    let counts = targets.droppedCounts.filter { $0.count > 0 }
    if counts.isEmpty { return "" }
    let texts = counts.map { "\(escape($0.job)): \($0.count)" }
    return note("Dropped by relabelling: " + texts.joined(separator: ", "))
  }

  /// The process, its flags and its configuration.
  func statusSection(configText: String) -> String {
    let status = context.status
    let reload = status.reload()
    var out = "<h2 id=status>Status</h2><table>"
    func row(_ name: String, _ value: String) {
      out += "<tr><td>\(escape(name))<td>\(value)</tr>"
    }
    if let started = status.started {
      row("Running", "for \(age(started, context.now()))")
    }
    if let loaded = reload.lastSuccess {
      var text = "loaded \(age(loaded, context.now())) ago"
      if !reload.succeeded { text += ", \(badge("error")) the last reload failed" }
      row("Configuration", text)
    }
    if !status.hostName.isEmpty { row("Host", escape(status.hostName)) }
    if !status.workingDirectory.isEmpty {
      row("Folder", "<code>\(escape(status.workingDirectory))</code>")
    }
    out += "</table>"
    if !status.flags.isEmpty {
      out += "<details><summary>Flags</summary><table>"
      for flag in status.flags {
        out += "<tr><td><code>--\(escape(flag.name))</code>"
        out += "<td><code>\(escape(SecretText.redacted(url: flag.value)))</code></tr>"
      }
      out += "</table></details>"
    }
    if !configText.isEmpty {
      out += "<details><summary>Configuration in force</summary>"
      out += "<pre>\(escape(configText))</pre></details>"
    }
    return out
  }
}
