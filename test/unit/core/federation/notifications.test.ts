import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  draftOf,
  type NotificationDraftOptions,
  type ReceivedNotification,
} from '../../../../src/core/federation/notifications.ts'
import type { ConsentNotification, HideChange, SubmitNotification } from '../../../../src/core/model/change.ts'
import { correlationId } from '../../../../src/core/model/identifiers.ts'
import { citizen, clinician, homes, otherCitizen } from '../../../support/builders.ts'

const minute = 60_000
const uuid = 'ed9ca9fa-f90d-4c16-8f4d-c32a3ac1a848'
const submitted: SubmitNotification = {
  type: 'documents-submitted',
  patientId: citizen,
  home: homes.veneto,
  repositoryUniqueId: '1.2.3',
  uniqueId: '1.2.3^4',
}
const hidden: HideChange = { type: 'hide', patientId: citizen, uniqueId: '1.2.3^4', since: '20250519162255+0200' }
const consents = (given: boolean): ConsentNotification => ({
  type: 'consents-changed',
  patientId: citizen,
  consents: [{ name: 'C2', given }],
})

const hash = (text: string) => createHash('sha256').update(text).digest('hex')

function draft(
  content: ReceivedNotification['content'],
  receivedAt = 0,
  more: Partial<ReceivedNotification & NotificationDraftOptions> = {},
) {
  const { messageId, transaction = 'NotifySubmitObjects', digest = 'd', ...options } = more
  return draftOf(
    { transaction, content, digest, ...(messageId === undefined ? {} : { messageId }) },
    { id: 'random', correlationId: correlationId('c-1'), receivedAt, hash, ...options },
  )
}

/** As the journal finds out: whether one of their identities is the same. */
function repeats(one: { identities: readonly string[] }, other: { identities: readonly string[] }): boolean {
  return one.identities.some((identity) => other.identities.includes(identity))
}

describe('the draft of a notification', () => {
  it('says what came, and when, and about whom', () => {
    expect(draft(submitted, 5)).toMatchObject({
      id: 'random',
      transaction: 'NotifySubmitObjects',
      correlationId: 'c-1',
      digest: 'd',
      receivedAt: 5,
      frees: [],
      patients: [citizen],
      pushed: { kind: 'notification', notification: submitted },
    })
    expect(draft(submitted)).not.toHaveProperty('deliverAs')
    expect(draft(submitted, 0, { deliverAs: 'x' })).toMatchObject({ deliverAs: 'x' })
  })

  it('of a hiding is a change, on nobody’s word', () => {
    expect(draft(hidden).pushed).toEqual({ kind: 'change', change: hidden })
  })

  it('names nobody in its identities and objects', () => {
    for (const content of [submitted, hidden, consents(true)]) {
      const { identities, objects } = draft(content, 0, { messageId: uuid })
      expect(identities.length).toBeGreaterThan(0)
      for (const identity of identities) expect(identity).toMatch(/^[0-9a-f]{64}$/)
      expect(objects.join()).not.toContain(citizen.value)
    }
  })
})

describe('the order of notifications', () => {
  const objects = (content: ReceivedNotification['content']) => draft(content).objects

  it('is that of its document’s changes for a hiding, and its own for an operation on metadata', () => {
    expect(objects(hidden)).toEqual([hidden.uniqueId])
    expect(objects(submitted)).not.toContain(submitted.uniqueId)
    expect(objects(submitted)).toEqual(objects({ ...submitted, home: homes.lazio }))
    expect(objects(submitted)).not.toEqual(objects({ ...submitted, uniqueId: '1.2.3^5' }))
  })

  it('is one person’s own for consents', () => {
    expect(objects(consents(true))).toEqual(objects(consents(false)))
    expect(objects(consents(true))).not.toEqual(objects({ ...consents(true), patientId: otherCitizen }))
  })

  it('is no matter for retrievals', () => {
    const retrieved = { ...submitted, type: 'document-retrieved', requestor: clinician } as const
    expect(objects({ ...retrieved, requestorRole: 'AAS', purposeOfUse: 'TREATMENT' })).toEqual([])
  })
})

