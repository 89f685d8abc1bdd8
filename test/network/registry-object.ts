import { rim } from './ebrim.ts'
import type { Code } from './entry.ts'
import { RegistryProblem } from './stored-query.ts'
import { children, type Element, only } from './xml.ts'

/** Classification and identification schemes (ITI TF-3: 4.2.3), `urn:uuid:` left out. */
const scheme = {
  author: '93606bcf-9494-43ec-9b4e-a7748d1a838d',
  classCode: '41a5887f-8865-4c09-adf7-e362475b143a',
  confidentiality: 'f4f85eac-e6cb-4883-b524-f2705394840f',
  event: '2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4',
  formatCode: 'a09d5840-386c-46f2-b5ad-9c3699a4309d',
  facilityType: 'f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1',
  practiceSetting: 'cccf5598-8b07-4b77-a05e-ae952c785ead',
  typeCode: 'f0306f51-975f-434e-a61c-c59651d33983',
  patientId: '58a6f841-87b3-4a3e-92fd-a8ffeff98427',
  uniqueId: '2e82c1f6-a085-4c72-9da3-8640a32e42ab',
  setAuthor: 'a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d',
  contentType: 'aa543740-bdda-424e-8c96-df4873be8500',
  setPatientId: '6b5aea1a-874d-4603-a4bc-96a0a7b38446',
  setSourceId: '554ac39e-e3fe-47fe-b233-965d2a147832',
  setUniqueId: '96fdda7c-d067-4183-912e-bf5ee74998a8',
  folderCode: '1ba97051-7806-41a8-a48b-8fce7af683c5',
  folderPatientId: 'f64ffdf0-4b97-4e06-b79f-a52b38ec2f8a',
  folderUniqueId: '75df8f67-9973-4fbe-a900-df66cefecc5a',
} as const

export type Scheme = keyof typeof scheme

/** An object of a submission, its parts by name. What is read of it throws RegistryProblem where it is not as it must be. */
export interface RegistryObject {
  readonly element: Element
  readonly id: string
  readonly home: string | undefined
  readonly slots: ReadonlyMap<string, readonly string[]>
  readonly nodes: readonly string[]
  all(name: Scheme): readonly Element[]
  code(name: Scheme): Code
  codes(name: Scheme): readonly Code[]
  identifier(name: Scheme): string
  text(name: 'Name' | 'Description'): string | undefined
  slot(name: string): string | undefined
  needed(name: string): string
}

/** Opens an object; classifications may stand beside it. Throws RegistryProblem. */
export function readObject(element: Element, outside: readonly Element[]): RegistryObject {
  const id = element.getAttribute('id') ?? ''
  if (id === '') throw wrong(`A ${element.localName} has no id`)
  const slots = readSlots(element, id)
  const inside = children(element, rim, 'Classification')
  const classifications = [...inside, ...outside.filter((one) => one.getAttribute('classifiedObject') === id)]
  if (inside.some((one) => one.getAttribute('classifiedObject') !== id)) {
    throw wrong(`A classification in ${id} is of another object`)
  }
  const all = (name: Scheme): readonly Element[] =>
    classifications.filter((one) => one.getAttribute('classificationScheme') === `urn:uuid:${scheme[name]}`)
  const codes = (name: Scheme): readonly Code[] => all(name).map((one) => readCode(one, name, id))
  const slot = (name: string): string | undefined => {
    const [first, ...more] = slots.get(name) ?? []
    if (more.length > 0) throw wrong(`${name} of ${id} has more than one value`)
    return first
  }
  return {
    element,
    id,
    home: element.getAttribute('home') ?? undefined,
    slots,
    nodes: classifications.flatMap((one) => one.getAttribute('classificationNode') ?? []),
    all,
    codes,
    code(name) {
      const [code, ...more] = codes(name)
      if (code === undefined || more.length > 0) throw wrong(`${id} has not one ${name}`)
      return code
    },
    identifier(name) {
      const [one, ...more] = children(element, rim, 'ExternalIdentifier').filter(
        (other) => other.getAttribute('identificationScheme') === `urn:uuid:${scheme[name]}`,
      )
      const value = one?.getAttribute('value') ?? ''
      if (value === '' || more.length > 0) throw wrong(`${id} has not one ${name}`)
      if (one?.getAttribute('registryObject') !== id) throw wrong(`The ${name} in ${id} is of another object`)
      return value
    },
    text(name) {
      const own = only(element, rim, name)
      return (own && children(own, rim, 'LocalizedString')[0]?.getAttribute('value')) ?? undefined
    },
    slot,
    needed(name) {
      const value = slot(name)
      if (value === undefined || value === '') throw wrong(`${id} has no ${name}`)
      return value
    },
  }
}

/** The slots of an element, values by name. Throws RegistryProblem. */
export function readSlots(element: Element, id: string): ReadonlyMap<string, readonly string[]> {
  const slots = new Map<string, readonly string[]>()
  for (const slot of children(element, rim, 'Slot')) {
    const name = slot.getAttribute('name') ?? ''
    if (name === '' || slots.has(name)) throw wrong(`A slot of ${id} has no name, or another's`)
    const list = only(slot, rim, 'ValueList')
    slots.set(
      name,
      (list ? children(list, rim, 'Value') : []).map((value) => value.textContent ?? ''),
    )
  }
  return slots
}

function readCode(element: Element, name: Scheme, of: string): Code {
  const code = element.getAttribute('nodeRepresentation') ?? ''
  const [codingScheme = ''] = readSlots(element, of).get('codingScheme') ?? []
  const named = only(element, rim, 'Name')
  const display = (named && children(named, rim, 'LocalizedString')[0]?.getAttribute('value')) ?? ''
  if (code === '' || codingScheme === '' || display === '') throw wrong(`The ${name} of ${of} is not whole`)
  return { code, display, scheme: codingScheme }
}

/** Metadata are not as they must be. */
export function wrong(text: string): RegistryProblem {
  return new RegistryProblem('XDSRegistryMetadataError', text)
}
