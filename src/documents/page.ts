import { createHash } from 'node:crypto'
import { escapeAttribute, escapeText } from '../wire/xml-write.ts'

/** Black on white, system fonts, readable on paper as well. Nothing is loaded. */
const style = `
:root { color-scheme: only light; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; background: #fff; color: #111; font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.3rem; } h3, h4, h5, h6 { font-size: 1.1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1rem; }
dt { font-weight: 600; } dd { margin: 0; }
table { border-collapse: collapse; margin: 0.5rem 0; }
th, td { border: 1px solid #595959; padding: 0.25rem 0.5rem; text-align: left; vertical-align: top; }
th { background: #eee; } caption, .caption { font-weight: 600; text-align: left; }
pre { white-space: pre-wrap; } .narrative { white-space: pre-line; }
.bold { font-weight: 700; } .italics { font-style: italic; } .underline { text-decoration: underline; }
small, footer { color: #404040; }
footer { border-top: 1px solid #595959; margin-top: 2rem; }
`

const styleHash = createHash('sha256').update(style).digest('base64')

/** Nothing runs, nothing is loaded, nothing is sent; of styles only ours. A front should send the same as a header. */
export const contentSecurityPolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'`

/** An attribute for the language of a document that is not in Italian; nothing when it is, or says nothing sensible. */
export function languageAttribute(code: string | undefined): string {
  const isForeign = code !== undefined && /^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}$/.test(code) && !/^it\b/i.test(code)
  return isForeign ? ` lang="${code}"` : ''
}

/** A page of its own: title as text, body as HTML already. */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="it">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeAttribute(contentSecurityPolicy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escapeText(title)}</title>
<style>${style}</style>
</head>
<body>
${body}
</body>
</html>
`
}
