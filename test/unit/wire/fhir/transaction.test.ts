import { describe, expect, it } from 'vitest'
import { decodeTransactionResponse, encodeTransaction, served } from '../../../../src/wire/fhir/transaction.ts'

const former = served({ resourceType: 'DocumentReference', id: 'r1', meta: { versionId: '7' } })

describe('a transaction', () => {
  it('creates, replaces and deletes, on conditions', () => {
    const resource = { resourceType: 'DocumentReference', status: 'current' }
    const acts = [
      { does: 'create', resource, unless: 'identifier=a%7Cb' },
      { does: 'replace', former, resource },
      { does: 'delete', former },
    ] as const
    const place = { url: 'DocumentReference/r1', ifMatch: 'W/"7"' }
    expect(encodeTransaction(acts)).toEqual({
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        { resource, request: { method: 'POST', url: 'DocumentReference', ifNoneExist: 'identifier=a%7Cb' } },
        { resource: { ...resource, id: 'r1' }, request: { method: 'PUT', ...place } },
        { request: { method: 'DELETE', ...place } },
      ],
    })
  })

  it('has no condition where the server counts no versions', () => {
    const unversioned = served({ resourceType: 'DocumentReference', id: 'r1' })
    expect(encodeTransaction([{ does: 'delete', former: unversioned }])).toMatchObject({
      entry: [{ request: { method: 'DELETE', url: 'DocumentReference/r1' } }],
    })
    expect(JSON.stringify(encodeTransaction([{ does: 'delete', former: unversioned }]))).not.toContain('ifMatch')
  })

  it('is not made of an id that leads elsewhere', () => {
    for (const id of [undefined, '', '../Patient/1', 'a?b', 'x'.repeat(65)]) {
      expect(() => served({ resourceType: 'DocumentReference', id })).toThrow('without an id')
    }
  })
})

describe('the answer to a transaction', () => {
  const bundle = (...entry: unknown[]) => ({ resourceType: 'Bundle', type: 'transaction-response', entry })

  it('has a status for each act, and what is said of it', () => {
    const outcome = { resourceType: 'OperationOutcome', issue: [{ severity: 'warning', diagnostics: 'Mind' }] }
    const answer = bundle({ response: { status: '201 Created' } }, { response: { status: '200', outcome } })
    expect(decodeTransactionResponse(answer, 2)).toMatchObject([
      { status: 201, issues: [] },
      { status: 200, issues: [{ severity: 'warning', text: 'Mind' }] },
    ])
  })

  it('is none when it is about something else', () => {
    const odd = [
      bundle(),
      bundle({}, {}),
      bundle({ response: { status: 'fine' } }),
      bundle({ response: { status: '2012' } }),
      { ...bundle({ response: { status: '201' } }), type: 'batch-response' },
      { resourceType: 'OperationOutcome' },
      [],
    ]
    for (const answer of odd) {
      expect(() => decodeTransactionResponse(answer, 1)).toThrow(
        expect.objectContaining({ code: 'community-misbehaved' }),
      )
    }
  })
})
