import { userInfo } from 'node:os'
import { ConfigError, loadConfig } from '../config/load.ts'
import { CliError, type Exit } from './exit.ts'

const timeoutMs = 30_000

type Asking = Omit<RequestInit, 'headers'> & { readonly headers: Readonly<Record<string, string>> }

/** The operator port of a running gateway. */
export interface OperatorPort {
  /** What stands at a path, as it was answered. Throws CliError for whatever is no success. */
  get<T>(path: string, operator?: string): Promise<T>
  /** The same of what is changed there. */
  post<T>(path: string, operator: string, body: Readonly<Record<string, string>>): Promise<T>
}

/** Where the operator port is: the address that is given, or what the configuration says. Throws CliError. */
export function operatorPort({ url, config }: { readonly url?: string; readonly config?: string }): OperatorPort {
  const base = url === undefined ? addressIn(config) : addressOf(url)

  async function ask(path: string, { headers, ...options }: Asking): Promise<Response> {
    const { operator = '' } = headers
    if (!/^[ -~]*$/.test(operator)) throw new CliError('usage', '--operator must be plain ASCII')
    let response: Response
    try {
      response = await fetch(new URL(path, base), {
        ...options,
        headers,
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      })
    } catch {
      throw new CliError('unreachable', `no gateway answers at ${base.origin}`)
    }
    if (response.ok) return response
    throw new CliError(exitOf(response.status), await problemIn(response))
  }

  async function read<T>(response: Response): Promise<T> {
    try {
      return (await response.json()) as T
    } catch {
      throw new CliError('unreachable', `what answers at ${base.origin} is no operator port`)
    }
  }

  return {
    async get<T>(path: string, operator?: string) {
      const response = await ask(path, { headers: operator === undefined ? {} : { operator } })
      return await read<T>(response)
    },
    async post<T>(path: string, operator: string, body: Readonly<Record<string, string>>) {
      const headers = { operator, 'content-type': 'application/json' }
      const response = await ask(path, { method: 'POST', headers, body: JSON.stringify(body) })
      return await read<T>(response)
    },
  }
}

/** Who is at the keyboard, as the system knows them. */
export function currentUser(): string {
  try {
    return userInfo().username
  } catch {
    throw new CliError('usage', 'the system does not say who you are: --operator is needed')
  }
}

function addressIn(config: string | undefined): URL {
  if (config === undefined) throw new CliError('usage', '--config or --url is needed')
  const { host, port } = operatorIn(config)
  if (port === 0)
    throw new CliError('usage', 'the configuration lets the system choose the operator port: --url is needed')
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return addressOf(`http://${reached.includes(':') ? `[${reached}]` : reached}:${port}`)
}

function operatorIn(config: string) {
  try {
    return loadConfig(config).federation.gateway.operator
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError('usage', error.message)
    throw error
  }
}

function addressOf(url: string): URL {
  const address = URL.parse(url)
  if (address?.protocol === 'http:' || address?.protocol === 'https:') return address
  throw new CliError('usage', '--url must be the address of an operator port, such as http://127.0.0.1:9090')
}

function exitOf(status: number): Exit {
  return status === 400 ? 'usage' : 'failure'
}

async function problemIn(response: Response): Promise<string> {
  try {
    const { title, detail } = (await response.json()) as { readonly title?: unknown; readonly detail?: unknown }
    return [title, detail].filter((text) => typeof text === 'string').join(': ')
  } catch {
    return `the operator port answered ${response.status}`
  }
}
