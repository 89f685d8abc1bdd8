import { randomUUID } from 'node:crypto'
import { parseMediaType } from '../../wire/mtom/content-type.ts'
import { MtomError } from '../../wire/mtom/mtom-error.ts'
import { writePackage } from '../../wire/mtom/write.ts'
import type { StreamedBody } from '../stream.ts'
import type { BodyWithDocuments, CarriedDocument } from './transaction.ts'

export const mediaType = 'application/soap+xml; charset=utf-8'

/** Puts a body into its envelope, and both into a package where the request came in one. */
export function enveloped(
  envelope: (body: string) => string,
  body: string | BodyWithDocuments,
  packaged: boolean,
): { readonly contentType: string; readonly body: string | StreamedBody } {
  const { documents, xml }: BodyWithDocuments = typeof body === 'string' ? { documents: [], xml: () => body } : body
  if (packaged) return inPackage(envelope, xml, documents)
  if (documents.length === 0) return { contentType: mediaType, body: envelope(xml(() => ({ base64: '' }))) }
  return { contentType: mediaType, body: inline(envelope, xml, documents) }
}

/** Beyond guessing, since streamed content is not searched for it; at most 70 characters (RFC 2046 §5.1.1). */
function boundary(): string {
  return `MIME_${randomUUID()}${randomUUID()}`.replaceAll('-', '')
}

function inPackage(
  envelope: (body: string) => string,
  xml: BodyWithDocuments['xml'],
  documents: readonly CarriedDocument[],
): { readonly contentType: string; readonly body: StreamedBody } {
  const ids = new Map(documents.map((document) => [document, `${randomUUID()}@crocevia`]))
  const root = envelope(xml((document) => ({ contentId: ids.get(document) ?? '' })))
  const { contentType, contentLength, body } = writePackage({
    boundary: boundary(),
    rootId: `${randomUUID()}@crocevia`,
    soap: '1.2',
    root: Buffer.from(root, 'utf8'),
    parts: documents.map((document) => ({
      contentId: ids.get(document) ?? '',
      contentType: partType(document),
      length: document.content.size,
      chunks: document.content.read(),
    })),
  })
  return {
    contentType,
    body: { chunks: body, ownsChunks: true, ...(contentLength === undefined ? {} : { length: contentLength }) },
  }
}

/** What a holder calls its document stands in the message; a header that it does not fit is no reason to keep it back. */
function partType({ mimeType }: CarriedDocument): string {
  try {
    parseMediaType(mimeType)
    return mimeType
  } catch (error) {
    if (!(error instanceof MtomError)) throw error
    return 'application/octet-stream'
  }
}

/** The envelope with the documents' base64 where they belong; of a document no more is in memory than a piece. */
function inline(
  envelope: (body: string) => string,
  xml: BodyWithDocuments['xml'],
  documents: readonly CarriedDocument[],
): StreamedBody {
  const marks = documents.map(() => `{${randomUUID()}}`)
  const whole = envelope(xml((document) => ({ base64: marks[documents.indexOf(document)] ?? '' })))
  const pieces: (Buffer | CarriedDocument)[] = []
  let rest = whole
  for (const [index, document] of documents.entries()) {
    const [before = '', after = ''] = rest.split(marks[index] ?? '', 2)
    pieces.push(Buffer.from(before, 'utf8'), document)
    rest = after
  }
  pieces.push(Buffer.from(rest, 'utf8'))
  const length = pieces.reduce((sum, piece) => {
    return sum + ('content' in piece ? Math.ceil(piece.content.size / 3) * 4 : piece.length)
  }, 0)
  return { length, chunks: inlined(pieces), ownsChunks: true }
}

async function* inlined(pieces: readonly (Buffer | CarriedDocument)[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    if ('content' in piece) yield* base64(piece.content.read())
    else yield piece
  }
}

/** Base64 of bytes as they come; groups of three are never cut. */
async function* base64(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let left = Buffer.alloc(0)
  for await (const chunk of chunks) {
    const bytes = left.length === 0 ? Buffer.from(chunk) : Buffer.concat([left, chunk])
    const whole = bytes.length - (bytes.length % 3)
    yield Buffer.from(bytes.toString('base64', 0, whole), 'latin1')
    left = Buffer.from(bytes.subarray(whole))
  }
  if (left.length > 0) yield Buffer.from(left.toString('base64'), 'latin1')
}
