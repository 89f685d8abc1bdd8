import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { askSistemaTs, encodeTsEnvelope } from '../../../../src/wire/sistema-ts/ask.ts'
import {
  listCitizenPrescriptions,
  listPrescriptions,
  listUsedNumbers,
  viewPrescribed,
} from '../../../../src/wire/sistema-ts/prescriptions.ts'
import { everyOperation, mayBeSent } from '../../../../src/wire/sistema-ts/read-only.ts'
import { createSession, revokeSession } from '../../../../src/wire/sistema-ts/second-factor.ts'

const pinCode = { ciphertext: 'UElO' }

describe('a request to Sistema TS', () => {
  it('is spelt in the order of the schema, whatever the order of what it is made of', () => {
    const request = { cfMedico: 'PROVAX00X00X000Y', nre: '0900A4000000001', pinCode }
    expect(viewPrescribed.encode(request)).toBe(
      '<r:VisualizzaPrescrittoRichiesta xmlns:r="http://visualizzaprescrittorichiesta.xsd.dem.sanita.finanze.it">' +
        '<r:pinCode>UElO</r:pinCode><r:nre>0900A4000000001</r:nre><r:cfMedico>PROVAX00X00X000Y</r:cfMedico>' +
        '</r:VisualizzaPrescrittoRichiesta>',
    )
  })

  it('leaves out what is not told and escapes what is', () => {
    const dispenser = { pinCode, codiceRegioneErogatore: '090', codiceAslErogatore: '201', codiceSsaErogatore: '<&>' }
    expect(listPrescriptions.encode({ ...dispenser, cfAssistito: { ciphertext: 'Q0Y=' }, statoRicetta: '3' })).toBe(
      '<r:ElencoRicetteRichiesta xmlns:r="http://elencoricetterichiesta.xsd.dem.sanita.finanze.it">' +
        '<r:pinCode>UElO</r:pinCode><r:codiceRegioneErogatore>090</r:codiceRegioneErogatore>' +
        '<r:codiceAslErogatore>201</r:codiceAslErogatore><r:codiceSsaErogatore>&lt;&amp;&gt;</r:codiceSsaErogatore>' +
        '<r:cfAssistito>Q0Y=</r:cfAssistito><r:statoRicetta>3</r:statoRicetta></r:ElencoRicetteRichiesta>',
    )
  })

  it('repeats what may stand several times, under the namespace of the region', () => {
    const request = { pinCode, cfAssistito: 'PROVAX80A01H501M', richiedente: 'ASS', statoProcesso: ['3', '8'] }
    expect(listCitizenPrescriptions.encode(request, 'urn:region')).toBe(
      '<r:VisualizzaPrescrittoPazienteSOLRichiesta xmlns:r="urn:region"><r:pinCode>UElO</r:pinCode>' +
        '<r:cfAssistito>PROVAX80A01H501M</r:cfAssistito><r:statoProcesso>3</r:statoProcesso>' +
        '<r:statoProcesso>8</r:statoProcesso><r:richiedente>ASS</r:richiedente>' +
        '</r:VisualizzaPrescrittoPazienteSOLRichiesta>',
    )
  })

  it.each([
    ['a date that is ISO’s', { dataCompilazioneRicettaDal: '2026-01-01T00:00:00Z' }],
    ['a doctor’s code that is too long', { cfMedico: 'PROVAX00X00X000YZ' }],
    ['a region that is none', { codRegione: '90' }],
    ['what XML cannot carry', { cfMedico: 'A\u0000B' }],
  ])('refuses %s without repeating it', (_what, wrong) => {
    const encode = () => listUsedNumbers.encode({ pinCode, codRegione: '090', cfMedico: 'PROVAX00X00X000Y', ...wrong })
    const [field = ''] = Object.keys(wrong)
    expect(encode).toThrow(expect.objectContaining({ code: 'parameter-invalid', details: { field } }))
    expect(encode).not.toThrow(new RegExp(Object.values(wrong)[0]?.slice(0, 4) ?? '', 'i'))
  })

  it('has no place for a pincode in clear', () => {
    const clear = '1234567890' as unknown as typeof pinCode
    expect(() => viewPrescribed.encode({ pinCode: clear, nre: '', cfMedico: '' })).toThrow('cannot hold its value')
  })

  it('names its user first where a session is asked for or ended', () => {
    const identificativo = { tipo: 'P', valore: pinCode } as const
    expect(
      createSession.encode({ applicazione: 'EROGATORE', contesto: 'RICETTA-DEM', userId: 'U', identificativo }),
    ).toBe(
      '<a:CreateAuthReq xmlns:a="http://authservice.xsd.wsdl.auth.a2f.sts.sanita.finanze.it"><a:userId>U</a:userId>' +
        '<a:identificativo xmlns:d="http://datatype.xsd.wsdl.auth.a2f.sts.sanita.finanze.it"><d:tipo>P</d:tipo>' +
        '<d:valore>UElO</d:valore></a:identificativo><a:contesto>RICETTA-DEM</a:contesto>' +
        '<a:applicazione>EROGATORE</a:applicazione></a:CreateAuthReq>',
    )
    expect(() => revokeSession.encode({ token: 'short' })).toThrow(
      expect.objectContaining({ details: { field: 'token' } }),
    )
  })

  it('travels in SOAP 1.1, with an assertion where there is one', () => {
    expect(encodeTsEnvelope('<b/>')).not.toContain('Header')
    expect(encodeTsEnvelope('<b/>', '<a/>')).toContain(
      '<env:Header><wsse:Security xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/' +
        'oasis-200401-wss-wssecurity-secext-1.0.xsd"><a/></wsse:Security></env:Header><env:Body><b/></env:Body>',
    )
  })

  it('is not made for a service whose action nobody tells', async () => {
    const channel = { pinCode: () => pinCode, encrypt: () => pinCode, post: () => Promise.reject(new Error('sent')) }
    const asked = askSistemaTs(
      channel,
      listCitizenPrescriptions,
      { cfAssistito: 'X', richiedente: 'Y' },
      { url: 'https://sar.test/', call: undefined },
    )
    await expect(asked).rejects.toMatchObject({ code: 'internal' })
  })
})

