import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  XmlBufferInputProvider,
  XmlDocument,
  XmlValidateError,
  XsdValidator,
  xmlRegisterInputProvider,
} from 'libxml2-wasm'
import { xmlRegisterFsInputProviders } from 'libxml2-wasm/lib/nodejs.mjs'
import { describe, expect, it } from 'vitest'
import { answerOf } from '../../src/wire/sistema-ts/ask.ts'
import { lookUpCitizen } from '../../src/wire/sistema-ts/citizen.ts'
import { openResponse } from '../../src/wire/sistema-ts/fault.ts'
import {
  listCitizenPrescriptions,
  listPrescriptionHistory,
  listPrescriptions,
  listUsedNumbers,
  viewPrescribed,
  viewPrescription,
  viewPrescriptionHistory,
} from '../../src/wire/sistema-ts/prescriptions.ts'
import { everyOperation } from '../../src/wire/sistema-ts/read-only.ts'
import { checkSession, createSession, revokeSession } from '../../src/wire/sistema-ts/second-factor.ts'

const corpus = join(import.meta.dirname, '../../../shared/corpus/sistema-ts')
const present = existsSync(join(corpus, 'wsdl-catalogue.json'))
const reason = present ? '' : ' (skipped: ../shared/corpus is absent)'
const text = (path: string) => readFileSync(join(corpus, path), 'utf8')

// One published schema has an attribute that XML Schema does not allow there: it is served without it.
const mended = 'https://corpus.test/'
const kit = 'ricetta-dem-2024/dematerializzata'

xmlRegisterFsInputProviders()
if (present) {
  const types = text(`${kit}/TipiDatiInterrogaNreUtilizzati.xsd`).replace(
    /(<(?:xsd?:)?complexType\b[^>]*?)\s+minOccurs="[^"]*"/g,
    '$1',
  )
  xmlRegisterInputProvider(
    new XmlBufferInputProvider({ [`${mended}TipiDatiInterrogaNreUtilizzati.xsd`]: Buffer.from(types) }),
  )
}

function validator(content: Buffer | string, url: string): XsdValidator {
  using document = XmlDocument.fromBuffer(Buffer.from(content), { url })
  return XsdValidator.fromDoc(document)
}

function complaint(schema: XsdValidator, message: string): string | undefined {
  using document = XmlDocument.fromString(message)
  try {
    schema.validate(document)
    return undefined
  } catch (error) {
    if (error instanceof XmlValidateError) return error.message
    throw error
  }
}

const pinCode = { ciphertext: `${'A'.repeat(171)}=` }
const dispenser = {
  pinCode,
  codiceRegioneErogatore: '090',
  codiceAslErogatore: '201',
  codiceSsaErogatore: '78909',
  pwd: 'utente',
}
const nre = '0900A4000000001'
const instant = '2026-01-15 08:00:00'
const spare = { disp1: 'a', disp2: 'b', disp3: 'c' }
const secondFactor = {
  userId: 'UTENTE',
  identificativo: { tipo: 'P', valore: pinCode },
  cfUtente: 'PROVAX00X00X000Y',
  contesto: 'RICETTA-DEM',
  applicazione: 'EROGATORE',
} as const
const token = '24eed8fe-c3f7-414d-bff8-042ecc3fa646'

