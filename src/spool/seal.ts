import { Buffer } from 'node:buffer'
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

/** Turns a document, piece by piece and in order, into what may lie in a file. As many bytes come out as go in. */
export interface Seal {
  /** The result shares no memory with what was given. */
  seal(bytes: Uint8Array): Buffer
  /** Nothing more comes. Whoever reads the file unseals with what is answered. */
  end(): () => Unseal
}

/** Turns what lies in a file back, piece by piece from its beginning. */
export interface Unseal {
  /** The result shares no memory with what was given. Nothing is known of its truth until `isIntact`. */
  unseal(bytes: Uint8Array): Buffer
  /** Asked once, after the last piece: whether exactly what had been sealed was unsealed. */
  isIntact(): boolean
}

/** AES-256-GCM under a key that is made for the one file and never leaves memory: without the process it is noise. */
export function keySeal(): Seal {
  const key = randomBytes(32)
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  return {
    seal: (bytes) => cipher.update(bytes),
    end() {
      cipher.final()
      const tag = cipher.getAuthTag()
      return () => {
        const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAuthTag(tag)
        return { unseal: (bytes) => decipher.update(bytes), isIntact: () => succeeds(() => decipher.final()) }
      }
    },
  }
}

/** No encryption: what lies in the file is the document, and is held against its digest when it is read. */
export function plainSeal(): Seal {
  const written = createHash('sha256')
  return {
    seal(bytes) {
      written.update(bytes)
      return Buffer.from(bytes)
    },
    end() {
      const expected = written.digest('hex')
      return () => {
        const read = createHash('sha256')
        return {
          unseal(bytes) {
            read.update(bytes)
            return Buffer.from(bytes)
          },
          isIntact: () => read.digest('hex') === expected,
        }
      }
    },
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
