import Model
import TestSupport
import Testing

@testable import Exposition

@Suite struct NumberTests {
  private func fast(_ text: String) -> Double? {
    Array((text + "\n").utf8).withUnsafeBufferPointer { buffer in
      guard var p = buffer.baseAddress else { return nil }
      let value = DecimalReader.shared.read(&p)
      if value != nil { #expect(p[0] == UInt8(ascii: "\n")) }
      return value
    }
  }

  private func go(_ text: String) throws(ExpositionProblem) -> Double {
    try Array(text.utf8).withUnsafeBufferPointer(GoNumber.value)
  }

  @Test func fastReadsAreExact() {
    var random = SeededGenerator(seed: 3)
    for _ in 0..<200_000 {
      let digits =
        UInt64.random(in: 0...UInt64.max, using: &random)
        >> UInt64.random(in: 0..<64, using: &random)
      let exponent = Int.random(in: -30...30, using: &random)
      let text = "\(digits)e\(exponent)"
      if let value = fast(text) { #expect(value == Double(text), "\(text)") }
      let v = Double(bitPattern: UInt64.random(in: 0...UInt64.max, using: &random))
      if v.isFinite, let value = fast(NumberText.general(v)) { #expect(value == v) }
    }
    // Halfway cases.
    for text in ["9007199254740993", "9007199254740995", "1.5e-5", "4503599627370496.5", "0"] {
      #expect(fast(text) == Double(text), "\(text)")
    }
    #expect(fast("-0")?.sign == .minus)
  }

  @Test func whatTheFastReaderLeaves() {
    for text in ["", ".", "-", "e5", "1e", "NaN", "Inf", "12345678901234567890", "1e400", "1e28"] {
      #expect(fast(text) == nil, "\(text)")
    }
  }

  @Test func goGrammar() throws {
    for (text, value) in [
      ("1", 1), ("+1.5", 1.5), (".5", 0.5), ("5.", 5), ("1e5", 1e5), ("1E-2", 0.01),
      ("inf", Double.infinity), ("-Infinity", -.infinity), ("+Inf", .infinity),
      ("0.00000000000000000000000001", 1e-26), ("123456789012345678901", 123456789012345683968),
    ] {
      #expect(try go(text) == value, "\(text)")
    }
    #expect(try go("nan").isNaN)
    for text in ["", "+nan", "1e", "0x10", "1 ", "--1", "infinit", "1.2.3", "é"] {
      #expect(throws: ExpositionProblem.self, "\(text)") { try go(text) }
    }
    #expect(throws: ExpositionProblem("unsupported character in float")) { try go("1_0") }
    #expect(
      throws: ExpositionProblem("strconv.ParseFloat: parsing \"1e400\": value out of range")
    ) { try go("1e400") }
  }
}
