import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nothingFound } from '../../src/core/model/answers.ts'
import { objectListReader } from '../../src/wire/ebrim/object-list.ts'
import { decodeQueryResponse, encodeQueryResponse } from '../../src/wire/ebrim/query-response.ts'
import { decodeStoredQuery, encodeStoredQuery } from '../../src/wire/ebrim/stored-query.ts'
import { readTree, type XmlTree } from '../../src/wire/xml.ts'
import { canonicalList, findAll } from '../unit/wire/ebrim/canonical.ts'

const corpus = join(import.meta.dirname, '../../../shared/corpus')
const present = existsSync(corpus)
const reason = present ? '' : ' (skipped: ../shared/corpus is absent)'

interface Sample {
  readonly name: string
  readonly bytes: Buffer
  readonly tree: XmlTree
}

/** What the samples leave out on purpose, or for brevity: these objects cannot be told of. */
const leftOut: Readonly<Record<string, readonly string[]>> = {
  'ihe/ITI-18/openxds__InitiatingGatewayResponse.xml': ['it has no uniqueId', 'it has no uniqueId'],
  'ihe/ITI-41/bad/shr-xds-b__provideAndRegRequest_noDocumentEntryPatientId.xml': ['it has no patientId'],
  'ihe/ITI-41/bad/shr-xds-b__provideAndRegRequest_noUniqueId.xml': ['it has no uniqueId'],
}

/**
 * The message in a file: some are stored with the MIME parts they travelled in, some are templates, and one system
 * names its authority otherwise than by an OID.
 */
function message(file: string): Buffer {
  const text = readFileSync(file, 'utf8')
    .replaceAll('"$patientId"', '"1^^^&amp;1.2.3&amp;ISO"')
    .replaceAll('&amp;ECID&amp;ECID', '&amp;1.2.3&amp;ISO')
  const [whole] = /<(?:[\w-]+:)?Envelope[\s\S]*<\/(?:[\w-]+:)?Envelope>/.exec(text) ?? [text]
  return Buffer.from(whole)
}

function samples(local: string): Sample[] {
  return globSync(
    ['ihe/{ITI-*,metadata-samples,misc-soap}/**/*.{xml,xop}', 'ini/samples/{ini-client,issues,wxdsb}/*.xml'],
    { cwd: corpus },
  )
    .sort()
    .flatMap((name) => {
      const bytes = message(join(corpus, name))
      return new RegExp(`<([\\w-]+:)?${local}[\\s>]`).test(bytes.toString())
        ? [{ name, bytes, tree: readTree(bytes) }]
        : []
    })
}

function errorsOf(tree: XmlTree): unknown {
  return findAll(tree, 'RegistryError').map((node) =>
    tree
      .attributes(node)
      .map(({ local, value }) => `${local}=${value}`)
      .sort(),
  )
}

describe.skipIf(!present)(`the corpus's stored queries${reason}`, () => {
  it('are there', () => {
    expect(samples('AdhocQueryRequest')).not.toEqual([])
  })

  for (const { name, tree } of present ? samples('AdhocQueryRequest') : []) {
    it(`are read and written again: ${name}`, () => {
      const [request = -1] = findAll(tree, 'AdhocQueryRequest')
      const decoded = decodeStoredQuery(tree, request)
      const written = readTree(Buffer.from(encodeStoredQuery(decoded.query, decoded)))
      expect(decodeStoredQuery(written, written.root)).toEqual(decoded)
    })
  }
})

describe.skipIf(!present)(`the corpus's query responses${reason}`, () => {
  it('are there', () => {
    expect(samples('AdhocQueryResponse')).not.toEqual([])
  })

  for (const { name, bytes, tree } of present ? samples('AdhocQueryResponse') : []) {
    it(`are read and written again: ${name}`, async () => {
      const odd: string[] = []
      const message = await decodeQueryResponse(bytes, { onOddEntry: (why) => odd.push(why) })
      if (message.fault !== undefined) throw new Error('a fault')
      const { answer, status } = message
      expect(odd).toEqual(leftOut[name] ?? [])
      if (odd.length > 0) return
      const errors = answer.issues.map(({ code, text, ...issue }) => ({ errorCode: code, codeContext: text, ...issue }))
      const written = readTree(Buffer.from(encodeQueryResponse(answer, { status, returnType: 'LeafClass', errors })))
      const list = (of: XmlTree) => findAll(of, 'RegistryObjectList').flatMap((node) => canonicalList(of, node))
      expect(list(written)).toEqual(list(tree))
      expect(errorsOf(written)).toEqual(errorsOf(tree))
    })
  }
})

describe.skipIf(!present)(`the objects of the corpus's submissions${reason}`, () => {
  it('are there', () => {
    expect(samples('SubmitObjectsRequest')).not.toEqual([])
  })

  for (const { name, tree } of present ? samples('SubmitObjectsRequest') : []) {
    it(`are read and written again: ${name}`, () => {
      for (const node of findAll(tree, 'RegistryObjectList')) {
        const odd: string[] = []
        const reader = objectListReader((why) => odd.push(why))
        for (const child of tree.children(node)) reader.take(tree, child)
        const objects = reader.finish()
        expect(odd).toEqual(leftOut[name] ?? [])
        if (odd.length > 0) continue
        const xml = encodeQueryResponse(
          { ...nothingFound, ...objects },
          { status: 'success', returnType: 'LeafClass', errors: [] },
        )
        const written = readTree(Buffer.from(xml))
        const [list = -1] = findAll(written, 'RegistryObjectList')
        expect(canonicalList(written, list)).toEqual(canonicalList(tree, node))
      }
    })
  }
})
