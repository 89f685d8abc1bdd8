import type { Code, Extra } from '../../core/model/code.ts'
import type { Author } from '../../core/model/metadata.ts'
import { escapeAttribute } from '../xml-write.ts'
import {
  classificationName,
  derivedId,
  entrySchemes,
  folderSchemes,
  identifierName,
  type MemberName,
  slots,
  submissionSetSchemes,
} from './names.ts'
import { authorSlots } from './object-tables.ts'
import { attribute, extraAttributes, writeField, writeSlots, writeTexts, writeVersion } from './parts-write.ts'

/** Attributes that nearly every member has, made once. */
const schemeAttributes: ReadonlyMap<string, string> = new Map(
  Object.values({ ...entrySchemes, ...submissionSetSchemes, ...folderSchemes }).map((scheme) => [
    scheme,
    attribute('classificationScheme', scheme),
  ]),
)
const objectTypeAttributes: ReadonlyMap<MemberName, string> = new Map(
  [classificationName, identifierName].map((name) => [name, attribute('objectType', name.objectType)]),
)

/** Whose a member is, and its place there, from which its id is made when it has none of its own. */
export interface Place {
  readonly owner: string
  readonly key: string
}

export function writeCode(code: Code, scheme: string, place: Place): string {
  const { extra, display } = code
  const names =
    extra?.names !== undefined && extra.names[0]?.value === display
      ? extra.names
      : display === undefined
        ? undefined
        : [{ value: display }]
  return writeMember(classificationName, place, extra, {
    attributes: `${schemeAttributes.get(scheme) ?? attribute('classificationScheme', scheme)} nodeRepresentation="${escapeAttribute(code.code)}"`,
    slots: code.scheme === '' ? '' : writeField(slots.codingScheme, [code.scheme], extra),
    names: writeTexts('Name', names),
  })
}

export function writeAuthor(author: Author, scheme: string, place: Place): string {
  const { extra } = author
  let own = ''
  for (const [name, field] of authorSlots) if (author[field].length > 0) own += writeField(name, author[field], extra)
  return writeMember(classificationName, place, extra, {
    attributes:
      attribute('classificationScheme', scheme) +
      attribute('nodeRepresentation', extra?.attributes?.nodeRepresentation ?? ''),
    slots: own,
  })
}

/** The classification that makes a package a submission set or a folder. */
export function writeNode(node: string, extra: Extra | undefined, place: Place): string {
  return writeMember(classificationName, place, extra, { attributes: attribute('classificationNode', node) })
}

export function writeIdentifier(
  scheme: string,
  value: string,
  extra: Extra | undefined,
  place: Place,
  name?: string,
): string {
  return writeMember(identifierName, place, extra, {
    attributes: attribute('identificationScheme', scheme) + attribute('value', value),
    names: writeTexts('Name', extra?.names ?? (name === undefined ? undefined : [{ value: name }])),
  })
}

/** The classifications no field has room for. */
export function writeExtraClassifications(extra: Extra | undefined, owner: string): string {
  let xml = ''
  for (const [at, { scheme, node, value, extra: own }] of (extra?.classifications ?? []).entries()) {
    let attributes = scheme === undefined ? '' : attribute('classificationScheme', scheme)
    if (node !== undefined) attributes += attribute('classificationNode', node)
    if (value !== undefined) attributes += attribute('nodeRepresentation', value)
    xml += writeMember(classificationName, { owner, key: `classification-${at}` }, own, { attributes })
  }
  return xml
}

/** The identifiers no field has room for. */
export function writeExtraIdentifiers(extra: Extra | undefined, owner: string): string {
  let xml = ''
  for (const [at, { scheme, value, extra: own }] of (extra?.identifiers ?? []).entries())
    xml += writeIdentifier(scheme, value, own, { owner, key: `identifier-${at}` })
  return xml
}

interface Own {
  readonly attributes: string
  readonly slots?: string
  readonly names?: string
}

const spelledElsewhere: ReadonlyMap<MemberName, ReadonlySet<string>> = new Map(
  [classificationName, identifierName].map((name) => [name, new Set(['id', 'objectType', name.owner, name.value])]),
)

function writeMember(name: MemberName, { owner, key }: Place, extra: Extra | undefined, own: Own): string {
  const told = extra?.attributes
  const id = told?.id ?? derivedId(owner, key)
  const ids = `id="${escapeAttribute(id)}" ${name.owner}="${escapeAttribute(told?.[name.owner] ?? owner)}"`
  const typed = told?.objectType ?? name.objectType
  const objectType = typed === name.objectType ? objectTypeAttributes.get(name) : attribute('objectType', typed)
  const others = told === undefined ? '' : extraAttributes(extra, spelledElsewhere.get(name) ?? new Set())
  let xml = `<rim:${name.element} ${ids}${objectType}${own.attributes}${others}>${own.slots ?? ''}`
  if (extra === undefined) return `${xml}${own.names ?? ''}</rim:${name.element}>`
  xml += writeSlots(extra.slots)
  xml += own.names ?? writeTexts('Name', extra.names)
  xml += writeTexts('Description', extra.descriptions)
  xml += writeVersion('VersionInfo', undefined, extra.version)
  xml += writeExtraClassifications(extra, id) + writeExtraIdentifiers(extra, id)
  return `${xml}</rim:${name.element}>`
}
