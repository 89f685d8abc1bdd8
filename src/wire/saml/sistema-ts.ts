import type { NewAttribute } from './assertion-write.ts'

/** Attribute names of the assertion Sistema TS wants of a region (sistema-ts.md A.6). */
export const sistemaTsAttributes = {
  subjectId: 'urn:oasis:names:tc:xacml:1.0:subject:subject-id',
  authenticatedAt: 'urn:oasis:names:tc:xspa:1.0:resource:org:hoursofoperation:start',
  organizationId: 'urn:oasis:names:tc:xspa:1.0:subject:organization-id',
  locality: 'urn:oasis:names:tc:xspa:1.0:environment:locality',
} as const

const classes = 'urn:oasis:names:tc:SAML:2.0:ac:classes:'

/** Levels of assurance, stated in AuthnContextClassRef. */
const levels: ReadonlySet<string> = new Set([1, 2, 3, 4].map((level) => `${classes}iso-iec-29115-LoA${level}`))

/** Modes of authentication, stated in AuthnContextDeclRef; services of the older profile state them in ClassRef. */
const modes: ReadonlySet<string> = new Set(
  (
    'SpidL1 SpidL2 SpidL3 Smartcard CNS CIEL2 CIEL3 FirmaQualificataL4 genericLoA1 genericLoA2 genericLoA3 genericLoA4 ' +
    'genericL2 genericL3 FirmaQualificataL3'
  )
    .split(' ')
    .map((mode) => `${classes}${mode}`),
)

/** Whether a reference is a level of assurance, a mode of authentication, or neither. */
export function authnContextKind(reference: string): 'level' | 'mode' | undefined {
  if (levels.has(reference)) return 'level'
  return modes.has(reference) ? 'mode' : undefined
}

/** What the assertion states. */
export interface SistemaTsStatement {
  /** Codice fiscale of the end user; NameID says the same. */
  readonly subject: string
  /** When the user authenticated: `YYYY-MM-DDThh:mm:ss`. */
  readonly authenticatedAt: string
  /** Region code, the Issuer's. */
  readonly organization: string
  /** Region and local health authority: `090202`. */
  readonly locality: string
}

export function sistemaTsAttributesOf(statement: SistemaTsStatement): readonly NewAttribute[] {
  const names = sistemaTsAttributes
  const attribute = (name: string, text: string, type: 'xs:string' | 'xs:dateTime' = 'xs:string'): NewAttribute => {
    return { name, format: 'uri', values: [{ type, text }] }
  }
  return [
    attribute(names.organizationId, statement.organization),
    attribute(names.subjectId, statement.subject),
    attribute(names.authenticatedAt, statement.authenticatedAt, 'xs:dateTime'),
    attribute(names.locality, statement.locality),
  ]
}
