import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { nationalPaths } from '../../src/national.ts'
import { homeOf, partyCodes } from '../support/gateway-config.ts'
import { type Citizen, citizens } from './citizens.ts'
import { expectations } from './expectations.ts'
import type { Network } from './network.ts'
import { organization } from './organizations.ts'
import type { Holder } from './registry-book.ts'

/** Whom the gateway asks about a citizen: everybody, but INI only about those whom others assist. */
export function askedAbout({ assistedBy }: Citizen): readonly Holder[] {
  const partners: readonly Holder[] = ['region-050', 'region-120', 'region-150']
  return assistedBy === '090' ? ['tuscany', ...partners] : ['tuscany', 'ini', ...partners]
}

/** Everything an outside client needs to join the federation. */
export function describe(network: Network) {
  const { certificates, control, gateway, parties } = network
  const keys = (name: string) =>
    Object.fromEntries(
      (['tls', 'signing'] as const).map((use) => [
        use,
        { certificate: join(certificates, name, `${use}.crt.pem`), key: join(certificates, name, `${use}.key.pem`) },
      ]),
    )
  const counterparts = Object.entries(parties).map(([name, { urls }]) => {
    const code = partyCodes[name as keyof typeof partyCodes]
    return [
      name,
      {
        organization: code,
        name: organization(code).display,
        home: homeOf(name as keyof typeof partyCodes),
        urls,
        ...keys(name),
      },
    ]
  })
  return {
    gateway: {
      iti18: gateway.iti18,
      iti38: gateway.iti38,
      iti43: gateway.iti43,
      iti39: gateway.iti39,
      wsdl: {
        iti18: `${gateway.iti18}?wsdl`,
        iti38: `${gateway.iti38}?wsdl`,
        iti43: `${gateway.iti43}?wsdl`,
        iti39: `${gateway.iti39}?wsdl`,
      },
      /** Where INI calls it. */
      national: Object.fromEntries(
        Object.entries(nationalPaths).map(([name, path]) => [name, new URL(path, gateway.iti18).href]),
      ),
      operator: gateway.operator,
      live: `${gateway.operator}/live`,
      ready: `${gateway.operator}/ready`,
      status: `${gateway.operator}/status`,
      metrics: `${gateway.operator}/metrics`,
      config: gateway.config,
      ...keys('gateway'),
    },
    ca: join(certificates, 'ca.pem'),
    signingCa: join(certificates, 'signing-ca.pem'),
    communities: Object.keys(partyCodes).map((name) => ({ name, home: homeOf(name as keyof typeof partyCodes) })),
    parties: Object.fromEntries([
      ...counterparts,
      ['portal', { organization: '090', home: homeOf('tuscany'), ...keys('portal') }],
      ['stranger', { organization: '040', ...keys('stranger') }],
    ]),
    control: {
      url: control.url,
      parties: Object.fromEntries(Object.keys(parties).map((name) => [name, new URL(`/${name}`, control.url).href])),
    },
    citizens: Object.values(citizens).map((citizen) => {
      const { key, identifiers, assistedBy, story } = citizen
      const asked = askedAbout(citizen)
      return {
        key,
        identifiers: identifiers.map(({ value, authority }) => ({
          value,
          authority,
          cx: `${value}^^^&${authority}&ISO`,
        })),
        assistedBy,
        story,
        /** What a hospital doctor (AAS, TREATMENT) must be told when everybody answers. */
        expect: { asked, ...expectations(network.seed, citizen, { asked }) },
      }
    }),
  }
}

/** Writes the description where the command line looks for it, whole or not at all. */
export async function writeFederationFile(network: Network, path = '.crocevia/federation.json'): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  const part = `${path}.${process.pid}`
  await writeFile(part, `${JSON.stringify(describe(network), undefined, 2)}\n`)
  await rename(part, path)
  return path
}
