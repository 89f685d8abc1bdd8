import { describe, expect, it } from 'vitest'
import type { OutboundRequest } from '../../../src/client/send.ts'
import { sistemaTs as settingsSchema } from '../../../src/config/sistema-ts.ts'
import type { SistemaTsMaterial } from '../../../src/sistema-ts/material.ts'
import { sistemaTsOf } from '../../../src/sistema-ts/tools.ts'
import { signatureHolds } from '../../../src/trust/algorithms.ts'
import type { TrustedIssuer } from '../../../src/trust/saml/trusted-issuer.ts'
import { verifySistemaTs } from '../../../src/trust/saml/verify-saml.ts'
import { certificatesOf } from '../../../src/trust/x509/certificate.ts'
import { samlNames } from '../../../src/wire/saml/names.ts'
import { askSistemaTs } from '../../../src/wire/sistema-ts/ask.ts'
import { viewPrescribed } from '../../../src/wire/sistema-ts/prescriptions.ts'
import { type Node, readTree, type XmlTree } from '../../../src/wire/xml.ts'
import { authorized, homes } from '../../support/builders.ts'
import { pem, plainIssuer, signerOf, signing } from '../../support/saml.ts'
import { make, rsaKeyPair } from '../trust/x509/issuing.ts'

const encryption = (await make({ name: 'SanitelCF', keys: await rsaKeyPair(1024), fromDay: -1000, toDay: 9000 }))
  .certificate
const ours = signerOf(signing('gateway'))
const issued = signerOf(signing('region-050'))
const service =
  'https://demservicetest.sanita.finanze.it/DemRicettaPrescrittoServicesWeb/services/demVisualizzaPrescritto'
const sessions = 'https://servizitstest.sanita.finanze.it/a2f-auth-ws/soap/v1/authentication-service'

const files = { certificates: ['sanitel.pem'], pinCode: 'pin', basic: { user: 'user', password: 'password' } }
const region = {
  as: 'region',
  certificates: ['sanitel.pem'],
  pinCode: 'pin',
  mode: 'SpidL2',
  locality: '090201',
} as const
const user = { as: 'user', ...files } as const

interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

const soap = (body: string) =>
  `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>${body}</e:Body></e:Envelope>`
const done: Answer = {
  status: 200,
  body: soap(
    '<VisualizzaPrescrittoRicevuta><nre>0900A4000000001</nre><codEsitoVisualizzazione>0000</codEsitoVisualizzazione></VisualizzaPrescrittoRicevuta>',
  ),
}
const refusing = (code: string): Answer => ({
  status: 200,
  body: soap(
    `<VisualizzaPrescrittoRicevuta><codEsitoVisualizzazione>9999</codEsitoVisualizzazione><ElencoErroriRicette>` +
      `<ErroreRicetta><codEsito>${code}</codEsito></ErroreRicetta></ElencoErroriRicette></VisualizzaPrescrittoRicevuta>`,
  ),
})
const fault = (status: number, text: string): Answer => ({
  status,
  headers: { 'x-backside-transport': 'FAIL FAIL' },
  body: soap(`<e:Fault><faultcode>e:Client</faultcode><faultstring>${text}</faultstring></e:Fault>`),
})
const wrongPassword = fault(401, 'Rejected by policy. (from client)')
const session = (digit: number) => `24eed8fe-c3f7-414d-bff8-042ecc3fa64${digit}`
const created = (digit: number): Answer => ({
  status: 200,
  body: soap(
    `<CreateAuthRes><codEsito>0</codEsito><comunicazioni><comunicazione><codice>token</codice>` +
      `<messaggio>${session(digit)}</messaggio></comunicazione></comunicazioni></CreateAuthRes>`,
  ),
})
const checked: Answer = { status: 200, body: soap('<CheckTokenRes><codEsito>1</codEsito></CheckTokenRes>') }

