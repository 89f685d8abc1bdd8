import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import { samlNames } from '../../src/wire/saml/names.ts'
import { soapNames } from '../../src/wire/soap.ts'
import { dsigNames } from '../../src/wire/xml-signature.ts'
import type { SigningIdentity } from './saml.ts'

// Signs and verifies XML by implementations nobody here wrote: xmlsec1 (C), and signxml (Python), which are not always
// there.

const deadlineMs = 50_000

interface Run {
  readonly folder?: string
  readonly input?: string
}

function run(command: string, args: readonly string[], { folder, input }: Run = {}): SpawnSyncReturns<string> {
  return spawnSync(command, args, {
    encoding: 'utf8',
    timeout: deadlineMs,
    maxBuffer: 64 * 1024 * 1024,
    ...(folder === undefined ? {} : { cwd: folder }),
    ...(input === undefined ? {} : { input }),
  })
}

/** Something from outside that a suite needs. */
interface Tool {
  /** Why it cannot be asked; undefined when it can. */
  readonly missing: string | undefined
  readonly version: string
}

/**
 * Looks whether a tool answers. One that is there and does not work is a failure in continuous integration, where CI is
 * `true`, and missing elsewhere.
 */
function tool(
  name: string,
  command: string,
  args: readonly string[],
  isAbsent: (complaint: string) => boolean = () => false,
): Tool {
  const { error, status, stderr, stdout } = run(command, args)
  if (status === 0) return { missing: undefined, version: stdout.trim() }
  // There is no stderr of what could not be started.
  const said = stderr ?? ''
  // The second is how a launcher of several Pythons tells it.
  const absent = (error !== undefined && 'code' in error && error.code === 'ENOENT') || /command not found/.test(said)
  if (absent || isAbsent(said)) return { missing: `${name} is not installed`, version: '' }
  const complaint = `${name} is installed and does not work: ${error?.message ?? said.trim()}`
  if (process.env.CI === 'true') throw new Error(complaint)
  return { missing: complaint, version: '' }
}

