/// A growing array of plain values without a header, which leaves little room unused.
struct GrowingBuffer<Element: BitwiseCopyable> {
  private(set) var elements: UnsafeMutablePointer<Element>
  private(set) var count = 0
  private var capacity: Int

  init(capacity: Int = 16) {
    self.capacity = max(16, capacity)
    elements = .allocate(capacity: self.capacity)
  }

  /// Frees the buffer; it must not be used again.
  func deallocate() { elements.deallocate() }

  /// The bytes held.
  var byteCount: Int { capacity * MemoryLayout<Element>.stride }

  @inline(__always)
  subscript(index: Int) -> Element {
    get { elements[index] }
    nonmutating set { elements[index] = newValue }
  }

  mutating func append(_ element: Element) {
    if count == capacity { grow(by: 1) }
    (elements + count).initialize(to: element)
    count += 1
  }

  mutating func append(contentsOf more: UnsafeBufferPointer<Element>) {
    guard let from = more.baseAddress else { return }
    if count + more.count > capacity { grow(by: more.count) }
    (elements + count).update(from: from, count: more.count)
    count += more.count
  }

  /// Drops the elements from `n` on, and memory when most of it is unused.
  mutating func truncate(to n: Int) {
    count = min(count, n)
    if capacity > 64 && capacity > 2 * count { resize(count + count / 8 + 16) }
  }

  private mutating func grow(by extra: Int) {
    resize(max(capacity + capacity / 4, count + extra))
  }

  private mutating func resize(_ size: Int) {
    capacity = size
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
    larger.update(from: elements, count: count)
    elements.deallocate()
    elements = larger
  }
}
