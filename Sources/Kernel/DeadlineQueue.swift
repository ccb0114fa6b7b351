import Model

/// Keys with a deadline each, the earliest first; equal times in the order in which they were set.
struct DeadlineQueue<Key: Hashable> {
  private struct Entry {
    var time: Timestamp
    var order: UInt64
    var key: Key

    func isBefore(_ other: Entry) -> Bool {
      time != other.time ? time < other.time : order < other.order
    }
  }

  /// A binary heap; entries that `current` contradicts are leftovers and skipped.
  private var heap: [Entry] = []
  private var current: [Key: UInt64] = [:]
  private var order: UInt64 = 0

  var isEmpty: Bool { current.isEmpty }

  /// Sets or moves the deadline of a key.
  mutating func set(_ key: Key, at time: Timestamp) {
    order += 1
    current[key] = order
    heap.append(Entry(time: time, order: order, key: key))
    siftUp(heap.count - 1)
    if heap.count > 64 && heap.count > current.count * 4 { rebuild() }
  }

  mutating func remove(_ key: Key) { current[key] = nil }

  /// The earliest deadline.
  var first: Timestamp? {
    mutating get {
      dropLeftovers()
      return heap.first?.time
    }
  }

  /// Takes the earliest key whose deadline is not after `now`.
  mutating func take(dueAt now: Timestamp) -> (key: Key, time: Timestamp)? {
    dropLeftovers()
    guard let first = heap.first, first.time <= now else { return nil }
    current[first.key] = nil
    removeFirst()
    return (first.key, first.time)
  }

  private mutating func dropLeftovers() {
    while let first = heap.first, current[first.key] != first.order { removeFirst() }
  }

  private mutating func rebuild() {
    let live = heap.filter { current[$0.key] == $0.order }
    heap = live.sorted { $0.isBefore($1) }
  }

  private mutating func removeFirst() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    siftDown(0)
  }

  private mutating func siftUp(_ start: Int) {
    var i = start
    while i > 0 {
      let parent = (i - 1) / 2
      if !heap[i].isBefore(heap[parent]) { return }
      heap.swapAt(i, parent)
      i = parent
    }
  }

  private mutating func siftDown(_ start: Int) {
    var i = start
    while true {
      var least = i
      for child in [2 * i + 1, 2 * i + 2] where child < heap.count {
        if heap[child].isBefore(heap[least]) { least = child }
      }
      if least == i { return }
      heap.swapAt(i, least)
      i = least
    }
  }
}
