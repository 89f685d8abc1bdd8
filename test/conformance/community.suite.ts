import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { GatewayError } from '../../src/core/errors.ts'
import { ask } from '../../src/core/federation/ask.ts'
import type { AuthorizedCall } from '../../src/core/model/call.ts'
import { correlationId, type HomeCommunityId } from '../../src/core/model/identifiers.ts'
import { authorities, onlyIdentifier, type PatientId } from '../../src/core/model/patient.ts'
import type { DocumentFilter, FindDocuments } from '../../src/core/model/stored-query.ts'
import type { Community } from '../../src/core/ports.ts'
import type { Behaviour } from '../network/behaviour.ts'

/** A community as its adapter makes it, and the counterpart it speaks to. */
export interface CommunityUnderTest extends AsyncDisposable {
  readonly community: Community
  /** How the counterpart behaves from now on. */
  readonly behave: (behaviour: Behaviour) => Promise<void>
  /** How many requests the counterpart saw broken off by us since it was asked last. */
  readonly abandoned: () => number
  /** How many requests it is dealing with, or has dealt with. */
  readonly asked: () => number
  /** Somebody with documents there, and how many of them a hospital doctor is told. */
  readonly patient: PatientId
  readonly documents: number
  /** Which documents are asked for, where it is not the stable ones. */
  readonly filter?: DocumentFilter
}

/**
 * What every adapter promises, whatever it speaks: an answer or a GatewayError of the right kind, before the signal ends
 * the wait. A case that does not apply is skipped with its reason.
 */
export function communityBehaves(
  name: string,
  start: () => Promise<CommunityUnderTest>,
  skips: Partial<Record<Behaviour, string>> = {},
): void {
  describe(`${name}, as a community`, () => {
    let one: CommunityUnderTest
    beforeAll(async () => {
      one = await start()
    })
    afterEach(() => one.behave('normal'))
    afterAll(() => one[Symbol.asyncDispose]())

    const query = (signal: AbortSignal = AbortSignal.timeout(5_000)) => {
      const find: FindDocuments = {
        type: 'FindDocuments',
        patientId: one.patient,
        status: ['approved'],
        filter: one.filter ?? {},
        extra: [],
      }
      return ask(one.community, find, { patient: onlyIdentifier(one.patient) }, call(one.patient, signal))
    }
    const failure = async (signal?: AbortSignal): Promise<GatewayError> => {
      return await query(signal).then(
        () => expect.fail('The query should have failed'),
        (error: GatewayError) => error,
      )
    }
    const behaving = (behaviour: Behaviour, title: string, test: () => Promise<void>) => {
      const reason = skips[behaviour]
      it.skipIf(reason !== undefined)(reason === undefined ? title : `${title} (skipped: ${reason})`, async () => {
        await one.behave(behaviour)
        await test()
      })
    }

    behaving('normal', 'tells of every document, each with id, status and type', async () => {
      const { entries, issues } = await query()
      expect(issues).toEqual([])
      expect(entries).toHaveLength(one.documents)
      for (const entry of entries) {
        expect(entry.uniqueId).not.toBe('')
        expect(entry.status).toBe('approved')
        expect(entry.typeCode?.scheme).toBe('2.16.840.1.113883.6.1')
        // What is made when it is retrieved has none.
        if (entry.kind === 'stable') expect(entry.hash).toMatch(/^[0-9a-f]{40}$/)
        else expect(entry.hash).toBeUndefined()
      }
    })
    behaving('empty', 'tells of nothing when nothing is known', async () => {
      expect((await query()).entries).toEqual([])
    })
    behaving('partial', 'keeps what was found beside what went wrong', async () => {
      const { entries, issues } = await query()
      expect(entries.length).toBeGreaterThan(0)
      expect(issues.some(({ severity }) => severity === 'error')).toBe(true)
    })
    behaving('wrong-patient', 'is refused when it tells of somebody else', async () => {
      expect((await failure()).code).toBe('community-misbehaved')
    })
    behaving('odd-entry', 'loses one odd entry, with a warning, and nothing else', async () => {
      const { entries, issues } = await query()
      expect(entries.length).toBeGreaterThanOrEqual(one.documents - 1)
      expect(issues.map(({ severity }) => severity)).toContain('warning')
    })
    behaving('down', 'is unavailable when nobody listens', async () => {
      expect((await failure()).code).toBe('community-unavailable')
    })
    behaving('reset', 'is unavailable when it breaks the connection', async () => {
      expect((await failure()).code).toBe('community-unavailable')
    })
    for (const slow of ['hang', 'drip'] as const) {
      behaving(slow, `ends with the time it was given: ${slow}`, async () => {
        expect((await failure(AbortSignal.timeout(300))).code).toBe('community-timeout')
      })
    }
    behaving('hang', 'lets go of the connection when the caller hangs up', async () => {
      const caller = new AbortController()
      const before = one.asked()
      const ended = failure(caller.signal)
      await expect.poll(() => one.asked()).toBeGreaterThan(before)
      caller.abort(new Error('gone'))
      expect((await ended).code).toBe('caller-gone')
      await expect.poll(() => one.abandoned()).toBeGreaterThan(0)
    })
    behaving('refuse', 'says that it was refused, in the peer’s words', async () => {
      const error = await failure()
      expect(error.code).toBe('community-rejected')
      expect(error.issues.length).toBeGreaterThan(0)
    })
    behaving('fault', 'fails when the peer is broken inside', async () => {
      expect(['community-unavailable', 'community-rejected']).toContain((await failure()).code)
    })
    for (const nonsense of ['garbage', 'malformed', 'oversize'] as const) {
      behaving(nonsense, `misbehaves when it answers ${nonsense}`, async () => {
        expect((await failure()).code).toBe('community-misbehaved')
      })
    }
    behaving('normal', 'answers again after all that', async () => {
      expect((await query()).entries).toHaveLength(one.documents)
    })
  })
}

function call(patientId: PatientId, signal: AbortSignal): AuthorizedCall {
  const subject = 'PROVAY00X00X000Z^^^&2.16.840.1.113883.2.9.4.3.2&ISO'
  return {
    correlationId: correlationId('conformance'),
    signal,
    deadline: Date.now() + 10_000,
    peer: { subject: 'CN=conformance', fingerprint: '' },
    assertion: {
      id: '_conformance',
      issuer: '090',
      community: 'urn:oid:2.16.840.1.113883.2.9.2.90' as HomeCommunityId,
      subject,
      subjectId: { value: 'PROVAY00X00X000Z', authority: authorities.codiceFiscale },
      role: 'AAS',
      purposeOfUse: 'TREATMENT',
      action: 'READ',
      organization: '090',
      locality: 'Ambulatorio di prova^^^^^&2.16.840.1.113883.2.9.4.1.3&ISO^^^^090202',
      inCare: true,
      patientId,
      application: { id: 'TEST', vendor: 'Crocevia', version: '1' },
      validUntil: Date.now() + 60_000,
      signer: 'conformance',
      evidence: { kind: 'saml', digest: '' },
    },
    permit: { partition: 'conformance', viewer: { role: 'AAS', purposeOfUse: 'TREATMENT', subject } },
  }
}
