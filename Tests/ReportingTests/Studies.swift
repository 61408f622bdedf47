import Foundation
import Results

/// The made-up studies, by name.
enum Sample: String, CaseIterable, Sendable {
  case leaking, quiet, empty, single, large, hostile

  var study: Study {
    switch self {
    case .leaking: Studies.leaking()
    case .quiet: Studies.quiet()
    case .empty: Studies.empty()
    case .single: Studies.single()
    case .large: Studies.large(layers: 15, windows: 4)
    case .hostile: Studies.hostile()
    }
  }
}

/// Made-up studies with known numbers.
enum Studies {
  /// A figure whose interval is ±5 % and whose null lies around `null`.
  static func figure(
    _ measure: Measure, _ value: Double, null: Double = 0.01, mapP: Double = 0.01,
    ceiling: Double = 6.2, rows: Int = 512, flags: [Figure.Flag] = []
  ) -> Figure {
    Figure(
      measure: measure, value: value, standardError: 0.025 * abs(value), low: value * 0.95 - 0.02,
      high: value * 1.05 + 0.02, nullMean: null, nullDeviation: 0.03,
      p: measure.kind == .score ? .nan : 0.01, mapP: measure.kind == .score ? .nan : mapP,
      ceiling: measure.unit == .share ? 1 : ceiling, rows: rows,
      flags: mapP > 0.05 ? flags + [.nullNotBeaten] : flags)
  }

  static func window(
    _ step: Int, to last: Int? = nil, mode: String = "probe", labels: Bool = true
  ) -> Study.Window {
    Study.Window(
      table: 0, mode: mode, firstStep: step, lastStep: last ?? step, epoch: Double(step) / 400,
      loss: 2.3 * exp(-Double(step) / 500) + 0.1, rows: 512, folds: 5, candidates: 256,
      labelEntropy: labels ? log(10) : .nan, labelChance: labels ? 0.1 : .nan)
  }

