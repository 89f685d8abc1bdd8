import type { X509Certificate } from 'node:crypto'
import { type CertificateFacts, factsOf } from './certificate.ts'
import { type DerReader, tags } from './der.ts'
import { readExtensions } from './extensions.ts'
import { readName } from './name.ts'
import { readSigned } from './signed.ts'

/** A list of the certificates that one authority has revoked (CRL, RFC 5280 §5): a complete one, of all its certificates. */
export interface RevocationList {
  /** The authority, in the form of `CertificateFacts.subjectName`. */
  readonly issuerName: string
  /** Milliseconds of the epoch: when it was made, and when the next is due at the latest. */
  readonly thisUpdate: number
  readonly nextUpdate: number
  /** Serial numbers, in lower-case hexadecimal. */
  readonly serials: ReadonlySet<string>
  /** Whether the authority signed the list, and may. Worked out once for each authority. */
  isBy(authority: X509Certificate): boolean
}

/** The revocation lists of a configuration. */
export interface RevocationLists {
  /** None at all: revocation is not checked. One at least: every certificate needs a list of its own authority. */
  readonly lists: readonly RevocationList[]
  /** How long after `nextUpdate` a list still lets certificates pass. What it revokes it revokes for ever. */
  readonly graceMs: number
}

/** The longest list that is read, in octets: some 1.5 million certificates. */
const longest = 64 * 1_024 * 1_024

/**
 * Reads one revocation list in DER or PEM. Throws Error when it is none, when its signature algorithm proves nothing any
 * more, or when it does not speak for all certificates of its authority: delta, indirect and partial lists.
 */
export function readRevocationList(list: Uint8Array | string): RevocationList {
  const { body, sound, algorithm, isBy } = readSigned(derOf(list))
  if (!sound) throw new Error('The revocation list is signed with an algorithm that is not accepted')
  // Lists without extensions say no version.
  if (body.tag === tags.integer && body.integer() !== '01') throw new Error('A revocation list is of version 2')
  if (!body.whole().equals(algorithm)) throw new Error('A revocation list names one signature algorithm, twice')
  const { comparable: issuerName } = readName(body)
  const thisUpdate = body.time()
  if (body.tag !== tags.utcTime && body.tag !== tags.generalizedTime) {
    throw new Error('The revocation list does not say when the next one is due')
  }
  const nextUpdate = body.time()
  const serials = readSerials(body.optional(tags.sequence))
  const extensions = readExtensions(body.optional(0xa0)?.read(tags.sequence))
  body.finish()
  for (const [identifier, { critical }] of extensions) {
    if (critical || partial.has(identifier)) {
      throw new Error(`The revocation list has the extension ${identifier}: it may not speak for all certificates`)
    }
  }
  const signers = new Map<string, boolean>()
  return {
    issuerName,
    thisUpdate,
    nextUpdate,
    serials,
    isBy(authority) {
      const { fingerprint, subjectName, keyUsage, strongKey } = factsOf(authority)
      let own = signers.get(fingerprint)
      if (own === undefined) {
        const may = subjectName === issuerName && strongKey && (keyUsage === undefined || keyUsage.has('cRLSign'))
        own = may && isBy(authority.publicKey)
        if (signers.size >= remembered) signers.clear()
        signers.set(fingerprint, own)
      }
      return own
    },
  }
}

/** How many authorities of one name are remembered for a list; then it begins anew. */
const remembered = 64

/** Extensions that make a list speak for some certificates only: deltaCRLIndicator, issuingDistributionPoint. */
const partial: ReadonlySet<string> = new Set(['2.5.29.27', '2.5.29.28'])

function derOf(list: Uint8Array | string): Buffer {
  if (list.length > 2 * longest) throw new Error('The revocation list is too long')
  const bytes = typeof list === 'string' ? Buffer.from(list, 'latin1') : Buffer.from(list)
  if (bytes[0] === tags.sequence) return bytes
  const blocks = bytes.toString('latin1').match(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g) ?? []
  if (blocks.length !== 1) throw new Error('Not one revocation list in PEM form or DER')
  return Buffer.from(blocks[0]?.slice(24, -22) ?? '', 'base64')
}

/** Long lists are the rule, so nothing of an entry is kept but its number. */
function readSerials(entries: DerReader | undefined): ReadonlySet<string> {
  const serials = new Set<string>()
  while (entries?.tag !== undefined) {
    const entry = entries.read(tags.sequence)
    serials.add(entry.integer())
    entry.read()
    if (entry.tag !== undefined) refuseCritical(entry.read(tags.sequence))
    entry.finish()
  }
  return serials
}

/** A critical extension of an entry says that it is about another authority's certificate (RFC 5280 §5.3.3). */
function refuseCritical(extensions: DerReader): void {
  while (extensions.tag !== undefined) {
    const extension = extensions.read(tags.sequence)
    extension.read(tags.objectIdentifier)
    if (extension.tag === tags.boolean && extension.boolean()) {
      throw new Error('The revocation list has an entry with a critical extension')
    }
  }
}

/** What the lists hold against a certificate. */
export type RevocationReason = 'revoked' | 'list-stale' | 'unknown'

/**
 * What the lists hold against a certificate of an authority at an instant; undefined when nothing. The newest list of the
 * authority counts, lists from the future do not. Past its `nextUpdate` a list goes on to revoke what it revokes, lets
 * the rest pass for `graceMs` more, and then none of that authority's certificates. No list of the authority: `unknown`.
 */
export function revocationOf(
  { issuerName, serial }: CertificateFacts,
  authority: X509Certificate,
  { lists, graceMs }: RevocationLists,
  now: number,
): RevocationReason | undefined {
  if (lists.length === 0) return undefined
  let newest: RevocationList | undefined
  for (const list of lists) {
    if (list.issuerName !== issuerName || list.thisUpdate > now) continue
    if (newest !== undefined && newest.thisUpdate >= list.thisUpdate) continue
    if (list.isBy(authority)) newest = list
  }
  if (newest === undefined) return 'unknown'
  if (newest.serials.has(serial)) return 'revoked'
  return now > newest.nextUpdate + graceMs ? 'list-stale' : undefined
}
