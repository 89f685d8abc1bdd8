import { describe, expect, it } from 'vitest'
import { answerOf } from '../../../../src/wire/sistema-ts/ask.ts'
import { faultError, openResponse, type TsResponse } from '../../../../src/wire/sistema-ts/fault.ts'
import { issuesOf, requireAccepted } from '../../../../src/wire/sistema-ts/outcome.ts'
import { processState } from '../../../../src/wire/sistema-ts/prescription.ts'
import {
  listCitizenPrescriptions,
  listPrescriptions,
  viewPrescribed,
  viewPrescription,
} from '../../../../src/wire/sistema-ts/prescriptions.ts'
import { checkSession, createSession } from '../../../../src/wire/sistema-ts/second-factor.ts'
import { timestampOfTs, tsTime } from '../../../../src/wire/sistema-ts/time.ts'

/** As Sistema TS writes: other prefixes than ours, and namespaces nobody should have to know. */
function answered(body: string, more: Partial<TsResponse> = {}): TsResponse {
  const text =
    `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>${body}` +
    '</soapenv:Body></soapenv:Envelope>'
  return { status: 200, headers: {}, body: Buffer.from(text), ...more }
}

const faulted = (code: string, text: string, more: Partial<TsResponse> = {}) =>
  answered(`<soapenv:Fault><faultcode>env:${code}</faultcode><faultstring>${text}</faultstring></soapenv:Fault>`, {
    status: 500,
    ...more,
  })

function prescribed(content: string, outcome = '0000'): TsResponse {
  return answered(
    '<VisualizzaPrescrittoRicevuta xmlns="http://visualizzaprescrittoricevuta.xsd.dem.sanita.finanze.it" ' +
      `xmlns:t="http://tipodati.xsd.dem.sanita.finanze.it">${content}` +
      `<codEsitoVisualizzazione>${outcome}</codEsitoVisualizzazione></VisualizzaPrescrittoRicevuta>`,
  )
}

const error = (fields: string) =>
  `<ElencoErroriRicette><t:ErroreRicetta>${fields}</t:ErroreRicetta></ElencoErroriRicette>`

