import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { XmlDocument, XsdValidator } from 'libxml2-wasm'
import { xmlRegisterFsInputProviders } from 'libxml2-wasm/lib/nodejs.mjs'
import { describe, expect, it } from 'vitest'
import { citizens } from '../../network/citizens.ts'
import { sow } from '../../network/seed.ts'
import {
  citizenListAnswer,
  historyAnswer,
  listAnswer,
  prescribedAnswer,
  refused,
  viewAnswer,
} from '../../network/sistema-ts-answers.ts'
import { citizenAnswer } from '../../network/sistema-ts-citizens.ts'
import { sowPrescriptions } from '../../network/sistema-ts-prescriptions.ts'

const root = join(import.meta.dirname, '../../..')
const corpus = join(root, '../shared/corpus/sistema-ts')
const national = 'ricetta-dem-2024/dematerializzata'
const prescriptions = sowPrescriptions(sow())
const [one] = prescriptions
const said = refused({ code: '9001', text: 'No', kind: 'Bloccante' })

/** Throws when the schema does not accept the answer. */
function validate(answer: string, path: string): void {
  xmlRegisterFsInputProviders()
  // The region's names its types by an address of its own.
  const text = readFileSync(path, 'utf8').replace(/schemaLocation="https:[^"]*"/, 'schemaLocation="TipiDati.xsd"')
  using schema = XmlDocument.fromString(text, { url: path })
  using validator = XsdValidator.fromDoc(schema)
  using document = XmlDocument.fromString(answer)
  validator.validate(document)
}

describe('an answer of the synthetic Sistema TS', () => {
  const absent = !existsSync(corpus)
  // Not the numbers of a doctor: the published schema of these is itself none.
  it.skipIf(absent).each([
    ['ElencoRicetteRicevuta', listAnswer(prescriptions)],
    ['ElencoRicetteRicevuta', listAnswer([], said)],
    ['VisualizzaRicettaRicevuta', viewAnswer(one)],
    ['VisualizzaRicettaRicevuta', viewAnswer(undefined, said)],
    ['VisualizzaPrescrittoRicevuta', prescribedAnswer(one)],
    ['ElencoStoricoNreRicevuta', historyAnswer(one)],
  ])(`is what the schema of %s says${absent ? ' (skipped: ../shared/corpus is absent)' : ''}`, (name, answer) => {
    expect(() => validate(answer, join(corpus, national, `${name}.xsd`))).not.toThrow()
  })

  it.skipIf(absent)('is what the schema of a region’s list says, where there is one', () => {
    const path = join(corpus, 'piemonte-apisan/VisualizzaPrescrittoPazienteSOLRicevuta.xsd')
    expect(() => validate(citizenListAnswer(prescriptions), path)).not.toThrow()
  })

  it('about a citizen is what our own contract says', () => {
    const path = join(root, 'contracts/sistema-ts/interrogazione-mobilita.xsd')
    for (const citizen of [...Object.values(citizens), undefined]) {
      expect(() => validate(citizenAnswer(citizen, 'normal'), path)).not.toThrow()
    }
    expect(() => validate(citizenAnswer(citizens.tuscan, 'refuse'), path)).not.toThrow()
  })
})
