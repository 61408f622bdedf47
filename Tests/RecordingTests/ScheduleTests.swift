import Recording
import Testing

@Suite("Schedule")
struct ScheduleTests {
  @Test("every step by default")
  func everyStep() {
    #expect((0..<5).allSatisfy { Schedule().includes($0) })
    #expect(!Schedule().includes(-1))
  }

  @Test("every so many steps, counted from the start, up to and with the end")
  func steps() {
    let schedule = Schedule(every: 10, start: 5, end: 35)
    #expect((0...60).filter { schedule.includes($0) } == [5, 15, 25, 35])
    #expect((0...60).filter { Schedule(every: 20, start: 7).includes($0) } == [7, 27, 47])
    #expect((0...9).filter { Schedule(start: 3, end: 3).includes($0) } == [3])
    #expect((0...9).filter { Schedule(start: 3, end: 2).includes($0) } == [])
  }
}