/** A request with every field there is, and one with those it must have. */
const requests = [
  [
    `${kit}/ElencoRicetteRichiesta.xsd`,
    listPrescriptions.encode({
      ...{ ...dispenser, ...spare, nre, cfAssistito: pinCode, tipoData: 'P', statoRicetta: '3' },
      ...{ dataPeriodoDal: instant, dataPeriodoAl: instant },
    }),
    listPrescriptions.encode({ pinCode, codiceRegioneErogatore: '', codiceAslErogatore: '', codiceSsaErogatore: '' }),
  ],
  [
    `${kit}/VisualizzaRicettaRichiesta.xsd`,
    viewPrescription.encode({ ...dispenser, ...spare, nre, cfAssistito: 'PROVAX80A01H501M' }),
    viewPrescription.encode({
      pinCode,
      codiceRegioneErogatore: '',
      codiceAslErogatore: '',
      codiceSsaErogatore: '',
      nre,
    }),
  ],
  [
    `${kit}/ElencoStoricoNreRichiesta.xsd`,
    listPrescriptionHistory.encode({ ...dispenser, ...spare, nre, cfAssistito: pinCode }),
  ],
  [
    `${kit}/VisualizzaRicettaStoricoRichiesta.xsd`,
    viewPrescriptionHistory.encode({ ...dispenser, ...spare, nre, cfAssistito: pinCode, idStorico: '7' }),
  ],
  [`${kit}/VisualizzaPrescrittoRichiesta.xsd`, viewPrescribed.encode({ pinCode, nre, cfMedico: 'PROVAX00X00X000Y' })],
  [
    `${kit}/InterrogaNreUtilRichiesta.xsd`,
    listUsedNumbers.encode({
      ...{ pinCode, codRegione: '090', nre, codLotto: '1', cfMedico: 'PROVAX00X00X000Y', tipoPrescr: 'F' },
      ...{ cfAssistito: 'PROVAX80A01H501M', dataCompilazioneRicettaDal: instant, dataCompilazioneRicettaAl: instant },
    }),
    listUsedNumbers.encode({ pinCode, codRegione: '090', cfMedico: '' }),
  ],
  [
    'piemonte-apisan/VisualizzaPrescrittoPazienteSOLRichiesta.xsd',
    listCitizenPrescriptions.encode({
      ...{
        pinCode,
        idRichiesta: '1',
        applicativoChiamante: 'A',
        contestoOperativo: 'TREATMENT',
        nre,
        tipoRegime: 'SSN',
      },
      ...{ cfAssistito: 'PROVAX80A01H501M', tipoRicetta: 'D', tipoPrescrizione: 'P', richiedente: 'ASS' },
      ...{ codProdPrest: ['1', '2'], codGruppoEquival: ['3'], codRaggrDisp: ['4'], statoProcesso: ['3', '8'] },
      ...{ dataIniRange: '2026-01-01', dataFineRange: '2026-12-31', ricetteScadute: '1', ricErogNonSSN: '1' },
      regionePrescrizione: '010',
    }),
    listCitizenPrescriptions.encode({ pinCode, cfAssistito: 'PROVAX80A01H501M', richiedente: 'ASS' }),
  ],
  [
    'ricetta-dem-2024/a2f/sts-a2f-service.v0.1.xsd',
    createSession.encode({
      ...secondFactor,
      codRegione: '090',
      codAslAo: '201',
      codSsa: '78909',
      codiceStruttura: '1',
    }),
    createSession.encode({}),
    revokeSession.encode({ ...secondFactor, token }),
    checkSession.encode({ ...secondFactor, token }),
  ],
] as const

describe(`the requests to Sistema TS${reason}`, () => {
  it.skipIf(!present).each(requests)('are as %s has them', (path, ...messages) => {
    // The mended types, those beside the schema, or what the schema itself names.
    const types = path.includes('InterrogaNreUtil') ? mended : path.startsWith('piemonte') ? './' : undefined
    const content =
      types === undefined
        ? text(path)
        : text(path).replace(/schemaLocation="[^"]*TipiDati/, `schemaLocation="${types}TipiDati`)
    const url = join(corpus, path)
    using schema = validator(content, url)
    for (const message of messages as readonly string[]) expect(complaint(schema, message)).toBeUndefined()
    const [whole = ''] = messages as readonly string[]
    expect(complaint(schema, whole.replace(/(<\/[ra]:\w+>)$/, '<x/>$1'))).toBeDefined()
  })

  it.skipIf(!present)('have the actions, paths and names of the catalogue', () => {
    interface Wsdl {
      readonly file: string
      readonly address: readonly string[]
      readonly operations: readonly { readonly name: string; readonly soapAction: string; readonly input: string[][] }[]
    }
    const catalogue = JSON.parse(text('wsdl-catalogue.json')) as Wsdl[]
    const published = catalogue
      .filter(({ file }) => file.startsWith('ricetta-dem-2024/') || file.startsWith('piemonte-apisan/visualizza'))
      .flatMap(({ address, operations }) =>
        operations.map((one) => ({ ...one, path: new URL(address[0] ?? '').pathname })),
      )
    const ours = everyOperation.filter(({ name }) => name !== lookUpCitizen.name)
    for (const { name, action, path, request } of ours) {
      const found = published.find((one) => one.name === name)
      expect(found?.input[0]?.[0]).toBe(request[1])
      if (action !== undefined) expect(action).toBe(found?.soapAction)
      if (path !== undefined) expect(path).toBe(found?.path)
    }
  })
})

