/// A growing buffer that loses elements at the front; what it holds is contiguous.
struct SlidingBuffer<Element: BitwiseCopyable> {
  private var base: UnsafeMutablePointer<Element>
  private var head = 0
  private var capacity: Int
  private(set) var count = 0

  init(capacity: Int = 16) {
    self.capacity = max(4, capacity)
    base = .allocate(capacity: self.capacity)
  }

  /// Frees the buffer; it must not be used again.
  func deallocate() { base.deallocate() }

  /// The bytes held.
  var byteCount: Int { capacity * MemoryLayout<Element>.stride }

  /// The elements; valid until the next change.
  var elements: UnsafeMutablePointer<Element> { base + head }

  mutating func append(_ element: Element) {
    if head + count == capacity { makeRoom() }
    (base + head + count).initialize(to: element)
    count += 1
  }

  mutating func removeFirst(_ n: Int) {
    head += n
    count -= n
  }

  private mutating func makeRoom() {
    if head >= capacity / 2 {
      base.update(from: base + head, count: count)
    } else {
      capacity *= 2
      let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
      larger.update(from: base + head, count: count)
      base.deallocate()
      base = larger
    }
    head = 0
  }
}
