import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Assertion } from '../../../../src/core/model/call.ts'
import { type HomeCommunityId, homeCommunityId } from '../../../../src/core/model/identifiers.ts'
import { sealedHandles } from '../../../../src/http/api/document-handles.ts'
import { assertion, homes, loinc, otherCitizen } from '../../../support/builders.ts'

const key = Buffer.alloc(32, 7)
const clock = { time: 1_000, now: () => clock.time }
const lifetimeMs = 900_000
const handles = sealedHandles({ key, lifetimeMs, clock })
const viewer = assertion()
const reference = { home: homes.veneto, repositoryUniqueId: '1.2.3', uniqueId: '4.5^6' }
const name = fc.string({ minLength: 1, maxLength: 256, unit: 'grapheme-ascii' })
const homeOrNone = fc.constantFrom<HomeCommunityId | undefined>(undefined, homes.veneto, homeCommunityId('1.2.3'))

describe('a handle', () => {
  it('stands for the document it was made of, and may stand in an address', () => {
    fc.assert(
      fc.property(homeOrNone, name, name, (home, repositoryUniqueId, uniqueId) => {
        const reference = { ...(home === undefined ? {} : { home }), repositoryUniqueId, uniqueId }
        const handle = handles.seal(reference, viewer)
        expect(handle).toMatch(/^[A-Za-z0-9_-]{1,2048}$/)
        expect(handles.open(handle, viewer)).toEqual(reference)
      }),
    )
  })

  it('is another each time, and shows nothing of the document', () => {
    const [one, other] = [handles.seal(reference, viewer), handles.seal(reference, viewer)]
    expect(one).not.toBe(other)
    expect(Buffer.from(one, 'base64url').toString('latin1')).not.toContain(reference.uniqueId)
  })

  it.each<[string, Partial<Assertion>]>([
    ['subject', { subject: `${otherCitizen.value}^^^&${otherCitizen.authority}&ISO` }],
    ['role', { role: 'INF' }],
    ['purpose', { purposeOfUse: 'EMERGENCY' }],
    ['organization', { organization: '050' }],
    ['community', { community: homes.veneto }],
    ['patient', { patientId: otherCitizen }],
  ])('is none for another %s', (_what, more) => {
    const handle = handles.seal(reference, viewer)
    expect(handles.open(handle, assertion(more))).toBeUndefined()
  })

  it('is the same viewer’s whatever else a token says of one request', () => {
    const handle = handles.seal(reference, viewer)
    const narrowed = assertion({ documentTypes: [{ code: '11502-2', scheme: loinc }], inCare: true, action: 'UPDATE' })
    expect(handles.open(handle, narrowed)).toEqual(reference)
  })

  it('ends with its time', () => {
    clock.time = 1_000
    const handle = handles.seal(reference, viewer)
    clock.time += lifetimeMs - 1
    expect(handles.open(handle, viewer)).toEqual(reference)
    clock.time += 1
    expect(handles.open(handle, viewer)).toBeUndefined()
    clock.time = 1_000
  })

  it('is opened by every replica with the same key and by nobody else', () => {
    const handle = handles.seal(reference, viewer)
    const replica = (key: Uint8Array) => sealedHandles({ key, lifetimeMs, clock })
    expect(replica(Buffer.from(key)).open(handle, viewer)).toEqual(reference)
    expect(replica(Buffer.alloc(32, 8)).open(handle, viewer)).toBeUndefined()
    expect(() => replica(Buffer.alloc(16))).toThrow(RangeError)
  })

  it('is none once a single character is altered, or cut, or added', () => {
    const handle = handles.seal(reference, viewer)
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    for (let at = 0; at < handle.length; at++) {
      for (const letter of [alphabet[(alphabet.indexOf(handle.charAt(at)) + 1) % 64], '=', '']) {
        expect(handles.open(handle.slice(0, at) + letter + handle.slice(at + 1), viewer)).toBeUndefined()
      }
    }
    expect(handles.open(`${handle}A`, viewer)).toBeUndefined()
  })

  it('is none of whatever else is sent', () => {
    const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.jsonValue().map(encoded)), (text) => {
        expect(handles.open(text, viewer)).toBeUndefined()
      }),
    )
  })
})
