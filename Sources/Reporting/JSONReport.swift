public import Results

/// A study as JSON for machines: the verdict in words and every figure with its unit in the key.
///
/// Information is in nats (`value_nats`), shares are 1 for everything (`value_share`); what is not finite is
/// null. Keys keep one order, so that two reports can be compared line by line.
///
/// A window's `table` is the number of the snapshot's table that its rows came from.
///
/// `networks` counts those trained for each fold: 0 with the critic `gaussian`, which has none.
///
/// The `status` of a reading is `found` (`Study.Cell.standsOut` says when), `not_found` (tested, no finding),
/// `not_tested` (measured, but without pairings, or with too few for a finding) or `not_measured`.
public struct JSONReport: Sendable {
  /// Names the layout of the document, in its `schema` member.
  public static let schema = "ptoken-report/0"

  private let view: StudyView
  private let wording: Wording
  private let notes: [String]

  /// Creates a report.
  ///
  /// - Parameters:
  ///   - study: What was found.
  ///   - notes: Remarks on how the report came to be, beside the study's own warnings.
  public init(study: Study, notes: [String] = []) {
    view = StudyView(study)
    wording = Wording(view)
    self.notes = notes
  }

  /// The document, with a line break at its end.
  public func render() -> String {
    let study = view.study
    let document: JSONValue = .object([
      "schema": .string(Self.schema),
      "verdict": verdict,
      "warnings": .array(study.warnings.map(JSONValue.string)),
      "notes": .array(notes.map(JSONValue.string)),
      "run": run,
      "provenance": provenance,
      "layers": .array(
        study.layers.map {
          .object([
            "name": .string($0.name), "stage": .string($0.stage),
            "parameters": .number($0.parameters), "width": .number($0.width),
          ])
        }),
      "windows": .array(study.windows.map(window)),
      "cells": .array(
        study.cells.map {
          .object([
            "layer": .number($0.layer), "window": .number($0.window),
            "components": .number($0.components), "kept_variance_share": .number($0.keptVariance),
            "figures": .array($0.figures.map(figure)),
          ])
        }),
    ])
    return document.text() + "\n"
  }

  private var verdict: JSONValue {
    let verdict = view.verdict
    return .object([
      "outcome": .string(verdict.outcome.rawValue),
      "headline": text(wording.headline),
      "explanation": text(wording.explanation),
      "where_to_look": wording.whereToLook.isEmpty ? .null : text(wording.whereToLook),
      "what_to_do": text(wording.whatToDo),
      "what_next": text(wording.whatNext),
      "false_alarm_rate": .number(Verdict.level),
      "cells_tested": .number(view.testedCells),
      "cells_with_findings": .number(verdict.cellsWithFindings),
      "detectable_nats": .number(verdict.detectable),
      "readings": .array(
        wording.readings.map {
          .object([
            "topic": .string($0.topic.rawValue), "status": .string($0.status.rawValue),
            "value": text($0.value), "sentence": text($0.sentence),
            "layer": $0.place.map { .number($0.layer) } ?? .null,
            "window": $0.place.map { .number($0.window) } ?? .null,
          ])
        }),
      "strongest": .array(
        verdict.strongest.map {
          .object([
            "layer": .number($0.layer), "window": .number($0.window), "figure": figure($0.figure),
          ])
        }),
    ])
  }

  private func text(_ words: String) -> JSONValue {
    .string(String(words.map { $0 == "\u{A0}" ? " " : $0 }))
  }

  private var run: JSONValue {
    let run = view.study.run
    return .object([
      "id": .string(run.id), "created": .string(run.created), "producer": .string(run.producer),
      "status": .string(run.status), "model": description(run.model),
      "training": description(run.training),
    ])
  }

  /// A description as the JSON that it is, or as a string where it is not.
  private func description(_ text: String) -> JSONValue {
    JSONValue(parsing: text) ?? .string(text)
  }

  private var provenance: JSONValue {
    let provenance = view.study.provenance
    let settings = provenance.settings
    let libraries = provenance.libraries.sorted { $0.key < $1.key }
    return .object([
      "input": .string(provenance.input),
      "input_sha256": .string(provenance.inputDigest),
      "ptoken_version": .string(provenance.version),
      "libraries": .object(
        libraries.map { JSONValue.Member(key: $0.key, value: .string($0.value)) }),
      "settings": .object([
        "sigma": .number(settings.sigma),
        "token": .string(settings.token),
        "components": .number(settings.components),
        "critic": .string(settings.critic),
        "networks": .number(settings.trainedNetworks),
        "neighbour_components": .number(settings.neighbourComponents),
        "neighbours": .number(settings.neighbours),
        "folds": .number(settings.folds),
        "pairings": .number(settings.pairings),
        "candidates": .number(settings.candidates),
        "trace_steps": .number(settings.traceSteps),
        "seed": .number("\(settings.seed)"),
      ]),
    ])
  }

  private func window(_ window: Study.Window) -> JSONValue {
    .object([
      "table": .number(window.table), "mode": .string(window.mode),
      "first_step": .number(window.firstStep), "last_step": .number(window.lastStep),
      "epoch": .number(window.epoch), "loss": .number(window.loss),
      "rows": .number(window.rows), "folds": .number(window.folds),
      "candidates": .number(window.candidates),
      "label_entropy_nats": .number(window.labelEntropy),
      "label_chance_share": .number(window.labelChance),
    ])
  }

  private func figure(_ figure: Figure) -> JSONValue {
    let unit = figure.measure.unit.rawValue
    func member(_ key: String, _ value: Double) -> JSONValue.Member {
      JSONValue.Member(key: "\(key)_\(unit)", value: .number(value))
    }
    return .object([
      .init(key: "measure", value: .string(figure.measure.rawValue)),
      .init(key: "kind", value: .string(figure.measure.kind.rawValue)),
      member("value", figure.value), member("standard_error", figure.standardError),
      member("low", figure.low), member("high", figure.high),
      member("null_mean", figure.nullMean), member("null_deviation", figure.nullDeviation),
      .init(key: "p", value: .number(figure.p)),
      .init(key: "map_p", value: .number(figure.mapP)),
      member("ceiling", figure.ceiling),
      .init(key: "rows", value: .number(figure.rows)),
      .init(key: "flags", value: .array(figure.flags.map { .string($0.name) })),
    ])
  }
}
