import { randomUUID, type X509Certificate } from 'node:crypto'
import type { Asked } from './asked.ts'
import type { Behaviour } from './behaviour.ts'
import {
  type Claimed,
  findAssertions,
  readClaims,
  type SignedAssertion,
  type Trust,
  verifyAssertion,
} from './check-assertion.ts'
import { citizenOf, samePerson, stranger } from './citizens.ts'
import { queryResponse, type RegistryIssue } from './ebrim.ts'
import type { Entry, Holdings, Identifier } from './entry.ts'
import { readCx } from './entry.ts'
import { anonymous, type Dialect, envelope, SoapFault, securityFault, writeFault } from './faults.ts'
import { answer } from './registry.ts'
import type { Face, PeerReply, PeerRequest } from './server.ts'
import { type Manner, type Message, mediaType, messageIdOf, openMessage } from './soap.ts'
import { spoil } from './spoil.ts'
import { type AskedQuery, patientAsked, RegistryProblem, readStoredQuery, typesAsked } from './stored-query.ts'
import { escapeXml } from './xml.ts'

export const registryStoredQuery = 'urn:ihe:iti:2007:RegistryStoredQuery'
export const crossGatewayQuery = 'urn:ihe:iti:2007:CrossGatewayQuery'
const responseType = 'application/soap+xml; charset=utf-8'

/** Who may ask, in which manner, and what the registry behind it knows. */
export interface RegistryFace {
  readonly name: string
  readonly path: string
  readonly action: string
  readonly dialect: Dialect
  readonly addressing: Manner['addressing']
  readonly reading: 'strict' | 'tolerant'
  readonly admits: (commonName: string) => boolean
  readonly trust: Trust
  /** What the first assertion claims, in the form agreed on; by default INI's. Throws SoapFault. */
  readonly claims?: (assertion: SignedAssertion) => Claimed
  /** Checks what a partner asks for beyond the assertion: a signed message, tokens. Rejects with SoapFault. */
  readonly requireMore?: (request: PeerRequest) => Promise<void>
  /** Where a second assertion may stand beside the first: the identifiers it says the person has. Throws SoapFault. */
  readonly identification?: (assertion: SignedAssertion) => readonly Identifier[]
  readonly holdings: Holdings
  readonly withhold?: (entry: Entry, claimed: Claimed) => boolean
  /** Stamped on every object and error: the home of a gateway, ITI TF-2: 3.38.4.1.3. */
  readonly home?: string
  /** Checks what only this kind of registry asks for. Throws RegistryProblem. */
  readonly check?: (asked: AskedQuery) => void
  /** How this registry refuses, when it is made to. */
  readonly refuse: () => SoapFault | RegistryProblem
}

/** The outcome of opening and checking a request up to the query. */
export interface Admitted {
  readonly message: Message
  readonly assertions: readonly SignedAssertion[]
  readonly claimed: Claimed
}

/** Remembers the ids of assertions: what was accepted once is not accepted again. */
export function onceOnly(): (assertion: SignedAssertion) => void {
  const used = new Set<string>()
  return ({ id }) => {
    if (used.has(id)) throw securityFault('InvalidSecurityToken', 'The assertion was already used')
    used.add(id)
  }
}

/** How assertions are taken, where it is not the usual way: one, in INI's form, alone in the security header. */
export interface Admission {
  readonly most?: number
  readonly claims?: RegistryFace['claims']
  readonly messageIsSigned?: boolean
}

/** Opens the message and verifies who asks. Throws SoapFault; notes in the log what it learns on the way. */
export function admit(
  request: PeerRequest,
  manner: Manner,
  trust: Trust,
  accept: (assertion: SignedAssertion) => void,
  asked: Asked,
  { most = 1, claims = readClaims, messageIsSigned = false }: Admission = {},
): Admitted {
  const message = openMessage(request.body, manner)
  asked.action = message.action
  const elements = findAssertions(message.security, messageIsSigned)
  if (elements.length > most) throw securityFault('InvalidSecurity', 'Too many assertions', 'PST5')
  const assertions = elements.map((element) => verifyAssertion(element, trust))
  const [first] = assertions
  if (first === undefined) throw securityFault('InvalidSecurity', 'Missing attribute assertion', 'PST4')
  asked.assertionIds = assertions.map(({ id }) => id)
  asked.issuer = first.issuer
  const claimed = claims(first)
  Object.assign(asked, { role: claimed.role, purpose: claimed.purpose })
  accept(first)
  return { message, assertions, claimed }
}

