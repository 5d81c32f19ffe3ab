import { defineConfig } from 'vitest/config'

/** Fast suites first: pure logic in parallel, then everything that needs a real engine, one file at a time. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'fast',
          include: [
            'test/unit/**/*.test.ts',
            'test/property/**/*.test.ts',
            'test/fuzz/**/*.test.ts',
            'test/simulation/**/*.test.ts',
          ],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'engine',
          include: ['test/contract/**/*.test.ts', 'test/engine/**/*.test.ts', 'test/e2e/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