describe('an answer of Sistema TS', () => {
  it('tells a prescription under the names of the schema, with lines and notes', () => {
    const { prescription, outcome } = answerOf(
      viewPrescribed,
      prescribed(
        '<nre> 0900A4000000001 </nre><codiceAss></codiceAss><tipoPrescrizione>F</tipoPrescrizione>' +
          '<dataCompilazione>2026-03-02 10:20:30</dataCompilazione><statoProcesso>3</statoProcesso>' +
          '<ElencoDettagliPrescrizioni><t:DettaglioPrescrizione><t:codProdPrest>012345678</t:codProdPrest>' +
          '<t:quantita>2</t:quantita></t:DettaglioPrescrizione></ElencoDettagliPrescrizioni>' +
          '<ElencoNota><t:Nota><t:progrPresc>1</t:progrPresc><t:tipoAmbulatorio>AB</t:tipoAmbulatorio></t:Nota></ElencoNota>',
      ),
    )
    expect(outcome).toEqual({ code: '0000', accepted: true, errors: [], communications: [] })
    expect(prescription).toMatchObject({
      nre: '0900A4000000001',
      header: { tipoPrescrizione: 'F', dataCompilazione: '2026-03-02 10:20:30', statoProcesso: '3' },
      lines: [{ codProdPrest: '012345678', quantita: '2' }],
      notes: [{ position: 1, clinicType: 'AB' }],
      withholdsName: false,
    })
    expect(prescription?.header).not.toHaveProperty('codiceAss')
    expect(processState(prescription?.header.statoProcesso)).toBe('to-be-dispensed')
  })

  it('keeps the wish not to have the name shown', () => {
    const { prescription } = answerOf(
      viewPrescribed,
      prescribed('<nre>0900A4000000001</nre><oscuramDati>1</oscuramDati>'),
    )
    expect(prescription?.withholdsName).toBe(true)
    expect(prescription?.header.oscuramDati).toBe('1')
  })

  it('tells of no prescription when nobody knows the number, though all went well', () => {
    const answer = answerOf(viewPrescribed, prescribed('<cognNome></cognNome>'))
    expect(answer.outcome.accepted).toBe(true)
    expect(answer.prescription).toBeUndefined()
  })

  it.each([
    ['progPresc', 'Bloccante', 'error'],
    ['progrPresc', 'Bloccante', 'error'],
    ['progPresc', 'Avviso', 'warning'],
    ['progPresc', 'W', 'warning'],
    ['progPresc', 'E', 'error'],
  ])('takes %s and the kind %s for what they are', (place, kind, severity) => {
    const fields = `<t:codEsito>5221</t:codEsito><t:esito>X</t:esito><t:${place}>2</t:${place}><t:tipoErrore>${kind}</t:tipoErrore>`
    const { outcome } = answerOf(viewPrescribed, prescribed(error(fields), '0001'))
    expect(outcome.errors).toEqual([{ code: '5221', text: 'X', position: 2, severity }])
    expect(() => requireAccepted(outcome)).not.toThrow()
  })

  it('is a refusal by its outcome, told with its reasons and without whom they name', () => {
    const fields = '<t:codEsito>1212</t:codEsito><t:esito>Codice PROVAX80A01H501M non valido</t:esito>'
    const { outcome } = answerOf(viewPrescribed, prescribed(error(fields), '9999'))
    expect(issuesOf(outcome)).toEqual([{ severity: 'error', code: '1212', text: 'Codice … non valido' }])
    expect(() => requireAccepted(outcome)).toThrow(
      expect.objectContaining({ code: 'community-rejected', details: { outcome: '9999' }, issues: issuesOf(outcome) }),
    )
  })

  it('does not count the line that says that all went well as an error', () => {
    const { outcome } = answerOf(
      viewPrescribed,
      prescribed(error('<t:codEsito>0000</t:codEsito><t:esito>OK</t:esito>')),
    )
    expect(outcome.errors).toEqual([])
  })

  it('lists prescriptions, and those of a citizen whole', () => {
    const item =
      '<t:DettaglioSinteticoRicetta><t:nre>0900A4000000001</t:nre><t:statoRicetta>8</t:statoRicetta></t:DettaglioSinteticoRicetta>'
    const listed = answerOf(
      listPrescriptions,
      answered(
        '<ElencoRicetteRicevuta xmlns:t="urn:t"><totaleRicette>1</totaleRicette>' +
          `<ElencoRicette>${item}</ElencoRicette><codEsitoElencoRicette>0000</codEsitoElencoRicette></ElencoRicetteRicevuta>`,
      ),
    )
    expect(listed).toMatchObject({ total: 1, prescriptions: [{ nre: '0900A4000000001', statoRicetta: '8' }] })
    const whole = answerOf(
      listCitizenPrescriptions,
      answered(
        '<VisualizzaPrescrittoPazienteSOLRicevuta><ElencoRicette><InfoRicetta><nre>0900A4000000001</nre></InfoRicetta>' +
          '<InfoRicetta><nre>0900A4000000002</nre></InfoRicetta></ElencoRicette>' +
          '<codEsitoVisualizzazione>0000</codEsitoVisualizzazione></VisualizzaPrescrittoPazienteSOLRicevuta>',
      ),
    )
    expect(whole.prescriptions.map(({ nre }) => nre)).toEqual(['0900A4000000001', '0900A4000000002'])
  })

  it.each([
    ['another answer', viewPrescription, prescribed('')],
    ['an answer without an outcome', viewPrescribed, answered('<VisualizzaPrescrittoRicevuta/>')],
    ['an outcome that is none', viewPrescribed, prescribed('', 'OK')],
    ['a page', viewPrescribed, { status: 200, headers: {}, body: Buffer.from('<html></html>') }],
    ['nothing', viewPrescribed, { status: 200, headers: {}, body: Buffer.alloc(0) }],
  ])('is not made up from %s', (_what, operation, response) => {
    expect(() => answerOf<unknown>(operation, response)).toThrow(
      expect.objectContaining({ code: 'community-misbehaved' }),
    )
  })
})

describe('a fault', () => {
  const failed = { 'x-backside-transport': 'FAIL FAIL' }

  it.each([
    [
      'a wrong password',
      faulted('Client', 'Rejected by policy. (from client)', {
        status: 401,
        headers: { ...failed, 'www-authenticate': 'Basic realm=login' },
      }),
      'authentication',
      'community-rejected',
    ],
    [
      'an unknown user, though it says 500',
      faulted('Client', 'Errore generico di autenticazione', { headers: failed }),
      'authentication',
      'community-rejected',
    ],
    [
      'a 401 without a message',
      { status: 401, headers: {}, body: Buffer.alloc(0) },
      'authentication',
      'community-rejected',
    ],
    [
      'a message that breaks the schema',
      faulted('Client', "cvc-pattern-valid: Value 'PROVAX80A01H501M' is not"),
      'schema',
      'community-rejected',
    ],
    [
      'a service the front end did not reach',
      faulted('Server', 'Failed to establish a backside connection', { headers: failed }),
      'front-end',
      'community-unavailable',
    ],
    [
      'an error of the service',
      faulted('Server', 'java.lang.NullPointerException'),
      'application',
      'community-unavailable',
    ],
    ['a refusal by the service', faulted('Client', 'Operazione sconosciuta'), 'application', 'community-rejected'],
    [
      'a fault with 200',
      faulted('Client', 'Errore generico di autenticazione', { status: 200 }),
      'authentication',
      'community-rejected',
    ],
    [
      'a page of an overloaded proxy',
      { status: 503, headers: {}, body: Buffer.from('busy') },
      'unreadable',
      'community-busy',
    ],
    [
      'a page of a failing proxy',
      { status: 502, headers: {}, body: Buffer.from('<p>') },
      'unreadable',
      'community-unavailable',
    ],
  ] as const)('of %s', (_what, response, kind, code) => {
    const opened = openResponse(response)
    if (!('kind' in opened)) throw new Error('It was taken for an answer')
    expect(opened.kind).toBe(kind)
    expect(opened.text).not.toContain('PROVAX')
    expect(faultError(opened)).toMatchObject({ code, details: { reason: kind, status: response.status } })
  })
})

