/// What is going to happen in a world, the earliest first; equal times in the order of arrival.
struct EventQueue<Action> {
  private struct Entry {
    var time: Int64
    var order: UInt64
    var action: Action

    func isBefore(_ other: Entry) -> Bool {
      time != other.time ? time < other.time : order < other.order
    }
  }

  private var heap: [Entry] = []
  private var order: UInt64 = 0

  var first: Int64? { heap.first?.time }
  var count: Int { heap.count }

  mutating func add(_ action: Action, at time: Int64) {
    order += 1
    heap.append(Entry(time: time, order: order, action: action))
    var i = heap.count - 1
    while i > 0, heap[i].isBefore(heap[(i - 1) / 2]) {
      heap.swapAt(i, (i - 1) / 2)
      i = (i - 1) / 2
    }
  }

  mutating func take() -> Action? {
    guard let first = heap.first else { return nil }
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var i = 0
    while true {
      var least = i
      for child in [2 * i + 1, 2 * i + 2] where child < heap.count {
        if heap[child].isBefore(heap[least]) { least = child }
      }
      if least == i { return first.action }
      heap.swapAt(i, least)
      i = least
    }
  }
}
