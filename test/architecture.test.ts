import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = new URL('../', import.meta.url)

/** An import as a source file writes it, its target as a path of the project or as the name of a package. */
interface Import {
  readonly from: string
  readonly target: string
  readonly typesOnly: boolean
}

/** A target; one that ends in `/` or `:` stands for all that begin with it. `types` may be imported as types only. */
type Allowed = string | { readonly types: string }

const core = 'src/core/'
const wire = 'src/wire/'

const everything: readonly Allowed[] = ['src/', 'adapters/index.ts', 'contracts/', '@hono/node-server', 'node:']

/** Who may import what beside their own folder. A folder that is not here is nobody's, and fails. */
const layers: Readonly<Record<string, readonly Allowed[]>> = {
  'src/core': [],
  'src/wire': [core, 'contracts/', 'node:buffer'],
  'src/http': [
    core,
    wire,
    { types: 'src/telemetry/' },
    'contracts/explanations/',
    'hono',
    '@hono/node-server',
    'node:buffer',
    'node:crypto',
    'node:http',
    'node:https',
    'node:stream',
    'node:stream/promises',
    'node:tls',
  ],
  'src/trust': [core, wire, 'node:buffer', 'node:crypto'],
  // Keys of this process: files, and signers behind sockets.
  'src/keys': [
    core,
    'src/trust/signer.ts',
    'src/trust/algorithms.ts',
    'src/trust/x509/',
    'node-forge',
    'node:crypto',
    'node:fs',
    'node:fs/promises',
    'node:http',
    'node:net',
  ],
  // The client implements the tools that the adapters' contract promises.
  'src/client': [core, wire, { types: 'src/config/adapter.ts' }, 'undici', 'node:tls', 'node:crypto'],
  'src/resilience': [core, 'opossum'],
  'src/cache': [core, 'lru-cache', 'node:crypto'],
  'src/store': [
    core,
    'pg',
    'node:crypto',
    'node:fs',
    'node:fs/promises',
    'node:path',
    'node:tls',
    'node:sqlite',
    'node:url',
    'node:worker_threads',
  ],
  'src/journal': [core],
  // How the requests of consumers are authenticated; the front says what a guard is.
  'src/guards': [
    core,
    { types: 'src/config/tokens.ts' },
    { types: 'src/http/api/guard.ts' },
    'src/trust/',
    'contracts/affinity-domain/',
    'node:crypto',
  ],
  'src/spool': [
    core,
    'node:buffer',
    'node:crypto',
    'node:fs',
    'node:fs/promises',
    'node:os',
    'node:path',
    'node:stream',
    'node:stream/promises',
    'node:worker_threads',
  ],
  // The reader of documents is a process of its own and finds the project by its package.
  'src/documents': [core, wire, '@libpdf/core', 'package.json', 'node:'],
  'src/audit': [core, 'src/store/store.ts', 'src/wire/hl7/'],
  'src/telemetry': [core, 'contracts/explanations/', 'pino', 'prom-client', 'node:'],
  // The schema of the configuration is printed into contracts/config.
  'src/config': [core, 'contracts/config/', 'zod', 'node:fs', 'node:path'],
  'src/cli': everything,
  // The composition root: the gateway, and what it reads off the configuration.
  'src/main.ts': everything,
  'src/gateway.ts': everything,
  'src/national.ts': everything,
  'src/policies.ts': everything,
  'src/consents.ts': everything,
  'src/communities.ts': everything,
  'src/key-sets.ts': everything,
  'src/deliveries.ts': everything,
  'src/parties.ts': everything,
  'src/producers.ts': everything,
  'src/tokens.ts': everything,
  'src/transfers.ts': everything,
  'src/modi.ts': everything,
  'src/sistema-ts': everything,
  'src/open-store.ts': everything,
  'src/trust-material.ts': everything,
  'src/watch-certificates.ts': everything,
  'src/portal-api.ts': everything,
  'src/portal-fhir.ts': everything,
  'src/workflow-status.ts': everything,
  'adapters/index.ts': ['src/config/adapter.ts', ...adapterFolders().map((name) => `adapters/${name}/index.ts`)],
  ...Object.fromEntries(
    adapterFolders().map((name) => [`adapters/${name}`, [core, wire, 'contracts/', 'src/config/adapter.ts', 'zod']]),
  ),
}

