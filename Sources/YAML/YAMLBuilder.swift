import CYAML
import Diagnostics

/// Builds the node tree from libyaml's events.
struct YAMLBuilder {
  private let source: SourceText
  private let limits: YAMLDocument.Limits
  private let offsets: CharacterOffsets
  private var anchors: [String: YAMLNode] = [:]
  /// Anchors whose node is still being read.
  private var open: [String] = []
  /// Nodes below each anchored node, itself included, counted once per alias.
  private var weights: [String: Int] = [:]
  private var depth = 0

  init(source: SourceText, limits: YAMLDocument.Limits) {
    self.source = source
    self.limits = limits
    offsets = CharacterOffsets(source.bytes)
  }

  /// The root of the first document; nil for an empty stream.
  mutating func build(_ bytes: UnsafeBufferPointer<UInt8>) throws(YAMLProblem) -> YAMLNode? {
    let reader = YAMLEventReader(bytes, offsets: offsets)
    _ = try reader.next()
    guard case .documentStart = try reader.next().kind else { return nil }
    let root = try node(try reader.next(), reader)
    // A document ends where the next token allows it: this reads that token.
    _ = try reader.next()
    return root.node
  }

  private typealias Built = (node: YAMLNode, weight: Int, end: Int)

  private mutating func node(
    _ event: YAMLEvent, _ reader: borrowing YAMLEventReader
  ) throws(YAMLProblem) -> Built {
    depth += 1
    defer { depth -= 1 }
    let start = offsets.byte(event.start)
    if depth > limits.depth {
      throw YAMLProblem(
        id: "yaml/limit", "nested more than \(limits.depth) levels deep",
        range: SourceRange(start, start + 1))
    }
    if let anchor = event.anchor { open.append(anchor) }
    let built: Built
    switch event.kind {
    case .alias(let name): built = try alias(name, event)
    case .scalar(let text, let style): built = scalar(text, style, event)
    case .sequenceStart: built = try sequence(event, reader)
    case .mappingStart: built = try mapping(event, reader)
    default: preconditionFailure("libyaml sent an event out of order")
    }
    if built.weight > limits.expandedNodes {
      throw YAMLProblem(
        id: "yaml/limit", "document contains excessive aliasing", range: built.node.range)
    }
    if let anchor = event.anchor {
      open.removeLast()
      anchors[anchor] = built.node
      weights[anchor] = built.weight
    }
    return built
  }

  private func make(
    _ kind: YAMLNode.Kind, _ event: YAMLEvent, _ range: SourceRange
  ) -> YAMLNode {
    let mark = SourcePosition(line: Int(event.start.line) + 1, column: Int(event.start.column) + 1)
    return YAMLNode(kind: kind, source: source, range: range, mark: mark, tag: event.tag)
  }

  private func alias(_ name: String, _ event: YAMLEvent) throws(YAMLProblem) -> Built {
    let range = SourceRange(offsets.byte(event.start), offsets.byte(event.end))
    if open.contains(where: { $0.utf8.elementsEqual(name.utf8) }) {
      throw YAMLProblem(
        id: "yaml/anchor", "anchor '\(name)' value contains itself", range: range)
    }
    guard let target = anchors[name] else {
      throw YAMLProblem(id: "yaml/anchor", "unknown anchor '\(name)' referenced", range: range)
    }
    return (make(.alias(target), event, range), weights[name] ?? 1, range.end)
  }

  private func scalar(
    _ text: String, _ style: YAMLNode.ScalarStyle, _ event: YAMLEvent
  ) -> Built {
    let start = contentStart(event)
    var end = max(start, offsets.byte(event.end))
    if style == .literal || style == .folded {
      while end > start, source.bytes[end - 1] <= 0x20 { end -= 1 }
    }
    let node = make(.scalar(text, style), event, SourceRange(start, end))
    return (node, 1, end)
  }

  /// Where the value begins, behind anchor and tag.
  private func contentStart(_ event: YAMLEvent) -> Int {
    var i = offsets.byte(event.start)
    guard event.anchor != nil || event.tag != nil else { return i }
    let end = offsets.byte(event.end)
    let bytes = source.bytes
    while i < end {
      switch bytes[i] {
      case 0x26, 0x21:
        while i < end, bytes[i] > 0x20 { i += 1 }
      case 0x23:
        while i < end, bytes[i] != 0x0a { i += 1 }
      case 0...0x20: i += 1
      default: return i
      }
    }
    return end
  }

  private mutating func sequence(
    _ event: YAMLEvent, _ reader: borrowing YAMLEventReader
  ) throws(YAMLProblem) -> Built {
    var items: [YAMLNode] = []
    var weight = 1
    let start = contentStart(event)
    var end = start
    while true {
      let next = try reader.next()
      if case .sequenceEnd = next.kind {
        if event.isFlow { end = offsets.byte(next.end) }
        break
      }
      let item = try node(next, reader)
      items.append(item.node)
      weight = weight &+ item.weight
      end = item.end
    }
    return (make(.sequence(items), event, SourceRange(start, end)), weight, end)
  }

  private mutating func mapping(
    _ event: YAMLEvent, _ reader: borrowing YAMLEventReader
  ) throws(YAMLProblem) -> Built {
    var entries: [YAMLEntry] = []
    var weight = 1
    let start = contentStart(event)
    var end = start
    while true {
      let next = try reader.next()
      if case .mappingEnd = next.kind {
        if event.isFlow { end = offsets.byte(next.end) }
        break
      }
      let key = try node(next, reader)
      let value = try node(try reader.next(), reader)
      entries.append(YAMLEntry(key: key.node, value: value.node))
      weight = weight &+ key.weight &+ value.weight
      end = value.end
    }
    return (make(.mapping(entries), event, SourceRange(start, end)), weight, end)
  }
}