describe(`the published samples${reason}`, () => {
  const response = (name: string) => {
    const [head = '', ...body] = text(`samples/${name}`).split(/\r?\n\r?\n/)
    const headers = head
      .split(/\r?\n/)
      .slice(1)
      .map((line) => line.split(': ') as [string, string])
    return {
      status: Number(head.split(' ')[1]),
      headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
      body: Buffer.from(body.join('\n\n')),
    }
  }

  it.skipIf(!present).each(['fault-401-basic.http', 'fault-500-auth.http'])(
    '%s is a refusal of credentials',
    (name) => {
      expect(openResponse(response(name))).toMatchObject({ kind: 'authentication' })
    },
  )

  const answered = (name: string) => ({ status: 200, headers: {}, body: Buffer.from(text(`samples/${name}`)) })

  it.skipIf(!present)('of the second factor are read', () => {
    expect(answerOf(createSession, answered('a2f-CreateAuthRes-esito0.xml')).token).toHaveLength(36)
    expect(answerOf(createSession, answered('a2f-CreateAuthRes-esito1.xml'))).toMatchObject({
      accepted: false,
      errors: [{ code: '306', severity: 'error' }],
    })
    expect(answerOf(revokeSession, answered('a2f-RevokeAuthRes-esito1.xml')).errors).toMatchObject([
      { code: '05', severity: 'warning' },
    ])
    expect(answerOf(checkSession, answered('a2f-CheckTokenRes-esito0.xml')).session?.valid).toBe(true)
    expect(answerOf(checkSession, answered('a2f-CheckTokenRes-esito1.xml')).session?.valid).toBe(false)
  })
})

describe('our own contract of the look-up for mobility', () => {
  const path = join(import.meta.dirname, '../../contracts/sistema-ts/interrogazione-mobilita.xsd')
  const request = { pinCode, codRegioneRichiedente: '090' }

  it.each([
    ['in clear', 'PROVAX80A01H501M'],
    ['enciphered', pinCode],
  ])('has a place for the request with the identifier %s', (_how, codiceIdentificativo) => {
    using schema = validator(readFileSync(path), path)
    expect(complaint(schema, lookUpCitizen.encode({ ...request, codiceIdentificativo }))).toBeUndefined()
  })

  it('has a place for every fact of an answer', () => {
    using schema = validator(readFileSync(path), path)
    const [namespace] = lookUpCitizen.request
    const answer =
      `<${lookUpCitizen.answer} xmlns="${namespace}"><validitaCI>0</validitaCI><tipologiaCI>0</tipologiaCI>` +
      '<ElencoCFAssistito><CFAssistito><cf>PROVAX80A01H501M</cf><attivo>1</attivo></CFAssistito></ElencoCFAssistito>' +
      '<codRegioneAssistenza>090</codRegioneAssistenza><codAslAssistenza>201</codAslAssistenza>' +
      '<dataInizioAssistenza>2019-05-01</dataInizioAssistenza><dataDecesso>2026-02-03 10:00:00</dataDecesso>' +
      `<codEsito>0000</codEsito></${lookUpCitizen.answer}>`
    expect(complaint(schema, answer)).toBeUndefined()
    const soap = `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>${answer}</e:Body></e:Envelope>`
    expect(answerOf(lookUpCitizen, { status: 200, headers: {}, body: Buffer.from(soap) })).toMatchObject({
      ...{ validity: '0', kind: 'codice-fiscale', region: '090', localAuthority: '201', since: '2019-05-01' },
      ...{ dateOfDeath: '2026-02-03 10:00:00', identifiers: [{ value: 'PROVAX80A01H501M', active: true }] },
    })
  })
})
