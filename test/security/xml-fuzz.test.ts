import { ParseOption, XmlC14NMode, XmlDocument } from 'libxml2-wasm'
import { describe, expect, it } from 'vitest'
import { canonicalize } from '../../src/wire/c14n.ts'
import { NONE, readTree, XmlError, XmlReader, type XmlReason, type XmlTree } from '../../src/wire/xml.ts'
import { defaultXmlLimits } from '../../src/wire/xml-limits.ts'
import { Scanner } from '../../src/wire/xml-scanner.ts'
import { XmlTree as Tree } from '../../src/wire/xml-tree.ts'
import { randomFrom, XmlGenerator } from './xml-generator.ts'

const seed = Number(process.env.XML_FUZZ_SEED ?? 20_260_101)
const count = Number(process.env.XML_FUZZ_CASES ?? 8_000)

/** What we refuse by decision and libxml2 accepts. */
const deliberate: ReadonlySet<XmlReason> = new Set([
  'doctype',
  'processing-instruction',
  'encoding',
  'declaration',
  'too-deep',
])

/** No entities from outside, no network, no lists of identifiers; namespace faults are errors, as libxml2-wasm sees it. */
const option =
  ParseOption.XML_PARSE_NO_XXE |
  ParseOption.XML_PARSE_NONET |
  ParseOption.XML_PARSE_NO_SYS_CATALOG |
  ParseOption.XML_PARSE_SKIP_IDS
const exclusive = { mode: XmlC14NMode.XML_C14N_EXCLUSIVE_1_0 } as const

/** libxml2 does not escape `&` in namespace names when it canonicalises; Canonical XML 1.0 §2.3 does. */
const escapedNamespace = /xmlns[^ =]*="[^"]*&amp;/

/** One case is one seed, so that a failure can be run again alone. */
function forEachCase(damaged: boolean, check: (bytes: Buffer, generator: XmlGenerator) => void): void {
  for (let index = 0; index < count; index++) {
    const generator = new XmlGenerator(randomFrom(Math.imul(seed, 31) + index))
    const document = Buffer.from(generator.document(), 'utf8')
    const bytes = damaged ? generator.damage(document) : document
    try {
      check(bytes, generator)
    } catch (error) {
      const again = `XML_FUZZ_SEED=${seed} XML_FUZZ_CASES=${index + 1}`
      throw new Error(`case ${index} (${again}): ${JSON.stringify(bytes.toString('latin1'))}`, { cause: error })
    }
  }
}

function refusal<T>(read: () => T): T | XmlError {
  try {
    return read()
  } catch (error) {
    if (error instanceof XmlError) return error
    throw error
  }
}

function judged(bytes: Buffer): string | undefined {
  let document: XmlDocument | undefined
  try {
    document = XmlDocument.fromBuffer(bytes, { option })
    return document.canonicalizeToString(exclusive)
  } catch {
    return undefined
  } finally {
    document?.dispose()
  }
}

function agree(bytes: Buffer): 'accepted' | 'refused' {
  const ours = refusal(() => canonicalize(readTree(bytes), 0))
  const theirs = judged(bytes)
  if (ours instanceof XmlError) {
    if (theirs !== undefined && !deliberate.has(ours.reason)) throw new Error(`only we refuse it: ${ours.reason}`)
    return 'refused'
  }
  if (theirs === undefined) throw new Error('only we accept it')
  if (!escapedNamespace.test(ours)) expect(ours).toBe(theirs)
  return 'accepted'
}