describe('what would lock or change a prescription', () => {
  const locking = [
    'VisualizzaErogatoRichiesta',
    'InvioErogatoRichiesta',
    'SospendiErogatoRichiesta',
    'InvioPrescrittoRichiesta',
  ]

  it.each(locking)('%s is not sent, by whatever action', (local) => {
    const body = `<r:${local} xmlns:r="urn:x"><r:pinCode>UElO</r:pinCode></r:${local}>`
    for (const { action } of everyOperation) expect(mayBeSent({ action: action ?? '', body })).toBe(false)
    expect(mayBeSent({ action: 'https://sar.region.test/anything', body })).toBe(false)
  })

  it('is not asked for by the action either, where it is one of the national services', () => {
    const body = viewPrescribed.encode({ pinCode, nre: '0900A4000000001', cfMedico: 'PROVAX00X00X000Y' })
    expect(mayBeSent({ action: viewPrescribed.action ?? '', body })).toBe(true)
    expect(mayBeSent({ action: listPrescriptions.action ?? '', body })).toBe(false)
    expect(mayBeSent({ action: 'http://X.wsdl.dem.SANITA.finanze.it/Y', body })).toBe(false)
    expect(mayBeSent({ action: 'urn:sar:visualizza', body })).toBe(true)
  })

  it('stands nowhere in what this program is made of', () => {
    const root = join(import.meta.dirname, '../../../..')
    const files = globSync(['src/**/*.ts', 'adapters/**/*.ts'], { cwd: root })
    expect(files.length).toBeGreaterThan(200)
    const names = /(?:visualizza|invio|sospendi|annulla)erogato|(?:invio|annulla)prescritto|erogato(?:diff)?richiesta/i
    expect(files.filter((file) => names.test(readFileSync(join(root, file), 'utf8')))).toEqual([])
    expect(names.test('http://visualizzaerogato.wsdl.dem.sanita.finanze.it/VisualizzaErogato')).toBe(true)
  })
})