/** `describe` that is skipped, and says why, where a tool cannot be asked. */
export function describeWith(find: () => Tool, title: string, suite: () => void): void {
  const { missing } = find()
  describe.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (skipped: ${missing})`, suite)
}

/** Each is looked for once, and only by those who need it. */
function once(find: () => Tool): () => Tool {
  let found: Tool | undefined
  return () => {
    found ??= find()
    return found
  }
}

export const xmlsec1 = once(() => tool('xmlsec1', 'xmlsec1', ['--version']))

/** Since 1.3 a key is used only where KeyInfo names it, unless asked otherwise; before, there is no such option. */
function laxKeySearch(): readonly string[] {
  return /\b1\.[0-2]\./.test(xmlsec1().version) ? [] : ['--lax-key-search']
}

/** Which elements have ids, and in which attribute: xmlsec1 reads no schema. */
export interface Identified {
  readonly attribute: string
  /** `namespace:local`. */
  readonly elements: readonly string[]
}

export const assertionIds: Identified = { attribute: 'ID', elements: [`${samlNames.saml}:Assertion`] }

/** The parts of a message that ModI signs. */
export const messageIds: Identified = {
  attribute: 'Id',
  elements: [
    `${soapNames.wsa}:To`,
    `${soapNames.wsa}:MessageID`,
    `${soapNames.wsu}:Timestamp`,
    `${soapNames.soap12}:Body`,
  ],
}

function idArguments({ attribute, elements }: Identified): string[] {
  return elements.flatMap((element) => [`--id-attr:${attribute}`, element])
}

/** Gives files to a piece of work, and takes them away again. */
export function inFolder<T>(files: Readonly<Record<string, string>>, work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'crocevia-judge-'))
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
    return work(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Fills the signature templates of a document by xmlsec1. Throws with what it said when it does not. */
export function signedByXmlsec1(template: string, { key, certificate }: SigningIdentity, ids: Identified): string {
  const files = { 'key.pem': key, 'certificate.pem': certificate, 'template.xml': template }
  return inFolder(files, (folder) => {
    const args = ['--sign', ...laxKeySearch(), '--privkey-pem', 'key.pem,certificate.pem', ...idArguments(ids)]
    const { status, stderr } = run('xmlsec1', [...args, '--output', 'signed.xml', 'template.xml'], { folder })
    if (status !== 0) throw new Error(`xmlsec1 did not sign: ${stderr}`)
    return readFileSync(join(folder, 'signed.xml'), 'utf8')
  })
}

/** Whom xmlsec1 believes: the certificate in the signature under these authorities, or one key, whatever KeyInfo says. */
export type Believed = { readonly authorities: string } | { readonly certificate: string }

/** What it said when it does not hold. */
export type Judgement = { readonly holds: true } | { readonly holds: false; readonly said: string }

/** Whether the first signature of a document holds for xmlsec1. */
export function judgedByXmlsec1(document: string, believed: Believed, ids: Identified): Judgement {
  const [option, pem] =
    'authorities' in believed
      ? [['--trusted-pem'], believed.authorities]
      : [[...laxKeySearch(), '--pubkey-cert-pem'], believed.certificate]
  return inFolder({ 'believed.pem': pem, 'document.xml': document }, (folder) =>
    judgement(run('xmlsec1', ['--verify', ...option, 'believed.pem', ...idArguments(ids), 'document.xml'], { folder })),
  )
}

function judgement({ error, status, stderr, stdout }: SpawnSyncReturns<string>): Judgement {
  if (status === 0) return { holds: true }
  // Anything but 1 is no judgement: a signal, a deadline.
  if (status !== 1) throw error ?? new Error(`xmlsec1 ended with ${status}: ${stderr}`)
  return { holds: false, said: `${stdout}\n${stderr}` }
}

/**
 * The same for many documents by one process: all with the key of one certificate, references to `xml:id`. It stops at the
 * first that does not hold; `said` then names the file (`<number>.xml`).
 */
export function allJudgedByXmlsec1(documents: readonly string[], certificate: string): Judgement {
  const files = Object.fromEntries(documents.map((document, number) => [`${number}.xml`, document]))
  return inFolder({ ...files, 'certificate.pem': certificate }, (folder) => {
    const args = ['--verify', ...laxKeySearch(), '--pubkey-cert-pem', 'certificate.pem', ...Object.keys(files)]
    return judgement(run('xmlsec1', args, { folder }))
  })
}

/** What xmlsec1 took the digest of, reference by reference: to show where canonical forms part. */
export function digestedByXmlsec1(document: string, certificate: string): readonly string[] {
  return inFolder({ 'certificate.pem': certificate, 'document.xml': document }, (folder) => {
    const args = ['--verify', ...laxKeySearch(), '--store-references', '--print-debug']
    const { stdout } = run('xmlsec1', [...args, '--pubkey-cert-pem', 'certificate.pem', 'document.xml'], { folder })
    const buffers = /== PreDigest data - start buffer:\n(.*?)\n== PreDigest data - end buffer/gs
    return [...stdout.matchAll(buffers)].map(([, buffer = '']) => buffer)
  })
}

/** The Python that has the packages of test/interop/requirements.txt. */
export const python = process.env.PYTHON ?? 'python3'

function pythonPackage(name: string): () => Tool {
  return once(() =>
    tool(`${name} for Python`, python, ['-c', `import ${name}`], (said) => said.includes(`No module named '${name}'`)),
  )
}

export const signxml = pythonPackage('signxml')
export const zeep = pythonPackage('zeep')

const script = join(import.meta.dirname, '../interop/signxml_judge.py')

/** What signxml is asked; algorithms as XML signature names them. */
export type SignxmlJob =
  | {
      readonly do: 'sign'
      /** With a `ds:Signature` placeholder where the signature is to be. */
      readonly document: string
      readonly key: string
      readonly certificate: string
      readonly signature: string
      readonly digest: string
      readonly prefixes: readonly string[]
    }
  | {
      readonly do: 'verify'
      readonly document: string
      /** PEM. */
      readonly authorities: string
      /** Where the signature is to be found, an XPath of ElementTree. */
      readonly location: string
    }

/** `signed` is the document that was signed, or the element that a signature which holds was found to cover. */
export type SignxmlAnswer = { readonly signed: string } | { readonly refused: string }

export function askSignxml(jobs: readonly SignxmlJob[]): readonly SignxmlAnswer[] {
  const { error, status, stderr, stdout } = run(python, [script], { input: JSON.stringify(jobs) })
  if (status !== 0) throw error ?? new Error(`signxml ended with ${status}: ${stderr}`)
  return JSON.parse(stdout) as SignxmlAnswer[]
}

/** Where signxml puts the signature. */
export const signxmlPlaceholder = `<ds:Signature xmlns:ds="${dsigNames.ds}" Id="placeholder"></ds:Signature>`
