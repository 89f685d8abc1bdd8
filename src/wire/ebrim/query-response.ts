import { GatewayError } from '../../core/errors.ts'
import type { QueryAnswer } from '../../core/model/answers.ts'
import type { Slot } from '../../core/model/code.ts'
import type { HomeCommunityId } from '../../core/model/identifiers.ts'
import type { DocumentEntry } from '../../core/model/metadata.ts'
import { XmlError, type XmlLimits, XmlReader } from '../xml.ts'
import { type PeerFault, readFault } from './fault.ts'
import { query, type ResponseStatus, responseStatuses, rim, rs } from './names.ts'
import { type ObjectListReader, objectListReader } from './object-list.ts'
import { associationTable, documentEntryTable, folderTable, submissionSetTable } from './object-tables.ts'
import { prepareObject, writeObject } from './object-write.ts'
import { readSlots } from './parts-read.ts'
import { attribute, writeSlots } from './parts-write.ts'
import { type RegistryErrorRecord, readRegistryErrors, writeRegistryErrors } from './registry-error.ts'
import { responseStatusOf } from './response-status.ts'
import type { ReturnType } from './stored-query.ts'

/** What WS-Addressing said about a response. */
export interface ResponseHeader {
  readonly relatesTo?: string
  readonly action?: string
}

export interface DecodedQueryResponse {
  readonly header: ResponseHeader
  /** The community refused to answer at all; then there is nothing else. */
  readonly fault?: undefined
  /** As told, even where it contradicts the issues: what counts is for the caller to decide (ini.md §6.2). */
  readonly status: ResponseStatus
  readonly answer: QueryAnswer
  readonly requestId?: string
  readonly responseSlots: readonly Slot[]
}

export interface DecodedQueryFault {
  readonly header: ResponseHeader
  readonly fault: PeerFault
}

export interface DecodeResponseOptions {
  readonly limits?: XmlLimits
  /** Called after every object; a promise it returns is awaited, so that long answers leave the event loop to others. */
  readonly pause?: () => Promise<void> | undefined
  /** Told why an object was left out of the answer, without any value of it. */
  readonly onOddEntry?: (reason: string) => void
}

/**
 * Reads the answer to a stored query as it goes by: a SOAP 1.2 or 1.1 message, or a bare query:AdhocQueryResponse or
 * rs:RegistryResponse (INI answers with the latter when it has only errors). No string of the answer keeps the message
 * alive. Throws `community-misbehaved` for anything else, and for XML that is broken or beyond the limits.
 */
export async function decodeQueryResponse(
  bytes: Uint8Array,
  options: DecodeResponseOptions = {},
): Promise<DecodedQueryResponse | DecodedQueryFault> {
  try {
    const reader = options.limits === undefined ? new XmlReader(bytes) : new XmlReader(bytes, options.limits)
    const response = await readMessage(reader, options)
    while (reader.next() !== 'eof');
    return response
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    throw new GatewayError('community-misbehaved', 'The community answered with XML that cannot be read', {
      cause: error,
    })
  }
}

type Message = DecodedQueryResponse | DecodedQueryFault

async function readMessage(reader: XmlReader, options: DecodeResponseOptions): Promise<Message> {
  reader.next()
  if (reader.local() !== 'Envelope') return readResponse(reader, {}, options)
  let header: ResponseHeader = {}
  while (reader.next() === 'start') {
    if (reader.local() === 'Header') header = readHeader(reader)
    else if (reader.local() === 'Body') {
      if (reader.next() !== 'start') break
      if (reader.local() === 'Fault') {
        const tree = reader.subtree()
        return { header, fault: readFault(tree, tree.root) }
      }
      return readResponse(reader, header, options)
    } else reader.skip()
  }
  throw nonsense('The community answered without a message in it')
}

function readHeader(reader: XmlReader): ResponseHeader {
  const header: { relatesTo?: string; action?: string } = {}
  while (reader.next() === 'start') {
    const local = reader.local()
    if ((local === 'RelatesTo' || local === 'Action') && reader.namespace().includes('addressing')) {
      const tree = reader.subtree()
      header[local === 'Action' ? 'action' : 'relatesTo'] = tree.text(tree.root).trim()
    } else reader.skip()
  }
  return header
}

async function readResponse(
  reader: XmlReader,
  header: ResponseHeader,
  { pause, onOddEntry }: DecodeResponseOptions,
): Promise<DecodedQueryResponse> {
  const root = reader.local()
  if (root !== 'AdhocQueryResponse' && root !== 'RegistryResponse')
    throw nonsense('The community answered with something other than a query response')
  const status = responseStatusOf(reader.attribute('status'))
  const requestId = reader.attribute('requestId')
  const objects = objectListReader(onOddEntry)
  let responseSlots: readonly Slot[] = []
  const errors: QueryAnswer['issues'][number][] = []
  // The error list is found by its name alone: some registries put it into the rim namespace.
  while (reader.next() === 'start') {
    switch (reader.local()) {
      case 'ResponseSlotList': {
        const tree = reader.subtree()
        responseSlots = readSlots(tree, tree.root)
        break
      }
      case 'RegistryErrorList': {
        const tree = reader.subtree()
        errors.push(...readRegistryErrors(tree, tree.root))
        break
      }
      case 'RegistryObjectList':
        await readList(reader, objects, pause)
        break
      default:
        reader.skip()
    }
  }
  const { issues, ...found } = objects.finish()
  return {
    header,
    status,
    answer: { ...found, issues: [...errors, ...issues] },
    ...(requestId === undefined ? {} : { requestId }),
    responseSlots,
  }
}

