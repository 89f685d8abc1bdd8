import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { schemasPresent, validate, withoutSchemas } from './asking.ts'

const folder = join(import.meta.dirname, '../../network')
/** What stands between the gateway and its counterparts, and so knows both. */
const between = ['network.ts', 'demo.ts', 'demo-pushes.ts', 'bin.ts', 'federation-file.ts']

it('lets no counterpart import anything of the gateway', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts') && !between.includes(name))
  expect(files).toEqual(expect.arrayContaining(['tuscan-record.ts', 'ini.ts', 'region.ts', 'check-assertion.ts']))
  for (const name of files) {
    const text = readFileSync(join(folder, name), 'utf8')
    const imported = [...text.matchAll(/from '([^']+)'|import\('([^']+)'\)/g)].map(
      ([, one, other]) => one ?? other ?? '',
    )
    const strange = imported.filter((path) => path.startsWith('.') && !/^\.\/[a-z0-9-]+\.ts$/.test(path))
    expect(strange, name).toEqual([])
    expect(
      imported.filter((path) => between.includes(path.replace('./', ''))),
      name,
    ).toEqual([])
  }
})

it.skipIf(!schemasPresent)(`judges answers by schemas that refuse what is wrong${withoutSchemas}`, () => {
  const body = '<q:AdhocQueryResponse xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" status="urn:x"/>'
  const text = `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>${body}</e:Body></e:Envelope>`
  expect(() => validate({ status: 200, contentType: '', text })).toThrow()
})
