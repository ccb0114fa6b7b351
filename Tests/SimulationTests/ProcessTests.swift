import Foundation
import Testing

/// The program, run as users run it.
@Suite("The program sim")
struct ProcessTests {
  @Test("computes the same digests in three processes")
  func digests() throws {
    let outputs = try (0..<3).map { _ in try Self.run(["11", "--count", "4", "--digest"]) }
    #expect(outputs[0].split(separator: "\n").count == 4)
    // Each process has a hash seed of its own.
    #expect(outputs[0] == outputs[1] && outputs[1] == outputs[2])
  }

  private static func run(_ arguments: [String]) throws -> String {
    let bundle = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    let program = bundle.deletingLastPathComponent().appendingPathComponent("sim")
    try #require(FileManager.default.isExecutableFile(atPath: program.path), "build the program")
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: output, as: UTF8.self)
  }
}
