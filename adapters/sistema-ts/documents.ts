import type { HomeCommunityId } from '../../src/core/model/identifiers.ts'
import { homeOid } from '../../src/core/model/identifiers.ts'

/** Authority of prescription numbers (NRE) in metadata, and of the ids of these documents (ini.md §3.4). */
export const prescriptionAuthority = '2.16.840.1.113883.2.9.4.3.8'

/** What Sistema TS makes of one number: its prescription, and what was dispensed of it. */
export type DocumentKind = 'PREFARM' | 'PRESPEC' | 'EROFARM' | 'EROSPEC'

interface KindFacts {
  readonly type: string
  readonly class: string
  /** formatCode, and the template of the CDA (sistema-ts.md A.7). */
  readonly format: string
}

const cda = '2.16.840.1.113883.2.9.10.1'

/** The codes of each (sistema-ts.md A.7, ini.md §4.1 to §4.3). */
export const kinds: Readonly<Record<DocumentKind, KindFacts>> = {
  PREFARM: { type: '57833-6', class: 'PRS', format: `${cda}.2.1` },
  PRESPEC: { type: '57832-8', class: 'PRS', format: `${cda}.2.2` },
  EROFARM: { type: '29304-3', class: 'PRE', format: `${cda}.13.1.1` },
  EROSPEC: { type: '81223-0', class: 'PRE', format: `${cda}.13.1.2` },
}

/** A document by the number it is of. */
export interface TsDocument {
  readonly nre: string
  readonly kind: DocumentKind
  /** SHA-1 of what it was made into, for one that was handed out before. */
  readonly madeAs?: string
}

/** The id of an on-demand document. */
export function uniqueIdOf({ nre, kind }: TsDocument): string {
  return `${prescriptionAuthority}^${nre}_${kind}`
}

/** The id of what such a document was made into: the same for the same bytes (ITI TF-2: 3.43.4.2.2). */
export function madeIdOf({ nre, kind }: TsDocument, sha1: string, home: HomeCommunityId): string {
  return `${homeOid(home)}.4.4^${nre}_${kind}_${sha1}`
}

/** Which document an id names; undefined for an id that is none of ours. */
export function documentNamed(uniqueId: string, home: HomeCommunityId): TsDocument | undefined {
  const [root, extension = ''] = uniqueId.split('^')
  const [, nre, kind, madeAs] = /^([0-9A-Z]{15})_((?:PRE|ERO)(?:FARM|SPEC))(?:_([0-9a-f]{40}))?$/.exec(extension) ?? []
  if (nre === undefined || kind === undefined) return undefined
  const document = { nre, kind: kind as DocumentKind }
  if (madeAs === undefined) return root === prescriptionAuthority ? document : undefined
  return root === `${homeOid(home)}.4.4` ? { ...document, madeAs } : undefined
}

/** The reference by which a document cites the order it is of. */
export function orderReference(nre: string): string {
  return `${nre}^^^&${prescriptionAuthority}&ISO^urn:ihe:iti:xds:2013:order`
}

/** The number in such a reference; undefined for references to anything else. */
export function orderIn(reference: string): string | undefined {
  return /^([0-9A-Z]{15})\^\^\^&2\.16\.840\.1\.113883\.2\.9\.4\.3\.8&ISO\^/.exec(reference)?.[1]
}