/** A channel to a service that answers as it is told to. */
function channel(settings: object, play: (request: OutboundRequest) => Answer | Promise<Answer>) {
  const state = {
    at: Date.now(),
    refusals: 0,
    material: {
      certificates: [encryption],
      pinCode: '1234567890',
      basic: { user: 'UTENTE', password: 'segreta' },
    } as SistemaTsMaterial,
  }
  const seen: OutboundRequest[] = []
  const access = sistemaTsOf(
    { name: 'sistema-ts', sistemaTs: settingsSchema.parse(settings) },
    {
      clock: { now: () => state.at },
      client: {
        async send(request) {
          seen.push(request)
          const { status, headers = {}, body } = await play(request)
          return { status, headers, body: Buffer.from(body) }
        },
      },
      gateway: { organization: { code: '090', name: 'Regione Toscana' }, assertionLifetimeMs: 300_000 },
      material: () => state.material,
      signer: () => ours,
      onRefusal: () => state.refusals++,
    },
  )
  if (access === undefined) throw new Error('There is no channel')
  const ask = (call = authorized()) =>
    askSistemaTs(
      access.tools,
      viewPrescribed,
      { nre: '0900A4000000001', cfMedico: 'PROVAX00X00X000Y' },
      { url: service, call },
    )
  return { ...access, ask, seen, state }
}

function assertionIn({ body }: OutboundRequest): readonly [XmlTree, Node] {
  const tree = readTree(Buffer.from(String(body)))
  const header = tree.first(tree.root)
  const security = tree.first(header)
  expect([tree.local(header), tree.local(security)]).toEqual(['Header', 'Security'])
  const assertion = tree.first(security)
  expect(tree.is(assertion, samlNames.saml, 'Assertion')).toBe(true)
  return [tree, assertion]
}

function textsOf([tree, assertion]: readonly [XmlTree, Node], local: string): string[] {
  const found: string[] = []
  const walk = (node: Node): void => {
    if (tree.local(node) === local) found.push(tree.text(node))
    for (const child of tree.children(node)) walk(child)
  }
  walk(assertion)
  return found
}

describe('a region', () => {
  it('vouches for the end user in every call, as A.6 wants it, under a signature that holds', async () => {
    const { ask, seen, state } = channel(region, () => done)
    const { basic: _, ...material } = state.material
    state.material = material
    await ask()
    const [request] = seen
    if (request === undefined) throw new Error('Nothing was sent')
    expect(request.headers).toEqual({
      'content-type': 'text/xml; charset=utf-8',
      soapaction: '"http://visualizzaprescritto.wsdl.dem.sanita.finanze.it/VisualizzaPrescritto"',
    })
    const [tree, assertion] = assertionIn(request)
    const issuer: TrustedIssuer = {
      ...plainIssuer,
      community: homes.tuscany,
      profile: 'sistema-ts',
      issuers: ['090'],
      trust: { anchors: certificatesOf(pem('signing-ca.pem')) },
    }
    const options = { now: Date.now(), skewMs: 60_000, issuers: [issuer], check: signatureHolds }
    const verified = verifySistemaTs(tree, assertion, options)
    expect(verified).toMatchObject({ subject: 'CLNCXX75C03F839M', organization: '090', locality: '090201' })
  })

  const classes = 'urn:oasis:names:tc:SAML:2.0:ac:classes:'

  it.each([
    ['a2f26', [`${classes}iso-iec-29115-LoA3`], [`${classes}SpidL2`]],
    ['forte25', [`${classes}SpidL2`], []],
  ])('states the authentication as the document of %s does', async (authnContext, classRefs, declRefs) => {
    const { ask, seen } = channel({ ...region, authnContext }, () => done)
    await ask()
    const found = assertionIn(seen[0] as OutboundRequest)
    expect(textsOf(found, 'AuthnContextClassRef')).toEqual(classRefs)
    expect(textsOf(found, 'AuthnContextDeclRef')).toEqual(declRefs)
    expect(textsOf(found, 'NameID')).toEqual(['CLNCXX75C03F839M'])
    expect(textsOf(found, 'Issuer')).toEqual(['090'])
  })

  it('signs with the key Sistema TS issued, where there is one', async () => {
    const { ask, seen, state } = channel(region, () => done)
    await ask()
    state.material = { ...state.material, signer: issued }
    await ask()
    const certificates = seen.map((one) => textsOf(assertionIn(one), 'X509Certificate')[0])
    expect(certificates).toEqual([ours, issued].map(({ certificate }) => certificate.raw.toString('base64')))
  })

  it('is not spoken for by somebody without a codice fiscale', async () => {
    const { ask, seen } = channel(region, () => done)
    const call = authorized()
    const { subjectId: _, ...nameless } = call.assertion
    await expect(ask({ ...call, assertion: nameless })).rejects.toMatchObject({ code: 'access-denied' })
    expect(seen).toHaveLength(0)
  })

  it('latches the user who was refused and no other', async () => {
    const unknown = fault(500, 'Errore generico di autenticazione')
    const { ask, seen, state } = channel(region, ({ body }) =>
      String(body).includes('ESMPLO70B41D612T') ? unknown : done,
    )
    const call = authorized()
    const other = { value: 'ESMPLO70B41D612T', authority: call.assertion.subjectId?.authority }
    const wrong = { ...call, assertion: { ...call.assertion, subjectId: other } } as typeof call
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(ask(wrong)).rejects.toMatchObject({
        code: 'community-rejected',
        details: { reason: 'authentication' },
      })
    }
    await ask()
    expect([seen.length, state.refusals]).toEqual([2, 1])
  })

  it('is not configured with an authentication Sistema TS has no name for', () => {
    expect(() => channel({ ...region, mode: 'Password' }, () => done)).toThrow('is no mode of authentication')
    expect(() => channel({ ...region, level: 'LoA9' }, () => done)).toThrow('is no level of assurance')
  })
})

