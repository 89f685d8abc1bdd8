import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { auditTrail } from '../../../src/audit/trail.ts'
import { GatewayError } from '../../../src/core/errors.ts'
import type { Assertion, Peer } from '../../../src/core/model/call.ts'
import { correlationId, homeCommunityId, oid } from '../../../src/core/model/identifiers.ts'
import { authorities, type PatientId } from '../../../src/core/model/patient.ts'
import type { AuditEvent } from '../../../src/core/ports.ts'
import { canonicalJson, genesis } from '../../../src/store/chain.ts'
import type { AuditRecord, AuditStore } from '../../../src/store/store.ts'

const tuscany = homeCommunityId('2.16.840.1.113883.2.9.2.90')
const campania = homeCommunityId('2.16.840.1.113883.2.9.2.150')
const patient: PatientId = { value: 'PROVAX00X00X000Y', authority: authorities.codiceFiscale }
const peer: Peer = { name: 'portal', home: tuscany, subject: 'CN=A1#090000', fingerprint: 'ab'.repeat(32) }

const assertion: Assertion = {
  id: '_b9f4f3a0',
  issuer: '090',
  community: tuscany,
  subject: 'VRDLGU00X00X000Y^^^&2.16.840.1.113883.2.9.4.3.2&ISO',
  role: 'AAS',
  purposeOfUse: 'TREATMENT',
  action: 'READ',
  organization: '090',
  organizationName: 'Regione Toscana',
  locality: '090101',
  inCare: true,
  patientId: patient,
  application: { id: 'app', vendor: 'vendor', version: '1.0' },
  validUntil: Date.UTC(2026, 2, 2, 9, 5),
  signer: 'CN=S1#090000',
  evidence: { kind: 'saml', digest: 'cd'.repeat(32) },
}

const granted: AuditEvent = {
  at: Date.UTC(2026, 2, 2, 9),
  correlationId: correlationId('c-1'),
  transaction: 'ITI-18',
  peer,
  assertion,
  patientId: patient,
  request: 'FindDocuments',
  asked: [
    { home: tuscany, outcome: 'answered' },
    { home: campania, outcome: 'failed' },
  ],
  outcome: 'partial-success',
  results: 17,
}

function memoryStore(fails?: unknown): { store: AuditStore; records: AuditRecord[] } {
  const records: AuditRecord[] = []
  const store: AuditStore = {
    async append(record) {
      if (fails !== undefined) throw fails
      return { sequence: records.push(record) }
    },
    read: async () => [],
    latest: async () => genesis,
    verify: async () => ({ ok: true, records: records.length }),
    [Symbol.asyncDispose]: async () => undefined,
  }
  return { store, records }
}

async function recorded(event: AuditEvent): Promise<AuditRecord | undefined> {
  const { store, records } = memoryStore()
  await auditTrail(store, { now: () => Date.UTC(2026, 2, 2, 9, 0, 1, 250) }).record(event)
  return records[0]
}

