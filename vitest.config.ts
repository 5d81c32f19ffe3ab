import { defineConfig } from 'vitest/config'

/** Fast suites first: pure logic in parallel, then simulated worlds, then everything that needs a real engine, one file at a time. */
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
            'test/contract/simulated.test.ts',
          ],
          exclude: ['test/simulation/seeds.test.ts'],
          setupFiles: ['test/support/setup.ts'],
          testTimeout: 20_000,
        },
      },
      { test: { name: 'simulation', include: ['test/simulation/seeds.test.ts'] } },
      {
        test: {
          name: 'engine',
          include: ['test/contract/**/*.test.ts', 'test/engine/**/*.test.ts', 'test/e2e/**/*.test.ts', 'test/chaos/**/*.test.ts'],
          exclude: ['test/contract/simulated.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