describe('a direct user', () => {
  const basic = `Basic ${Buffer.from('UTENTE:segreta').toString('base64')}`

  it('presents name, password and session at once, and no assertion', async () => {
    const { ask, seen, state } = channel({ ...user, session: { file: 'session' } }, () => done)
    state.material = { ...state.material, session: session(1) }
    await ask()
    expect(seen[0]?.headers).toMatchObject({ authorization: basic, Authorization2F: `Bearer ${session(1)}` })
    expect(String(seen[0]?.body)).not.toContain('Assertion')
    expect(seen[0]?.idempotent).toBe(false)
  })

  it('never shows the pincode', async () => {
    const { ask, seen } = channel(user, () => done)
    await ask()
    expect(JSON.stringify(seen)).not.toContain('1234567890')
    expect(String(seen[0]?.body)).toMatch(/pinCode>[A-Za-z0-9+/]{171}=</)
  })

  it.each([
    ['401', wrongPassword],
    ['500', fault(500, 'Errore generico di autenticazione')],
  ])('is refused with %s once, and asks no more until the credentials change', async (_status, refusal) => {
    let answer = refusal
    const { ask, seen, state, latch } = channel(user, () => answer)
    for (let attempt = 0; attempt < 5; attempt++) {
      await expect(ask()).rejects.toMatchObject({ code: 'community-rejected', details: { reason: 'authentication' } })
    }
    expect([seen.length, state.refusals]).toEqual([1, 1])

    answer = done
    state.material = { ...state.material, basic: { user: 'UTENTE', password: 'nuova' } }
    await ask()
    expect(seen).toHaveLength(2)
    expect(latch.reset()).toBe(1)
  })

  it('is refused once even when everybody asks at the same moment', async () => {
    const { ask, seen } = channel(user, () => wrongPassword)
    const ended = await Promise.allSettled(Array.from({ length: 16 }, () => ask()))
    expect(ended.every(({ status }) => status === 'rejected')).toBe(true)
    expect(seen).toHaveLength(1)
  })

  it('keeps the words of the refusal for the operator', async () => {
    const { ask } = channel(user, () => wrongPassword)
    const issues = [{ severity: 'error', code: 'Client', text: 'Rejected by policy. (from client)' }]
    await expect(ask()).rejects.toMatchObject({ issues, details: { status: 401 } })
  })

  it('asks again when an operator has put things right', async () => {
    let answer = wrongPassword
    const { ask, latch } = channel(user, () => answer)
    await ask().catch(() => undefined)
    answer = done
    await expect(ask()).rejects.toMatchObject({ details: { reason: 'authentication' } })
    latch.reset()
    await expect(ask()).resolves.toMatchObject({ outcome: { code: '0000' } })
  })

  it.each([
    ['a service that failed', fault(500, 'Failed to establish a backside connection')],
    ['a message that broke the schema', fault(500, 'cvc-complex-type.2.4.a')],
    ['a proxy', { status: 502, body: 'Bad gateway' }],
  ])('is not latched by %s', async (_what, answer) => {
    const { ask, seen } = channel(user, () => answer)
    await ask().catch(() => undefined)
    await ask().catch(() => undefined)
    expect(seen).toHaveLength(2)
  })

  it('is latched by the codes of outcomes that are configured to mean so', async () => {
    const { ask, seen } = channel({ ...user, refusalCodes: ['1001'] }, () => refusing('1001'))
    await expect(ask()).rejects.toMatchObject({ details: { reason: 'authentication' } })
    await expect(ask()).rejects.toMatchObject({ details: { reason: 'authentication' } })
    expect(seen).toHaveLength(1)
    const other = channel(user, () => refusing('1001'))
    expect((await other.ask()).outcome.accepted).toBe(false)
  })

  it('may send nothing that would lock a prescription', async () => {
    const { tools, seen } = channel(user, () => done)
    const body = '<v:VisualizzaErogatoRichiesta xmlns:v="http://visualizzaerogatorichiesta.xsd.dem.sanita.finanze.it"/>'
    const action = 'http://visualizzaerogato.wsdl.dem.sanita.finanze.it/VisualizzaErogato'
    await expect(tools.post({ url: service, action, body, call: authorized() })).rejects.toMatchObject({
      code: 'internal',
    })
    expect(seen).toHaveLength(0)
  })
})

