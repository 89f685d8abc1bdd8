import { issueSystems } from './names.ts'
import type { Json } from './types.ts'

/** IssueType (FHIR R4), as far as it is used here. */
export type IssueType =
  | 'structure'
  | 'required'
  | 'value'
  | 'invariant'
  | 'security'
  | 'login'
  | 'expired'
  | 'forbidden'
  | 'processing'
  | 'not-supported'
  | 'duplicate'
  | 'not-found'
  | 'too-long'
  | 'code-invalid'
  | 'too-costly'
  | 'business-rule'
  | 'conflict'
  | 'transient'
  | 'throttled'
  | 'timeout'
  | 'exception'
  | 'incomplete'
  | 'informational'

/** One issue of an OperationOutcome. No text of it is a peer's. */
export interface ToldIssue {
  readonly severity: 'error' | 'warning' | 'information'
  readonly code: IssueType
  /** The last part of our problem's type. */
  readonly word?: string
  /** A code of XDS, or of whoever raised it. */
  readonly xdsCode?: string
  /** For people. */
  readonly text: string
  /** The same in Italian. */
  readonly textIt?: string
  readonly diagnostics?: string
}

const translation = 'http://hl7.org/fhir/StructureDefinition/translation'

/** An OperationOutcome (FHIR R4). */
export function encodeOutcome(issues: readonly ToldIssue[]): Json {
  return { resourceType: 'OperationOutcome', issue: issues.map(issueOf) }
}

function issueOf({ code, diagnostics, severity, text, textIt, word, xdsCode }: ToldIssue): Json {
  const coding = [
    ...(word === undefined ? [] : [{ system: issueSystems.own, code: word }]),
    ...(xdsCode === undefined ? [] : [{ system: issueSystems.xds, code: xdsCode }]),
  ]
  return {
    severity,
    code,
    details: {
      ...(coding.length === 0 ? {} : { coding }),
      text,
      ...(textIt === undefined ? {} : { _text: { extension: [translated(textIt)] } }),
    },
    ...(diagnostics === undefined ? {} : { diagnostics }),
  }
}

function translated(text: string): Json {
  return {
    url: translation,
    extension: [
      { url: 'lang', valueCode: 'it' },
      { url: 'content', valueString: text },
    ],
  }
}
