import Engine
import Testing

@Suite struct PlanOutlineTests {
  @Test(arguments: [
    ("x", "x  — the series and their places in the store\n"),
    (
      "sum by (job) (rate(x[5m])) > 2",
      """
      >  — labels without the name
      ├─ sum by (job)  — the group of each series, the groups' labels
      │  └─ rate  — labels without the name
      │     └─ x[5m]  — the series and their places in the store; sums of sealed rows
      └─ 2  — nothing: a number

      """
    ),
    (
      "a / on (i) sum(b) - a / on (i) sum(b)",
      """
      -  — the pairs of series that match, their labels
      ├─ / on (i)  #1  — the pairs of series that match, their labels
      │  ├─ a  — the series and their places in the store
      │  └─ sum  — the group of each series, the groups' labels
      │     └─ b  — the series and their places in the store
      └─ / on (i)  (as #1 above)

      """
    ),
    (
      "max_over_time(sum(x)[1h:1m])",
      """
      max_over_time  — labels without the name
      └─ [1h:1m]  — results of steps already computed
         └─ sum  — the group of each series, the groups' labels
            └─ x  — the series and their places in the store

      """
    ),
    (
      "count_values(\"v\", x)",
      """
      count_values  — nothing: labels follow from values
      └─ x  — the series and their places in the store

      """
    ),
    ("\"text\"", "\"text\"  — constant\n"),
  ])
  func aPlanIsATree(expr: String, tree: String) throws {
    let world = try World()
    #expect(try world.plan(expr, standing: true).outline.text == tree)
  }
}