describe('the second factor', () => {
  const space = 'http://authservice.xsd.wsdl.auth.a2f.sts.sanita.finanze.it'

  it('tells a session where it is told', () => {
    const answer = answerOf(
      createSession,
      answered(
        `<n:CreateAuthRes xmlns:n="${space}" xmlns="urn:d"><n:codEsito>0</n:codEsito><n:comunicazioni><comunicazione>` +
          '<codice>token</codice><messaggio>1f6a0702-2cfc-4903-8cfc-609a7e232920</messaggio></comunicazione>' +
          '</n:comunicazioni></n:CreateAuthRes>',
      ),
    )
    expect(answer).toMatchObject({ accepted: true, token: '1f6a0702-2cfc-4903-8cfc-609a7e232920' })
  })

  it.each([
    ['302', true],
    ['601', true],
    ['22', false],
    ['99', false],
  ])('says by error %s that the credentials are refused: %s', (code, refused) => {
    const answer = answerOf(
      createSession,
      answered(
        `<n:CreateAuthRes xmlns:n="${space}"><n:codEsito>1</n:codEsito><n:errori><errore><tipoErrore>E</tipoErrore>` +
          `<codEsito>${code}</codEsito></errore></n:errori></n:CreateAuthRes>`,
      ),
    )
    expect(answer).toMatchObject({
      accepted: false,
      credentialsRefused: refused,
      errors: [{ code, severity: 'error' }],
    })
  })

  it('tells from when to when a session is good', () => {
    const answer = answerOf(
      checkSession,
      answered(
        `<n:CheckTokenRes xmlns:n="${space}" xmlns="urn:d"><n:codEsito>0</n:codEsito><n:infoToken><stato>0</stato>` +
          '<descrizione>Valido</descrizione><dataInizioValidita>2026-05-30T19:51:31.000+02:00</dataInizioValidita>' +
          '<dataFineValidita>2026-05-31T11:51:31.000+02:00</dataFineValidita></n:infoToken></n:CheckTokenRes>',
      ),
    )
    expect(answer.session).toEqual({
      valid: true,
      from: Date.UTC(2026, 4, 30, 17, 51, 31),
      until: Date.UTC(2026, 4, 31, 9, 51, 31),
    })
  })
})

describe('the time of Sistema TS', () => {
  it.each([
    ['2026-01-15 08:00:30', '20260115070030'],
    ['2026-07-15 08:00:30', '20260715060030'],
    ['2026-07-15T00:30:00', '20260714223000'],
    ['2026-03-29 03:00:00', '20260329010000'],
    ['2026-03-29 01:59:59', '20260329005959'],
    ['2026-10-25 02:30:00', '20261025013000'],
    ['2026-10-25 01:59:59', '20261024235959'],
    ['2026-07-15', '20260715'],
  ])('%s on Italian clocks is %s', (text, utc) => {
    expect(timestampOfTs(text)).toBe(utc)
  })

  it.each(['', '2026-02-30 10:00:00', '2026-13-01', '15/01/2026', '2026-01-15 25:00:00', undefined])(
    '%s is none',
    (text) => {
      expect(timestampOfTs(text)).toBeUndefined()
    },
  )

  it('is written as it is read', () => {
    for (const at of [Date.UTC(2026, 0, 1), Date.UTC(2026, 6, 1, 22, 15, 1), Date.UTC(2026, 9, 25, 1, 30)]) {
      expect(timestampOfTs(tsTime(at))).toBe(new Date(at).toISOString().slice(0, 19).replace(/[-:T]/g, ''))
    }
  })
})
