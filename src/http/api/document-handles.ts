import { Buffer } from 'node:buffer'
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import type { Assertion } from '../../core/model/call.ts'
import { type HomeCommunityId, homeCommunityId } from '../../core/model/identifiers.ts'
import type { DocumentReference } from '../../core/model/retrieval.ts'
import type { Clock } from '../../core/ports.ts'
import { viewerBinding } from './viewer-binding.ts'

/** What stands for a document in an address. Whoever uses the face takes it as it is and reads nothing from it. */
export interface DocumentHandles {
  /** A handle of the document for this viewer and this patient, good for a while. */
  seal(reference: DocumentReference, viewer: Assertion): string
  /** The document a viewer means; undefined for what is no handle, or none of theirs, or too old. It grants nothing. */
  open(text: string, viewer: Assertion): DocumentReference | undefined
}

export interface SealedHandlesParts {
  /** 32 bytes, the same in every replica. */
  readonly key: Uint8Array
  readonly lifetimeMs: number
  readonly clock: Clock
}

/** Bytes of the key of handles. */
export const handleKeyBytes = 32

/** Characters; three identifiers of XDS, sealed, are less. */
const longest = 2_048
const saltBytes = 16
const tagBytes = 16

/**
 * Handles that are sealed (AES-256-GCM under a key of their own, derived by HMAC-SHA-512 from ours and a random salt) and
 * bound to a viewer and a patient: to everybody else, altered, or after their time they are as good as any other text. What
 * they name is authorised anew each time. No identifier of a person is in them. Throws RangeError for a key of another length.
 */
export function sealedHandles({ key, lifetimeMs, clock }: SealedHandlesParts): DocumentHandles {
  if (key.byteLength !== handleKeyBytes) throw new RangeError(`A key of handles has ${handleKeyBytes} bytes`)
  return {
    seal({ home, repositoryUniqueId, uniqueId }, viewer) {
      const salt = randomBytes(saltBytes)
      const cipher = createCipheriv('aes-256-gcm', ...keyAndNonce(key, salt)).setAAD(bindingOf(viewer))
      const fields = [clock.now() + lifetimeMs, home ?? null, repositoryUniqueId, uniqueId]
      const sealed = Buffer.concat([cipher.update(JSON.stringify(fields), 'utf8'), cipher.final()])
      return Buffer.concat([salt, sealed, cipher.getAuthTag()]).toString('base64url')
    },
    open(text, viewer) {
      const bytes = bytesOf(text)
      if (bytes === undefined) return undefined
      const [until, home, repositoryUniqueId, uniqueId] = opened(bytes, key, viewer) ?? []
      if (typeof until !== 'number' || until <= clock.now()) return undefined
      if (typeof repositoryUniqueId !== 'string' || typeof uniqueId !== 'string') return undefined
      return { ...(home === null ? {} : { home: homeOf(home) }), repositoryUniqueId, uniqueId }
    },
  }
}

/** Our own encoding and no other: one document has no two handles that differ in bits nobody reads. */
function bytesOf(text: string): Buffer | undefined {
  if (text.length > longest || !/^[A-Za-z0-9_-]+$/.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64url')
  return bytes.length > saltBytes + tagBytes && bytes.toString('base64url') === text ? bytes : undefined
}

function opened(bytes: Buffer, key: Uint8Array, viewer: Assertion): readonly unknown[] | undefined {
  const decipher = createDecipheriv('aes-256-gcm', ...keyAndNonce(key, bytes.subarray(0, saltBytes)))
  decipher.setAAD(bindingOf(viewer)).setAuthTag(bytes.subarray(-tagBytes))
  try {
    const text = Buffer.concat([decipher.update(bytes.subarray(saltBytes, -tagBytes)), decipher.final()])
    return JSON.parse(text.toString('utf8')) as readonly unknown[]
  } catch {
    return undefined
  }
}

/** A random nonce of 96 bits would be used up by as many handles as one key has to make. */
function keyAndNonce(key: Uint8Array, salt: Uint8Array): [key: Buffer, nonce: Buffer] {
  const made = createHmac('sha512', key).update('document handle 1').update(salt).digest()
  return [made.subarray(0, 32), made.subarray(32, 44)]
}

function bindingOf(viewer: Assertion): Buffer {
  return Buffer.from(viewerBinding(viewer), 'utf8')
}

function homeOf(text: unknown): HomeCommunityId {
  return homeCommunityId(String(text))
}
