internal import HDF5

/// Checks the structure of a file against the built-in schema: objects, types, shapes, attributes, filters, limits.
///
/// Everything is checked before any of it is read; nothing is followed that leaves the file.
struct SchemaChecker {
  private let schema: Schema
  /// The file is of a newer minor version: unknown streams are passed over (R-008).
  private let isNewer: Bool
  private(set) var breaches: [DescriptionRules.Breach] = []
  /// Lengths met so far, by the group that binds them.
  private var scopes: [Scope] = []

  /// Lengths that must agree in one group.
  private struct Scope {
    var names: Set<String>
    var uses: [String: [Use]] = [:]
  }

  /// A dataset that has an axis of a named length.
  private struct Use {
    var length: Int
    var path: String
    var requirement: String
  }

  /// Checks a whole file.
  static func breaches(
    of file: borrowing File, format: String, isNewer: Bool
  ) -> [DescriptionRules.Breach] {
    var checker = SchemaChecker(schema: .builtIn(format), isNewer: isNewer)
    checker.checkGroup(file, checker.schema.root)
    return checker.breaches
  }

  private init(schema: Schema, isNewer: Bool) {
    self.schema = schema
    self.isNewer = isNewer
  }

  private mutating func breach(_ requirement: String, _ object: String, _ message: String) {
    breaches.append(.init(requirement: requirement, object: object, message: message))
  }

  // MARK: Groups

  private mutating func checkGroup<L: Location & ~Copyable>(
    _ location: borrowing L, _ node: Schema.Node
  ) {
    let place = location.path.isEmpty ? "/" : location.path
    if let names = node.dimensions { scopes.append(Scope(names: Set(names))) }
    checkAttributes(of: location, node)
    do throws(HDF5Error) {
      for (name, child) in (node.objects ?? [:]).sorted(by: { $0.key < $1.key }) {
        try checkChild(name, child, of: location)
      }
      try checkOthers(of: location, node)
    } catch {
      breach(node.requirement, place, error.message)
    }
    if node.dimensions != nil { closeScope() }
  }

  private mutating func checkChild<L: Location & ~Copyable>(
    _ name: String, _ node: Schema.Node, of location: borrowing L
  ) throws(HDF5Error) {
    let path = "\(location.path)/\(name)"
    let expected = node.kind == .group ? "a group" : "a dataset"
    switch try location.kind(of: name) {
    case nil:
      guard node.optional != true else { return }
      breach(node.absent ?? node.requirement, path, "expected \(expected), found nothing")
    case .refusedLink:
      breach(
        node.absent ?? node.requirement, path,
        "expected \(expected), found a soft or external link; links are not followed")
    case .group where node.kind == .group:
      do throws(HDF5Error) {
        checkGroup(try location.group(name), node)
      } catch {
        breach(node.requirement, path, error.message)
      }
    case .dataset where node.kind != .group:
      checkDataset(name, node, of: location)
    default:
      breach(node.absent ?? node.requirement, path, "expected \(expected), found something else")
    }
  }

  /// Numbered objects, and what does not belong here.
  private mutating func checkNumbered<L: Location & ~Copyable>(
    _ names: [String], of location: borrowing L, _ node: Schema.Node, _ numbered: Schema.Numbered
  ) throws(HDF5Error) {
    guard names.count <= numbered.most else {
      breach(
        numbered.requirement, location.path,
        "expected at most \(numbered.most) objects, found \(names.count)")
      return
    }
    var numbers: [Int] = []
    for name in names {
      let child = numbered.objects[String(name.prefix(1))]
      let number = Names.number(of: name)
      if let number { numbers.append(number) }
      guard let child, number != nil else {
        let isUnknown = isNewer && number != nil && name.first?.isUppercase == true
        if numbered.sparse == true || isUnknown { continue }
        breach(
          numbered.requirement, "\(location.path)/\(name)",
          "expected objects named \(numbered.objects.keys.sorted().joined(separator: ", ")) and a number, found '\(name.prefix(40))'"
        )
        continue
      }
      if isNewer, try isOfUnknownKind(name, child, of: location) { continue }
      try checkChild(name, child, of: location)
    }
    if numbered.sparse != true, numbers.sorted() != Array(names.indices),
      numbers.count == names.count
    {
      breach(
        numbered.requirement, location.path,
        "expected objects numbered 0000, 0001, ..., found \(names.prefix(5))")
    }
  }

  private func isOfUnknownKind<L: Location & ~Copyable>(
    _ name: String, _ node: Schema.Node, of location: borrowing L
  ) throws(HDF5Error) -> Bool {
    guard let known = node.attributes?[Names.kind]?.values,
      try location.kind(of: name) == .dataset
    else { return false }
    guard let kind = try? location.dataset(name).string(Names.kind) else { return false }
    return !known.contains(kind)
  }

  private mutating func checkOthers<L: Location & ~Copyable>(
    of location: borrowing L, _ node: Schema.Node
  ) throws(HDF5Error) {
    let known = node.objects ?? [:]
    let others = try location.children().filter { known[$0] == nil }
    if let numbered = node.numbered {
      try checkNumbered(others, of: location, node, numbered)
      if numbered.sparse != true { return }
    }
    for name in others where try location.kind(of: name) == .refusedLink {
      breach(
        schema.storage.links.requirement, "\(location.path)/\(name)",
        "expected hard links only, found a soft or external link")
    }
  }

