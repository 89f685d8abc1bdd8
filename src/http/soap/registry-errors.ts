import type { GatewayError, Issue } from '../../core/errors.ts'
import type { FederatedAnswer } from '../../core/model/answers.ts'
import type { HomeCommunityId } from '../../core/model/identifiers.ts'
import type { RegistryErrorRecord } from '../../wire/ebrim/registry-error.ts'
import { soapErrors } from './error-table.ts'

/**
 * The errors of a federated answer: one for each community that failed, with its home as location, and every issue a
 * community raised itself, under its own code (ITI TF-2: 3.18.4.1.3, 3.38.4.1.3; ihe.md §6.1).
 */
export function registryErrors(answer: FederatedAnswer): RegistryErrorRecord[] {
  const issues = answer.issues.map(({ severity, code, text, home, location }) => {
    return { errorCode: code, codeContext: text, severity, location: location ?? home }
  })
  return [...answer.failures.map(({ home, error }) => failed(home, error)), ...issues]
}

/** A community's own code and words when it gave any; ours when it could not be heard. */
function failed(home: HomeCommunityId, error: GatewayError): RegistryErrorRecord {
  const own = error.issues.find(({ severity }) => severity === 'error') ?? error.issues[0]
  const { errorCode } = registryErrorOf(error)
  if (own === undefined) return { errorCode, codeContext: error.message, severity: 'error', location: home }
  // A refusal and a missing home are told by their own codes (ihe.md §6.1 no. 3 and 8).
  const heard = error.code === 'community-rejected' || own.code === 'XDSMissingHomeCommunityId'
  const codeContext = heard ? own.text : `${error.message}: ${own.code} ${own.text}`
  return { errorCode: heard ? own.code : errorCode, codeContext, severity: 'error', location: home }
}

/** The one error of a request that failed as a whole. */
export function registryErrorOf(error: GatewayError, location?: HomeCommunityId): RegistryErrorRecord {
  const told = soapErrors[error.code]
  return {
    errorCode: told.as === 'registry-error' ? told.errorCode : 'XDSRegistryError',
    codeContext: error.message,
    severity: 'error',
    ...(location === undefined ? {} : { location }),
  }
}

/** What is said of an object, in its own code and words; the object is its location. */
export function registryErrorsOf({ severity, code, text, location }: Issue): RegistryErrorRecord {
  return { errorCode: code, codeContext: text, severity, ...(location === undefined ? {} : { location }) }
}
