import CCurl
import Glibc

/// Decodes a gzip body as it arrives; knows whether the whole of it came.
final class Inflater {
  private static let room = 64 << 10

  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private let output = UnsafeMutablePointer<UInt8>.allocate(capacity: Inflater.room)
  private let isReady: Bool
  /// At least one member was read to its end, and nothing of another has begun.
  private(set) var isComplete = false

  init() {
    stream.initialize(to: z_stream())
    isReady = tcurl_inflate_start(stream) == Z_OK
  }

  deinit {
    if isReady { inflateEnd(stream) }
    stream.deallocate()
    output.deallocate()
  }

  /// Decodes bytes and hands them on until `take` says no.
  ///
  /// - Returns: what is wrong with the data, in Go's words, or nil.
  func decode(
    _ bytes: UnsafeRawBufferPointer, take: (UnsafeRawBufferPointer) -> Bool
  ) -> String? {
    guard isReady else { return "gzip: out of memory" }
    guard let start = bytes.baseAddress, bytes.count > 0 else { return nil }
    stream.pointee.next_in = UnsafeMutablePointer(
      mutating: start.assumingMemoryBound(to: Bytef.self))
    stream.pointee.avail_in = uInt(bytes.count)
    while true {
      if isComplete {
        if stream.pointee.avail_in == 0 { return nil }
        // Another member follows: gzip files may be chained.
        inflateReset(stream)
        isComplete = false
      }
      stream.pointee.next_out = output
      stream.pointee.avail_out = uInt(Self.room)
      let result = inflate(stream, Z_NO_FLUSH)
      let count = Self.room - Int(stream.pointee.avail_out)
      if count > 0, !take(UnsafeRawBufferPointer(start: output, count: count)) { return nil }
      switch result {
      case Z_STREAM_END: isComplete = true
      case Z_OK: if stream.pointee.avail_in == 0 && stream.pointee.avail_out > 0 { return nil }
      case Z_BUF_ERROR: return nil
      default: return problem(result)
      }
    }
  }

  private func problem(_ result: Int32) -> String {
    if result == Z_MEM_ERROR { return "gzip: out of memory" }
    let message = stream.pointee.msg.map { String(cString: $0) } ?? ""
    switch message {
    case "incorrect header check", "unknown compression method": return "gzip: invalid header"
    case "incorrect data check", "incorrect length check": return "gzip: invalid checksum"
    default: return "flate: corrupt input: \(message)"
    }
  }
}