async function readList(
  reader: XmlReader,
  objects: ObjectListReader,
  pause: DecodeResponseOptions['pause'],
): Promise<void> {
  while (reader.next() === 'start') {
    const tree = reader.subtree()
    objects.take(tree, tree.root)
    const waiting = pause?.()
    if (waiting !== undefined) await waiting
  }
}

function nonsense(message: string): GatewayError {
  return new GatewayError('community-misbehaved', message)
}

/** What can be written into a response; a merged answer is such a one. */
export type Answer = Omit<QueryAnswer, 'references' | 'issues'> & Partial<Pick<QueryAnswer, 'references'>>

export interface EncodeResponseOptions<E extends DocumentEntry> {
  readonly status: ResponseStatus
  readonly returnType: ReturnType
  readonly requestId?: string
  readonly errors: readonly RegistryErrorRecord[]
  /** The community told for objects that do not name their own. */
  readonly home?: HomeCommunityId
  readonly responseSlots?: readonly Slot[]
  /** Slots to be told with an entry beside its own. */
  readonly slotsFor?: (entry: E) => readonly Slot[]
}

/**
 * Writes a query:AdhocQueryResponse that declares its own namespaces (ITI TF-2: 3.18.4.1.3, 3.38.4.1.3): every
 * ExtrinsicObject, RegistryPackage and ObjectRef tells its home, an Association only if it has one. What a peer told of
 * an object and no field names is told on. An object with characters XML cannot carry is left out, and a warning says so.
 */
export function encodeQueryResponse<E extends DocumentEntry>(
  answer: Answer & { readonly entries: readonly E[] },
  options: EncodeResponseOptions<E>,
): string {
  const { status, requestId, responseSlots = [] } = options
  const writer = new ObjectWriter(options.returnType === 'ObjectRef', options.home)
  for (const entry of answer.entries)
    writer.add(entry, (home) => writeObject(entry, documentEntryTable, home, options.slotsFor?.(entry)))
  for (const set of answer.submissionSets) writer.add(set, (home) => writeObject(set, submissionSetTable, home))
  for (const folder of answer.folders) writer.add(folder, (home) => writeObject(folder, folderTable, home))
  for (const link of answer.associations) writer.add(link, () => writeObject(link, associationTable, undefined))
  for (const reference of answer.references ?? []) writer.addReference(reference)
  let xml = `<query:AdhocQueryResponse xmlns:query="${query}" xmlns:rim="${rim}" xmlns:rs="${rs}"`
  xml += ` status="${responseStatuses[status]}"`
  xml += `${requestId === undefined ? '' : attribute('requestId', requestId)}>`
  if (responseSlots.length > 0) xml += `<rs:ResponseSlotList>${writeSlots(responseSlots)}</rs:ResponseSlotList>`
  xml += writeRegistryErrors([...options.errors, ...writer.leftOut])
  return `${xml}<rim:RegistryObjectList>${writer.xml()}</rim:RegistryObjectList></query:AdhocQueryResponse>`
}

/**
 * Writes what can be written of entries before the answer they belong to is complete, a few at a time so that the event
 * loop stays free. `encodeQueryResponse` gives the same bytes with or without it.
 */
export function prepareEntries(entries: readonly DocumentEntry[], later: (work: () => void) => void): void {
  const step = (from: number): void => {
    for (const entry of entries.slice(from, from + entriesAtATime)) prepareObject(entry, documentEntryTable)
    if (from + entriesAtATime < entries.length) later(() => step(from + entriesAtATime))
  }
  later(() => step(0))
}

const entriesAtATime = 25

/** Collects what stands in the RegistryObjectList: objects, or a reference to each, told once. */
class ObjectWriter {
  readonly leftOut: RegistryErrorRecord[] = []
  readonly #parts: string[] = []
  readonly #references = new Set<string>()
  readonly #onlyReferences: boolean
  readonly #home: HomeCommunityId | undefined

  constructor(onlyReferences: boolean, home: HomeCommunityId | undefined) {
    this.#onlyReferences = onlyReferences
    this.#home = home
  }

  add(object: Identified, write: (home: HomeCommunityId | undefined) => string): void {
    if (this.#onlyReferences) this.addReference({ ...object, id: object.entryUuid })
    else this.#carry(object.home, () => this.#parts.push(write(this.#home)))
  }

  addReference({ id, home = this.#home }: { readonly id: string; readonly home?: HomeCommunityId }): void {
    this.#carry(home, () =>
      this.#references.add(
        `<rim:ObjectRef${attribute('id', id)}${home === undefined ? '' : attribute('home', home)}/>`,
      ),
    )
  }

  xml(): string {
    return this.#parts.join('') + [...this.#references].join('')
  }

  #carry(home: HomeCommunityId | undefined, write: () => void): void {
    try {
      write()
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.leftOut.push({
        errorCode: 'XDSRegistryMetadataError',
        codeContext: 'Left out an object with characters that XML cannot carry',
        severity: 'warning',
        ...(home === undefined ? {} : { location: home }),
      })
    }
  }
}

interface Identified {
  readonly entryUuid: string
  readonly home?: HomeCommunityId
}
