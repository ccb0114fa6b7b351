import Glibc

/// The little of the file system that configuration needs: reading, listing, globbing.
package enum FileSystem {
  /// Why a file could not be read, in the system's words.
  package struct Problem: Error, Sendable, CustomStringConvertible {
    package let path: String
    package let reason: String

    package var description: String { "\(path): \(reason)" }

    package init(path: String, reason: String) {
      self.path = path
      self.reason = reason
    }
  }

  /// The content of a file; `-` is standard input.
  package static func read(_ path: String) throws(Problem) -> [UInt8] {
    let descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw problem(path) }
    defer { if path != "-" { close(descriptor) } }
    var content: [UInt8] = []
    var info = stat()
    let isRegular = fstat(descriptor, &info) == 0 && info.st_mode & S_IFMT == S_IFREG
    // One byte more than the file has: then a single read reaches its end.
    var room = isRegular ? min(max(1, Int(info.st_size) + 1), 1 << 26) : 1 << 16
    while true {
      var failure = Int32(0)
      let piece = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
        while count < buffer.count {
          let n = Glibc.read(descriptor, buffer.baseAddress?.advanced(by: count), room - count)
          if n < 0 && errno == EINTR { continue }
          if n < 0 { failure = errno }
          if n <= 0 { return }
          count += n
        }
      }
      guard failure == 0 else {
        throw Problem(path: path, reason: String(cString: strerror(failure)))
      }
      if content.isEmpty { content = piece } else { content += piece }
      if piece.count < room { return content }
      room = 1 << 16
    }
  }

  private static func problem(_ path: String) -> Problem {
    Problem(path: path, reason: String(cString: strerror(errno)))
  }

  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  package static func isDirectory(_ path: String) -> Bool { isFolder(path) == true }

  /// Whether what is there is a directory; nil for nothing at all.
  package static func isFolder(_ path: String) -> Bool? {
    var info = stat()
    return stat(path, &info) == 0 ? info.st_mode & S_IFMT == S_IFDIR : nil
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

  /// The path from the root, symbolic links resolved where the file exists.
  package static func absolute(_ path: String) -> String {
    if let resolved = realpath(path, nil) {
      defer { free(resolved) }
      return String(cString: resolved)
    }
    guard path.utf8.first != slash, let here = getcwd(nil, 0) else { return path }
    defer { free(here) }
    return join(String(cString: here), path)
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