describe('the XML reader and libxml2', () => {
  it('accept the same well-formed documents and make the same canonical form of them', () => {
    let accepted = 0
    forEachCase(false, (bytes) => {
      if (agree(bytes) === 'accepted') accepted++
    })
    expect(accepted).toBeGreaterThan(count / 2)
  })

  it('refuse the same damaged documents, and understand alike those that survive', () => {
    const told = { accepted: 0, refused: 0 }
    forEachCase(true, (bytes) => {
      told[agree(bytes)]++
    })
    expect(Math.min(told.accepted, told.refused)).toBeGreaterThan(count / 50)
  })

  it('make the same canonical form of any element, with inclusive prefixes and with an element left out', () => {
    forEachCase(false, (bytes, generator) => {
      const tree = refusal(() => readTree(bytes))
      if (tree instanceof XmlError) return
      const node = generator.below(tree.records.count)
      const inclusivePrefixes = ['#default', 'p', 'q', 'ns2', 'è', 'xml', 'unknown'].filter(() => generator.chance(0.4))
      const inside = descendants(tree, node)
      const omit = inside.length > 0 && generator.chance(0.5) ? generator.pick(inside) : NONE
      const ours = canonicalize(tree, node, { inclusivePrefixes, omit })
      using document = XmlDocument.fromBuffer(bytes, { option })
      const elements = document.find('//*')
      if (omit !== NONE) elements[omit]!.remove()
      const theirs = document.canonicalizeToString({
        ...exclusive,
        inclusiveNamespacePrefixes: inclusivePrefixes,
        nodeSet: new Set([elements[node]!]),
      })
      expect(ours).toBe(theirs)
    })
  })
})

describe('the ways to read a document', () => {
  it('agree, whether it is read at once, in steps, or walked', () => {
    forEachCase(true, (bytes, generator) => {
      const whole = refusal(() => readTree(bytes))
      const steps = refusal(() => inSteps(bytes, generator))
      const walked = refusal(() => walk(bytes, generator))
      if (whole instanceof XmlError || steps instanceof XmlError) {
        expect(steps).toEqual(whole)
        expect(walked).toEqual(whole)
        return
      }
      expect(seen(steps)).toEqual(seen(whole))
      expect(walked).toBe(undefined)
    })
  })
})

/** Pauses after every few bytes, wherever that is. */
function inSteps(bytes: Buffer, generator: XmlGenerator): XmlTree {
  const scanner = new Scanner(bytes, defaultXmlLimits)
  const records = scanner.records()
  do scanner.pauseAfter(1 + generator.below(5))
  while (!scanner.grow(records, -1))
  return new Tree(records)
}

/** Takes subtrees, skips or goes on, and compares each subtree with the same element of the whole tree. */
function walk(bytes: Buffer, generator: XmlGenerator): undefined {
  const reader = new XmlReader(bytes)
  const whole = refusal(() => readTree(bytes))
  let previous: { readonly tree: XmlTree; readonly seen: unknown } | undefined
  for (let found = reader.next(); found !== 'eof'; found = reader.next()) {
    if (previous !== undefined) expect(seen(previous.tree)).toEqual(previous.seen)
    if (found === 'end') continue
    if (generator.chance(0.2)) reader.skip()
    else if (generator.chance(0.3)) {
      const tree = reader.subtree()
      previous = { tree, seen: seen(tree) }
      if (whole instanceof XmlError) continue
      const node = descendants(whole, 0).find((candidate) => whole.start(candidate) === tree.start(0)) ?? 0
      const options = { inclusivePrefixes: ['#default', 'p', 'q'] }
      const twin = refusal(() => canonicalize(whole, node, options))
      expect(refusal(() => canonicalize(tree, 0, options))).toEqual(twin)
    }
  }
  return undefined
}

function descendants(tree: XmlTree, node: number): number[] {
  return Array.from({ length: tree.records.count }, (_, index) => index).filter(
    (other) => tree.start(other) > tree.start(node) && tree.end(other) <= tree.end(node),
  )
}

function seen(tree: XmlTree): unknown {
  const nodes = Array.from({ length: tree.records.count }, (_, node) => ({
    name: [tree.namespace(node), tree.prefix(node), tree.local(node)],
    place: [tree.parent(node), tree.first(node), tree.next(node), tree.start(node), tree.end(node)],
    attributes: tree.attributes(node),
    text: tree.text(node),
    hasText: tree.hasText(node),
  }))
  return { nodes, identifiers: tree.idAttributes }
}
