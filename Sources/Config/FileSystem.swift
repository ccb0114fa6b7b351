import Glibc

/// The little of the file system that configuration needs: reading, listing, globbing.
package enum FileSystem {
  /// Why a file could not be read, in the system's words.
  package struct Problem: Error, Sendable, CustomStringConvertible {
    package let path: String
    package let reason: String

    package var description: String { "\(path): \(reason)" }
  }

  /// The content of a file; `-` is standard input.
  package static func read(_ path: String) throws(Problem) -> [UInt8] {
    let descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw problem(path) }
    defer { if path != "-" { close(descriptor) } }
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let n = Glibc.read(descriptor, &buffer, buffer.count)
      if n < 0 && errno == EINTR { continue }
      guard n >= 0 else { throw problem(path) }
      if n == 0 { return content }
      content += buffer[..<n]
    }
  }

  private static func problem(_ path: String) -> Problem {
    Problem(path: path, reason: String(cString: strerror(errno)))
  }

  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  package static func isDirectory(_ path: String) -> Bool {
    var info = stat()
    return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
  }

  /// The names in a directory, sorted by bytes, without `.` and `..`; none if it cannot be read.
  package static func names(in directory: String) -> [String] {
    guard let handle = opendir(directory.isEmpty ? "." : directory) else { return [] }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// `base` and `path` joined, unless `path` is absolute or empty.
  package static func join(_ base: String, _ path: String) -> String {
    if path.isEmpty || path.utf8.first == slash { return path }
    if base.isEmpty || base == "." { return path }
    return base.utf8.last == slash ? base + path : base + "/" + path
  }

  /// The directory part of a path; `.` where there is none.
  package static func directory(of path: String) -> String {
    guard let last = path.utf8.lastIndex(of: slash) else { return "." }
    return last == path.utf8.startIndex ? "/" : String(path[..<last])
  }

  /// The last element of a path.
  package static func name(of path: String) -> String {
    guard let last = path.utf8.lastIndex(of: slash) else { return path }
    return String(path[path.utf8.index(after: last)...])
  }

  private static let slash = UInt8(ascii: "/")
}