describe('auditTrail', () => {
  it('records who asked, about whom, what, why, whom we asked, and how it ended', async () => {
    expect(await recorded(granted)).toEqual({
      format: 1,
      at: '2026-03-02T09:00:00.000Z',
      recordedAt: '2026-03-02T09:00:01.250Z',
      correlationId: 'c-1',
      transaction: 'ITI-18',
      peer: { name: 'portal', home: tuscany, subject: 'CN=A1#090000', fingerprint: 'ab'.repeat(32) },
      caller: {
        subject: 'VRDLGU00X00X000Y^^^&2.16.840.1.113883.2.9.4.3.2&ISO',
        role: 'AAS',
        organization: '090',
        organizationName: 'Regione Toscana',
        locality: '090101',
        purposeOfUse: 'TREATMENT',
        action: 'READ',
        inCare: true,
        patient: 'PROVAX00X00X000Y^^^&2.16.840.1.113883.2.9.4.3.2&ISO',
        application: { id: 'app', vendor: 'vendor', version: '1.0' },
        assertion: {
          id: '_b9f4f3a0',
          kind: 'saml',
          issuer: '090',
          community: tuscany,
          signer: 'CN=S1#090000',
          digest: 'cd'.repeat(32),
          validUntil: '2026-03-02T09:05:00.000Z',
        },
      },
      patient: 'PROVAX00X00X000Y^^^&2.16.840.1.113883.2.9.4.3.2&ISO',
      request: 'FindDocuments',
      asked: [
        { home: tuscany, outcome: 'answered' },
        { home: campania, outcome: 'failed' },
      ],
      outcome: 'partial-success',
      results: 17,
    })
  })

  it('records what an operator did to what the gateway knows, by the name they gave', async () => {
    const { assertion: _, results: __, ...rest } = granted
    const documents = [{ repositoryUniqueId: '1.2.3', uniqueId: '1.2.3^doc' }]
    const operated = { delivery: 'urn:uuid:1', reason: 'x'.repeat(600) }
    const deed: AuditEvent = {
      ...rest,
      ...{ transaction: 'operator', peer: { subject: 'anna', fingerprint: '' }, request: 'discard', documents },
      ...{ asked: [], outcome: 'success', operated },
    }
    expect(await recorded(deed)).toEqual({
      format: 1,
      at: '2026-03-02T09:00:00.000Z',
      recordedAt: '2026-03-02T09:00:01.250Z',
      correlationId: 'c-1',
      transaction: 'operator',
      peer: { subject: 'anna', fingerprint: '' },
      patient: 'PROVAX00X00X000Y^^^&2.16.840.1.113883.2.9.4.3.2&ISO',
      request: 'discard',
      documents: [{ repository: '1.2.3', document: '1.2.3^doc' }],
      asked: [],
      outcome: 'success',
      operated: { delivery: 'urn:uuid:1', reason: `${'x'.repeat(511)}…` },
    })
  })

  it('records of an unauthenticated attempt the peer and the failure, and nothing it merely claimed', async () => {
    const { assertion: _, ...unauthenticated } = granted
    const error = new GatewayError('assertion-invalid', 'The signature is not valid')
    expect(await recorded({ ...unauthenticated, asked: [], outcome: 'refused', error, results: 0 })).toEqual({
      format: 1,
      at: '2026-03-02T09:00:00.000Z',
      recordedAt: '2026-03-02T09:00:01.250Z',
      correlationId: 'c-1',
      transaction: 'ITI-18',
      peer: { name: 'portal', home: tuscany, subject: 'CN=A1#090000', fingerprint: 'ab'.repeat(32) },
      asked: [],
      outcome: 'refused',
      errorCode: 'assertion-invalid',
      results: 0,
    })
  })

  it('keeps of an error its code alone: no message, no cause, no stack, no details', async () => {
    const secret = 'PROVAX00X00X000Y-in-an-error'
    const error = new GatewayError('patient-mismatch', secret, {
      cause: new Error(secret),
      details: { secret },
      issues: [{ severity: 'error', code: secret, text: secret }],
    })
    const record = await recorded({ ...granted, outcome: 'refused', error })
    expect(record?.errorCode).toBe('patient-mismatch')
    expect(JSON.stringify(record)).not.toContain(secret)
    expect(JSON.stringify(record)).not.toContain('trail.test')
  })

  it('tells the patient of the assertion and the patient of the question apart', async () => {
    const other: PatientId = { value: 'STP1234567890123', authority: authorities.stp }
    const record = await recorded({ ...granted, patientId: other })
    expect(record?.patient).toBe('STP1234567890123^^^&2.16.840.1.113883.2.9.4.3.17&ISO')
    expect(record?.caller?.patient).toBe('PROVAX00X00X000Y^^^&2.16.840.1.113883.2.9.4.3.2&ISO')
  })

  it('escapes in a CX what would read as a delimiter', async () => {
    const odd: PatientId = { value: 'a^b&c~d|e\\f', authority: oid('1.2.3') }
    expect((await recorded({ ...granted, patientId: odd }))?.patient).toBe(
      'a\\S\\b\\T\\c\\R\\d\\F\\e\\E\\f^^^&1.2.3&ISO',
    )
  })

  it('makes a record the store can take of any claims, however long or odd', async () => {
    const claims = fc.record({
      subject: fc.string({ unit: 'binary', maxLength: 5000 }),
      role: fc.string({ unit: 'binary' }),
      organizationName: fc.constant('\u0000'.repeat(100_000)),
      locality: fc.constant('\u{1F600}'.repeat(100_000)),
      validUntil: fc.oneof(fc.maxSafeNat(), fc.constant(Number.MAX_VALUE)),
    })
    await fc.assert(
      fc.asyncProperty(claims, async (odd) => {
        const record = await recorded({ ...granted, assertion: { ...assertion, ...odd } })
        expect(Buffer.byteLength(canonicalJson(record))).toBeLessThan(65_536)
        expect(JSON.parse(canonicalJson(record))).toEqual(record)
      }),
      { numRuns: 50 },
    )
  })

  it('rejects with the store’s own failure, and with a GatewayError whatever the store throws', async () => {
    const clock = { now: () => 0 }
    const full = new GatewayError('overloaded', 'Too many records wait to be written')
    await expect(auditTrail(memoryStore(full).store, clock).record(granted)).rejects.toBe(full)
    await expect(auditTrail(memoryStore(new RangeError('x')).store, clock).record(granted)).rejects.toMatchObject({
      name: 'GatewayError',
      code: 'internal',
    })
  })
})
