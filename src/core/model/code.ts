/** A text in one language, as told. */
export interface LocalizedText {
  readonly value: string
  readonly language?: string
  readonly charset?: string
}

/** A named list of values beyond the attributes that have a name of their own. */
export interface Slot {
  readonly name: string
  readonly values: readonly string[]
  readonly slotType?: string
}

/** A code with its coding scheme, as metadata carries it. */
export interface Code {
  readonly code: string
  readonly scheme: string
  readonly display?: string
  /** What came with the code beside it. Opaque here; told on unchanged. */
  readonly extra?: Extra
}

/** A code to look for. Some peers leave the scheme out; then any scheme matches. */
export interface CodeQuery {
  readonly code: string
  readonly scheme?: string
}

/**
 * What a peer sent beyond the attributes this model names: told on unchanged, read by nobody here.
 * The wire that read it is the only one that looks inside.
 */
export interface Extra {
  readonly attributes?: Readonly<Record<string, string>>
  readonly slots?: readonly Slot[]
  readonly names?: readonly LocalizedText[]
  readonly descriptions?: readonly LocalizedText[]
  readonly version?: Readonly<Record<string, string>>
  readonly contentVersion?: Readonly<Record<string, string>>
  readonly classifications?: readonly ExtraClassification[]
  readonly identifiers?: readonly ExtraIdentifier[]
  /** Per named attribute that carries an identity of its own (patientId, uniqueId …): what came with it. */
  readonly of?: Readonly<Record<string, Extra>>
}

export interface ExtraClassification {
  readonly scheme?: string
  readonly node?: string
  readonly value?: string
  readonly extra: Extra
}

export interface ExtraIdentifier {
  readonly scheme: string
  readonly value: string
  readonly extra: Extra
}

export function matchesCode(code: Code, wanted: CodeQuery): boolean {
  return code.code === wanted.code && (wanted.scheme === undefined || wanted.scheme === code.scheme)
}
