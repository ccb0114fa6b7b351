import JSON

/// Renders diagnostics as one JSON object for programs.
///
/// `version` is that of this layout. Columns count UTF-8 bytes from 1, as Prometheus' do, and
/// `endLine`,
/// `endColumn` stand right behind the last byte.
package enum JSONRenderer {
  /// The whole document, ending with a line feed; `extra` adds members behind the summary.
  package static func render(
    _ diagnostics: [Diagnostic], extra: (inout JSONWriter) -> Void = { _ in }
  ) -> String {
    let set = DiagnosticSet(diagnostics)
    var json = JSONWriter()
    json.object { json in
      json.field("version", int: 1)
      json.field("columns", "utf-8 bytes")
      json.key("summary")
      json.object { json in
        json.field("errors", int: set.count(.error))
        json.field("warnings", int: set.count(.warning))
        json.field("infos", int: set.count(.info))
      }
      extra(&json)
      json.key("problems")
      json.array { json in
        for diagnostic in diagnostics { problem(diagnostic, &json) }
      }
    }
    return json.text + "\n"
  }

  private static func problem(_ d: Diagnostic, _ json: inout JSONWriter) {
    json.object { json in
      json.field("check", d.id)
      json.field("severity", d.severity.rawValue)
      optional("file", d.source?.name, &json)
      place(d.source, d.range, &json)
      optional("group", d.group, &json)
      optional("rule", d.rule, &json)
      json.field("message", d.message)
      optional("detail", detail(d), &json)
      json.field("docs", "docs/checking-rules.md#" + d.id.filter { $0 != "/" })
      let related = d.notes.filter { $0.range != nil }
      if !related.isEmpty {
        json.key("related")
        json.array { json in
          for note in related {
            let source = note.source ?? d.source
            json.object { json in
              json.field("message", note.message)
              optional("file", source?.name, &json)
              place(source, note.range, &json)
            }
          }
        }
      }
      json.key("fix")
      guard let fix = d.fix else { return json.null() }
      json.object { json in
        json.field("message", fix.message)
        place(d.source, fix.range, &json)
        json.field("replacement", fix.replacement)
        json.field("certain", bool: fix.isCertain)
      }
    }
  }

  private static func optional(_ name: String, _ value: String?, _ json: inout JSONWriter) {
    json.key(name)
    if let value { json.string(value) } else { json.null() }
  }

  private static func place(
    _ source: SourceText?, _ range: SourceRange?, _ json: inout JSONWriter
  ) {
    guard let source, let range else {
      for name in ["line", "column", "endLine", "endColumn"] { json.field(name, raw: "null") }
      return
    }
    let start = source.position(at: range.start)
    let end = source.position(at: range.end)
    json.field("line", int: start.line)
    json.field("column", int: start.column)
    json.field("endLine", int: end.line)
    json.field("endColumn", int: end.column)
  }

  /// The label and the notes without a place of their own.
  private static func detail(_ d: Diagnostic) -> String? {
    let parts = [d.label].compactMap { $0 } + d.notes.filter { $0.range == nil }.map(\.message)
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }
}
