import type { Behaviour } from './behaviour.ts'
import type { Claimed, SignedAssertion } from './check-assertion.ts'
import { samePerson } from './citizens.ts'
import type { Contents } from './contents.ts'
import type { RegistryIssue } from './ebrim.ts'
import { type Entry, readCx } from './entry.ts'
import { SoapFault, securityFault } from './faults.ts'
import { isPackage, readPackage, writePackage } from './mtom.ts'
import { admit, onceOnly, type RegistryFace, soapExchange, soapReply } from './registry-face.ts'
import { type Handed, type Reference, readRetrieveRequest, writeRetrieval } from './retrieve.ts'
import type { Face, PeerReply, PeerRequest } from './server.ts'
import { actionIn, type Message } from './soap.ts'
import { RegistryProblem } from './stored-query.ts'

/** How answers are packaged: as the request was, which is the rule, or always in one way. */
export type AnswerPackaging = 'as-asked' | 'always-plain' | 'always-mtom'

/** Who asks a repository, once that is proved. */
export interface Asker {
  readonly assertion: SignedAssertion
  readonly claimed: Claimed
}

/** Why a document is not handed out. */
export class RetrieveProblem extends RegistryProblem {
  readonly severity: RegistryIssue['severity']
  constructor(code: string, text: string, severity: RegistryIssue['severity'] = 'Error') {
    super(code, text)
    this.severity = severity
  }
}

/** Who may ask, in which manner, and what is behind it. */
export interface RepositoryFace
  extends Pick<
    RegistryFace,
    'name' | 'path' | 'action' | 'dialect' | 'addressing' | 'admits' | 'trust' | 'claims' | 'requireMore' | 'refuse'
  > {
  readonly contents: Contents
  readonly packaging?: AnswerPackaging
  /** The entry of a document that this asker may have. Throws RetrieveProblem. */
  readonly find: (reference: Reference, asker: Asker) => Entry
  /** Told beside the document's id where an error is about it: the home of a gateway (ITI TF-2: 3.39.4.1.3). */
  readonly home?: string
  /** The envelope around an answer; by default with everything addressing asks for. */
  readonly reply?: (message: Message, body: string) => string
  /** What every document is answered with, whatever it is, when told to behave so. */
  readonly insteadOf?: Partial<Record<Behaviour, RetrieveProblem>>
}

/** A repository behind SOAP with MTOM (ITI-43, ITI-39): opens, verifies, finds, hands out. */
export function repositoryFace(face: RepositoryFace): Face {
  const { path, action, packaging = 'as-asked', reply = soapReply } = face
  const accept = onceOnly()
  const manner = { addressing: face.addressing, path, actions: [action] } as const

  const served: Face = {
    name: face.name,
    contentType: 'application/soap+xml; charset=utf-8',
    serves: (asked, request) => asked === path && (!isShared(face) || actionIn(request) === action),
    admits: face.admits,
    async respond(request, behaviour, asked): Promise<PeerReply> {
      const packaged = isPackage(request.headers['content-type'])
      let written: Pick<PeerReply, 'contentType' | 'body'> | undefined
      const answered = await soapExchange(asPlain(request), asked, face.dialect, async () => {
        const plain = packaged ? opened(request) : request
        await face.requireMore?.(plain)
        const { message, assertions, claimed } = admit(plain, manner, face.trust, accept, asked, {
          messageIsSigned: face.requireMore !== undefined,
          ...(face.claims && { claims: face.claims }),
        })
        const [assertion] = assertions
        if (assertion === undefined) throw securityFault('InvalidSecurity', 'Missing attribute assertion', 'PST4')
        if (claimed.action !== 'READ')
          throw securityFault('FailedAuthentication', 'A retrieval is an action of reading')
        if (behaviour === 'fault') throw new SoapFault('Receiver', 'Internal Server Error')
        const references = readRetrieveRequest(message.payload)
        Object.assign(asked, { query: 'RetrieveDocumentSet', documents: references.length })
        const answer = retrieved(references, { assertion, claimed }, behaviour)
        if (answer.failed > 0) asked.outcome = 'refused'
        const inPackage = packaging === 'as-asked' ? packaged : packaging === 'always-mtom'
        written = writeRetrieval(answer, (body) => reply(message, body), inPackage && behaviour !== 'base64-broken')
        return ''
      })
      if (written !== undefined) return { ...answered, ...written }
      // A fault comes in a package to who asked in one.
      return packaged && packaging === 'as-asked' && answered.status !== 405
        ? { ...answered, ...writePackage(String(answered.body), []) }
        : answered
    },
  }

  function retrieved(references: readonly Reference[], asker: Asker, behaviour: Behaviour) {
    const documents: Handed[] = []
    const issues: RegistryIssue[] = []
    for (const [index, reference] of references.entries()) {
      try {
        if (behaviour === 'partial' && index === 0) {
          throw new RetrieveProblem('XDSRepositoryError', 'The repository behind could not be asked')
        }
        documents.push(handed(reference, asker, behaviour))
      } catch (error) {
        if (!(error instanceof RegistryProblem)) throw error
        const severity = error instanceof RetrieveProblem ? error.severity : 'Error'
        const location = face.home === undefined ? reference.uniqueId : `${face.home} ${reference.uniqueId}`
        issues.push({ code: error.code, text: error.message, severity, location })
      }
    }
    const failed = issues.length
    return { documents: spoiled(documents, behaviour), issues, failed }
  }

  function handed(reference: Reference, asker: Asker, behaviour: Behaviour): Handed {
    if (behaviour === 'refuse') throw face.refuse()
    if (behaviour === 'empty') throw unknownDocument()
    const instead = face.insteadOf?.[behaviour]
    if (instead !== undefined) throw instead
    const entry = face.find(reference, asker)
    requireAbout(entry, asker.claimed)
    // The home is told where it was named, and nowhere else (ihe.md §1.8).
    return { ...reference, mimeType: entry.mimeType, bytes: face.contents.bytes(entry.uniqueId) }
  }

  function spoiled([first, ...others]: readonly Handed[], behaviour: Behaviour): Handed[] {
    if (first === undefined) return []
    switch (behaviour) {
      case 'altered':
        return [{ ...first, bytes: altered(first.bytes) }, ...others]
      case 'wrong-document':
        return [{ ...first, bytes: face.contents.bytes(`${first.uniqueId}0`) }, ...others]
      case 'extra-document': {
        const uniqueId = `${first.uniqueId}0`
        return [first, ...others, { ...first, uniqueId, bytes: face.contents.bytes(uniqueId) }]
      }
      case 'missing-part':
      case 'base64-broken':
        return [{ ...first, broken: behaviour }, ...others]
      default:
        return [first, ...others]
    }
  }

  return served
}

