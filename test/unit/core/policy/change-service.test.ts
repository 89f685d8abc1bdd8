import { describe, expect, it } from 'vitest'
import type { Submission } from '../../../../src/core/model/change.ts'
import type { Association, DocumentEntry } from '../../../../src/core/model/metadata.ts'
import { serviceOfChange } from '../../../../src/core/policy/change-service.ts'
import { citizen, entry, link, obscured, submissionSet } from '../../../support/builders.ts'

const submission = (associations: readonly Association[] = [], entries = [entry('d')]): Submission => {
  return { submissionSet: submissionSet('s'), entries, folders: [], associations }
}
const event = (code: string) => ({ code, scheme: '2.16.840.1.113883.2.9.3.3.6.1.3' })

describe('the service of a change', () => {
  it('is told by what it does', () => {
    expect(serviceOfChange({ type: 'submit', submission: submission([link('s', 'has-member', 'd')]) })).toBe('create')
    expect(serviceOfChange({ type: 'update', submission: submission() })).toBe('update')
    expect(serviceOfChange({ type: 'remove', ids: [], entries: [] })).toBe('delete')
    expect(serviceOfChange({ type: 'hide', patientId: citizen, uniqueId: 'd' })).toBe('hide')
  })

  it.each(['replaces', 'transforms-and-replaces'])('%s another document: replace', (type) => {
    expect(serviceOfChange({ type: 'submit', submission: submission([link('d', type, 'old')]) })).toBe('replace')
  })

  it.each(['appends', 'transforms', 'signs'])('%s another document: create', (type) => {
    expect(serviceOfChange({ type: 'submit', submission: submission([link('d', type, 'old')]) })).toBe('create')
  })

  it('a document that replaces itself is updated, the old way', () => {
    const itself = submission([link('d', 'replaces', 'd')])
    expect(serviceOfChange({ type: 'submit', submission: itself })).toBe('update')
    expect(serviceOfChange({ type: 'submit', submission: itself }, [obscured('d')])).toBe('hide')
    const both = submission([link('d', 'replaces', 'd'), link('e', 'replaces', 'old')])
    expect(serviceOfChange({ type: 'submit', submission: both })).toBe('replace')
  })

  it('what INI registers as its own is an index transfer', () => {
    const contentTypeCode = { code: 'INI', scheme: '2.16.840.1.113883.2.9.3.3.6.1.4' }
    const moved = {
      ...submission([link('d', 'replaces', 'old')]),
      submissionSet: submissionSet('s', { contentTypeCode }),
    }
    expect(serviceOfChange({ type: 'submit', submission: moved })).toBe('index-push')
  })
})

describe('an update', () => {
  const update = (to: DocumentEntry, from: DocumentEntry) =>
    serviceOfChange({ type: 'update', submission: submission([], [to]) }, [from])
  const next = (from: DocumentEntry, more: Partial<DocumentEntry> = {}): DocumentEntry => {
    return { ...from, entryUuid: 'urn:uuid:next', logicalId: from.entryUuid, uniqueId: 'another', ...more }
  }

  it.each<[string, DocumentEntry, readonly string[], string]>([
    ['obscures', entry('d'), ['P99'], 'hide'],
    ['shows again', obscured('d'), [], 'hide'],
    ['shows in clear', obscured('d'), ['P00'], 'hide'],
    ['leaves obscured', obscured('d'), ['LP199190-2', 'P99'], 'update'],
    ['leaves in clear', entry('d'), ['LP199190-2'], 'update'],
  ])('that %s a document', (_what, before, codes, service) => {
    expect(update(next(before, { eventCodes: codes.map(event) }), before)).toBe(service)
  })

  it('is held against the versions of its own document only', () => {
    expect(update(entry('d'), obscured('e'))).toBe('update')
    expect(update(next(entry('d')), { ...obscured('d'), entryUuid: 'urn:uuid:v2', logicalId: 'urn:uuid:d' })).toBe(
      'hide',
    )
  })
})
