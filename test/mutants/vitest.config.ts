import { defineConfig } from 'vitest/config'

/** One kind of tests at a time, as `npm run mutants` asks for them. */
export default defineConfig({
  test: {
    include: (process.env.MUTANT_TESTS ?? 'test/unit/**/*.test.ts').split(','),
    exclude: ['test/simulation/seeds.test.ts'],
    setupFiles: ['test/support/setup.ts'],
    testTimeout: 20_000,
  },
})
