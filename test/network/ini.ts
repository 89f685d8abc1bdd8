import { randomUUID } from 'node:crypto'
import type { Asked } from './asked.ts'
import { identificationAssertion } from './assertion.ts'
import type { Behaviour } from './behaviour.ts'
import { readSigningRoot } from './certificate.ts'
import { type Claimed, readClaims, type SignedAssertion } from './check-assertion.ts'
import { type Citizen, citizenOf, samePerson } from './citizens.ts'
import { type ConsentFace, consentFace, consentPath } from './consent-face.ts'
import { contentsOf } from './contents.ts'
import { type DisclosureFace, disclosureFace, disclosurePath } from './disclosure-face.ts'
import { query, queryResponse, type RegistryIssue } from './ebrim.ts'
import { type Entry, type Holdings, isObscured, readCx } from './entry.ts'
import { anonymous, envelope, SoapFault, securityFault, soap12 } from './faults.ts'
import { changeActions, changePaths, type IniChanges, iniChangeFaces } from './ini-changes.ts'
import { type IndexTransfers, indexTransfers, requireTransfer, uniqueIdsIn } from './ini-transfers.ts'
import { type NotifyFace, notifyFace, notifyRetrievePath } from './notify-face.ts'
import { type OrganDonationFace, organDonationFace, organDonationPath } from './organ-donation-face.ts'
import { findOrganization, organization } from './organizations.ts'
import { answer } from './registry.ts'
import {
  admit,
  checkCoherence,
  codeOf,
  failure,
  onceOnly,
  readQuery,
  registryStoredQuery,
  soapExchange,
  spoilingOf,
} from './registry-face.ts'
import { type AnswerPackaging, kept, RetrieveProblem, repositoryFace, unknownDocument } from './repository-face.ts'
import { retrieveDocumentSet } from './retrieve.ts'
import { holders, type Seed } from './seed.ts'
import {
  type Counterpart,
  type CounterpartOptions,
  type Face,
  type PeerRequest,
  startCounterpart,
  systemClock,
} from './server.ts'
import { actionIn, type Message } from './soap.ts'
import { type Identity, postSoap, readIdentity } from './soap-client.ts'
import { spoil } from './spoil.ts'
import { type AskedQuery, patientAsked, RegistryProblem } from './stored-query.ts'
import { type WritableRegistry, writableRegistry } from './writable-registry.ts'
import { children, cutOut, escapeXml, isNamed, only, parseXml, serialize } from './xml.ts'

export type Ini = Counterpart<{
  /** ITI-18, search (ini.md §1.2, row 2). */
  readonly search: string
  /** ITI-18, references before a change (row 3). */
  readonly references: string
  /** ITI-42, at the address of the search (row 1). */
  readonly register: string
  /** ITI-57 (row 6). */
  readonly update: string
  /** ITI-62 (row 7). */
  readonly delete: string
  /** ITI-18, index transfer (row 4). */
  readonly indexTransfer: string
  /** ITI-62 of what was transferred (row 5). */
  readonly indexTransferDelete: string
  /** ITI-43 (row 8). */
  readonly retrieve: string
  /** Where it is told that a document was retrieved (§7.2). */
  readonly notifyRetrieve: string
  /** SOAP 1.1: what somebody has consented to, and sets (rows 9, 10). */
  readonly consents: string
  /** SOAP 1.1: information notices (row 12). */
  readonly disclosures: string
  /** SOAP 1.1: what somebody declared about giving organs (row 11). */
  readonly organDonation: string
}> & {
  /** The index of those whom no region assists. */
  readonly temporary: Pick<WritableRegistry, 'holdings' | 'registered'>
  readonly transfers: IndexTransfers
  readonly notices: NotifyFace
  readonly consents: Pick<ConsentFace, 'give' | 'reset' | 'sets' | 'afterSet'>
  readonly disclosures: Pick<DisclosureFace, 'disclosures'>
  readonly organDonation: Pick<OrganDonationFace, 'declare'>
}

export interface IniOptions extends CounterpartOptions {
  readonly seed: Seed
  /** ITI-18 endpoints of the registries behind, by the code of the region of assistance. */
  readonly registries: Readonly<Record<string, string>>
  /** Where they take changes, by the same code and the change; by default nowhere. */
  readonly changes?: IniChanges['regions']
  /** How long a region of assistance is waited for; default 5000. */
  readonly registryTimeoutMs?: number
  /** What the region of assistance itself is told when it asks; in June 2025 it was R220 with success (ini.md §6.2). */
  readonly selfAnswer?: { readonly code: 'QND2' | 'R220'; readonly status: 'Failure' | 'Success' }
  /** Default `application/soap+xml`; INI's front end was seen to say `application/soap-xml`. */
  readonly contentType?: string
  /** How retrievals are answered. */
  readonly packaging?: AnswerPackaging
  /**
   * Whether the region of assistance, which INI tells to search by itself (QND2), must have searched all the same. No
   * public source says; by default it need not, for otherwise it could never retrieve.
   */
  readonly mustRegionSearch?: boolean
}

