/** The one place that holds secret values: by keyed digest, in memory, never on disk. */
import { createHmac } from 'node:crypto'

/** A value shorter than this is not redacted: it would tear ordinary text apart. */
const REDACT_MIN_BYTES = 6
/** One line of a value of many lines, in characters. */
const REDACT_MIN_LINE = 16

const REDACTED = '[redacted]'

/** How a token of a ServiceAccount looks, whichever key has signed it: `{"alg":"RS256","kid":"` and on, in three parts. */
const TOKEN = /eyJhbGciOiJSUzI1NiIsImtpZCI6I[\w-]+\.[\w-]+\.[\w-]+/g

export interface Vault {
  /** `hmac-sha256:` and 64 hex digits */
  digest(bytes: Uint8Array): string
  put(digest: string, bytes: Uint8Array): void
  get(digest: string): Uint8Array | undefined
  /** Forgets every value whose digest is not in `digests`. */
  retain(digests: ReadonlySet<string>): void
  /** Asks for names that are no secret, wherever else they are used as one. */
  publish(names: () => Iterable<string>): void
  /** `text` with every known value of at least 6 bytes replaced, also in base64 and URL-encoded form, and every token of a ServiceAccount. */
  redact(text: string): string
  /**
   * The same for what Trireme itself and its engine write. A value that is part of a published name stays: there it
   * stands for that name, and without it nobody could tell what is meant.
   */
  redactOwn(text: string): string
}

/** @param key of the digests, 32 bytes; the same key gives the same digests over restarts */
export function createVault(key: Uint8Array): Vault {
  const values = new Map<string, Uint8Array>()
  let names: () => Iterable<string> = () => []
  let needles: readonly string[] | undefined
  let ownNeedles: readonly string[] | undefined

  function forgetNeedles(): void {
    needles = ownNeedles = undefined
  }

  return {
    digest: (bytes) => `hmac-sha256:${createHmac('sha256', key).update(bytes).digest('hex')}`,
    put(digest, bytes) {
      if (values.has(digest)) return
      values.set(digest, bytes.slice())
      forgetNeedles()
    },
    get: (digest) => values.get(digest),
    retain(digests) {
      for (const digest of [...values.keys()]) {
        if (digests.has(digest)) continue
        values.delete(digest)
        forgetNeedles()
      }
    },
    publish(given) {
      names = given
      ownNeedles = undefined
    },
    redact(text) {
      if (text === '') return text
      needles ??= needlesOf(values.values())
      return redactAll(text, needles)
    },
    redactOwn(text) {
      if (text === '') return text
      ownNeedles ??= needlesOf(withoutNames([...values.values()], names))
      return redactAll(text, ownNeedles)
    },
  }
}

/** What a name or a part of one can look like; chance passwords seldom do, and then no name is asked for. */
const NAME_LIKE = /^[a-z0-9][a-z0-9._:/-]*$/

function withoutNames(values: readonly Uint8Array[], names: () => Iterable<string>): Uint8Array[] {
  const texts = new Map(values.map((value) => [value, Buffer.from(value).toString('utf8').trim()]))
  if (![...texts.values()].some((text) => NAME_LIKE.test(text))) return [...values]
  const published = [...names()].join('\n')
  return values.filter((value) => {
    const text = texts.get(value) ?? ''
    return !(NAME_LIKE.test(text) && published.includes(text))
  })
}

/** Every spelling of every value, longest first, so that a value inside another one hides nothing of it. */
function needlesOf(values: Iterable<Uint8Array>): string[] {
  const needles = new Set<string>()
  for (const value of values) for (const spelling of spellingsOf(value)) needles.add(spelling)
  return [...needles].sort((a, b) => b.length - a.length || (a < b ? -1 : 1))
}

function spellingsOf(value: Uint8Array): string[] {
  if (value.length < REDACT_MIN_BYTES) return []
  const bytes = Buffer.from(value)
  const text = bytes.toString('utf8')
  const spellings = [...base64Of(bytes), ...textsOf(text).flatMap(escapedOf)]
  return spellings.filter((spelling) => Buffer.byteLength(spelling) >= REDACT_MIN_BYTES)
}

/** The text, the text without the line break most programs drop, and its lines: logs are read line by line. */
function textsOf(text: string): string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  return [text, text.trim(), ...lines.filter((line) => line.length >= REDACT_MIN_LINE)]
}

/** As it is, in a URL, in a form, in a JSON string and in base64. */
function escapedOf(text: string): string[] {
  const url = encodeURIComponent(text)
  return [text, url, url.replaceAll('%20', '+'), JSON.stringify(text).slice(1, -1), ...base64Of(Buffer.from(text))]
}

/** Without its padding, so that both spellings are found. */
function base64Of(bytes: Buffer): string[] {
  return [bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url')]
}

/** Cuts every needle out, then joins: a needle is never looked for in what has been put in its place. */
function redactAll(text: string, needles: readonly string[]): string {
  let clean = [text]
  for (const needle of needles) {
    if (text.includes(needle)) clean = clean.flatMap((part) => part.split(needle))
  }
  return clean.join(REDACTED).replace(TOKEN, REDACTED)
}
