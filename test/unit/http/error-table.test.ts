import { describe, expect, it } from 'vitest'
import { type ErrorCode, errorCodes, GatewayError } from '../../../src/core/errors.ts'
import { faultOf, soapErrors } from '../../../src/http/soap/error-table.ts'
import { registryErrorOf, registryErrors } from '../../../src/http/soap/registry-errors.ts'
import { iti18, iti38 } from '../../../src/http/soap/stored-query.ts'
import { actionNotSupported } from '../../../src/wire/addressing.ts'
import { decodeQueryResponse } from '../../../src/wire/ebrim/query-response.ts'
import { encodeEnvelope, httpStatusOf } from '../../../src/wire/soap.ts'
import { homes, issue } from '../../support/builders.ts'

/** ihe.md §1.15, §1.3: a RegistryError's code, or a fault with its subcode and HTTP status. */
const expected: Readonly<Record<ErrorCode, string>> = {
  'request-malformed': 'Sender 400',
  'media-type-unsupported': 'Sender 415',
  'request-too-large': 'Sender 413',
  'parameter-missing': 'XDSStoredQueryMissingParam',
  'parameter-count': 'XDSStoredQueryParamNumber',
  'parameter-invalid': 'XDSRegistryError',
  'query-unsupported': 'XDSUnknownStoredQuery',
  'metadata-invalid': 'XDSRegistryMetadataError',
  'document-duplicate': 'XDSDuplicateUniqueIdInRegistry',
  'document-unknown': 'XDSDocumentUniqueIdError',
  'repository-unknown': 'XDSUnknownRepositoryId',
  'patient-unknown': 'XDSUnknownPatientId',
  'patient-mismatch': 'XDSPatientIdDoesNotMatch',
  'community-unknown': 'XDSUnknownCommunity',
  'community-missing': 'XDSMissingHomeCommunityId',
  'too-many-results': 'XDSTooManyResults',
  'caller-gone': 'Sender 400',
  'assertion-missing': 'Sender wsse:InvalidSecurity 400',
  'assertion-invalid': 'Sender wsse:FailedAuthentication 400',
  'access-denied': 'Sender wsse:FailedAuthentication 400',
  'community-unavailable': 'XDSUnavailableCommunity',
  'community-timeout': 'XDSUnavailableCommunity',
  'community-busy': 'XDSUnavailableCommunity',
  'community-rejected': 'XDSRegistryError',
  'community-misbehaved': 'XDSUnavailableCommunity',
  'document-altered': 'XDSRepositoryError',
  overloaded: 'Receiver 503',
  internal: 'XDSRegistryError',
}

describe('every failure has its word', () => {
  it.each(errorCodes)('%s', (code) => {
    const told = soapErrors[code]
    const error = new GatewayError(code, 'said to the caller')
    const { fault, status } = faultOf(error)
    expect(fault.reason).toBe('said to the caller')
    const words =
      told.as === 'registry-error'
        ? told.errorCode
        : [fault.code, ...(fault.subcodes ?? []), status ?? httpStatusOf(fault)].join(' ')
    expect(words).toBe(expected[code])
    // Before the transaction is known there is nothing to put a RegistryError in.
    if (told.as === 'registry-error') expect(fault).toEqual({ code: 'Receiver', reason: 'said to the caller' })
  })

  it('a fault that SOAP or addressing asks for is told as it is', () => {
    const error = actionNotSupported('a')
    expect(faultOf(error)).toEqual({ fault: error.soapFault })
  })

  const gateway = { query: () => Promise.reject(new Error('not asked')) }
  const fronts = [iti18(gateway, homes.tuscany), iti38(gateway, homes.tuscany)]
  const table = fronts.flatMap((front) => errorCodes.map((code) => [front.id, code, front] as const))
  it.each(table)('%s tells %s in its own answer', async (_id, code, front) => {
    const xml = encodeEnvelope({ action: 'a', messageId: 'm' }, front.fail(new GatewayError(code, 'said & told')))
    const words = expected[code]
    const issue = {
      severity: 'error',
      code: words.startsWith('XDS') ? words : 'XDSRegistryError',
      text: 'said & told',
      location: homes.tuscany,
    }
    expect(await decodeQueryResponse(Buffer.from(xml))).toMatchObject({
      status: 'failure',
      answer: { issues: [issue] },
    })
  })
})

describe('the errors of a federated answer', () => {
  const nothing = {
    entries: [],
    submissionSets: [],
    folders: [],
    associations: [],
    issues: [],
    asked: [],
    failures: [],
  }
  const failures = (...errors: GatewayError[]) => ({
    ...nothing,
    failures: errors.map((error) => ({ home: homes.ini, error })),
  })

  it('name every community that failed by its home', () => {
    const error = new GatewayError('community-timeout', 'late')
    expect(registryErrors(failures(error))).toEqual([
      { errorCode: 'XDSUnavailableCommunity', codeContext: 'late', severity: 'error', location: homes.ini },
    ])
  })

  it('are the community’s own words when it refused', () => {
    const error = new GatewayError('community-rejected', 'refused', {
      issues: [issue('W', { severity: 'warning' }), issue('PFA11', { text: 'no consent' })],
    })
    expect(registryErrors(failures(error))).toEqual([
      { errorCode: 'PFA11', codeContext: 'no consent', severity: 'error', location: homes.ini },
    ])
  })

  it('are ours, with its words behind, when it could not be used', () => {
    const error = new GatewayError('community-busy', 'busy', { issues: [issue('XDSRegistryBusy', { text: 'later' })] })
    expect(registryErrors(failures(error))).toMatchObject([
      { errorCode: 'XDSUnavailableCommunity', codeContext: 'busy: XDSRegistryBusy later' },
    ])
  })

  it('tell on what a community said, at its own place or its home', () => {
    const issues = [
      { ...issue('XDSTooManyResults', { severity: 'warning' }), home: homes.ini },
      { ...issue('X', { location: 'there' }), home: homes.ini },
    ]
    expect(registryErrors({ ...nothing, issues })).toEqual([
      {
        errorCode: 'XDSTooManyResults',
        codeContext: 'told by the community',
        severity: 'warning',
        location: homes.ini,
      },
      { errorCode: 'X', codeContext: 'told by the community', severity: 'error', location: 'there' },
    ])
  })

  it('say nothing of causes', () => {
    const error = new GatewayError('internal', 'failed', { cause: new Error('secret'), details: { path: 'secret' } })
    expect(JSON.stringify(registryErrorOf(error))).not.toContain('secret')
  })
})
