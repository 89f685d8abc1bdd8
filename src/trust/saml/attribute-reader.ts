import { type PatientId, patientId } from '../../core/model/patient.ts'
import { parseCx } from '../../wire/hl7/cx.ts'
import { plainValue, type ReadAssertion } from '../../wire/saml/assertion-read.ts'
import { type HL7Code, readHL7Code } from '../../wire/saml/xua.ts'
import type { XmlTree } from '../../wire/xml.ts'
import { refused } from '../refusal.ts'

/** Reads attributes that have at most one value; nothing is defaulted, and an empty value is none. */
export interface AttributeReader {
  /** Throws Refusal when the attribute has several values or a structured one. */
  one(name: string): string | undefined
  /** As `one`; throws Refusal when there is none. */
  required(name: string): string
  /** A coded value; throws Refusal when there is none, several, or no code in it. */
  code(name: string): HL7Code
  /** An HL7 CX as a patient's identifier; throws Refusal when it is none, or not valid under its authority. */
  patient(name: string): PatientId | undefined
}

export function attributeReader(tree: XmlTree, { attributes }: ReadAssertion): AttributeReader {
  const only = (name: string) => {
    const values = attributes.get(name)
    if (values === undefined) return undefined
    if (values.length !== 1) throw refused('attributes', 'an-attribute-has-several-values')
    return values[0]
  }
  const one = (name: string): string | undefined => {
    const value = only(name)
    if (value === undefined) return undefined
    const text = plainValue(tree, value)
    if (text === undefined) throw refused('attributes', 'an-attribute-is-structured')
    return text === '' ? undefined : text
  }
  return {
    one,
    required(name) {
      const text = one(name)
      if (text === undefined) throw refused('attributes', 'missing-mandatory-attribute')
      return text
    },
    code(name) {
      const value = only(name)
      const code = value === undefined ? undefined : readHL7Code(tree, value)
      if (code === undefined) throw refused('attributes', 'missing-mandatory-attribute')
      return code
    },
    patient(name) {
      const text = one(name)
      return text === undefined ? undefined : patientOf(text)
    },
  }
}

function patientOf(text: string): PatientId {
  const id = parseCx(text)
  if (id === undefined) throw refused('attributes', 'patient-is-malformed')
  try {
    return patientId(id.value, id.authority)
  } catch (error) {
    throw refused('attributes', 'patient-is-malformed', error)
  }
}

/** Throws Refusal on anything but `true` and `false`. */
export function booleanOf(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined
  if (text !== 'true' && text !== 'false') throw refused('attributes', 'presa-in-carico-is-neither-true-nor-false')
  return text === 'true'
}
