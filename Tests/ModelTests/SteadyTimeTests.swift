import Model
import Testing

@Suite struct SteadyTimeTests {
  @Test func timeFollowsTheWall() {
    var time = SteadyTime()
    #expect(
      time.advance(wall: 1_700_000_000_000.9, monotonic: 50).milliseconds == 1_700_000_000_000)
    #expect(time.advance(wall: 1_700_000_000_010, monotonic: 60).milliseconds == 1_700_000_000_010)
    #expect(time.advance(wall: 1_700_000_900_000, monotonic: 61).milliseconds == 1_700_000_900_000)
  }

  @Test func aClockSetBackSlowsTimeAndDoesNotStopIt() {
    var time = SteadyTime()
    _ = time.advance(wall: 100_000, monotonic: 0)
    // An hour back would be longer; ten seconds show the same.
    #expect(time.advance(wall: 90_000, monotonic: 0).milliseconds == 100_000)
    #expect(time.advance(wall: 100_000, monotonic: 10_000).milliseconds == 109_000)
    #expect(time.advance(wall: 190_000, monotonic: 100_000).milliseconds == 190_000)
    #expect(time.advance(wall: 200_000, monotonic: 110_000).milliseconds == 200_000)
  }

  @Test func aNewProcessGoesOnFromWhereTheLastOneWas() {
    var time = SteadyTime()
    _ = time.advance(wall: 90_000, monotonic: 5_000)
    time.goOn(from: Timestamp(milliseconds: 100_000))
    #expect(time.advance(wall: 90_000, monotonic: 5_000).milliseconds == 100_000)
    #expect(time.advance(wall: 100_000, monotonic: 15_000).milliseconds == 109_000)
    time.goOn(from: Timestamp(milliseconds: 1_000))
    #expect(time.advance(wall: 200_000, monotonic: 115_000).milliseconds == 200_000)
  }
}
