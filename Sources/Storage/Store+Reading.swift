import Model

extension Store {
  /// The newest sample of each member in (time − lookback, time]; a stale marker makes it absent.
  package func latest(
    of selector: Selector, at time: Timestamp, lookback: PromDuration,
    into out: inout LatestColumns
  ) {
    out.reset(selector.series.count)
    let through = time.milliseconds
    let after = through &- lookback.milliseconds
    var known: Int32 = -1
    var rows = 0..<0
    for run in runs(of: selector) {
      if run.block < 0 {
        for m in Int(run.firstMember)..<Int(run.firstMember + run.count) {
          latestOfSeveral(selector.series[m], m, after, through, &out)
        }
        continue
      }
      let block = block(at: run.block)
      if run.block != known {
        known = run.block
        rows = block.rows(after: after, through: through)
      }
      if rows.isEmpty { continue }
      if rows.upperBound > block.firstRaw {
        latestOfRun(block, run, rows, &out)
      } else {
        for i in 0..<run.count {
          latestOfColumn(block, Int(run.column + i), rows, Int(run.firstMember + i), &out)
        }
      }
    }
  }

  /// `latest` for neighbouring columns whose newest row is raw.
  private func latestOfRun(
    _ block: Block, _ run: MemberRun, _ rows: Range<Int>, _ out: inout LatestColumns
  ) {
    let row = rows.upperBound - 1
    let time = block.time(row)
    let cells = block.row(row) + Int(run.column)
    let first = Int(run.firstMember)
    let count = Int(run.count)
    var firstOdd = -1
    out.withPointers { presence, values, timestamps in
      for i in 0..<count {
        let cell = cells[i]
        if Cell.isSpecial(cell.bitPattern) {
          if cell.bitPattern != Cell.stale && firstOdd < 0 { firstOdd = i }
        } else {
          presence[first + i] = .float
          values[first + i] = cell
          timestamps[first + i] = time
        }
      }
    }
    // Cells without a sample of their own: look further back.
    guard firstOdd >= 0 else { return }
    for i in firstOdd..<count
    where Cell.isSpecial(cells[i].bitPattern) && cells[i].bitPattern != Cell.stale {
      latestOfColumn(block, Int(run.column) + i, rows, first + i, &out)
    }
  }

  private func latestOfColumn(
    _ block: Block, _ c: Int, _ rows: Range<Int>, _ member: Int, _ out: inout LatestColumns
  ) {
    guard let (row, bits) = block.newestCell(c, rows: rows), bits != Cell.stale else { return }
    out.put(member, Double(bitPattern: bits), block.time(row))
  }

  /// `latest` for a series with several places, or one that must be looked up.
  private func latestOfSeveral(
    _ series: SeriesID, _ member: Int, _ after: Int64, _ through: Int64,
    _ out: inout LatestColumns
  ) {
    guard table.isLive(series) else { return }
    var newest = after
    var value: SampleValue?
    for place in table.columns(series.index) {
      let block = block(at: place.block)
      let rows = block.rows(after: newest, through: through)
      if let (row, bits) = block.newestCell(Int(place.column), rows: rows) {
        newest = block.time(row)
        value = .float(Double(bitPattern: bits))
      }
    }
    let index = table.records[Int(series.index)].side
    if index >= 0, let side = sides[Int(index)] {
      let f = side.firstFloat(above: through)
      if f > 0, side.times[f - 1] > newest {
        newest = side.times[f - 1]
        value = .float(side.values[f - 1])
      }
      let h = side.firstHistogram(above: through)
      if h > 0, side.histograms[h - 1].timestamp > newest {
        newest = side.histograms[h - 1].timestamp
        value = .histogram(side.histograms[h - 1].value)
      }
    }
    switch value {
    case .float(let v): if !SpecialValue.isStale(v) { out.put(member, v, newest) }
    case .histogram(let h): out.put(member, h, newest)
    case nil: break
    }
  }

  /// The samples of a series in (after, through]; empty if the series is gone.
  package func window(
    of series: SeriesID, after: Timestamp, through: Timestamp, into scratch: inout WindowScratch
  ) -> Window {
    guard table.isLive(series) else { return .empty }
    let record = table.records[Int(series.index)]
    if record.block >= 0 {
      let block = block(at: record.block)
      let rows = block.rows(after: after.milliseconds, through: through.milliseconds)
      return block.window(Int(record.column), rows, scratch.buffers)
    }
    return windowOfSeveral(series, after.milliseconds, through.milliseconds, scratch.buffers)
  }

