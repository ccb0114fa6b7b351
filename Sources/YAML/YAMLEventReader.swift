import CYAML
import Diagnostics

/// One event of libyaml, in Swift's words.
struct YAMLEvent {
  enum Kind {
    case streamStart, streamEnd, documentStart, documentEnd
    case alias(String)
    case scalar(String, YAMLNode.ScalarStyle)
    case sequenceStart, sequenceEnd, mappingStart, mappingEnd
  }

  var kind: Kind
  var anchor: String?
  var tag: String?
  var start: yaml_mark_t
  var end: yaml_mark_t
  /// Whether a collection was written with brackets.
  var isFlow = false
}

/// Owns a libyaml parser over bytes that outlive it.
struct YAMLEventReader: ~Copyable {
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let offsets: CharacterOffsets

  init(_ bytes: UnsafeBufferPointer<UInt8>, offsets: CharacterOffsets) {
    parser = .allocate(capacity: 1)
    let made = yaml_parser_initialize(parser)
    precondition(made == 1, "libyaml could not allocate a parser")
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    let text = UnsafeBufferPointer(rebasing: bytes[offsets.markLength...])
    yaml_parser_set_input_string(parser, text.baseAddress, text.count)
    self.offsets = offsets
  }

  deinit {
    yaml_parser_delete(parser)
    parser.deallocate()
  }

  func next() throws(YAMLProblem) -> YAMLEvent {
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) == 1 else { throw problem() }
    defer { yaml_event_delete(&event) }
    var out = YAMLEvent(kind: .streamEnd, start: event.start_mark, end: event.end_mark)
    switch event.type {
    case YAML_STREAM_START_EVENT: out.kind = .streamStart
    case YAML_DOCUMENT_START_EVENT:
      out.kind = .documentStart
      // Prometheus' reader knows YAML 1.1 by name only, although it reads much of 1.2.
      if let version = event.data.document_start.version_directive?.pointee,
        version.major != 1 || version.minor != 1
      {
        let start = offsets.byte(event.start_mark)
        throw YAMLProblem(
          id: "yaml/syntax", "found incompatible YAML document",
          range: SourceRange(start, offsets.byte(event.end_mark)),
          label: "the directive may only say `%YAML 1.1`")
      }
    case YAML_DOCUMENT_END_EVENT: out.kind = .documentEnd
    case YAML_ALIAS_EVENT: out.kind = .alias(text(event.data.alias.anchor) ?? "")
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      let value = String(
        decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
      out.kind = .scalar(value, style(scalar.style))
      out.anchor = text(scalar.anchor)
      out.tag = text(scalar.tag)
    case YAML_SEQUENCE_START_EVENT:
      out.kind = .sequenceStart
      out.anchor = text(event.data.sequence_start.anchor)
      out.tag = text(event.data.sequence_start.tag)
      out.isFlow = event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE
    case YAML_SEQUENCE_END_EVENT: out.kind = .sequenceEnd
    case YAML_MAPPING_START_EVENT:
      out.kind = .mappingStart
      out.anchor = text(event.data.mapping_start.anchor)
      out.tag = text(event.data.mapping_start.tag)
      out.isFlow = event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
    case YAML_MAPPING_END_EVENT: out.kind = .mappingEnd
    default: out.kind = .streamEnd
    }
    return out
  }

  private func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    pointer.map { String(cString: $0) }
  }

  private func style(_ style: yaml_scalar_style_t) -> YAMLNode.ScalarStyle {
    switch style {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
    case YAML_LITERAL_SCALAR_STYLE: .literal
    case YAML_FOLDED_SCALAR_STYLE: .folded
    default: .plain
    }
  }

  /// libyaml's error with its places, and a hint where its wording is hard to act on.
  private func problem() -> YAMLProblem {
    let p = parser.pointee
    let message = p.problem.map { String(cString: $0) } ?? "the text could not be read"
    if p.error == YAML_READER_ERROR {
      let at = min(Int(p.problem_offset) + offsets.markLength, offsets.byteCount)
      return YAMLProblem(
        id: "yaml/syntax", message, range: SourceRange(at, min(at + 1, offsets.byteCount)))
    }
    let at = offsets.byte(p.problem_mark)
    var notes: [Diagnostic.Note] = []
    if let context = p.context {
      let from = offsets.byte(p.context_mark)
      notes.append(Diagnostic.Note(String(cString: context), range: SourceRange(from, from + 1)))
    }
    // Prometheus' reader prefers the context's line, and adds one only for the scanner's errors.
    let line = p.context_mark.line != 0 ? p.context_mark.line : p.problem_mark.line
    let reference = line == 0 ? nil : Int(line) + (p.error == YAML_SCANNER_ERROR ? 1 : 0)
    return YAMLProblem(
      id: "yaml/syntax", message, range: SourceRange(at, min(at + 1, offsets.byteCount)),
      label: hint(message, at), notes: notes, referenceLine: reference)
  }

  private func hint(_ message: String, _ at: Int) -> String? {
    let found = offsets.byteValue(at)
    switch message {
    case "found character that cannot start any token" where found == 0x09:
      return "a tab cannot indent"
    case "found character that cannot start any token":
      return "a value that starts with this character needs quotes"
    case "mapping values are not allowed in this context":
      return "a value that holds `: ` needs quotes"
    case "did not find expected key", "did not find expected '-' indicator":
      return "is the indentation right?"
    case "could not find expected ':'":
      return "a key ends with a colon"
    default: return nil
    }
  }
}

/// Turns libyaml's character counts into byte offsets.
final class CharacterOffsets: Sendable {
  /// Byte offset of every character; empty for ASCII, where both are the same.
  private let table: [Int32]
  private let bytes: [UInt8]
  /// Length of a byte order mark, which libyaml must not see: it would count as indentation.
  let markLength: Int

  var byteCount: Int { bytes.count }

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    markLength = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    var table: [Int32] = []
    if bytes.contains(where: { $0 >= 0x80 }) {
      table.reserveCapacity(bytes.count)
      for i in markLength..<bytes.count where bytes[i] & 0xc0 != 0x80 { table.append(Int32(i)) }
    }
    self.table = table
  }

  func byte(_ mark: yaml_mark_t) -> Int {
    let index = Int(mark.index)
    if table.isEmpty { return min(index, bytes.count) }
    return index < table.count ? Int(table[index]) : bytes.count
  }

  func byteValue(_ at: Int) -> UInt8? { at < bytes.count ? bytes[at] : nil }
}