/** Said of a document that is not there, and of one that is not for the asker. */
export function unknownDocument(): RetrieveProblem {
  return new RetrieveProblem('XDSDocumentUniqueIdError', 'Unable to locate the document')
}

/** Finds a document in what a repository keeps. Throws RetrieveProblem. */
export function kept(entries: readonly Entry[], { repositoryUniqueId, uniqueId }: Reference): Entry {
  const here = entries.filter((entry) => entry.repositoryUniqueId === repositoryUniqueId)
  if (here.length === 0) throw new RetrieveProblem('XDSUnknownRepositoryId', 'The repository is not known here')
  const found = here.find((entry) => entry.uniqueId === uniqueId)
  if (found === undefined) throw unknownDocument()
  return found
}

/** Nothing about anybody but the person in the assertion leaves, nor of a type it does not name. Throws SoapFault. */
function requireAbout(entry: Entry, { patient, documentTypes }: Claimed): void {
  const id = readCx(patient)
  if (id === undefined || !samePerson(entry.patient, id)) {
    throw securityFault('FailedAuthentication', 'The assertion is about another patient')
  }
  if (documentTypes !== undefined && !documentTypes.includes(`${entry.typeCode.code}^^${entry.typeCode.scheme}`)) {
    throw securityFault('FailedAuthentication', 'The document is of a type the assertion does not name')
  }
}

/** One bit, in the middle. */
function altered(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  const middle = Math.floor(copy.length / 2)
  copy[middle] = (copy[middle] ?? 0) ^ 1
  return copy
}

/** ITI-39 stands at the same address as ITI-38: the action tells them apart. */
function isShared({ action }: RepositoryFace): boolean {
  return action.includes('CrossGateway')
}

/** The message of a packaged request, as if it had come by itself. Throws SoapFault. */
function opened(request: PeerRequest): PeerRequest {
  try {
    const { root } = readPackage(request.headers['content-type'] ?? '', Buffer.from(request.body))
    return { ...request, body: root }
  } catch (error) {
    throw new SoapFault('Sender', (error as Error).message)
  }
}

/** Whose media type is looked at where it is not a package's. */
function asPlain(request: PeerRequest): PeerRequest {
  if (!isPackage(request.headers['content-type'])) return request
  return { ...request, headers: { ...request.headers, 'content-type': 'application/soap+xml' } }
}
