import { type CitizenKey, citizens } from './citizens.ts'
import { makeDocument, type Wanted } from './documents.ts'
import { cx, type DocumentFacts, type Identifier, isObscured } from './entry.ts'
import {
  assertionsFor,
  callerOf,
  type Exchange,
  exchanged,
  type PushAnswer,
  type Saying,
  say,
  type Voice,
  voiceOf,
  type Wishes,
} from './ini-exchange.ts'
import {
  type ConsentNotice,
  consentNotice,
  type HidingNotice,
  hidingNotice,
  type NoticeKind,
  noticeEnvelope,
  notices,
  type RetrieveNotice,
  retrieveNotice,
  type SubmitNotice,
  submitNotice,
} from './ini-notices.ts'
import { type HidingChain, hidingChain, type IndexTransfer, indexTransfer, type TransferWishes } from './ini-stories.ts'
import { kindOf } from './kinds.ts'
import { writePackage } from './mtom.ts'
import { authority as authorities } from './organizations.ts'
import { type NoticeAnswer, readNoticeAnswer } from './push-answer.ts'
import { type Reference, type Retrieval, readRetrieval, retrieveDocumentSet, retrieveRequest } from './retrieve.ts'
import { adhocQuery, sendForBytes, soapRequest } from './soap-client.ts'
import {
  type Known,
  nationalDelete,
  type Purpose,
  registerDocumentSet,
  removeObjectsRequest,
  type SubmissionWishes,
  submissionOf,
  submitObjectsRequest,
  updateDocumentSet,
} from './submission.ts'
import { contentType } from './value-sets.ts'

/** Where INI calls the gateway. */
export const iniPaths = {
  registry: '/ini/DocumentRegistry_Service',
  references: '/ini/FindDocumentReferences/DocumentRegistry_Service',
  update: '/ini/MetadataUpdate/DocumentRegistry_Service',
  delete: '/ini/Delete/XDSDeletetWSService',
  repository: '/ini/DocumentRepository_Service',
  transferSearch: '/ini/RegistryIndexTransfer/DocumentRegistry_Service',
  transferDelete: '/ini/RegistryIndexTransfer/XDSDeletetWSService',
} as const

const storedQuery = 'urn:ihe:iti:2007:RegistryStoredQuery'
const approved = ['urn:oasis:names:tc:ebxml-regrep:StatusType:Approved']

/** A synthetic person by name, or an identifier. */
export type Whom = CitizenKey | Identifier

export type PushWishes = Wishes & SubmissionWishes

/** What a document is to look like; the rest is drawn from the seed's name and its number. */
export interface DocumentWishes extends Partial<Pick<Wanted, 'number' | 'events' | 'confidentiality'>> {
  readonly citizen?: CitizenKey
  /** Code of the organization that keeps it; default Veneto. */
  readonly keeper?: string
  /** LOINC; default a laboratory report. */
  readonly type?: string
  readonly change?: Partial<DocumentFacts>
}

/** A query in INI's name: FindDocuments for approved documents, unless it is another. */
export interface SearchWishes extends Wishes {
  readonly body?: string
  readonly returnType?: 'LeafClass' | 'ObjectRef'
  /** More parameters of FindDocuments. */
  readonly parameters?: Readonly<Record<string, string | readonly string[]>>
}

export type NoticeWishes = Pick<Wishes, 'impatient' | 'signal' | 'change'>

/** What was answered to a notice, which can be sent again. */
export type ToldNotice = NoticeAnswer &
  Exchange & {
    /** The very same message. */
    again(): Promise<ToldNotice>
    /** The same notice in a new message. */
    afresh(): Promise<ToldNotice>
  }

