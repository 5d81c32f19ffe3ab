import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { engineEvent } from '../../../../src/runtime/docker/events.ts'
import { demultiplexer, type Frame } from '../../../../src/runtime/docker/frames.ts'
import { jsonLines, lineSplitter } from '../../../../src/runtime/docker/lines.ts'
import { withTag } from '../../../../src/runtime/docker/pull.ts'

/** `bytes` cut at arbitrary places. */
const cut = (bytes: Uint8Array, places: readonly number[]): Uint8Array[] => {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((start, i) => bytes.subarray(start, at[i] ?? bytes.length))
}

const framed = (frames: readonly (readonly [1 | 2, string])[]): Buffer =>
  Buffer.concat(
    frames.flatMap(([stream, text]) => {
      const bytes = Buffer.from(text)
      const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0])
      header.writeUInt32BE(bytes.length, 4)
      return [header, bytes]
    }),
  )

const places = fc.array(fc.nat(), { maxLength: 12 })

describe('frames', () => {
  test('come out whole and in order, wherever the bytes were cut', () => {
    const frame = fc.tuple(fc.constantFrom(1 as const, 2 as const), fc.string({ unit: 'binary', maxLength: 20 }))
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), places, (frames, where) => {
        const demultiplex = demultiplexer()
        const found: Frame[] = cut(framed(frames), where).flatMap((chunk) => demultiplex(chunk))
        expect(found.map(({ stream, bytes }) => [stream === 'stdout' ? 1 : 2, Buffer.from(bytes).toString()])).toEqual(
          frames.map(([stream, text]) => [stream, Buffer.from(text).toString()]),
        )
      }),
    )
  })

  test.each([[[3, 0, 0, 0, 0, 0, 0, 1, 65]], [[1, 1, 0, 0, 0, 0, 0, 1, 65]], [[1, 0, 0, 0, 255, 255, 255, 255, 65]]])(
    'a header that is none is refused: %j',
    (bytes) => {
      expect(() => demultiplexer()(Uint8Array.from(bytes))).toThrow(/not multiplexed/)
    },
  )
})

describe('lines', () => {
  test('are the same wherever the bytes were cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'é', '€', '😀', '\n') }), places, (text, where) => {
        const splitter = lineSplitter()
        const found = cut(Buffer.from(text), where).flatMap((chunk) => splitter.push(chunk))
        const lines = text.split('\n')
        const last = lines.pop()
        expect([...found, ...splitter.rest()]).toEqual(last === '' ? lines : [...lines, last])
      }),
    )
  })

  test('without an end come in pieces', () => {
    const splitter = lineSplitter(4)
    expect(splitter.push(Buffer.from('abc'))).toEqual([])
    expect(splitter.push(Buffer.from('de'))).toEqual(['abcde'])
    expect(splitter.push(Buffer.from('f\n'))).toEqual(['f'])
  })

  test('of JSON: what is none is skipped', async () => {
    const stream = (async function* () {
      yield Buffer.from('{"a":1}\r\n\n{"b"')
      yield Buffer.from(':2}\nhalf {\n[3]')
    })()
    const found: unknown[] = []
    for await (const document of jsonLines(stream)) found.push(document)
    expect(found).toEqual([{ a: 1 }, { b: 2 }, [3]])
  })
})

describe('events', () => {
  test('an exec, whose command is not kept', () => {
    const said = {
      Type: 'container',
      Action: 'exec_start: /bin/sh -c token=sesame',
      Actor: { ID: 'c1', Attributes: { a: 'b' } },
      time: 5,
      timeNano: 5_000_123_456,
    }
    expect(engineEvent(said)).toEqual({
      type: 'container',
      action: 'exec_start',
      id: 'c1',
      container: '',
      attributes: { a: 'b' },
      timeMs: 5000,
    })
  })

  test('a network event', () => {
    const said = {
      Type: 'network',
      Action: 'connect',
      Actor: { ID: 'n1', Attributes: { container: 'c1', name: 'pods' } },
      time: 5,
    }
    expect(engineEvent(said)).toMatchObject({ type: 'network', action: 'connect', id: 'n1', container: 'c1', timeMs: 5000 })
  })

  test.each([null, 3, [], {}, { Type: 'container' }, { Actor: { ID: 4, Attributes: [1] }, timeNano: 'x' }])(
    'of any shape: %j',
    (said) => {
      expect(engineEvent(said)).toMatchObject({ action: '', id: '', container: '', timeMs: 0 })
    },
  )
})

test.each([
  ['web', 'web:latest'],
  ['web:1', 'web:1'],
  ['r:5000/web', 'r:5000/web:latest'],
  ['r:5000/web:1', 'r:5000/web:1'],
  ['web@sha256:ab', 'web@sha256:ab'],
  ['web:1@sha256:ab', 'web:1@sha256:ab'],
])('the tag of %s', (ref, tagged) => expect(withTag(ref)).toBe(tagged))
