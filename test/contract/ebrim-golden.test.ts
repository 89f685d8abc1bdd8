import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { decodeQueryResponse, encodeQueryResponse } from '../../src/wire/ebrim/query-response.ts'
import { decodeStoredQuery, encodeStoredQuery } from '../../src/wire/ebrim/stored-query.ts'
import { readTree } from '../../src/wire/xml.ts'
import { citizen, findDocuments, foundDocuments } from '../fixtures/ebrim/answers.ts'
import { canonicalList, findAll } from '../unit/wire/ebrim/canonical.ts'

const requestId = 'urn:uuid:00000000-0000-4000-8000-000000000007'

function golden(name: string): string {
  return readFileSync(join(import.meta.dirname, '../fixtures/ebrim', name), 'utf8')
}

/** Golden messages are laid out for reading; what we write is not. */
function packed(xml: string): string {
  return xml.replace(/>\s+</g, '><').trim()
}

describe('the golden messages of ITI-18 and ITI-38', () => {
  it('find-documents.request.xml is what its query is written as, and read from', () => {
    const tree = readTree(Buffer.from(golden('find-documents.request.xml')))
    expect(decodeStoredQuery(tree, tree.root)).toEqual({ query: findDocuments, returnType: 'LeafClass', requestId })
    expect(encodeStoredQuery(findDocuments, { requestId })).toBe(packed(golden('find-documents.request.xml')))
  })

  it('find-documents.response.xml is what its answer is written as, and read from', async () => {
    const status = 'partial-success'
    expect(await decodeQueryResponse(Buffer.from(golden('find-documents.response.xml')))).toEqual({
      header: {},
      status,
      requestId,
      answer: foundDocuments,
      responseSlots: [],
    })
    const errors = foundDocuments.issues.map(({ code, text, ...issue }) => ({
      errorCode: code,
      codeContext: text,
      ...issue,
    }))
    expect(encodeQueryResponse(foundDocuments, { status, returnType: 'LeafClass', errors, requestId })).toBe(
      packed(golden('find-documents.response.xml')),
    )
  })

  it("INI's unquoted values and bare codes are read", () => {
    const tree = readTree(Buffer.from(golden('ini-find-documents.request.xml')))
    expect(decodeStoredQuery(tree, tree.root)).toEqual({
      query: {
        type: 'FindDocuments',
        patientId: citizen,
        status: ['approved'],
        filter: {
          typeCodes: [
            { code: '60591-5', scheme: '2.16.840.1.113883.6.1' },
            { code: '11502-2', scheme: '2.16.840.1.113883.6.1' },
          ],
          eventCodes: [[{ code: 'P99' }]],
        },
        extra: [],
      },
      returnType: 'ObjectRef',
    })
  })

  it("INI's entries are read with all that comes with them, and written again without loss", async () => {
    const bytes = Buffer.from(golden('ini-leaf-class.response.xml'))
    const message = await decodeQueryResponse(bytes)
    expect(message).toMatchObject({
      header: {
        action: 'urn:ihe:iti:2007:RegistryStoredQueryResponse',
        relatesTo: '00000000-0000-4000-8000-000000000001',
      },
      status: 'success',
      answer: {
        entries: [
          {
            patientId: citizen,
            hash: '4e7c8255378d8086ee0c527bb7f1b6444256251c',
            size: 7708,
            version: '1',
            classCode: { code: 'PRE', scheme: '2.16.840.1.113883.2.9.3.3.6.1.5', display: 'Prestazioni' },
          },
        ],
        references: [{ id: 'urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a' }],
        issues: [],
      },
    })
    if (message.fault !== undefined) throw new Error('a fault')
    const xml = encodeQueryResponse(message.answer, { status: 'success', returnType: 'LeafClass', errors: [] })
    const lists = [readTree(bytes), readTree(Buffer.from(xml))].map((tree) =>
      findAll(tree, 'RegistryObjectList').map((list) => canonicalList(tree, list)),
    )
    expect(lists[1]).toEqual(lists[0])
  })

  it("INI's refusal to search for us is an answer with a warning", async () => {
    expect(await decodeQueryResponse(Buffer.from(golden('ini-not-for-us.response.xml')))).toMatchObject({
      status: 'failure',
      answer: {
        entries: [],
        issues: [{ severity: 'warning', code: 'QND2', text: 'The requestor is RDA for the patient' }],
      },
    })
  })

  it("INI's faults are read by local names", async () => {
    expect(await decodeQueryResponse(Buffer.from(golden('ini-policy.fault.xml')))).toMatchObject({
      fault: {
        code: 'Receiver',
        reason: 'Missing mandatory attributes in the attribute assertion',
        detail: { errorCode: 'PIT2', timestamp: '2024-02-29 12:00:00.000Z' },
      },
    })
  })
})
