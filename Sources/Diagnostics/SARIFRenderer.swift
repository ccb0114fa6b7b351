import JSON

/// Renders findings as SARIF 2.1.0, the format of code scanning.
///
/// Fingerprints hold neither line numbers nor anything else that moves with edits elsewhere, so
/// that an alert keeps its identity from run to run.
package struct SARIFRenderer: Sendable {
  /// The program's version.
  package var version: String
  /// The checks there are; only those that found something are listed.
  package var checks: [CheckText]

  package init(version: String, checks: [CheckText]) {
    self.version = version
    self.checks = checks
  }

  private static let schema =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

  package func render(_ files: [CheckedFile]) -> String {
    let ids = Set(files.flatMap { $0.diagnostics.map(\.id) })
    let listed = ids.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    var index: [String: Int] = [:]
    for (i, id) in listed.enumerated() { index[id] = i }
    var json = JSONWriter()
    json.object { json in
      json.field("$schema", Self.schema)
      json.field("version", "2.1.0")
      json.key("runs")
      json.array { json in
        json.object { json in
          tool(listed, &json)
          json.field("columnKind", "unicodeCodePoints")
          json.key("results")
          json.array { json in results(files, index, &json) }
        }
      }
    }
    return json.text + "\n"
  }

  private func tool(_ ids: [String], _ json: inout JSONWriter) {
    json.key("tool")
    json.object { json in
      json.key("driver")
      json.object { json in
        json.field("name", "tocsin")
        json.field("semanticVersion", version)
        json.key("rules")
        json.array { json in for id in ids { rule(id, &json) } }
      }
    }
  }

  private func rule(_ id: String, _ json: inout JSONWriter) {
    let check = checks.first { $0.id == id }
    json.object { json in
      json.field("id", id)
      json.key("shortDescription")
      json.object { $0.field("text", (check?.summary ?? id) + ".") }
      json.key("help")
      json.object { json in
        json.field("text", check?.text ?? id)
        json.field("markdown", check?.text ?? id)
      }
      json.key("defaultConfiguration")
      json.object { $0.field("level", Self.level(check?.severity ?? .error)) }
    }
  }

  private static func level(_ severity: Severity) -> String {
    switch severity {
    case .error: "error"
    case .warning: "warning"
    case .info: "note"
    }
  }

  private func results(
    _ files: [CheckedFile], _ index: [String: Int], _ json: inout JSONWriter
  ) {
    var seen: [String: Int] = [:]
    for file in files {
      for diagnostic in file.diagnostics {
        let print = Self.fingerprint(diagnostic, file.path)
        let repetition = seen[print, default: 0]
        seen[print] = repetition + 1
        json.object { json in
          json.field("ruleId", diagnostic.id)
          json.field("ruleIndex", int: index[diagnostic.id] ?? 0)
          json.field("level", Self.level(diagnostic.severity))
          json.key("message")
          json.object {
            $0.field(
              "text", ([diagnostic.sentence] + diagnostic.remarks).joined(separator: "\n"))
          }
          json.key("locations")
          json.array { $0.object { physical(diagnostic.source, diagnostic.range, file.path, &$0) } }
          related(diagnostic, file, &json)
          fix(diagnostic, file.path, &json)
          json.key("partialFingerprints")
          json.object { $0.field("tocsinFinding/v1", "\(print):\(repetition)") }
        }
      }
    }
  }

  private func physical(
    _ source: SourceText?, _ range: SourceRange?, _ path: String, _ json: inout JSONWriter
  ) {
    json.key("physicalLocation")
    json.object { json in
      artifact(path, &json)
      if let source, let range { region("region", source, range, &json) }
    }
  }

  private func artifact(_ path: String, _ json: inout JSONWriter) {
    json.key("artifactLocation")
    json.object { $0.field("uri", PercentEncoding.encode(path, keeping: "/")) }
  }

  private func region(
    _ name: String, _ source: SourceText, _ range: SourceRange, _ json: inout JSONWriter
  ) {
    let start = source.characterPosition(at: range.start)
    let end = source.characterPosition(at: range.end)
    json.key(name)
    json.object { json in
      json.field("startLine", int: start.line)
      json.field("startColumn", int: start.column)
      json.field("endLine", int: end.line)
      json.field("endColumn", int: end.column)
    }
  }

  private func related(
    _ diagnostic: Diagnostic, _ file: CheckedFile, _ json: inout JSONWriter
  ) {
    // The list is a set by the schema.
    var seen: Set<String> = []
    let places = diagnostic.notes.filter { note in
      guard let range = note.range else { return false }
      let name = (note.source ?? diagnostic.source)?.name ?? ""
      return seen.insert("\(name)\n\(range.start)-\(range.end)\n\(note.message)").inserted
    }
    if places.isEmpty { return }
    json.key("relatedLocations")
    json.array { json in
      for note in places {
        let source = note.source ?? diagnostic.source
        let path = source === diagnostic.source ? file.path : source?.name ?? file.path
        json.object { json in
          physical(source, note.range, path, &json)
          json.key("message")
          json.object { $0.field("text", note.message) }
        }
      }
    }
  }

  private func fix(_ diagnostic: Diagnostic, _ path: String, _ json: inout JSONWriter) {
    guard let fix = diagnostic.fix, let source = diagnostic.source else { return }
    json.key("fixes")
    json.array { json in
      json.object { json in
        json.key("description")
        json.object { $0.field("text", fix.message) }
        json.key("artifactChanges")
        json.array { json in
          json.object { json in
            artifact(path, &json)
            json.key("replacements")
            json.array { json in
              json.object { json in
                region("deletedRegion", source, fix.range, &json)
                json.key("insertedContent")
                json.object { $0.field("text", fix.replacement) }
              }
            }
          }
        }
      }
    }
  }

  /// What stays the same when lines are inserted elsewhere: FNV-1a over id, path, rule, message and
  /// the text of the line.
  private static func fingerprint(_ diagnostic: Diagnostic, _ path: String) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func add(_ bytes: some Sequence<UInt8>) {
      for b in bytes { hash = (hash ^ UInt64(b)) &* 0x100_0000_01b3 }
      hash = (hash ^ 0xff) &* 0x100_0000_01b3
    }
    for text in [
      diagnostic.id, path, diagnostic.group ?? "", diagnostic.rule ?? "",
      diagnostic.message,
    ] { add(text.utf8) }
    if let source = diagnostic.source, let position = diagnostic.position {
      add(source.lineBytes(position.line).filter { $0 > 0x20 })
    }
    let hex = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - hex.utf8.count) + hex
  }
}
