import ArgumentParser
import Config
import Kernel
import Model

/// The `--storage.*` flags that say which samples are kept; they come before `tocsin.yml`.
struct StorageOptions: ParsableArguments {
  @Option(
    name: .customLong("storage.keep"),
    help: "rules: keep what the rules need; all: everything that is scraped.")
  var keep: StorageSettings.Keep?

  @Option(
    name: .customLong("storage.retention"),
    help: "How long samples stay that no rule asks for, 2h for instance.")
  var retention: String?

  @Option(
    name: .customLong("storage.memory-limit"),
    help: "Above this size history that no rule asks for is dropped, 1GiB for instance.")
  var memoryLimit: String?

  /// The flags, read.
  func flags() throws -> StorageFlags {
    var flags = StorageFlags(keep: keep)
    if let retention {
      do {
        flags.retention = try PromDuration(parsing: retention)
      } catch {
        throw ValidationError("--storage.retention: \(error)")
      }
    }
    if let memoryLimit {
      guard let bytes = ByteSize.parse(memoryLimit) else {
        throw ValidationError(
          "--storage.memory-limit: not a valid size: \(memoryLimit); sizes look like 512MB or 1GiB")
      }
      flags.memoryLimit = bytes
    }
    return flags
  }
}

extension StorageSettings.Keep: ExpressibleByArgument {}

/// What flags say about keeping samples; nil where they are silent.
struct StorageFlags: Sendable {
  var keep: StorageSettings.Keep?
  var retention: PromDuration?
  var memoryLimit: Int?

  /// Lays the flags over what the file says.
  func apply(to settings: inout StorageSettings) {
    if let keep { settings.keep = keep }
    if let retention { settings.retention = retention }
    if let memoryLimit { settings.memoryLimit = memoryLimit }
  }
}