/** The assertion must be about the patient and the document types the query is about (ini.md §2.6). Throws SoapFault. */
export function checkCoherence(asked: AskedQuery, claimed: Claimed): void {
  const patient = patientAsked(asked)
  if (patient !== undefined && patient !== claimed.patient) {
    throw securityFault('FailedAuthentication', 'The assertion is about another patient')
  }
  const types = typesAsked(asked)?.map((type) => (type.includes('^^') ? type : `${type}^^2.16.840.1.113883.6.1`))
  const { documentTypes } = claimed
  if (documentTypes !== undefined && types?.some((type) => !documentTypes.includes(type))) {
    throw securityFault('FailedAuthentication', 'The query is for document types the assertion does not name')
  }
  if (claimed.action !== 'READ') throw securityFault('FailedAuthentication', 'A query is an action of reading')
}

/** A registry behind SOAP: opens, verifies, reads, answers (ITI-18, ITI-38). */
export function registryFace(face: RegistryFace): Face {
  const accept = onceOnly()
  const manner: Manner = { addressing: face.addressing, path: face.path, actions: [face.action] }

  async function respond(request: PeerRequest, behaviour: Behaviour, asked: Asked): Promise<string> {
    await face.requireMore?.(request)
    const { message, assertions, claimed } = admit(request, manner, face.trust, accept, asked, {
      most: face.identification === undefined ? 1 : 2,
      messageIsSigned: face.requireMore !== undefined,
      ...(face.claims && { claims: face.claims }),
    })
    const [, second] = assertions
    const also = second === undefined ? [] : (face.identification?.(second) ?? [])
    if (behaviour === 'fault') throw new SoapFault('Receiver', 'Internal Server Error')
    const reply = (body: string): string => soapReply(message, body)
    try {
      const wanted = readQuery(message, face.reading)
      asked.query = wanted.name
      face.check?.(wanted)
      checkCoherence(wanted, claimed)
      if (behaviour === 'refuse') throw face.refuse()
      return reply(spoil(answerFor(wanted, claimed, also), behaviour, spoilingOf(claimed, face.home)))
    } catch (error) {
      if (!(error instanceof RegistryProblem)) throw error
      asked.outcome = 'refused'
      return reply(failure([{ code: error.code, text: error.message, severity: 'Error' }], face.home))
    }
  }

  function answerFor(wanted: AskedQuery, claimed: Claimed, also: readonly Identifier[]): string {
    const found = answer(wanted, {
      holdings: face.holdings,
      under: (id) => [id, ...also],
      withhold: (entry) => face.withhold?.(entry, claimed) ?? false,
    })
    checkPerson(found, face.holdings, claimed)
    return queryResponse({
      status: 'Success',
      found,
      returnType: wanted.returnType,
      ...(face.home !== undefined && { home: face.home }),
      ...(wanted.requestId !== undefined && { requestId: wanted.requestId }),
    })
  }

  return {
    name: face.name,
    contentType: responseType,
    serves: (path) => path === face.path,
    admits: face.admits,
    async respond(request, behaviour, asked) {
      return soapExchange(request, asked, face.dialect, () => respond(request, behaviour, asked))
    },
  }
}

