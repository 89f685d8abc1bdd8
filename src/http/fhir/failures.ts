import { explanationOf } from '../../../contracts/explanations/explanation-of.ts'
import type { ErrorCode, GatewayError } from '../../core/errors.ts'
import type { CommunityFailure, CommunityIssue } from '../../core/model/answers.ts'
import type { HomeCommunityId } from '../../core/model/identifiers.ts'
import { encodeOutcome, type IssueType, type ToldIssue } from '../../wire/fhir/outcome.ts'
import type { FailureDialect } from '../api/failure.ts'
import type { PublishedProblem } from '../api/guard.ts'
import { remarkOf } from '../api/index-view.ts'
import { apiProblems, consequenceOf, methodNotAllowed, type Problem, pathUnknown, problemOf } from '../api/problem.ts'
import { soapErrors } from '../soap/error-table.ts'
import { FhirRefusal, NobodyAnswered } from './refusal.ts'

/** Every failure as an issue of FHIR; the status is that of the problem it is in the JSON API (`apiProblems`). */
export const fhirIssues: Readonly<Record<ErrorCode, IssueType>> = {
  'request-malformed': 'structure',
  'media-type-unsupported': 'not-supported',
  'request-too-large': 'too-long',
  'parameter-missing': 'required',
  'parameter-count': 'value',
  'parameter-invalid': 'value',
  'query-unsupported': 'not-supported',
  'metadata-invalid': 'invariant',
  'document-duplicate': 'duplicate',
  'document-unknown': 'not-found',
  'repository-unknown': 'not-found',
  'patient-unknown': 'not-found',
  'patient-mismatch': 'business-rule',
  'community-unknown': 'not-found',
  'community-missing': 'required',
  'too-many-results': 'too-costly',
  'caller-gone': 'transient',
  'assertion-missing': 'login',
  'assertion-invalid': 'login',
  'access-denied': 'forbidden',
  'community-unavailable': 'transient',
  'community-timeout': 'timeout',
  'community-busy': 'throttled',
  'community-rejected': 'processing',
  'community-misbehaved': 'exception',
  'document-altered': 'conflict',
  overloaded: 'throttled',
  internal: 'exception',
}

/** Names of communities for people, by their home. */
export type NameOf = (home: HomeCommunityId) => string | undefined

const contentType = 'application/fhir+json; charset=utf-8'

/** Failures as OperationOutcomes. */
export function outcomes(nameOf: NameOf): FailureDialect {
  return {
    failed(error, correlationId, published) {
      const { problem, retryAfter } = problemOf(error, correlationId, published)
      const { status } = error instanceof FhirRefusal ? error.told : problem
      const issues =
        error instanceof NobodyAnswered
          ? error.failures.map((failure) => silenceIssue(failure, nameOf, 'error'))
          : [issueOf(error, problem, published)]
      return { status, contentType, body: encodeOutcome(issues), ...(retryAfter === undefined ? {} : { retryAfter }) }
    },
    unserved(what) {
      const { status, title, word } = what === 'path-unknown' ? pathUnknown : methodNotAllowed
      const code = what === 'path-unknown' ? 'not-found' : 'not-supported'
      return { status, contentType, body: encodeOutcome([{ severity: 'error', code, word, text: title }]) }
    },
  }
}

function issueOf(error: GatewayError, problem: Problem, published: PublishedProblem | undefined): ToldIssue {
  const { consequence, consequenceIt, detail, reason, title, type } = problem
  const own = error instanceof FhirRefusal ? error.told : undefined
  const told = soapErrors[error.code]
  return {
    severity: 'error',
    code: own?.issue ?? (error.details.kind === 'form' ? 'processing' : fhirIssues[error.code]),
    ...(published === undefined ? { word: own?.word ?? type.slice(type.lastIndexOf(':') + 1) } : {}),
    ...(own === undefined && told.as === 'registry-error' ? { xdsCode: told.errorCode } : {}),
    text: consequence ?? (own === undefined ? title : error.message),
    ...(consequenceIt === undefined ? {} : { textIt: consequenceIt }),
    diagnostics: reason === undefined ? detail : `${detail} (${reason})`,
  }
}

/** A community that did not answer, by name, and what that means to whoever waits. */
export function silenceIssue(
  { error, home }: CommunityFailure,
  nameOf: NameOf,
  severity: ToldIssue['severity'] = 'warning',
): ToldIssue {
  const { consequence, consequenceIt } = { ...explanationOf('XDSUnavailableCommunity'), ...consequenceOf(error) }
  const name = nameOf(home) ?? home
  return {
    ...{ severity, code: fhirIssues[error.code], word: apiProblems[error.code].word },
    xdsCode: 'XDSUnavailableCommunity',
    text: `${name}: ${consequence ?? apiProblems[error.code].title}`,
    ...(consequenceIt === undefined ? {} : { textIt: `${name}: ${consequenceIt}` }),
  }
}

/** What a community said of its own answer. */
export function communityIssue(issue: CommunityIssue, nameOf: NameOf): ToldIssue {
  const { code, consequence, consequenceIt } = remarkOf(issue)
  const { home, severity } = issue
  const name = nameOf(home) ?? home
  return {
    severity: severity === 'error' ? 'warning' : 'information',
    code: severity === 'error' ? 'incomplete' : 'informational',
    ...(code === undefined ? {} : { xdsCode: code }),
    text: `${name}: ${consequence}`,
    ...(consequenceIt === undefined ? {} : { textIt: `${name}: ${consequenceIt}` }),
  }
}
