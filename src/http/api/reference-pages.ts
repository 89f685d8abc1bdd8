import type { ProblemPage } from './problem-pages.ts'

/** What the page shows of the contract. */
export interface Contract {
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly parameters?: readonly {
    readonly name?: string
    readonly in?: string
    readonly description?: string
    readonly $ref?: string
  }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly example?: unknown }>> }
  readonly responses: Readonly<Record<string, { readonly description?: string; readonly $ref?: string }>>
}

interface Schema {
  readonly description?: string
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly $ref?: string
  readonly enum?: readonly unknown[]
}

/** The only styles of the pages. */
export const style = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:60rem;margin:0 auto;padding:1rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.25rem .5rem;border-bottom:1px solid #8886}
pre,textarea{width:100%;box-sizing:border-box;overflow:auto;padding:.5rem;border:1px solid #8886;font:14px/1.4 ui-monospace,monospace}
section{margin:2rem 0}label{display:block;margin:.5rem 0}button{font:inherit;padding:.5rem 1rem}:focus-visible{outline:3px solid #06c}`

/** Sends the question of the page and shows what comes, as it comes. */
export const script = `const at=(id)=>document.getElementById(id)
at('ask').addEventListener('click',async()=>{
  const out=at('told');out.textContent=''
  try{
    const answer=await fetch('/api/v1/federated-queries',{method:'POST',body:at('body').value,headers:{
      'content-type':'application/json',accept:at('events').checked?'text/event-stream':'application/json',
      authorization:'Bearer '+at('token').value.trim()}})
    out.textContent=answer.status+'\\n'
    const text=answer.body.pipeThrough(new TextDecoderStream()).getReader()
    for(;;){const {done,value}=await text.read();if(done)break;out.textContent+=value}
  }catch(error){out.textContent+=error}
})`

/** The contract as a page to read, and a form to try it with one's own token. */
export function contractPage({ components, info, paths }: Contract, problems: readonly ProblemPage[]): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => operationSection(path, method, operation)),
  )
  const schemas = Object.entries(components.schemas).map(([name, schema]) => schemaSection(name, schema))
  return pageOf(
    `${info.title} ${info.version}`,
    `<h1>${escaped(info.title)} <small>${escaped(info.version)}</small></h1><p>${escaped(info.description)}</p>
<p>The contract: <a href="/openapi.json">/openapi.json</a>. Problems: <a href="/problems">/problems</a>.</p>
<h2>Operations</h2>${operations.join('\n')}
${tryIt(exampleOf(paths))}
<h2>Schemas</h2>${schemas.join('\n')}
<h2>Problems</h2>${problemTable(problems)}<script>${script}</script>`,
  )
}

/** Every type of problem in one page. */
export function problemsPage(problems: readonly ProblemPage[]): string {
  return pageOf('Problems', `<h1>Problems</h1><p>RFC 7807. Types never change.</p>${problemTable(problems)}`)
}

/** One type of problem. */
export function problemPage({ meaning, statuses, title, whatToDo, word }: ProblemPage): string {
  return pageOf(
    title,
    `<h1>${escaped(title)}</h1><p><code>urn:crocevia:problem:${escaped(word)}</code>, status ${statuses.join(' or ')}</p>
<h2>What it means</h2><p>${escaped(meaning)}</p><h2>What to do</h2><p>${escaped(whatToDo)}</p>
<p><a href="/problems">All problems</a></p>`,
  )
}

function pageOf(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title><style>${style}</style></head><body><main>${body}</main></body></html>`
}

function operationSection(path: string, method: string, operation: Operation): string {
  const { description = '', operationId, parameters = [], requestBody, responses, summary } = operation
  const own = parameters.filter(({ name }) => name !== undefined)
  const examples = Object.entries(requestBody?.content ?? {}).flatMap(([type, { example }]) => {
    return example === undefined
      ? []
      : [`<p>${escaped(type)}</p><pre>${escaped(JSON.stringify(example, undefined, 2))}</pre>`]
  })
  const answers = Object.entries(responses).map(([status, { $ref = '', description = '' }]) => {
    return [status, description === '' ? nameOf($ref) : description]
  })
  return `<section id="${escaped(operationId)}"><h3><code>${method.toUpperCase()} ${escaped(path)}</code></h3>
<p><strong>${escaped(summary)}</strong></p><p>${escaped(description)}</p>
${
  own.length === 0
    ? ''
    : table(
        ['Parameter', 'In', 'Meaning'],
        own.map((one) => [one.name ?? '', one.in ?? '', one.description ?? '']),
      )
}
${examples.join('')}${table(['Status', 'Answer'], answers)}</section>`
}

function schemaSection(name: string, { description = '', properties = {}, required = [] }: Schema): string {
  const rows = Object.entries(properties).map(([member, schema]) => {
    return [member, typeOf(schema), required.includes(member) ? 'yes' : '', schema.description ?? '']
  })
  return `<section id="schema-${escaped(name)}"><h3>${escaped(name)}</h3><p>${escaped(description)}</p>
${rows.length === 0 ? '' : table(['Member', 'Type', 'Always', 'Meaning'], rows)}</section>`
}

function typeOf({ $ref, enum: words, items, type }: Schema): string {
  if ($ref !== undefined) return nameOf($ref)
  if (words !== undefined) return words.map(String).join(', ')
  if (items !== undefined) return `list of ${typeOf(items)}`
  return [type ?? ''].flat().join(' or ')
}

function nameOf(reference: string): string {
  return reference.split('/').at(-1) ?? ''
}

function exampleOf(paths: Contract['paths']): unknown {
  return paths['/api/v1/federated-queries']?.post?.requestBody?.content['application/json']?.example
}

function tryIt(example: unknown): string {
  return `<section id="try"><h2>Try it</h2>
<label>Access token <textarea id="token" rows="2" spellcheck="false"></textarea></label>
<label>Body <textarea id="body" rows="10" spellcheck="false">${escaped(JSON.stringify(example, undefined, 2))}</textarea></label>
<label><input type="checkbox" id="events" checked> as communities answer</label>
<button id="ask" type="button">Ask</button><pre id="told" aria-live="polite"></pre></section>`
}

function problemTable(problems: readonly ProblemPage[]): string {
  const rows = problems.map(({ meaning, statuses, word }) => {
    return `<tr><td><a href="/problems/${escaped(word)}">${escaped(word)}</a></td><td>${statuses.join(', ')}</td><td>${escaped(meaning)}</td></tr>`
  })
  return `<table><thead><tr><th>Type</th><th>Status</th><th>Meaning</th></tr></thead><tbody>${rows.join('')}</tbody></table>`
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = heads.map((one) => `<th>${escaped(one)}</th>`).join('')
  const body = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`)
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table>`
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character)
}
