import { commandOf } from './arguments.ts'

const options = {
  config: { type: 'string' },
  federation: { type: 'string', default: '.crocevia/federation.json' },
  community: { type: 'string', default: 'ini' },
  patient: { type: 'string' },
  // Who asks.
  role: { type: 'string' },
  purpose: { type: 'string' },
  subject: { type: 'string' },
  locality: { type: 'string' },
  'in-care': { type: 'boolean', default: false },
  // About what.
  document: { type: 'string' },
  repository: { type: 'string' },
  home: { type: 'string' },
  deprecated: { type: 'boolean', default: false },
  'assisted-by': { type: 'string' },
  // What is told of a document.
  'unique-id': { type: 'string' },
  type: { type: 'string', multiple: true, default: [] as string[] },
  title: { type: 'string' },
  event: { type: 'string', multiple: true, default: [] as string[] },
  confidentiality: { type: 'string' },
  nre: { type: 'string' },
  metadata: { type: 'string' },
  // Consents, and the notice they are given on.
  give: { type: 'string', multiple: true, default: [] as string[] },
  withdraw: { type: 'string', multiple: true, default: [] as string[] },
  requestor: { type: 'string' },
  id: { type: 'string' },
  // Index transfers.
  'transfer-id': { type: 'string' },
  entry: { type: 'string', multiple: true, default: [] as string[] },
  // The command itself.
  timeout: { type: 'string', default: '60' },
  out: { type: 'string' },
  production: { type: 'boolean', default: false },
  show: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const

/** Reads the words and the options of `ini`. Throws CliError. */
export const iniArguments = (args: readonly string[]) => commandOf(args, options)

export type IniValues = ReturnType<typeof iniArguments>['values']
