import Diagnostics
import Kernel
import Model
import Rules
import YAML

/// A tocsin.yml as read.
package struct TocsinConfig: Sendable {
  package var webhooks: [WebhookSettings] = []
  package var storage = StorageSettings()
  package var policies: [PolicySettings] = []
  package var triggers: [TriggerSettings] = []
  package var lint = LintSettings()
  package var diagnostics: [Diagnostic] = []

  package var isValid: Bool { !diagnostics.contains { $0.severity == .error } }
}

/// Reads tocsin.yml: what Prometheus' own configuration has no words for.
package enum TocsinConfigLoader {
  /// Reads a file; `directory` is where relative paths in it start.
  package static func load(_ source: SourceText, directory: String? = nil) -> TocsinConfig {
    let document = YAMLDocument.parse(source: source)
    var out = TocsinConfig()
    out.diagnostics = document.diagnostics
    guard let root = document.root, document.diagnostics.isEmpty else { return out }
    let config = ConfigReading(
      directory: directory ?? FileSystem.directory(of: source.name), environment: { _ in nil })
    TocsinConfigReading(config: config).read(root, into: &out)
    out.diagnostics = DiagnosticSet(config.reader.diagnostics).sorted
    return out
  }
}

/// One pass over the tree of a tocsin.yml.
private struct TocsinConfigReading {
  let config: ConfigReading

  private var reader: YAMLReader { config.reader }

  func read(_ root: YAMLNode, into out: inout TocsinConfig) {
    guard let fields = reader.fields(of: root, "tocsin.yml") else { return }
    webhooks(fields, &out)
    out.policies = policies(fields)
    out.triggers = triggers(fields)
    if let storage = fields.fields("storage", "a storage block") {
      if let keep = storage.word("keep", of: ["rules", "all"]) {
        out.storage.keep = keep == "all" ? .all : .rules
      }
      out.storage.retention = storage.duration("retention") ?? out.storage.retention
      out.storage.memoryLimit = storage.byteSize("memory_limit") ?? 0
      out.storage.historyRetention =
        storage.duration("history_retention") ?? out.storage.historyRetention
      out.storage.historySize = storage.byteSize("history_size") ?? out.storage.historySize
      storage.close()
    }
    if let lint = fields.fields("lint", "a lint block") {
      out.lint = LintReading(reader: reader).read(lint)
    }
    fields.close()
  }

  private func webhooks(_ fields: YAMLFields, _ out: inout TocsinConfig) {
    var seen: [(name: String, node: YAMLNode)] = []
    for node in fields.items("webhooks") ?? [] {
      guard let entry = reader.fields(of: node, "a webhook") else { continue }
      let name = entry.string("name") ?? ""
      let place = entry.node("name") ?? node
      reader.context = name.isEmpty ? "in a webhook" : "in webhook \(GoText.quote(name))"
      defer { reader.context = nil }
      if name.isEmpty {
        config.refuse("a webhook needs a name", at: place, id: "config/webhook")
      } else if let first = seen.first(where: { ByteOrder.equal($0.name, name) }) {
        reader.report(
          "config/webhook", "webhook \(GoText.quote(name)) is defined twice", at: place,
          notes: [
            Diagnostic.Note(
              "first defined here", source: first.node.content.source,
              range: first.node.content.range)
          ])
      }
      seen.append((name, place))
      if let webhook = webhook(entry, name) { out.webhooks.append(webhook) }
    }
  }

