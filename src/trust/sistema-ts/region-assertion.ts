import { GatewayError } from '../../core/errors.ts'
import type { Assertion } from '../../core/model/call.ts'
import { authorities } from '../../core/model/patient.ts'
import { authnContextKind, type SistemaTsStatement } from '../../wire/saml/sistema-ts.ts'
import { tsTime } from '../../wire/sistema-ts/time.ts'

/**
 * How the two official documents want the user's authentication stated (sistema-ts.md A.6): that of 2025 the mode alone, in
 * ClassRef; that of 2026 the level in ClassRef and the mode in DeclRef.
 */
export type AuthnProfile = 'forte25' | 'a2f26'

export interface RegionAuthn {
  readonly profile: AuthnProfile
  /** `iso-iec-29115-LoA3` …, the last part of the URN. */
  readonly level: string
  /** `SpidL2`, `CNS` …, the last part of the URN. */
  readonly mode: string
}

const classes = 'urn:oasis:names:tc:SAML:2.0:ac:classes:'

/** The references of an authentication. Throws Error for a level or a mode that is in no table. */
export function authnContextOf({ profile, level, mode }: RegionAuthn): { classRef: string; declRef?: string } {
  const [levelRef, modeRef] = [`${classes}${level}`, `${classes}${mode}`]
  if (authnContextKind(levelRef) !== 'level') throw new Error('is no level of assurance of Sistema TS')
  if (authnContextKind(modeRef) !== 'mode') throw new Error('is no mode of authentication of Sistema TS')
  return profile === 'forte25' ? { classRef: modeRef } : { classRef: levelRef, declRef: modeRef }
}

/**
 * What a region states of the end user: who, since when authenticated, from where (sistema-ts.md A.6). When the user
 * authenticated is not told to us: it is the moment of the call, on Italian clocks. Throws `access-denied` for a user who is
 * not named by a codice fiscale: nobody else is known to Sistema TS.
 */
export function regionStatement(
  { subjectId, locality }: Pick<Assertion, 'subjectId' | 'locality'>,
  { organization, now, ...own }: { readonly organization: string; readonly locality: string; readonly now: number },
): SistemaTsStatement {
  if (subjectId?.authority !== authorities.codiceFiscale) {
    throw new GatewayError('access-denied', 'Who asks Sistema TS must be named by a codice fiscale')
  }
  return {
    subject: subjectId.value,
    authenticatedAt: tsTime(now).replace(' ', 'T'),
    organization,
    locality: ofRegion(locality, organization) ?? own.locality,
  }
}

/** Region and local health authority, where the caller's own place (XON) is one of the region's. */
function ofRegion(xon: string | undefined, organization: string): string | undefined {
  const code = xon?.split('^').at(-1)
  return code !== undefined && /^[0-9]{6}$/.test(code) && code.startsWith(organization) ? code : undefined
}
