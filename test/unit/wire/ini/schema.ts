import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { XmlDocument, XsdValidator } from 'libxml2-wasm'

const folder = join(import.meta.dirname, '../../../../../shared/corpus/ini/xsd/wxdsb')

/** Whether the schemas that public sources have are here. */
export const schemasPresent = existsSync(folder)
export const withoutSchemas = schemasPresent ? '' : ' (skipped: ../shared/corpus is absent)'

const compiled = new Map<string, XsdValidator>()

/** Throws when the schema of that name does not accept the text. */
export function validate(name: 'CommunicationConsent' | 'DisclosureManager', text: string): void {
  const known = compiled.get(name)
  const validator = known ?? compile(join(folder, `typeSchema${name}.xsd`))
  compiled.set(name, validator)
  using document = XmlDocument.fromString(text)
  validator.validate(document)
}

function compile(path: string): XsdValidator {
  using schema = XmlDocument.fromBuffer(readFileSync(path))
  return XsdValidator.fromDoc(schema)
}