function adapterFolders(): string[] {
  const entries = readdirSync(new URL('adapters/', root), { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}

function filesUnder(folder: string, isSkipped: (path: string) => boolean = () => false): string[] {
  return readdirSync(new URL(folder === '' ? '.' : `${folder}/`, root), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name)
    if (isSkipped(path)) return []
    return entry.isDirectory() ? filesUnder(path, isSkipped) : entry.isFile() ? [path] : []
  })
}

function textOf(path: string): string {
  return readFileSync(new URL(path, root), 'utf8')
}

const forms = [
  /^[ \t]*(?:import|export)\b([^'"`;=(]*?)\bfrom\s*['"]([^'"]+)['"]/gm,
  /^[ \t]*import()\s*['"]([^'"]+)['"]/gm,
  /\b(?:import|require)()\s*\(\s*['"`]([^'"`]+)['"`]/g,
  /\bnew\s+URL()\(\s*['"`](\.[^'"`]+\.[a-z]+)['"`]\s*,\s*import\.meta\.url/g,
]

function importsOf(path: string, text: string): Import[] {
  return forms.flatMap((form) =>
    [...text.matchAll(form)].map(([, clause = '', specifier = '']) => ({
      from: path,
      target: targetOf(path, specifier),
      typesOnly: isTypesOnly(clause),
    })),
  )
}

function targetOf(path: string, specifier: string): string {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(path), specifier)
  if (specifier.startsWith('node:')) return specifier
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function isTypesOnly(clause: string): boolean {
  const text = clause.trim()
  if (/^type\b/.test(text)) return true
  const names = /^\{([^}]*)\}$/
    .exec(text)?.[1]
    ?.split(',')
    .map((name) => name.trim())
  return names?.filter((name) => name !== '').every((name) => name.startsWith('type ')) ?? false
}

/** The key of the table that judges a file: the file's own where there is one, else its folder's. */
function layerOf(path: string): string {
  return path in layers ? path : path.split('/').slice(0, 2).join('/')
}

/** What is wrong with a file's imports, as sentences; none when all is right. */
function violations(path: string, text: string): string[] {
  const layer = layerOf(path)
  const allowed = layers[layer]
  if (allowed === undefined) return [`${path} is in ${layer}, which no line of the table judges`]
  return importsOf(path, text)
    .filter(({ target, typesOnly }) => !mayImport(layer, allowed, target, typesOnly))
    .map(({ target }) => `${path} imports ${target}`)
}

function mayImport(layer: string, allowed: readonly Allowed[], target: string, typesOnly: boolean): boolean {
  if (target.startsWith(`${layer}/`)) return true
  return allowed.some((one) => {
    const name = typeof one === 'string' ? one : one.types
    const fits = /[/:]$/.test(name) ? target.startsWith(name) : target === name
    return fits && (typeof one === 'string' || typesOnly)
  })
}

const sources = [...filesUnder('src'), ...filesUnder('adapters')].filter((path) => path.endsWith('.ts'))

/** Comments may speak of the world outside; strings and identifiers may not. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
}

function protocolWords(text: string): string[] {
  const code = withoutComments(text).replace(/\bJSON\.stringify\b/g, '')
  return code.match(/\b(?:soap|xml|https?|fhir|json)\b/gi) ?? []
}

function nodeGlobals(text: string): string[] {
  return withoutComments(text).match(/\bBuffer\b|\bprocess\.|\bsetImmediate\b|\b__dirname\b/g) ?? []
}

// Put together here, so that this file is no example of what it forbids.
const machinePath = new RegExp(`(?<![\\w.~}$*-])/(?:${['work', 'home', 'root', 'Users'].join('|')})/`)

describe('the map', () => {
  it('sees the source files and their imports', () => {
    expect(sources.length).toBeGreaterThan(80)
    const imports = sources.flatMap((path) => importsOf(path, textOf(path)))
    expect(imports.length).toBeGreaterThan(300)
    expect(new Set(imports.map(({ target }) => target))).toContain('src/core/errors.ts')
    const folders = new Set(sources.map(layerOf))
    for (const folder of ['src/core', 'src/wire', 'src/trust', 'src/client', 'adapters/ini']) {
      expect(folders).toContain(folder)
    }
  })

  it.each([
    ['a module of Node in the core', 'src/core/model/code.ts', `import { hash } from 'node:crypto'`],
    ['another layer in the core', 'src/core/errors.ts', `import type { XmlTree } from '../wire/xml.ts'`],
    ['input and output on the wire', 'src/wire/soap.ts', `import { readFile } from 'node:fs/promises'`],
    ['another adapter', 'adapters/ini/index.ts', `import { regionRegistry } from '../region/registry.ts'`],
    ['sockets in an adapter', 'adapters/region/registry.ts', `import { request } from 'undici'`],
    ['an adapter in a front', 'src/http/soap/endpoint.ts', `import ini from '../../../adapters/ini/index.ts'`],
    ['values where types are allowed', 'src/http/ops.ts', `import { events } from '../telemetry/events.ts'`],
    ['tests in production', 'src/main.ts', `import { Network } from '../test/network/network.ts'`],
    ['an import over several lines', 'src/cache/key.ts', `import {\n  type A,\n  b,\n} from '../trust/trust-store.ts'`],
    ['a re-export', 'src/store/store.ts', `export { send } from '../client/send.ts'`],
    ['a bare import', 'src/audit/trail.ts', `import '../http/ops.ts'`],
    ['a dynamic import', 'src/resilience/guard.ts', `const late = await import('undici')`],
    ['a thread', 'src/cache/cached.ts', `new Worker(new URL('../store/sqlite-worker.ts', import.meta.url))`],
    ['a folder nobody listed', 'src/helpers/text.ts', ''],
  ])('catches %s', (_what, path, text) => {
    expect(violations(path, text)).toHaveLength(1)
  })

  it('lets a front import types of telemetry', () => {
    expect(violations('src/http/ops.ts', `import { type Events } from '../telemetry/events.ts'`)).toEqual([])
  })

  it('holds for every file of src and adapters', () => {
    expect(sources.flatMap((path) => violations(path, textOf(path)))).toEqual([])
  })

  it('has a folder or a file for every line of the table', () => {
    const seen = new Set(sources.map(layerOf))
    expect(Object.keys(layers).filter((layer) => !seen.has(layer))).toEqual([])
  })

  it('lists every adapter', () => {
    const text = textOf('adapters/index.ts')
    const list =
      /\badapters\b[^=]*=\s*\[([^\]]*)\]/
        .exec(text)?.[1]
        ?.split(',')
        .map((name) => name.trim()) ?? []
    const listed = [...text.matchAll(/^import (\w+) from '\.\/([^/']+)\/index\.ts'$/gm)]
      .filter(([, name = '']) => list.includes(name))
      .map(([, , folder]) => folder)
    expect(listed.sort()).toEqual(adapterFolders().sort())
  })

  it('is known as a whole to the composition root and the command line only', () => {
    const knowing = sources.flatMap((path) => importsOf(path, textOf(path)))
    const outsiders = knowing.filter(({ from, target }) => from.startsWith('src/') && target.startsWith('adapters/'))
    expect(outsiders.filter(({ from }) => layers[layerOf(from)] !== everything)).toEqual([])
    const roots = sources.filter((path) => layers[layerOf(path)] === everything)
    const users = knowing.filter(({ from, target }) => roots.includes(target) && !roots.includes(from))
    expect(users).toEqual([])
  })
})

describe('the core', () => {
  const files = sources.filter((path) => path.startsWith('src/core/'))

  it('is judged by a test that sees protocol words and Node', () => {
    expect(protocolWords(`const title = 'a SOAP fault' // xml\n/* http */ JSON.stringify(json)`)).toEqual([
      'SOAP',
      'json',
    ])
    expect(nodeGlobals('Buffer.from(process.env)')).toEqual(['Buffer', 'process.'])
    expect(files.length).toBeGreaterThan(15)
  })

  it('knows no protocol', () => {
    expect(files.flatMap((path) => protocolWords(textOf(path)).map((word) => `${path}: ${word}`))).toEqual([])
  })

  it('uses nothing that only Node has', () => {
    expect(files.flatMap((path) => nodeGlobals(textOf(path)).map((word) => `${path}: ${word}`))).toEqual([])
  })
})

describe('the project', () => {
  const skipped = /^(?:\.git|\.crocevia|node_modules|dist|coverage|certs-dev\/out)$|\.sqlite(?:-wal|-shm)?$/
  const files = filesUnder('', (path) => skipped.test(path))

  it('names no path of somebody’s machine', () => {
    expect(machinePath.test(`see ${['', 'work', 'notes.md'].join('/')}`)).toBe(true)
    expect(files.length).toBeGreaterThan(sources.length)
    expect(files.filter((path) => machinePath.test(textOf(path)))).toEqual([])
  })
})
