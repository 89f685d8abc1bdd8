import { constants, publicEncrypt, X509Certificate } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureCertificates } from '../../../certs-dev/make.ts'
import { citizens } from '../../network/citizens.ts'
import { sow } from '../../network/seed.ts'
import { type SistemaTs, startSistemaTs } from '../../network/sistema-ts.ts'
import { readIdentity, sendForBytes } from '../../network/soap-client.ts'
import { sanitelKey } from '../../support/sanitel-key.ts'

const dispenserAction = 'http://demricettaricercaerogatore.wsdl.dem.sanita.finanze.it'
const dispenserPath = '/DemRicettaRicercaErogatoreServicesWeb/services/ricercaErogatore'
const sessionActions = 'http://wsdl.auth.a2f.sts.sanita.finanze.it'
const sessionNamespace = 'http://authservice.xsd.wsdl.auth.a2f.sts.sanita.finanze.it'
const seed = sow()

let sistemaTs: SistemaTs
let now = Date.now()

beforeEach(async () => {
  const { directory: certificates } = await ensureCertificates()
  sistemaTs = await startSistemaTs({
    certificates,
    seed,
    as: 'user',
    encryption: await sanitelKey(now),
    clock: { now: () => now },
  })
})
afterEach(() => sistemaTs.close())

const enciphered = (text: string): string => {
  const key = new X509Certificate(sistemaTs.certificate).publicKey
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(text)).toString('base64')
}
const basic = (password = sistemaTs.account.password, user = sistemaTs.account.user) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})

async function post(url: string, action: string, body: string, headers: Readonly<Record<string, string>>) {
  const { directory } = await ensureCertificates()
  const { channel } = await readIdentity(directory, 'gateway')
  const { bytes, ...answer } = await sendForBytes(url, channel, {
    headers: { 'content-type': 'text/xml; charset=utf-8', soapaction: `"${action}"`, ...headers },
    body: `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${body}</s:Body></s:Envelope>`,
  })
  return { ...answer, body: bytes.toString('utf8') }
}

async function session(name: string, fields = '', headers: Readonly<Record<string, string>> = basic()) {
  const local = { create: 'CreateAuthReq', revoke: 'RevokeAuthReq', checkToken: 'CheckTokenReq' }[name] ?? ''
  const user =
    `<identificativo><t:tipo xmlns:t="${sessionNamespace.replace('authservice', 'datatype')}">P</t:tipo>` +
    `<t:valore xmlns:t="${sessionNamespace.replace('authservice', 'datatype')}">${enciphered(sistemaTs.account.pinCode)}</t:valore></identificativo>`
  const body = `<${local} xmlns="${sessionNamespace}">${user}${fields}</${local}>`
  return await post(sistemaTs.urls.sessions, `${sessionActions}/${name}`, body, headers)
}
const scope = '<contesto>RICETTA-DEM</contesto><applicazione>EROGATORE</applicazione>'
const created = async () => /<messaggio>([0-9a-f-]{36})</.exec((await session('create', scope)).body)?.[1] ?? ''

async function listed(
  token: string,
  how: { action?: string; fields?: string; pinCode?: string; headers?: Readonly<Record<string, string>> } = {},
) {
  const namespace = 'http://elencoricetterichiesta.xsd.dem.sanita.finanze.it'
  const place =
    '<codiceRegioneErogatore>090</codiceRegioneErogatore><codiceAslErogatore>202</codiceAslErogatore>' +
    '<codiceSsaErogatore>012345</codiceSsaErogatore>'
  const { fields = `${place}<cfAssistito>${enciphered(citizens.tuscan.identifiers[0].value)}</cfAssistito>` } = how
  const pinCode = `<pinCode>${enciphered(how.pinCode ?? sistemaTs.account.pinCode)}</pinCode>`
  const body = `<ElencoRicetteRichiesta xmlns="${namespace}">${pinCode}${fields}</ElencoRicetteRichiesta>`
  const headers = { ...basic(), authorization2f: `Bearer ${token}`, ...how.headers }
  const action = how.action ?? `${dispenserAction}/elencoRicette`
  return await post(sistemaTs.urls.host + dispenserPath, action, body, headers)
}

