/// Renders findings as Checkstyle's XML, which most build servers read.
package enum CheckstyleRenderer {
  package static func render(_ files: [CheckedFile]) -> String {
    var out = XMLText.declaration + XMLText.tag("checkstyle", [("version", "4.3")]) + "\n"
    for file in files {
      out += "  " + XMLText.tag("file", [("name", file.path)]) + "\n"
      for diagnostic in file.diagnostics {
        var attributes: [(name: String, value: String)] = []
        let place = diagnostic.source.flatMap { source in
          diagnostic.range.map { source.characterPosition(at: $0.start) }
        }
        attributes.append(("line", "\(place?.line ?? 1)"))
        attributes.append(("column", "\(place?.column ?? 1)"))
        attributes.append(("severity", diagnostic.severity.rawValue))
        attributes.append(
          ("message", ([diagnostic.sentence] + diagnostic.remarks).joined(separator: "\n")))
        attributes.append(("source", "tocsin." + diagnostic.id))
        out += "    " + XMLText.tag("error", attributes, isEmpty: true) + "\n"
      }
      out += "  </file>\n"
    }
    return out + "</checkstyle>\n"
  }
}
