import type { Refusal } from '../refusal.ts'

/** An answer of the national gateway to tokens it does not accept (RFC 7807; ini.md §5.5). */
export interface FseProblem {
  readonly type: string
  readonly title: string
  readonly detail: string
  readonly status: number
  /** The gateway before the application names none. */
  readonly instance?: string
}

/** Where the documentation and the code of the national gateway disagree. By default the documentation is followed. */
export interface FseProblemOptions {
  /** The code answers 400 outside validation. */
  readonly missingTokenStatus?: 403 | 400
  /** The code answers 401 outside validation. */
  readonly invalidTokenStatus?: 403 | 401
}

const jwtValidation = { type: '/msg/jwt-validation', title: 'Campo token JWT non valido.', status: 403 } as const
const malformed = (detail: string): FseProblem => {
  return { ...jwtValidation, detail, instance: '/jwt-mandatory-field-malformed' }
}
const missing = (claim: string): FseProblem => {
  return { ...jwtValidation, detail: `Il campo ${claim} non è valorizzato`, instance: '/jwt-mandatory-field-missing' }
}

/** The claims whose absence has an answer of its own, by the reasons of their refusals. */
const claims = [
  'sub',
  'subject_organization_id',
  'subject_organization',
  'subject_role',
  'person_id',
  'patient_consent',
  'purpose_of_use',
  'resource_hl7_type',
  'action_id',
  'attachment_hash',
  'subject_application_id',
  'subject_application_vendor',
  'subject_application_version',
] as const

const hash: FseProblem = {
  type: '/msg/document-hash',
  title: 'Verifica hash fallita.',
  detail: 'Verifica hash fallita.',
  status: 400,
  instance: '/jwt-hash-match',
}

const place = 'Il campo Locality non è valorizzato correttamente'
const organization = 'I campi subject_organization_id e subject_organization non sono coerenti'
const patient = 'JWT payload: Person id presente nel JWT differente dal codice fiscale del paziente previsto sul CDA'
const documentType = 'JWT payload: Tipologia documento diversa dalla tipologia di CDA (code - codesystem)'

const byReason: ReadonlyMap<string, FseProblem> = new Map([
  ...claims.map((claim): [string, FseProblem] => [`${claim.replaceAll('_', '-')}-missing`, missing(claim)]),
  // Claims without a published sentence for a wrong form get that of their neighbours.
  ...claims.map((claim): [string, FseProblem] => [
    `${claim.replaceAll('_', '-')}-malformed`,
    malformed(`Il campo ${claim} non è corretto`),
  ]),
  ['sub-malformed', malformed('Il codice fiscale nel campo sub non è corretto')],
  ['subject-organization-differs', malformed(organization)],
  ['locality-missing', { ...missing('locality'), detail: place }],
  ['locality-malformed', malformed(place)],
  ['purpose-of-use-does-not-fit', malformed('Il campo purpose_of_use non coerente con operazione richiesta')],
  ['action-id-does-not-fit', malformed('Il campo action_id non è coerente con le operazioni richieste')],
  ['person-id-differs', { ...jwtValidation, detail: patient, instance: '/jwt-person-id' }],
  ['resource-hl7-type-differs', { ...jwtValidation, detail: documentType, instance: '/jwt-document-type' }],
  ['attachment-hash-differs', hash],
])

/** The reverse proxy of the national gateway answers so whatever is wrong with a token as such. */
const authenticationFailed: FseProblem = {
  type: 'https://govway.org/handling-errors/401/TokenAuthenticationFailed.html',
  title: 'TokenAuthenticationFailed',
  detail: 'Invalid token',
  status: 401,
}

/** What to answer to a pair of tokens that was refused, in the words of the national gateway. */
export function fseProblem(refusal: Refusal, options: FseProblemOptions = {}): FseProblem {
  const known = byReason.get(refusal.reason)
  if (known !== undefined) return known
  if (refusal.kind === 'missing') {
    return {
      type: '/msg/missing-token',
      title: 'Token non fornito.',
      detail: 'Attenzione il jwt fornito risulta essere vuoto',
      status: options.missingTokenStatus ?? 403,
      instance: '/missing-jwt',
    }
  }
  if (refusal.kind === 'malformed') {
    return {
      type: '/msg/mandatory-element-token',
      title: 'Token JWT non valido.',
      detail: 'Token JWT non valido',
      status: options.invalidTokenStatus ?? 403,
      instance: '/jwt-mandatory-field-missing',
    }
  }
  return authenticationFailed
}
