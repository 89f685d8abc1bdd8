import type { AuditRecord } from '../../../../src/store/store.ts'

/** A record of ordinary size, told apart by its correlation id. */
export function auditRecord(correlationId: string, changes: Partial<AuditRecord> = {}): AuditRecord {
  return {
    format: 1,
    at: '2026-03-02T09:00:00.000Z',
    recordedAt: '2026-03-02T09:00:01.250Z',
    correlationId,
    transaction: 'ITI-18',
    peer: { name: 'portal', subject: 'CN=A1#090000', fingerprint: 'ab'.repeat(32) },
    caller: {
      subject: 'PROVAX00X00X000Y^^^&2.16.840.1.113883.2.9.4.3.2&ISO',
      role: 'AAS',
      organization: '090',
      purposeOfUse: 'TREATMENT',
      action: 'READ',
      assertion: {
        id: '_b9f4f3a0',
        kind: 'saml',
        issuer: '090',
        community: 'urn:oid:2.16.840.1.113883.2.9.2.90',
        signer: 'CN=S1#090000',
        digest: 'cd'.repeat(32),
        validUntil: '2026-03-02T09:05:00.000Z',
      },
    },
    patient: 'PROVAX00X00X000Y^^^&2.16.840.1.113883.2.9.4.3.2&ISO',
    request: 'FindDocuments',
    asked: [
      { home: 'urn:oid:2.16.840.1.113883.2.9.2.90', outcome: 'answered' },
      { home: 'urn:oid:2.16.840.1.113883.2.9.2.150', outcome: 'failed' },
    ],
    outcome: 'partial-success',
    results: 17,
    ...changes,
  }
}
