import Model

extension Store {
  /// Registers a standing selector that looks back `window` (range + offset + lookback).
  ///
  /// Equal sets of matchers share one selector; each call needs its own `unregister` with the same
  /// window.
  package func register(_ matchers: [Matcher], window: PromDuration) -> Selector {
    retentionVersion &+= 1
    let key = Set(matchers)
    if let known = selectorsByMatchers[key], let number = known.number {
      let before = known.window
      known.addWindow(window.milliseconds)
      demand.windowChanged(number, window: self.window)
      if known.window > before {
        // The longer window may reach series that had left.
        for slot in candidates(known)
        where demand.contains(table.records[Int(slot)].accepted, number) { rejoin(slot) }
      }
      return known
    }
    let number: UInt32
    if let free = freeSelectors.popLast() {
      number = free
    } else {
      number = UInt32(selectors.count)
      selectors.append(nil)
    }
    let selector = Selector(matchers: matchers, labels: table.labels, number: number)
    selector.addWindow(window.milliseconds)
    selectors[Int(number)] = selector
    selectorsByMatchers[key] = selector
    if let name = selector.name {
      names.add(selector: number, to: names.intern(name))
    } else {
      restSelectors.append(number)
    }
    for slot in candidates(selector) where selector.acceptsRest(table.labels(slot)) {
      let record = table.records[Int(slot)]
      table.records[Int(slot)].accepted = demand.moving(
        record.accepted, number, isAdding: true, window: self.window)
      table.records[Int(slot)].joined = demand.moving(
        record.joined, number, isAdding: true, window: self.window)
      selector.join(table.id(slot), block: record.block, column: record.column)
    }
    demandGeneration &+= 1
    return selector
  }

  /// Takes one registration back; the last one ends the selector.
  package func unregister(_ selector: Selector, window: PromDuration) {
    guard let number = selector.number, selectors[Int(number)] === selector else {
      preconditionFailure("only a registered selector can be unregistered")
    }
    retentionVersion &+= 1
    if selector.removeWindow(window.milliseconds) {
      demand.windowChanged(number, window: self.window)
      return
    }
    for slot in candidates(selector) {
      let record = table.records[Int(slot)]
      if demand.contains(record.accepted, number) {
        table.records[Int(slot)].accepted = demand.moving(
          record.accepted, number, isAdding: false, window: self.window)
      }
      if demand.contains(record.joined, number) {
        table.records[Int(slot)].joined = demand.moving(
          record.joined, number, isAdding: false, window: self.window)
      }
    }
    if let name = selector.name {
      if let entry = names.find(name) { names.remove(selector: number, from: entry) }
    } else {
      restSelectors.removeAll { $0 == number }
    }
    selectorsByMatchers[Set(selector.matchers)] = nil
    selectors[Int(number)] = nil
    freeSelectors.append(number)
    selector.layout = layout
  }

  /// The series that fulfil the matchers now, as a selector of the moment.
  package func select(_ matchers: [Matcher]) -> Selector {
    let selector = Selector(matchers: matchers, labels: table.labels)
    for slot in candidates(selector) where selector.acceptsRest(table.labels(slot)) {
      let record = table.records[Int(slot)]
      selector.join(table.id(slot), block: record.block, column: record.column)
    }
    selector.layout = layout
    return selector
  }

  /// The window of a registered selector in milliseconds.
  func window(_ number: UInt32) -> Int64 { selectors[Int(number)]?.window ?? -1 }

  /// The series with the metric name that a selector demands, or all.
  func candidates(_ selector: Selector) -> [UInt32] {
    guard let name = selector.name else {
      return (0..<UInt32(table.count)).filter { table.records[Int($0)].isUsed }
    }
    guard let entry = names.find(name) else { return [] }
    return names.entries[Int(entry)].series
  }

  /// The numbers of the registered selectors that accept a label set, ascending.
  func selectorsAccepting(_ labels: LabelSet, name: [UInt8]) -> [UInt32] {
    var numbers: [UInt32] = []
    if let entry = names.find(name) {
      for n in names.entries[Int(entry)].selectors
      where selectors[Int(n)]?.acceptsRest(labels) ?? false {
        numbers.append(n)
      }
    }
    for n in restSelectors where selectors[Int(n)]?.acceptsRest(labels) ?? false {
      numbers.append(n)
    }
    return numbers.sorted()
  }

  /// Makes a series that shows samples a member of all selectors that accept it.
  @inline(__always)
  func rejoin(_ slot: UInt32) {
    let record = table.records[Int(slot)]
    if record.joined != record.accepted { joinAll(slot) }
  }

  private func joinAll(_ slot: UInt32) {
    let record = table.records[Int(slot)]
    for number in demand.selectors(record.accepted) where !demand.contains(record.joined, number) {
      selectors[Int(number)]?.join(
        table.id(slot), block: record.block, column: record.column)
    }
    demand.retain(record.accepted)
    demand.release(record.joined)
    table.records[Int(slot)].joined = record.accepted
  }

  /// Notes that the selectors that have a series as a member must look for its place again.
  func markDirty(_ slot: UInt32) {
    for number in demand.selectors(table.records[Int(slot)].joined) { markDirty(number: number) }
  }

  func markDirty(number: UInt32) {
    guard let selector = selectors[Int(number)], !selector.isDirty else { return }
    selector.isDirty = true
    dirtySelectors.append(number)
  }

  /// Ends a change: what readers use is true again.
  @inline(__always)
  func settle() {
    if !dirtySelectors.isEmpty { rebuildDirty() }
  }

  private func rebuildDirty() {
    for number in dirtySelectors { selectors[Int(number)]?.rebuildRuns(table) }
    dirtySelectors.removeAll(keepingCapacity: true)
  }

  /// Where a selector's members are now.
  func runs(of selector: Selector) -> [MemberRun] {
    if let number = selector.number, Int(number) < selectors.count,
      selectors[Int(number)] === selector
    {
      return selector.runs
    }
    if selector.layout == layout { return selector.runs }
    // Written since: every member is looked up by itself.
    return [MemberRun(block: -1, column: 0, firstMember: 0, count: Int32(selector.series.count))]
  }
}