  /// Calls `body` with each member's index and window over (after, through], empty ones included,
  /// in order of members.
  package func forEachWindow(
    of selector: Selector, after: Timestamp, through: Timestamp, scratch: inout WindowScratch,
    _ body: (Int, Window) -> Void
  ) {
    let buffers = scratch.buffers
    walk(
      selector, after.milliseconds, through.milliseconds, needs: nil, buffers,
      run: { run in
        let n = run.rowCount
        let tile = 8
        buffers.reserve(tile * n)
        let times = UnsafeBufferPointer(start: run.timestamps, count: n)
        let values = buffers.values
        var start = 0
        while start < run.count {
          let width = min(tile, run.count - start)
          if width == tile {
            for i in 0..<n {
              let from = run.row(i) + start
              for k in 0..<tile { values[k &* n &+ i] = from[k] }
            }
          } else {
            for i in 0..<n {
              let from = run.row(i) + start
              for k in 0..<width { values[k &* n &+ i] = from[k] }
            }
          }
          for k in 0..<width {
            body(
              run.firstMember + start + k,
              Window(
                timestamps: times,
                values: UnsafeBufferPointer(start: values + k &* n, count: n)))
          }
          start += tile
        }
      }, summary: { _, _, _ in false }, window: body)
  }

  /// As `forEachWindow`, but hands out neighbouring gap-free columns of raw rows as one run.
  ///
  /// Every member comes once, in order: inside a run or as a window.
  package func forEachRun(
    of selector: Selector, after: Timestamp, through: Timestamp, scratch: inout WindowScratch,
    run: (RowRun) -> Void, window: (Int, Window) -> Void
  ) {
    walk(
      selector, after.milliseconds, through.milliseconds, needs: nil, scratch.buffers, run: run,
      summary: { _, _, _ in false }, window: window)
  }

  /// As `forEachRun`, but sums up windows that reach into sealed rows instead of reading them.
  ///
  /// - Parameters:
  ///   - needs: what the summaries must tell; nil for windows in their stead.
  ///   - summary: gets the values before each reset too; false asks for the window after all.
  package func forEachSummary(
    of selector: Selector, after: Timestamp, through: Timestamp, needs: SummaryNeeds?,
    scratch: inout WindowScratch, run: (RowRun) -> Void,
    summary: (Int, WindowSummary, UnsafeBufferPointer<Double>) -> Bool,
    window: (Int, Window) -> Void
  ) {
    walk(
      selector, after.milliseconds, through.milliseconds, needs: needs, scratch.buffers, run: run,
      summary: summary, window: window)
  }

  /// - Parameter needs: what summaries must tell; nil for no summaries.
  private func walk(
    _ selector: Selector, _ after: Int64, _ through: Int64, needs: SummaryNeeds?,
    _ buffers: WindowBuffers, run emit: (RowRun) -> Void,
    summary: (Int, WindowSummary, UnsafeBufferPointer<Double>) -> Bool,
    window: (Int, Window) -> Void
  ) {
    var known: Int32 = -1
    var rows = 0..<0
    for run in runs(of: selector) {
      let first = Int(run.firstMember)
      if run.block < 0 {
        for m in first..<(first + Int(run.count)) {
          window(m, windowOfAny(selector.series[m], after, through, buffers))
        }
        continue
      }
      let block = block(at: run.block)
      if run.block != known {
        known = run.block
        rows = block.rows(after: after, through: through)
        if needs != nil { buffers.look(at: block, rows) }
      }
      if rows.isEmpty {
        for i in 0..<Int(run.count) { window(first + i, .empty) }
        continue
      }
      let isRaw = rows.lowerBound >= block.firstRaw
      if let needs, !isRaw {
        for i in 0..<Int(run.count) {
          let c = Int(run.column) + i
          let found = block.summary(c, rows, needs: needs, buffers)
          let isTaken = buffers.corrections.withUnsafeBufferPointer {
            summary(first + i, found, $0)
          }
          if !isTaken { window(first + i, block.window(c, rows, buffers)) }
        }
        continue
      }
      let low = Int32(truncatingIfNeeded: rows.lowerBound)
      var i = 0
      while i < Int(run.count) {
        let c = Int(run.column) + i
        if isRaw && block.since[c] <= low {
          var end = i + 1
          while end < Int(run.count), block.since[Int(run.column) + end] <= low { end += 1 }
          emit(block.run(firstMember: first + i, column: c, count: end - i, rows))
          i = end
        } else {
          window(first + i, block.window(c, rows, buffers))
          i += 1
        }
      }
    }
  }

  private func windowOfAny(
    _ series: SeriesID, _ after: Int64, _ through: Int64, _ buffers: WindowBuffers
  ) -> Window {
    guard table.isLive(series) else { return .empty }
    let record = table.records[Int(series.index)]
    guard record.block >= 0 else { return windowOfSeveral(series, after, through, buffers) }
    let block = block(at: record.block)
    return block.window(
      Int(record.column), block.rows(after: after, through: through), buffers)
  }

