import { randomUUID } from 'node:crypto'
import type { Behaviour } from './behaviour.ts'
import { documentUniqueId, type RegistryIssue, registryErrorList } from './ebrim.ts'

export interface Spoiling {
  /** Every identifier of the person asked about. */
  readonly own: readonly string[]
  readonly stranger: string
  /** What `partial` says. */
  readonly issue: RegistryIssue
}

/** Turns a good `AdhocQueryResponse` into the one a behaviour asks for. Others leave it as it is. */
export function spoil(response: string, behaviour: Behaviour, { own, stranger, issue }: Spoiling): string {
  switch (behaviour) {
    case 'wrong-patient':
      return own.reduce((text, value) => text.replaceAll(value, stranger), response)
    case 'empty':
      return response.replace(/<rim:RegistryObjectList>.*<\/rim:RegistryObjectList>/s, '<rim:RegistryObjectList/>')
    case 'partial':
      return response
        .replace(
          'status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"',
          'status="urn:ihe:iti:2007:ResponseStatusType:PartialSuccess"',
        )
        .replace('<rim:RegistryObjectList', `${registryErrorList([issue])}<rim:RegistryObjectList`)
    case 'unhashed':
      return response.replaceAll(/<rim:Slot name="(?:hash|size)">.*?<\/rim:Slot>/gs, '')
    case 'odd-entry':
      return response.replace(/<rim:ExtrinsicObject .*?<\/rim:ExtrinsicObject>/s, (good) => withoutId(good) + good)
    default:
      return response
  }
}

/** Another entry like this one, which nobody can name. */
function withoutId(entry: string): string {
  const id = / id="(urn:uuid:[^"]+)"/.exec(entry)?.[1] ?? ''
  const identifier = new RegExp(
    `<rim:ExternalIdentifier [^>]*identificationScheme="${documentUniqueId}".*?</rim:ExternalIdentifier>`,
    's',
  )
  return entry.replace(identifier, '').replaceAll(id, `urn:uuid:${randomUUID()}`)
}
