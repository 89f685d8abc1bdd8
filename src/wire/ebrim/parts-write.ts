import type { Extra, LocalizedText, Slot } from '../../core/model/code.ts'
import { escapeAttribute, escapeText } from '../xml-write.ts'
import { slots } from './names.ts'

/** An attribute with the space before it. */
export function attribute(name: string, value: string): string {
  return ` ${name}="${escapeAttribute(value)}"`
}

/** The attributes a peer sent beyond the known ones, except those named. `{namespace}local` declares its own prefix. */
export function extraAttributes(extra: Extra | undefined, except: ReadonlySet<string>): string {
  let xml = ''
  if (extra?.attributes === undefined) return xml
  let prefixes = 0
  const { attributes } = extra
  for (const name in attributes) {
    const value = attributes[name]
    if (value === undefined || except.has(name)) continue
    const end = name.startsWith('{') ? name.indexOf('}') : -1
    if (end < 0) xml += attribute(name, value)
    else {
      const prefix = `x${prefixes++}`
      xml += attribute(`xmlns:${prefix}`, name.slice(1, end)) + attribute(`${prefix}:${name.slice(end + 1)}`, value)
    }
  }
  return xml
}

/** How the slots of named fields begin, made once: a long answer has tens of thousands of them. */
const openings: ReadonlyMap<string, string> = new Map(
  Object.values(slots).map((name) => [name, `<rim:Slot${attribute('name', name)}><rim:ValueList><rim:Value>`]),
)
const closing = '</rim:Value></rim:ValueList></rim:Slot>'

export function writeSlot({ name, values, slotType }: Slot): string {
  const [only] = values
  const opening = openings.get(name)
  if (opening !== undefined && slotType === undefined && values.length === 1 && only !== undefined) {
    return opening + escapeText(only) + closing
  }
  let xml = `<rim:Slot${attribute('name', name)}${slotType === undefined ? '' : attribute('slotType', slotType)}><rim:ValueList>`
  for (const value of values) xml += `<rim:Value>${escapeText(value)}</rim:Value>`
  return `${xml}</rim:ValueList></rim:Slot>`
}

export function writeSlots(slots: readonly Slot[] | undefined): string {
  let xml = ''
  if (slots !== undefined) for (const slot of slots) xml += writeSlot(slot)
  return xml
}

/** A slot of a named field, with the type a peer gave it. */
export function writeField(name: string, values: readonly string[], extra: Extra | undefined): string {
  const slotType = extra?.of?.[name]?.attributes?.slotType
  return writeSlot(slotType === undefined ? { name, values } : { name, values, slotType })
}

/** A rim:Name or rim:Description; nothing when there is nothing to say. */
export function writeTexts(element: 'Name' | 'Description', texts: readonly LocalizedText[] | undefined): string {
  if (texts === undefined || texts.length === 0) return ''
  let xml = `<rim:${element}>`
  const [first] = texts
  if (texts.length === 1 && first !== undefined && first.language === undefined && first.charset === undefined) {
    return `<rim:${element}><rim:LocalizedString value="${escapeAttribute(first.value)}"/></rim:${element}>`
  }
  for (const { value, language, charset } of texts) {
    xml += '<rim:LocalizedString'
    if (language !== undefined) xml += attribute('xml:lang', language)
    if (charset !== undefined) xml += attribute('charset', charset)
    xml += `${attribute('value', value)}/>`
  }
  return `${xml}</rim:${element}>`
}

/** A rim:VersionInfo or rim:ContentVersionInfo; nothing when there is neither a version nor anything beside it. */
export function writeVersion(
  element: 'VersionInfo' | 'ContentVersionInfo',
  version: string | undefined,
  others: Readonly<Record<string, string>> | undefined,
): string {
  if (version === undefined && others === undefined) return ''
  let xml = `<rim:${element}`
  if (version !== undefined) xml += attribute('versionName', version)
  for (const [name, value] of Object.entries(others ?? {})) xml += attribute(name, value)
  return `${xml}/>`
}
