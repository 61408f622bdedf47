// swift-tools-version: 6.3
import Foundation
import PackageDescription

// Warnings are errors where nobody reads them (CI); at a desk they stay warnings.
let isStrict = ProcessInfo.processInfo.environment["CI"] != nil

let settings: [SwiftSetting] =
  [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
  ] + (isStrict ? [.treatAllWarnings(as: .error)] : [])

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")

func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tool(_ name: String) -> Target {
  .executableTarget(name: name, dependencies: ["Commands"], swiftSettings: settings)
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []
) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestSupport"], exclude: exclude,
    swiftSettings: settings)
}

let package = Package(
  name: "ptoken",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "ptoken-record", targets: ["ptoken-record"]),
    .executable(name: "ptoken-analyze", targets: ["ptoken-analyze"]),
    .executable(name: "ptoken-report", targets: ["ptoken-report"]),
    .executable(name: "ptoken-inspect", targets: ["ptoken-inspect"]),
    .library(name: "Recording", targets: ["Recording"]),
    .library(name: "SnapshotFormat", targets: ["SnapshotFormat"]),
    .library(name: "MutualInformation", targets: ["MutualInformation", "LinearAlgebra"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
  ],
  targets: [
    // The native libraries.
    .systemLibrary(
      name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"]), .brew(["hdf5"])]),
    .systemLibrary(
      name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .systemLibrary(
      name: "CBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev", "liblapacke-dev"]), .brew(["openblas"])]),

    // Files.
    .target(name: "CChecksum"),
    .target(name: "CAllocator"),
    module("HDF5", ["CHDF5", "CZstd", "CZlib"]),
    module("SnapshotFormat", ["HDF5", "CChecksum", "Results", crypto]),
    module("Wire", ["SnapshotFormat", "Results"]),
    module("Recording", ["SnapshotFormat", "Wire", "Results"]),
    module("Importing", ["HDF5", "SnapshotFormat", "Recording", "Wire"]),

    // Numbers.
    .target(name: "CKernels"),
    .target(
      name: "LinearAlgebra", dependencies: ["CBLAS", "CKernels"], swiftSettings: settings,
      // Homebrew's OpenBLAS brings LAPACKE inside it.
      linkerSettings: [.linkedLibrary("lapacke", .when(platforms: [.linux]))]),
    module("MutualInformation", ["LinearAlgebra", "CKernels"]),
    module("InformationTasks", ["LinearAlgebra"]),
    module("PrivacyTokens", ["LinearAlgebra"]),
    module("Results", []),
    module(
      "Analysis",
      ["SnapshotFormat", "MutualInformation", "PrivacyTokens", "LinearAlgebra", "Results"]),

    // People.
    module("Reporting", ["Results"]),
    module("Inspection", ["SnapshotFormat", "HDF5", "Results", crypto]),
    module("Demonstrations", ["Recording", "SnapshotFormat", "LinearAlgebra", "HDF5"]),
    module(
      "Commands",
      [
        "SnapshotFormat", "Recording", "Importing", "Analysis", "Results", "Reporting",
        "Inspection",
        "Demonstrations", "MutualInformation", "LinearAlgebra", "CAllocator", argumentParser,
      ]),
    tool("ptoken-record"),
    tool("ptoken-analyze"),
    tool("ptoken-report"),
    tool("ptoken-inspect"),
    .executableTarget(
      name: "known-answers",
      dependencies: [
        "Analysis", "Demonstrations", "InformationTasks", "MutualInformation", "Results",
        argumentParser,
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "file-speed", dependencies: ["SnapshotFormat", "LinearAlgebra", argumentParser],
      swiftSettings: settings),
    .executableTarget(
      name: "crash-trials", dependencies: ["SnapshotFormat", argumentParser],
      swiftSettings: settings),
    .executableTarget(
      name: "estimator-speed",
      dependencies: ["Importing", "LinearAlgebra", "MutualInformation", argumentParser],
      swiftSettings: settings),
    .executableTarget(
      name: "chunk-speed", dependencies: ["HDF5", "LinearAlgebra", argumentParser],
      swiftSettings: settings),

    // Tests.
    .target(
      name: "TestSupport", path: "Tests/TestSupport", exclude: ["Python", "C"],
      swiftSettings: settings),
    tests("HDF5Tests", ["HDF5"], exclude: ["Python"]),
    tests("SnapshotFormatTests", ["SnapshotFormat", "HDF5", "Results"], exclude: ["Python"]),
    tests("WireTests", ["Wire", "SnapshotFormat", "Results"]),
    tests("RecordingTests", ["Recording", "SnapshotFormat", "Wire", "Results"]),
    tests("LinearAlgebraTests", ["LinearAlgebra"]),
    tests(
      "MutualInformationTests",
      ["MutualInformation", "InformationTasks", "LinearAlgebra", "CKernels"]),
    tests("PrivacyTokensTests", ["PrivacyTokens", "LinearAlgebra"]),
    tests(
      "AnalysisTests",
      ["Analysis", "Demonstrations", "SnapshotFormat", "Results", "LinearAlgebra"]),
    tests(
      "InspectionTests", ["Inspection", "SnapshotFormat", "HDF5", "Results", crypto],
      exclude: ["Python"]),
    tests("ReportingTests", ["Reporting", "Results"]),
    tests(
      "DemonstrationsTests",
      ["Demonstrations", "Recording", "LinearAlgebra", "SnapshotFormat", "HDF5"]),
    tests(
      "CommandTests",
      [
        "ptoken-record", "ptoken-analyze", "ptoken-report", "ptoken-inspect", "SnapshotFormat",
        "HDF5",
      ], exclude: ["Golden", "C"]),
  ],
  swiftLanguageModes: [.v6]
)