  private mutating func closeScope() {
    let scope = scopes.removeLast()
    for (name, uses) in scope.uses.sorted(by: { $0.key < $1.key }) {
      // The length that most agree on is right; who differs is at fault.
      let counts = Dictionary(grouping: uses, by: \.length).mapValues(\.count)
      guard
        let (length, _) = counts.max(by: { ($0.value, $0.key) < ($1.value, $1.key) }),
        counts.count > 1
      else { continue }
      for use in uses where use.length != length {
        breach(
          use.requirement, use.path, "expected \(length) \(name), found \(use.length)")
      }
    }
  }

  // MARK: Datasets

  private mutating func checkDataset<L: Location & ~Copyable>(
    _ name: String, _ node: Schema.Node, of location: borrowing L
  ) {
    let path = "\(location.path)/\(name)"
    do throws(HDF5Error) {
      let dataset = try location.dataset(name)
      checkAttributes(of: dataset, node)
      let shape = try dataset.shape()
      let axes: [Schema.Axis] = node.kind == .json ? [.named("*bytes")] : node.shape ?? []
      let type = node.kind == .json ? "uint8" : node.type ?? ""
      guard dataset.elementType.description == type, shape.count == axes.count,
        zip(axes, shape).allSatisfy({ if case .length(let n) = $0 { n == $1 } else { true } })
      else {
        let words = axes.map {
          switch $0 {
          case .length(let length): "\(length)"
          case .named(let name): "\(name.drop { $0 == "*" })"
          }
        }
        breach(
          node.requirement, path,
          "expected \(type) [\(words.joined(separator: ", "))], found \(dataset.elementType) \(shape)"
        )
        return
      }
      guard node.kind != .json || shape[0] <= schema.storage.jsonBytes else {
        breach(
          node.requirement, path,
          "expected at most \(schema.storage.jsonBytes) bytes, found \(shape[0])")
        return
      }
      guard checkStorage(of: dataset) else { return }
      for (axis, length) in zip(axes, shape) {
        if case .named(let name) = axis { note(length, name, path, node.requirement) }
      }
      if try !dataset.isStored() {
        breach(
          schema.storage.missingChunks.requirement, path,
          "expected every chunk to be stored, found some missing")
      }
    } catch {
      breach(error.code == .refused ? "R-072" : node.requirement, path, error.message)
    }
  }

  private mutating func checkStorage(of dataset: borrowing Dataset) -> Bool {
    let filters = schema.storage.filters
    let ids = dataset.filters.map(\.id)
    guard ids.allSatisfy({ filters.allowed.contains($0) }), Set(ids).count == ids.count else {
      breach(
        filters.requirement, dataset.path,
        "expected deflate, shuffle, fletcher32 or zstd, each at most once, found \(dataset.filters.map(\.description).joined(separator: ", "))"
      )
      return false
    }
    let most = schema.storage.chunkBytes
    guard dataset.chunkBytes <= most.most else {
      breach(
        most.requirement, dataset.path,
        "expected chunks of at most \(most.most) bytes, found \(dataset.chunkBytes)")
      return false
    }
    return true
  }

  private mutating func note(
    _ length: Int, _ name: String, _ path: String, _ requirement: String
  ) {
    let plain = name.hasPrefix("*") ? String(name.dropFirst()) : name
    if let limit = schema.dimensions[plain], length > limit.most {
      breach(
        limit.requirement, path, "expected at most \(limit.most) \(plain), found \(length)")
    }
    guard plain == name, let scope = scopes.lastIndex(where: { $0.names.contains(name) }) else {
      return
    }
    scopes[scope].uses[name, default: []].append(
      Use(length: length, path: path, requirement: requirement))
  }

  // MARK: Attributes

  private mutating func checkAttributes<A: AttributeHolder & ~Copyable>(
    of holder: borrowing A, _ node: Schema.Node
  ) {
    for (name, rule) in (node.attributes ?? [:]).sorted(by: { $0.key < $1.key }) {
      if let when = rule.when {
        let isAsked = when.allSatisfy { (try? holder.string($0.key)) == $0.value }
        guard isAsked else { continue }
      }
      guard holder.hasAttribute(name) else {
        if rule.optional != true {
          breach(rule.requirement, "\(holder.path)@\(name)", "expected an attribute, found nothing")
        }
        continue
      }
      do throws(HDF5Error) {
        try checkAttribute(name, rule, of: holder)
      } catch {
        breach(rule.requirement, "\(holder.path)@\(name)", error.message)
      }
    }
  }

  private mutating func checkAttribute<A: AttributeHolder & ~Copyable>(
    _ name: String, _ rule: Schema.Attribute, of holder: borrowing A
  ) throws(HDF5Error) {
    let attribute = try holder.attribute(name)
    guard rule.type == "text" else {
      guard attribute.elementType.description == rule.type,
        attribute.shape.count == (rule.shape?.count ?? 0)
      else {
        breach(
          rule.requirement, "\(holder.path)@\(name)",
          "expected \(rule.shape == nil ? "one" : "a row of") \(rule.type), found \(attribute.elementType) \(attribute.shape)"
        )
        return
      }
      return
    }
    let text = try attribute.readString()
    guard attribute.elementType.size <= schema.storage.textBytes else {
      breach(
        rule.requirement, "\(holder.path)@\(name)",
        "expected at most \(schema.storage.textBytes) bytes of text")
      return
    }
    if let values = rule.values, !values.contains(text) {
      let list = values.count > 1 ? "one of \(values.joined(separator: ", "))" : "'\(values[0])'"
      breach(
        rule.requirement, "\(holder.path)@\(name)", "expected \(list), found '\(text.prefix(40))'")
    }
  }
}
