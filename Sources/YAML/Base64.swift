/// RFC 4648 base64 with padding; line breaks are skipped.
enum Base64 {
  static func decode(_ text: String) -> [UInt8]? {
    var out: [UInt8] = []
    var buffer: UInt32 = 0
    var bits = 0
    var count = 0
    var padding = 0
    for b in text.utf8 where b != 0x0a && b != 0x0d {
      count += 1
      let value: UInt8
      switch b {
      case 0x41...0x5a: value = b - 0x41
      case 0x61...0x7a: value = b - 0x61 + 26
      case 0x30...0x39: value = b - 0x30 + 52
      case 0x2b: value = 62
      case 0x2f: value = 63
      case 0x3d:
        padding += 1
        continue
      default: return nil
      }
      if padding > 0 { return nil }
      buffer = buffer << 6 | UInt32(value)
      bits += 6
      if bits >= 8 {
        bits -= 8
        out.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
      }
    }
    return count % 4 == 0 && padding <= 2 ? out : nil
  }
}
