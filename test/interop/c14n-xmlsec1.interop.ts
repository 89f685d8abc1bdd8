import { createPrivateKey, hash } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { signWith } from '../../src/trust/algorithms.ts'
import { type CanonicalOptions, canonicalBytes } from '../../src/wire/c14n.ts'
import { NONE, readTree, type XmlTree } from '../../src/wire/xml.ts'
import { dsigNames } from '../../src/wire/xml-signature.ts'
import { signing } from '../support/saml.ts'
import { allJudgedByXmlsec1, describeWith, digestedByXmlsec1, xmlsec1 } from '../support/xml-signers.ts'
import { descendants, type GeneratedElement, roots, wildAlphabet, write } from './generated-documents.ts'

// One process for each of thousands of documents would take minutes. But xmlsec1 takes any number of files, and a
// signature any number of references: each document gets one signature of ours over several of its elements, and
// xmlsec1 digests them all again. It says OK only when every digest is that of the bytes it made itself, and when the
// signature is that of its own canonical form of SignedInfo, in the namespaces of wherever it stands.

const seed = Number(process.env.C14N_SEED ?? 20_261_125)
const documents = Number(process.env.C14N_DOCUMENTS ?? 1_500)
const documentsAtOnce = 250

const { certificate, key } = signing('region-050', 'signing-ec')
const privateKey = createPrivateKey(key)

/** What of a document is signed, chosen by any numbers. */
interface Wishes {
  readonly root: GeneratedElement
  readonly place: number
  readonly enclosing: number
  readonly others: readonly { readonly element: number; readonly omit: number | null; readonly prefixes: string[] }[]
  readonly prefixes: string[]
  readonly ownPrefixes: string[]
}

const listed = ['#default', 'xml', 'unknown', ...wildAlphabet.prefixes.filter((prefix) => prefix !== '')]
const list = fc.subarray(listed)
const wishes: fc.Arbitrary<Wishes> = fc.record({
  root: roots(wildAlphabet),
  place: fc.nat(),
  enclosing: fc.nat(),
  others: fc.array(fc.record({ element: fc.nat(), omit: fc.option(fc.nat(), { freq: 2 }), prefixes: list }), {
    minLength: 2,
    maxLength: 4,
  }),
  prefixes: list,
  ownPrefixes: list,
})

/** An element that is signed: the one around the signature, or another, of which a descendant may be left out. */
interface Target {
  readonly element: number
  readonly omit: number | 'signature' | undefined
  readonly prefixes: readonly string[]
}

interface SignedDocument {
  readonly text: string
  /** Our canonical forms, in the order of the references. */
  readonly forms: readonly string[]
}

function signed({ root, ownPrefixes, ...wish }: Wishes): SignedDocument {
  const { parents } = write(root)
  const place = wish.place % parents.length
  const around: number[] = []
  for (let element = place; element !== NONE; element = parents[element] ?? NONE) around.push(element)
  const beside = [...parents.keys()].filter((element) => !around.includes(element))
  const targets: Target[] = [
    { element: around[wish.enclosing % around.length] ?? place, omit: 'signature', prefixes: wish.prefixes },
  ]
  if (beside.length > 0) {
    for (const other of wish.others) {
      const element = beside[other.element % beside.length] ?? place
      const inside = descendants(parents, element)
      const omit = other.omit === null ? undefined : inside[other.omit % inside.length]
      targets.push({ element, omit, prefixes: other.prefixes })
    }
  }
  const named = new Set(
    targets.flatMap(({ element, omit }) => (typeof omit === 'number' ? [element, omit] : [element])),
  )
  const attributes = new Map([...named].map((element) => [element, ` xml:id="e${element}"`]))
  const spell = (digests: readonly string[], value: string) =>
    write(root, { attributes, content: new Map([[place, signature(targets, ownPrefixes, digests, value)]]) }).text

  // Nothing that is digested depends on a digest: where the signature stands inside, it is left out.
  const tree = readTree(Buffer.from(spell([], '')))
  const numberOf = numbering(tree, parents.length, place)
  const formed = targets.map(({ element, omit, prefixes }) => {
    const options: CanonicalOptions = { inclusivePrefixes: prefixes }
    const left = omit === 'signature' ? place + 1 : omit === undefined ? NONE : numberOf(omit)
    return canonicalBytes(tree, numberOf(element), { ...options, omit: left })
  })
  const digests = formed.map((form) => hash('sha256', form, 'base64'))
  const signedInfo = canonicalBytes(readTree(Buffer.from(spell(digests, ''))), place + 2, {
    inclusivePrefixes: ownPrefixes,
  })
  const value = signWith('ES256', signedInfo, privateKey).toString('base64')
  return { text: spell(digests, value), forms: formed.map((form) => form.toString('utf8')) }
}

