import { type ErrorCode, GatewayError } from '../../core/errors.ts'
import type { CommunityFailure } from '../../core/model/answers.ts'
import type { IssueType } from '../../wire/fhir/outcome.ts'

/** How a refusal is told that no error code has words for. */
export interface FhirTold {
  readonly status: 400 | 403 | 404 | 406 | 410
  readonly issue: IssueType
  /** The last part of its problem's type. */
  readonly word: string
}

/** A refusal in FHIR's own words. */
export class FhirRefusal extends GatewayError {
  readonly told: FhirTold

  constructor(code: ErrorCode, message: string, told: FhirTold) {
    super(code, message)
    this.told = told
  }
}

/** Nobody who was asked answered. It is told with the status of the first of them. */
export class NobodyAnswered extends GatewayError {
  readonly failures: readonly CommunityFailure[]

  constructor(first: GatewayError, failures: readonly CommunityFailure[]) {
    super(first.code, first.message, { cause: first, details: first.details, issues: first.issues })
    this.failures = failures
  }
}

export function notAcceptable(): FhirRefusal {
  return new FhirRefusal('media-type-unsupported', 'This server speaks JSON: application/fhir+json', {
    ...{ status: 406, issue: 'not-supported', word: 'not-acceptable' },
  })
}

export function pageGone(): FhirRefusal {
  return new FhirRefusal('parameter-invalid', 'This page is not kept any more: the search must be made again', {
    ...{ status: 410, issue: 'expired', word: 'page-gone' },
  })
}

export function inAddress(path: string): FhirRefusal {
  const how = `POST ${path}: nothing that names a person or a document may stand in an address`
  return new FhirRefusal('request-malformed', how, {
    ...{ status: 400, issue: 'business-rule', word: 'parameter-in-address' },
  })
}
