/// Good messages of the binary formats, and the bytes that mean something in them.
enum BinaryCorpus {
  static func texts(of subject: FuzzSubject) -> [[UInt8]] {
    switch subject {
    case .protobuf: protobuf.map(bytes)
    case .remoteWrite: remoteWrite.map(bytes)
    case .snappy: snappy.map(bytes)
    case .dns: dns.map(bytes)
    default: [[]]
    }
  }

  /// Long lengths, numbers that do not end, tags of every type, pointers.
  static let pieces: [[UInt8]] = [
    [0xff], [0x80], [0, 0], [0xff, 0xff, 0xff, 0xff, 0x0f],
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80], [0x0a], [0x09], [0x08],
    [0x0d], [0x0b], [0x22], [0x3a], [0x62], [0x6a], [0xc0, 0x0c], [0xc0, 0x00], [0x3f], [0xfe],
    [0xfc, 0xff, 0xff, 0xff, 0xff], [0x05, 0x00],
  ]

  private static func bytes(_ hex: String) -> [UInt8] {
    let digits = Array(hex.utf8).map { $0 < 0x3a ? $0 - 0x30 : $0 - 0x57 }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  private static let protobuf = [
    "390a07615f746f74616c120468656c70180022260a060a01781201311a1c09000000000000144012"
      + "110a060a017412017911000000000000f03f7e0a0168120468656c70180422710a060a0163120132"
      + "3a6008af01110000000000000c401a1e080411000000000000e03f1a110a060a0174120178119a99"
      + "99999999d93f1a0b083c11000000000000f03f280631fca9f1d24d62503f38026204080010016204"
      + "080410036a04020401064a040802100150023080d095ffbc31",
    "2e0a0173120468656c7018022221221f08071100000000000020401a1209ae47e17a14aeef3f1100"
      + "000000000000401f0a0167120468656c70180122120a050a01781200120909000000000000f0bf18"
      + "0a0175120468656c701803220b2a09090000000000000040",
  ]

  private static let remoteWrite = [
    "0a560a0d0a085f5f6e616d655f5f12016d0a060a0161120162121009000000000000f83f1080d095"
      + "ffbc31222b08051900000000000004402004297b14ae47e17a843f30015a04080010026202060370"
      + "017880d095ffbc31",
    "220022085f5f6e616d655f5f22016d2201612201622a680a0401020304121709000000000000f03f"
      + "1080d095ffbc31188080babbc82e1a47110000000000001440190000000000000440206939000000"
      + "00000000005a04080010026a1000000000000000400000000000000840820108000000000000e03f"
      + "7880d095ffbc31",
  ]

  private static let snappy = [
    "141061626364652e05000878797a",
    "0c00611d01",
  ]

  private static let dns = [
    "000181800001000300000000017804746573740000210001c00c002100010000003c001000010002"
      + "238c01610178047465737400c00c000100010000003c00040a000007c00c000f00010000003c0004"
      + "000ac00c"
  ]
}
