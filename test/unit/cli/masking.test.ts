import { describe, expect, it } from 'vitest'
import { maskedHeaders, maskedMessage } from '../../../src/cli/masking.ts'

const secret = 'c2VjcmV0'

describe('headers that are shown', () => {
  it('tell nothing that could be presented again, and everything else as it is', () => {
    const shown = maskedHeaders({
      Authorization: `Bearer ${secret}`,
      DPoP: secret,
      'Agid-JWT-Signature': secret,
      'Agid-JWT-Tracking-Evidence': secret,
      'set-cookie': secret,
      soapaction: '"urn:fse:ConsentQuery"',
    })
    expect(JSON.stringify(shown)).not.toContain(secret)
    expect(shown).toMatchObject({ Authorization: '[masked, 15 characters]', soapaction: '"urn:fse:ConsentQuery"' })
  })
})

describe('a message that is shown', () => {
  it.each(['SignatureValue', 'X509Certificate', 'DigestValue', 'BinarySecurityToken', 'CipherValue', 'pinCode'])(
    'tells of %s nothing but its length, however it is written',
    (name) => {
      for (const content of [secret, `\n  ${secret}\n`, `<![CDATA[${secret}]]>`, `${secret}<!-- a -->`]) {
        const shown = maskedMessage(Buffer.from(`<a xmlns:ds="urn:d"><ds:${name} Id="x">${content}</ds:${name}></a>`))
        expect(shown).not.toContain(secret)
        expect(shown).toContain(`<ds:${name} xmlns:ds="urn:d" Id="x">[masked, 8 characters]</ds:${name}>`)
      }
    },
  )

  it('stands one element a line, with its namespaces, and as it would be read', () => {
    const text =
      '<e:Envelope xmlns:e="urn:e"><e:Body><q:Query xmlns:q="urn:q" id="a &quot;b"><q:Value>x &amp; y</q:Value>' +
      '<q:Empty/></q:Query></e:Body></e:Envelope>'
    expect(maskedMessage(Buffer.from(text)).split('\n')).toEqual([
      '<e:Envelope xmlns:e="urn:e">',
      '  <e:Body>',
      '    <q:Query xmlns:q="urn:q" id="a &quot;b">',
      '      <q:Value>x &amp; y</q:Value>',
      '      <q:Empty/>',
      '    </q:Query>',
      '  </e:Body>',
      '</e:Envelope>',
    ])
  })

  it('tells of documents by their length', () => {
    const long = secret.repeat(200)
    const shown = maskedMessage(Buffer.from(`<a><Document>${secret}</Document><content>${long}</content></a>`))
    expect(shown).toContain('<Document>[8 characters of base64]</Document>')
    expect(shown).toContain('<content>[1600 characters of base64]</content>')
  })

  it('is the message of a package, though what follows it be cut off', () => {
    const type = 'multipart/related; type="application/xop+xml"; start="<r@x>"; start-info="text/xml"; boundary=b'
    const root = 'Content-Type: application/xop+xml; charset=UTF-8; type="text/xml"\r\nContent-ID: <r@x>'
    const body = `--b\r\n${root}\r\n\r\n<a><b>c</b></a>\r\n--b\r\nContent-ID: <d@x>\r\n\r\n%PDF`
    expect(maskedMessage(Buffer.from(body), type)).toBe('<a>\n  <b>c</b>\n</a>')
  })

  it('shows nothing of what cannot be read, where nobody could tell secrets apart', () => {
    const shown = maskedMessage(Buffer.from(`<a><SignatureValue>${secret}</SignatureValue>`))
    expect(shown).toBe('[44 bytes that cannot be read as a message]')
    const disguised = maskedMessage(Buffer.from(`<a><SignatureValue>${secret}</SignatureValue>`), 'text/html')
    expect(disguised).not.toContain(secret)
    expect(maskedMessage(Buffer.from('--b'), 'multipart/related')).not.toContain('--b')
    expect(maskedMessage(Buffer.alloc(0))).toBe('')
  })

  it('shows the beginning of a page for people, which is what proxies answer', () => {
    const page = `<html><p>403 Forbidden${'.'.repeat(5_000)}`
    expect(maskedMessage(Buffer.from(page), 'text/html; charset=utf-8')).toBe(`${page.slice(0, 2_000)}…`)
  })
})