/** For how long a search vouches for a retrieval (ini.md §2.6). */
const searchCountsMs = 20 * 60_000

const professionals = 'AAS APR PSS INF FAR DSA DRS RSA MRP'.split(' ')
const onTheirOwn = ['ASS', 'TUT', 'GEN', 'ING']
const mayLookBehind = new Set(onTheirOwn)

/** Which role may do what where; anything else is PFA14 (ini.md §2.4). */
const services = {
  search: {
    path: '/FSEInteroperabilitaWeb/DocumentRegistry_Service',
    allows: (role: string, purpose: string) =>
      (professionals.includes(role) && ['TREATMENT', 'EMERGENCY', 'PUBEMERGENCY'].includes(purpose)) ||
      (onTheirOwn.includes(role) && purpose === 'PERSONAL') ||
      // The searches that precede a change (§4.7).
      ((role === 'GTW' || professionals.includes(role)) && purpose === 'UPDATE'),
  },
  references: {
    path: '/FSEFindDocumentReferencesWeb/DocumentRegistry_Service',
    allows: (role: string, purpose: string) =>
      (role === 'GTW' || professionals.includes(role)) && ['UPDATE', 'ACCESS UPDATE'].includes(purpose),
  },
  indexTransfer: {
    path: '/FSERegistryIndexTransferWeb/DocumentRegistry_Service',
    allows: (role: string, purpose: string) => role === 'NOR' && purpose === 'SYSADMIN',
  },
} as const

/** No public source names it (ini.md §1.2, row 8). */
const retrievePath = '/FSERecuperoDocumentoWeb/DocumentRepository_Service'

