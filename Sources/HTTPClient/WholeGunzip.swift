import CCurl

/// Decodes gzip bodies that are there as a whole, in one go.
///
/// What is unusual is left to `Inflater`, whose verdict counts: this one never refuses anything.
final class WholeGunzip {
  /// Deflate makes of one byte at most this many.
  private static let mostExpansion = 1032
  /// A header, an empty block and a trailer.
  private static let shortest = 20

  private let decompressor = libdeflate_alloc_decompressor()

  deinit { libdeflate_free_decompressor(decompressor) }

  /// The decoded bytes, fewer than `limit`.
  ///
  /// - Returns: nil for several members, a checksum of the header, too long a body, damaged data.
  func decode(_ bytes: [UInt8], below limit: Int) -> [UInt8]? {
    let count = bytes.count
    guard let decompressor, count >= Self.shortest, bytes[0] == 0x1f, bytes[1] == 0x8b,
      bytes[3] & 2 == 0
    else { return nil }
    var size = 0
    for i in 1...4 { size = size << 8 | Int(bytes[count - i]) }
    guard size > 0, size < limit, size / Self.mostExpansion <= count else { return nil }
    var isWhole = false
    let decoded = [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
      bytes.withUnsafeBytes { raw in
        var (read, written) = (0, 0)
        let result = libdeflate_gzip_decompress_ex(
          decompressor, raw.baseAddress, count, buffer.baseAddress, size, &read, &written)
        isWhole = result == LIBDEFLATE_SUCCESS && read == count && written == size
      }
      initialized = isWhole ? size : 0
    }
    return isWhole ? decoded : nil
  }
}
