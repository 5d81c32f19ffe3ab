const mask = '***'
const userinfo = /([A-Za-z][A-Za-z0-9+.-]*:\/\/)[^\s/@'"]*(?::[^\s/'"]*)?@/g

/**
 * A text fit for logs and errors: every secret in it, in each spelling a server or Git may echo (as is, percent-encoded,
 * base64 as in an Authorization header), and every `user:password@` of a URL replaced by `***`.
 */
export function redactor(secrets: readonly string[], username: string): (text: string) => string {
  const spellings = secrets
    .filter((secret) => secret !== '')
    .flatMap((secret) => [
      secret,
      encodeURIComponent(secret),
      Buffer.from(`${username}:${secret}`).toString('base64'),
      Buffer.from(secret).toString('base64'),
    ])
    // Longest first: a secret that contains another must not leave its tail behind.
    .sort((a, b) => b.length - a.length)
  return (text) => {
    let shown = text
    for (const spelling of spellings) shown = shown.replaceAll(spelling, mask)
    return shown.replace(userinfo, (whole, start: string) => (whole === `${start}git@` ? whole : `${start}${mask}@`))
  }
}
