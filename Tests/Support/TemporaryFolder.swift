import Glibc

/// A folder of its own for one test, removed with its files at the end.
package final class TemporaryFolder {
  package let path: String

  /// Makes the folder with files in it, by relative path.
  package init(_ files: [String: String] = [:]) throws {
    var template = Array("/tmp/tocsin-test-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw Failure() }
    path = String(cString: made)
    for (name, text) in files.sorted(by: { $0.key < $1.key }) { try write(name, text) }
  }

  private struct Failure: Error {}

  /// Writes a file, and the folders on the way to it.
  package func write(_ name: String, _ text: String) throws {
    var folder = path
    for part in name.split(separator: "/").dropLast() {
      folder += "/" + part
      mkdir(folder, 0o755)
    }
    guard let file = fopen(path + "/" + name, "w") else { throw Failure() }
    defer { fclose(file) }
    let bytes = Array(text.utf8)
    if fwrite(bytes, 1, bytes.count, file) != bytes.count { throw Failure() }
  }

  deinit { Self.remove(path) }

  private static func remove(_ path: String) {
    if let handle = opendir(path) {
      while let entry = readdir(handle) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
          String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != "." && name != ".." { remove(path + "/" + name) }
      }
      closedir(handle)
    }
    Glibc.remove(path)
  }
}