  /// The window of a series with several places: their samples merged by time.
  private func windowOfSeveral(
    _ series: SeriesID, _ after: Int64, _ through: Int64, _ buffers: WindowBuffers
  ) -> Window {
    let record = table.records[Int(series.index)]
    let only = SeriesTable.only(record)
    let side = record.side >= 0 ? sides[Int(record.side)] : nil
    if let only, side?.newest ?? .min <= after {
      let block = block(at: only.block)
      return block.window(
        Int(only.column), block.rows(after: after, through: through), buffers)
    }
    // The side store first: most often its samples are the older ones.
    var n = 0
    var histograms: [Window.HistogramSample] = []
    var hasStarts = false
    if let side {
      let low = side.firstFloat(above: after)
      let high = side.firstFloat(above: through)
      hasStarts = !side.starts.isEmpty && high > low
      buffers.reserve(max(0, high - low))
      for i in low..<max(low, high) where !SpecialValue.isStale(side.values[i]) {
        buffers.times[n] = side.times[i]
        buffers.values[n] = side.values[i]
        if hasStarts { buffers.starts[n] = side.starts[i] }
        n += 1
      }
      let from = side.firstHistogram(above: after)
      let to = side.firstHistogram(above: through)
      if from < to { histograms = Array(side.histograms[from..<to]) }
    }
    let aside = n
    for place in table.columns(series.index) {
      let block = block(at: place.block)
      let rows = block.rows(after: after, through: through)
      n = block.gather(Int(place.column), rows, buffers, at: n)
    }
    if hasStarts {
      (buffers.starts + aside).update(repeating: SideSeries.noStart, count: n - aside)
    }
    buffers.sort(n, hasStarts: hasStarts)
    return Window(
      timestamps: UnsafeBufferPointer(start: buffers.times, count: n),
      values: UnsafeBufferPointer(start: buffers.values, count: n),
      startTimestamps: hasStarts ? UnsafeBufferPointer(start: buffers.starts, count: n) : nil,
      histograms: histograms)
  }
}

extension Window {
  /// No samples.
  static var empty: Window {
    Window(
      timestamps: UnsafeBufferPointer(start: nil, count: 0),
      values: UnsafeBufferPointer(start: nil, count: 0))
  }
}

extension WindowBuffers {
  /// Sorts the first `n` samples by time, if they are not.
  func sort(_ n: Int, hasStarts: Bool) {
    var isSorted = true
    for i in 1..<max(n, 1) where times[i - 1] > times[i] {
      isSorted = false
      break
    }
    if isSorted { return }
    let order = (0..<n).sorted { times[$0] < times[$1] }
    let sortedTimes = order.map { times[$0] }
    let sortedValues = order.map { values[$0] }
    let sortedStarts = hasStarts ? order.map { starts[$0] } : []
    for i in 0..<n {
      times[i] = sortedTimes[i]
      values[i] = sortedValues[i]
      if hasStarts { starts[i] = sortedStarts[i] }
    }
  }
}

extension Block {
  /// Neighbouring columns over raw rows, gap-free there.
  func run(firstMember: Int, column: Int, count: Int, _ rows: Range<Int>) -> RowRun {
    RowRun(
      firstMember: firstMember, count: count, rowCount: rows.count,
      timestamps: times(from: rows.lowerBound), cells: UnsafePointer(cells + column),
      stride: stride, mask: capacity - 1, firstRow: rows.lowerBound)
  }

  /// A column's samples over the rows.
  func window(_ c: Int, _ rows: Range<Int>, _ buffers: WindowBuffers) -> Window {
    if rows.isEmpty { return .empty }
    let n = rows.count
    if rows.lowerBound >= firstRaw && Int(since[c]) <= rows.lowerBound {
      buffers.reserve(n)
      let values = buffers.values
      for i in 0..<n { values[i] = row(rows.lowerBound &+ i)[c] }
      return Window(
        timestamps: UnsafeBufferPointer(start: times(from: rows.lowerBound), count: n),
        values: UnsafeBufferPointer(start: values, count: n))
    }
    let found = gather(c, rows, buffers, at: 0)
    return Window(
      timestamps: UnsafeBufferPointer(start: buffers.times, count: found),
      values: UnsafeBufferPointer(start: buffers.values, count: found))
  }

  /// Appends a column's samples over the rows to the `count` that are in the buffers; returns how
  /// many are there then.
  func gather(_ c: Int, _ rows: Range<Int>, _ buffers: WindowBuffers, at count: Int) -> Int {
    buffers.reserve(count + rows.count)
    var n = count
    var r = rows.lowerBound
    let values = buffers.values
    let times = buffers.times
    var next = sealIndex(r)
    while r < min(rows.upperBound, firstRaw) {
      let seal = seals[next]
      next += 1
      let end = min(seal.endRow, rows.upperBound)
      if let run = seal.run(c) {
        buffers.reserveSeal(seal.rowCount)
        let cells = buffers.seal.values
        SealedRun.decode(run, seal.rowCount, packed: buffers.seal.packed, into: cells)
        for i in r..<end where !Cell.isSpecial(cells[i - seal.firstRow].bitPattern) {
          values[n] = cells[i - seal.firstRow]
          times[n] = time(i)
          n += 1
        }
      }
      r = end
    }
    while r < rows.upperBound {
      let cell = row(r)[c]
      if !Cell.isSpecial(cell.bitPattern) {
        values[n] = cell
        times[n] = time(r)
        n += 1
      }
      r += 1
    }
    return n
  }
}
