import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { iniOptions } from '../../adapters/ini/options.ts'
import { regionOptions } from '../../adapters/region/options.ts'
import { sistemaTsOptions } from '../../adapters/sistema-ts/options.ts'
import { tuscanyOptions } from '../../adapters/tuscany/options.ts'
import { exitCodes } from '../../src/cli/exit.ts'
import { federation } from '../../src/config/federation.ts'
import { errorCodes, GatewayError } from '../../src/core/errors.ts'
import { soapErrors } from '../../src/http/soap/error-table.ts'
import { createEvents } from '../../src/telemetry/events.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { queryIds } from '../../src/wire/ebrim/names.ts'

const root = resolve(import.meta.dirname, '../..')
const pages = globSync(
  ['*.md', 'docs/**/*.md', 'adapters/**/*.md', 'contracts/**/*.md', 'certs-dev/*.md', 'test/*/*.md'],
  {
    cwd: root,
  },
)

const textOf = (path: string): string => readFileSync(join(root, path), 'utf8')

/** The cells of the table rows of a page or of one section, by what stands in backticks in the first cell. */
function rowsOf(page: string, section?: string): ReadonlyMap<string, readonly string[]> {
  const text = textOf(page)
  const part = section === undefined ? text : (text.split(`\n## ${section}\n`)[1]?.split('\n## ')[0] ?? '')
  const rows = [...part.matchAll(/^\| `([^`]+)` \|(.*)\|$/gm)]
  return new Map(rows.map(([, name = '', rest = '']) => [name, rest.split('|').map((cell) => cell.trim())]))
}

interface Key {
  readonly path: string
  readonly default?: unknown
}

/** The leaves of a schema as paths; `[]` stands for each member of a list. */
function keysOf(schema: z.core.JSONSchema.BaseSchema, path = ''): Key[] {
  const { properties, items } = schema
  if (properties !== undefined) {
    return Object.entries(properties).flatMap(([name, inner]) =>
      typeof inner === 'boolean' ? [] : keysOf(inner, path === '' ? name : `${path}.${name}`),
    )
  }
  if (typeof items === 'object' && !Array.isArray(items) && items.properties !== undefined) {
    return keysOf(items, `${path}[]`)
  }
  return [{ path, ...(schema.default === undefined ? {} : { default: schema.default }) }]
}

const inputOf = (schema: z.ZodType): Key[] => keysOf(z.toJSONSchema(schema, { io: 'input' }))

function spelled(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Github's anchor of a heading. */
function anchorsOf(page: string): string[] {
  return [...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

describe('the documentation', () => {
  it('is seen', () => {
    for (const page of ['docs/architecture.md', 'docs/operations.md', 'CHANGELOG.md', 'adapters/ini/README.md']) {
      expect(pages).toContain(page)
    }
  })

  it('links to what exists', () => {
    const broken = pages.flatMap((page) =>
      [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => {
          const [path = '', anchor] = target.split('#')
          const linked = path === '' ? page : join(dirname(page), path)
          return !existsSync(join(root, linked)) || (anchor !== undefined && !anchorsOf(linked).includes(anchor))
        })
        .map((target) => `${page}: ${target}`),
    )
    expect(broken).toEqual([])
  })

  it('names files and folders that exist', () => {
    const tops = 'src|adapters|contracts|certs-dev|test|docs|deploy'
    const named = new RegExp(`\`((?:${tops})/[A-Za-z0-9_./-]+)\``, 'g')
    const made = /^certs-dev\/out\b/
    const missing = pages.flatMap((page) =>
      [...textOf(page).matchAll(named)]
        .map(([, path = '']) => path)
        .filter((path) => !made.test(path) && !existsSync(join(root, path)))
        .map((path) => `${page}: ${path}`),
    )
    expect(missing).toEqual([])
  })

  it('names files of the folder it stands in', () => {
    const missing = pages
      .filter((page) => /^adapters\/\w+\/README\.md$/.test(page))
      .flatMap((page) =>
        [...textOf(page).matchAll(/`([a-z-]+\.ts)`/g)]
          .map(([, name = '']) => join(dirname(page), name))
          .filter((path) => !existsSync(join(root, path))),
      )
    expect(missing).toEqual([])
  })

  it('names npm scripts that exist', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> }
    const named = pages.flatMap((page) =>
      [...textOf(page).matchAll(/npm run (?:--silent )?([a-z:]+)/g)].map(([, name = '']) => name),
    )
    expect([...new Set(named)].filter((name) => scripts[name] === undefined)).toEqual([])
  })
})

