import { describe, expect, it } from 'vitest'
import { type ErrorCode, GatewayError } from '../../../src/core/errors.ts'
import type { RetrieveGateway } from '../../../src/core/federation/retrieve.ts'
import type { DeliveredDocument, DocumentReference, FederatedRetrieval } from '../../../src/core/model/retrieval.ts'
import { iti39, iti43 } from '../../../src/http/soap/retrieve.ts'
import { decodeRetrieveResponse } from '../../../src/wire/ebrim/retrieve.ts'
import { openEnvelope } from '../../../src/wire/soap.ts'
import { defaultXmlLimits, readTree } from '../../../src/wire/xml.ts'
import { authenticated, entry, homes, issue } from '../../support/builders.ts'

const home = homes.tuscany
const idle: RetrieveGateway = { retrieve: () => Promise.reject(new Error('Nobody asks it here')) }
const transactions = [iti43(idle, home), iti39(idle, home)] as const

function named(name: string, more: Partial<DocumentReference> = {}): DocumentReference {
  return { repositoryUniqueId: '1.2.3', uniqueId: name, ...more }
}

function delivered(reference: DocumentReference, more: Partial<DeliveredDocument> = {}): DeliveredDocument {
  return {
    repositoryUniqueId: 'urn:oid:1.2.3',
    uniqueId: reference.uniqueId,
    mimeType: 'application/pdf',
    content: { size: 0, sha1: '', async *read() {}, async [Symbol.asyncDispose]() {} },
    reference,
    entry: { ...entry('a'), sources: [] },
    verified: true,
    ...more,
  }
}

const failed = (name: string, error: GatewayError) => ({ reference: named(name), error })

function told(transaction: (typeof transactions)[number], answer: Partial<FederatedRetrieval>) {
  const whole = { documents: [], failures: [], asked: [], ...answer }
  const body = transaction.encode(whole, [], authenticated())
  if (typeof body === 'string') throw new Error('An answer has its documents')
  const xml = body.xml(() => ({ base64: 'QUJD' }))
  return opened(xml)
}

function opened(xml: string) {
  const tree = readTree(
    Buffer.from(`<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>${xml}</s:Body></s:Envelope>`),
    defaultXmlLimits,
  )
  return decodeRetrieveResponse(tree, openEnvelope(tree, () => true).body)
}

describe('an answer with documents', () => {
  it('names each as it was asked for, its home only where the request had it', () => {
    for (const transaction of transactions) {
      const documents = [named('a'), named('b', { home: homes.veneto })].map((one) => delivered(one))
      expect(told(transaction, { documents })).toMatchObject({
        status: 'success',
        issues: [],
        documents: [
          { repositoryUniqueId: '1.2.3', uniqueId: 'a' },
          { home: homes.veneto, uniqueId: 'b' },
        ],
      })
      expect(told(transaction, { documents }).documents[0]).not.toHaveProperty('home')
    }
  })

  it('tells under which ids an on-demand document was kept, and does not warn about it', () => {
    const made = delivered(named('a'), {
      newUniqueId: '9',
      newRepositoryUniqueId: '8',
      verified: false,
      entry: { ...entry('a', { kind: 'on-demand' }), sources: [] },
    })
    expect(told(transactions[0], { documents: [made] })).toMatchObject({
      documents: [{ newUniqueId: '9', newRepositoryUniqueId: '8' }],
      issues: [],
    })
  })

  it('is a success with a warning about a document that could not be verified', () => {
    expect(told(transactions[0], { documents: [delivered(named('a'), { verified: false })] })).toMatchObject({
      status: 'success',
      documents: [{ uniqueId: 'a' }],
      issues: [{ severity: 'warning', code: 'XDSRepositoryError', location: 'a' }],
    })
  })

  it('is partial when some are missing, and a failure when all are, with one error for each', () => {
    const failures = [
      failed('b', new GatewayError('document-unknown', 'no')),
      failed('c', new GatewayError('document-altered', 'no')),
    ]
    const issues = [
      { severity: 'error', code: 'XDSDocumentUniqueIdError', uniqueId: 'b', location: 'b' },
      { severity: 'error', code: 'XDSRepositoryError', uniqueId: 'c', location: 'c' },
    ]
    const partial = told(transactions[0], { documents: [delivered(named('a'))], failures })
    expect(partial).toMatchObject({ status: 'partial-success', documents: [{ uniqueId: 'a' }], issues })
    expect(told(transactions[0], { failures })).toMatchObject({ status: 'failure', documents: [], issues })
  })

  it('names the community beside the document where other communities ask', () => {
    const { issues } = told(transactions[1], { failures: [failed('b', new GatewayError('document-unknown', 'no'))] })
    expect(issues).toMatchObject([{ location: `b ${home}`, uniqueId: 'b' }])
  })
})

describe('the errors of a retrieval', () => {
  it('are the holder’s own where it said something, and ours where it did not', () => {
    const rejected = (more: object) =>
      failed('a', new GatewayError('community-rejected', 'ours', { issues: [issue('RTW2', more)] }))
    expect(told(transactions[0], { failures: [rejected({ text: 'search first' })] }).issues).toMatchObject([
      { code: 'RTW2', text: 'search first', severity: 'error', location: 'a' },
    ])
    expect(
      told(transactions[0], { failures: [rejected({ text: '', severity: 'warning', location: 'x' })] }).issues,
    ).toMatchObject([{ code: 'RTW2', text: 'ours', severity: 'error', location: 'a' }])
    const silent = failed('a', new GatewayError('community-rejected', 'ours'))
    expect(told(transactions[0], { failures: [silent] }).issues).toMatchObject([
      { code: 'XDSRepositoryError', text: 'ours' },
    ])
  })

  it.each<[ErrorCode, string, string]>([
    ['parameter-missing', 'XDSRepositoryError', 'XDSRepositoryError'],
    ['parameter-count', 'XDSRepositoryError', 'XDSRepositoryError'],
    ['parameter-invalid', 'XDSRepositoryError', 'XDSRepositoryError'],
    ['internal', 'XDSRepositoryError', 'XDSRepositoryError'],
    ['overloaded', 'XDSRepositoryError', 'XDSRepositoryError'],
    ['document-unknown', 'XDSDocumentUniqueIdError', 'XDSDocumentUniqueIdError'],
    ['community-unknown', 'XDSUnknownCommunity', 'XDSUnknownCommunity'],
    ['community-timeout', 'XDSUnavailableCommunity', 'XDSRepositoryError'],
  ])('have words that a repository has: %s (ihe.md §1.15)', (code, forConsumers, forCommunities) => {
    const error = new GatewayError(code, 'said')
    for (const [index, expected] of [forConsumers, forCommunities].entries()) {
      const transaction = transactions[index] ?? transactions[0]
      expect(told(transaction, { failures: [failed('a', error)] }).issues).toMatchObject([{ code: expected }])
      expect(opened(transaction.fail(error))).toEqual({
        status: 'failure',
        documents: [],
        issues: [{ severity: 'error', code: expected, text: 'said', location: home }],
      })
    }
  })
})