/** INI, the star: checks who asks, knows who assists whom, forwards to them and relays what they say. */
export async function startIni(options: IniOptions): Promise<Ini> {
  const { certificates, clock = systemClock, contentType = 'application/soap+xml; charset=utf-8' } = options
  const [root, identity] = await Promise.all([readSigningRoot(certificates), readIdentity(certificates, 'ini')])
  const trust = {
    root,
    now: () => clock.now(),
    maySign: (signer: string, issuer: string) => codeOf(signer) === issuer && findOrganization(issuer) !== undefined,
  }
  const accept = onceOnly()
  const temporary = writableRegistry(options.seed.holdings.ini, { clock, errorNames: 'national' })
  const searched = new Map<string, number>()
  const transfers = indexTransfers()

  function face(name: keyof typeof services): Face {
    const { path, allows } = services[name]
    const manner = { addressing: 'minimal', path, actions: [registryStoredQuery] } as const
    const respond = async (request: PeerRequest, behaviour: Behaviour, asked: Asked): Promise<string> => {
      if (behaviour === 'fault') throw new SoapFault('Receiver', 'Internal Server Error')
      // A change at an address that is for something else (#1713).
      if (changeActions.has(actionIn(request) ?? '')) throw new SoapFault('Receiver', 'Internal Server Error')
      const { message, assertions, claimed } = admit(request, manner, trust, accept, asked)
      if (!allows(claimed.role, claimed.purpose)) {
        throw securityFault('FailedAuthentication', 'This role has not the rights to access the service', 'PFA14')
      }
      const [assertion] = assertions
      if (behaviour === 'refuse' || assertion === undefined) {
        throw securityFault('FailedAuthentication', 'Missing Consultation Consent', 'PFA11')
      }
      if (name === 'indexTransfer') requireTransfer(assertion)
      const body = await bodyFor(name, message, assertion, behaviour, asked)
      if (name === 'search') {
        for (const uniqueId of uniqueIdsIn(body)) searched.set(searchKey(assertion, claimed, uniqueId), clock.now())
      }
      return reply(message, body)
    }
    return {
      name,
      contentType,
      serves: (served) => served === path,
      admits: isRegion,
      respond: (request, behaviour, asked) =>
        soapExchange(request, asked, 'ini', () => respond(request, behaviour, asked), contentType),
    }
  }

  async function bodyFor(
    name: keyof typeof services,
    message: Message,
    assertion: SignedAssertion,
    behaviour: Behaviour,
    asked: Asked,
  ): Promise<string> {
    const claimed = readClaims(assertion)
    try {
      const wanted = readQuery(message, 'tolerant')
      asked.query = wanted.name
      checkCoherence(wanted, claimed)
      const patient = readCx(patientAsked(wanted) ?? claimed.patient)
      const known = patient && citizenOf(patient)
      const moves = name === 'indexTransfer'
      if (moves) transfers.checkChunk(wanted)
      const citizen = moves ? transfers.formerOf(known, assertion.issuer) : known
      const found = await search(
        { ...options, identity, now: clock.now(), temporary: temporary.holdings },
        { wanted, message, assertion, claimed, citizen },
      )
      return spoil(moves ? transfers.told(found) : found, behaviour, spoilingOf(claimed, undefined))
    } catch (error) {
      if (!(error instanceof RegistryProblem)) throw error
      asked.outcome = 'refused'
      return failure([{ code: error.code, text: error.message, severity: 'Error' }])
    }
  }

  const everywhere = holders.flatMap((holder) => options.seed.holdings[holder].entries)
  const obscured = new Set(everywhere.filter(isObscured).map(({ uniqueId }) => uniqueId))
  const { packaging, mustRegionSearch = false } = options
  const warning = (code: string, text: string) => new RetrieveProblem(code, text, 'Warning')
  const withCaller = warning('RTW1', 'The requestor keeps the document')
  const unsearched = warning('RTW2', 'The document was not found by a search in the previous 20 minutes')
  const repository = repositoryFace({
    name: 'retrieve',
    path: retrievePath,
    action: retrieveDocumentSet,
    dialect: 'ini',
    addressing: 'minimal',
    admits: (common) => common.startsWith('A1#') && findOrganization(codeOf(common)) !== undefined,
    trust,
    reply,
    claims(assertion) {
      const claimed = readClaims(assertion)
      if (claimed.role !== 'GTW' && services.search.allows(claimed.role, claimed.purpose)) return claimed
      throw securityFault('FailedAuthentication', 'This role has not the rights to access the service', 'PFA14')
    },
    refuse: () => securityFault('FailedAuthentication', 'Missing Consultation Consent', 'PFA11'),
    contents: contentsOf(options.seed),
    ...(packaging && { packaging }),
    find(reference, { assertion, claimed }) {
      const entry = kept(everywhere, reference)
      const { home } = organization(entry.keeper)
      if (reference.home !== undefined && reference.home !== home) {
        throw new RetrieveProblem('XDSUnknownCommunity', 'The document is of another community')
      }
      if (entry.keeper === assertion.issuer) throw withCaller
      const id = readCx(claimed.patient)
      const ofCaller = id !== undefined && citizenOf(id)?.assistedBy === assertion.issuer
      const at = searched.get(searchKey(assertion, claimed, entry.uniqueId)) ?? Number.NEGATIVE_INFINITY
      if (clock.now() - at > searchCountsMs && (mustRegionSearch || !ofCaller)) throw unsearched
      if (obscured.has(entry.uniqueId) && !mayLookBehind.has(claimed.role)) throw unknownDocument()
      return entry
    },
    insteadOf: {
      unnotified: new RetrieveProblem('RtRE3', 'The RDA could not be notified of the retrieval'),
      unsearched,
      'with-caller': withCaller,
    },
  })

  const changes = iniChangeFaces({
    ...{ admits: isRegion, trust, identity, contentType, reply, temporary, transfers, now: () => clock.now() },
    regions: options.changes ?? {},
    timeoutMs: options.registryTimeoutMs ?? 5000,
    selfAnswer: { code: 'R220', status: options.selfAnswer?.status ?? 'Failure' },
  })
  const notices = notifyFace({ admits: isRegion })
  const vouchers = { trust, accept, admits: isRegion }
  const consents = consentFace(vouchers)
  const disclosures = disclosureFace(vouchers)
  const organDonation = organDonationFace(vouchers)
  const counterpart = await startCounterpart({ ...options, party: 'ini' }, (origin) => ({
    faces: [
      // Before the search, at whose address documents are registered.
      ...changes,
      face('search'),
      face('references'),
      face('indexTransfer'),
      repository,
      ...[notices, consents, consents.setting, disclosures, organDonation],
    ],
    urls: {
      search: origin + services.search.path,
      references: origin + services.references.path,
      register: origin + changePaths.register,
      update: origin + changePaths.update,
      delete: origin + changePaths.delete,
      indexTransfer: origin + services.indexTransfer.path,
      indexTransferDelete: origin + changePaths.indexTransferDelete,
      retrieve: origin + retrievePath,
      notifyRetrieve: origin + notifyRetrievePath,
      consents: origin + consentPath,
      disclosures: origin + disclosurePath,
      organDonation: origin + organDonationPath,
    },
  }))
  return Object.assign(counterpart, { temporary, transfers, notices, consents, disclosures, organDonation })
}

