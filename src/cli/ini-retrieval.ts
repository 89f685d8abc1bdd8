import { createWriteStream } from 'node:fs'
import { extname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { RetrieveAnswer } from '../core/model/retrieval.ts'
import { CliError } from './exit.ts'
import { counted, type Result } from './ini-result.ts'

/** What came of a retrieval, with the documents in the file that is named, or beside it. Throws CliError. */
export async function retrieved({ documents, issues }: RetrieveAnswer, out: string | undefined): Promise<Result> {
  const listed = []
  const found = []
  for (const [index, { uniqueId, mimeType, content }] of documents.entries()) {
    const where = await savedTo(out, index, documents.length, content.read())
    const facts = { type: uniqueId, mediaType: mimeType, size: content.size }
    listed.push(`${documentTold(facts, where)}, SHA-1 ${content.sha1}`)
    found.push({ uniqueId, mediaType: mimeType, size: content.size, sha1: content.sha1, file: where })
  }
  const failed = issues.some(({ severity }) => severity === 'error')
  const exit = documents.length === 0 ? 'failure' : failed ? 'partial-success' : undefined
  return { said: counted(documents.length, 'document'), listed, found, ...(exit === undefined ? {} : { exit }) }
}

/** A document in one line. */
export function documentTold(
  { type, mediaType, size }: { readonly type: string; readonly mediaType: string; readonly size: number },
  where: string | undefined,
): string {
  return `${type}: ${mediaType}, ${size} bytes${where === undefined ? '' : `, in ${where}`}`
}

/**
 * Writes a document to a file that its owner alone may read: it is clinical. Several go beside each other, `a-1.pdf` and
 * `a-2.pdf`. Resolves to the name of the file; throws CliError.
 */
export async function savedTo(
  out: string | undefined,
  index: number,
  count: number,
  content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<string | undefined> {
  if (out === undefined) return undefined
  const extension = extname(out)
  const path = count === 1 ? out : `${out.slice(0, out.length - extension.length)}-${index + 1}${extension}`
  try {
    await pipeline(Readable.from(content), createWriteStream(path, { mode: 0o600 }))
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error
    throw new CliError('usage', `--out: ${path} cannot be written: ${error.message}`)
  }
  return path
}