describe('the door of Sistema TS', () => {
  it('lets in who has a name, a password, a session and the pincode', async () => {
    const { status, body } = await listed(await created())
    expect(status).toBe(200)
    expect(body).toContain('<codEsitoElencoRicette>0000<')
    expect(body).toMatch(/<totaleRicette>[1-9]\d*</)
  })

  it('answers a wrong password with 401 and a challenge, an unknown user with 500, both unreached behind', async () => {
    const token = await created()
    const wrong = await listed(token, { headers: basic('wrong') })
    expect(wrong.status).toBe(401)
    expect(wrong.headers).toMatchObject({
      'www-authenticate': 'Basic realm=login',
      'x-backside-transport': 'FAIL FAIL',
    })
    expect(wrong.body).toContain('Rejected by policy. (from client)')
    const unknown = await listed(token, { headers: basic('wrong', 'NOBODY') })
    expect(unknown.status).toBe(500)
    expect(unknown.headers).not.toHaveProperty('www-authenticate')
    expect(unknown.body).toContain('Errore generico di autenticazione')
  })

  it('stays shut after three bad logins, though the fourth be right', async () => {
    const token = await created()
    for (let attempt = 0; attempt < 3; attempt++) await listed(token, { headers: basic('wrong') })
    expect((await listed(token)).status).toBe(500)
    expect(sistemaTs.credentials.locked).toBe(true)
    sistemaTs.credentials.unlock()
    expect((await listed(token)).status).toBe(200)
  })

  it('wants a session that is good', async () => {
    expect((await listed('no-such-session')).status).toBe(500)
    const token = await created()
    now += 9 * 3_600_000
    expect((await listed(token)).status).toBe(500)
  })

  it('reads the pincode and takes no other', async () => {
    const { status, body } = await listed(await created(), { pinCode: '0000000000' })
    expect(status).toBe(500)
    expect(body).toContain('Pincode errato')
  })
})

describe('sessions', () => {
  it('are replaced by the next one only when that is used for the first time', async () => {
    const first = await created()
    await listed(first)
    const second = await created()
    expect((await listed(first)).status).toBe(200)
    expect((await listed(second)).status).toBe(200)
    expect((await listed(first)).status).toBe(500)
  })

  it('that were never used are replaced at once', async () => {
    const first = await created()
    await created()
    expect(sistemaTs.sessions.all.map(({ state }) => state)).toEqual(['revoked', 'validated'])
    expect((await session('checkToken', `<token>${first}</token>${scope}`)).body).toContain('<stato>1</stato>')
  })

  it('are told of, ended, and not ended twice', async () => {
    const token = `<token>${await created()}</token>${scope}`
    expect((await session('checkToken', token)).body).toContain('<stato>0</stato>')
    expect((await session('revoke', token)).body).toContain('codEsito>0<')
    expect((await session('revoke', token)).body).toContain('<codEsito>05</codEsito>')
  })

  it('are for the known contexts', async () => {
    const { body } = await session('create', scope.replace('RICETTA-DEM', 'SPESE'))
    expect(body).toContain('<codEsito>22</codEsito>')
  })
})

describe('a message that breaks the contract', () => {
  it.each([
    ['an action of the service’s own name', { action: `${dispenserAction}/ElencoRicette` }, /Operation not found/],
    [
      'a field too few',
      { fields: '<codiceRegioneErogatore>090</codiceRegioneErogatore>' },
      /cvc-complex-type\.2\.4\.b/,
    ],
    [
      'fields in another order',
      { fields: '<codiceAslErogatore>202</codiceAslErogatore>' },
      /cvc-complex-type\.2\.4\.a/,
    ],
  ])('is refused in clear: %s', async (_what, how, text) => {
    const { status, body } = await listed(await created(), how)
    expect(status).toBe(500)
    expect(body).toMatch(text)
  })
})

describe('an operation that locks a prescription', () => {
  it('is a trap: whoever called it fails when Sistema TS is put away', async () => {
    const path = '/DemRicettaErogatoServicesWeb/services/demVisualizzaErogato'
    const action = 'http://visualizzaerogato.wsdl.dem.sanita.finanze.it/VisualizzaErogato'
    await post(sistemaTs.urls.host + path, action, '<x/>', basic())
    expect(sistemaTs.lockingAttempts).toEqual([`"${action}"`])
    await expect(sistemaTs[Symbol.asyncDispose]()).rejects.toThrow(/locked/)
  })
})
