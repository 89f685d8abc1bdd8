import { asGatewayError, GatewayError, type Issue } from '../errors.ts'
import type { AuthorizedCall } from '../model/call.ts'
import { type CitizenFacts, requireOneCitizen } from '../model/citizen-registry.ts'
import { isPatient, type Patient, type PatientId, withIdentifiers } from '../model/patient.ts'
import type { CitizenRegistry, Clock, KnownPatient, PatientLocator } from '../ports.ts'

export interface CombinedLocatorOptions {
  readonly clock: Clock
  /** How long what the registry of citizens told is relied on. */
  readonly maxAgeMs: number
  /** How many people it is remembered of; beyond that the one heard of first is forgotten. */
  readonly mostKept?: number
}

/** What one source said of a person, or why it did not. */
type Heard<T> = { readonly told: T } | { readonly error: GatewayError }

/**
 * Knows of a person what our own index and a registry of citizens know, asked at the same time: the identifiers of both,
 * and the region of assistance by our index first. A registry that is silent, does not know the identifier as valid, or
 * does not say which one person is meant adds nothing, and where that may matter `doubt` says so. Rejects when nobody could
 * tell.
 */
export function combinedLocator(
  own: PatientLocator | undefined,
  citizens: CitizenRegistry,
  { clock, maxAgeMs, mostKept = 10_000 }: CombinedLocatorOptions,
): PatientLocator {
  const look = remembered(citizens, { clock, maxAgeMs, mostKept })
  return {
    async locate(id, call) {
      const [index, registry] = await Promise.all([
        heard(async () => await own?.locate(id, call)),
        heard(async () => await look(id, call)),
      ])
      if ('error' in index && isOurs(index.error)) throw index.error
      if ('error' in registry && isOurs(registry.error)) throw registry.error
      const known = 'told' in index ? index.told : undefined
      if ('error' in index && !('told' in registry && registry.told?.asked.valid === true)) throw index.error
      const silent = 'error' in index ? warning('Our own index of patients did not answer') : undefined
      return combined(id, known, registry, silent)
    },
  }
}

function combined(
  id: PatientId,
  known: KnownPatient | undefined,
  registry: Heard<CitizenFacts | undefined>,
  silent: Issue | undefined,
): KnownPatient | undefined {
  if ('error' in registry) {
    return known && { ...known, doubt: warning('The registry of citizens did not answer') }
  }
  const facts = registry.told
  // Nobody has to be in the registry: it is said only where our index says otherwise of the same identifier.
  if (facts === undefined) return known && { ...known, doubt: known.doubt ?? warning(unknownThere) }
  const person = oneOf(facts)
  if (person instanceof GatewayError) {
    const doubt = warning(person.code === 'patient-unknown' ? unknownThere : 'The registry of citizens is ambiguous')
    return known === undefined ? { patient: { identifiers: [id], active: id }, doubt } : { ...known, doubt }
  }
  const told: KnownPatient = {
    patient: person,
    ...(facts.assistance === undefined ? {} : { assistedBy: facts.assistance.by }),
    ...(facts.dateOfDeath === undefined ? {} : { dateOfDeath: facts.dateOfDeath }),
  }
  if (known === undefined) return silent === undefined ? told : { ...told, doubt: silent }
  const doubt = known.doubt ?? disagreement(known, told)
  return {
    ...told,
    ...known,
    patient: withIdentifiers(known.patient, person.identifiers),
    ...(doubt === undefined ? {} : { doubt }),
  }
}

const unknownThere = 'The registry of citizens does not know the identifier as valid'

/** Whichever is right, documents may have been asked for in the wrong place. */
function disagreement(known: KnownPatient, told: KnownPatient): Issue | undefined {
  const differ = known.assistedBy !== undefined && told.assistedBy !== undefined && known.assistedBy !== told.assistedBy
  return differ ? warning('Our own index and the registry of citizens name different regions of assistance') : undefined
}

function oneOf(facts: CitizenFacts): Patient | GatewayError {
  try {
    const { identifiers, active } = requireOneCitizen(facts)
    const patient = { identifiers, active }
    if (isPatient(patient, facts.asked.id)) return patient
    return new GatewayError('community-misbehaved', 'The registry of citizens answered about another person')
  } catch (error) {
    return asGatewayError(error)
  }
}

function warning(what: string): Issue {
  const text = `${what}: documents under other identifiers of the patient may be missing`
  return { severity: 'warning', code: 'XDSRegistryError', text }
}

/** What is nobody else's failure ends the question. */
function isOurs({ fault, code }: GatewayError): boolean {
  return code === 'caller-gone' || fault === 'gateway'
}

async function heard<T>(ask: () => Promise<T>): Promise<Heard<T>> {
  try {
    return { told: await ask() }
  } catch (error) {
    return { error: asGatewayError(error) }
  }
}

interface Kept {
  readonly facts: CitizenFacts | undefined
  readonly askedAt: number
}

/** Failures are not kept. What is known of a citizen is the same whoever asks. */
function remembered(
  citizens: CitizenRegistry,
  { clock, maxAgeMs, mostKept }: Required<CombinedLocatorOptions>,
): (id: PatientId, call: AuthorizedCall) => Promise<CitizenFacts | undefined> {
  const kept = new Map<string, Kept>()
  return async (id, call) => {
    const key = `${id.authority} ${id.value}`
    const askedAt = clock.now()
    const known = kept.get(key)
    if (known !== undefined && askedAt - known.askedAt < maxAgeMs) return known.facts
    const facts = await citizens.look(id, call)
    kept.delete(key)
    kept.set(key, { facts, askedAt })
    for (const oldest of kept.keys()) {
      if (kept.size <= mostKept) break
      kept.delete(oldest)
    }
    return facts
  }
}
