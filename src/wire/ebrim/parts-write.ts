import type { Extra, LocalizedText, Slot } from '../../core/model/code.ts'
import { escapeAttribute, escapeText } from '../xml-write.ts'

/** An attribute with the space before it. */
export function attribute(name: string, value: string): string {
  return ` ${name}="${escapeAttribute(value)}"`
}

/** The attributes a peer sent beyond the known ones, except those named. `{namespace}local` declares its own prefix. */
export function extraAttributes(extra: Extra | undefined, except: ReadonlySet<string>): string {
  let xml = ''
  if (extra?.attributes === undefined) return xml
  let prefixes = 0
  for (const [name, value] of Object.entries(extra.attributes)) {
    if (except.has(name)) continue
    const end = name.startsWith('{') ? name.indexOf('}') : -1
    if (end < 0) xml += attribute(name, value)
    else {
      const prefix = `x${prefixes++}`
      xml += attribute(`xmlns:${prefix}`, name.slice(1, end)) + attribute(`${prefix}:${name.slice(end + 1)}`, value)
    }
  }
  return xml
}

export function writeSlot({ name, values, slotType }: Slot): string {
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
