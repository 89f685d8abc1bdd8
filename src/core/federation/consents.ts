import { asGatewayError, GatewayError } from '../errors.ts'
import type { AuthorizedCall } from '../model/call.ts'
import type { Consent } from '../model/change.ts'
import type { HomeCommunityId } from '../model/identifiers.ts'
import { type ConsentOptions, consented, consentTable, dependsOnConsent } from '../policy/consent.ts'
import { denied } from '../policy/denied.ts'
import type { Clock, ConsentSource, KnownPatient } from '../ports.ts'
import { lateness, unlessAborted } from './fan-out.ts'

/** What a gate is made of. */
export interface ConsentGateParts {
  readonly source: ConsentSource
  /** Our own community: of its citizens we answer for the consents, INI answers for those of others. */
  readonly home: HomeCommunityId
  readonly clock: Clock
  readonly options?: ConsentOptions
  /** How long consents that were told are relied on, unless a push changes the generation; default one minute. */
  readonly maxAgeMs?: number
  /** How many persons' consents are remembered; default 10 000. */
  readonly most?: number
}

/** Keeps professionals to what a person has consented to. */
export interface ConsentGate {
  /**
   * The call with its permit narrowed to what the person lets be seen, as of `generation` of what was pushed about them:
   * to be called before anything is asked, and again when the generation has changed before the answer is given, each time
   * with the call as it was authorized; the last one's permit is the one to answer by. Throws `access-denied` when the consent the purpose needs is not given,
   * `community-unavailable` when it cannot be had (see `untold`), and `caller-gone`.
   */
  narrowed(call: AuthorizedCall, known: KnownPatient, generation: number): Promise<AuthorizedCall>
}

interface Remembered {
  readonly consents: readonly Consent[]
  readonly askedAt: number
}

/**
 * A gate before the records of those our region assists, and of those of whom that is not known. It is closed while the
 * source of truth is silent. A person the source does not know has not consented.
 */
export function consentGate(parts: ConsentGateParts): ConsentGate {
  const { source, home, clock, options = {}, maxAgeMs = 60_000, most = 10_000 } = parts
  const table = consentTable(options)
  const remembered = new Map<string, Remembered>()

  async function consentsOf(call: AuthorizedCall, { patient }: KnownPatient, generation: number) {
    const { value, authority } = patient.active
    // What was told before a push is not relied on after it, nor the other way round: the generation is part of the name.
    const key = JSON.stringify([generation, authority, value])
    const askedAt = clock.now()
    const found = remembered.get(key)
    if (found !== undefined && askedAt - found.askedAt < maxAgeMs) return found.consents
    const signal = AbortSignal.any([call.signal, lateness(call, clock)])
    const consents = (await unlessAborted(() => source.consents(patient, { ...call, signal }), signal)) ?? []
    // Put last again, so that the first are the oldest.
    remembered.delete(key)
    remembered.set(key, { consents, askedAt })
    for (const [oldest] of remembered) {
      if (remembered.size <= most) break
      remembered.delete(oldest)
    }
    return consents
  }

  return {
    async narrowed(call, known, generation) {
      const { permit } = call
      const isOurs = known.assistedBy === undefined || known.assistedBy === home
      if (!isOurs || !dependsOnConsent(permit.viewer, table)) return call
      const consents = await consentsOf(call, known, generation).catch((thrown: unknown) => {
        if (call.signal.aborted) throw new GatewayError('caller-gone', 'The caller left before the answer')
        throw untold(asGatewayError(thrown))
      })
      const outcome = consented(permit.viewer, consents, table, options)
      if ('refused' in outcome) throw denied('consent', 'The patient has not consented to this consultation')
      return { ...call, permit: { ...permit, ...outcome } }
    },
  }
}

/**
 * Not `access-denied`: that would tell a doctor that the patient said no, and nobody that a service is down. It is told as
 * what it is, something that may be tried again, alike for everybody, whatever the record holds.
 */
function untold(error: GatewayError): GatewayError {
  const text =
    'The consents of the patient cannot be had now: until then nothing of the record is told. Try again later'
  return new GatewayError('community-unavailable', text, { cause: error, details: { reason: 'consents-unknown' } })
}
