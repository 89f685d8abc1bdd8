import { asGatewayError, GatewayError } from '../errors.ts'
import type { AuthenticatedCall, AuthorizedCall } from '../model/call.ts'
import type { Consent, ConsentNotification } from '../model/change.ts'
import type { ConsentSet, ConsentState, ConsentsSet } from '../model/consents.ts'
import { type PatientId, samePatientId } from '../model/patient.ts'
import { isInForce, requireConsentSet } from '../policy/consent-set.ts'
import { denied } from '../policy/denied.ts'
import type { AccessPolicy, Clock, ConsentRegister, PushJournal } from '../ports.ts'
import { lateness, unlessAborted } from './fan-out.ts'
import { draftOf } from './notifications.ts'

/** What setting consents needs. */
export interface ConsentRegisterParts {
  readonly register: ConsentRegister
  readonly policy: AccessPolicy
  readonly journal: PushJournal
  readonly clock: Clock
  /** A new random id. */
  readonly newId: () => string
  /** A digest whose text names nobody: SHA-256, hexadecimal. */
  readonly hash: (text: string) => string
  /** Spells an identifier as notifications do. */
  readonly spell: (id: PatientId) => string
  /** Where our record takes notifications: the kind of the deliveries to it. */
  readonly deliverAs?: string
  /** Told when something was journaled. */
  readonly onJournaled: () => void
}

/** Tells and sets what persons have consented to, for those who may. */
export interface ConsentRegisterGateway {
  /**
   * What the person has consented to, on which notice, and which notice is in force. Rejects with GatewayError:
   * `access-denied`, or as the register does.
   */
  state(patientId: PatientId, caller: AuthenticatedCall): Promise<ConsentState>
  /**
   * Sets the consents; `repeated` when they were in force already, and nothing was set. Rejects with GatewayError:
   * `access-denied`, `parameter-*` with INI's code before anything is sent, `community-rejected` when the register refused;
   * `community-unavailable` when no answer came and they are not in force, `community-timeout` when not even that is known,
   * `internal` and `overloaded` when they were set and could not be written down. After these they may be set again: what is in
   * force is asked for first, and not sent. Once they are on their way they are seen through, though the caller leaves.
   */
  register(set: ConsentSet, caller: AuthenticatedCall): Promise<ConsentsSet & { readonly repeated: boolean }>
}

/**
 * Authorizes, reads what is in force, checks, sets, journals: from the journal on nothing that was known of the person's
 * consents is relied on, and our record hears of it as of a notification.
 */
export function consentRegisterGateway(parts: ConsentRegisterParts): ConsentRegisterGateway {
  const { register, policy, clock } = parts
  const authorized = (patientId: PatientId, caller: AuthenticatedCall): AuthorizedCall => {
    const call = policy.authorizeService('consents', caller)
    requirePatient(patientId, caller)
    return call
  }
  const stateOf = (patientId: PatientId, call: AuthorizedCall): Promise<ConsentState> =>
    unlessAborted(() => register.state(patientId, call), call.signal).catch(interrupted)
  return {
    async state(patientId, caller) {
      const call = authorized(patientId, caller)
      const signal = AbortSignal.any([call.signal, lateness(call, clock)])
      return await stateOf(patientId, { ...call, signal })
    },
    async register(set, caller) {
      const call = authorized(set.patientId, caller)
      requireActor(set, caller)
      const signal = AbortSignal.any([call.signal, lateness(call, clock)])
      const before = await stateOf(set.patientId, { ...call, signal })
      requireConsentSet(set, { before, managed: register.managed })
      const repeated = isInForce(set, before)
      const outcome = repeated ? {} : await seenThrough(set, before, call, parts)
      await note(set, set.consents, call, parts, parts.deliverAs)
      return { ...outcome, repeated }
    },
  }
}

/** How much of the time that is left is kept for reading back what became of a set. */
const keptForReadingBack = 1 / 3