/** INI, calling the gateway. Whatever it does, it tells what it was answered; nothing here throws for a refusal. */
export interface IniPushes {
  /** A document that no registry knows yet. */
  document(wishes?: DocumentWishes): DocumentFacts
  /** A prescription and what was made of it: a report of each keeper and a dispensing, all of which cite its number. */
  prescribed(citizen: CitizenKey, keepers?: readonly string[]): Prescribed
  /** ITI-42. */
  create(facts: DocumentFacts, wishes?: PushWishes): Promise<PushAnswer>
  /** ITI-42 with RPLC. */
  replace(facts: DocumentFacts, older: Known, wishes?: PushWishes): Promise<PushAnswer>
  /** ITI-57: the logical id, and the version it was made from (default that of `former`, or 1). */
  update(facts: DocumentFacts, former: Known, wishes?: PushWishes): Promise<PushAnswer>
  /** ITI-42, the document replacing itself: how INI updated before ITI-57 (#761). */
  updateOldWay(facts: DocumentFacts, former: Known, wishes?: PushWishes): Promise<PushAnswer>
  /** ITI-62. */
  remove(whom: Whom, ids: readonly string[], wishes?: Wishes): Promise<PushAnswer>
  /** ITI-18, forwarded for a region that treats somebody whom we assist. */
  searchAs(region: Voice, whom: Whom, wishes?: SearchWishes): Promise<PushAnswer>
  /** ITI-18 before a change: GetDocuments by unique id, ObjectRef, as the author of the document. */
  references(
    facts: Pick<DocumentFacts, 'uniqueId' | 'patient' | 'author' | 'keeper'>,
    wishes?: Wishes,
  ): Promise<PushAnswer>
  /** ITI-43, forwarded for a region. */
  retrieve(
    region: Voice,
    whom: Whom,
    references: readonly Reference[],
    wishes?: Wishes & { readonly packaging?: 'mtom' | 'plain' },
  ): Promise<Retrieval>
  /** What follows from the hiding of one document about a prescription (ini.md §7.3). */
  hidingChain(whom: Whom, nre: string, wishes?: Wishes & { readonly source?: string }): Promise<HidingChain>
  /** Reads the index of somebody in chunks, and deletes what it has read (ini.md §7.1). */
  indexTransfer(whom: Whom, wishes?: TransferWishes): Promise<IndexTransfer>
  /** Index transfer in push mode: ITI-42, contentTypeCode INI. */
  transferIn(facts: DocumentFacts, wishes?: PushWishes): Promise<PushAnswer>
  notifySubmit(notice: SubmitNotice, wishes?: NoticeWishes): Promise<ToldNotice>
  notifyRetrieve(notice: RetrieveNotice, wishes?: NoticeWishes): Promise<ToldNotice>
  notifyHiding(notice: HidingNotice, wishes?: NoticeWishes): Promise<ToldNotice>
  notifyConsent(notice: ConsentNotice, wishes?: NoticeWishes): Promise<ToldNotice>
  /** A notice of what another region did about somebody else’s citizen, as INI sends them at times (#788). */
  straySubmit(): Promise<ToldNotice>
  /** The endpoint of a message of one's own, with INI's certificate. */
  say(saying: Saying, wishes?: Wishes): Promise<PushAnswer>
}

/** Documents of one chain. */
export interface Prescribed {
  /** Number of the electronic prescription (NRE). */
  readonly nre: string
  readonly prescription: DocumentFacts
  readonly reports: readonly DocumentFacts[]
  readonly dispensing: DocumentFacts
}

export interface IniPushOptions {
  readonly certificates: string
  /** The name of the seed, from which new documents are drawn. */
  readonly seed: string
  /** Where the gateway's SOAP services stand. */
  readonly origin: string
  /** INI's own, which it writes in `To` of notices. */
  readonly iniOrigin: string
  readonly now?: () => number
}

