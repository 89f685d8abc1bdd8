import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto'
import { GatewayError } from '../../core/errors.ts'
import type { AsOf, MergedEntry } from '../../core/model/answers.ts'
import type { Association, Folder, SubmissionSet } from '../../core/model/metadata.ts'
import type { Clock } from '../../core/ports.ts'
import type { SearchParameter } from '../../wire/fhir/search.ts'
import type { Json } from '../../wire/fhir/types.ts'

/** The answer to a search, as its viewer may know it, while its pages are asked for. */
export interface KeptAnswer {
  readonly found:
    | {
        readonly type: 'DocumentReference'
        readonly entries: readonly MergedEntry[]
        readonly associations: readonly Association[]
      }
    | { readonly type: 'List'; readonly entries: readonly (SubmissionSet | Folder)[] }
  /** The parameters that may stand in its addresses. */
  readonly parameters: readonly SearchParameter[]
  /** How many resources a page has. */
  readonly count: number
  /** When it was asked, in the clock's milliseconds. */
  readonly askedAt: number
  readonly asOf?: AsOf
  readonly outcome?: Json
}

export interface PagesParts {
  readonly clock: Clock
  readonly keptMs: number
  /** Resources, over all answers. */
  readonly mostKept: number
}

/** Answers whose further pages may be asked for, for a short time, in the memory of this process only. */
export interface Pages {
  /** Keeps an answer and tells how it is continued. Throws `too-many-results` for one that is too large to be kept. */
  keep(answer: KeptAnswer, view: string): (offset: number) => string
  /** What a cursor leads to; undefined for what is none, none of this view's, or too old. */
  open(cursor: string, view: string): Page | undefined
}

export interface Page {
  readonly answer: KeptAnswer
  readonly offset: number
  readonly cursorTo: (offset: number) => string
}

interface Kept {
  readonly answer: KeptAnswer
  readonly until: number
}

const bytes = { nonce: 12, tag: 16, id: 36, offset: 4 } as const

/**
 * Cursors are sealed (AES-256-GCM under a key of this process) and bound to a view: nothing can be read from one, and to
 * anybody else it is as good as any other text. Under pressure the oldest answers go first.
 */
export function pages({ clock, keptMs, mostKept }: PagesParts): Pages {
  const key = randomBytes(32)
  const kept = new Map<string, Kept>()
  let size = 0

  function drop(id: string, { answer }: Kept): void {
    kept.delete(id)
    size -= answer.found.entries.length
  }

  function makeRoom(): void {
    for (const [id, one] of kept) {
      if (one.until > clock.now() && size <= mostKept) break
      drop(id, one)
    }
  }

  function cursor(id: string, offset: number, view: string): string {
    const nonce = randomBytes(bytes.nonce)
    const plain = Buffer.alloc(bytes.id + bytes.offset)
    plain.write(id, 'latin1')
    plain.writeUInt32BE(offset, bytes.id)
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(view, 'utf8'))
    const sealed = Buffer.concat([cipher.update(plain), cipher.final()])
    return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64url')
  }

  function opened(text: string, view: string): Buffer | undefined {
    const sealed = Buffer.from(text, 'base64url')
    const length = bytes.nonce + bytes.id + bytes.offset + bytes.tag
    if (sealed.length !== length || sealed.toString('base64url') !== text) return undefined
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, bytes.nonce))
    decipher.setAAD(Buffer.from(view, 'utf8')).setAuthTag(sealed.subarray(-bytes.tag))
    try {
      return Buffer.concat([decipher.update(sealed.subarray(bytes.nonce, -bytes.tag)), decipher.final()])
    } catch {
      return undefined
    }
  }

  return {
    keep(answer, view) {
      const length = answer.found.entries.length
      if (length > mostKept) {
        throw new GatewayError(
          'too-many-results',
          'There is more than can be told in pages: the search must be narrowed',
        )
      }
      const id = randomUUID()
      kept.set(id, { answer, until: clock.now() + keptMs })
      size += length
      makeRoom()
      // Nobody may ask again before long.
      setTimeout(makeRoom, keptMs + 1_000).unref()
      return (offset) => cursor(id, offset, view)
    },
    open(text, view) {
      makeRoom()
      const plain = opened(text, view)
      if (plain === undefined) return undefined
      const id = plain.toString('latin1', 0, bytes.id)
      const one = kept.get(id)
      if (one === undefined) return undefined
      const cursorTo = (offset: number) => cursor(id, offset, view)
      return { answer: one.answer, offset: plain.readUInt32BE(bytes.id), cursorTo }
    },
  }
}
