import Foundation
import Glibc
import TestSupport
import Testing

/// One run of the built program.
struct Command {
  /// What came of it.
  struct Outcome {
    var status: Int32
    var output: String
    var complaints: String
  }

  var arguments: [String]
  var input = ""
  var environment: [String: String] = [:]
  /// Where it runs; kept here so that it lives as long as the command.
  var folder: TemporaryFolder

  init(_ arguments: String..., in folder: TemporaryFolder, input: String = "") {
    self.arguments = arguments
    self.folder = folder
    self.input = input
  }

  /// The program beside the test bundle.
  private static let program: URL = {
    let bundle = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    return bundle.deletingLastPathComponent().appendingPathComponent("tocsin")
  }()

  /// Runs it to its end with pipes for all three streams.
  func run() throws -> Outcome {
    // Files, not pipes: nobody has to read while it runs.
    let files = try TemporaryFolder(["in": input, "out": "", "err": ""])
    let process = try process()
    let handles = try ["in", "out", "err"].map { name in
      let path = files.path + "/" + name
      return try #require(
        name == "in" ? FileHandle(forReadingAtPath: path) : FileHandle(forWritingAtPath: path))
    }
    process.standardInput = handles[0]
    process.standardOutput = handles[1]
    process.standardError = handles[2]
    try process.run()
    process.waitUntilExit()
    func text(_ name: String) throws -> String {
      try String(contentsOfFile: files.path + "/" + name, encoding: .utf8)
    }
    return Outcome(
      status: process.terminationStatus, output: try text("out"), complaints: try text("err"))
  }

  /// Runs it on a terminal and returns what it wrote there.
  func runOnTerminal() throws -> String {
    let master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    var lock: Int32 = 0
    var number: UInt32 = 0
    // TIOCSPTLCK and TIOCGPTN of linux/tty: unlock the other end and ask for its number.
    try #require(ioctl(master, 0x4004_5431, &lock) == 0 && ioctl(master, 0x8004_5430, &number) == 0)
    let slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
    let process = try process()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle(fileDescriptor: slave)
    process.standardError = FileHandle(fileDescriptor: slave)
    try process.run()
    close(slave)
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    // Reading fails once the last writer is gone.
    while case let n = read(master, &buffer, buffer.count), n > 0 { text += buffer[..<n] }
    process.waitUntilExit()
    close(master)
    return String(decoding: text, as: UTF8.self)
  }

  private func process() throws -> Process {
    let process = Process()
    try #require(
      FileManager.default.isExecutableFile(atPath: Self.program.path), "build the program first")
    process.executableURL = Self.program
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    // Nothing of the developer's settings: no proxy, no colours, no width.
    process.environment = ["PATH": "/usr/bin:/bin", "TERM": "xterm"].merging(environment) { $1 }
    return process
  }
}