describe('the operations page', () => {
  const page = 'docs/operations.md'
  const rows = rowsOf(page)

  it('tells every key of the configuration with its default, and no key that does not exist', () => {
    const keys = inputOf(federation)
    const rows = rowsOf(page, 'Configuration, key by key')
    expect([...rows.keys()].sort()).toEqual(keys.map(({ path }) => path).sort())
    const defaults = keys.map(({ path, default: value }) => [path, value === undefined ? '' : `\`${spelled(value)}\``])
    expect(keys.map(({ path }) => [path, rows.get(path)?.[1]])).toEqual(defaults)
  })

  it('tells every event, and which of them nothing raises', () => {
    const events = createEvents(createLog({ level: 'silent' }), createMetrics())
    const names = Object.keys(events)
    const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    expect(names.filter((name) => !rows.has(kebab(name)))).toEqual([])
    const sources = globSync('src/**/*.ts', { cwd: root }).filter((path) => !path.startsWith('src/telemetry/'))
    const code = sources.map(textOf).join('\n')
    const silent = names.filter((name) => !code.includes(`.${name}(`)).map(kebab)
    const [, told = ''] = /Not raised by this version: (.*?)\.$/m.exec(textOf(page)) ?? []
    expect([...told.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name).sort()).toEqual(silent.sort())
  })

  it('tells every metric with its labels', async () => {
    const metrics = createMetrics()
    const names = [...(await metrics.text()).matchAll(/^# HELP (\S+)/gm)].map(([, name = '']) => name)
    expect(names.length).toBeGreaterThan(5)
    expect([...rows.keys()].filter((name) => name.startsWith('crocevia_')).sort()).toEqual(names.sort())
  })

  it('tells every exit code of the command line', () => {
    const told = [...textOf(page).matchAll(/^\| (\d) \| `([a-z-]+)` \|/gm)].map(([, code, name]) => [
      name,
      Number(code),
    ])
    expect(Object.fromEntries(told)).toEqual(exitCodes)
  })

  it('tells every benchmark', () => {
    const table = /const benches[^{]*\{([^}]*)\}/.exec(textOf('test/bench/run.ts'))?.[1] ?? ''
    const names = [...table.matchAll(/^ {2}'([a-z0-9-]+)'/gm)].map(([, name = '']) => name)
    expect(names.length).toBeGreaterThan(3)
    expect(names.filter((name) => !rows.has(name))).toEqual([])
  })
})

describe('the conformance page', () => {
  const page = 'docs/conformance.md'
  const rows = rowsOf(page)

  it('tells of every error code whose doing it is and how it is told', () => {
    expect(errorCodes.filter((code) => !rows.has(code))).toEqual([])
    for (const code of errorCodes) {
      const [fault, told] = rows.get(code) ?? []
      expect([code, fault]).toEqual([code, new GatewayError(code, '').fault])
      const entry = soapErrors[code]
      const words =
        entry.as === 'registry-error'
          ? [entry.errorCode]
          : [`${entry.fault.code} fault`, ...(entry.fault.subcodes ?? []), ...(entry.status ? [`${entry.status}`] : [])]
      for (const word of words) expect(told, code).toContain(word)
    }
  })

  it('tells every stored query by its id', () => {
    const told = [...textOf(page).matchAll(/^\| (\w+) \| `([0-9a-f-]{36})` \|/gm)]
    expect(Object.fromEntries(told.map(([, name, id]) => [name, `urn:uuid:${id}`]))).toEqual(queryIds)
  })
})

describe('the page of an adapter', () => {
  it.each([
    ['tuscany', tuscanyOptions],
    ['ini', iniOptions],
    ['region', regionOptions],
    ['sistema-ts', sistemaTsOptions],
  ])('tells every option of %s with its default', (name, options) => {
    const rows = rowsOf(`adapters/${name}/README.md`)
    const keys = inputOf(options)
    expect(keys.length).toBeGreaterThan(1)
    const wanted = keys.map(({ path, default: value }) => [path, value === undefined ? '' : `\`${spelled(value)}\``])
    expect(keys.map(({ path }) => [path, rows.get(path)?.[0]])).toEqual(wanted)
  })

  it('of INI tells every code that has a meaning', () => {
    const codes = [...textOf('adapters/ini/outcome.ts').matchAll(/\['([A-Z]+[0-9]+)', '/g)].map(([, code = '']) => code)
    expect(codes.length).toBeGreaterThan(3)
    const missing = ['adapters/ini/README.md', 'docs/conformance.md'].flatMap((page) =>
      codes.filter((code) => !textOf(page).includes(`\`${code}\``)).map((code) => `${page}: ${code}`),
    )
    expect(missing).toEqual([])
  })
})
