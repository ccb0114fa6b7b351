import Foundation

/// The project's files as the house rules see them.
struct SourceTree {
  let root: URL
  /// Swift files below `Sources` and `Tests`, by path.
  let swift: [SourceFile]

  static let project = SourceTree(containing: #filePath)

  /// The tree around a file that lies two folders below the root's `Tests`.
  init(containing testFile: String) {
    let file = URL(fileURLWithPath: testFile).resolvingSymlinksInPath()
    root = file.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let root = root
    swift = ["Sources", "Tests"].flatMap { Self.paths(below: $0, of: root, suffix: ".swift") }
      .sorted()
      .compactMap { path in
        (try? Data(contentsOf: root.appendingPathComponent(path)))
          .map { SourceFile(path: path, bytes: Array($0)) }
      }
  }

  /// Paths relative to the root, without hidden folders.
  static func paths(below folder: String, of root: URL, suffix: String) -> [String] {
    let start = root.appendingPathComponent(folder).resolvingSymlinksInPath()
    let all = FileManager.default.enumerator(
      at: start, includingPropertiesForKeys: nil, options: [.skipsHiddenFiles])
    var found: [String] = []
    while let url = all?.nextObject() as? URL {
      guard url.lastPathComponent.hasSuffix(suffix) else { continue }
      let inner = url.path.dropFirst(start.path.count).drop { $0 == "/" }
      found.append(folder.isEmpty ? String(inner) : "\(folder)/\(inner)")
    }
    return found
  }

  func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
  }

  /// Names of the folders in a folder, sorted.
  func folders(in path: String) -> [String] {
    let start = root.appendingPathComponent(path)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: start.path)) ?? []
    return names.filter { name in
      var isFolder: ObjCBool = false
      let full = start.appendingPathComponent(name).path
      return FileManager.default.fileExists(atPath: full, isDirectory: &isFolder)
        && isFolder.boolValue
    }.sorted()
  }
}

/// One Swift file: as written, and with everything blanked that is not code.
struct SourceFile {
  let path: String
  let bytes: [UInt8]
  /// As long as `bytes`: comments and the contents of string literals are blanks.
  let code: [UInt8]
  /// Offsets at which lines begin.
  let lineStarts: [Int]
  /// Lines (from 1) that begin inside a multi-line string literal.
  let textLines: Set<Int>

  init(path: String, bytes: [UInt8]) {
    self.path = path
    self.bytes = bytes
    var blanking = Blanking(bytes)
    code = blanking.run()
    let starts = [0] + bytes.indices.filter { bytes[$0] == 0x0a }.map { $0 + 1 }
    lineStarts = starts
    let textStarts = blanking.textLineStarts
    textLines = Set(starts.indices.filter { textStarts.contains(starts[$0]) }.map { $0 + 1 })
  }

  init(path: String, text: String) {
    self.init(path: path, bytes: Array(text.utf8))
  }

  /// `Sources/Kernel/Event.swift` lies in room `Kernel`.
  var room: String {
    let parts = path.split(separator: "/")
    return parts.count > 2 ? String(parts[1]) : ""
  }

  var isSource: Bool { path.hasPrefix("Sources/") }

  /// Lines as written; an empty last one does not count.
  var lines: [String] {
    var all = lineStarts.indices.map { line(at: $0, of: bytes) }
    if all.last?.isEmpty == true { all.removeLast() }
    return all
  }

  /// Lines of code, without comments and texts.
  var codeLines: [String] { lineStarts.indices.map { line(at: $0, of: code) } }

  private func line(at index: Int, of source: [UInt8]) -> String {
    let end = index + 1 < lineStarts.count ? lineStarts[index + 1] - 1 : source.count
    return String(decoding: source[lineStarts[index]..<max(lineStarts[index], end)], as: UTF8.self)
  }

  /// The number, from 1, of the line an offset lies in.
  func lineNumber(at offset: Int) -> Int {
    var low = 0
    var high = lineStarts.count
    while low < high {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Lines in which a text occurs, but not as part of a longer name.
  func lines(with needle: String, in source: [UInt8]) -> [Int] {
    let wanted = Array(needle.utf8)
    guard let first = wanted.first, let last = wanted.last else { return [] }
    var found: [Int] = []
    for start in Self.occurrences(of: wanted, in: source) {
      let end = start + wanted.count
      if first.isNamePart, start > 0, source[start - 1].isNamePart { continue }
      if last.isNamePart, end < source.count, source[end].isNamePart { continue }
      let line = lineNumber(at: start)
      if found.last != line { found.append(line) }
    }
    return found
  }

  private static func occurrences(of needle: [UInt8], in source: [UInt8]) -> [Int] {
    var found: [Int] = []
    source.withUnsafeBytes { all in
      guard let base = all.baseAddress, let first = needle.first else { return }
      var from = 0
      while from + needle.count <= all.count,
        let hit = memchr(base + from, Int32(first), all.count - needle.count - from + 1)
      {
        let offset = base.distance(to: hit)
        if memcmp(hit, needle, needle.count) == 0 { found.append(offset) }
        from = offset + 1
      }
    }
    return found
  }
}

extension UInt8 {
  /// Letters, digits, underscore, and whatever is not ASCII.
  var isNamePart: Bool {
    switch self {
    case 0x30...0x39, 0x41...0x5a, 0x5f, 0x61...0x7a, 0x80...: true
    default: false
    }
  }
}
