import JSON

extension RuleDiff {
  /// For people: a line per rule, and under it what differs; colours are ANSI's.
  package func text(isColoured: Bool = false) -> String {
    if isEmpty { return "no difference\n" }
    let paint = Paint(isOn: isColoured)
    var out = ""
    for group in groups {
      let place = group.file.isEmpty ? "" : "\(group.file): "
      out += paint.group("\(mark(group.kind))\(place)group \(group.name)", group.kind) + "\n"
      if group.kind == nil || group.kind == .added { out += fields(group.fields, "    ", paint) }
      for rule in group.rules {
        let kind = rule.isAlert ? "alert" : "record"
        let origin = rule.origin.map { "  (was in group \($0))" } ?? ""
        out +=
          "  " + paint.line("\(mark(rule.kind))\(kind) \(rule.name)\(origin)", rule.kind) + "\n"
        if rule.kind == .changed || rule.kind == .moved {
          out += fields(rule.fields, "      ", paint)
        }
      }
    }
    return out + "\n" + summary + "\n"
  }

  /// `1 added, 2 changed`.
  private var summary: String {
    let kinds: [RuleChange.Kind] = [.added, .removed, .changed, .moved]
    let counts = kinds.filter { count($0) > 0 }.map { "\(count($0)) \($0.rawValue)" }
    let total = kinds.reduce(0) { $0 + count($1) }
    let groups = groups.count { !$0.fields.isEmpty && $0.kind == nil }
    let settings =
      groups == 0 ? [] : ["settings of \(groups) group\(groups == 1 ? "" : "s") changed"]
    if total == 0 { return settings.isEmpty ? "groups differ, no rule does" : settings[0] }
    return (["\(total) rule\(total == 1 ? "" : "s"): " + counts.joined(separator: ", ")] + settings)
      .joined(separator: "; ")
  }

  private func mark(_ kind: RuleChange.Kind?) -> String {
    switch kind {
    case .added: "+ "
    case .removed: "- "
    case .changed: "~ "
    case .moved: "> "
    case nil: ""
    }
  }

  private func fields(_ fields: [RuleChange.Field], _ indent: String, _ paint: Paint) -> String {
    let width = fields.map(\.name.count).max() ?? 0
    return fields.map { field in
      let texts = [field.old, field.new].compactMap(\.self)
      if texts.contains(where: { $0.utf8.contains(0x0a) || $0.utf8.count > 40 }) {
        let old = field.old.map { paint.line(lines($0, indent + "  - "), .removed) } ?? ""
        let new = field.new.map { paint.line(lines($0, indent + "  + "), .added) } ?? ""
        return "\(indent)\(field.name)\n" + old + new
      }
      let pad = String(repeating: " ", count: width - field.name.count)
      let change: String
      switch (field.old, field.new) {
      case (let old?, let new?): change = "\(old) -> \(new)"
      case (nil, let new?): change = "set to \(new)"
      case (let old?, nil): change = "no longer \(old)"
      case (nil, nil): change = ""
      }
      return "\(indent)\(field.name)\(pad)  \(change)\n"
    }.joined()
  }

  private func lines(_ text: String, _ prefix: String) -> String {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last == "" { lines.removeLast() }
    return lines.map { prefix + $0 + "\n" }.joined()
  }

  /// For programs.
  package var json: String {
    var json = JSONWriter()
    json.object { json in
      json.key("summary")
      json.object { json in
        for kind in [RuleChange.Kind.added, .removed, .changed, .moved] {
          json.field(kind.rawValue, int: count(kind))
        }
      }
      json.key("groups")
      json.array { json in
        for group in groups { write(group, &json) }
      }
    }
    return json.text + "\n"
  }

  private func write(_ group: GroupChange, _ json: inout JSONWriter) {
    json.object { json in
      json.field("file", group.file)
      json.field("name", group.name)
      if let kind = group.kind { json.field("change", kind.rawValue) }
      write(group.fields, &json)
      json.key("rules")
      json.array { json in
        for rule in group.rules {
          json.object { json in
            json.field("type", rule.isAlert ? "alert" : "record")
            json.field("name", rule.name)
            json.field("change", rule.kind.rawValue)
            if let origin = rule.origin { json.field("from", origin) }
            write(rule.fields, &json)
          }
        }
      }
    }
  }

  private func write(_ fields: [RuleChange.Field], _ json: inout JSONWriter) {
    json.key("fields")
    json.array { json in
      for field in fields {
        json.object { json in
          json.field("name", field.name)
          if let old = field.old { json.field("old", old) }
          if let new = field.new { json.field("new", new) }
        }
      }
    }
  }

  /// Colours of changes.
  private struct Paint {
    let isOn: Bool

    func line(_ text: String, _ kind: RuleChange.Kind) -> String {
      switch kind {
      case .added: code("32", text)
      case .removed: code("31", text)
      case .changed: code("33", text)
      case .moved: code("36", text)
      }
    }

    func group(_ text: String, _ kind: RuleChange.Kind?) -> String {
      kind.map { line(text, $0) } ?? code("1", text)
    }

    private func code(_ code: String, _ text: String) -> String {
      isOn && !text.isEmpty ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
  }
}