function isRegion(commonName: string): boolean {
  return commonName.startsWith('A1#') && findOrganization(codeOf(commonName)) !== undefined
}

/** Whose search it was, and what it found. */
function searchKey({ issuer }: SignedAssertion, { subject, patient }: Claimed, uniqueId: string): string {
  return JSON.stringify([issuer, subject, patient, uniqueId])
}

interface Search {
  readonly wanted: AskedQuery
  readonly message: Message
  readonly assertion: SignedAssertion
  readonly claimed: Claimed
  readonly citizen: Citizen | undefined
}

type Star = IniOptions & { readonly identity: Identity; readonly now: number; readonly temporary: Holdings }

const nothing: RegistryIssue = { code: 'QND1', text: 'No results from the query', severity: 'Warning' }

/** To the region itself: ask yourself. Without a region: the temporary index. Else: what the region of assistance says. */
async function search(star: Star, asked: Search): Promise<string> {
  const { wanted, assertion, claimed, citizen } = asked
  const { selfAnswer = { code: 'QND2', status: 'Failure' } } = star
  if (citizen?.assistedBy === assertion.issuer) {
    const issue: RegistryIssue = {
      code: selfAnswer.code,
      text: 'The requestor is RDA for the patient',
      severity: 'Warning',
    }
    return failure([issue]).replace('ResponseStatusType:Failure', `ResponseStatusType:${selfAnswer.status}`)
  }
  if (citizen !== undefined && citizen.assistedBy !== 'none') return forward(star, citizen, asked)
  const found = answer(wanted, {
    holdings: star.temporary,
    under: (id) => citizen?.identifiers ?? [id],
    withhold: (entry) => !isAbout(entry, claimed) || (isObscured(entry) && !maySee(entry, claimed)),
  })
  const response = queryResponse({ status: 'Success', found, returnType: wanted.returnType })
  return isEmpty(response) ? failure([nothing]) : response
}

/** Whoever looks at their own record, who moves it (§7.1), and the author, who is told of obscured documents too (§4.5). */
function maySee({ author }: Entry, { role, subject }: Claimed): boolean {
  return mayLookBehind.has(role) || role === 'NOR' || (subject?.startsWith(`${author.person.value}^`) ?? false)
}

/** Whatever ids are asked for, only what is about the person in the assertion is told. */
function isAbout({ patient }: Entry, claimed: Claimed): boolean {
  const id = readCx(claimed.patient)
  return id !== undefined && samePerson(patient, id)
}

/** The query and the assertion as they came, and beside it INI's own word on who the person is. */
async function forward(star: Star, citizen: Citizen, { message, assertion }: Search): Promise<string> {
  const { registries, registryTimeoutMs = 5000, identity, now } = star
  const url = registries[citizen.assistedBy]
  const unreachable = failure([
    { code: 'CRF1', text: 'It is not possible to communicate with the RDA.', severity: 'Error' },
  ])
  if (url === undefined) return unreachable
  const identification = identificationAssertion(citizen, identity.signer, now)
  let text: string
  try {
    const answered = await postSoap(
      {
        to: url,
        action: registryStoredQuery,
        assertions: [assertion.xml, identification],
        body: cutOut(message.payload),
        messageId: randomUUID(),
      },
      identity.channel,
      AbortSignal.timeout(registryTimeoutMs),
    )
    text = answered.text
  } catch {
    return unreachable
  }
  const response = responseIn(text)
  if (response === undefined) {
    return failure([{ code: 'CRF2', text: 'RDA generated an internal error.', severity: 'Error' }])
  }
  return isEmpty(response) ? failure([nothing]) : response
}

/** The `AdhocQueryResponse` a registry answered, or `undefined` for a fault and for what is no message. */
function responseIn(text: string): string | undefined {
  try {
    const body = only(parseXml(text), soap12, 'Body')
    const response = body && children(body)[0]
    return response && isNamed(response, query, 'AdhocQueryResponse') ? serialize(response) : undefined
  } catch {
    return undefined
  }
}

/** Success, without a single object. */
function isEmpty(response: string): boolean {
  return (
    response.includes('ResponseStatusType:Success') &&
    !/<rim:(ExtrinsicObject|RegistryPackage|Association|ObjectRef)\b/.test(response)
  )
}

/** INI's own way of answering: its id is bare, and it insists that `To` be understood (ini.md §1.4). */
function reply({ action, messageId }: Message, body: string): string {
  return envelope(
    `<wsa:To env:mustUnderstand="true">${anonymous}</wsa:To><wsa:Action>${action}Response</wsa:Action>` +
      `<wsa:MessageID>${randomUUID()}</wsa:MessageID><wsa:RelatesTo>${escapeXml(messageId)}</wsa:RelatesTo>`,
    body,
  )
}