describe('a session we ask for', () => {
  const asking = { ...user, session: { create: sessions, application: 'EROGATORE' } }

  it('is asked for first, with the encrypted pincode, and then presented', async () => {
    const { ask, seen } = channel(asking, ({ url, headers }) => {
      if (url === service) return done
      return headers.soapaction?.endsWith('/create"') ? created(1) : checked
    })
    await ask()
    await ask()
    expect(seen.map(({ url }) => url)).toEqual([sessions, sessions, service, service])
    expect(String(seen[0]?.body)).toMatch(/<d:tipo>P<\/d:tipo><d:valore>[A-Za-z0-9+/]{171}=</)
    expect(seen[0]?.headers).not.toHaveProperty('Authorization2F')
    expect(seen[2]?.headers).toMatchObject({ Authorization2F: `Bearer ${session(1)}` })
  })

  it('latches everything when the service refuses the pincode', async () => {
    const refusal =
      '<CreateAuthRes><codEsito>1</codEsito><errori><errore><codEsito>302</codEsito></errore></errori></CreateAuthRes>'
    const { ask, seen } = channel(asking, () => ({ status: 200, body: soap(refusal) }))
    await expect(ask()).rejects.toMatchObject({ details: { reason: 'authentication' } })
    await expect(ask()).rejects.toMatchObject({ details: { reason: 'authentication' } })
    expect(seen).toHaveLength(1)
  })

  it('does not latch when it was replaced while a call was under way', async () => {
    const slow = Promise.withResolvers<Answer>()
    let sent = 0
    let issuedSessions = 0
    const { ask, state } = channel(asking, ({ url, headers }) => {
      if (url !== service) return headers.soapaction?.endsWith('/create"') ? created(++issuedSessions) : checked
      sent++
      return sent === 2 ? slow.promise : done
    })
    await ask()
    const under = ask()
    state.at += 8 * 3_600_000
    await ask()
    slow.resolve(wrongPassword)
    await expect(under).rejects.toMatchObject({ code: 'community-unavailable' })
    await expect(ask()).resolves.toMatchObject({ outcome: { code: '0000' } })
  })

  it('latches when it is refused and nothing replaced it, and asks for no other', async () => {
    const { ask, seen } = channel(asking, ({ url, headers }) => {
      if (url === service) return wrongPassword
      return headers.soapaction?.endsWith('/create"') ? created(1) : checked
    })
    await expect(ask()).rejects.toMatchObject({ details: { reason: 'authentication' } })
    await expect(ask()).rejects.toMatchObject({ details: { reason: 'authentication' } })
    expect(seen).toHaveLength(3)
  })
})
