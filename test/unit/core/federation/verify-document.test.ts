import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import { type Unverified, verifyDocument } from '../../../../src/core/federation/verify-document.ts'
import type { DocumentEntry } from '../../../../src/core/model/metadata.ts'
import type { RetrievedDocument } from '../../../../src/core/model/retrieval.ts'
import { entry } from '../../../support/builders.ts'

const sha1 = 'da39a3ee5e6b4b0d3255bfef95601890afd80709'

const document: RetrievedDocument = {
  repositoryUniqueId: '1.2.3',
  uniqueId: entry('a').uniqueId,
  mimeType: 'application/pdf',
  content: {
    size: 7,
    sha1,
    // biome-ignore lint/correctness/useYield: nobody reads it
    async *read() {
      throw new Error('Only what is known of it is compared')
    },
    async [Symbol.asyncDispose]() {
      throw new Error('It is not for the comparison to give it up')
    },
  },
}

function verified(told: Partial<DocumentEntry>, unverified: Unverified = 'deliver'): unknown {
  try {
    return verifyDocument(document, entry('a', told), unverified)
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    expect(error.code).toBe('document-altered')
    return error.details.reason
  }
}

describe('a document held against its entry', () => {
  it.each<[string, Partial<DocumentEntry>, unknown]>([
    ['agrees in hash and size', { hash: sha1, size: 7 }, true],
    ['agrees in hash, where no size is told', { hash: sha1 }, true],
    ['agrees in a hash told in capitals', { hash: sha1.toUpperCase() }, true],
    ['differs in hash', { hash: `${sha1.slice(1)}0`, size: 7 }, 'hash-differs'],
    ['differs in size although the hash agrees', { hash: sha1, size: 8 }, 'size-differs'],
    ['differs in size, where no hash is told', { size: 8 }, 'size-differs'],
    ['differs from an empty one', { size: 0 }, 'size-differs'],
    ['agrees in size alone, which proves nothing', { size: 7 }, false],
    ['has nothing to be compared with', {}, false],
    ['is made on demand, whatever its entry says', { kind: 'on-demand', hash: `${sha1.slice(1)}0`, size: 0 }, false],
  ])('that %s', (_what, told, expected) => {
    expect(verified(told)).toBe(expected)
  })

  it.each<[string, Partial<DocumentEntry>, unknown]>([
    ['without a hash', {}, 'hash-missing'],
    ['with the right size only', { size: 7 }, 'hash-missing'],
    ['with the wrong size', { size: 8 }, 'size-differs'],
    ['that agrees', { hash: sha1 }, true],
    ['made on demand, which nobody could verify', { kind: 'on-demand' }, false],
  ])('is judged, where what cannot be verified is refused: %s', (_what, told, expected) => {
    expect(verified(told, 'refuse')).toBe(expected)
  })
})
