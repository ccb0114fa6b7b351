import Discovery
import Exposition
import Model

/// What the readers of binary messages must never break on any bytes; nil is in order.
enum BinaryFuzz {
  static func protobuf(_ bytes: [UInt8]) -> String? {
    let cache = ScrapeCache()
    var reading = HistogramReading()
    reading.readsNative = bytes.count % 2 == 0
    reading.keepsClassic = bytes.count % 3 == 0
    reading.convertsClassic = bytes.count % 5 == 0
    do throws(ExpositionProblem) {
      let first = try cache.scan(bytes, format: .protobuf, histograms: reading)
      let entries = Array(cache.sampleEntries)
      if entries.count + cache.timed.count + cache.histograms.count + first.duplicates
        != first.samples
      {
        return "samples are missing"
      }
      for entry in entries { _ = try? cache.labels(of: entry) }
      for sample in cache.histograms where (try? sample.value.validate()) == nil {
        return "a histogram that is not valid"
      }
      let second = try cache.scan(bytes, format: .protobuf, histograms: reading)
      if second.newEntries != 0 || Array(cache.sampleEntries) != entries {
        return "a second scan finds something else"
      }
      return nil
    } catch {
      return error.message.isEmpty ? "an empty message" : nil
    }
  }

  static func remoteWrite(_ bytes: [UInt8], isSecond: Bool) -> String? {
    do throws(WireProblem) {
      let request = try RemoteWriteReader.read(bytes, version: isSecond ? .v2 : .v1)
      for series in request.series where series.labels.metricName == nil {
        return "a series without a name"
      }
      return nil
    } catch {
      return error.message.isEmpty ? "an empty message" : nil
    }
  }

  static func snappy(_ bytes: [UInt8]) -> String? {
    do throws(SnappyProblem) {
      let decoded = try Snappy.decode(bytes, limit: 1 << 20)
      return decoded.count > 1 << 20 ? "longer than the limit" : nil
    } catch {
      return error.description.isEmpty ? "an empty message" : nil
    }
  }

  static func dns(_ bytes: [UInt8]) -> String? {
    guard let message = try? DNSMessage(bytes) else { return nil }
    return message.records.count > bytes.count ? "more records than bytes" : nil
  }
}