/** The signature stands first in its place, and moves what follows. */
function numbering(tree: XmlTree, elements: number, place: number): (element: number) => number {
  const inserted = tree.records.count - elements
  return (element) => (element > place ? element + inserted : element)
}

function signature(
  targets: readonly Target[],
  ownPrefixes: readonly string[],
  digests: readonly string[],
  value: string,
): string {
  const { ds, enveloped, exclusiveC14n } = dsigNames
  const inclusive = (prefixes: readonly string[]) =>
    prefixes.length === 0
      ? ''
      : `<ec:InclusiveNamespaces xmlns:ec="${exclusiveC14n}" PrefixList="${prefixes.join(' ')}"/>`
  const leaving = (omit: Target['omit']) => {
    if (omit === undefined) return ''
    if (omit === 'signature') return `<ds:Transform Algorithm="${enveloped}"/>`
    const filter = 'http://www.w3.org/2002/06/xmldsig-filter2'
    const path = `<f:XPath xmlns:f="${filter}" Filter="subtract">id("e${omit}")</f:XPath>`
    return `<ds:Transform Algorithm="${filter}">${path}</ds:Transform>`
  }
  const references = targets.map(
    ({ element, omit, prefixes }, index) =>
      `<ds:Reference URI="#e${element}"><ds:Transforms>${leaving(omit)}` +
      `<ds:Transform Algorithm="${exclusiveC14n}">${inclusive(prefixes)}</ds:Transform></ds:Transforms>` +
      '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>' +
      `<ds:DigestValue>${digests[index] ?? ''}</ds:DigestValue></ds:Reference>`,
  )
  return (
    `<ds:Signature xmlns:ds="${ds}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="${exclusiveC14n}">` +
    `${inclusive(ownPrefixes)}</ds:CanonicalizationMethod>` +
    '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"/>' +
    `${references.join('')}</ds:SignedInfo><ds:SignatureValue>${value}</ds:SignatureValue></ds:Signature>`
  )
}

describeWith(xmlsec1, 'canonical forms by us and by xmlsec1', () => {
  it('are the same bytes for thousands of elements of generated documents', () => {
    const all = fc.sample(wishes, { numRuns: documents, seed }).map(signed)
    for (let from = 0; from < all.length; from += documentsAtOnce) {
      const batch = all.slice(from, from + documentsAtOnce)
      const judgement = allJudgedByXmlsec1(
        batch.map(({ text }) => text),
        certificate,
      )
      if (!judgement.holds) explain(batch, judgement.said)
    }
    expect(all.reduce((sum, { forms }) => sum + forms.length, 0)).toBeGreaterThan(documents * 2)
  })

  it('are not the same once a document was changed: xmlsec1 does look at each', () => {
    const [first, second] = fc.sample(wishes, { numRuns: 2, seed }).map(signed)
    if (first === undefined || second === undefined) throw new Error('nothing was generated')
    const changed = second.text.replace(' xml:id="', ' added="" xml:id="')
    expect(allJudgedByXmlsec1([first.text, second.text], certificate)).toEqual({ holds: true })
    expect(allJudgedByXmlsec1([first.text, changed], certificate)).toEqual({
      holds: false,
      said: expect.stringContaining('1.xml'),
    })
  })
})

/** Throws with the first canonical form that differs, or with what xmlsec1 said when none does. */
function explain(batch: readonly SignedDocument[], said: string): never {
  const number = /"(\d+)\.xml"/.exec(said)?.[1]
  const document = number === undefined ? undefined : batch[Number(number)]
  if (document === undefined) throw new Error(said)
  expect(digestedByXmlsec1(document.text, certificate), document.text).toEqual(document.forms)
  throw new Error(`SignedInfo differs: ${said}\n${document.text}`)
}
