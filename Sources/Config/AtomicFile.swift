import Glibc

/// Replaces a file as a whole or not at all.
package enum AtomicFile {
  /// Writes the new content beside the file and puts it in its place; the mode stays.
  package static func replace(
    _ path: String, with bytes: [UInt8]
  ) throws(FileSystem.Problem) {
    // A link stays a link: the file behind it is replaced.
    let target = resolved(path)
    var template = Array((target + ".XXXXXX").utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw problem(path) }
    let temporary = String(
      decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    var info = stat()
    let mode = stat(target, &info) == 0 ? info.st_mode & 0o7777 : 0o644
    var isWritten = fchmod(descriptor, mode) == 0
    var rest = bytes[...]
    while isWritten, !rest.isEmpty {
      let n = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if n < 0 && errno == EINTR { continue }
      if n <= 0 { isWritten = false } else { rest = rest.dropFirst(n) }
    }
    isWritten = isWritten && fsync(descriptor) == 0
    let problem = problem(path)
    close(descriptor)
    guard isWritten, rename(temporary, target) == 0 else {
      unlink(temporary)
      throw problem
    }
  }

  private static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  private static func problem(_ path: String) -> FileSystem.Problem {
    FileSystem.Problem(path: path, reason: String(cString: strerror(errno)))
  }
}
