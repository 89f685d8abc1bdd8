import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { XmlDocument, XsdValidator } from 'libxml2-wasm'
import { xmlRegisterFsInputProviders } from 'libxml2-wasm/lib/nodejs.mjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nothingFound, type QueryAnswer } from '../../src/core/model/answers.ts'
import { homeCommunityId } from '../../src/core/model/identifiers.ts'
import type { FindDocuments, StoredQuery } from '../../src/core/model/stored-query.ts'
import { encodeQueryResponse } from '../../src/wire/ebrim/query-response.ts'
import { encodeStoredQuery } from '../../src/wire/ebrim/stored-query.ts'
import { findDocuments, foundDocuments } from '../fixtures/ebrim/answers.ts'
import { queryAnswer, storedQueries } from '../unit/wire/ebrim/arbitraries.ts'

const schema = join(import.meta.dirname, '../../../shared/corpus/ihe/schemas/xds/wsdl/schema/ebRS30/query.xsd')
const present = existsSync(schema)
const reason = present ? '' : ' (skipped: ../shared/corpus is absent)'
const home = homeCommunityId('urn:oid:2.16.840.1.113883.2.9.2.90')

/** The schema has no room for attributes of other namespaces, which a peer may send all the same. */
function withoutForeignAttributes(answer: QueryAnswer): QueryAnswer {
  return JSON.parse(JSON.stringify(answer), (key: string, value: unknown) =>
    key.startsWith('{') ? undefined : value,
  ) as QueryAnswer
}

describe.skipIf(!present)(`what we write is valid after the schemas of ebRS and ebRIM${reason}`, () => {
  let validator: XsdValidator
  let document: XmlDocument

  beforeAll(() => {
    xmlRegisterFsInputProviders()
    document = XmlDocument.fromBuffer(readFileSync(schema), { url: pathToFileURL(schema).href })
    validator = XsdValidator.fromDoc(document)
  })

  afterAll(() => {
    validator.dispose()
    document.dispose()
  })

  function validate(xml: string): void {
    const message = XmlDocument.fromString(xml)
    try {
      validator.validate(message)
    } finally {
      message.dispose()
    }
  }

  it('and what is not valid is noticed', () => {
    const xml = encodeStoredQuery(findDocuments)
    expect(() => validate(xml.replace('returnType="LeafClass"', 'returnType="Everything"'))).toThrow(/returnType/)
    expect(() => validate(xml.replace('P97', 'P'.repeat(257)))).toThrow(/maxLength/)
  })

  it.each(Object.keys(storedQueries) as StoredQuery['type'][])('every %s', (type) => {
    fc.assert(
      fc.property(storedQueries[type], fc.constantFrom('one-per-value', 'joined'), (query, codeLists) => {
        validate(encodeStoredQuery(query, { codeLists, requestId: 'urn:uuid:1' }))
      }),
      { numRuns: 30 },
    )
  })

  it('a query with more ids and codes than one value has room for', () => {
    const ids = Array.from({ length: 50 }, (_, at) => `urn:uuid:11111111-0000-4000-8000-0000000000${at}`)
    const codes = ids.map((code) => ({ code, scheme: '1.2.3' }))
    for (const codeLists of ['one-per-value', 'joined'] as const) {
      validate(encodeStoredQuery({ type: 'GetAssociations', ids, extra: [] }, { codeLists }))
      validate(
        encodeStoredQuery(
          { ...(findDocuments as FindDocuments), filter: { typeCodes: codes, eventCodes: [codes] } },
          { codeLists },
        ),
      )
    }
  })

  it('every answer, with or without what peers sent beyond it, as objects or as references', () => {
    fc.assert(
      fc.property(queryAnswer, fc.constantFrom('LeafClass', 'ObjectRef'), (arbitrary, returnType) => {
        const answer = withoutForeignAttributes(arbitrary)
        const errors = answer.issues.map(({ code, text, ...issue }) => ({
          errorCode: code,
          codeContext: text,
          ...issue,
        }))
        validate(encodeQueryResponse(answer, { status: 'partial-success', returnType, errors, home }))
      }),
    )
  })

  it('an answer with everything, and one with nothing', () => {
    const responseSlots = [{ name: 'x', values: ['1'] }]
    validate(
      encodeQueryResponse(foundDocuments, { status: 'success', returnType: 'LeafClass', errors: [], responseSlots }),
    )
    validate(
      encodeQueryResponse(nothingFound, {
        status: 'failure',
        returnType: 'LeafClass',
        errors: [],
        requestId: 'urn:uuid:1',
      }),
    )
  })
})
