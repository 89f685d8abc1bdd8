import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { citizen } from '../../../support/builders.ts'
import { draftOf, type Operating, operating } from '../../../support/operating.ts'
import { validEntry } from '../../../support/submissions.ts'

const id = 'urn:uuid:1'
const page = `/console/deliveries/${encodeURIComponent(id)}`
const hostile = 'community-rejected: XDSRegistryError <script>alert(1)</script> «sbagliato»'

let face: Operating
beforeEach(async () => {
  face = await operating()
  await face.store.journal.append(draftOf(id))
  await face.store.journal.append(draftOf('urn:uuid:2'))
  await face.kill(hostile)
})
afterEach(() => face[Symbol.asyncDispose]())

describe('the console', () => {
  it('shows what is dead and what waits, and neither a reason nor a person', async () => {
    face.clock.time += 3 * 3_600_000
    const response = await face.ask('/console')
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    const text = await response.text()
    expect(text).toContain(`href="${page}"`)
    expect(text).toContain('push:tuscany')
    expect(text).toContain('>3 h</time>')
    for (const personal of [citizen.value, validEntry().uniqueId, 'sbagliato']) expect(text).not.toContain(personal)
    expect(face.audited).toEqual([])
  })

  it('says so when there is nothing', async () => {
    await face.store.outbox.delivered(id)
    await face.store.outbox.delivered('urn:uuid:2')
    const text = await (await face.ask('/console')).text()
    expect(text.match(/: none\./g)).toHaveLength(2)
    expect(text).not.toContain('<table')
  })

  it('loads nothing, runs nothing and can be framed by nobody; its own style is the one that is allowed', async () => {
    for (const path of ['/console', page, `${page}?operator=anna`]) {
      const response = await face.ask(path)
      const text = await response.text()
      const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(text) ?? []
      const digest = createHash('sha256').update(style).digest('base64')
      const policy = response.headers.get('content-security-policy') ?? ''
      expect(policy).toContain(`style-src 'sha256-${digest}'`)
      expect(policy).toContain("default-src 'none'")
      expect(policy).toContain("frame-ancestors 'none'")
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(text).not.toMatch(/<script| style=| on\w+=/)
    }
  })

  it('asks who looks before it shows one', async () => {
    for (const path of [page, `${page}?operator=`]) {
      const text = await (await face.ask(path)).text()
      expect(text).toContain('<label for="operator">')
      expect(text).not.toContain('sbagliato')
    }
    const headers = { 'sec-fetch-site': 'cross-site' }
    expect(await (await face.ask(`${page}?operator=anna`, { headers })).text()).not.toContain('sbagliato')
    expect(face.audited).toEqual([])
  })

  it('shows one with its reason word for word, and how to act, once that is audited', async () => {
    const text = await (await face.ask(`${page}?operator=anna`)).text()
    expect(text).toContain('XDSRegistryError &lt;script&gt;alert(1)&lt;/script&gt; «sbagliato»')
    expect(text).toContain(`crocevia journal retry ${id} --config FILE --operator NAME`)
    expect(text).toContain(validEntry().uniqueId)
    expect(face.audited).toMatchObject([{ request: 'inspect', peer: { subject: 'anna' }, patientId: citizen }])
  })

  it('shows what the codes of a reason mean', async () => {
    await face.store.outbox.retry(id, face.clock.now())
    await face.kill('community-rejected: R56 Wrong format <b>; CRF2 x')
    const text = await (await face.ask(`${page}?operator=anna`)).text()
    expect(text).toMatch(/<strong>R56<\/strong>: The display of the document type/)
    expect(text).toMatch(/<strong>CRF2<\/strong>: .*<em>What to do:<\/em> Tell the region/)
  })

  it('shows nothing when it cannot be accounted for, to nobody in particular, or of what is not known', async () => {
    const refused = async (path: string) => {
      const response = await face.ask(path)
      expect(response.headers.get('content-type')).toContain('text/html')
      expect(await response.text()).not.toContain('sbagliato')
      return response.status
    }
    expect(await refused(`${page}?operator=%3Cb%3E`)).toBe(400)
    expect(await refused('/console/deliveries/nobody?operator=anna')).toBe(404)
    expect(await refused('/console?other=1')).toBe(400)
    face.trail.fails = true
    expect(await refused(`${page}?operator=anna`)).toBe(500)
  })

  it('names its language, its title and the headers of its tables', async () => {
    const text = await (await face.ask('/console')).text()
    for (const part of [
      '<html lang="en">',
      '<title>Deliveries',
      '<main>',
      '<h1>',
      '<caption>',
      'scope="col"',
      'scope="row"',
    ]) {
      expect(text).toContain(part)
    }
  })
})
