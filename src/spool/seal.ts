import { Buffer } from 'node:buffer'
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

/** What one file is sealed with. It never leaves memory: without the process, the file is noise. */
export interface Secret {
  readonly key: Uint8Array
  readonly nonce: Uint8Array
}

/** Turns a document, piece by piece and in order, into what may lie in a file. As many bytes come out as go in. */
export interface Seal {
  /** The result shares no memory with what was given. */
  seal(bytes: Uint8Array): Buffer
  /** Nothing more comes. What is answered tells, when the file is read, whether it is what was sealed. */
  end(): Buffer
}

/** Turns what lies in a file back, piece by piece from its beginning. */
export interface Unseal {
  /** The result shares no memory with what was given. Nothing is known of its truth until `isIntact`. */
  unseal(bytes: Uint8Array): Buffer
  /** Asked once, after the last piece: whether exactly what had been sealed was unsealed. */
  isIntact(): boolean
}

/** Made for one file, and used for no other. */
export function newSecret(): Secret {
  return { key: randomBytes(32), nonce: randomBytes(12) }
}

/** AES-256-GCM; without a secret, what lies in the file is the document, and is held against its digest. */
export function sealWith(secret: Secret | undefined): Seal {
  return secret === undefined ? plainSeal() : keySeal(secret)
}

/** What `sealWith` sealed with this secret, and told of at its end. */
export function unsealWith(secret: Secret | undefined, told: Uint8Array): Unseal {
  return secret === undefined ? plainUnseal(told) : keyUnseal(secret, told)
}

function keySeal({ key, nonce }: Secret): Seal {
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  return {
    seal: (bytes) => cipher.update(bytes),
    end() {
      cipher.final()
      return cipher.getAuthTag()
    },
  }
}

function keyUnseal({ key, nonce }: Secret, tag: Uint8Array): Unseal {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAuthTag(tag)
  return { unseal: (bytes) => decipher.update(bytes), isIntact: () => succeeds(() => decipher.final()) }
}

function plainSeal(): Seal {
  const written = createHash('sha256')
  return {
    seal(bytes) {
      written.update(bytes)
      return Buffer.from(bytes)
    },
    end: () => written.digest(),
  }
}

function plainUnseal(digest: Uint8Array): Unseal {
  const read = createHash('sha256')
  return {
    unseal(bytes) {
      read.update(bytes)
      return Buffer.from(bytes)
    },
    isIntact: () => read.digest().equals(digest),
  }
}

function succeeds(work: () => void): boolean {
  try {
    work()
    return true
  } catch {
    return false
  }
}
