import { expect, it } from 'vitest'
import type { DocumentEntry } from '../../../../src/core/model/metadata.ts'
import { decodeQueryResponse, encodeQueryResponse, prepareEntries } from '../../../../src/wire/ebrim/query-response.ts'
import { findDocumentsAnswer } from '../../../bench/find-documents-answer.ts'

async function decoded(): Promise<readonly DocumentEntry[]> {
  const response = await decodeQueryResponse(findDocumentsAnswer(3))
  if (response.fault !== undefined) throw new Error('The answer must be one')
  return response.answer.entries
}

function written(entries: readonly DocumentEntry[]): string {
  const nothing = { submissionSets: [], folders: [], associations: [] }
  const slotsFor = () => [{ name: 'urn:x', values: ['told by'] }]
  return encodeQueryResponse(
    { ...nothing, entries },
    { status: 'success', returnType: 'LeafClass', errors: [], slotsFor },
  )
}

it('writes a prepared entry as it would write it unprepared', async () => {
  const plain = written(await decoded())
  const entries = await decoded()
  prepareEntries(entries, (work) => work())
  expect(written(entries)).toBe(plain)
  expect(written(entries.map((entry) => ({ ...entry, sources: [] })))).toBe(plain)
})

it('writes the home of now, and anew whatever was changed, added or taken away', async () => {
  const entries = await decoded()
  const changes: readonly ((entry: DocumentEntry) => DocumentEntry)[] = [
    (entry) => ({ ...entry, home: 'urn:oid:1.2.3' as NonNullable<DocumentEntry['home']> }),
    (entry) => ({ ...entry, status: 'deprecated' }),
    (entry) => ({ ...entry, eventCodes: [] }),
    (entry) => ({ ...entry, legalAuthenticator: 'SOMEBODY' }),
    ({ hash: _hash, ...entry }) => entry,
  ]
  const plain = changes.map((change) => written(entries.map(change)))
  prepareEntries(entries, (work) => work())
  expect(changes.map((change) => written(entries.map(change)))).toEqual(plain)
})