/** Sets the consents; where the answer does not say whether they were, what is in force says. */
async function seenThrough(
  set: ConsentSet,
  before: ConsentState,
  call: AuthorizedCall,
  parts: ConsentRegisterParts,
): Promise<ConsentsSet> {
  const { register, clock } = parts
  const left = Math.max(0, call.deadline - clock.now())
  const sending = within({ ...call, deadline: call.deadline - left * keptForReadingBack }, clock)
  try {
    return await unlessAborted(() => register.register(set, sending), sending.signal)
  } catch (thrown) {
    const error = asGatewayError(thrown)
    if (error.code === 'community-rejected' || error.fault === 'caller' || error.fault === 'trust') throw error
    const reading = within(call, clock)
    const after = await unlessAborted(() => register.state(set.patientId, reading), reading.signal).catch(
      () => undefined,
    )
    if (after !== undefined && isInForce(set, after)) return {}
    // They may be in force all the same: what was known of them is not relied on, and nobody is told what may be false.
    await note(set, (after ?? before).consents, call, parts)
    if (after === undefined) throw unknown(error)
    throw new GatewayError('community-unavailable', 'The consents are not in force: they may be sent again', {
      cause: error,
      issues: error.issues,
      details: { reason: 'consents-not-in-force' },
    })
  }
}

/** A call that nobody but the time ends. */
function within(call: AuthorizedCall, clock: Clock): AuthorizedCall {
  return { ...call, signal: lateness(call, clock) }
}

function unknown(error: GatewayError): GatewayError {
  const text = 'Whether the consents were set is not known: they may be sent again, and are set once'
  return new GatewayError('community-timeout', text, {
    cause: error,
    issues: error.issues,
    details: { reason: 'consents-unknown' },
  })
}

function interrupted(thrown: unknown): never {
  if (thrown instanceof GatewayError) throw thrown
  if (thrown instanceof DOMException && thrown.name === 'TimeoutError') {
    throw new GatewayError('community-timeout', 'The consents of the patient could not be had in time')
  }
  if (thrown instanceof DOMException && thrown.name === 'AbortError') {
    throw new GatewayError('caller-gone', 'The caller left before the answer')
  }
  throw asGatewayError(thrown)
}

function requirePatient(patientId: PatientId, { assertion }: AuthenticatedCall): void {
  const known = [
    ...(assertion.patientId ? [assertion.patientId] : []),
    ...(assertion.patientKnownAs?.identifiers ?? []),
  ]
  if (known.some((id) => samePatientId(id, patientId))) return
  throw denied('patient', 'The assertion is about another patient than the message')
}

/** Whoever sets consents does it in their own name, and claims to change something. */
function requireActor({ operator, operatorRole }: ConsentSet, { assertion }: AuthenticatedCall): void {
  if (assertion.action !== 'UPDATE') throw denied('action', 'The assertion is not for changing anything')
  const isCaller = assertion.subjectId !== undefined && samePatientId(assertion.subjectId, operator)
  if (!isCaller) throw denied('role', 'The operator is somebody else than the subject of the assertion')
  if (assertion.role !== operatorRole) throw denied('role', 'The operator has another role than in the assertion')
}

/** Writes down that consents have changed: as a notification of it, whose generation ends what was remembered. */
async function note(
  set: ConsentSet,
  consents: readonly Consent[],
  { assertion, correlationId }: AuthorizedCall,
  { journal, clock, newId, hash, spell, onJournaled }: ConsentRegisterParts,
  deliverAs?: string,
): Promise<void> {
  const content: ConsentNotification = {
    type: 'consents-changed',
    patientId: set.patientId,
    organization: assertion.organization,
    operator: spell(set.operator),
    operatorRole: set.operatorRole,
    ...(assertion.locality === undefined ? {} : { operatorLocality: assertion.locality }),
    requestor: spell(set.requestor),
    disclosure: set.disclosure,
    consents,
  }
  const draft = draftOf(
    { transaction: 'NotifyConsent', content, digest: hash(JSON.stringify(content)) },
    {
      id: newId(),
      correlationId,
      receivedAt: clock.now(),
      hash,
      ...(deliverAs === undefined ? {} : { deliverAs }),
    },
  )
  await journal.append({ ...draft, transaction: 'RegisterConsentSet' })
  onJournaled()
}