  private func webhook(_ entry: YAMLFields, _ name: String) -> WebhookSettings? {
    let url = url(entry)
    var webhook = WebhookSettings(name: name, url: url ?? .inline(""))
    webhook.matchers = matchers(entry)
    webhook.sendResolved = entry.bool("send_resolved") ?? true
    if let names = entry.strings("group_by") { webhook.groupBy = names.map(\.text) }
    if webhook.groupBy.contains("..."), webhook.groupBy.count > 1, let node = entry.node("group_by")
    {
      config.refuse(
        "`...` groups by all labels and stands alone", at: node, id: "config/webhook")
    }
    webhook.groupWait = entry.duration("group_wait") ?? webhook.groupWait
    webhook.groupInterval = entry.duration("group_interval") ?? webhook.groupInterval
    webhook.repeatInterval = entry.duration("repeat_interval") ?? webhook.repeatInterval
    webhook.maxAlerts = entry.count("max_alerts") ?? 0
    webhook.timeout = entry.duration("timeout") ?? webhook.timeout
    webhook.deadLetterAfter = entry.duration("dead_letter_after") ?? webhook.deadLetterAfter
    webhook.http = HTTPReading(config: config).read(entry)
    webhook.http.headers += (entry.map("headers") ?? []).map {
      HTTPSettings.Header(name: $0.name, values: [.inline($0.text)])
    }
    webhook.http.headers.sort { ByteOrder.less($0.name, $1.name) }
    for name in ["group_interval", "repeat_interval", "timeout"] {
      if let node = entry.value(name),
        node.text.flatMap({ try? PromDuration(parsing: $0) }) == .zero
      {
        config.refuse("\(name) must be longer than zero", at: node, id: "config/webhook")
      }
    }
    entry.close()
    return url == nil ? nil : webhook
  }

  private func url(_ entry: YAMLFields) -> HTTPSettings.Secret? {
    let text = entry.string("url") ?? ""
    let file = entry.string("url_file") ?? ""
    if !text.isEmpty, !file.isEmpty, let field = entry.field("url_file") {
      config.refuse("at most one of url & url_file must be configured", at: field.key)
    }
    if !file.isEmpty { return .file(config.path(file)) }
    guard !text.isEmpty, let node = entry.node("url") else {
      config.refuse(
        "a webhook needs a url or a url_file", at: entry.node("url") ?? entry.node,
        id: "config/webhook")
      return nil
    }
    let url = URLText(text)
    if let reason = url.problem {
      config.refuse(
        "\(GoText.quote(text)) is not a valid URL: \(reason)", at: node, id: "config/url")
    } else if url.scheme != "http" && url.scheme != "https" {
      config.refuse("URL scheme must be 'http' or 'https'", at: node, id: "config/url")
    } else if url.host.isEmpty {
      config.refuse("host is missing in URL", at: node, id: "config/url")
    }
    return .inline(text)
  }

  private func matchers(_ fields: YAMLFields) -> [Matcher] {
    (fields.strings("matchers") ?? []).compactMap { text, node in
      do throws(MatcherText.Problem) {
        return try MatcherText.parse(text)
      } catch {
        let target = node.content
        reader.report(
          "config/matcher", "\(error.message)", source: target.source,
          range: target.sourceRange(ofContent: SourceRange(error.offset, text.utf8.count)))
        return nil
      }
    }
  }

  private func policies(_ fields: YAMLFields) -> [PolicySettings] {
    (fields.items("policies") ?? []).compactMap { node in
      guard let entry = reader.fields(of: node, "a policy") else { return nil }
      var policy = AlertPolicy()
      policy.onNoData = word(entry, "on_no_data") ?? policy.onNoData
      policy.onError = word(entry, "on_error") ?? policy.onError
      policy.forWhileTargetDown = word(entry, "for_while_target_down") ?? policy.forWhileTargetDown
      defer { entry.close() }
      return PolicySettings(matchers: matchers(entry), policy: policy)
    }
  }

  /// `groups`, and `evaluate` for those it does not name.
  private func triggers(_ fields: YAMLFields) -> [TriggerSettings] {
    let named = (fields.items("groups") ?? []).compactMap { node -> TriggerSettings? in
      guard let entry = reader.fields(of: node, "a group entry") else { return nil }
      defer { entry.close() }
      return TriggerSettings(
        matchers: matchers(entry), trigger: word(entry, "evaluate") ?? .slots)
    }
    let others: EvaluationTrigger? = word(fields, "evaluate")
    return named + (others.map { [TriggerSettings(trigger: $0)] } ?? [])
  }

  /// One of the words an enumeration knows.
  private func word<Word: RawRepresentable & CaseIterable>(
    _ entry: YAMLFields, _ name: String
  ) -> Word? where Word.RawValue == String {
    entry.word(name, of: Word.allCases.map(\.rawValue)).flatMap(Word.init(rawValue:))
  }
}
