import Diagnostics
import Model
import PromQL

extension LabelShape {
  /// The shape of an expression's result; a scalar has no labels.
  init(_ expr: Expr) {
    self.init(expr) { n in
      var (at, child): (Int, Expr?) = (0, nil)
      expr.forEachChild {
        if at == n { child = $0 }
        at += 1
      }
      return child.map { LabelShape($0) } ?? .anything
    }
  }

  /// The same, given the shapes of its children.
  init(_ expr: Expr, _ child: (Int) -> LabelShape) {
    switch expr {
    case .number, .string, .duration: self = .nothing(by: expr.range)
    case .paren, .subquery, .matrix: self = child(0)
    case .unary: self = child(0).withoutName
    case .selector(let node): self.init(node)
    case .aggregate(let node): self.init(node, child(0))
    case .call(let node): self.init(node, child)
    case .binary(let node): self.init(node, child)
    }
  }

  private init(_ node: VectorSelector) {
    self = .anything
    for matcher in node.matchers where matcher.name != LabelName.metricName {
      if matcher.literalValues == [""] {
        self = dropping([matcher.name], by: node.range)
      } else {
        conditions[matcher.name, default: []].append(matcher)
        if !matcher.matchesEmpty { expected.insert(matcher.name) }
      }
    }
    // A scraped series has both; recorded ones have what their rule left.
    if let name = node.name, !name.contains(":"), !name.hasPrefix("ALERTS") {
      for label in [LabelName.job, LabelName.instance] where mayHave(label) {
        expected.insert(label)
      }
    }
  }

  private init(_ node: AggregateExpr, _ inner: LabelShape) {
    switch node.op {
    case .topk, .bottomk, .limitk, .limitRatio: self = inner
    default:
      if node.without {
        self = inner.withoutName.dropping(node.grouping, by: node.shownRange)
      } else {
        self = inner.keeping(node.grouping, by: node.shownRange)
        expected = Set(node.grouping.filter(mayHave))
      }
      if node.op == .countValues, case .string(let label)? = node.parameter?.unwrapped {
        self = adding(label.value)
      }
    }
  }

  private init(_ node: CallExpr, _ child: (Int) -> LabelShape) {
    func text(_ n: Int) -> String? {
      guard n < node.arguments.count, case .string(let text) = node.arguments[n].unwrapped else {
        return nil
      }
      return text.value
    }
    let series = node.arguments.firstIndex { $0.type == .vector || $0.type == .matrix }
    guard let series, node.function.returnType == .vector else {
      self = .nothing(by: node.range)
      return
    }
    if node.function.name.hasPrefix("absent") {
      self.init(absent: node.arguments[series], node)
      return
    }
    let inner = child(series)
    switch node.function.name {
    case "sort", "sort_desc", "sort_by_label", "sort_by_label_desc", "last_over_time",
      "first_over_time", "info":
      self = inner
      if node.function.name == "info" { reach = .any(except: [:]) }
    case "label_replace", "label_join":
      self = text(1).map(inner.adding) ?? .anything
    case "histogram_quantile":
      self = inner.withoutName.dropping([LabelName.bucketBound], by: node.range)
    case "histogram_quantiles":
      self = inner.withoutName.dropping([LabelName.bucketBound], by: node.range)
      if let label = text(1) { self = adding(label) }
    default: self = inner.withoutName
    }
  }

  /// `absent` answers with the labels its selector pins.
  private init(absent argument: Expr, _ node: CallExpr) {
    let selector: VectorSelector
    switch argument.unwrapped {
    case .selector(let found): selector = found
    case .matrix(let found): selector = found.selector
    default:
      self = .nothing(by: node.range)
      return
    }
    let counts = Dictionary(grouping: selector.matchers, by: \.name)
    var pinned: [String: [Matcher]] = [:]
    for (name, matchers) in counts
    where name != LabelName.metricName && matchers.count == 1 && matchers[0].kind == .equal {
      pinned[name] = matchers
    }
    self = LabelShape(reach: .only(Set(pinned.keys), by: node.range))
    conditions = pinned
    expected = Set(pinned.keys)
  }

  private init(_ node: BinaryExpr, _ child: (Int) -> LabelShape) {
    let keepsName = node.op.isSet || (node.op.isComparison && !node.returnsBool)
    guard let matching = node.matching, node.lhs.type == .vector, node.rhs.type == .vector else {
      if node.lhs.type == .scalar && node.rhs.type == .scalar {
        self = .nothing(by: node.range)
        return
      }
      let inner = child(node.lhs.type == .scalar ? 1 : 0)
      self = keepsName ? inner : inner.withoutName
      return
    }
    if matching.fillLeft != nil || matching.fillRight != nil {
      self = .anything
      return
    }
    let isSwapped = matching.cardinality == .oneToMany
    let many = child(isSwapped ? 1 : 0)
    let one = child(isSwapped ? 0 : 1)
    switch node.op {
    case .or: self = many.union(one)
    case .unless: self = many
    case _ where many.conflicts(with: one, matching):
      // Nothing comes out, so anything may be said of it: one finding is enough.
      self = .anything
    default:
      self = keepsName ? many : many.withoutName
      matched(matching, with: one, at: node)
    }
  }

  private mutating func matched(
    _ matching: VectorMatching, with one: LabelShape, at node: BinaryExpr
  ) {
    if matching.isOn {
      for label in matching.labels { equate(label, with: one) }
    } else {
      var labels = one.named.union(named)
      if case .only(let names, let by) = one.reach {
        // All but the ignored labels are equal, so what the other side lacks is not here either.
        if case .only(let mine, _) = reach {
          reach = .only(mine.intersection(names.union(matching.labels)), by: by)
        } else {
          let lost = Set(reach.excluded.keys)
          reach = .only(names.union(matching.labels).subtracting(lost), by: by)
        }
        conditions = conditions.filter { mayHave($0.key) }
        expected = expected.filter(mayHave)
      } else if case .any(let except) = one.reach {
        labels.formUnion(except.keys)
      }
      for label in labels.subtracting(matching.labels) where label != LabelName.metricName {
        equate(label, with: one)
      }
    }
    if matching.cardinality == .oneToOne && !node.op.isSet {
      if matching.isOn {
        self = keeping(matching.labels, by: node.range)
      } else {
        self = dropping(matching.labels, by: node.range)
      }
    }
    for label in matching.include {
      if let range = one.thief(of: label) {
        self = dropping([label], by: range)
      } else {
        self = adding(label)
        if let conditions = one.conditions[label] { self.conditions[label] = conditions }
      }
    }
  }
}

extension LabelShape.Reach {
  fileprivate var excluded: [String: SourceRange] {
    if case .any(let except) = self { return except }
    return [:]
  }
}

extension AggregateExpr {
  /// The aggregation up to the parenthesis behind its vector.
  ///
  /// - Note: The range of the parser is Prometheus' and may reach into what follows.
  var shownRange: SourceRange {
    var end = expr.range.end
    if case .aggregate(let inner) = expr { end = inner.shownRange.end }
    return SourceRange(range.start, min(range.end, end + 1))
  }
}