/** Turns whatever goes wrong into the fault of the dialect. */
export async function soapExchange(
  request: PeerRequest,
  asked: Asked,
  dialect: Dialect,
  respond: () => Promise<string>,
  contentType = responseType,
): Promise<PeerReply> {
  const messageId = messageIdOf(request.body)
  if (messageId !== undefined) asked.messageId = messageId
  if (request.method !== 'POST')
    return { status: 405, contentType: 'text/plain', body: 'POST', headers: { allow: 'POST' } }
  const media = mediaType(request.headers['content-type'])
  if (media !== 'application/soap+xml' && media !== 'text/xml') {
    asked.outcome = 'refused'
    return { status: 415, contentType: 'text/plain', body: 'application/soap+xml is needed' }
  }
  try {
    return { status: 200, contentType, body: await respond() }
  } catch (error) {
    const fault = error instanceof SoapFault ? error : new SoapFault('Sender', (error as Error).message)
    asked.outcome = fault.code === 'Receiver' ? 'broken' : 'refused'
    return { contentType, ...writeFault(fault, dialect, messageId) }
  }
}

/** A query is somebody's who knows how to ask one; anything else in the body is the sender's fault. */
export function readQuery(message: Message, reading: 'strict' | 'tolerant'): AskedQuery {
  return readStoredQuery(message.payload, reading)
}

export function soapReply({ action, messageId }: Message, body: string): string {
  return envelope(
    `<wsa:To>${anonymous}</wsa:To><wsa:Action env:mustUnderstand="true">${answerTo(action)}</wsa:Action>` +
      `<wsa:MessageID>urn:uuid:${randomUUID()}</wsa:MessageID><wsa:RelatesTo>${escapeXml(messageId)}</wsa:RelatesTo>`,
    body,
  )
}

/** `…Response`, also for the one action that ends in `Request` (ini.md §1.2, row 7). */
function answerTo(action: string): string {
  return `${action.replace(/Request$/, '')}Response`
}

/** The answer without objects. */
export function failure(issues: readonly RegistryIssue[], home?: string): string {
  return queryResponse({
    status: 'Failure',
    found: { entries: [], submissionSets: [], folders: [], associations: [] },
    returnType: 'LeafClass',
    issues: issues.map((issue) => (home === undefined ? issue : { ...issue, location: home })),
  })
}

export function spoilingOf(claimed: Claimed, home: string | undefined) {
  const patient = readCx(claimed.patient)
  const citizen = patient && citizenOf(patient)
  return {
    own: citizen?.identifiers.map(({ value }) => value) ?? (patient ? [patient.value] : []),
    stranger: stranger.value,
    issue: {
      code: 'XDSRegistryError',
      text: 'One of the repositories behind could not be asked',
      severity: 'Error' as const,
      ...(home !== undefined && { location: home }),
    },
  }
}

/** Nothing about anybody but the person in the assertion leaves, whatever ids were asked for. Throws SoapFault. */
function checkPerson(found: Holdings, holdings: Holdings, claimed: Claimed): void {
  const patient = readCx(claimed.patient)
  const isForeign = (object: { readonly patient: Identifier }): boolean =>
    patient === undefined || !samePerson(object.patient, patient)
  const objects = ({ entries, submissionSets, folders }: Holdings) => [...entries, ...submissionSets, ...folders]
  // Associations name nobody: whose they are is told by what they connect.
  const foreign = new Set(
    found.associations.length === 0
      ? []
      : objects(holdings)
          .filter(isForeign)
          .map(({ entryUuid }) => entryUuid),
  )
  const others =
    objects(found).some(isForeign) ||
    found.associations.some(({ source, target }) => foreign.has(source) || foreign.has(target))
  if (others) throw securityFault('FailedAuthentication', 'The assertion is about another patient')
}

/** Of regions: the three characters after `#` are the code of the organization that speaks. */
export function codeOf(commonName: string): string {
  return /^[AS]\d+#([A-Za-z0-9]{3})#/.exec(commonName)?.[1] ?? ''
}

export const gatewayChannel = 'A1#090#090CROCEVIA-DEV'
export const gatewaySigner = 'S1#090#090CROCEVIA-DEV'

/** Only the gateway speaks, and only for Tuscany. */
export function trustGateway(root: X509Certificate, now: () => number): Trust {
  return { root, now, maySign: (signer, issuer) => signer === gatewaySigner && issuer === '090' }
}
