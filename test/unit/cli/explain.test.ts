import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { explanations } from '../../../contracts/explanations/explanation-of.ts'

const main = join(import.meta.dirname, '../../../src/cli/main.ts')

function crocevia(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, 'explain', ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
}

describe('crocevia explain', () => {
  it('tells what a code means, whose doing it is, what to do and what users are told', async () => {
    const { code, stdout } = await crocevia('CRF1')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^CRF1 {2}It is not possible to communicate with the RDA\.$/m)
    expect(stdout).toMatch(/Whose doing {4}the other region’s/)
    expect(stdout).toMatch(/Try again {6}the gateway does by itself/)
    expect(stdout).toContain('La regione dell’assistito al momento non risponde')
    expect(stdout).toContain('#2716')
  })

  it('goes by the words beside a code', async () => {
    const { stdout } = await crocevia('XDSRegistryError', '--text', 'Internal Error 1011')
    expect(stdout).toMatch(/^Internal Error <n>$/m)
  })

  it('tells the same as JSON', async () => {
    const { stdout } = await crocevia('R227', '--json')
    expect(JSON.parse(stdout)).toEqual([explanations.find(({ code }) => code === 'R227')])
  })

  it('lists all, by system', async () => {
    const [text, json] = await Promise.all([crocevia(), crocevia('--json')])
    for (const title of ['INI and regions of assistance', 'Sistema TS', 'PDND']) {
      expect(text.stdout).toMatch(new RegExp(`^${title}$`, 'm'))
    }
    expect(explanations.filter(({ meaning }) => !text.stdout.includes(meaning))).toEqual([])
    expect(JSON.parse(json.stdout)).toHaveLength(explanations.length)
  })

  it('says so when nothing is known, and how it is used', async () => {
    const unknown = await crocevia('NoSuchCode')
    expect([unknown.code, unknown.stdout]).toEqual([4, ''])
    expect(unknown.stderr).toContain('no source explains NoSuchCode')
    expect((await crocevia('R50', 'R56')).code).toBe(2)
  })
})
