import { GatewayError } from '../../core/errors.ts'
import type { Slot } from '../../core/model/code.ts'
import { type HomeCommunityId, homeCommunityId } from '../../core/model/identifiers.ts'
import type { DocumentEntry } from '../../core/model/metadata.ts'
import { homeCommunityIdUrl } from './names.ts'
import { type Extension, shapes, told } from './types.ts'

/** What the extensions of a DocumentReference say in the words of XDS, and those that say nothing in them. */
export interface Extensions {
  readonly home?: HomeCommunityId
  readonly slots: readonly Slot[]
  readonly others: readonly unknown[]
}

/** rim:LongName, the longest value a slot takes (ebRIM 3.0). */
const longestSlotValue = 256

/** XDS lets anybody add slots named by a URN (ITI TF-3: 4.2.3.1.6), FHIR extensions named by a URI. Throws `metadata-invalid`. */
export function readExtensions(element: unknown): Extensions {
  const slots = new Map<string, string[]>()
  const others: unknown[] = []
  let home: HomeCommunityId | undefined
  for (const extension of element === undefined ? [] : told(shapes.extensions, element, 'extension')) {
    const { url = '', valueString, valueOid } = extension
    if (url === homeCommunityIdUrl && valueOid !== undefined && home === undefined) home = readHome(valueOid)
    else if (valueString !== undefined && isSlot(extension)) slots.set(url, [...(slots.get(url) ?? []), valueString])
    else others.push(extension)
  }
  return {
    ...(home === undefined ? {} : { home }),
    slots: [...slots].map(([name, values]) => ({ name, values })),
    others,
  }
}

export function writeExtensions({ home, extra }: DocumentEntry): readonly Extension[] {
  const slots = (extra?.slots ?? []).filter(({ name }) => name.startsWith('urn:'))
  return [
    ...(home === undefined ? [] : [{ url: homeCommunityIdUrl, valueOid: home }]),
    ...slots.flatMap(({ name, values }) => values.map((valueString) => ({ url: name, valueString }))),
  ]
}

function readHome(oid: string): HomeCommunityId {
  try {
    return homeCommunityId(oid)
  } catch (cause) {
    throw new GatewayError('metadata-invalid', 'The homeCommunityId extension holds no OID', { cause })
  }
}

function isSlot(extension: Extension): boolean {
  const { url = '', valueString = '' } = extension
  const fits = valueString !== '' && valueString.length <= longestSlotValue
  return url.startsWith('urn:') && fits && Object.keys(extension).length === 2
}