describe('a repetition', () => {
  it('bears the name of the first message, however it is spelt and whenever it comes', () => {
    for (const content of [submitted, hidden, consents(true)]) {
      const first = draft(content, 0, { messageId: `urn:uuid:${uuid}` })
      for (const messageId of [`urn:uuid:${uuid}`, `uuid:${uuid}`, uuid, `urn:uuid:${uuid.toUpperCase()}`]) {
        expect(repeats(first, draft(content, 30 * 24 * 60 * minute, { messageId }))).toBe(true)
      }
    }
  })

  it('is none when it tells something else under the same name', () => {
    const other = { ...submitted, uniqueId: '1.2.3^5' }
    expect(repeats(draft(submitted, 0, { messageId: uuid }), draft(other, 0, { messageId: uuid }))).toBe(false)
  })

  it('is none when it is another transaction, or somebody else', () => {
    expect(repeats(draft(submitted), draft(submitted, 0, { transaction: 'NotifyRetrieve' }))).toBe(false)
    expect(repeats(draft(submitted), draft({ ...submitted, patientId: otherCitizen }))).toBe(false)
  })

  it('may bear another name, or none, as long as it comes soon', () => {
    const first = draft(submitted, 0, { messageId: uuid })
    expect(repeats(first, draft(submitted, minute, { messageId: 'another' }))).toBe(true)
    expect(repeats(first, draft(submitted, minute))).toBe(true)
    expect(repeats(first, draft(submitted, 60 * minute, { messageId: 'another' }))).toBe(false)
  })

  it('is one for the whole time and not for a quarter more, wherever it begins and whichever is first', () => {
    const times = fc.record({
      start: fc.integer({ min: 0, max: 2_000_000_000_000 }),
      within: fc.constantFrom(minute, 15 * minute, 7_777),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
      beyond: fc.double({ min: 1.25, max: 40, noNaN: true }),
    })
    fc.assert(
      fc.property(times, ({ start, within: repeatWithinMs, part, beyond }) => {
        const at = (receivedAt: number) => draft(submitted, receivedAt, { repeatWithinMs })
        const later = at(start + Math.floor(part * repeatWithinMs))
        expect(repeats(at(start), later)).toBe(true)
        expect(repeats(later, at(start))).toBe(true)
        expect(repeats(at(start), at(start + Math.ceil(beyond * repeatWithinMs)))).toBe(false)
      }),
    )
  })

  it('ends exactly at the edges of the default of 15 minutes', () => {
    for (const start of [0, 1, 15 * minute - 1, 15 * minute]) {
      expect(repeats(draft(submitted, start), draft(submitted, start + 15 * minute))).toBe(true)
      expect(repeats(draft(submitted, start), draft(submitted, start + 18.75 * minute))).toBe(false)
    }
  })

  it('can be had by name alone', () => {
    const named = { repeatWithinMs: 0, messageId: uuid }
    expect(repeats(draft(submitted, 0, named), draft(submitted, 0, named))).toBe(true)
    expect(draft(submitted, 0, { repeatWithinMs: 0 }).identities).toEqual([])
  })

  it('of consents is told by name alone: given, withdrawn and given again is three things', () => {
    const [first, , third] = [consents(true), consents(false), consents(true)].map((content, index) =>
      draft(content, index * minute, { messageId: `m-${index}`, transaction: 'NotifyConsent' }),
    )
    if (first === undefined || third === undefined) throw new Error('There are three')
    expect(repeats(first, third)).toBe(false)
    expect(draft(consents(true)).identities).toEqual([])
  })

  it('of a hiding is told by name alone where it does not say at which minute', () => {
    const { since: _date, ...dateless } = hidden
    for (const content of [dateless, { ...hidden, since: '20250519' }, { ...hidden, since: '2025-05-19+02:00' }]) {
      expect(draft(content).identities).toEqual([])
    }
    for (const since of ['20250519162255+0200', '202505191622', '2025-05-19T16:22:55.809+02:00']) {
      expect(repeats(draft({ ...hidden, since }), draft({ ...hidden, since }, minute))).toBe(true)
    }
  })

  it('is recognised in whatever order its parts were put together', () => {
    const { patientId, ...rest } = submitted
    const shuffled = { ...rest, patientId: { authority: patientId.authority, value: patientId.value } }
    expect(draft(shuffled).identities).toEqual(draft(submitted).identities)
  })
})
