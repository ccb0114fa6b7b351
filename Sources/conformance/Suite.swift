import FoundationEssentials
import JSON

/// The outcome of one kind of cases.
struct KindResult {
  let kind: String
  var cases = 0
  var passed = 0
  /// One line per failed case: which, and what differs.
  var failures: [String] = []

  init(_ kind: String) { self.kind = kind }

  /// Counts a case; nil means it passed.
  mutating func record(_ id: String, _ failure: String?) {
    cases += 1
    if let failure {
      failures.append("\(id): \(failure)")
    } else {
      passed += 1
    }
  }
}

/// A set of cases in a folder, with the way to judge them.
struct Suite {
  let kind: String
  let run: () throws -> KindResult
}

/// A folder laid out like the conformance material.
struct CaseFolder {
  let path: String

  func exists(_ relative: String) -> Bool {
    FileManager.default.fileExists(atPath: path + "/" + relative)
  }

  func bytes(_ relative: String) throws -> [UInt8] {
    try Array(Data(contentsOf: URL(filePath: path + "/" + relative)))
  }

  func text(_ relative: String) throws -> String {
    String(decoding: try bytes(relative), as: UTF8.self)
  }

  /// Names in a folder, sorted by bytes.
  func names(in relative: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path + "/" + relative)) ?? []
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// The documents of a JSON-lines file, in order.
  func lines(_ relative: String) throws -> [JSONValue] {
    try text(relative).split(separator: "\n").map { try JSONValue(parsing: $0.utf8) }
  }

  /// The rows of a tab-separated file by column name; quoted fields follow CSV rules.
  func table(_ relative: String) throws -> [[String: String]] {
    let rows = Self.rows(try text(relative))
    guard let header = rows.first else { return [] }
    return rows.dropFirst().map { row in
      Dictionary(zip(header, row), uniquingKeysWith: { first, _ in first })
    }
  }

  private static func rows(_ text: String) -> [[String]] {
    var rows: [[String]] = []
    var row: [String] = []
    var field = ""
    var quoted = false
    var scalars = text.unicodeScalars.makeIterator()
    var pending = scalars.next()
    while let c = pending {
      pending = scalars.next()
      if quoted {
        if c == "\"" {
          if pending == "\"" {
            field.unicodeScalars.append(c)
            pending = scalars.next()
          } else {
            quoted = false
          }
        } else {
          field.unicodeScalars.append(c)
        }
      } else if c == "\"" && field.isEmpty {
        quoted = true
      } else if c == "\t" {
        row.append(field)
        field = ""
      } else if c == "\r" && (pending == "\n" || pending == nil) {
        continue
      } else if c == "\n" {
        rows.append(row + [field])
        row = []
        field = ""
      } else {
        field.unicodeScalars.append(c)
      }
    }
    if !field.isEmpty || !row.isEmpty { rows.append(row + [field]) }
    return rows
  }
}

/// Compares one text with the expected one.
func difference(_ what: String, _ got: String?, _ wanted: String?) -> String? {
  if let got, let wanted, got.utf8.elementsEqual(wanted.utf8) { return nil }
  if got == nil && wanted == nil { return nil }
  return "\(what) is \(quoted(got)), expected \(quoted(wanted))"
}

private func quoted(_ text: String?) -> String {
  guard let text else { return "nothing" }
  var writer = JSONWriter()
  writer.string(text)
  return writer.text
}