  static func study(
    layers: [String], windows: [Study.Window], cells: [Study.Cell], warnings: [String] = [],
    model: String = #"{"kind":"cnn","layers":[{"name":"conv1","shape":[16,1,3,3]}],"dropout":0.10}"#
  ) -> Study {
    Study(
      run: Study.Run(
        id: "5b1c3a52-0f6e-4f7e-9a53-0f6f4f1f6a10", created: "2026-05-04T09:30:00Z",
        producer: "ptoken-python 0.1.0, torch 2.7", status: "complete", model: model,
        training: #"{"optimizer":"sgd","learning_rate":0.05,"batch":64}"#),
      provenance: Study.Provenance(
        input: "run.h5", inputDigest: String(repeating: "0123456789abcdef", count: 4),
        version: "0.1.0", libraries: ["hdf5": "1.10.8", "openblas": "0.3.21"],
        settings: Study.Settings(seed: 18_446_744_073_709_551_615)),
      layers: layers.enumerated().map {
        Study.Layer(name: $1, stage: "raw", parameters: 1000 * ($0 + 1), width: 256)
      },
      windows: windows, cells: cells, warnings: warnings)
  }

  /// Four layers, six probe windows (and three trace windows); `fc2` finds nothing.
  static func leaking(traces: Bool = true) -> Study {
    let steps = [0, 200, 400, 800, 1200, 1600]
    var windows = steps.map { window($0) }
    if traces { windows += [0, 500, 1000].map { window($0, to: $0 + 399, mode: "trace") } }
    var cells: [Study.Cell] = []
    for layer in 0..<4 {
      for index in windows.indices where !(layer == 2 && index == 3) {
        let fade = exp(-Double(windows[index].firstStep) / 900)
        let nats = [4.2, 2.6, 1.4, 0.02][layer] * (0.35 + 0.65 * fade)
        let mapP = layer == 3 ? 0.6 : 0.01
        let isTop = layer == 0 && index == 0
        cells.append(
          Study.Cell(
            layer: layer, window: index, components: 16, keptVariance: 0.82,
            figures: [
              figure(.gaussian, nats, mapP: mapP),
              figure(.donskerVaradhan, nats * 0.8, mapP: mapP),
              figure(.ksg, nats * 0.5, mapP: mapP),
              figure(
                .label, layer == 3 ? 0.01 : 2.2 * (0.4 + 0.6 * fade), mapP: mapP, ceiling: log(10)),
              figure(.labelAccuracy, layer == 3 ? 0.11 : 0.57 + 0.4 * fade, null: 0.1),
              figure(
                .reidentification, isTop ? 0.9766 : max(0.004, 0.23 * nats), null: 0.004),
              figure(.recoverableVariance, layer == 3 ? -0.08 : 0.61 * fade, null: -0.01),
            ]))
      }
    }
    return study(
      layers: ["conv1", "conv2", "fc1", "fc2"], windows: windows, cells: cells,
      warnings: [
        "conv2 was recorded through a sketch of 256 of 2000 numbers; figures may understate."
      ])
  }

  /// As `leaking`, with nothing found anywhere.
  static func quiet() -> Study {
    var study = leaking(traces: false)
    for cell in study.cells.indices {
      study.cells[cell].figures = study.cells[cell].figures.map {
        let wave = 0.015 * cos(Double(cell) * 1.7)
        switch $0.measure.kind {
        case .score: return figure($0.measure, $0.nullMean + wave / 3, null: $0.nullMean + 0.02)
        default: return figure($0.measure, wave, mapP: 0.4 + wave)
        }
      }
    }
    study.warnings = []
    return study
  }

  /// Nothing to test.
  static func empty() -> Study { study(layers: [], windows: [], cells: []) }

  /// `layers` x `windows` cells with all measures.
  static func large(layers: Int = 60, windows: Int = 20) -> Study {
    let names = (0..<layers).map {
      "transformer.h.\($0 / 4).\(["attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"][$0 % 4]).weight"
    }
    var cells: [Study.Cell] = []
    for layer in 0..<layers {
      for index in 0..<windows {
        let nats = 3 * exp(-Double(layer) / 14) * (0.4 + 0.6 * exp(-Double(index) / 6))
        let mapP = nats < 0.15 ? 0.3 : 0.01
        cells.append(
          Study.Cell(
            layer: layer, window: index, components: 16, keptVariance: 0.7,
            figures: Measure.allCases.map {
              $0.unit == .nats
                ? figure(
                  $0, nats * 0.9, mapP: mapP, ceiling: 3.1, flags: nats > 2.48 ? [.saturated] : [])
                : figure($0, min(0.99, nats / 3.2), null: 0.004)
            }))
      }
    }
    return study(
      layers: names, windows: (0..<windows).map { window($0 * 250) }, cells: cells)
  }

  /// One layer, one window.
  static func single() -> Study {
    study(
      layers: ["w"], windows: [window(7, labels: false)],
      cells: [
        Study.Cell(
          layer: 0, window: 0, components: 2, keptVariance: .nan,
          figures: [figure(.gaussian, 1), figure(.reidentification, 0.6, null: 0.004)])
      ])
  }

  /// Text that tries to leave its place, numbers that are none, indices that point nowhere.
  static func hostile() -> Study {
    let names = [
      "<script>alert(1)</script>", "\"><img onerror=alert(1) src=x>", "a\u{202E}b\u{0}\u{1B}[31mc",
      String(repeating: "W", count: 50_000), "' onload='x",
      "e" + String(repeating: "\u{301}", count: 9_000),
    ]
    let windows = [
      window(Int.min, to: Int.max), window(5, mode: "<b>"), window(6, mode: "trace"),
    ]
    let values = [Double.nan, .infinity, -.infinity, 1e308, -1e308, 1e-300, -3]
    var cells: [Study.Cell] = []
    for layer in -1...names.count {
      for index in -1...windows.count {
        let value = values[abs(layer * 3 + index) % values.count]
        cells.append(
          Study.Cell(
            layer: layer, window: index, components: Int.max, keptVariance: value,
            figures: Measure.allCases.map {
              Figure(
                measure: $0, value: value, standardError: value, low: -value, high: value,
                nullMean: value, nullDeviation: value, p: value, mapP: 0.01, ceiling: value,
                rows: Int.min, flags: [.saturated, .fewRows, .saturated])
            }))
      }
    }
    var study = study(
      layers: names, windows: windows, cells: cells,
      warnings: ["</style><script>x</script>", "]]>", "<!--", "&lt;"],
      model: "{\"</pre><script>\": 1")
    study.provenance.input = "</title><script>alert(1)</script>.h5"
    study.provenance.libraries = ["<i>": "\u{1B}]0;x\u{7}"]
    study.run.training = #"{"</pre><script>alert(1)</script>": [1, 2.50, "\u202e"]}"#
    return study
  }
}
