import type { Extra, ExtraClassification, ExtraIdentifier, LocalizedText, Slot } from '../../core/model/code.ts'

type Mutable<T> = T extends readonly (infer Item)[] ? Item[] : { -readonly [Key in keyof T]: T[Key] }
type ExtraDraft = { -readonly [Key in keyof Extra]?: Mutable<Exclude<Extra[Key], undefined>> }

/** Collects what a peer sent beyond the named attributes. Nothing is made until something comes. */
export class Rest {
  #extra: ExtraDraft | undefined

  get collected(): Extra | undefined {
    return this.#extra
  }

  attribute(name: string, value: string): void {
    this.#extra ??= {}
    this.#extra.attributes ??= {}
    this.#extra.attributes[name] = value
  }

  slot(slot: Slot): void {
    this.#extra ??= {}
    this.#extra.slots ??= []
    this.#extra.slots.push(slot)
  }

  hasSlot(name: string): boolean {
    return this.#extra?.slots?.some((slot) => slot.name === name) ?? false
  }

  names(names: readonly LocalizedText[]): void {
    if (names.length === 0) return
    this.#extra ??= {}
    this.#extra.names = [...names]
  }

  descriptions(descriptions: readonly LocalizedText[]): void {
    if (descriptions.length === 0) return
    this.#extra ??= {}
    this.#extra.descriptions = [...descriptions]
  }

  version(attributes: Readonly<Record<string, string>>): void {
    this.#extra ??= {}
    this.#extra.version = attributes
  }

  contentVersion(attributes: Readonly<Record<string, string>>): void {
    this.#extra ??= {}
    this.#extra.contentVersion = attributes
  }

  classification(classification: ExtraClassification): void {
    this.#extra ??= {}
    this.#extra.classifications ??= []
    this.#extra.classifications.push(classification)
  }

  identifier(identifier: ExtraIdentifier): void {
    this.#extra ??= {}
    this.#extra.identifiers ??= []
    this.#extra.identifiers.push(identifier)
  }

  of(attribute: string, extra: Extra | undefined): void {
    if (extra === undefined) return
    this.#extra ??= {}
    this.#extra.of ??= {}
    this.#extra.of[attribute] = extra
  }
}