export async function iniPushes(options: IniPushOptions): Promise<IniPushes> {
  const { certificates, seed, origin, iniOrigin, now = () => Date.now() } = options
  const caller = await callerOf(certificates, origin, now)
  // Beyond the numbers of the seed's own documents.
  let number = 9000

  const submit = (facts: DocumentFacts, purpose: Purpose, wishes: PushWishes, path: string, said: Saying['defaults']) =>
    say(
      {
        path,
        actionUri: path === iniPaths.update ? updateDocumentSet : registerDocumentSet,
        body: submitObjectsRequest(submissionOf(facts, purpose, wishes)),
        about: facts.patient,
        defaults: said,
      },
      wishes,
      caller,
    )

  function query(path: string, whom: Identifier, body: string, defaults: Saying['defaults'], wishes: Wishes) {
    return say({ path, actionUri: storedQuery, body, about: whom, defaults }, wishes, caller)
  }

  const tell = (kind: NoticeKind, body: string, wishes: NoticeWishes = {}): Promise<ToldNotice> => {
    const { change = (message: string) => message } = wishes
    const message = change(noticeEnvelope(kind, body, iniOrigin))
    const headers = { 'content-type': 'text/xml; charset=utf-8', soapaction: `"${notices[kind].action}"` }
    const once = async (): Promise<ToldNotice> => {
      const exchange = await exchanged(origin + notices[kind].path, message, headers, wishes, caller)
      const read = exchange.http === undefined ? {} : readNoticeAnswer(exchange.http)
      return { ...read, ...exchange, again: once, afresh: () => tell(kind, body, wishes) }
    }
    return once()
  }

  const driver: IniPushes = {
    document(wishes = {}) {
      const {
        citizen = 'tuscan',
        keeper = '050',
        type = '11502-2',
        number: wanted = ++number,
        change,
        ...more
      } = wishes
      const { value, authority } = citizens[citizen].identifiers[0]
      const under = { value, authority }
      const facts = makeDocument(seed, {
        citizen: citizens[citizen],
        keeper,
        kind: kindOf(type),
        under,
        number: wanted,
        ...more,
      })
      return { ...facts, ...change }
    },
    prescribed(citizen, keepers = ['050', '120']) {
      const prescription = driver.document({ citizen, keeper: '000', type: '57832-8' })
      const dispensing = driver.document({ citizen, keeper: '000', type: '81223-0', number })
      const nre = /\^(.{15})_/.exec(prescription.uniqueId)?.[1] ?? ''
      const references = [`${nre}^^^&${authorities.prescription}&ISO^urn:ihe:iti:xds:2013:order`]
      const reports = keepers.map((keeper) => driver.document({ citizen, keeper, change: { references } }))
      return { nre, prescription, reports, dispensing: { ...dispensing, references } }
    },
    create: (facts, wishes = {}) =>
      submit(facts, { kind: 'create' }, wishes, iniPaths.registry, saidBy(facts, 'CREATE', 'TREATMENT')),
    replace: (facts, older, wishes = {}) =>
      submit(facts, { kind: 'replace', older }, wishes, iniPaths.registry, saidBy(facts, 'UPDATE', 'UPDATE')),
    update: (facts, former, wishes = {}) =>
      submit(facts, { kind: 'update', former }, wishes, iniPaths.update, saidBy(facts, 'UPDATE', updating(facts))),
    updateOldWay: (facts, former, wishes = {}) =>
      submit(
        facts,
        { kind: 'replace-itself', former },
        wishes,
        iniPaths.registry,
        saidBy(facts, 'UPDATE', updating(facts)),
      ),
    transferIn: (facts, wishes = {}) =>
      submit(facts, { kind: 'create' }, { content: contentType('INI'), source: '000', ...wishes }, iniPaths.registry, {
        as: '000',
        role: 'INI',
        purpose: 'SYSADMIN',
        action: 'CREATE',
      }),
    remove: (whom, ids, wishes = {}) =>
      say(
        {
          path: iniPaths.delete,
          actionUri: nationalDelete,
          body: removeObjectsRequest(ids),
          about: identifierOf(whom),
          defaults: { as: '050', role: 'AAS', purpose: 'UPDATE', action: 'DELETE' },
        },
        wishes,
        caller,
      ),
    searchAs(region, whom, wishes = {}) {
      const about = identifierOf(whom)
      const { returnType = 'LeafClass', parameters = {} } = wishes
      const usual = { $XDSDocumentEntryPatientId: cx(about), $XDSDocumentEntryStatus: approved, ...parameters }
      const body = wishes.body ?? adhocQuery('FindDocuments', usual, { returnType })
      return query(
        iniPaths.registry,
        about,
        body,
        { as: region, role: 'AAS', purpose: 'TREATMENT', action: 'READ' },
        wishes,
      )
    },
    references({ uniqueId, patient, author, keeper }, wishes = {}) {
      const body = adhocQuery('GetDocuments', { $XDSDocumentEntryUniqueId: [uniqueId] }, { returnType: 'ObjectRef' })
      const { role } = author
      const said = {
        as: voiceOf(keeper),
        role,
        purpose: 'UPDATE',
        action: 'READ',
        claims: { subject: cx(author.person) },
      }
      return query(iniPaths.references, patient, body, said, wishes)
    },
    async retrieve(region, whom, references, wishes = {}) {
      const to = origin + iniPaths.repository
      const saying: Saying = {
        path: iniPaths.repository,
        actionUri: retrieveDocumentSet,
        body: retrieveRequest(references),
        about: identifierOf(whom),
        defaults: { as: region, role: 'AAS', purpose: 'TREATMENT', action: 'READ' },
      }
      const assertions = assertionsFor(saying, wishes, caller)
      const message = soapRequest({ to, action: retrieveDocumentSet, assertions, body: saying.body })
      const sent =
        wishes.packaging === 'plain'
          ? { contentType: 'application/soap+xml; charset=utf-8', body: message }
          : writePackage(message, [])
      const { signal } = wishes
      return readRetrieval(
        await sendForBytes(to, caller.channel, {
          headers: { 'content-type': sent.contentType },
          body: sent.body,
          ...(signal && { signal }),
        }),
      )
    },
    hidingChain: (whom, nre, wishes = {}) => hidingChain(driver, identifierOf(whom), nre, wishes),
    indexTransfer: (whom, wishes = {}) => indexTransfer(driver, identifierOf(whom), wishes),
    notifySubmit: (notice, wishes) => tell('submit', submitNotice(notice), wishes),
    notifyRetrieve: (notice, wishes) => tell('retrieve', retrieveNotice(notice), wishes),
    notifyHiding: (notice, wishes) => tell('hiding', hidingNotice(notice, now()), wishes),
    notifyConsent: (notice, wishes) => tell('consent', consentNotice(notice, now()), wishes),
    straySubmit() {
      const { uniqueId, repositoryUniqueId } = driver.document({ citizen: 'renamed', keeper: '120' })
      const [patient] = citizens.renamed.identifiers
      return tell(
        'submit',
        submitNotice({ patient, document: uniqueId, repository: repositoryUniqueId, region: '150' }),
      )
    },
    say: (saying, wishes = {}) => say(saying, wishes, caller),
  }
  return driver
}

function identifierOf(whom: Whom): Identifier {
  if (typeof whom !== 'string') return whom
  const { value, authority } = citizens[whom].identifiers[0]
  return { value, authority }
}

/** A change as the author of the document makes it, through whoever keeps it. */
function saidBy({ author, keeper, typeCode }: DocumentFacts, action: string, purpose: string): Saying['defaults'] {
  const as = voiceOf(keeper)
  const claims = { subject: cx(author.person), documentTypes: [`${typeCode.code}^^${typeCode.scheme}`] }
  return { as, role: author.role, purpose, action, claims }
}

/** Whoever obscures a document, or reveals it, says so (ini.md §4.5). */
function updating(facts: DocumentFacts): string {
  return isObscured(facts) || facts.events.some(({ code }) => code === 'P00') ? 'ACCESS UPDATE' : 'UPDATE'
}
