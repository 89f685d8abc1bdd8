import { describe, expect, it } from 'vitest'
import { type ErrorCode, errorCodes, GatewayError } from '../../../../src/core/errors.ts'
import { correlationId } from '../../../../src/core/model/identifiers.ts'
import { apiProblems } from '../../../../src/http/api/problem.ts'
import { communityIssue, fhirIssues, outcomes, silenceIssue } from '../../../../src/http/fhir/failures.ts'
import { FhirRefusal, NobodyAnswered } from '../../../../src/http/fhir/refusal.ts'
import { homes, issue } from '../../../support/builders.ts'
import { operationOutcome } from '../../../support/fhir-shapes.ts'

const nameOf = (home: string) => (home === homes.veneto ? 'Regione Veneto' : undefined)
const { failed, unserved } = outcomes(nameOf)
const id = correlationId('00000000-0000-4000-8000-000000000000')
const outcomeOf = (error: GatewayError) => operationOutcome.parse(failed(error, id).body).issue

/** Status and issue of every failure (MHD, FHIR R4: HTTP). */
const table: Readonly<Record<ErrorCode, readonly [status: number, issue: string]>> = {
  'request-malformed': [400, 'structure'],
  'media-type-unsupported': [415, 'not-supported'],
  'request-too-large': [413, 'too-long'],
  'parameter-missing': [400, 'required'],
  'parameter-count': [400, 'value'],
  'parameter-invalid': [400, 'value'],
  'query-unsupported': [400, 'not-supported'],
  'metadata-invalid': [422, 'invariant'],
  'document-duplicate': [409, 'duplicate'],
  'document-unknown': [404, 'not-found'],
  'repository-unknown': [404, 'not-found'],
  'patient-unknown': [404, 'not-found'],
  'patient-mismatch': [422, 'business-rule'],
  'community-unknown': [404, 'not-found'],
  'community-missing': [400, 'required'],
  'too-many-results': [413, 'too-costly'],
  'caller-gone': [408, 'transient'],
  'assertion-missing': [401, 'login'],
  'assertion-invalid': [401, 'login'],
  'access-denied': [403, 'forbidden'],
  'community-unavailable': [502, 'transient'],
  'community-timeout': [504, 'timeout'],
  'community-busy': [503, 'throttled'],
  'community-rejected': [502, 'processing'],
  'community-misbehaved': [502, 'exception'],
  'document-altered': [502, 'conflict'],
  overloaded: [503, 'throttled'],
  internal: [500, 'exception'],
}

describe('a failure', () => {
  it.each(errorCodes)('%s is an OperationOutcome with a status, a type of issue and our own word', (code) => {
    const error = new GatewayError(code, 'A sentence that names nobody')
    const { status } = failed(error, id)
    const [first] = outcomeOf(error)
    expect([status, first?.code]).toEqual(table[code])
    expect(fhirIssues[code]).toBe(table[code][1])
    expect(first?.details.coding?.[0]).toEqual({ system: 'urn:crocevia:problem', code: apiProblems[code].word })
  })

  it('says in XDS’s words what XDS has a word for', () => {
    const [first] = outcomeOf(new GatewayError('patient-unknown', 'Unknown'))
    expect(first?.details.coding?.[1]).toEqual({ system: 'urn:ihe:iti:xds:errorCode', code: 'XDSUnknownPatientId' })
  })

  it('of FHIR’s own is told with its own status', () => {
    const refusal = new FhirRefusal('parameter-invalid', 'Gone', { status: 410, issue: 'expired', word: 'page-gone' })
    expect(failed(refusal, id).status).toBe(410)
    expect(outcomeOf(refusal)).toMatchObject([{ code: 'expired', details: { text: 'Gone' } }])
  })

  it('of everybody names everybody', () => {
    const error = new GatewayError('community-timeout', 'Too late')
    const failures = [homes.veneto, homes.lazio].map((home) => ({ home, error }))
    const nobody = new NobodyAnswered(error, failures)
    expect(failed(nobody, id).status).toBe(504)
    expect(outcomeOf(nobody).map(({ details }) => details.text?.split(':')[0])).toEqual(['Regione Veneto', 'urn'])
  })

  it('keeps published words out of ours', () => {
    const published = { type: 'https://x.example/t', title: 'Token', detail: 'Refused', status: 403 }
    const told = failed(new GatewayError('assertion-invalid', 'x'), id, published)
    const [first] = operationOutcome.parse(told.body).issue
    expect([told.status, first?.details.coding, first?.diagnostics]).toEqual([403, undefined, 'Refused'])
  })

  it('is told when it is worth trying again', () => {
    expect(failed(new GatewayError('overloaded', 'Busy'), id).retryAfter).toBe(1)
  })

  it.each([
    ['path-unknown', 404],
    ['method-not-allowed', 405],
  ] as const)('%s', (what, status) => {
    const told = unserved(what, id)
    expect(told.status).toBe(status)
    operationOutcome.parse(told.body)
  })
})

describe('what communities say', () => {
  it('is told by name and consequence, never in their own words', () => {
    const told = communityIssue({ ...issue('XDSRegistryBusy', { text: 'secret words' }), home: homes.veneto }, nameOf)
    expect(told).toMatchObject({ severity: 'warning', code: 'incomplete', xdsCode: 'XDSRegistryBusy' })
    expect(told.text).toMatch(/^Regione Veneto: /)
    expect(JSON.stringify(told)).not.toContain('secret')
    const odd = communityIssue({ ...issue('<b>', { severity: 'warning' }), home: homes.veneto }, nameOf)
    expect(odd).toEqual({
      ...{ severity: 'information', code: 'informational' },
      text: 'Regione Veneto: its answer came with a remark',
    })
  })

  it('is told to those who read, not to those who publish', () => {
    const told = communityIssue(
      { ...issue('XDSRegistryMetadataError', { severity: 'warning' }), home: homes.veneto },
      nameOf,
    )
    expect(told.text).toBe(
      'Regione Veneto: what it tells of a document is incomplete, or differs from what others tell.',
    )
    expect(told.textIt).toContain('Regione Veneto: le informazioni')
  })

  it('or do not say, in both languages', () => {
    const silence = silenceIssue({ home: homes.veneto, error: new GatewayError('community-busy', 'x') }, nameOf)
    expect(silence).toMatchObject({ severity: 'warning', code: 'throttled', text: expect.stringMatching(/^Regione V/) })
    expect(silence.textIt).toMatch(/^Regione Veneto: Una delle fonti/)
  })
})
