import { describe, expect, test } from 'vitest'
import { errorOf } from './kinds.ts'
import type { ContractLab } from './lab.ts'

export function imageContract(current: () => ContractLab): void {
  describe('images and the engine itself', () => {
    test('info', async () => {
      const info = await current().engine.info()
      for (const field of ['id', 'name', 'version', 'apiVersion', 'os', 'architecture', 'kernel', 'storageDriver'] as const) {
        expect(info[field]).not.toBe('')
      }
      expect(info.cpus).toBeGreaterThan(0)
      expect(info.memoryBytes).toBeGreaterThan(0)
    })

    test('an image that is there', async () => {
      const image = await current().engine.inspectImage(current().image)
      expect(image).toMatchObject({ user: '', hasHealthcheck: false })
      expect(image!.id).toMatch(/^sha256:[0-9a-f]{64}$/)
      expect(image!.tags).toContain(current().image)
      expect(image!.sizeBytes).toBeGreaterThan(0)
      expect(await current().engine.inspectImage(image!.id)).toEqual(image)
    })

    test('an image that is not', async () => {
      expect(await current().engine.inspectImage('trireme/none:none')).toBeUndefined()
    })

    test('a pull from a registry that does not answer fails with what was said', async () => {
      const error = await errorOf(current().engine.pullImage('127.0.0.1:1/trireme/none:none', undefined))
      expect(error.kind).toBe('failed')
      expect(error.message).toContain('127.0.0.1:1')
    })
  })
}
